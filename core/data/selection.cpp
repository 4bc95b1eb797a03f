#include "core/data/selection.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace core {

std::vector<std::size_t> spreadEvenly(std::span<const std::int64_t> labels, std::size_t limit)
{
    std::vector<std::size_t> chosen(labels.size());
    std::iota(chosen.begin(), chosen.end(), std::size_t(0));
    if (limit == 0 || limit >= labels.size())
        return chosen;
    chosen.clear();

    std::map<std::int64_t, std::vector<std::size_t>> classes;
    for (std::size_t i = 0; i < labels.size(); ++i)
        classes[labels[i]].push_back(i);
    std::vector<const std::vector<std::size_t> *> members;
    std::vector<std::size_t> sizes;
    for (const auto &[label, indices] : classes) {
        members.push_back(&indices);
        sizes.push_back(indices.size());
    }
    // The largest quota that all classes together do not exceed, then one more for evenly spaced ones of those that have more.
    const auto total = [&](std::size_t quota) {
        std::size_t sum = 0;
        for (std::size_t size : sizes)
            sum += std::min(size, quota);
        return sum;
    };
    std::size_t quota = 0, beyond = limit + 1;
    while (quota + 1 < beyond) {
        const std::size_t middle = quota + (beyond - quota) / 2;
        (total(middle) <= limit ? quota : beyond) = middle;
    }
    std::vector<std::size_t> larger;
    for (std::size_t c = 0; c < members.size(); ++c)
        if (sizes[c] > quota)
            larger.push_back(c);
    std::vector<std::size_t> take(members.size());
    for (std::size_t c = 0; c < members.size(); ++c)
        take[c] = std::min(sizes[c], quota);
    const std::size_t rest = limit - total(quota);
    for (std::size_t i = 0; i < rest; ++i)
        ++take[larger[i * larger.size() / rest]];
    for (std::size_t c = 0; c < members.size(); ++c)
        for (std::size_t i = 0; i < take[c]; ++i)
            chosen.push_back((*members[c])[i * members[c]->size() / take[c]]);
    std::sort(chosen.begin(), chosen.end());
    return chosen;
}

} // namespace core
