// The one table between the words of AMD Quark and ours.
#pragma once

#include "core/spec/quantization_spec.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core::quark {

/// Percentile that PerTensorPercentileObserver of Quark is fixed to.
inline constexpr double fixedPercentile = 99.99999999;

struct ObserverRow {
    std::string_view name;                    ///< observer_cls
    Granularity granularity;                  ///< that it works at
    ObserverKind kind;
    ScaleType scaleType = ScaleType::Float;
    QatMethod qat = QatMethod::Ste;
    std::string_view remark = {};             ///< what is not quite the same
};
std::span<const ObserverRow> observers();
const ObserverRow *findObserver(std::string_view name);
/// The row to write for an observer; nullptr when Quark has none at this granularity.
const ObserverRow *findObserver(ObserverKind kind, ScaleType scaleType, QatMethod qat, Granularity granularity);

/// Layer types of Quark and the operators that such layers become.
struct LayerType {
    std::string_view name;
    std::vector<std::string> operators;
};
std::span<const LayerType> layerTypes();
const LayerType *findLayerType(std::string_view name);

/// Fields of Quark that say how its own program works and change no result here.
bool isMachinery(std::string_view field);

} // namespace core::quark
