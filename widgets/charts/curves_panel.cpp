#include "widgets/charts/curves_panel.h"

#include "widgets/shared/small_widgets.h"

#include <QGridLayout>
#include <QToolButton>

#include <algorithm>

namespace widgets {
namespace {

constexpr int narrowest = 230, lowest = 110; // of one chart, pixels

} // namespace

CurvesPanel::CurvesPanel(QWidget *parent) : QWidget(parent)
{
    setAccessibleName(tr("Curves of the training"));
    const std::tuple<QString, QString, QString, bool> groups[] = {
        {tr("Loss"), tr("What the training makes small"), {}, true},
        {tr("Accuracy"), tr("Of the model as it would be written, against float and post-training quantization"), QStringLiteral(" %"), true},
        {tr("SQNR"), tr("Of the outputs against the float model, decibels; higher is better"), QStringLiteral(" dB"), false},
        {tr("Learning rate"), tr("As the schedule has it"), {}, false},
        {tr("Thresholds"), tr("Where the quantizers of the selected layer clip: scale times largest code"), {}, true}};
    m_grid = new QGridLayout;
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(1);
    m_title = new ElidedLabel(this);
    auto *line = new QHBoxLayout;
    line->setContentsMargins(8, 2, 6, 0);
    line->setSpacing(2);
    line->addWidget(m_title, 1);
    m_follow = new QToolButton(this);
    m_follow->setText(tr("Follow the training"));
    m_follow->setToolTip(tr("Show the training that is on"));
    m_follow->hide();
    connect(m_follow, &QToolButton::clicked, this, &CurvesPanel::followRequested);
    line->addWidget(m_follow);
    for (int i = 0; i < groupCount; ++i) {
        const auto &[name, description, unit, shown] = groups[i];
        m_charts[std::size_t(i)] = new CurvesChart(name, description, this);
        m_charts[std::size_t(i)]->setUnit(unit);
        m_charts[std::size_t(i)]->plot()->setMinimumSize(120, 70);
        auto *button = m_toggles[std::size_t(i)] = new QToolButton(this);
        button->setText(name);
        button->setToolTip(description);
        button->setCheckable(true);
        button->setChecked(shown);
        button->setAutoRaise(true);
        connect(button, &QToolButton::toggled, this, &CurvesPanel::arrange);
        line->addWidget(button);
    }
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(line);
    column->addLayout(m_grid, 1);
    m_charts[Thresholds]->offerRelative();
    clear();
    arrange();
}

bool CurvesPanel::isShown(Group group) const { return m_toggles[group]->isChecked(); }
void CurvesPanel::setShown(Group group, bool shown) { m_toggles[group]->setChecked(shown); }
QString CurvesPanel::title() const { return m_title->text(); }
void CurvesPanel::setFollowable(bool followable) { m_follow->setVisible(followable); }
void CurvesPanel::setTitle(const QString &title) { m_title->setText(title); }

void CurvesPanel::clear(const QString &thresholds)
{
    clearFigures();
    m_charts[Thresholds]->clear();
    const QString sentence = tr("Train (Ctrl+T), or choose a trained run in Compare.");
    for (CurvesChart *chart : m_charts)
        chart->setEmptySentence(sentence);
    m_charts[Thresholds]->setEmptySentence(thresholds.isEmpty() ? sentence : thresholds);
    m_charts[Sqnr]->setEmptySentence(tr("Measured where the images to measure with have no labels."));
    m_thresholds.clear();
    m_thresholdNames.clear();
    setTitle({});
}

void CurvesPanel::clearFigures()
{
    for (const Group group : {Loss, Accuracy, Sqnr, LearningRate}) {
        m_charts[group]->clear();
        m_charts[group]->setReferences({});
    }
    m_floatTop1.reset();
    m_ptqTop1.reset();
    m_ptqAgreement.reset();
    m_ptqSqnr.reset();
    m_labelled = false;
}

void CurvesPanel::append(const std::vector<core::CurvePoint> &points, bool quantized)
{
    m_quantized = quantized;
    for (const core::CurvePoint &point : points) {
        const double step = double(point.step);
        if (point.step > 0) { // step 0 was not trained: it has an evaluation only
            m_charts[Loss]->append(tr("loss"), step, point.loss);
            m_charts[LearningRate]->append(tr("rate"), step, point.learningRate);
        }
        if (!point.evaluation)
            continue;
        const core::Evaluation &e = *point.evaluation;
        if (e.top1) {
            m_labelled = true;
            m_charts[Accuracy]->append(tr("top-1"), step, *e.top1);
        } else if (e.agreement) {
            m_charts[Accuracy]->append(tr("same as float"), step, e.agreement->top1);
        }
        if (e.agreement)
            m_charts[Sqnr]->append(tr("SQNR"), step, e.agreement->sqnrDb);
        if (point.step == 0) {
            m_ptqTop1 = e.top1;
            if (e.agreement) {
                m_ptqAgreement = e.agreement->top1;
                m_ptqSqnr = e.agreement->sqnrDb;
            }
        }
    }
    showReferences();
}

void CurvesPanel::setFloat(std::optional<double> top1)
{
    m_floatTop1 = top1;
    showReferences();
}

void CurvesPanel::showReferences()
{
    std::vector<CurvesChart::Reference> accuracy, sqnr;
    const auto add = [](std::vector<CurvesChart::Reference> &lines, const QString &name, const std::optional<double> &value) {
        if (value)
            lines.push_back({name, *value});
    };
    const QString before = m_quantized ? tr("PTQ") : tr("before");
    if (m_labelled && m_quantized)
        add(accuracy, tr("float"), m_floatTop1);
    add(accuracy, before, m_labelled ? m_ptqTop1 : m_ptqAgreement);
    add(sqnr, before, m_ptqSqnr);
    m_charts[Accuracy]->setReferences(accuracy);
    m_charts[Sqnr]->setReferences(sqnr);
}

void CurvesPanel::setBest(std::int64_t step)
{
    for (const Group group : {Loss, Accuracy, Sqnr})
        m_charts[group]->setMark(double(step), tr("best"));
}

void CurvesPanel::appendThresholds(double step, const std::vector<std::pair<std::string, double>> &thresholds)
{
    if (thresholds.empty())
        return;
    QStringList names;
    for (const auto &[name, value] : thresholds)
        names << QString::fromStdString(name);
    if (names != m_thresholdNames) {
        m_thresholdNames = names;
        m_charts[Thresholds]->clear();
        for (const QString &name : names)
            for (const QPointF &point : m_thresholds[name])
                m_charts[Thresholds]->append(name, point.x(), point.y());
    }
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
        m_thresholds[names[qsizetype(i)]].emplace_back(step, thresholds[i].second);
        m_charts[Thresholds]->append(names[qsizetype(i)], step, thresholds[i].second);
    }
}

void CurvesPanel::setThresholdsText(const QString &sentence)
{
    m_thresholdNames.clear();
    m_charts[Thresholds]->clear();
    m_charts[Thresholds]->setEmptySentence(sentence);
}

void CurvesPanel::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    arrange();
}

void CurvesPanel::arrange()
{
    std::vector<CurvesChart *> shown;
    for (int i = 0; i < groupCount; ++i) {
        m_charts[std::size_t(i)]->setVisible(m_toggles[std::size_t(i)]->isChecked());
        if (m_toggles[std::size_t(i)]->isChecked())
            shown.push_back(m_charts[std::size_t(i)]);
    }
    const int count = std::max<int>(int(shown.size()), 1);
    int columns = std::clamp(width() / narrowest, 1, count);
    const int rows = (count + columns - 1) / columns;
    if (rows > 1 && height() / rows < lowest)
        columns = count; // rather narrow than flat
    else
        columns = (count + rows - 1) / rows;
    for (CurvesChart *chart : m_charts)
        m_grid->removeWidget(chart);
    for (int i = 0; i < int(shown.size()); ++i)
        m_grid->addWidget(shown[std::size_t(i)], i / columns, i % columns);
    for (int i = 0; i < groupCount; ++i)
        m_grid->setColumnStretch(i, i < columns ? 1 : 0);
}

void CurvesPanel::setTheme(const Theme &theme)
{
    setPalette(theme.palette());
    for (CurvesChart *chart : m_charts)
        chart->setTheme(theme);
}

} // namespace widgets
