#include "widgets/charts/curves_chart.h"

#include "widgets/tables/csv.h"

#include <QToolButton>

#include <algorithm>
#include <cmath>
#include <map>

namespace widgets {
namespace {

constexpr std::size_t mostPoints = 8192;   // of one curve
constexpr std::size_t dottedPoints = 64;   // so few points are drawn one by one, too
constexpr double legendRoom = 5;           // times the usual distance of the highest point from the edge
constexpr int flat = 150;                  // pixels: below, the name of the axis finds no room
constexpr Qt::PenStyle styles[] = {Qt::SolidLine, Qt::DashLine, Qt::DotLine, Qt::DashDotLine};

} // namespace

CurvesChart::CurvesChart(QWidget *parent) : CurvesChart(tr("Curves"), tr("How the figures of a run develop, step by step"), parent) {}

CurvesChart::CurvesChart(const QString &name, const QString &description, QWidget *parent)
    : ChartPanel(name, description, parent), m_title(name), m_emptySentence(tr("Curves appear here while a training run is on."))
{
    m_log = addToggle(tr("log y"), tr("Logarithmic values; what is not above zero is drawn at the foot"), false);
    connect(m_log, &QToolButton::toggled, this, &CurvesChart::refresh);
    m_timer.setSingleShot(true);
    m_timer.setInterval(50);
    connect(&m_timer, &QTimer::timeout, this, &CurvesChart::refresh);
    plot()->paintMarks = [this](QPainter &painter) { paint(painter); };
    plot()->toolTipAt = [this](QPointF position) { return toolTipAt(position); };
    clear();
}

QStringList CurvesChart::names() const
{
    QStringList list;
    for (const Curve &curve : m_curves)
        list << curve.name;
    return list;
}

void CurvesChart::clear()
{
    m_curves.clear();
    m_timer.stop();
    m_mark = -1;
    setHeading(m_title);
    setEmptyText(m_emptySentence);
}

void CurvesChart::setEmptySentence(const QString &sentence)
{
    m_emptySentence = sentence;
    if (m_curves.empty())
        setEmptyText(sentence);
}

void CurvesChart::offerRelative()
{
    m_relative = addToggle(tr("relative"), tr("Each curve as a multiple of its first value, so that small and large ones can be seen beside each other"), true);
    connect(m_relative, &QToolButton::toggled, this, &CurvesChart::refresh);
}

double CurvesChart::unitOf(const Curve &curve) const
{
    const double first = curve.points.front().y();
    return m_relative && m_relative->isChecked() && first != 0 ? first : 1;
}

void CurvesChart::resizeEvent(QResizeEvent *event)
{
    ChartPanel::resizeEvent(event);
    if (!m_curves.empty() && !m_timer.isActive())
        m_timer.start();
}

void CurvesChart::setReferences(const std::vector<Reference> &references)
{
    if (references == m_references)
        return;
    m_references = references;
    std::erase_if(m_references, [](const Reference &line) { return !std::isfinite(line.value); });
    refresh();
}

void CurvesChart::setMark(double step, const QString &name)
{
    m_mark = step;
    m_markName = name;
    plot()->viewport()->update();
}

void CurvesChart::append(const QString &name, double step, double value)
{
    if (!std::isfinite(value))
        return;
    auto curve = std::find_if(m_curves.begin(), m_curves.end(), [&](const Curve &c) { return c.name == name; });
    if (curve == m_curves.end())
        curve = m_curves.insert(m_curves.end(), {name, {}});
    curve->points.emplace_back(step, value);
    if (curve->points.size() > mostPoints) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < curve->points.size(); i += 2)
            curve->points[kept++] = curve->points[i];
        curve->points.resize(kept);
    }
    if (!m_timer.isActive())
        m_timer.start();
}

void CurvesChart::refresh()
{
    if (m_curves.empty())
        return;
    double first = m_curves.front().points.front().x(), last = first, low = m_curves.front().points.front().y() / unitOf(m_curves.front()), high = low, positive = 0;
    QString latest;
    for (const Curve &curve : m_curves) {
        first = std::min(first, curve.points.front().x());
        last = std::max(last, curve.points.back().x());
        const double unit = unitOf(curve);
        for (const QPointF &point : curve.points) {
            const double y = point.y() / unit;
            low = std::min(low, y);
            high = std::max(high, y);
            if (y > 0)
                positive = positive > 0 ? std::min(positive, y) : y;
        }
        latest += (latest.isEmpty() ? QString() : QStringLiteral(", ")) + curve.name + QLatin1Char(' ') + plainNumber(curve.points.back().y()) + m_unit;
    }
    for (const Reference &line : m_references) {
        low = std::min(low, line.value);
        high = std::max(high, line.value);
    }
    setEmptyText({});
    setHeading(latest);
    setSummary(tr("%1 at step %2").arg(latest, plainNumber(last, 7)));
    const double pad = high > low + 1e-9 * std::fabs(high) ? (high - low) * 0.06 : std::max(std::fabs(high), 1.0) * 0.1;
    if (m_log->isChecked() && positive > 0)
        plot()->setY(PlotScale(ScaleKind::Log10, positive * 0.8, high * 1.25), {});
    else
        plot()->setY(PlotScale(ScaleKind::Linear, low - pad, high + (m_curves.size() > 1 ? legendRoom : 1) * pad), {});
    if (!plot()->isZoomed())
        plot()->setX(PlotScale(ScaleKind::Linear, first, std::max(last, first + 1)), plot()->height() < flat ? QString() : tr("step"));
    plot()->viewport()->update();
}

void CurvesChart::paint(QPainter &painter)
{
    const QRectF area = plot()->area();
    if (m_mark >= 0 && plot()->xOf(m_mark) >= area.left() && plot()->xOf(m_mark) <= area.right()) {
        painter.setPen(QPen(theme().mutedText, 1, Qt::DotLine));
        painter.drawLine(QPointF(plot()->xOf(m_mark), area.top()), QPointF(plot()->xOf(m_mark), area.bottom()));
    }
    paintReferences(painter);
    for (std::size_t i = 0; i < m_curves.size(); ++i) {
        QPolygonF line;
        // Of the points that fall on one pixel the first, the extremes and the last are drawn.
        double column = -1e9, least = 0, most = 0;
        const double unit = unitOf(m_curves[i]);
        for (const QPointF &point : m_curves[i].points) {
            const double px = plot()->xOf(point.x()), py = plot()->yOf(point.y() / unit);
            if (px - column >= 1) {
                column = px;
                least = most = py;
                line << QPointF(px, py);
            } else if (py < least || py > most) {
                least = std::min(least, py);
                most = std::max(most, py);
                line << QPointF(px, py);
            }
        }
        const QColor color = theme().series(int(i));
        painter.setPen(QPen(color, 1.6, styles[i % 4]));
        painter.setBrush(Qt::NoBrush);
        painter.drawPolyline(line);
        if (m_curves[i].points.size() <= dottedPoints) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(color);
            for (const QPointF &point : line)
                painter.drawEllipse(point, 2.5, 2.5);
        }
    }
    if (m_curves.size() > 1)
        paintLegend(painter);
}

void CurvesChart::paintReferences(QPainter &painter) const
{
    const QRectF area = plot()->area();
    const QFontMetricsF metrics(painter.font());
    double above = area.bottom() + 100;
    std::vector<Reference> sorted = m_references;
    std::sort(sorted.begin(), sorted.end(), [](const Reference &a, const Reference &b) { return a.value < b.value; });
    for (const Reference &line : sorted) {
        const double y = plot()->yOf(line.value);
        painter.setPen(QPen(theme().text, 1, Qt::DashLine));
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        const QString text = QStringLiteral("%1 %2%3").arg(line.name, plainNumber(line.value), m_unit);
        // Above the line; below it where there is no room, and never over the label before.
        double top = y - metrics.height() - 1 < area.top() ? y + 1 : y - metrics.height() - 1;
        top = std::min(top, above - metrics.height());
        above = top;
        const double width = metrics.horizontalAdvance(text);
        QColor back = theme().base;
        back.setAlpha(215);
        painter.fillRect(QRectF(area.right() - width - 6, top, width + 5, metrics.height()), back);
        painter.setPen(theme().text);
        painter.drawText(QPointF(area.right() - width - 4, top + metrics.ascent()), text);
    }
}

void CurvesChart::paintLegend(QPainter &painter) const
{
    const QRectF area = plot()->area();
    const QFontMetricsF metrics(painter.font());
    double x = area.left() + 8, y = area.top() + 2;
    for (std::size_t i = 0; i < m_curves.size(); ++i) {
        const double width = metrics.horizontalAdvance(m_curves[i].name);
        if (x + width + 32 > area.right() && x > area.left() + 8) {
            x = area.left() + 8;
            y += metrics.height();
        }
        QColor back = theme().base;
        back.setAlpha(215);
        painter.fillRect(QRectF(x - 3, y, width + 32, metrics.height()), back);
        painter.setPen(QPen(theme().series(int(i)), 1.6, styles[i % 4]));
        painter.drawLine(QPointF(x, y + metrics.height() / 2), QPointF(x + 20, y + metrics.height() / 2));
        painter.setPen(theme().text);
        painter.drawText(QPointF(x + 25, y + metrics.ascent()), m_curves[i].name);
        x += width + 38;
    }
}

QString CurvesChart::toolTipAt(QPointF position) const
{
    if (isEmpty() || !plot()->area().contains(position))
        return {};
    const double step = plot()->xAt(position.x());
    QString text = tr("step %1").arg(plainNumber(std::round(step), 7));
    for (const Curve &curve : m_curves) {
        const auto after = std::lower_bound(curve.points.begin(), curve.points.end(), step, [](const QPointF &p, double s) { return p.x() < s; });
        text += QLatin1Char('\n') + curve.name + QStringLiteral(": ") + plainNumber((after == curve.points.end() ? curve.points.back() : *after).y()) + m_unit;
    }
    if (m_mark >= 0 && !m_markName.isEmpty())
        text += QStringLiteral("\n%1: %2").arg(m_markName, tr("step %1").arg(plainNumber(m_mark, 7)));
    return text;
}

QString CurvesChart::csv() const
{
    QStringList heading{QStringLiteral("step")};
    std::map<double, QStringList> rows;
    for (std::size_t i = 0; i < m_curves.size(); ++i) {
        heading << m_curves[i].name;
        for (const QPointF &point : m_curves[i].points) {
            QStringList &row = rows[point.x()];
            row.resize(qsizetype(m_curves.size()));
            row[qsizetype(i)] = csvNumber(point.y());
        }
    }
    QString text = csvLine(heading);
    for (const auto &[step, fields] : rows)
        text += csvLine(QStringList{csvNumber(step)} + fields);
    return text;
}

} // namespace widgets
