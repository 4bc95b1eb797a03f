#include "core/quant/part_collector.h"

#include <algorithm>
#include <cmath>
#include <numeric>

// Sums are taken on a grid which the image's extremes fix, and those are known only in its end. To read memory once all the same, the exponent of
// the grid is guessed from the images before, and an image is taken in blocks that stay in the cache: extremes, then bins and sums. Bins need no
// guess: counters at least as wide as the block is will do, since wider ones are those merged in pairs. Where the guess was wrong the sums, and only
// they, are taken again. Blocks go from the last to the first: the operator before has just written the last, the one behind reads the first.
// All that is added up is an integer, so neither threads nor batches nor memory order nor guesses can change a bit.

namespace core {
namespace {

constexpr std::size_t widestRow = 4096;          // columns of rows that are joined to fill whole vectors
constexpr std::int64_t blockSize = 16384;        // elements that two passes find in the cache
constexpr std::int64_t mostPending = std::int64_t(1) << 30;

static_assert(histogramBins == 2 * std::size_t(Histogram::halfBins));

} // namespace

std::uint32_t *LocalHistogram::counters(int exponent, std::int64_t adding)
{
    if (m_counts.empty() || exponent > m_exponent || m_pending + adding > mostPending) {
        flush();
        m_counts.assign(histogramBins * histogramLanes, 0);
        m_exponent = std::max(m_exponent, exponent);
    }
    m_pending += adding;
    return m_counts.data();
}

void LocalHistogram::flush()
{
    if (m_pending == 0)
        return;
    Histogram all;
    all.growTo(m_exponent);
    const std::uint32_t *lanes = m_counts.data();
    for (std::uint64_t &count : all.counts) {
        count = lanes[0] + lanes[1] + lanes[2] + lanes[3]; // no more than mostPending
        lanes += histogramLanes;
    }
    m_counts.clear();
    m_pending = 0;
    const std::lock_guard lock(m_target.mutex);
    if (m_target.histogram.counts.empty())
        m_target.histogram = std::move(all);
    else
        m_target.histogram.merge(all);
}

int exponentOf(const RangeScan &range)
{
    return range.any() ? exponentAbove(std::max(std::fabs(range.min), std::fabs(range.max))) : -125;
}

/// Rows taken together so that their width is a multiple of the widest vector (16 floats).
std::size_t PartCollector::rowsAtOnce(const Part &part) const
{
    const auto width = std::size_t(m_layout.rowLength());
    const std::size_t times = 16 / std::gcd(width, std::size_t(16));
    return times * width <= widestRow && std::size_t(part.rows) >= 4 * times ? times : 1;
}

/// body(channel, column) for every column of rows that were taken together.
template <class Body>
void PartCollector::eachColumn(std::size_t rowsTogether, const Body &body) const
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

/// Calls body(block) for all of the part, the last block first.
template <class Body>
void PartCollector::eachBlock(const Part &part, std::size_t rowsTogether, const Body &body) const
{
    const std::int64_t width = m_layout.rowLength();
    std::int64_t step = std::max<std::int64_t>(blockSize / width, 1);
    if (m_layout.columns) // rows enough that columns pay
        step = std::max<std::int64_t>(step / std::int64_t(rowsTogether), 8) * std::int64_t(rowsTogether);
    const float *x = m_data + part.image * m_layout.perImage + part.firstRow * width;
    for (std::int64_t end = part.rows; end > 0;) {
        const std::int64_t begin = (end - 1) / step * step, count = (end - begin) * width;
        const float *from = x + begin * width;
        body(Block{from, count >= std::int64_t(leastAhead) && from - m_data >= count ? from - count : nullptr, part.firstRow + begin, end - begin});
        end = begin;
    }
}

void PartCollector::collect(Part &part, int guess, LocalHistogram &local) const
{
    Columns columns = columnsOf(part);
    part.mins.assign(std::size_t(m_layout.channels), RangeScan().min);
    part.maxs.assign(std::size_t(m_layout.channels), RangeScan().max);
    part.channelSums.assign(std::size_t(m_layout.channels), 0);
    eachBlock(part, columns.rowsTogether, [&](const Block &block) {
        const std::uint64_t zeros = part.range.zeros, notFinite = part.range.notFinite;
        scanBlock(block, part, columns);
        if (!summing())
            return;
        const std::int64_t count = block.rows * m_layout.rowLength();
        const int least = exponentOf(part.range);
        BinPlan plan;
        plan.exponent = std::max(guess, least);
        plan.finite = part.range.notFinite == notFinite;
        plan.manyZeros = (part.range.zeros - zeros) * 8 > std::uint64_t(count);
        plan.ahead = block.ahead;
        std::uint32_t *counters = nullptr;
        if (m_detail == StatisticsDetail::Full) {
            counters = local.counters(least, count);
            plan.countsExponent = local.exponent();
            if (plan.exponent > plan.countsExponent + 16)
                plan.exponent = least;
        }
        part.grid = part.grid == Part::noGrid || part.grid == plan.exponent ? plan.exponent : Part::mixedGrid;
        sumBlock(block, plan, counters, part, columns);
    });
    const float *low = columns.mins.data(), *high = columns.maxs.data();
    if (m_layout.columns)
        eachColumn(columns.rowsTogether, [&, mins = part.mins.data(), maxs = part.maxs.data()](std::size_t channel, std::size_t column) {
            mins[channel] = std::min(mins[channel], low[column]);
            maxs[channel] = std::max(maxs[channel], high[column]);
        });
    addColumnSums(part, columns);
    if (m_layout.channels > 0 && part.range.notFinite > 0)
        countFinite(part);
}

void PartCollector::sumAgain(Part &part, int exponent) const
{
    Columns columns = columnsOf(part);
    BinPlan plan;
    part.grid = plan.exponent = plan.countsExponent = exponent;
    plan.finite = part.range.notFinite == 0;
    part.sums = {};
    std::fill(part.channelSums.begin(), part.channelSums.end(), 0);
    eachBlock(part, columns.rowsTogether, [&](const Block &block) {
        plan.ahead = block.ahead;
        sumBlock(block, plan, nullptr, part, columns);
    });
    addColumnSums(part, columns);
}

PartCollector::Columns PartCollector::columnsOf(const Part &part) const
{
    Columns columns;
    if (m_layout.columns) {
        columns.rowsTogether = rowsAtOnce(part);
        const std::size_t width = columns.rowsTogether * std::size_t(m_layout.rowLength());
        columns.mins.assign(width, RangeScan().min);
        columns.maxs.assign(width, RangeScan().max);
        columns.sums.assign(width, 0);
    }
    return columns;
}

void PartCollector::scanBlock(const Block &block, Part &part, Columns &columns) const
{
    const auto channels = std::size_t(m_layout.channels), inner = std::size_t(m_layout.inner), rows = std::size_t(block.rows);
    if (channels == 0)
        return scanRange(block.x, rows, part.range, block.ahead);
    RangeScan extremes;
    if (m_layout.columns) {
        const std::size_t times = columns.rowsTogether, width = channels * inner, joined = rows / times;
        const float *ahead = m_detail == StatisticsDetail::Full ? nullptr : block.ahead; // binning will fetch it
        scanRangeColumns(block.x, joined, width * times, columns.mins.data(), columns.maxs.data(), part.range, ahead);
        scanRangeColumns(block.x + joined * times * width, rows - joined * times, width, columns.mins.data(), columns.maxs.data(), part.range);
        scanRange(columns.mins.data(), columns.mins.size(), extremes);
        scanRange(columns.maxs.data(), columns.maxs.size(), extremes);
    } else {
        std::size_t channel = std::size_t(block.firstRow) % channels;
        for (std::size_t row = 0; row < rows; ++row) {
            RangeScan scan;
            scanRange(block.x + row * inner, inner, scan, row + 1 < rows ? nullptr : block.ahead);
            part.mins[channel] = std::min(part.mins[channel], scan.min);
            part.maxs[channel] = std::max(part.maxs[channel], scan.max);
            part.range.zeros += scan.zeros;
            part.range.notFinite += scan.notFinite;
            extremes.add(scan);
            channel = channel + 1 == channels ? 0 : channel + 1;
        }
    }
    part.range.min = std::min(part.range.min, extremes.min);
    part.range.max = std::max(part.range.max, extremes.max);
}

/// Counters may be null. Sums of columns stay in `columns`.
void PartCollector::sumBlock(const Block &block, const BinPlan &plan, std::uint32_t *counters, Part &part, Columns &columns) const
{
    const auto channels = std::size_t(m_layout.channels), rows = std::size_t(block.rows), width = std::size_t(m_layout.rowLength());
    const bool full = m_detail == StatisticsDetail::Full;
    if (channels > 0 && !m_layout.columns) {
        BinPlan rowPlan = plan;
        rowPlan.ahead = nullptr;
        for (std::size_t row = 0; row < rows; ++row) {
            FixedSums sums;
            if (full)
                binValues(block.x + row * width, width, rowPlan, counters, sums);
            else
                sums.sum = sumValues(block.x + row * width, width, plan);
            part.channelSums[(std::size_t(block.firstRow) + row) % channels] += sums.sum;
            part.sums.sum += sums.sum;
            part.sums.squares += sums.squares;
        }
        return;
    }
    if (full)
        binValues(block.x, rows * width, plan, counters, part.sums);
    if (m_layout.columns) {
        const std::size_t times = columns.rowsTogether, joined = rows / times;
        sumColumns(block.x, joined, width * times, plan, columns.sums.data());
        sumColumns(block.x + joined * times * width, rows - joined * times, width, plan, columns.sums.data());
    }
}

void PartCollector::addColumnSums(Part &part, const Columns &columns) const
{
    if (!m_layout.columns)
        return;
    eachColumn(columns.rowsTogether, [to = part.channelSums.data(), from = columns.sums.data()](std::size_t channel, std::size_t column) { to[channel] += from[column]; });
    if (m_detail == StatisticsDetail::MinMax)
        part.sums.sum = std::accumulate(part.channelSums.begin(), part.channelSums.end(), std::int64_t(0));
}

void PartCollector::countFinite(Part &part) const
{
    part.channelCounts.assign(std::size_t(m_layout.channels), 0);
    const std::int64_t first = part.firstRow * m_layout.rowLength(), count = part.rows * m_layout.rowLength();
    const float *x = m_data + part.image * m_layout.perImage + first;
    for (std::int64_t i = 0; i < count; ++i)
        part.channelCounts[std::size_t((first + i) / m_layout.inner % m_layout.channels)] += std::isfinite(x[i]);
}

} // namespace core
