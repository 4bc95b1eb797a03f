#include "widgets/charts/accuracy_chart.h"

#include "widgets/tables/csv.h"

#include <QComboBox>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

constexpr int kinds = 3;
QString kindName(int kind) { return kind == 0 ? AccuracyChart::tr("float") : kind == 1 ? AccuracyChart::tr("quantized") : AccuracyChart::tr("exported file"); }

} // namespace

AccuracyChart::AccuracyChart(QWidget *parent)
    : IndexedChart(tr("Accuracy"), tr("Accuracy of the float model, the quantized model and the exported file, for every run"), parent)
{
    m_metric = new QComboBox(this);
    m_metric->addItems({tr("Top-1"), tr("Top-5"), tr("Agreement with float")});
    m_metric->setAccessibleName(tr("Metric"));
    m_metric->setToolTip(tr("Which accuracy is shown"));
    addTool(m_metric);
    m_close = addToggle(tr("Close-up"), tr("The axis begins below the lowest bar instead of at 0: small differences become visible"), false);
    connect(m_metric, &QComboBox::currentIndexChanged, this, &AccuracyChart::rebuild);
    connect(m_close, &QToolButton::toggled, this, &AccuracyChart::rebuild);
    listen();
    rebuild();
}

AccuracyChart::Metric AccuracyChart::metric() const { return Metric(m_metric->currentIndex()); }
void AccuracyChart::setMetric(Metric metric) { m_metric->setCurrentIndex(metric); }

double AccuracyChart::valueOf(const RunRow &run, int kind, Metric metric) const
{
    const RunFigures &figures = kind == 0 ? run.floating : kind == 1 ? run.ptq : run.exported;
    return metric == Top1 ? figures.top1 : metric == Top5 ? figures.top5 : figures.agreement;
}

void AccuracyChart::setRuns(const std::shared_ptr<const RunTable> &runs)
{
    m_runs = runs ? runs : std::make_shared<const RunTable>();
    const auto has = [&](Metric metric) {
        return std::any_of(m_runs->begin(), m_runs->end(), [&](const RunRow &run) {
            return !std::isnan(valueOf(run, 0, metric)) || !std::isnan(valueOf(run, 1, metric)) || !std::isnan(valueOf(run, 2, metric));
        });
    };
    // Without labels there is only agreement.
    if (!m_runs->empty() && !has(metric()))
        for (const Metric other : {Top1, Top5, Agreement})
            if (has(other)) {
                setMetric(other);
                break;
            }
    rebuild();
}

void AccuracyChart::rebuild()
{
    double least = 100;
    bool any = false;
    for (const RunRow &run : *m_runs)
        for (int kind = 0; kind < kinds; ++kind)
            if (const double value = valueOf(run, kind, metric()); !std::isnan(value)) {
                least = std::min(least, value);
                any = true;
            }
    if (!any)
        setHeading({});
    if (!any)
        return setEmptyText(m_runs->empty() ? tr("Run (F5) to compare the accuracy of float, quantized and exported model.")
                                            : tr("%1 was not measured. %2").arg(m_metric->currentText(),
                                                  metric() == Agreement ? tr("Evaluate a run to see it.") : tr("Label the images (folders or a label file) to see it.")));
    setEmptyText({});
    const RunRow &last = m_runs->back();
    setHeading(tr("%1 — %2: float %3, quantized %4, exported file %5").arg(m_metric->currentText(), last.name, percentText(valueOf(last, 0, metric())),
                                                                     percentText(valueOf(last, 1, metric())), percentText(valueOf(last, 2, metric()))));
    setSummary(heading());
    const double from = m_close->isChecked() ? std::max(0.0, std::floor(least - (100 - least) * 0.15 - 1)) : 0;
    plot()->setY(PlotScale(ScaleKind::Linear, from, 100 + (100 - from) * 0.12), QStringLiteral("%"));
    fitSlots({});
}

void AccuracyChart::paintSlots(QPainter &painter)
{
    const auto [first, last] = shownSlots();
    const QRectF area = plot()->area();
    const QColor colors[kinds] = {theme().fill(DtypeClass::Float32), theme().quantizedLine, theme().series(2)};
    const QFontMetricsF metrics(painter.font());
    for (int slot = first; slot <= last; ++slot) {
        const RunRow &run = (*m_runs)[std::size_t(slot)];
        const QRectF place = slotRect(slot);
        const double width = std::min(place.width() * 0.8 / kinds, 90.0), left = place.center().x() - width * kinds / 2;
        for (int kind = 0; kind < kinds; ++kind) {
            const double value = valueOf(run, kind, metric());
            if (std::isnan(value))
                continue;
            const double top = std::clamp(plot()->yOf(value), area.top(), area.bottom());
            const QRectF bar(left + kind * width + 1, top, width - 2, area.bottom() - top);
            QColor fill = colors[kind];
            if (run.stale)
                fill.setAlpha(110);
            painter.setPen(QPen(kind == 0 ? theme().outlineOf(DtypeClass::Float32) : theme().outline, 1));
            painter.setBrush(fill);
            painter.drawRect(bar);
            const QString text = QString::number(value, 'f', value == 100 ? 0 : 1);
            if (width >= metrics.horizontalAdvance(text) * 0.8) {
                painter.setPen(theme().text);
                painter.drawText(QRectF(bar.center().x() - 40, top - metrics.height() - 1, 80, metrics.height()), Qt::AlignCenter, text);
            }
        }
        if (slot == currentSlot() || slot == hovered()) {
            painter.setPen(QPen(theme().selection, 2));
            painter.drawLine(QPointF(left, area.bottom() - 1), QPointF(left + width * kinds, area.bottom() - 1));
        }
    }
    double x = area.left() + 10;
    const double y = area.top() + 1;
    for (int kind = 0; kind < kinds; ++kind) {
        const double width = metrics.horizontalAdvance(kindName(kind));
        painter.fillRect(QRectF(x - 4, y - 1, width + 30, metrics.height() + 2), theme().base);
        painter.setPen(QPen(kind == 0 ? theme().outlineOf(DtypeClass::Float32) : theme().outline, 1));
        painter.setBrush(colors[kind]);
        painter.drawRect(QRectF(x, y + 3, 12, metrics.height() - 6));
        painter.setPen(theme().text);
        painter.drawText(QPointF(x + 17, y + metrics.ascent()), kindName(kind));
        x += width + 34;
    }
}

QString AccuracyChart::slotToolTip(int slot) const
{
    const RunRow &run = (*m_runs)[std::size_t(slot)];
    QString text = run.recipeSummary.isEmpty() ? run.name : tr("%1 (%2)").arg(run.name, run.recipeSummary);
    for (int kind = 0; kind < kinds; ++kind)
        text += tr("\n%1: top-1 %2, top-5 %3, agreement %4").arg(kindName(kind), percentText(valueOf(run, kind, Top1)), percentText(valueOf(run, kind, Top5)),
                                                                percentText(valueOf(run, kind, Agreement)));
    return run.stale ? text + tr("\nOf older settings.") : text;
}

void AccuracyChart::slotChosen(int slot, bool) { Q_EMIT runChosen(slot); }

QString AccuracyChart::csv() const
{
    QString text = csvLine({QStringLiteral("run"), QStringLiteral("model"), QStringLiteral("top1"), QStringLiteral("top5"), QStringLiteral("agreement")});
    for (const RunRow &run : *m_runs)
        for (int kind = 0; kind < kinds; ++kind) {
            const RunFigures &f = kind == 0 ? run.floating : kind == 1 ? run.ptq : run.exported;
            text += csvLine({run.name, kind == 0 ? QStringLiteral("float") : kind == 1 ? QStringLiteral("ptq") : QStringLiteral("exported"), csvNumber(f.top1),
                             csvNumber(f.top5), csvNumber(f.agreement)});
        }
    return text;
}

} // namespace widgets
