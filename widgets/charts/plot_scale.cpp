#include "widgets/charts/plot_scale.h"

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

QString superscript(int number)
{
    static const QString digits = QStringLiteral("⁰¹²³⁴⁵⁶⁷⁸⁹");
    QString text = number < 0 ? QStringLiteral("⁻") : QString();
    for (const QChar c : QString::number(std::abs(number)))
        text += digits[c.digitValue()];
    return text;
}

QString powerText(int exponent)
{
    return exponent >= -4 && exponent <= 12 ? plainNumber(std::ldexp(1.0, exponent)) : QStringLiteral("2") + superscript(exponent);
}

/// 1, 2 or 5 times a power of ten.
double niceStep(double width, int wished)
{
    const double raw = width / std::max(wished, 1);
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    const double mantissa = raw / power;
    return power * (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10);
}

} // namespace

PlotScale::PlotScale(ScaleKind kind, double least, double most, double threshold)
    : m_kind(kind), m_least(least), m_most(most), m_threshold(threshold > 0 ? threshold : 1)
{
    if (!(m_most > m_least))
        m_most = m_least + (m_least != 0 ? std::fabs(m_least) : 1);
    if (m_kind == ScaleKind::Log10 && !(m_least > 0))
        m_least = m_most * 1e-6;
}

double PlotScale::forward(double value) const
{
    switch (m_kind) {
    case ScaleKind::Linear: return value;
    case ScaleKind::Log10: return std::log10(std::max(value, m_least));
    case ScaleKind::SignedLog2: {
        const double size = std::fabs(value) / m_threshold;
        return std::copysign(size <= 1 ? size : 1 + std::log2(size), value);
    }
    }
    return value;
}

double PlotScale::backward(double axis) const
{
    switch (m_kind) {
    case ScaleKind::Linear: return axis;
    case ScaleKind::Log10: return std::pow(10.0, axis);
    case ScaleKind::SignedLog2: {
        const double size = std::fabs(axis);
        return std::copysign(size <= 1 ? size * m_threshold : m_threshold * std::exp2(size - 1), axis);
    }
    }
    return axis;
}

PlotScale::Ticks PlotScale::ticks(double from, double to, int wished) const
{
    Ticks result;
    if (!(to > from) || !std::isfinite(to - from))
        return result;
    wished = std::max(wished, 2);
    if (m_kind == ScaleKind::Linear) {
        const double step = niceStep(to - from, wished);
        const double largest = std::max(std::fabs(from), std::fabs(to));
        for (double i = std::ceil(from / step - 1e-9); i * step <= to + step * 1e-9; ++i)
            result.emplace_back(i * step, largest >= 10000 ? compactNumber(i * step) : plainNumber(i * step, 6));
    } else if (m_kind == ScaleKind::Log10) {
        const int every = std::max(1, int(std::ceil((to - from) / wished)));
        const bool between = to - from < wished / 2.0;
        for (int decade = int(std::floor(from)); decade <= int(std::ceil(to)); ++decade)
            for (const int digit : {1, 2, 5}) {
                if (digit > 1 ? !between : decade % every != 0)
                    continue;
                const double at = decade + std::log10(double(digit));
                if (at >= from - 1e-9 && at <= to + 1e-9)
                    result.emplace_back(at, compactNumber(digit * std::pow(10.0, decade)));
            }
    } else {
        const double reach = std::max(std::fabs(backward(from)), std::fabs(backward(to)));
        const int top = int(std::floor(std::log2(reach))), bottom = int(std::ceil(std::log2(m_threshold)));
        const bool both = from < 0 && to > 0;
        const int every = std::max(1, int(std::ceil((top - bottom + 1) * (both ? 2.0 : 1.0) / wished)));
        std::vector<std::pair<double, QString>> positive;
        for (int exponent = top; exponent >= bottom; exponent -= every)
            positive.emplace_back(forward(std::ldexp(1.0, exponent)), powerText(exponent));
        std::reverse(positive.begin(), positive.end());
        const auto inside = [&](double at) { return at >= from && at <= to; };
        for (auto it = positive.rbegin(); it != positive.rend(); ++it)
            if (inside(-it->first))
                result.emplace_back(-it->first, QStringLiteral("−") + it->second);
        if (inside(0))
            result.emplace_back(0, QStringLiteral("0"));
        for (const auto &[at, label] : positive)
            if (inside(at))
                result.emplace_back(at, label);
    }
    return result;
}

QString plainNumber(double value, int digits)
{
    if (std::isnan(value))
        return QStringLiteral("–");
    if (std::isinf(value))
        return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    if (value == 0)
        return QStringLiteral("0");
    QString text = QString::number(value, 'g', digits);
    return text.replace(QLatin1Char('-'), QStringLiteral("−"));
}

QString compactNumber(double value)
{
    const double size = std::fabs(value);
    if (!std::isfinite(size))
        return plainNumber(value);
    if (size >= 1e9)
        return plainNumber(value / 1e9) + QStringLiteral(" G");
    if (size >= 1e6)
        return plainNumber(value / 1e6) + QStringLiteral(" M");
    if (size >= 1e4)
        return plainNumber(value / 1e3) + QStringLiteral(" k");
    return plainNumber(value);
}

QString decibelText(double value)
{
    if (std::isnan(value))
        return QStringLiteral("–");
    if (std::isinf(value))
        return value > 0 ? QStringLiteral("∞ dB") : QStringLiteral("−∞ dB");
    return QString::number(value, 'f', 1).replace(QLatin1Char('-'), QStringLiteral("−")) + QStringLiteral(" dB");
}

QString shareText(double share)
{
    if (std::isnan(share))
        return QStringLiteral("–");
    const double percent = share * 100;
    if (percent > 0 && percent < 0.0005)
        return QStringLiteral("< 0.001 %");
    return QString::number(percent, 'f', percent == 0 || percent >= 99.95 ? 0 : percent < 0.1 ? 3 : percent < 10 ? 2 : 1) + QStringLiteral(" %");
}

} // namespace widgets
