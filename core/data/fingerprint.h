// FNV-1a, 64 bits: names of things, stable across machines; not a defence against forgery.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace core {

class Fingerprint {
public:
    void add(std::string_view text)
    {
        add(std::uint64_t(text.size()));
        for (char c : text)
            mix(std::uint8_t(c));
    }
    void add(std::uint64_t number)
    {
        for (int i = 0; i < 8; ++i)
            mix(std::uint8_t(number >> 8 * i));
    }
    std::string text() const
    {
        char digits[17];
        std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(m_hash));
        return digits;
    }

private:
    void mix(std::uint8_t byte) { m_hash = (m_hash ^ byte) * 0x100000001b3ULL; }

    std::uint64_t m_hash = 0xcbf29ce484222325ULL;
};

} // namespace core
