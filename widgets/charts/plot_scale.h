// From a value to a place on an axis, and where the ticks stand. A scale is a plain value.
#pragma once

#include <QString>

#include <utility>
#include <vector>

namespace widgets {

/// SignedLog2 is linear in [−threshold, threshold] and logarithmic on both sides of it, so that zero and negative values have a place.
enum class ScaleKind { Linear, Log10, SignedLog2 };

class PlotScale {
public:
    PlotScale() = default;
    /// For Log10 `least` must be above 0; what lies below it is drawn at it.
    PlotScale(ScaleKind kind, double least, double most, double threshold = 1);

    ScaleKind kind() const { return m_kind; }
    double least() const { return m_least; }
    double most() const { return m_most; }
    double forward(double value) const;      ///< to axis units; monotone
    double backward(double axis) const;

    using Ticks = std::vector<std::pair<double, QString>>;
    /// About `wished` ticks (axis units, label) between two places given in axis units.
    Ticks ticks(double from, double to, int wished) const;

private:
    ScaleKind m_kind = ScaleKind::Linear;
    double m_least = 0, m_most = 1, m_threshold = 1;
};

/// "0.25", "12.5 k", "3 M": four digits are enough for an axis or a readout.
QString compactNumber(double value);
/// "1.5e-05", "-3.25": `digits` significant digits, no unit.
QString plainNumber(double value, int digits = 4);
/// "38.4 dB"; "∞ dB" for no error, "–" when unknown.
QString decibelText(double value);
/// "3.1 %", "0.002 %".
QString shareText(double share);

} // namespace widgets
