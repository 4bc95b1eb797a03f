#include "widgets/charts/ranges_chart.h"

#include "widgets/tables/csv.h"

#include <QComboBox>
#include <QStandardItemModel>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace widgets {

RangesChart::RangesChart(QWidget *parent)
    : IndexedChart(tr("Ranges"), tr("Minimum and maximum of every tensor or channel, and the range chosen for it"), parent)
{
    m_show = new QComboBox(this);
    m_show->addItems({tr("All tensors"), tr("Activations"), tr("Weights"), tr("Channels")});
    m_show->setAccessibleName(tr("What is shown"));
    m_show->setToolTip(tr("Which ranges are shown"));
    m_show->setCurrentIndex(Activations);
    m_sort = new QComboBox(this);
    m_sort->addItems({tr("In graph order"), tr("Widest first")});
    m_sort->setAccessibleName(tr("Order"));
    m_sort->setToolTip(tr("Order of the bars"));
    addTool(m_show);
    addTool(m_sort);
    m_log = addToggle(tr("log₂ y"), tr("Logarithmic values on both sides of zero"), false);
    connect(m_show, &QComboBox::currentIndexChanged, this, &RangesChart::rebuild);
    connect(m_sort, &QComboBox::currentIndexChanged, this, &RangesChart::rebuild);
    connect(m_log, &QToolButton::toggled, this, &RangesChart::rebuild);
    listen();
    setChannels({}, {});
}

RangesChart::Show RangesChart::shown() const { return Show(m_show->currentIndex()); }
void RangesChart::setShown(Show show) { m_show->setCurrentIndex(show); }
void RangesChart::setSortedByWidth(bool sorted) { m_sort->setCurrentIndex(sorted ? 1 : 0); }

void RangesChart::setTable(const std::shared_ptr<const RangeTable> &table)
{
    m_table = table ? table : std::make_shared<const RangeTable>();
    rebuild();
}

void RangesChart::setChannels(const QString &tensor, const std::vector<core::ChannelStatistics> &channels)
{
    m_channelTensor = tensor;
    m_channels = channels;
    qobject_cast<QStandardItemModel *>(m_show->model())->item(Channels)->setEnabled(!channels.empty());
    if (channels.empty() && shown() == Channels)
        m_show->setCurrentIndex(Activations);
    rebuild();
}

void RangesChart::setCurrent(core::ValueId value)
{
    m_marked = value;
    plot()->viewport()->update();
}

void RangesChart::rebuild()
{
    m_bars.clear();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    if (shown() == Channels) {
        for (std::size_t c = 0; c < m_channels.size(); ++c)
            if (m_channels[c].count > 0)
                m_bars.push_back({tr("channel %1").arg(c), int(c), m_channels[c].min, m_channels[c].max, {nan, nan}});
    } else {
        for (std::size_t i = 0; i < m_table->size(); ++i) {
            const RangeRow &row = (*m_table)[i];
            if (std::isfinite(row.seenMin) && std::isfinite(row.seenMax) && (shown() == Tensors || row.constant == (shown() == Weights)))
                m_bars.push_back({row.tensor, int(i), row.seenMin, row.seenMax, row.chosen});
        }
    }
    if (m_sort->currentIndex() == 1)
        std::stable_sort(m_bars.begin(), m_bars.end(), [](const Bar &a, const Bar &b) { return a.width() > b.width(); });
    setCurrentSlot(-1);
    if (m_bars.empty())
        return setEmptyText(shown() == Channels ? tr("This tensor has no statistics per channel.")
                                                : tr("Ranges appear here after calibration (F5)."));
    double low = 0, high = 0, smallest = std::numeric_limits<double>::infinity(), widest = 0, narrowest = smallest;
    for (const Bar &bar : m_bars) {
        low = std::min(low, bar.min);
        high = std::max(high, bar.max);
        if (const double reach = std::max(std::fabs(bar.min), std::fabs(bar.max)); reach > 0)
            smallest = std::min(smallest, reach);
        if (bar.width() > 0)
            narrowest = std::min(narrowest, bar.width());
        widest = std::max(widest, bar.width());
    }
    const double reach = std::max({-low, high, 1e-30});
    setEmptyText({});
    const QString ratio = widest > 0 ? tr("widest to narrowest %1×").arg(plainNumber(widest / narrowest, 3)) : QString();
    setHeading(shown() == Channels ? tr("%1 — %2 channels, %3").arg(m_channelTensor).arg(m_bars.size()).arg(ratio)
                                   : tr("%1 tensors, %2").arg(m_bars.size()).arg(ratio));
    setSummary(heading());
    if (m_log->isChecked())
        plot()->setY(PlotScale(ScaleKind::SignedLog2, low < 0 ? low * 1.2 : 0, high > 0 ? high * 1.2 : 0, std::max(smallest / 4, reach * 0x1p-16)), tr("value (log₂)"));
    else
        plot()->setY(PlotScale(ScaleKind::Linear, low < 0 ? low - 0.04 * reach : 0, high > 0 ? high + 0.04 * reach : 0), tr("value"));
    fitSlots({});
}

void RangesChart::paintSlots(QPainter &painter)
{
    const auto [first, last] = shownSlots();
    const double zero = plot()->yOf(0);
    painter.setPen(QPen(theme().edge, 1));
    painter.drawLine(QPointF(plot()->area().left(), zero), QPointF(plot()->area().right(), zero));
    painter.setRenderHint(QPainter::Antialiasing, slotRect(0).width() > 3);
    for (int slot = first; slot <= last; ++slot) {
        const Bar &bar = m_bars[std::size_t(slot)];
        const QRectF place = slotRect(slot);
        const double gap = place.width() > 4 ? place.width() * 0.15 : 0;
        const QRectF box(place.left() + gap, plot()->yOf(bar.max), std::max(place.width() - 2 * gap, 1.0), std::max(plot()->yOf(bar.min) - plot()->yOf(bar.max), 1.0));
        const bool marked = shown() != Channels && m_marked.valid() && (*m_table)[std::size_t(bar.source)].value == m_marked;
        QColor fill = slot == hovered() || slot == currentSlot() || marked ? theme().selection : theme().floatLine;
        fill.setAlpha(marked || slot == currentSlot() ? 190 : 120);
        painter.fillRect(box, fill);
        if (!std::isfinite(bar.chosen.min) || !std::isfinite(bar.chosen.max))
            continue;
        painter.setPen(QPen(theme().clipLine, 2));
        for (const double end : {bar.chosen.min, bar.chosen.max})
            if (end != 0)
                painter.drawLine(QPointF(box.left() - gap * 0.6, plot()->yOf(end)), QPointF(box.right() + gap * 0.6, plot()->yOf(end)));
    }
    painter.setRenderHint(QPainter::Antialiasing);
    if (hovered() >= 0)
        paintNote(painter, hovered(), plot()->yOf(m_bars[std::size_t(hovered())].max), tr("%1: %2 to %3").arg(slotName(hovered()),
                  plainNumber(m_bars[std::size_t(hovered())].min), plainNumber(m_bars[std::size_t(hovered())].max)));
}

QString RangesChart::slotToolTip(int slot) const
{
    const Bar &bar = m_bars[std::size_t(slot)];
    QString text = tr("%1\nseen %2 to %3").arg(bar.name, plainNumber(bar.min, 5), plainNumber(bar.max, 5));
    if (std::isfinite(bar.chosen.min))
        text += tr("\nclips at %1 and %2 (%3)").arg(plainNumber(bar.chosen.min, 5), plainNumber(bar.chosen.max, 5), (*m_table)[std::size_t(bar.source)].observer);
    return text;
}

void RangesChart::slotChosen(int slot, bool)
{
    const Bar &bar = m_bars[std::size_t(slot)];
    if (shown() == Channels)
        return Q_EMIT channelChosen(bar.source);
    const RangeRow &row = (*m_table)[std::size_t(bar.source)];
    Q_EMIT tensorChosen(row.value, row.node);
}

QString RangesChart::csv() const
{
    const bool channels = shown() == Channels;
    QString text = csvLine({channels ? QStringLiteral("channel") : QStringLiteral("tensor"), QStringLiteral("min"), QStringLiteral("max"),
                            QStringLiteral("clip_min"), QStringLiteral("clip_max")});
    for (const Bar &bar : m_bars)
        text += csvLine({channels ? QString::number(bar.source) : bar.name, csvNumber(bar.min), csvNumber(bar.max), csvNumber(bar.chosen.min), csvNumber(bar.chosen.max)});
    return text;
}

} // namespace widgets
