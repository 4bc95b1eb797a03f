#include "core/data/augment.h"

#include "core/data/counter_random.h"
#include "core/data/image_change.h"

#include <numeric>
#include <utility>

namespace core {
namespace {

class TrainingEpoch : public Dataset {
public:
    TrainingEpoch(const Dataset &data, const AugmentSpec &augment, std::uint64_t seed, std::int64_t epoch)
        : m_data(data)
        , m_augment(augment)
        , m_seed(seed)
        , m_epoch(epoch)
        , m_order(shuffledOrder(data.size(), seed, epoch))
    {
    }

    std::size_t size() const override { return m_order.size(); }
    bool hasLabels() const override { return m_data.hasLabels(); }
    std::string describe(std::size_t index) const override { return m_data.describe(m_order.at(index)); }
    std::string fingerprint() const override { return m_data.fingerprint(); }
    Sample load(std::size_t index) const override
    {
        const std::size_t own = m_order.at(index);
        return m_data.loadChanged(own, drawChange(m_augment, m_seed, m_epoch, own));
    }

private:
    const Dataset &m_data;
    AugmentSpec m_augment;
    std::uint64_t m_seed;
    std::int64_t m_epoch;
    std::vector<std::size_t> m_order;
};

} // namespace

std::unique_ptr<Dataset> trainingEpoch(const Dataset &data, const AugmentSpec &augment, std::uint64_t seed, std::int64_t epoch)
{
    TrainingSpec spec;
    spec.augment = augment;
    checkTraining(spec);
    return std::make_unique<TrainingEpoch>(data, augment, seed, epoch);
}

std::vector<std::size_t> shuffledOrder(std::size_t count, std::uint64_t seed, std::int64_t epoch)
{
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t(0));
    CounterRandom random(seed, std::uint64_t(epoch), 0, 0);
    for (std::size_t last = count; last > 1; --last)
        std::swap(order[last - 1], order[random.below(last)]);
    return order;
}

} // namespace core
