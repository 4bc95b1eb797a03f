#include "widgets/charts/plot_view.h"

#include <QCategoryAxis>
#include <QChart>
#include <QHelpEvent>
#include <QLineSeries>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

void putTicks(QCategoryAxis *axis, const PlotScale::Ticks &ticks, double from, double to)
{
    for (const QString &label : axis->categoriesLabels())
        axis->remove(label);
    axis->setStartValue(from);
    // The axis wants labels that differ: invisible characters tell equal ones apart.
    for (const auto &[at, label] : ticks) {
        QString text = label;
        while (axis->categoriesLabels().contains(text))
            text += QChar(0x200B);
        axis->append(text, at);
    }
    axis->setRange(from, to);
}

} // namespace

PlotView::PlotView(QWidget *parent) : QChartView(parent)
{
    auto *chart = new QChart;
    chart->setMargins({});
    chart->setBackgroundRoundness(0);
    chart->setAnimationOptions(QChart::NoAnimation);
    chart->legend()->hide();
    m_xAxis = new QCategoryAxis(chart);
    m_yAxis = new QCategoryAxis(chart);
    auto *anchor = new QLineSeries(chart);
    chart->addSeries(anchor);
    chart->addAxis(m_xAxis, Qt::AlignBottom);
    chart->addAxis(m_yAxis, Qt::AlignLeft);
    for (QCategoryAxis *axis : {m_xAxis, m_yAxis}) {
        anchor->attachAxis(axis);
        axis->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
        axis->setTruncateLabels(false);
    }
    setChart(chart);
    setFrameShape(QFrame::NoFrame);
    setRenderHint(QPainter::Antialiasing);
    setViewportUpdateMode(FullViewportUpdate);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(200, 110);
    setTheme(Theme::light());
}

void PlotView::setTheme(const Theme &theme)
{
    chart()->setBackgroundBrush(theme.base);
    chart()->setBackgroundPen(Qt::NoPen);
    setBackgroundBrush(theme.base);
    m_focusColor = theme.selection;
    QFont small = font();
    small.setPointSizeF(std::max(7.0, font().pointSizeF() - 1));
    for (QCategoryAxis *axis : {m_xAxis, m_yAxis}) {
        axis->setLabelsColor(theme.text);
        axis->setLabelsFont(small);
        axis->setTitleFont(small);
        axis->setTitleBrush(theme.mutedText);
        axis->setGridLineColor(theme.grid);
        axis->setLinePenColor(theme.edge);
    }
    viewport()->update();
}

void PlotView::setX(const PlotScale &scale, const QString &title)
{
    m_x = scale;
    m_xAxis->setTitleText(title);
    m_zoomed = false;
    m_from = scale.forward(scale.least());
    m_to = scale.forward(scale.most());
    arrange();
}

void PlotView::setY(const PlotScale &scale, const QString &title)
{
    m_y = scale;
    m_yAxis->setTitleText(title);
    arrange();
}

void PlotView::setXLabels(std::function<PlotScale::Ticks(double, double)> labels)
{
    m_labels = std::move(labels);
    arrange();
}

void PlotView::arrange()
{
    const QFontMetricsF metrics(m_xAxis->labelsFont());
    const double yFrom = m_y.forward(m_y.least()), yTo = m_y.forward(m_y.most());
    const PlotScale::Ticks yTicks = m_y.ticks(yFrom, yTo, std::max(2, int(height() / (metrics.height() * 2.2))));
    double widest = 0;
    for (const auto &[at, label] : yTicks)
        widest = std::max(widest, metrics.horizontalAdvance(label));
    const double line = metrics.height();
    const double left = widest + 14 + (m_yAxis->titleText().isEmpty() ? 0 : line + 4);
    const double bottom = line + 9 + (m_xAxis->titleText().isEmpty() ? 0 : line + 3);
    const QRectF plot(left, 8, std::max(20.0, width() - left - 14), std::max(20.0, height() - 8 - bottom));
    chart()->setPlotArea(plot);
    putTicks(m_yAxis, yTicks, yFrom, yTo);
    putTicks(m_xAxis, m_labels ? m_labels(m_from, m_to) : m_x.ticks(m_from, m_to, std::max(2, int(plot.width() / (metrics.averageCharWidth() * 11)))),
             m_from, m_to);
    viewport()->update();
}

void PlotView::setShown(double from, double to)
{
    const double least = m_x.forward(m_x.least()), most = m_x.forward(m_x.most());
    const double width = std::clamp(to - from, (most - least) * 1e-4, most - least);
    m_from = std::clamp(from, least, most - width);
    m_to = m_from + width;
    m_zoomed = width < (most - least) * 0.999;
    arrange();
}

void PlotView::showAll()
{
    setShown(m_x.forward(m_x.least()), m_x.forward(m_x.most()));
}

void PlotView::reveal(double value)
{
    const double at = m_x.forward(value), width = m_to - m_from;
    if (m_zoomed && (at < m_from || at > m_to))
        setShown(at - width / 2, at + width / 2);
}

QRectF PlotView::area() const { return chart()->plotArea(); }

double PlotView::xOf(double value) const
{
    const QRectF plot = area();
    return plot.left() + (m_x.forward(value) - m_from) / (m_to - m_from) * plot.width();
}

double PlotView::yOf(double value) const
{
    const QRectF plot = area();
    const double from = m_y.forward(m_y.least()), to = m_y.forward(m_y.most());
    return plot.bottom() - (m_y.forward(value) - from) / (to - from) * plot.height();
}

double PlotView::xAt(double pixel) const
{
    const QRectF plot = area();
    return m_x.backward(m_from + (pixel - plot.left()) / plot.width() * (m_to - m_from));
}

void PlotView::drawForeground(QPainter *painter, const QRectF &)
{
    if (paintMarks) {
        painter->save();
        painter->setFont(m_xAxis->labelsFont());
        painter->setClipRect(area().adjusted(-7, -8, 7, 1));
        paintMarks(*painter);
        painter->restore();
    }
    if (hasFocus()) {
        painter->setPen(QPen(m_focusColor, 1, Qt::DotLine));
        painter->setBrush(Qt::NoBrush);
        painter->drawRect(area().adjusted(-0.5, -0.5, 0.5, 0.5));
    }
}

void PlotView::resizeEvent(QResizeEvent *event)
{
    QChartView::resizeEvent(event);
    arrange();
}

void PlotView::wheelEvent(QWheelEvent *event)
{
    const QPoint delta = event->angleDelta();
    const double width = m_to - m_from;
    if (delta.x() != 0 || event->modifiers() & Qt::ShiftModifier) {
        const double shift = -double(delta.x() != 0 ? delta.x() : delta.y()) / 120 * width * 0.1;
        setShown(m_from + shift, m_to + shift);
    } else if (delta.y() != 0) {
        const QRectF plot = area();
        const double part = std::clamp((event->position().x() - plot.left()) / plot.width(), 0.0, 1.0);
        const double wider = width * std::pow(0.8, double(delta.y()) / 120);
        setShown(m_from + part * (width - wider), m_from + part * (width - wider) + wider);
    }
    event->accept();
}

void PlotView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        Q_EMIT pressed(event->position());
}

void PlotView::mouseMoveEvent(QMouseEvent *event)
{
    Q_EMIT moved(event->position());
}

void PlotView::mouseReleaseEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        Q_EMIT released(event->position());
}

void PlotView::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        showAll();
}

void PlotView::keyPressEvent(QKeyEvent *event)
{
    if (handleKey && handleKey(event, true))
        return event->accept();
    event->ignore();
}

void PlotView::keyReleaseEvent(QKeyEvent *event)
{
    if (handleKey && handleKey(event, false))
        return event->accept();
    event->ignore();
}

void PlotView::focusInEvent(QFocusEvent *event)
{
    QChartView::focusInEvent(event);
    viewport()->update();
}

void PlotView::focusOutEvent(QFocusEvent *event)
{
    QChartView::focusOutEvent(event);
    viewport()->update();
}

bool PlotView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const QString text = toolTipAt ? toolTipAt(help->pos()) : QString();
        if (text.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), text, this);
        return true;
    }
    return QChartView::viewportEvent(event);
}

} // namespace widgets
