#include "core/data/cached_dataset.h"

#include <ATen/ATen.h>

#include <mutex>

namespace core {
namespace {

class CachedDataset : public Dataset {
public:
    CachedDataset(std::unique_ptr<Dataset> data, std::int64_t mostBytes) : m_data(std::move(data)), m_left(mostBytes), m_samples(m_data->size()) {}

    std::size_t size() const override { return m_data->size(); }
    bool hasLabels() const override { return m_data->hasLabels(); }
    std::string describe(std::size_t index) const override { return m_data->describe(index); }
    std::string fingerprint() const override { return m_data->fingerprint(); }

    Sample load(std::size_t index) const override
    {
        {
            const std::lock_guard lock(m_mutex);
            if (m_samples[index])
                return *m_samples[index];
        }
        Sample sample = m_data->load(index);
        std::int64_t bytes = 0;
        for (const at::Tensor &input : sample.inputs)
            bytes += std::int64_t(input.nbytes());
        const std::lock_guard lock(m_mutex);
        if (!m_samples[index] && bytes <= m_left) {
            m_left -= bytes;
            m_samples[index] = sample;
        }
        return sample;
    }

private:
    std::unique_ptr<Dataset> m_data;
    mutable std::mutex m_mutex;
    mutable std::int64_t m_left;
    mutable std::vector<std::optional<Sample>> m_samples;
};

} // namespace

std::unique_ptr<Dataset> cachedDataset(std::unique_ptr<Dataset> data, std::int64_t mostBytes)
{
    return std::make_unique<CachedDataset>(std::move(data), mostBytes);
}

} // namespace core
