#include "core/spec/quark_table.h"

#include <algorithm>
#include <array>

namespace core::quark {

namespace {

constexpr ScaleType floating = ScaleType::Float, powers = ScaleType::PowerOfTwo;
constexpr Granularity tensor = Granularity::PerTensor, channel = Granularity::PerChannel, group = Granularity::PerGroup;

// The first row that fits is the one that is written.
constexpr std::array rows{
    ObserverRow{"PerTensorMinMaxObserver", tensor, ObserverKind::MinMax},
    ObserverRow{"PerChannelMinMaxObserver", channel, ObserverKind::MinMax},
    ObserverRow{"PerGroupMinMaxObserver", group, ObserverKind::MinMax},
    ObserverRow{"PerTensorPowOf2MinMaxObserver", tensor, ObserverKind::Pof2MinMax, powers},
    ObserverRow{"PerChannelPowOf2MinMaxObserver", channel, ObserverKind::Pof2MinMax, powers},
    ObserverRow{"PerTensorPowOf2MinMSEObserver", tensor, ObserverKind::Pof2Mse, powers},
    ObserverRow{"PerChannelPowOf2MinMSEObserver", channel, ObserverKind::Pof2Mse, powers},
    ObserverRow{"PerTensorPercentileObserver", tensor, ObserverKind::Percentile},
    ObserverRow{"PerTensorMSEObserver", tensor, ObserverKind::HistogramMse},
    ObserverRow{"PerTensorHistogramObserverPro", tensor, ObserverKind::HistogramMse},
    ObserverRow{"PerTensorHistogramObserver", tensor, ObserverKind::HistogramMse, floating, QatMethod::Ste,
                "collects a histogram and chooses no range of its own; histogram_mse is used"},
    ObserverRow{"LSQObserver", tensor, ObserverKind::MinMax, floating, QatMethod::Lsq},
    ObserverRow{"LSQObserver", channel, ObserverKind::MinMax, floating, QatMethod::Lsq},
    ObserverRow{"TQTObserver", tensor, ObserverKind::MinMax, floating, QatMethod::Tqt},
};

const std::array types{LayerType{"Conv2d", {"Conv"}}, LayerType{"ConvTranspose2d", {"ConvTranspose"}}, LayerType{"Linear", {"Gemm", "MatMul"}}};

} // namespace

std::span<const ObserverRow> observers()
{
    return rows;
}

const ObserverRow *findObserver(std::string_view name)
{
    const auto at = std::find_if(rows.begin(), rows.end(), [&](const ObserverRow &row) { return row.name == name; });
    return at == rows.end() ? nullptr : &*at;
}

const ObserverRow *findObserver(ObserverKind kind, ScaleType scaleType, QatMethod qat, Granularity granularity)
{
    if (scaleType == powers && kind == ObserverKind::MinMax)
        kind = ObserverKind::Pof2MinMax;
    const auto at = std::find_if(rows.begin(), rows.end(), [&](const ObserverRow &row) {
        return row.kind == kind && row.scaleType == scaleType && row.qat == qat && row.granularity == granularity;
    });
    return at == rows.end() ? nullptr : &*at;
}

std::span<const LayerType> layerTypes()
{
    return types;
}

const LayerType *findLayerType(std::string_view name)
{
    const auto at = std::find_if(types.begin(), types.end(), [&](const LayerType &type) { return type.name == name; });
    return at == types.end() ? nullptr : &*at;
}

bool isMachinery(std::string_view field)
{
    static constexpr std::array fields{"quant_method", "quant_mode", "version", "log_severity_level", "enable_buffer_reuse", "max_input_numel"};
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

} // namespace core::quark
