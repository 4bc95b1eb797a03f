// One streaming pass over the calibration data: statistics of every tensor that is asked for, in memory that does not
// grow with the number of images, the same bits for any number of threads.
#pragma once

#include "core/data/dataset.h"
#include "core/ptq/algorithm.h"
#include "core/quant/collector.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace core {

struct CalibrationTarget {
    ValueId value;
    int channelAxis = -1;                ///< −1 = no statistics per channel
};

struct CalibrationOptions {
    StatisticsDetail detail = StatisticsDetail::Full;
    int batchSize = 8;
    bool fillBatches = false;            ///< the model takes whole batches only: the last is filled up, its filling is not counted
    int threads = 0;                     ///< for decoding; 0 = all cores
};

struct CalibrationResult {
    StatisticsMap statistics;
    std::int64_t images = 0;
    double imagesPerSecond = 0;          ///< of the model and its statistics, decoding not counted
    Diagnostics diagnostics;             ///< unreadable images, values that were not finite
};

/// Axis over which the layers that read `value` sum: 1 for Conv and Gemm, the last for MatMul; −1 when unknown.
int channelAxisOf(const Graph &graph, ValueId value);
/// Every float tensor that could carry a quantizer, with per-channel statistics where its rank has a channel.
std::vector<CalibrationTarget> allTargets(const Graph &graph);

/// Throws Error{Numeric} naming node and tensor when more than 1 % of a tensor is NaN or infinite; Cancelled.
CalibrationResult calibrate(const std::shared_ptr<const Graph> &graph, const std::vector<CalibrationTarget> &targets,
                            const Dataset &dataset, const CalibrationOptions &options, Progress &progress);

/// What saved statistics were made from; all four must match before they are used again.
struct StatisticsKey {
    std::string graph, weights, transform, data;
    friend bool operator==(const StatisticsKey &, const StatisticsKey &) = default;
};

StatisticsKey statisticsKey(const Graph &graph, const TransformSpec &transform, const std::string &dataFingerprint);

/// Bytes of a statistics file (tensors by name, in the order of their names).
std::string serializeStatistics(const StatisticsKey &key, const Graph &graph, const CalibrationResult &result);
/// Throws Error{InvalidInput} for a broken file and for one whose key does not match: the sentence says what differs.
/// An empty `expected.data` accepts any data.
CalibrationResult parseStatistics(const std::string &bytes, const StatisticsKey &expected, const Graph &graph);
/// Statistics of two parts of a data set; both must cover the same tensors.
void mergeStatistics(CalibrationResult &into, const CalibrationResult &part);

} // namespace core
