#include "core/analysis/value_signatures.h"

#include <atomic>
#include <cstring>

namespace core {
namespace {

class Hash {
public:
    void number(std::uint64_t n)
    {
        m_state = (m_state ^ n) * 0x9e3779b97f4a7c15ULL;
        m_state ^= m_state >> 32;
        m_state *= 0xd6e8feb86659fd93ULL;
        m_state ^= m_state >> 29;
    }
    void bytes(const void *data, std::size_t count)
    {
        number(count);
        const char *at = static_cast<const char *>(data);
        for (; count >= 8; at += 8, count -= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            number(word);
        }
        std::uint64_t rest = 0;
        if (count)
            std::memcpy(&rest, at, count);
        number(rest);
    }
    void text(const std::string &s) { bytes(s.data(), s.size()); }
    template <class T>
    void list(const std::vector<T> &values) { bytes(values.data(), values.size() * sizeof(T)); }
    void list(const std::vector<std::string> &values)
    {
        number(values.size());
        for (const std::string &value : values)
            text(value);
    }
    void tensor(const TensorData &data)
    {
        number(std::uint64_t(data.type));
        list(data.dims);
        if (data.bytes)
            list(*data.bytes);
        if (data.strings)
            list(*data.strings);
    }
    std::uint64_t value() const { return m_state ? m_state : 1; }

private:
    std::uint64_t m_state = 0x243f6a8885a308d3ULL;
};

struct AttributeHasher {
    Hash &hash;
    void operator()(std::int64_t value) { hash.number(std::uint64_t(value)); }
    void operator()(float value) { hash.bytes(&value, sizeof value); }
    void operator()(const std::string &value) { hash.text(value); }
    template <class T>
    void operator()(const std::vector<T> &value) { hash.list(value); }
    void operator()(const TensorData &value) { hash.tensor(value); }
    void operator()(const std::shared_ptr<const Graph> &) {}
    void operator()(const OpaqueProto &value) { hash.text(value.serialized); }
};

bool isOpaque(const Node &node)
{
    if (node.opType.starts_with("Random") || node.opType == "Multinomial" || node.opType == "Bernoulli")
        return true;
    for (const auto &[name, value] : node.attributes)
        if (std::holds_alternative<std::shared_ptr<const Graph>>(value))
            return true;
    return false;
}

std::uint64_t nextUnique()
{
    static std::atomic<std::uint64_t> counter = 0;
    return ++counter;
}

} // namespace

std::vector<std::uint64_t> valueSignatures(const Graph &graph)
{
    std::vector<std::uint64_t> signatures(std::size_t(graph.valueIdLimit()), 0);
    const auto of = [&](ValueId id) -> std::uint64_t & { return signatures[std::size_t(id.index)]; };
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
        Hash hash;
        hash.text("input");
        hash.number(i);
        hash.number(std::uint64_t(graph.value(graph.inputs[i]).type));
        of(graph.inputs[i]) = hash.value();
    }
    for (const auto &[id, data] : graph.constants()) {
        Hash hash;
        hash.text("constant");
        hash.tensor(data);
        of(id) = hash.value();
    }
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        Hash hash;
        hash.text(node.domain);
        hash.text(node.opType);
        for (const auto &[name, value] : node.attributes) {
            hash.text(name);
            hash.number(value.index());
            std::visit(AttributeHasher{hash}, value);
        }
        hash.number(node.inputs.size());
        for (const ValueId input : node.inputs)
            hash.number(input.valid() ? of(input) : 0);
        if (isOpaque(node)) {
            hash.text("unique");
            hash.number(nextUnique());
        }
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (!node.outputs[i].valid())
                continue;
            Hash output = hash;
            output.number(i);
            of(node.outputs[i]) = output.value();
        }
    }
    return signatures;
}

} // namespace core
