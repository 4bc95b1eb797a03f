#include "widgets/shared/layer_facts.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("LayerFacts", text); }

QString shortNumber(double value)
{
    const QLocale locale;
    if (value >= 1e9)
        return locale.toString(value / 1e9, 'f', 2) + QStringLiteral(" G");
    if (value >= 1e6)
        return locale.toString(value / 1e6, 'f', 2) + QStringLiteral(" M");
    if (value >= 1e3)
        return locale.toString(value / 1e3, 'f', 1) + QStringLiteral(" k");
    return locale.toString(value, 'f', 0);
}

} // namespace

QString overlayName(Overlay overlay)
{
    switch (overlay) {
    case Overlay::Operator: return tr("Operator");
    case Overlay::Dtype: return tr("Type");
    case Overlay::Overridden: return tr("Own settings");
    case Overlay::ActivationSqnr: return tr("Activation SQNR");
    case Overlay::WeightSqnr: return tr("Weight SQNR");
    case Overlay::Sensitivity: return tr("Sensitivity");
    case Overlay::Clipping: return tr("Clipped share");
    case Overlay::Size: return tr("Multiply-adds");
    case Overlay::Difference: return tr("Difference to run");
    }
    return {};
}

bool isMetric(Overlay overlay)
{
    return overlay != Overlay::Operator && overlay != Overlay::Dtype && overlay != Overlay::Overridden;
}

bool higherIsBetter(Overlay overlay)
{
    return overlay == Overlay::ActivationSqnr || overlay == Overlay::WeightSqnr || overlay == Overlay::Difference;
}

double overlayValue(const LayerFacts &facts, Overlay overlay)
{
    switch (overlay) {
    case Overlay::ActivationSqnr: return facts.activationSqnr;
    case Overlay::WeightSqnr: return facts.weightSqnr;
    case Overlay::Sensitivity: return facts.sensitivity;
    case Overlay::Clipping: return facts.clipped;
    case Overlay::Size: return facts.macs;
    case Overlay::Difference: return facts.difference;
    default: return unknown;
    }
}

QString overlayText(const LayerFacts &facts, Overlay overlay)
{
    if (overlay == Overlay::Operator)
        return facts.opType;
    if (overlay == Overlay::Dtype)
        return facts.badge;
    if (overlay == Overlay::Overridden)
        return facts.excluded ? tr("excluded") : facts.overridden ? tr("own") : tr("inherited");
    const double value = overlayValue(facts, overlay);
    if (std::isnan(value))
        return QStringLiteral("–");
    const QLocale locale;
    switch (overlay) {
    case Overlay::Clipping: return locale.toString(value * 100, 'f', value > 0 && value < 0.001 ? 3 : 1) + QStringLiteral(" %");
    case Overlay::Size: return shortNumber(value);
    case Overlay::Sensitivity: return locale.toString(value, 'g', 3);
    default: return std::isinf(value) ? QStringLiteral("∞ dB") : locale.toString(value, 'f', 1) + QStringLiteral(" dB");
    }
}

Goodness goodnessOf(const LayerTable &table, Overlay overlay)
{
    Goodness result;
    result.values.assign(table.size(), unknown);
    result.worstTenth.assign(table.size(), false);
    if (!isMetric(overlay))
        return result;
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < table.size(); ++i)
        if (std::isfinite(overlayValue(table[i], overlay)))
            known.push_back(i);
        else if (std::isinf(overlayValue(table[i], overlay)))
            result.values[i] = 1;
    if (known.empty())
        return result;
    const auto less = [&](std::size_t a, std::size_t b) { return overlayValue(table[a], overlay) < overlayValue(table[b], overlay); };
    std::stable_sort(known.begin(), known.end(), less);
    result.least = overlayValue(table[known.front()], overlay);
    result.most = overlayValue(table[known.back()], overlay);
    const double width = result.most - result.least;
    const bool up = higherIsBetter(overlay);
    for (const std::size_t i : known) {
        const double share = width > 0 ? (overlayValue(table[i], overlay) - result.least) / width : 1;
        result.values[i] = up || width <= 0 ? share : 1 - share;
    }
    if (width > 0 && overlay != Overlay::Size)
        for (std::size_t k = 0; k < (known.size() + 9) / 10; ++k)
            result.worstTenth[up ? known[k] : known[known.size() - 1 - k]] = true;
    return result;
}

} // namespace widgets
