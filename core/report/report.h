// What a run found, as one value; written as JSON and as one self-contained HTML page.
#pragma once

#include "core/base/error.h"
#include "core/stats/statistics.h"

#include <optional>
#include <string>
#include <vector>

namespace core {

struct AgreementFigures {
    double top1 = 0;             ///< % of images with the float model's class
    double cosine = 0;
    double sqnrDb = 0;
};

struct Evaluation {
    std::int64_t images = 0;
    std::int64_t skipped = 0;                    ///< unreadable
    std::optional<double> top1, top5;            ///< %, with labels only
    std::optional<AgreementFigures> agreement;   ///< against the float model
    double imagesPerSecond = 0;                  ///< of the model alone, decoding not counted
    Diagnostics diagnostics;
};

struct LayerRow {
    std::string node, opType, tensor, kind;      ///< kind: activation, weight, bias
    std::string badge, observer, reason, provenance;
    std::vector<float> scales;
    std::vector<std::int64_t> zeroPoints;
    double rangeMin = 0, rangeMax = 0;           ///< chosen
    double seenMin = 0, seenMax = 0;
    double sqnrDb = 0;
    double clippedShare = 0;                     ///< of the values seen, outside the range; 0…1
    std::vector<std::pair<double, std::uint64_t>> histogram; ///< (left edge, count), ≤ 64 bars, for drawing
    double histogramBarWidth = 0;
};

/// An image whose class the quantized model sees differently.
struct FlippedImage {
    std::size_t index = 0;                       ///< in the data set
    std::string path;
    std::int64_t label = -1;                     ///< −1 = none
    std::int64_t floatClass = 0, quantizedClass = 0;
    double floatScore = 0, quantizedScore = 0;   ///< of those classes, 0…1 (softmax where the model gives no shares)
};

struct Judge {
    std::string name;                            ///< "quantscope", "ONNX Runtime 1.32.0 (Python)", …
    std::optional<double> top1, top5;
    double largestDifference = 0;                ///< of outputs against our fake-quantized model
    double meanDifference = 0;
    std::string note;                            ///< why a judge was not there
    bool ran = false;
};

/// One step of a training. Evaluations are made on the frozen model, as it would be written.
struct CurvePoint {
    std::int64_t step = 0;
    double epoch = 0, loss = 0, learningRate = 0;     ///< loss: NaN before the first step
    std::optional<Evaluation> evaluation;
};

struct TrainingRecord {
    std::string method;                          ///< "float", "qat", "lsq", "tqt"
    std::string specJson;                        ///< as training.json holds it
    std::vector<CurvePoint> curve;               ///< at most some 2,000 points, every evaluation among them
    std::int64_t steps = 0, bestStep = 0;        ///< steps made; step of the state that was kept
    double seconds = 0;
    std::string ending;                          ///< one sentence: finished, stopped, no progress, diverged…
};

struct Report {
    std::string program;                         ///< name and version
    std::string sourceFile, file, preset, target;
    std::string torchScriptFile;                 ///< empty: none was written
    std::int64_t sourceBytes = 0, fileBytes = 0;
    int opset = 0;
    Evaluation floating, quantized, exported;
    bool frozenEqual = false;                    ///< accuracy and outputs before and after freezing agree
    double calibrateImagesPerSecond = 0;
    std::int64_t calibrationImages = 0;
    double seconds = 0;
    std::vector<LayerRow> layers;
    std::vector<FlippedImage> flipped;           ///< worst first: largest drop of the float model's score margin; at most 1,000
    std::vector<Judge> judges;
    Diagnostics diagnostics;
    std::optional<TrainingRecord> training;      ///< of a trained model
    std::string recipeJson;                      ///< as recipe.json holds it (report does not see core/spec)
};

/// Keys as the command line documents them: file, float, quantized, exported, agreement, images_per_second, seconds, layers, judges, warnings.
std::string reportToJson(const Report &report, bool withLayers = true);
std::string reportToHtml(const Report &report);

} // namespace core
