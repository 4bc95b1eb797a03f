#include "core/stats/observer.h"

namespace core {
namespace {

constexpr std::pair<ObserverKind, std::string_view> names[] = {
    {ObserverKind::MinMax, "min_max"}, {ObserverKind::MovingAverageMinMax, "moving_average_min_max"},
    {ObserverKind::HistogramMse, "histogram_mse"}, {ObserverKind::Percentile, "percentile"}, {ObserverKind::Entropy, "entropy"},
    {ObserverKind::Pof2MinMax, "pof2_min_max"}, {ObserverKind::Pof2Mse, "pof2_mse"}, {ObserverKind::Fixed, "fixed"}};

} // namespace

std::string_view observerName(ObserverKind kind)
{
    for (const auto &[candidate, name] : names)
        if (candidate == kind)
            return name;
    return "unknown";
}

std::optional<ObserverKind> observerFromName(std::string_view name)
{
    for (const auto &[kind, candidate] : names)
        if (candidate == name)
            return kind;
    return {};
}

} // namespace core
