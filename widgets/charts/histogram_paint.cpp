// Drawing and the side panel of HistogramChart.
#include "widgets/charts/histogram_chart.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPainterPath>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

Qt::PenStyle dashes(int index) { return index % 3 == 0 ? Qt::DashLine : index % 3 == 1 ? Qt::DotLine : Qt::DashDotLine; }

QIcon lineIcon(const QColor &color, Qt::PenStyle style, bool chosen)
{
    QPixmap pixmap(44, 28);
    pixmap.setDevicePixelRatio(2);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 2, style));
    painter.drawLine(QPointF(8, 7), QPointF(21, 7));
    if (chosen) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawPolygon(QPolygonF({{0, 3}, {6, 7}, {0, 11}}));
    }
    return pixmap;
}

} // namespace

void HistogramChart::buildSide()
{
    auto *side = new QWidget(this);
    auto *column = new QVBoxLayout(side);
    column->setContentsMargins(6, 0, 6, 4);
    column->setSpacing(3);

    m_figures = new QLabel(side);
    m_figures->setTextFormat(Qt::RichText);
    m_figures->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_figures->setToolTip(tr("Expected signal-to-noise ratio of this range, from the histogram: error of rounding to codes and of clipping, and the share of "
                             "values more than half a step outside the codes"));
    column->addWidget(m_figures);

    auto *row = new QHBoxLayout;
    row->setSpacing(4);
    row->addWidget(new QLabel(tr("Range"), side));
    m_low = new QLineEdit(side);
    m_low->setAccessibleName(tr("Lower clip value"));
    m_high = new QLineEdit(side);
    m_high->setAccessibleName(tr("Upper clip value"));
    for (QLineEdit *edit : {m_low, m_high}) {
        edit->setAlignment(Qt::AlignRight);
        row->addWidget(edit, 1);
        connect(edit, &QLineEdit::editingFinished, this, &HistogramChart::commitEdits);
    }
    column->addLayout(row);

    m_list = new QTreeWidget(side);
    m_list->setAccessibleName(tr("Observers"));
    m_list->setToolTip(tr("Range and expected SQNR of every observer; click one to choose it"));
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setColumnCount(3);
    m_list->setHeaderLabels({tr("Observer"), tr("Range"), tr("SQNR")});
    m_list->setIconSize({22, 14});
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->header()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_list->header()->setSectionResizeMode(1, QHeaderView::Stretch);
    m_list->header()->setSectionResizeMode(2, QHeaderView::ResizeToContents);
    m_list->header()->setStretchLastSection(false);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    const auto choose = [this](QTreeWidgetItem *item) {
        if (item && canEdit())
            Q_EMIT observerChosen(core::ObserverKind(item->data(0, Qt::UserRole).toInt()));
    };
    connect(m_list, &QTreeWidget::itemClicked, this, choose);
    connect(m_list, &QTreeWidget::itemActivated, this, choose);
    column->addWidget(m_list, 1);

    m_side = side;
    addSide(side);
}

void HistogramChart::fillFigures()
{
    if (!m_subject.statistics)
        return;
    const core::TensorStatistics &s = *m_subject.statistics;
    const auto cell = [&](const QString &name, const QString &value) {
        return QStringLiteral("<td style='color:%1'>%2&nbsp;</td><td align='right'><b>%3</b>&nbsp;&nbsp;</td>")
            .arg(theme().mutedText.name(), name, QString(value).replace(QLatin1Char(' '), QStringLiteral("&nbsp;")).replace(QLatin1Char('<'), QStringLiteral("&lt;")));
    };
    const double total = m_effect.meanSquaredError;
    const QString split = std::isnan(total) || total <= 0 ? QStringLiteral("–")
        : isNarrow() ? tr("%1 by clipping").arg(shareText(m_effect.clippingError / total))
        : tr("%1 rounding, %2 clipping").arg(shareText(1 - m_effect.clippingError / total), shareText(m_effect.clippingError / total));
    const QString sqnr = m_subject.scheme.quantized() ? decibelText(m_effect.sqnrDb) : tr("float");
    const QString min = cell(tr("min"), plainNumber(s.min)), max = cell(tr("max"), plainNumber(s.max)), mean = cell(tr("mean"), plainNumber(s.mean())),
                  deviation = cell(tr("std"), plainNumber(std::sqrt(s.variance()))), zeros = cell(tr("zeros"), shareText(s.zeroShare())),
                  clipped = cell(tr("clipped"), m_subject.scheme.quantized() ? shareText(m_effect.clippedShare) : QStringLiteral("–"));
    const auto row = [](const QString &cells) { return QStringLiteral("<tr>") + cells + QStringLiteral("</tr>"); };
    const QString last = row(cell(tr("SQNR"), sqnr) + QStringLiteral("<td colspan='4' style='color:%1'>%2</td>").arg(theme().mutedText.name(), split.toHtmlEscaped()));
    m_figures->setText(QStringLiteral("<table cellspacing='0' cellpadding='0'>")
                       + (isNarrow() ? row(min + mean) + row(max + deviation) + row(zeros + clipped) : row(min + mean + zeros) + row(max + deviation + clipped))
                       + last + QStringLiteral("</table>"));
    m_low->setText(plainNumber(m_range.min, 5));
    m_high->setText(plainNumber(m_range.max, 5));
    setSummary(tr("Minimum %1, maximum %2, clip range %3 to %4, expected SQNR %5, clipped %6.")
                   .arg(plainNumber(s.min), plainNumber(s.max), plainNumber(m_range.min), plainNumber(m_range.max), sqnr, shareText(m_effect.clippedShare)));
}

void HistogramChart::fillObservers()
{
    if (!m_subject.statistics)
        return;
    const double power = m_subject.statistics->sumOfSquares.value() / double(m_subject.statistics->count);
    const auto sqnrOf = [&](double error) { return error > 0 ? 10 * std::log10(power / error) : std::numeric_limits<double>::infinity(); };
    m_list->clear();
    const auto add = [&](const QString &title, core::ObserverKind kind, const core::Range &range, double sqnr, const QIcon &icon, bool chosen) {
        auto *item = new QTreeWidgetItem(m_list, {title, plainNumber(range.min, 3) + QStringLiteral(" … ") + plainNumber(range.max, 3), decibelText(sqnr)});
        item->setIcon(0, icon);
        item->setData(0, Qt::UserRole, int(kind));
        item->setTextAlignment(2, Qt::AlignRight | Qt::AlignVCenter);
        item->setToolTip(1, tr("%1 to %2").arg(plainNumber(range.min, 7), plainNumber(range.max, 7)));
        if (chosen) {
            QFont bold = m_list->font();
            bold.setBold(true);
            for (int column = 0; column < 3; ++column)
                item->setFont(column, bold);
        }
        if (!canEdit()) {
            item->setToolTip(0, m_subject.whyNotEditable);
        }
    };
    if (m_observer == core::ObserverKind::Fixed)
        add(tr("fixed (yours)"), core::ObserverKind::Fixed, m_range, m_effect.sqnrDb, lineIcon(theme().clipLine, Qt::SolidLine, true), true);
    for (int i = 0; i < int(m_lines.size()); ++i) {
        const ObserverLine &line = m_lines[std::size_t(i)];
        const bool chosen = line.kind == m_observer;
        add(line.title, line.kind, line.range, sqnrOf(line.meanSquaredError), lineIcon(theme().series(i), dashes(i), chosen), chosen);
    }
    plot()->viewport()->update();
}

void HistogramChart::paintSteps(QPainter &painter, const std::vector<Step> &steps, const QPen &pen, const QBrush &brush) const
{
    const QRectF area = plot()->area();
    QPainterPath path;
    double openRight = 0;
    bool open = false;
    const auto close = [&] {
        if (open)
            path.lineTo(openRight, area.bottom());
        open = false;
    };
    for (std::size_t i = 0; i < steps.size();) {
        const double left = plot()->xOf(steps[i].left);
        double right = plot()->xOf(steps[i].right), count = steps[i].count;
        std::size_t next = i + 1;
        // Steps of less than half a pixel share one, which is as high as the highest.
        while (next < steps.size() && plot()->xOf(steps[next].right) - left < 0.5) {
            right = plot()->xOf(steps[next].right);
            count = std::max(count, steps[next++].count);
        }
        i = next;
        if (right < area.left() || left > area.right())
            continue;
        if (open && left - openRight > 0.6)
            close();
        const double y = std::max(plot()->yOf(count), area.top() - 20);
        if (!open)
            path.moveTo(left, area.bottom());
        path.lineTo(left, y);
        path.lineTo(right, y);
        openRight = right;
        open = true;
    }
    close();
    painter.setPen(pen);
    painter.setBrush(brush);
    painter.drawPath(path);
}

void HistogramChart::paintObservers(QPainter &painter) const
{
    const QRectF area = plot()->area();
    const QFontMetricsF metrics(painter.font());
    std::vector<QRectF> taken;
    const int rows = std::max(1, int(area.height() * 0.45 / metrics.height()));
    for (int i = 0; i < int(m_lines.size()); ++i) {
        const ObserverLine &line = m_lines[std::size_t(i)];
        const bool strong = i == m_hovered;
        painter.setPen(QPen(theme().series(i), strong ? 2.5 : 1.3, dashes(i)));
        for (const double end : {line.range.min, line.range.max})
            if (end != 0)
                painter.drawLine(QPointF(plot()->xOf(end), area.top()), QPointF(plot()->xOf(end), area.bottom()));
    }
    for (int i = 0; i < int(m_lines.size()); ++i) {
        const ObserverLine &line = m_lines[std::size_t(i)];
        // The label stands left of the upper line, in the first row that is free.
        const double x = plot()->xOf(line.range.max != 0 ? line.range.max : line.range.min), width = metrics.horizontalAdvance(line.title) + 6;
        if (x < area.left() || x > area.right())
            continue;
        const double left = x - width - 2 > area.left() ? x - width - 2 : x + 2;
        for (int row = 0; row < rows; ++row) {
            const QRectF label(left, area.top() + 2 + row * metrics.height(), width, metrics.height());
            if (std::any_of(taken.begin(), taken.end(), [&](const QRectF &other) { return other.intersects(label.adjusted(0, 1, 0, -1)); }))
                continue;
            taken.push_back(label);
            QColor back = theme().base;
            back.setAlpha(215);
            painter.fillRect(label, back);
            painter.setPen(theme().series(i));
            painter.drawText(label, Qt::AlignCenter, line.title);
            break;
        }
    }
}

void HistogramChart::paintHandles(QPainter &painter) const
{
    const QRectF area = plot()->area();
    QColor shade = theme().clipLine;
    shade.setAlpha(theme().isDark ? 38 : 28);
    const double low = plot()->xOf(m_range.min), high = plot()->xOf(m_range.max);
    if (low > area.left())
        painter.fillRect(QRectF(area.left(), area.top(), low - area.left(), area.height()), shade);
    if (high < area.right())
        painter.fillRect(QRectF(high, area.top(), area.right() - high, area.height()), shade);
    for (int end = 0; end < 2; ++end) {
        const double x = end == 0 ? low : high;
        const bool active = plot()->hasFocus() && end == m_active;
        painter.setPen(QPen(theme().clipLine, active ? 3 : 2));
        painter.drawLine(QPointF(x, area.top() - 8), QPointF(x, area.bottom()));
        if (!canEdit())
            continue;
        painter.setPen(QPen(theme().outline, 1));
        painter.setBrush(theme().clipLine);
        painter.drawRoundedRect(QRectF(x - 5, area.bottom() - 14, 10, 14), 2, 2);
        painter.setPen(QPen(theme().textOn(theme().clipLine), 1));
        for (const double at : {-1.5, 1.5})
            painter.drawLine(QPointF(x + at, area.bottom() - 10), QPointF(x + at, area.bottom() - 4));
    }
}

void HistogramChart::paint(QPainter &painter)
{
    if (!m_subject.statistics)
        return;
    const QRectF area = plot()->area();
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    if (m_showCodes->isChecked()) {
        QColor fill = theme().quantizedLine;
        fill.setAlpha(theme().isDark ? 105 : 90);
        paintSteps(painter, m_codeSteps, Qt::NoPen, fill);
    }
    paintSteps(painter, m_floatSteps, QPen(theme().floatLine, 1.2), Qt::NoBrush);
    painter.restore();
    if (m_showObservers->isChecked())
        paintObservers(painter);
    if (m_subject.scheme.quantized())
        paintHandles(painter);

    const QFontMetricsF metrics(painter.font());
    const auto note = [&](const QRectF &box, const QString &text, int flags) {
        QColor back = theme().base;
        back.setAlpha(215);
        painter.fillRect(box, back);
        painter.setPen(theme().text);
        painter.drawText(box, flags, text);
    };
    if (!m_logY->isChecked() && m_cutAt > 0) {
        const QString text = tr("↑ bin at 0: %1").arg(compactNumber(m_cutAt));
        const double x = plot()->xOf(m_subject.statistics->histogram.binWidth());
        note(QRectF(std::min(x + 4, area.right() - 150), area.top() + 2, metrics.horizontalAdvance(text) + 8, metrics.height()), text, Qt::AlignCenter);
    }
    // The key: what is outline and what is bar.
    const QString first = tr("float"), second = tr("quantized");
    double x = area.left() + 8;
    const double y = area.bottom() - metrics.height() - 18;
    const bool codes = m_showCodes->isChecked() && !m_codeSteps.empty();
    QColor back = theme().base;
    back.setAlpha(215);
    painter.fillRect(QRectF(x - 4, y - 2, 26 + metrics.horizontalAdvance(first) + (codes ? 30 + metrics.horizontalAdvance(second) : 0), metrics.height() + 4), back);
    painter.setPen(QPen(theme().floatLine, 1.5));
    painter.drawLine(QPointF(x, y + metrics.height() / 2), QPointF(x + 14, y + metrics.height() / 2));
    painter.setPen(theme().text);
    painter.drawText(QPointF(x + 18, y + metrics.ascent()), first);
    if (codes) {
        x += 28 + metrics.horizontalAdvance(first);
        QColor fill = theme().quantizedLine;
        fill.setAlpha(140);
        painter.fillRect(QRectF(x, y + 2, 14, metrics.height() - 4), fill);
        painter.drawText(QPointF(x + 18, y + metrics.ascent()), second);
    }
}

QString HistogramChart::toolTipAt(QPointF position) const
{
    if (isEmpty() || !plot()->area().contains(position))
        return {};
    if (const int line = observerAt(position); line >= 0) {
        const ObserverLine &observer = m_lines[std::size_t(line)];
        return tr("%1: %2 to %3\nClick to choose this observer").arg(observer.title, plainNumber(observer.range.min, 5), plainNumber(observer.range.max, 5));
    }
    if (handleAt(position) >= 0)
        return tr("Drag to clip here; the observer becomes “fixed”.\nKeys: Up / Down choose the end, Left / Right move it.");
    const double value = plot()->xAt(position.x());
    const auto step = std::find_if(m_floatSteps.begin(), m_floatSteps.end(), [&](const Step &s) { return value >= s.left && value < s.right; });
    QString text = step == m_floatSteps.end() ? tr("%1: no values").arg(plainNumber(value))
        : tr("%1 to %2: %3 values").arg(plainNumber(step->left, 5), plainNumber(step->right, 5), compactNumber(step->count));
    if (m_subject.scheme.quantized() && core::isIntegerDtype(m_subject.scheme.dtype))
        text += tr("\ncode %1 = %2").arg(core::quantize(value, m_effect.params))
                    .arg(plainNumber(core::dequantize(core::quantize(value, m_effect.params), m_effect.params), 5));
    return text;
}

bool HistogramChart::isNarrow() const { return width() < 900; }

void HistogramChart::resizeEvent(QResizeEvent *event)
{
    m_side->setFixedWidth(isNarrow() ? 232 : 366);
    m_list->setColumnHidden(1, isNarrow());
    m_list->header()->setSectionResizeMode(isNarrow() ? 0 : 1, QHeaderView::Stretch);
    m_list->header()->setSectionResizeMode(isNarrow() ? 1 : 0, QHeaderView::ResizeToContents);
    ChartPanel::resizeEvent(event);
    fillFigures();
}

void HistogramChart::setTheme(const Theme &theme)
{
    ChartPanel::setTheme(theme);
    fillFigures();
    fillObservers();
}

} // namespace widgets
