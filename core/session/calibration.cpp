#include "core/session/calibration.h"

#include "core/base/atomic_file.h"
#include "core/session/model_loading.h"

#include <algorithm>

namespace core {

DataSource calibrationSource(const QuantizeRequest &request)
{
    DataSource source = request.calibration;
    if (request.recipe.calibrationImages > 0)
        source.limit = std::size_t(request.recipe.calibrationImages);
    return source;
}

DataSource measuredSource(const QuantizeRequest &request)
{
    if (!request.validation.path.empty())
        return request.validation;
    DataSource source = request.calibration;
    source.limit = source.limit ? std::min(source.limit, imagesWithoutValidation) : imagesWithoutValidation;
    return source;
}

StatisticsKey keyFor(const PtqPipeline &pipeline, const QuantizeRequest &request)
{
    const Graph &graph = *pipeline.graph();
    std::string data;
    if (!request.calibration.path.empty())
        data = openFor(graph, calibrationSource(request), request.recipe.transform)->fingerprint();
    return statisticsKey(pipeline.keyGraph(), effectiveTransform(graph, request.recipe.transform), data);
}

std::string keyText(const StatisticsKey &key)
{
    return key.graph + '\n' + key.weights + '\n' + key.transform + '\n' + key.data;
}

KeyedCalibration calibrateFor(const PtqPipeline &pipeline, const std::vector<CalibrationTarget> &targets, const QuantizeRequest &request, int threads,
                              Progress &progress)
{
    if (request.calibration.path.empty())
        throw Error(ErrorKind::InvalidInput, "calibrate", "There are no images to calibrate with.");
    const Graph &graph = *pipeline.graph();
    const auto dataset = openFor(graph, calibrationSource(request), request.recipe.transform);
    CalibrationOptions options;
    options.batchSize = runBatchSize(graph, request.recipe.batchSize);
    options.fillBatches = runBatchSize(graph, 0) > 0;
    options.threads = threads;
    KeyedCalibration made;
    made.key = statisticsKey(pipeline.keyGraph(), effectiveTransform(graph, request.recipe.transform), dataset->fingerprint());
    made.result = calibrate(pipeline.graph(), targets, *dataset, options, progress);
    return made;
}

std::shared_ptr<const Calibration> calibrateAll(const PtqPipeline &pipeline, const QuantizeRequest &request, int threads, Progress &progress)
{
    if (request.calibrated && request.calibrated->key == keyText(keyFor(pipeline, request)))
        return request.calibrated;
    KeyedCalibration made = calibrateFor(pipeline, allTargets(*pipeline.graph()), request, threads, progress);
    auto calibration = std::make_shared<Calibration>();
    calibration->graph = pipeline.graph();
    calibration->statistics = std::move(made.result.statistics);
    calibration->key = keyText(made.key);
    calibration->images = made.result.images;
    calibration->imagesPerSecond = made.result.imagesPerSecond;
    calibration->diagnostics = std::move(made.result.diagnostics);
    return calibration;
}

CalibrationResult statisticsFor(const PtqPipeline &pipeline, const QuantizeRequest &request, int threads, Progress &progress)
{
    if (request.calibrated && request.calibrated->key == keyText(keyFor(pipeline, request)))
        return {request.calibrated->statistics, request.calibrated->images, request.calibrated->imagesPerSecond, request.calibrated->diagnostics};
    if (request.statistics.empty())
        return calibrateFor(pipeline, pipeline.targets(), request, threads, progress).result;
    try {
        return parseStatistics(readFile(request.statistics), keyFor(pipeline, request), *pipeline.graph());
    } catch (const Error &error) {
        if (error.kind() == ErrorKind::Io)
            throw;
        throw Error(error.kind(), "statistics", "'" + request.statistics.string() + "': " + error.sentence());
    }
}

} // namespace core
