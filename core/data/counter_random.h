// Random numbers that depend on the numbers they are asked with alone: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, 2014) started at a hash of them. Integer and exactly rounded arithmetic only, so every machine gets the same.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace core {

class CounterRandom {
public:
    explicit constexpr CounterRandom(std::uint64_t state) : m_state(state) {}
    /// One stream for each (seed, a, b, purpose).
    constexpr CounterRandom(std::uint64_t seed, std::uint64_t a, std::uint64_t b, std::uint64_t purpose)
    {
        for (const std::uint64_t part : {seed, a, b, purpose})
            m_state = mixed((m_state ^ part) + step);
    }

    constexpr std::uint64_t next() { return mixed(m_state += step); }

    /// 0…count−1, all equally likely; count ≥ 1.
    constexpr std::uint64_t below(std::uint64_t count)
    {
        const std::uint64_t end = ~std::uint64_t(0) - ~std::uint64_t(0) % count;
        for (;;)
            if (const std::uint64_t number = next(); number < end)
                return number % count;
    }

    /// In [low, high).
    double uniform(double low, double high) { return low + (high - low) * (double(next() >> 11) * 0x1p-53); }

    /// Between 1/most and most, its logarithm uniform; most ≥ 1. A product of square roots: exp and log differ between libraries.
    double logUniform(double most)
    {
        const std::uint64_t bits = next();
        double value = 1, root = most;
        for (int i = 0; i < 52; ++i) {
            root = std::sqrt(root);
            if (bits >> (62 - i) & 1)
                value *= root;
        }
        return bits >> 63 ? value : 1 / value;
    }

private:
    static constexpr std::uint64_t step = 0x9E3779B97F4A7C15;

    static constexpr std::uint64_t mixed(std::uint64_t z)
    {
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    std::uint64_t m_state = 0;
};

} // namespace core
