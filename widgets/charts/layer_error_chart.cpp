#include "widgets/charts/layer_error_chart.h"

#include "widgets/tables/csv.h"

#include <QComboBox>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

QString unitOf(Overlay metric)
{
    switch (metric) {
    case Overlay::Clipping: return QStringLiteral("%");
    case Overlay::Sensitivity: return {};
    default: return QStringLiteral("dB");
    }
}

double shownValue(const LayerFacts &facts, Overlay metric) { return overlayValue(facts, metric) * (metric == Overlay::Clipping ? 100 : 1); }

} // namespace

LayerErrorChart::LayerErrorChart(NodeSelection *selection, QWidget *parent)
    : IndexedChart(tr("Layer error"), tr("Error of every layer, quantized against float; the worst tenth carries a triangle"), parent), m_selection(selection)
{
    m_metric = new QComboBox(this);
    for (const Overlay overlay : {Overlay::ActivationSqnr, Overlay::WeightSqnr, Overlay::Clipping, Overlay::Sensitivity, Overlay::Difference})
        m_metric->addItem(overlayName(overlay), int(overlay));
    m_metric->setAccessibleName(tr("Metric"));
    m_metric->setToolTip(tr("What the bars show"));
    m_sort = new QComboBox(this);
    m_sort->addItems({tr("In graph order"), tr("Worst first")});
    m_sort->setAccessibleName(tr("Order"));
    m_sort->setToolTip(tr("Order of the bars"));
    addTool(m_metric);
    addTool(m_sort);
    connect(m_metric, &QComboBox::currentIndexChanged, this, &LayerErrorChart::rebuild);
    connect(m_sort, &QComboBox::currentIndexChanged, this, &LayerErrorChart::rebuild);
    connect(m_selection, &NodeSelection::selectionChanged, this, &LayerErrorChart::takeSelection);
    listen();
    rebuild();
}

Overlay LayerErrorChart::metric() const { return Overlay(m_metric->currentData().toInt()); }

void LayerErrorChart::setMetric(Overlay metric)
{
    if (const int index = m_metric->findData(int(metric)); index >= 0)
        m_metric->setCurrentIndex(index);
}

void LayerErrorChart::setWorstFirst(bool worstFirst) { m_sort->setCurrentIndex(worstFirst ? 1 : 0); }

void LayerErrorChart::setLayers(const std::shared_ptr<const LayerTable> &table)
{
    m_table = table ? table : std::make_shared<const LayerTable>();
    rebuild();
}

void LayerErrorChart::rebuild()
{
    m_goodness = goodnessOf(*m_table, metric());
    m_rows.clear();
    double low = 0, high = 0, total = 0;
    int finite = 0;
    for (std::size_t row = 0; row < m_table->size(); ++row) {
        const double value = shownValue((*m_table)[row], metric());
        if (std::isnan(value))
            continue;
        m_rows.push_back(int(row));
        if (!std::isfinite(value))
            continue;
        low = std::min(low, value);
        high = std::max(high, value);
        total += value;
        ++finite;
    }
    if (m_rows.empty())
        return setEmptyText(m_table->empty() ? tr("Open a model and run it (F5) to see which layers lose most.")
                                             : tr("%1 is not known yet. Run (F5) to measure it.").arg(overlayName(metric())));
    if (m_sort->currentIndex() == 1)
        std::stable_sort(m_rows.begin(), m_rows.end(), [&](int a, int b) {
            const double x = shownValue((*m_table)[std::size_t(a)], metric()), y = shownValue((*m_table)[std::size_t(b)], metric());
            return higherIsBetter(metric()) ? x < y : x > y;
        });
    setEmptyText({});
    const int worst = int(std::count(m_goodness.worstTenth.begin(), m_goodness.worstTenth.end(), true));
    const QString unit = unitOf(metric());
    setHeading(tr("%1 of %2 layers — mean %3 %4, worst %5 marked ▲").arg(overlayName(metric())).arg(m_rows.size())
                   .arg(plainNumber(finite ? total / finite : 0, 3), unit).arg(worst));
    setSummary(heading());
    const double room = (high - low) * 0.14;
    plot()->setY(PlotScale(ScaleKind::Linear, low < 0 ? low - room : 0, high > low ? high + room : low + 1), unit.isEmpty() ? overlayName(metric()) : unit);
    fitSlots({});
    takeSelection();
}

void LayerErrorChart::takeSelection()
{
    int current = -1;
    for (int slot = 0; slot < slotCount() && current < 0; ++slot)
        if (facts(slot).node == m_selection->current())
            current = slot;
    setCurrentSlot(current);
}

void LayerErrorChart::paintSlots(QPainter &painter)
{
    const auto [first, last] = shownSlots();
    const QRectF area = plot()->area();
    const double zero = std::min(plot()->yOf(0), area.bottom());
    std::vector<QRectF> selected;
    painter.setRenderHint(QPainter::Antialiasing, slotRect(0).width() > 3); // thousands of smoothed edges would take a tenth of a second
    for (int slot = first; slot <= last; ++slot) {
        const LayerFacts &layer = facts(slot);
        const std::size_t row = std::size_t(m_rows[std::size_t(slot)]);
        const double value = shownValue(layer, metric());
        const double top = std::isinf(value) ? area.top() : plot()->yOf(value);
        const QRectF place = slotRect(slot);
        const double gap = place.width() > 4 ? place.width() * 0.12 : 0;
        const QRectF bar(place.left() + gap, std::min(top, zero), std::max(place.width() - 2 * gap, 1.0), std::max(std::fabs(zero - top), 1.0));
        QColor fill = theme().metric(m_goodness.values[row]);
        if (layer.stale)
            fill.setAlpha(110);
        painter.fillRect(bar, fill);
        if (place.width() > 3) {
            // The best end of the colours is close to the dark background.
            painter.setPen(QPen(theme().isDark ? theme().edge : theme().outline, 1));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, 0));
        }
        if (std::isinf(value) && place.width() > 9) {
            painter.setPen(theme().textOn(fill));
            painter.drawText(QRectF(bar.left(), bar.top() + 2, bar.width(), 14), Qt::AlignCenter, QStringLiteral("∞"));
        }
        if (m_goodness.worstTenth[row]) {
            const double x = bar.center().x(), y = bar.top() - 3, half = std::clamp(place.width() / 2, 2.5, 5.0);
            painter.setPen(Qt::NoPen);
            painter.setBrush(theme().problem);
            painter.drawPolygon(QPolygonF({{x, y - 2 * half}, {x + half, y}, {x - half, y}}));
        }
        if (m_selection->contains(layer.node))
            selected.push_back(bar);
    }
    painter.setPen(QPen(theme().selection, 2));
    painter.setBrush(Qt::NoBrush);
    for (const QRectF &bar : selected) {
        if (bar.width() < 3) {
            painter.fillRect(QRectF(bar.left(), bar.top() - 2, std::max(bar.width(), 1.0), 3), theme().selection);
            painter.fillRect(QRectF(bar.left() - 0.5, area.bottom() - 4, bar.width() + 1, 4), theme().selection);
            continue;
        }
        painter.drawRect(bar.adjusted(-1, -1, 1, 0));
        painter.drawLine(QPointF(bar.left() - 1, area.bottom() - 1), QPointF(bar.right() + 1, area.bottom() - 1));
    }
    painter.setRenderHint(QPainter::Antialiasing);
    const int named = hovered() >= 0 ? hovered() : currentSlot();
    if (named >= first && named <= last) {
        const double value = shownValue(facts(named), metric());
        paintNote(painter, named, (std::isinf(value) ? area.top() : plot()->yOf(value)) - 8,
                  tr("%1  %2").arg(slotName(named), overlayText(facts(named), metric())));
    }
}

QString LayerErrorChart::slotToolTip(int slot) const
{
    const LayerFacts &layer = facts(slot);
    QString text = tr("%1 (%2, %3)\n%4: %5").arg(layer.name, layer.opType, layer.badge, overlayName(metric()), overlayText(layer, metric()));
    if (layer.stale)
        text += tr("\nOf older settings; run again to renew it.");
    return text;
}

void LayerErrorChart::slotChosen(int slot, bool add)
{
    const core::NodeId node = facts(slot).node;
    if (add)
        return m_selection->toggle(node);
    if (m_selection->nodes() == NodeSelection::Nodes{node})
        return Q_EMIT nodeActivated(node);
    m_selection->select({node}, node);
}

QString LayerErrorChart::csv() const
{
    QString text = csvLine({QStringLiteral("layer"), QStringLiteral("operator"), QStringLiteral("type"), QStringLiteral("activation_sqnr_db"),
                            QStringLiteral("weight_sqnr_db"), QStringLiteral("clipped_share"), QStringLiteral("sensitivity")});
    for (int slot = 0; slot < slotCount(); ++slot) {
        const LayerFacts &layer = facts(slot);
        text += csvLine({layer.name, layer.opType, layer.badge, csvNumber(layer.activationSqnr), csvNumber(layer.weightSqnr), csvNumber(layer.clipped),
                         csvNumber(layer.sensitivity)});
    }
    return text;
}

} // namespace widgets
