// Reading JSON strictly: every wrong or unknown field becomes one sentence with its path.
// `Json` is a class like nlohmann::ordered_json, named by the .cpp file that includes this.
#pragma once

#include "core/base/error.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace core {

template <class Json>
class BasicJsonObject {
public:
    static constexpr int deepest = 64;   ///< printing and copying recurse

    BasicJsonObject(const Json &json, std::string path) : m_json(json), m_path(std::move(path))
    {
        if (!json.is_object())
            fail(m_path, std::string("must be an object, not ") + json.type_name() + ".");
    }

    [[noreturn]] static void fail(const std::string &path, const std::string &what)
    {
        throw Error(ErrorKind::InvalidInput, "recipe", (path.empty() ? std::string("The document") : "'" + path + "'") + " " + what);
    }

    static Json parse(std::string_view text)
    {
        try {
            return Json::parse(text, [](int depth, auto, auto &) {
                if (depth > deepest)
                    throw Error(ErrorKind::InvalidInput, "recipe", "This JSON is nested deeper than " + std::to_string(deepest) + " levels.");
                return true;
            });
        } catch (const typename Json::exception &error) {
            throw Error(ErrorKind::InvalidInput, "recipe", std::string("This is not JSON: ") + error.what());
        }
    }

    std::string pathOf(const std::string &key) const { return m_path.empty() ? key : m_path + "." + key; }

    /// nullptr when absent; marks the key as known.
    const Json *find(const std::string &key)
    {
        m_known.insert(key);
        const auto at = m_json.find(key);
        return at == m_json.end() ? nullptr : &*at;
    }

    template <class T> void read(const std::string &key, T &to)
    {
        if (const Json *value = find(key))
            to = convert<T>(*value, pathOf(key));
    }

    template <class F> void object(const std::string &key, F &&f)
    {
        if (const Json *value = find(key)) {
            BasicJsonObject inner(*value, pathOf(key));
            f(inner);
            inner.finish();
        }
    }

    /// f(name, object) for every member of an object whose keys are free.
    template <class F> void map(const std::string &key, F &&f)
    {
        if (const Json *value = find(key)) {
            const BasicJsonObject holder(*value, pathOf(key));
            for (const auto &[name, member] : value->items()) {
                BasicJsonObject inner(member, holder.pathOf(name));
                f(name, inner);
                inner.finish();
            }
        }
    }

    void finish() const
    {
        for (const auto &[key, value] : m_json.items())
            if (!m_known.contains(key)) {
                std::string known;
                for (const std::string &name : m_known)
                    known += (known.empty() ? "" : ", ") + name;
                fail(pathOf(key), "is not a known field; the fields here are " + known + ".");
            }
    }

    template <class T> static T convert(const Json &value, const std::string &path)
    {
        if constexpr (std::is_same_v<T, bool>) {
            if (!value.is_boolean())
                fail(path, "must be true or false, not " + value.dump() + ".");
            return value.template get<bool>();
        } else if constexpr (std::is_integral_v<T>) {
            const bool fits = value.is_number_unsigned() ? value.template get<std::uint64_t>() <= std::uint64_t(std::numeric_limits<T>::max())
                : value.is_number_integer() && std::is_signed_v<T> && value.template get<std::int64_t>() >= std::int64_t(std::numeric_limits<T>::min());
            if (!fits)
                fail(path, "must be a whole number, not " + value.dump() + ".");
            return value.template get<T>();
        } else if constexpr (std::is_floating_point_v<T>) {
            if (!value.is_number())
                fail(path, "must be a number, not " + value.dump() + ".");
            return value.template get<T>();
        } else if constexpr (std::is_same_v<T, std::string>) {
            if (!value.is_string())
                fail(path, "must be a text, not " + value.dump() + ".");
            return value.template get<std::string>();
        } else {
            return convertList<typename T::value_type>(value, path);
        }
    }

    template <class E> static std::vector<E> convertList(const Json &value, const std::string &path)
    {
        if (!value.is_array())
            fail(path, "must be a list, not " + value.dump() + ".");
        std::vector<E> list;
        for (std::size_t i = 0; i < value.size(); ++i)
            list.push_back(convert<E>(value[i], path + "[" + std::to_string(i) + "]"));
        return list;
    }

    const Json &json() const { return m_json; }
    const std::string &path() const { return m_path; }

private:
    const Json &m_json;
    std::string m_path;
    std::set<std::string> m_known;
};

inline std::string oneOf(const std::vector<std::string> &names)
{
    std::string text;
    for (const std::string &name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace core
