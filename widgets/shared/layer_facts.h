// What every view knows of one node. The document fills one table of these; canvas, layer table and charts only read it.
#pragma once

#include "core/base/ids.h"
#include "widgets/shared/theme.h"

#include <QString>
#include <QStringList>

#include <limits>
#include <vector>

namespace widgets {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

struct LayerFacts {
    core::NodeId node;
    QString name, opType;
    QString shape;                             ///< of the first output, "1×32×112×112"; empty when not known
    DtypeClass dtype = DtypeClass::Float32;    ///< of weights where there are any, else of the output
    QString badge = QStringLiteral("f32");     ///< "i8c", "u8", …
    bool powerOfTwo = false;
    bool overridden = false;                   ///< has settings of its own (rule or node)
    bool excluded = false;
    int group = -1;                            ///< nodes with one number run as one (Conv + BatchNorm + Relu); −1 = alone
    double activationSqnr = unknown;           ///< dB
    double weightSqnr = unknown;               ///< dB
    double sensitivity = unknown;
    double clipped = unknown;                  ///< share of values outside the range, 0…1
    double difference = unknown;               ///< to another run, dB
    double imageError = unknown;               ///< on the image that was run last, dB (SQNR)
    double parameters = 0, macs = 0, bytes = 0;
    bool stale = false;                        ///< the figures are of older settings
};

/// Index = place in the graph's order.
using LayerTable = std::vector<LayerFacts>;

/// Overlays, on keys 1–9 in this order.
enum class Overlay { Operator, Dtype, Overridden, ActivationSqnr, WeightSqnr, Sensitivity, Clipping, Size, Difference };
inline constexpr int overlayCount = 9;

/// Name in the chooser, and the number an overlay shows (unknown = none). Higher is better only where `higherIsBetter`.
QString overlayName(Overlay overlay);
bool isMetric(Overlay overlay);
bool higherIsBetter(Overlay overlay);
double overlayValue(const LayerFacts &facts, Overlay overlay);
/// "17.9 dB", "3.1 %", "12.4 M"; "–" when unknown.
QString overlayText(const LayerFacts &facts, Overlay overlay);

/// goodness (0 worst … 1 best, NaN unknown) of every layer under a metric overlay, and which are among the worst tenth.
struct Goodness {
    std::vector<double> values;
    std::vector<bool> worstTenth;
    double least = unknown, most = unknown;    ///< of the metric
};
Goodness goodnessOf(const LayerTable &table, Overlay overlay);

} // namespace widgets
