#include "widgets/graph/overlay_legend.h"

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <map>

namespace widgets {
namespace {

constexpr int binCount = 28;

QString dtypeName(DtypeClass type)
{
    switch (type) {
    case DtypeClass::Float32: return QStringLiteral("float32");
    case DtypeClass::Int8PerChannel: return OverlayLegend::tr("int8 per channel");
    case DtypeClass::Int8PerTensor: return OverlayLegend::tr("int8 per tensor");
    case DtypeClass::UInt8: return QStringLiteral("uint8");
    case DtypeClass::Int16: return QStringLiteral("int16");
    case DtypeClass::Int4: return OverlayLegend::tr("int4 and lower");
    case DtypeClass::SmallFloat: return QStringLiteral("fp16 / bf16 / fp8");
    case DtypeClass::Int32: return QStringLiteral("int32");
    }
    return {};
}

} // namespace

OverlayLegend::OverlayLegend(QWidget *parent) : QWidget(parent)
{
    setAccessibleName(tr("Legend of the colours"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void OverlayLegend::setFacts(std::shared_ptr<const LayerTable> facts)
{
    m_facts = std::move(facts);
    count();
}

void OverlayLegend::setDrawing(std::shared_ptr<const DrawnGraph> drawing)
{
    m_drawing = std::move(drawing);
    count();
}

void OverlayLegend::setOverlay(Overlay overlay)
{
    m_overlay = overlay;
    count();
}

void OverlayLegend::setTheme(const Theme &theme)
{
    m_theme = theme;
    count();
}

void OverlayLegend::count()
{
    m_classes.clear();
    m_bins.clear();
    m_least.clear();
    m_most.clear();
    m_unknown = 0;
    m_leastIsWorst = higherIsBetter(m_overlay);
    update();
    if (!m_facts)
        return;
    if (!isMetric(m_overlay)) {
        countClasses();
    } else {
        const Goodness goodness = goodnessOf(*m_facts, m_overlay);
        for (const LayerFacts &f : *m_facts) {
            const double value = overlayValue(f, m_overlay);
            if (value == goodness.least)
                m_least = overlayText(f, m_overlay);
            if (value == goodness.most)
                m_most = overlayText(f, m_overlay);
            if (m_drawing && m_drawing->boxOf(f.node) < 0)
                continue;
            if (!std::isfinite(value)) {
                m_unknown += std::isnan(value);
                continue;
            }
            m_bins.resize(binCount);
            const double width = goodness.most - goodness.least;
            const double share = width > 0 ? (value - goodness.least) / width : 1;
            ++m_bins[std::size_t(std::clamp(int(share * binCount), 0, binCount - 1))];
        }
    }
    QStringList words;
    for (const Class &c : m_classes)
        words << QStringLiteral("%1: %2").arg(c.name).arg(c.count);
    const QString text = isMetric(m_overlay)
        ? (m_bins.empty() ? tr("%1 is not known yet. A run fills it.").arg(overlayName(m_overlay))
                          : tr("%1 from %2 to %3; not known for %n nodes.", nullptr, m_unknown).arg(overlayName(m_overlay), m_least, m_most))
        : words.join(QStringLiteral(", "));
    setAccessibleDescription(text);
    setToolTip(text);
}

void OverlayLegend::countClasses()
{
    std::map<QString, Class> found;
    for (const LayerFacts &f : *m_facts) {
        if (m_drawing && m_drawing->boxOf(f.node) < 0)
            continue;
        QString name = f.opType;
        QColor colour = m_theme.operatorFill(f.opType);
        if (m_overlay == Overlay::Dtype) {
            name = dtypeName(f.dtype);
            colour = m_theme.fill(f.dtype);
        } else if (m_overlay == Overlay::Overridden) {
            name = overlayText(f, m_overlay);
            colour = f.excluded ? m_theme.canvas : f.overridden ? m_theme.fill(DtypeClass::Int16) : m_theme.button;
        }
        Class &c = found[name];
        c.colour = colour;
        c.name = name;
        ++c.count;
    }
    for (const auto &[name, c] : found)
        m_classes.push_back(c);
    std::stable_sort(m_classes.begin(), m_classes.end(), [](const Class &a, const Class &b) { return a.count > b.count; });
}

void OverlayLegend::paintEvent(QPaintEvent *)
{
    if (width() < 100)
        return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QFont f = font();
    f.setPixelSize(12);
    painter.setFont(f);
    if (isMetric(m_overlay))
        paintScale(painter);
    else
        paintClasses(painter);
}

void OverlayLegend::paintScale(QPainter &painter)
{
    const QFontMetrics metrics(painter.font());
    painter.setPen(m_theme.mutedText);
    if (m_bins.empty()) {
        const QString text = m_facts ? tr("No figures yet: run to fill them.") : QString();
        painter.drawText(rect(), Qt::AlignVCenter | Qt::AlignLeft, metrics.elidedText(text, Qt::ElideRight, width()));
        return;
    }
    const double left = metrics.horizontalAdvance(m_least) + 8, rightText = metrics.horizontalAdvance(m_most) + 8;
    const double wide = std::clamp(width() - left - rightText, 40.0, 240.0);
    const double base = height() - 12, top = 3;
    painter.drawText(QRectF(0, 0, left - 8, height()), Qt::AlignBottom | Qt::AlignRight, m_least);
    painter.drawText(QRectF(left + wide + 8, 0, rightText, height()), Qt::AlignBottom | Qt::AlignLeft, m_most);
    const int tallest = *std::max_element(m_bins.begin(), m_bins.end());
    const double step = wide / binCount;
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (int i = 0; i < binCount; ++i) {
        const double share = (i + 0.5) / binCount;
        const QColor colour = m_theme.metric(m_leastIsWorst ? share : 1 - share);
        painter.fillRect(QRectF(left + i * step, base + 2, step + 1, 7), colour);
        if (m_bins[std::size_t(i)] == 0)
            continue;
        const double tall = std::max(2.0, (base - top) * std::sqrt(double(m_bins[std::size_t(i)]) / tallest)); // single nodes stay visible
        painter.fillRect(QRectF(left + i * step + 0.5, base - tall, step - 1, tall), m_theme.mutedText);
    }
    painter.setPen(QPen(m_theme.isDark ? m_theme.edge : m_theme.outline, 1));
    painter.drawRect(QRectF(left, base + 1.5, wide, 7.5));
}

void OverlayLegend::paintClasses(QPainter &painter)
{
    const QFontMetrics metrics(painter.font());
    double x = 0;
    for (std::size_t i = 0; i < m_classes.size(); ++i) {
        const Class &c = m_classes[i];
        const QString text = QStringLiteral("%1 %2").arg(c.name).arg(c.count);
        const double needed = 18 + metrics.horizontalAdvance(text);
        if (x + needed > width() - (i + 1 < m_classes.size() ? 18 : 0)) {
            painter.setPen(m_theme.mutedText);
            painter.drawText(QRectF(x, 0, 18, height()), Qt::AlignVCenter, QStringLiteral("…"));
            return;
        }
        const QColor outline = m_theme.isDark ? m_theme.edge : m_theme.outline;
        painter.setPen(QPen(c.colour == m_theme.canvas ? m_theme.outlineOf(DtypeClass::Float32) : outline, 1));
        painter.setBrush(c.colour);
        painter.drawRoundedRect(QRectF(x + 0.5, height() / 2.0 - 5.5, 12, 11), 3, 3);
        painter.setPen(m_theme.text);
        painter.drawText(QRectF(x + 17, 0, needed, height()), Qt::AlignVCenter, text);
        x += needed + 14;
    }
}

} // namespace widgets
