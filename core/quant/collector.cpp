#include "core/quant/collector.h"

#include "core/base/error.h"
#include "core/kernels/histogram.h"
#include "core/kernels/range.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

// Two passes over an image: extremes first, then everything that is counted or summed on a grid that the extremes fix. The second finds the image
// in the cache. All that is added up is an integer, so neither threads nor batches nor memory order can change a bit.

namespace core {
namespace {

constexpr std::int64_t leastPart = 32768;        // elements worth a task of their own
constexpr std::size_t widestRow = 16384;         // columns of rows that are joined to fill whole vectors
constexpr std::int64_t mostPending = std::int64_t(1) << 30;

/// How one image lies in memory: [rows][channels · inner] when `columns`, else rows of `inner` elements, row r of channel r % channels.
struct Layout {
    std::int64_t images = 0, perImage = 0, channels = 0, inner = 1;
    bool columns = false;

    std::int64_t rowLength() const { return channels == 0 ? 1 : columns ? channels * inner : inner; }
    std::int64_t rows() const { return perImage / rowLength(); }
};

/// What one part of an image contributes. Vectors have one entry a channel.
struct Part {
    std::int64_t image = 0, firstRow = 0, rows = 0;
    RangeScan range;
    std::vector<float> mins, maxs;
    std::vector<std::int64_t> channelSums;
    std::vector<std::uint64_t> channelCounts;     // only where values are not finite
    FixedSums sums;
};

struct ImageResult {
    RangeScan range;
    int exponent = -125;
};

/// Counters of one thread, at the widest range it has met.
class LocalHistogram {
public:
    explicit LocalHistogram(Histogram &target) : m_target(target) {}

    std::uint32_t *counters(int exponent, std::int64_t adding)
    {
        if (m_counts.empty())
            m_counts.assign(histogramBins * histogramLanes, 0);
        if (exponent > m_exponent || m_pending + adding > mostPending) {
            flush();
            m_exponent = std::max(m_exponent, exponent);
        }
        m_pending += adding;
        return m_counts.data();
    }
    int exponent() const { return m_exponent; }

    void flush()
    {
        if (m_pending == 0)
            return;
        m_target.growTo(m_exponent); // never wider already: all it holds came from here
        for (std::size_t bin = 0; bin < histogramBins; ++bin) {
            const std::uint32_t *lanes = m_counts.data() + bin * histogramLanes;
            m_target.counts[bin] += (std::uint64_t(lanes[0]) + lanes[1]) + (std::uint64_t(lanes[2]) + lanes[3]);
        }
        std::fill(m_counts.begin(), m_counts.end(), 0u);
        m_pending = 0;
    }

private:
    Histogram &m_target;
    std::vector<std::uint32_t> m_counts;
    int m_exponent = -126;
    std::int64_t m_pending = 0;
};

static_assert(histogramBins == 2 * std::size_t(Histogram::halfBins));

class BatchCollector {
public:
    BatchCollector(const float *data, const Layout &layout, StatisticsDetail detail) : m_data(data), m_layout(layout), m_detail(detail) {}

    void run(TensorStatistics &result)
    {
        m_images.resize(std::size_t(m_layout.images));
        const std::int64_t threads = std::max(at::get_num_threads(), 1), rows = m_layout.rows();
        std::int64_t split = 1;
        if (m_layout.images % threads != 0 && m_layout.images < 4 * threads)
            split = std::clamp(std::min(m_layout.perImage / leastPart, 2 * threads), std::int64_t(1), std::max(rows, std::int64_t(1)));
        for (std::int64_t image = 0; image < m_layout.images; ++image)
            for (std::int64_t i = 0; i < split; ++i) {
                Part part;
                part.image = image;
                part.firstRow = rows * i / split;
                part.rows = rows * (i + 1) / split - part.firstRow;
                m_parts.push_back(std::move(part));
            }
        const std::int64_t grain = std::max<std::int64_t>(1, leastPart / std::max<std::int64_t>(1, m_layout.perImage / split));
        const auto parts = std::int64_t(m_parts.size());
        if (split == 1) { // an image at a time, so that the second pass finds it in the cache
            at::parallel_for(0, parts, grain, [&](std::int64_t begin, std::int64_t end) {
                LocalHistogram local(m_histograms.emplace());
                for (std::int64_t i = begin; i < end; ++i) {
                    Part &part = m_parts[std::size_t(i)];
                    scanPart(part);
                    ImageResult &image = m_images[std::size_t(part.image)];
                    image = resultOf(part.range);
                    sumPart(part, image, local);
                }
                local.flush();
            });
        } else {
            at::parallel_for(0, parts, grain, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i)
                    scanPart(m_parts[std::size_t(i)]);
            });
            for (const Part &part : m_parts)
                m_images[std::size_t(part.image)].range.add(part.range);
            for (ImageResult &image : m_images)
                image = resultOf(image.range);
            at::parallel_for(0, parts, grain, [&](std::int64_t begin, std::int64_t end) {
                LocalHistogram local(m_histograms.emplace());
                for (std::int64_t i = begin; i < end; ++i) {
                    Part &part = m_parts[std::size_t(i)];
                    sumPart(part, m_images[std::size_t(part.image)], local);
                }
                local.flush();
            });
        }
        gather(result);
    }

private:
    /// One histogram a task, merged in the end.
    class Histograms {
    public:
        Histogram &emplace()
        {
            const std::lock_guard lock(m_mutex);
            m_all.push_back(std::make_unique<Histogram>());
            return *m_all.back();
        }
        const std::vector<std::unique_ptr<Histogram>> &all() const { return m_all; }

    private:
        std::mutex m_mutex;
        std::vector<std::unique_ptr<Histogram>> m_all;
    };

    static ImageResult resultOf(const RangeScan &range)
    {
        return {range, range.any() ? exponentAbove(std::max(std::fabs(range.min), std::fabs(range.max))) : -125};
    }

    const float *rowsOf(const Part &part) const
    {
        return m_data + part.image * m_layout.perImage + part.firstRow * m_layout.rowLength();
    }

    /// Rows taken together so that their width is a multiple of the widest vector (16 floats).
    std::size_t rowsAtOnce(const Part &part) const
    {
        const auto width = std::size_t(m_layout.rowLength());
        const std::size_t times = 16 / std::gcd(width, std::size_t(16));
        return times * width <= widestRow && std::size_t(part.rows) >= 4 * times ? times : 1;
    }

    /// body(channel, column) for every column of rows that were taken together.
    template <class Body>
    void eachColumn(std::size_t rowsTogether, const Body &body) const
    {
        const auto channels = std::size_t(m_layout.channels), inner = std::size_t(m_layout.inner);
        for (std::size_t row = 0; row < rowsTogether; ++row)
            if (inner == 1) { // the usual case, which the compiler vectorises
                for (std::size_t channel = 0; channel < channels; ++channel)
                    body(channel, row * channels + channel);
            } else {
                for (std::size_t channel = 0; channel < channels; ++channel)
                    for (std::size_t i = 0; i < inner; ++i)
                        body(channel, (row * channels + channel) * inner + i);
            }
    }

    void scanPart(Part &part) const
    {
        const float *x = rowsOf(part);
        const auto channels = std::size_t(m_layout.channels), inner = std::size_t(m_layout.inner);
        if (channels == 0)
            return scanRange(x, std::size_t(part.rows), part.range);
        part.mins.assign(channels, RangeScan().min);
        part.maxs.assign(channels, RangeScan().max);
        const auto widen = [low = part.mins.data(), high = part.maxs.data()](std::size_t channel, float min, float max) {
            low[channel] = std::min(low[channel], min);
            high[channel] = std::max(high[channel], max);
        };
        if (m_layout.columns) {
            const std::size_t width = channels * inner, times = rowsAtOnce(part), joined = std::size_t(part.rows) / times;
            std::vector<float> mins(width * times, RangeScan().min), maxs(width * times, RangeScan().max);
            scanRangeColumns(x, joined, width * times, mins.data(), maxs.data(), part.range);
            scanRangeColumns(x + joined * times * width, std::size_t(part.rows) - joined * times, width, mins.data(), maxs.data(), part.range);
            const float *low = mins.data(), *high = maxs.data();
            eachColumn(times, [&](std::size_t channel, std::size_t column) { widen(channel, low[column], high[column]); });
        } else {
            std::size_t channel = std::size_t(part.firstRow) % channels;
            for (std::size_t row = 0; row < std::size_t(part.rows); ++row) {
                RangeScan scan;
                scanRange(x + row * inner, inner, scan);
                widen(channel, scan.min, scan.max);
                channel = channel + 1 == channels ? 0 : channel + 1;
                part.range.zeros += scan.zeros;
                part.range.notFinite += scan.notFinite;
            }
        }
        for (std::size_t c = 0; c < channels; ++c) {
            part.range.min = std::min(part.range.min, part.mins[c]);
            part.range.max = std::max(part.range.max, part.maxs[c]);
        }
    }

    void sumPart(Part &part, const ImageResult &image, LocalHistogram &local) const
    {
        if (m_detail == StatisticsDetail::MinMax && m_layout.channels == 0)
            return;
        const float *x = rowsOf(part);
        const auto channels = std::size_t(m_layout.channels), inner = std::size_t(m_layout.inner), width = std::size_t(m_layout.rowLength());
        const std::size_t count = std::size_t(part.rows) * width;
        BinPlan plan;
        plan.exponent = image.exponent;
        plan.finite = image.range.notFinite == 0;
        plan.manyZeros = image.range.zeros * 4 > std::uint64_t(m_layout.perImage);
        const bool full = m_detail == StatisticsDetail::Full;
        part.channelSums.assign(channels, 0);
        if (full) {
            std::uint32_t *counters = local.counters(plan.exponent, std::int64_t(count));
            plan.countsExponent = local.exponent();
            if (channels == 0 || m_layout.columns) {
                binValues(x, count, plan, counters, part.sums);
            } else {
                for (std::size_t row = 0; row < std::size_t(part.rows); ++row) {
                    FixedSums sums;
                    binValues(x + row * inner, inner, plan, counters, sums);
                    part.channelSums[(std::size_t(part.firstRow) + row) % channels] += sums.sum;
                    part.sums.sum += sums.sum;
                    part.sums.squares += sums.squares;
                }
            }
        }
        if (channels > 0 && m_layout.columns) {
            const std::size_t times = rowsAtOnce(part), joined = std::size_t(part.rows) / times;
            std::vector<std::int64_t> sums(width * times, 0);
            sumColumns(x, joined, width * times, plan, sums.data());
            sumColumns(x + joined * times * width, std::size_t(part.rows) - joined * times, width, plan, sums.data());
            eachColumn(times, [to = part.channelSums.data(), from = sums.data()](std::size_t channel, std::size_t column) { to[channel] += from[column]; });
        } else if (channels > 0 && !full) {
            for (std::size_t row = 0; row < std::size_t(part.rows); ++row)
                part.channelSums[(std::size_t(part.firstRow) + row) % channels] += sumValues(x + row * inner, inner, plan);
        }
        if (channels > 0 && !full)
            part.sums.sum = std::accumulate(part.channelSums.begin(), part.channelSums.end(), std::int64_t(0));
        if (channels > 0 && !plan.finite) {
            part.channelCounts.assign(channels, 0);
            for (std::size_t i = 0; i < count; ++i)
                part.channelCounts[(std::size_t(part.firstRow) * width + i) / inner % channels] += std::isfinite(x[i]);
        }
    }

    void gather(TensorStatistics &result) const
    {
        for (const auto &histogram : m_histograms.all())
            if (result.histogram.counts.empty())
                result.histogram = std::move(*histogram);
            else
                result.histogram.merge(*histogram);
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
            const int exponent = m_images[std::size_t(part.image)].exponent;
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

    const float *m_data;
    Layout m_layout;
    StatisticsDetail m_detail;
    std::vector<Part> m_parts;
    std::vector<ImageResult> m_images;
    Histograms m_histograms;
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
    BatchCollector(x.data_ptr<float>(), layout, detail).run(part);
    statistics.merge(part);
}

} // namespace core
