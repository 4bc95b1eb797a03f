#include "widgets/charts/histogram_chart.h"

#include "widgets/tables/csv.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>
#include <QTreeWidget>

#include <algorithm>
#include <cmath>

namespace widgets {

HistogramChart::HistogramChart(QWidget *parent)
    : ChartPanel(tr("Histogram"), tr("Distribution of one tensor, float against quantized, with clip lines of every observer"), parent)
{
    m_showCodes = addToggle(tr("Quantized"), tr("What the codes make of the distribution, drawn as bars"), true);
    m_showObservers = addToggle(tr("Observers"), tr("Clip lines of every observer; click one to choose it"), true);
    m_logY = addToggle(tr("log y"), tr("Logarithmic counts: the tails become visible"), true);
    m_logX = addToggle(tr("log₂ x"), tr("Logarithmic values on both sides of zero"), false);
    m_channel = new QSpinBox(this);
    m_channel->setMinimum(-1);
    m_channel->setSpecialValueText(tr("all channels"));
    m_channel->setPrefix(tr("channel "));
    m_channel->setAccessibleName(tr("Channel"));
    m_channel->setToolTip(tr("Looks at one channel of the weight, or at all together"));
    m_channel->setKeyboardTracking(false);
    addTool(m_channel);
    connect(m_channel, &QSpinBox::valueChanged, this, &HistogramChart::channelChosen);
    buildSide();

    plot()->paintMarks = [this](QPainter &painter) { paint(painter); };
    plot()->toolTipAt = [this](QPointF position) { return toolTipAt(position); };
    plot()->handleKey = [this](QKeyEvent *event, bool press) { return handleKey(event, press); };
    connect(plot(), &PlotView::pressed, this, &HistogramChart::press);
    connect(plot(), &PlotView::moved, this, &HistogramChart::move);
    connect(plot(), &PlotView::released, this, &HistogramChart::release);
    for (QToolButton *button : {m_logY, m_logX})
        connect(button, &QToolButton::toggled, this, &HistogramChart::fitScales);
    for (QToolButton *button : {m_showCodes, m_showObservers})
        connect(button, &QToolButton::toggled, plot()->viewport(), qOverload<>(&QWidget::update));
    clear();
}

void HistogramChart::clear(const QString &sentence)
{
    m_subject = {};
    m_lines.clear();
    m_drag = m_pressedLine = m_hovered = -1;
    m_channel->hide();
    setHeading({});
    setEmptyText(sentence.isEmpty() ? tr("Select a layer to see the histogram of its output. Activations have one after calibration (F5); weights always.")
                                    : sentence);
}

void HistogramChart::setSubject(const HistogramSubject &subject)
{
    if (!subject.statistics || subject.statistics->count == 0)
        return clear(subject.statistics ? tr("%1 has no finite value to show.").arg(subject.title) : QString());
    if (subject.statistics->histogram.counts.empty())
        return clear(tr("Only minimum and maximum of %1 were collected (%2 to %3). Calibrate with full statistics to see its histogram.")
                         .arg(subject.title, plainNumber(subject.statistics->min), plainNumber(subject.statistics->max)));
    m_subject = subject;
    m_lines.clear();
    m_drag = m_pressedLine = m_hovered = -1;
    m_range = subject.range;
    m_observer = subject.observer;
    m_params = subject.params;
    setEmptyText({});
    const QSignalBlocker quiet(m_channel);
    m_channel->setVisible(subject.channels > 1);
    m_channel->setMaximum(std::max(subject.channels - 1, 0));
    m_channel->setValue(subject.channel);
    setHeading(tr("%1 — %2 values, %3").arg(subject.title, compactNumber(double(subject.statistics->count)), QString::fromStdString(subject.scheme.badge())));
    for (QLineEdit *edit : {m_low, m_high}) {
        edit->setEnabled(canEdit());
        edit->setToolTip(canEdit() ? tr("Type a range; the observer becomes “fixed”") : subject.whyNotEditable);
    }
    fillCurves();
    fitScales();
    fillObservers();
}

void HistogramChart::setObserverLines(const std::vector<ObserverLine> &lines)
{
    if (!m_subject.statistics)
        return;
    m_lines = lines;
    m_pressedLine = m_hovered = -1;
    if (m_drag < 0)
        fitScales();
    fillObservers();
}

void HistogramChart::setRange(const core::Range &range, core::ObserverKind observer, const std::optional<core::AffineParams> &params)
{
    if (!m_subject.statistics)
        return;
    m_drag = -1;
    m_range = range;
    m_observer = observer;
    m_params = params;
    fillCurves();
    fitScales();
    fillObservers();
}

void HistogramChart::fillCurves()
{
    const core::TensorStatistics &statistics = *m_subject.statistics;
    const core::Histogram &histogram = statistics.histogram;
    m_effect = effectOf(statistics, m_range, m_subject.scheme, m_params);
    const double width = histogram.binWidth();
    m_floatSteps.clear();
    double most = 0, zeroBin = 0;
    for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
        if (histogram.counts[bin] == 0)
            continue;
        const double left = histogram.binLeft(bin);
        m_floatSteps.push_back({left, left + width, double(histogram.counts[bin])});
        (bin == std::size_t(core::Histogram::halfBins) ? zeroBin : most) = std::max(bin == std::size_t(core::Histogram::halfBins) ? zeroBin : most,
                                                                                    double(histogram.counts[bin]));
    }
    // A spike of zeros (Relu) would flatten everything else: the linear axis ends above the other bins and says so.
    m_cutAt = most > 0 && zeroBin > 2 * most ? zeroBin : 0;
    m_mostOfBins = m_cutAt > 0 ? most : std::max(most, zeroBin);
    m_codeSteps.clear();
    if (core::isIntegerDtype(m_subject.scheme.dtype))
        for (const CodeMass &mass : dequantizedDistribution(statistics, m_effect.params)) {
            const double half = double(m_effect.params.scale) / 2;
            m_codeSteps.push_back({mass.value - half, mass.value + half, mass.count * width / (2 * half)});
        }
    fillFigures();
    plot()->viewport()->update();
}

void HistogramChart::fitScales()
{
    if (!m_subject.statistics)
        return;
    const core::TensorStatistics &statistics = *m_subject.statistics;
    double low = std::min({double(statistics.min), m_range.min, 0.0}), high = std::max({double(statistics.max), m_range.max, 0.0});
    for (const ObserverLine &line : m_lines) {
        low = std::min(low, line.range.min);
        high = std::max(high, line.range.max);
    }
    const double pad = std::max(high - low, statistics.histogram.binWidth()) * 0.03, width = statistics.histogram.binWidth();
    const bool logX = m_logX->isChecked(), logY = m_logY->isChecked();
    if (logX)
        plot()->setX(PlotScale(ScaleKind::SignedLog2, low < 0 ? low * 1.2 : -width, high > 0 ? high * 1.2 : width, width), tr("value (log₂)"));
    else
        plot()->setX(PlotScale(ScaleKind::Linear, low - pad, high + pad), tr("value"));
    if (logY)
        plot()->setY(PlotScale(ScaleKind::Log10, 0.5, std::max(10.0, std::max(m_mostOfBins, m_cutAt) * 2)), tr("values per bin"));
    else
        plot()->setY(PlotScale(ScaleKind::Linear, 0, m_mostOfBins * 1.15), tr("values per bin"));
    plot()->viewport()->update();
}

int HistogramChart::handleAt(QPointF position) const
{
    if (isEmpty() || !canEdit() || position.y() < plot()->area().top() - 8 || position.y() > plot()->area().bottom() + 8)
        return -1;
    const double toLow = std::fabs(position.x() - plot()->xOf(m_range.min)), toHigh = std::fabs(position.x() - plot()->xOf(m_range.max));
    if (std::min(toLow, toHigh) > 6)
        return -1;
    if (toLow == toHigh)
        return m_active;
    return toLow < toHigh ? 0 : 1;
}

int HistogramChart::observerAt(QPointF position) const
{
    if (isEmpty() || !m_showObservers->isChecked() || !plot()->area().contains(position))
        return -1;
    int best = -1;
    double least = 4;
    for (int i = 0; i < int(m_lines.size()); ++i)
        for (const double end : {m_lines[std::size_t(i)].range.min, m_lines[std::size_t(i)].range.max}) {
            const double away = std::fabs(plot()->xOf(end) - position.x());
            if (end != 0 && away < least) {
                least = away;
                best = i;
            }
        }
    return best;
}

QPointF HistogramChart::handlePosition(int end) const
{
    return {plot()->xOf(end == 0 ? m_range.min : m_range.max), plot()->area().bottom() - 6};
}

void HistogramChart::press(QPointF position)
{
    // Where a handle and an observer's line coincide, the grips at the foot belong to the handle and the rest to the line.
    const bool atFoot = position.y() > plot()->area().bottom() - 16;
    m_pressedLine = atFoot ? -1 : observerAt(position);
    m_drag = handleAt(position);
    if (m_drag >= 0) {
        m_active = m_drag;
        m_rangeBefore = m_range;
    }
}

void HistogramChart::move(QPointF position)
{
    if (m_drag >= 0) {
        // A few pixels of play, so that a click on an observer's line that lies on a handle stays a click.
        const double at = plot()->xOf(m_drag == 0 ? m_range.min : m_range.max);
        if (m_pressedLine >= 0 && std::fabs(position.x() - at) < 4)
            return;
        m_pressedLine = -1;
        const QRectF area = plot()->area();
        moveHandle(m_drag, plot()->xAt(std::clamp(position.x(), area.left(), area.right())));
        return;
    }
    const int hovered = observerAt(position);
    plot()->viewport()->setCursor(handleAt(position) >= 0 ? Qt::SizeHorCursor : hovered >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
    if (hovered != m_hovered) {
        m_hovered = hovered;
        plot()->viewport()->update();
    }
}

void HistogramChart::release()
{
    const int dragged = std::exchange(m_drag, -1), line = std::exchange(m_pressedLine, -1);
    if (line >= 0 && line < int(m_lines.size())) {
        if (canEdit())
            Q_EMIT observerChosen(m_lines[std::size_t(line)].kind);
    } else if (dragged >= 0 && !(m_range == m_rangeBefore)) {
        Q_EMIT rangeChosen(m_range);
    }
}

void HistogramChart::moveHandle(int end, double value)
{
    const double least = m_subject.statistics->histogram.binWidth();
    core::Range range = m_range;
    if (m_subject.scheme.symmetric) {
        const double reach = std::max(end == 0 ? -value : value, least);
        range = {m_subject.statistics->min < 0 || range.min < 0 ? -reach : 0, reach};
    } else if (end == 0) {
        range.min = std::min(value, range.max > least ? 0.0 : -least);
    } else {
        range.max = std::max(value, range.min < -least ? 0.0 : least);
    }
    if (range == m_range)
        return;
    m_range = range;
    m_observer = core::ObserverKind::Fixed;
    m_params.reset();
    fillCurves();
    fillObservers();
    Q_EMIT rangeDragged(m_range);
}

bool HistogramChart::handleKey(QKeyEvent *event, bool press)
{
    if (isEmpty() || !canEdit())
        return false;
    const int key = event->key();
    if (!press) {
        if ((key == Qt::Key_Left || key == Qt::Key_Right) && !event->isAutoRepeat() && m_keyMoved) {
            m_keyMoved = false;
            Q_EMIT rangeChosen(m_range);
        }
        return key == Qt::Key_Left || key == Qt::Key_Right;
    }
    if (key == Qt::Key_Up || key == Qt::Key_Down) {
        m_active = key == Qt::Key_Up ? 1 : 0;
        plot()->viewport()->update();
        return true;
    }
    if (key == Qt::Key_Escape && m_drag >= 0) {
        m_drag = m_pressedLine = -1;
        setRange(m_rangeBefore, m_subject.observer, m_subject.params);
        Q_EMIT rangeDragged(m_range);
        return true;
    }
    if (key != Qt::Key_Left && key != Qt::Key_Right)
        return false;
    const double pixels = (key == Qt::Key_Left ? -1 : 1) * (event->modifiers() & Qt::ShiftModifier ? 10 : 1);
    const double before = m_active == 0 ? m_range.min : m_range.max;
    const core::Range old = m_range;
    moveHandle(m_active, plot()->xAt(plot()->xOf(before) + pixels));
    m_keyMoved = m_keyMoved || !(m_range == old);
    return true;
}

void HistogramChart::commitEdits()
{
    bool lowIsNumber = false, highIsNumber = false;
    const double low = m_low->text().replace(QStringLiteral("−"), QStringLiteral("-")).toDouble(&lowIsNumber);
    const double high = m_high->text().replace(QStringLiteral("−"), QStringLiteral("-")).toDouble(&highIsNumber);
    if (!m_subject.statistics || !lowIsNumber || !highIsNumber || !std::isfinite(low) || !std::isfinite(high) || low > 0 || high < 0 || !(low < high))
        return fillFigures();
    // What is shown is rounded; leaving the field without typing changes nothing.
    if (m_low->text() == plainNumber(m_range.min, 5) && m_high->text() == plainNumber(m_range.max, 5))
        return;
    setRange({low, high});
    Q_EMIT rangeChosen(m_range);
}

QString HistogramChart::csv() const
{
    if (!m_subject.statistics)
        return {};
    const core::Histogram &histogram = m_subject.statistics->histogram;
    QString text = csvLine({QStringLiteral("bin_left"), QStringLiteral("bin_right"), QStringLiteral("count")});
    for (const Step &step : m_floatSteps)
        text += csvLine({csvNumber(step.left), csvNumber(step.right), csvNumber(step.count)});
    if (m_codeSteps.empty())
        return text;
    text += QLatin1Char('\n') + csvLine({QStringLiteral("code_value"), QStringLiteral("count")});
    for (const Step &step : m_codeSteps)
        text += csvLine({csvNumber((step.left + step.right) / 2), csvNumber(step.count * (step.right - step.left) / histogram.binWidth())});
    return text;
}

} // namespace widgets
