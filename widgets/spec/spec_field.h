// One field of a QuantizationSpec as something to choose: its name, its value, the values there are.
// "best" (bestObserver) counts as one more observer here, because that is what it is to whoever chooses.
#pragma once

#include "core/spec/quantization_spec.h"
#include "core/spec/resolver.h"
#include "widgets/shared/number_text.h"

#include <QString>

#include <array>
#include <optional>
#include <variant>
#include <vector>

namespace widgets {

enum class SpecField { Dtype, QScheme, Symmetric, Observer, Percentile, FixedRange, ChAxis, GroupSize, ScaleType, Pof2Rounding, NarrowRange, RoundMethod, IsDynamic, Qat };
inline constexpr std::array allSpecFields = {
    SpecField::Dtype, SpecField::QScheme, SpecField::Symmetric, SpecField::Observer, SpecField::Percentile, SpecField::FixedRange, SpecField::ChAxis,
    SpecField::GroupSize, SpecField::ScaleType, SpecField::Pof2Rounding, SpecField::NarrowRange, SpecField::RoundMethod, SpecField::IsDynamic, SpecField::Qat};

struct BestObserver {
    friend bool operator==(const BestObserver &, const BestObserver &) = default;
};

using FieldValue = std::variant<core::QuantDtype, core::Granularity, bool, core::ObserverKind, BestObserver, double, core::Range, int, core::ScaleType,
                                core::PowerOfTwoRounding, core::RoundMethod, core::QatMethod>;

/// Name in the recipe ("qscheme"), which is also the key of its origin.
const char *fieldKey(SpecField field);
/// What the editor calls it, and what its tooltip explains.
QString fieldLabel(SpecField field);
QString fieldHelp(SpecField field);
/// Its values, in the order of the chooser; empty for numbers and ranges.
std::vector<FieldValue> fieldChoices(SpecField field);
/// As the recipe writes it where it is a name: "int8", "per_channel", "best", "99.99", "−1 … 2.5", "symmetric", "narrow".
QString valueText(SpecField field, const FieldValue &value);

/// As set in this spec; nullopt = inherited.
std::optional<FieldValue> fieldOf(const core::QuantizationSpec &spec, SpecField field);
FieldValue fieldOf(const core::Scheme &scheme, SpecField field);
/// nullopt = inherit. A value of a wrong type is ignored.
void setField(core::QuantizationSpec &spec, SpecField field, const std::optional<FieldValue> &value);

core::QuantizationSpec &specOf(core::QuantizationConfig &config, core::TensorRole role);
const core::QuantizationSpec &specOf(const core::QuantizationConfig &config, core::TensorRole role);
/// "Weights", "Inputs", "Outputs", "Bias".
QString roleLabel(core::TensorRole role);

} // namespace widgets
