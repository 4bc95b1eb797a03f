#include "widgets/spec/spec_state.h"

#include <QCoreApplication>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("SpecState", text); }

QString biasRefusal(SpecField field, const core::Scheme &scheme, const core::TargetProfile &target)
{
    if (!target.quantizeBias)
        return tr("%1 adds biases in float.").arg(QString::fromStdString(target.name));
    if (field == SpecField::Dtype)
        return {};
    if (!scheme.quantized())
        return tr("Nothing to set: the bias stays float32.");
    if (scheme.dtype == core::QuantDtype::Int32)
        return tr("Derived: an int32 bias has the scale of its input times that of its weight.");
    if (field == SpecField::ScaleType || field == SpecField::Pof2Rounding)
        return {};
    return tr("An int8 bias is symmetric and has one scale.");
}

} // namespace

QString fieldRefusal(SpecField field, core::TensorRole role, const core::Scheme &scheme, const core::TargetProfile &target)
{
    using core::ObserverKind;
    if (role == core::TensorRole::Bias)
        if (const QString why = biasRefusal(field, scheme, target); !why.isEmpty())
            return why;
    if (field == SpecField::Dtype)
        return {};
    const bool activation = role == core::TensorRole::Input || role == core::TensorRole::Output;
    if (!scheme.quantized())
        return tr("Nothing to set: the type is float32, so the tensor is not quantized.");
    if (scheme.dtype == core::QuantDtype::Float16 || scheme.dtype == core::QuantDtype::BFloat16)
        return tr("A half float is a cast and has no scale.");
    const bool integer = core::isIntegerDtype(scheme.dtype);
    switch (field) {
    case SpecField::Symmetric:
        return integer ? QString() : tr("fp8 codes have their zero in the middle.");
    case SpecField::Observer:
        return scheme.dynamic ? tr("The range is computed at run time, because the tensor is quantized dynamically.") : QString();
    case SpecField::Percentile:
        return !scheme.bestObserver && scheme.observer == ObserverKind::Percentile ? QString() : tr("Only the observer percentile has one.");
    case SpecField::FixedRange:
        return !scheme.bestObserver && scheme.observer == ObserverKind::Fixed ? QString() : tr("Only the observer fixed takes a range of yours.");
    case SpecField::ChAxis:
        if (activation)
            return tr("An activation has one scale, so it has no channel axis.");
        return scheme.granularity != core::Granularity::PerTensor ? QString() : tr("One scale for the tensor has no axis; choose per_channel.");
    case SpecField::GroupSize:
        if (activation)
            return tr("An activation has one scale; groups are for weights.");
        return scheme.granularity == core::Granularity::PerGroup ? QString() : tr("Only per_group has a group size.");
    case SpecField::Pof2Rounding:
        if (!scheme.bestObserver && scheme.observer == ObserverKind::Pof2Mse)
            return tr("The observer pof2_mse searches the exponent itself.");
        return scheme.scaleType == core::ScaleType::PowerOfTwo ? QString() : tr("The scale is any float; choose the scale type pof2.");
    case SpecField::NarrowRange:
        if (activation)
            return tr("ONNX QuantizeLinear saturates at the lowest code, so activations use the full range.");
        if (!scheme.symmetric)
            return tr("An asymmetric tensor uses every code.");
        return core::isSignedDtype(scheme.dtype) ? QString() : tr("An unsigned type has no code to leave out.");
    case SpecField::RoundMethod:
        return activation ? tr("ONNX QuantizeLinear rounds half to even.") : QString();
    case SpecField::IsDynamic:
        return activation ? QString() : tr("Weights are constant and have no dynamic quantization.");
    default: return {};
    }
}

std::vector<std::pair<SpecField, FieldValue>> companions(const core::Scheme &scheme, SpecField field, const FieldValue &value)
{
    std::vector<std::pair<SpecField, FieldValue>> more;
    if (field == SpecField::QScheme && value == FieldValue(core::Granularity::PerGroup) && scheme.groupSize < 1)
        more.emplace_back(SpecField::GroupSize, 32);
    if (field == SpecField::Observer && value == FieldValue(core::ObserverKind::Fixed) && !(scheme.fixedRange.min < scheme.fixedRange.max))
        more.emplace_back(SpecField::FixedRange, core::Range{-1, 1});
    return more;
}

QString originText(const core::FieldOrigin &origin, bool whole)
{
    const QString detail = QString::fromStdString(origin.detail);
    switch (origin.layer) {
    case core::ConfigLayer::Default: return whole ? tr("the default") : tr("default");
    case core::ConfigLayer::Preset: return (whole ? tr("the preset %1") : tr("preset %1")).arg(detail);
    case core::ConfigLayer::Target: return whole ? tr("the target %1").arg(detail) : detail;
    case core::ConfigLayer::Global: return whole ? tr("the settings of the whole model") : tr("model");
    case core::ConfigLayer::OpType: return (whole ? tr("the settings of every %1") : tr("every %1")).arg(detail);
    case core::ConfigLayer::Rule: return (whole ? tr("the rule %1") : tr("rule %1")).arg(detail);
    case core::ConfigLayer::Node: break;
    }
    return (whole ? tr("the layer %1") : tr("layer %1")).arg(detail);
}

} // namespace widgets
