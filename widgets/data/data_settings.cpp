#include "widgets/data/data_settings.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStringList>

#include <cmath>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("DataSettings", text); }
QString number(double value) { return QString::number(value, 'g', 6); }

} // namespace

std::string transformPresetOf(const core::TransformSpec &transform)
{
    for (const char *name : {"imagenet", "tf", "unit", "byte"}) {
        const core::TransformSpec preset = core::transformPreset(name);
        if (preset.mean == transform.mean && preset.stddev == transform.stddev && preset.divisor == transform.divisor)
            return name;
    }
    return {};
}

core::TransformSpec withPreset(const core::TransformSpec &transform, const std::string &preset)
{
    const core::TransformSpec numbers = core::transformPreset(preset);
    core::TransformSpec result = transform;
    result.preset = preset;
    result.mean = numbers.mean;
    result.stddev = numbers.stddev;
    result.divisor = numbers.divisor;
    return result;
}

QString transformText(const core::TransformSpec &transform)
{
    const QString size = transform.width > 0 && transform.height > 0 ? QStringLiteral("%1×%2").arg(transform.width).arg(transform.height) : tr("the model's size");
    QStringList steps;
    switch (transform.resize) {
    case core::ResizeMode::None: steps << tr("not resized"); break;
    case core::ResizeMode::ShortSide:
        steps << (transform.resizeTo > 0 ? tr("short side to %1").arg(transform.resizeTo) : tr("short side to crop ÷ 0.875"));
        if (transform.centerCrop)
            steps << tr("centre crop to %1").arg(size);
        break;
    case core::ResizeMode::Stretch: steps << tr("stretched to %1").arg(size); break;
    case core::ResizeMode::Letterbox: steps << tr("fitted into %1 with a border").arg(size); break;
    }
    steps << (transform.order == core::ChannelOrder::Bgr ? QStringLiteral("BGR") : QStringLiteral("RGB"));
    if (transform.divisor != 1)
        steps << QStringLiteral("÷ %1").arg(number(transform.divisor));
    if (transform.mean != std::array<double, 3>{0, 0, 0})
        steps << tr("− mean");
    if (transform.stddev != std::array<double, 3>{1, 1, 1})
        steps << tr("÷ std");
    return steps.join(QStringLiteral(" → "));
}

std::optional<std::array<double, 3>> parseTriple(const QString &text)
{
    const QStringList parts = text.split(QRegularExpression(QStringLiteral("[\\s,;]+")), Qt::SkipEmptyParts);
    if (parts.size() != 1 && parts.size() != 3)
        return {};
    std::array<double, 3> values{};
    for (int i = 0; i < 3; ++i) {
        bool ok = false;
        values[std::size_t(i)] = parts[parts.size() == 1 ? 0 : i].toDouble(&ok);
        if (!ok || !std::isfinite(values[std::size_t(i)]))
            return {};
    }
    return values;
}

QString tripleText(const std::array<double, 3> &values)
{
    if (values[0] == values[1] && values[1] == values[2])
        return number(values[0]);
    return number(values[0]) + QLatin1Char(' ') + number(values[1]) + QLatin1Char(' ') + number(values[2]);
}

} // namespace widgets
