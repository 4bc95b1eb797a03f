// Parts of images → what they contribute to statistics. Used by the collector only.
#pragma once

#include "core/kernels/histogram.h"
#include "core/kernels/range.h"
#include "core/quant/collector.h"

#include <limits>
#include <mutex>
#include <vector>

namespace core {

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
    static constexpr int noGrid = std::numeric_limits<int>::min(), mixedGrid = std::numeric_limits<int>::max();
    int grid = noGrid;                            // exponent that all sums were taken with
};

/// A histogram that threads add to.
struct SharedHistogram {
    std::mutex mutex;
    Histogram histogram;
};

/// Counters of one task, at the widest range it has met.
class LocalHistogram {
public:
    LocalHistogram(SharedHistogram &target, int exponent) : m_target(target), m_exponent(exponent) {}
    std::uint32_t *counters(int exponent, std::int64_t adding);
    int exponent() const { return m_exponent; }
    void flush(); ///< to be called in the end

private:
    SharedHistogram &m_target;
    std::vector<std::uint32_t> m_counts;
    int m_exponent;
    std::int64_t m_pending = 0;
};

/// The exponent of the grid for an image with these extremes.
int exponentOf(const RangeScan &range);

class PartCollector {
public:
    PartCollector(const float *data, const Layout &layout, StatisticsDetail detail) : m_data(data), m_layout(layout), m_detail(detail) {}

    /// guess: exponent expected of the image, any number; only speed depends on it. Part::grid tells what the sums were taken with.
    void collect(Part &part, int guess, LocalHistogram &local) const;

    /// The sums once more, with the image's exponent.
    void sumAgain(Part &part, int exponent) const;

private:
    struct Block {
        const float *x = nullptr;
        const float *ahead = nullptr;             // as many elements that follow, of this image or another
        std::int64_t firstRow = 0, rows = 0;      // of the image
    };
    /// Results of the columns of rows that were taken together.
    struct Columns {
        std::size_t rowsTogether = 1;
        std::vector<float> mins, maxs;
        std::vector<std::int64_t> sums;
    };

    bool summing() const { return m_detail == StatisticsDetail::Full || m_layout.channels > 0; }
    std::size_t rowsAtOnce(const Part &part) const;
    Columns columnsOf(const Part &part) const;
    template <class Body> void eachColumn(std::size_t rowsTogether, const Body &body) const;
    template <class Body> void eachBlock(const Part &part, std::size_t rowsTogether, const Body &body) const;
    void scanBlock(const Block &block, Part &part, Columns &columns) const;
    void sumBlock(const Block &block, const BinPlan &plan, std::uint32_t *counters, Part &part, Columns &columns) const;
    void addColumnSums(Part &part, const Columns &columns) const;
    void countFinite(Part &part) const;

    const float *m_data;
    Layout m_layout;
    StatisticsDetail m_detail;
};

} // namespace core
