#include "core/quant/collector.h"

#include "core/base/error.h"
#include "core/quant/part_collector.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr std::int64_t leastPart = 32768; // elements worth a task of their own

struct ImageResult {
    RangeScan range;
    int exponent = -125;
};

class BatchCollector {
public:
    BatchCollector(const float *data, const Layout &layout, StatisticsDetail detail, const TensorStatistics &before)
        : m_collector(data, layout, detail), m_layout(layout), m_widest(before.histogram.exponent)
    {
        if (const auto images = double(before.images); images > 0)
            m_guess = exponentAbove(float(std::max(std::fabs(before.sumOfImageMin.value()), std::fabs(before.sumOfImageMax.value())) / images));
    }

    void run(TensorStatistics &result)
    {
        m_images.resize(std::size_t(m_layout.images));
        const std::int64_t threads = std::max(at::get_num_threads(), 1), rows = m_layout.rows();
        std::int64_t split = 1;
        if (m_layout.images % threads != 0 && m_layout.images < 4 * threads)
            split = std::clamp(std::min(m_layout.perImage / leastPart, 2 * threads), std::int64_t(1), std::max(rows, std::int64_t(1)));
        m_parts.resize(std::size_t(m_layout.images * split));
        for (std::int64_t i = 0; i < m_layout.images * split; ++i) {
            Part &part = m_parts[std::size_t(i)];
            part.image = i / split;
            part.firstRow = rows * (i % split) / split;
            part.rows = rows * (i % split + 1) / split - part.firstRow;
        }
        const std::int64_t grain = std::max<std::int64_t>(1, leastPart / std::max<std::int64_t>(1, m_layout.perImage / split));
        at::parallel_for(0, std::int64_t(m_parts.size()), grain, [&](std::int64_t begin, std::int64_t end) {
            LocalHistogram local(m_histogram, m_widest);
            int guess = m_guess;
            for (std::int64_t i = end - 1; i >= begin; --i) {
                Part &part = m_parts[std::size_t(i)];
                m_collector.collect(part, guess, local);
                if (m_guess == Part::noGrid)
                    guess = exponentOf(part.range);
            }
            local.flush();
        });
        for (const Part &part : m_parts)
            m_images[std::size_t(part.image)].range.add(part.range);
        for (ImageResult &image : m_images)
            image.exponent = exponentOf(image.range);
        std::vector<Part *> wrong;
        for (Part &part : m_parts)
            if (part.grid != Part::noGrid && part.grid != exponentFor(part))
                wrong.push_back(&part);
        at::parallel_for(0, std::int64_t(wrong.size()), grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                m_collector.sumAgain(*wrong[std::size_t(i)], exponentFor(*wrong[std::size_t(i)]));
        });
        gather(result);
    }

private:
    int exponentFor(const Part &part) const { return m_images[std::size_t(part.image)].exponent; }

    void gather(TensorStatistics &result)
    {
        result.histogram = std::move(m_histogram.histogram);
        for (const ImageResult &image : m_images) {
            if (!image.range.any())
                continue;
            result.min = result.images == 0 ? image.range.min : std::min(result.min, image.range.min);
            result.max = result.images == 0 ? image.range.max : std::max(result.max, image.range.max);
            result.sumOfImageMin.add(double(image.range.min));
            result.sumOfImageMax.add(double(image.range.max));
            ++result.images;
        }
        const auto channels = std::size_t(m_layout.channels);
        result.channels.resize(channels);
        FixedSums pending;
        std::vector<float> mins(channels, RangeScan().min), maxs(channels, RangeScan().max);
        std::vector<std::int64_t> pendingChannels(channels, 0);
        std::int64_t pendingImages = 0;
        for (std::size_t i = 0; i < m_parts.size(); ++i) {
            const Part &part = m_parts[i];
            const int exponent = exponentFor(part);
            result.zeros += part.range.zeros;
            result.notFinite += part.range.notFinite;
            result.count += std::uint64_t(part.rows * m_layout.rowLength()) - part.range.notFinite;
            pending.sum += part.sums.sum;
            pending.squares += part.sums.squares;
            for (std::size_t c = 0; c < channels; ++c) {
                mins[c] = std::min(mins[c], part.mins[c]);
                maxs[c] = std::max(maxs[c], part.maxs[c]);
                pendingChannels[c] += part.channelSums[c];
            }
            addCounts(part, result.channels);
            const std::int64_t next = i + 1 < m_parts.size() ? m_parts[i + 1].image : -1;
            if (next == part.image)
                continue;
            ++pendingImages;
            if (next >= 0 && m_images[std::size_t(next)].exponent == exponent && joinable(exponent, pendingImages + 1))
                continue;
            result.sum.add(pending.sum, exponent - 30);
            result.sumOfSquares.add(pending.squares, 2 * exponent - 30);
            for (std::size_t c = 0; c < channels; ++c)
                result.channels[c].sum.add(pendingChannels[c], exponent - 30);
            pending = {};
            std::fill(pendingChannels.begin(), pendingChannels.end(), 0);
            pendingImages = 0;
        }
        for (std::size_t c = 0; c < channels; ++c)
            if (result.channels[c].count > 0) {
                result.channels[c].min = mins[c] + 0.0f;
                result.channels[c].max = maxs[c] + 0.0f;
            }
    }

    /// Sums of several images are added as one only where no bit falls below those of ExactSum and int64 holds them.
    bool joinable(int exponent, std::int64_t images) const
    {
        return 2 * exponent - 30 >= -104 && exponent - 30 >= -104 && images <= (std::int64_t(1) << 32) / m_layout.perImage;
    }

    void addCounts(const Part &part, std::vector<ChannelStatistics> &channels) const
    {
        if (!part.channelCounts.empty()) {
            for (std::size_t c = 0; c < channels.size(); ++c)
                channels[c].count += part.channelCounts[c];
        } else if (m_layout.columns || part.rows % std::max<std::int64_t>(m_layout.channels, 1) == 0) {
            const std::int64_t each = part.rows * m_layout.inner / (m_layout.columns ? 1 : std::max<std::int64_t>(m_layout.channels, 1));
            for (ChannelStatistics &channel : channels)
                channel.count += std::uint64_t(each);
        } else {
            for (std::int64_t row = part.firstRow; row < part.firstRow + part.rows; ++row)
                channels[std::size_t(row % m_layout.channels)].count += std::uint64_t(m_layout.inner);
        }
    }

    PartCollector m_collector;
    Layout m_layout;
    int m_widest, m_guess = Part::noGrid; // exponents: of the histogram so far, and expected of an image
    std::vector<Part> m_parts;
    std::vector<ImageResult> m_images;
    SharedHistogram m_histogram;
};

bool channelsLast(const at::Tensor &x)
{
    return (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) || (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

} // namespace

void collect(TensorStatistics &statistics, const at::Tensor &batch, int channelAxis, StatisticsDetail detail)
{
    if (!batch.defined() || batch.dim() == 0)
        throw Error(ErrorKind::InvalidInput, "calibrate", "Statistics need a tensor whose first dimension counts the images.");
    if (channelAxis < -1 || channelAxis == 0 || channelAxis >= batch.dim())
        throw Error(ErrorKind::InvalidInput, "calibrate", "Axis " + std::to_string(channelAxis) + " of a tensor with " + std::to_string(batch.dim())
                    + " dimensions cannot be its channels; the first one counts the images.");
    if (batch.numel() == 0)
        return;
    at::Tensor x = batch.detach().to(at::kFloat);
    Layout layout;
    layout.images = x.size(0);
    layout.perImage = x.numel() / x.size(0);
    const bool interleaved = !x.is_contiguous() && channelsLast(x) && channelAxis <= 1;
    if (!interleaved)
        x = x.contiguous();
    if (channelAxis > 0) {
        layout.channels = x.size(channelAxis);
        for (std::int64_t d = channelAxis + 1; !interleaved && d < x.dim(); ++d)
            layout.inner *= x.size(d);
        layout.columns = layout.inner < 16;
    }
    TensorStatistics part;
    part.channelAxis = channelAxis;
    BatchCollector(x.data_ptr<float>(), layout, detail, statistics).run(part);
    statistics.merge(part);
}

} // namespace core
