#include "widgets/spec/spec_field.h"

#include "core/spec/spec_fields.h"

#include <QCoreApplication>

namespace widgets {

using core::QuantizationSpec;
using core::TensorRole;

namespace {

QString tr(const char *text) { return QCoreApplication::translate("SpecField", text); }

template <class E> std::vector<FieldValue> choices(std::initializer_list<E> values) { return {values.begin(), values.end()}; }

QString named(std::string_view name) { return QString::fromLatin1(name.data(), qsizetype(name.size())); }

template <class T> std::optional<FieldValue> lifted(const std::optional<T> &field)
{
    return field ? std::optional<FieldValue>(*field) : std::nullopt;
}

template <class T> void assign(std::optional<T> &field, const std::optional<FieldValue> &value)
{
    if (!value)
        field.reset();
    else if (const T *held = std::get_if<T>(&*value))
        field = *held;
}

} // namespace

const char *fieldKey(SpecField field)
{
    switch (field) {
    case SpecField::Dtype: return "dtype";
    case SpecField::QScheme: return "qscheme";
    case SpecField::ChAxis: return "ch_axis";
    case SpecField::GroupSize: return "group_size";
    case SpecField::Symmetric: return "symmetric";
    case SpecField::Observer: return "observer";
    case SpecField::Percentile: return "percentile";
    case SpecField::FixedRange: return "fixed_range";
    case SpecField::ScaleType: return "scale_type";
    case SpecField::Pof2Rounding: return "pof2_rounding";
    case SpecField::NarrowRange: return "symmetric_range";
    case SpecField::RoundMethod: return "round_method";
    case SpecField::IsDynamic: return "is_dynamic";
    case SpecField::Qat: break;
    }
    return "qat";
}

QString fieldLabel(SpecField field)
{
    switch (field) {
    case SpecField::Dtype: return tr("Type");
    case SpecField::QScheme: return tr("Scales");
    case SpecField::ChAxis: return tr("Channel axis");
    case SpecField::GroupSize: return tr("Group size");
    case SpecField::Symmetric: return tr("Zero point");
    case SpecField::Observer: return tr("Observer");
    case SpecField::Percentile: return tr("Percentile");
    case SpecField::FixedRange: return tr("Range");
    case SpecField::ScaleType: return tr("Scale type");
    case SpecField::Pof2Rounding: return tr("Power of two");
    case SpecField::NarrowRange: return tr("Code range");
    case SpecField::RoundMethod: return tr("Rounding");
    case SpecField::IsDynamic: return tr("Dynamic");
    case SpecField::Qat: break;
    }
    return tr("Training");
}

QString fieldHelp(SpecField field)
{
    switch (field) {
    case SpecField::Dtype: return tr("Number format the tensor is rounded to. float32 = not quantized.");
    case SpecField::QScheme: return tr("How many scales: one for the tensor, one for each channel, or one for each group of values along the channel.");
    case SpecField::ChAxis: return tr("Axis along which each channel has its own scale. The layer knows its own: 0 for Conv, 1 for ConvTranspose.");
    case SpecField::GroupSize: return tr("Values that share one scale when there is one scale a group.");
    case SpecField::Symmetric: return tr("Symmetric: zero stands in the middle of the codes. Asymmetric: the zero point moves so that no code is wasted on one side.");
    case SpecField::Observer: return tr("How the range is chosen from the statistics. best tries several and takes the one with the least error for each tensor.");
    case SpecField::Percentile: return tr("Share of the values, in percent, that the range has to hold.");
    case SpecField::FixedRange: return tr("Your own range: least and greatest value that can be represented.");
    case SpecField::ScaleType: return tr("float: any scale. pof2: powers of two only, so that a shift replaces the multiplication.");
    case SpecField::Pof2Rounding: return tr("How a scale becomes a power of two: the nearest one, the next larger (never clips), or the one with the least squared error.");
    case SpecField::NarrowRange: return tr("narrow: −127…127, the same reach on both sides. full: −128…127.");
    case SpecField::RoundMethod: return tr("What happens to values between two codes. ONNX rounds half to even.");
    case SpecField::IsDynamic: return tr("dynamic: the range is computed anew at run time, for each input.");
    case SpecField::Qat: break;
    }
    return tr("How the quantizer learns in training: ste passes gradients through, lsq learns the scale, tqt the threshold.");
}

std::vector<FieldValue> fieldChoices(SpecField field)
{
    using enum core::QuantDtype;
    using core::ObserverKind;
    switch (field) {
    case SpecField::Dtype:
        return choices({Int8, UInt8, Int4, UInt4, Int16, UInt16, Int2, Int3, Int32, Float16, BFloat16, Fp8E4M3, Fp8E5M2, Float32});
    case SpecField::QScheme: return choices({core::Granularity::PerTensor, core::Granularity::PerChannel, core::Granularity::PerGroup});
    case SpecField::Symmetric: return choices({true, false});
    case SpecField::Observer: {
        std::vector<FieldValue> all = {BestObserver{}};
        for (const ObserverKind kind : {ObserverKind::MinMax, ObserverKind::MovingAverageMinMax, ObserverKind::HistogramMse, ObserverKind::Percentile,
                                        ObserverKind::Entropy, ObserverKind::Pof2MinMax, ObserverKind::Pof2Mse, ObserverKind::Fixed})
            all.emplace_back(kind);
        return all;
    }
    case SpecField::ScaleType: return choices({core::ScaleType::Float, core::ScaleType::PowerOfTwo});
    case SpecField::Pof2Rounding:
        return choices({core::PowerOfTwoRounding::Ceil, core::PowerOfTwoRounding::Nearest, core::PowerOfTwoRounding::Mse});
    case SpecField::NarrowRange: return choices({false, true});
    case SpecField::RoundMethod: return choices({core::RoundMethod::HalfEven, core::RoundMethod::HalfAwayFromZero, core::RoundMethod::Floor});
    case SpecField::IsDynamic: return choices({false, true});
    case SpecField::Qat: return choices({core::QatMethod::Ste, core::QatMethod::Lsq, core::QatMethod::Tqt});
    default: return {};
    }
}

QString valueText(SpecField field, const FieldValue &value)
{
    return std::visit([field](const auto &held) -> QString {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, bool>) {
            switch (field) {
            case SpecField::Symmetric: return held ? tr("symmetric") : tr("asymmetric");
            case SpecField::NarrowRange: return held ? tr("narrow") : tr("full");
            case SpecField::IsDynamic: return held ? tr("dynamic") : tr("static");
            default: return held ? tr("on") : tr("off");
            }
        } else if constexpr (std::is_same_v<T, BestObserver>) {
            return QStringLiteral("best");
        } else if constexpr (std::is_same_v<T, double>) {
            return shortNumber(held, 8);
        } else if constexpr (std::is_same_v<T, int>) {
            return field == SpecField::ChAxis && held < 0 ? tr("layer's own") : QString::number(held);
        } else if constexpr (std::is_same_v<T, core::Range>) {
            return shortNumber(held.min) + QStringLiteral(" … ") + shortNumber(held.max);
        } else {
            return named(core::enumName(held));
        }
    }, value);
}

std::optional<FieldValue> fieldOf(const QuantizationSpec &spec, SpecField field)
{
    switch (field) {
    case SpecField::Dtype: return lifted(spec.dtype);
    case SpecField::QScheme: return lifted(spec.qscheme);
    case SpecField::ChAxis: return lifted(spec.chAxis);
    case SpecField::GroupSize: return lifted(spec.groupSize);
    case SpecField::Symmetric: return lifted(spec.symmetric);
    case SpecField::Observer: return spec.bestObserver.value_or(false) ? FieldValue(BestObserver{}) : lifted(spec.observer);
    case SpecField::Percentile: return lifted(spec.percentile);
    case SpecField::FixedRange: return lifted(spec.fixedRange);
    case SpecField::ScaleType: return lifted(spec.scaleType);
    case SpecField::Pof2Rounding: return lifted(spec.pof2Rounding);
    case SpecField::NarrowRange: return lifted(spec.narrowRange);
    case SpecField::RoundMethod: return lifted(spec.roundMethod);
    case SpecField::IsDynamic: return lifted(spec.isDynamic);
    case SpecField::Qat: break;
    }
    return lifted(spec.qat);
}

FieldValue fieldOf(const core::Scheme &scheme, SpecField field)
{
    switch (field) {
    case SpecField::Dtype: return scheme.dtype;
    case SpecField::QScheme: return scheme.granularity;
    case SpecField::ChAxis: return scheme.channelAxis;
    case SpecField::GroupSize: return scheme.groupSize;
    case SpecField::Symmetric: return scheme.symmetric;
    case SpecField::Observer: return scheme.bestObserver ? FieldValue(BestObserver{}) : FieldValue(scheme.observer);
    case SpecField::Percentile: return scheme.percentile;
    case SpecField::FixedRange: return scheme.fixedRange;
    case SpecField::ScaleType: return scheme.scaleType;
    case SpecField::Pof2Rounding: return scheme.pof2Rounding;
    case SpecField::NarrowRange: return scheme.narrow;
    case SpecField::RoundMethod: return scheme.roundMethod;
    case SpecField::IsDynamic: return scheme.dynamic;
    case SpecField::Qat: break;
    }
    return scheme.qat;
}

void setField(QuantizationSpec &spec, SpecField field, const std::optional<FieldValue> &value)
{
    switch (field) {
    case SpecField::Dtype: return assign(spec.dtype, value);
    case SpecField::QScheme: return assign(spec.qscheme, value);
    case SpecField::ChAxis: return assign(spec.chAxis, value);
    case SpecField::GroupSize: return assign(spec.groupSize, value);
    case SpecField::Symmetric: return assign(spec.symmetric, value);
    case SpecField::Percentile: return assign(spec.percentile, value);
    case SpecField::FixedRange: return assign(spec.fixedRange, value);
    case SpecField::ScaleType: return assign(spec.scaleType, value);
    case SpecField::Pof2Rounding: return assign(spec.pof2Rounding, value);
    case SpecField::NarrowRange: return assign(spec.narrowRange, value);
    case SpecField::RoundMethod: return assign(spec.roundMethod, value);
    case SpecField::IsDynamic: return assign(spec.isDynamic, value);
    case SpecField::Qat: return assign(spec.qat, value);
    case SpecField::Observer: break;
    }
    const bool best = value && std::holds_alternative<BestObserver>(*value);
    if (value && !best && !std::holds_alternative<core::ObserverKind>(*value))
        return;
    spec.observer.reset();
    spec.bestObserver.reset();
    if (best)
        spec.bestObserver = true;
    else
        assign(spec.observer, value);
}

QuantizationSpec &specOf(core::QuantizationConfig &config, TensorRole role)
{
    switch (role) {
    case TensorRole::Input: return config.inputTensors;
    case TensorRole::Output: return config.outputTensors;
    case TensorRole::Weight: return config.weight;
    case TensorRole::Bias: break;
    }
    return config.bias;
}

const QuantizationSpec &specOf(const core::QuantizationConfig &config, TensorRole role)
{
    return specOf(const_cast<core::QuantizationConfig &>(config), role);
}

QString roleLabel(TensorRole role)
{
    switch (role) {
    case TensorRole::Input: return tr("Inputs");
    case TensorRole::Output: return tr("Outputs");
    case TensorRole::Weight: return tr("Weights");
    case TensorRole::Bias: break;
    }
    return tr("Bias");
}

} // namespace widgets
