#include "app/analysis_panel.h"

#include "widgets/charts/accuracy_chart.h"
#include "widgets/charts/curves_panel.h"
#include "widgets/charts/histogram_chart.h"
#include "widgets/charts/layer_error_chart.h"
#include "widgets/charts/ranges_chart.h"
#include "widgets/tables/compare_view.h"
#include "widgets/tables/images_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QTabWidget>
#include <QVBoxLayout>

namespace app {

AnalysisPanel::AnalysisPanel(Document &document, Controller &controller, widgets::NodeSelection &selection, QWidget *parent)
    : QWidget(parent), m_document(document), m_controller(controller), m_selection(selection)
{
    m_tabs = new QTabWidget;
    m_tabs->setDocumentMode(true);
    m_histogram = new widgets::HistogramChart;
    m_ranges = new widgets::RangesChart;
    m_layerError = new widgets::LayerErrorChart(&selection);
    m_accuracy = new widgets::AccuracyChart;
    m_images = new widgets::ImagesView;
    m_compare = new widgets::CompareView;
    m_curves = new widgets::CurvesPanel;
    m_tensor = new QComboBox;
    m_tensor->setObjectName(QStringLiteral("tensor"));
    m_tensor->setAccessibleName(tr("Tensor"));
    m_tensor->setToolTip(tr("Which tensor of the selected layer"));
    m_tensor->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_tensor->setMinimumContentsLength(24);

    auto *page = new QWidget;
    auto *column = new QVBoxLayout(page);
    column->setContentsMargins(4, 2, 4, 0);
    column->setSpacing(2);
    auto *line = new QHBoxLayout;
    line->addWidget(new QLabel(tr("Tensor")));
    line->addWidget(m_tensor, 1);
    line->addStretch(2);
    column->addLayout(line);
    column->addWidget(m_histogram, 1);
    m_tabs->addTab(page, tr("Histogram"));
    m_tabs->addTab(m_ranges, tr("Ranges"));
    m_tabs->addTab(m_layerError, tr("Layer error"));
    m_tabs->addTab(m_accuracy, tr("Accuracy"));
    m_tabs->addTab(m_images, tr("Images"));
    m_tabs->addTab(m_compare, tr("Compare"));
    m_tabs->addTab(m_curves, tr("Curves"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_tabs);

    connectTraining();
    connect(&selection, &widgets::NodeSelection::selectionChanged, this, &AnalysisPanel::fillTensors);
    connect(&document, &Document::layersChanged, this, [this] {
        m_layerError->setLayers(m_document.layers() ? m_document.layers()->table : std::make_shared<const widgets::LayerTable>());
        fillTensors();
        showRanges();
    });
    connect(&document, &Document::calibrationChanged, this, [this] {
        showTensor();
        showRanges();
    });
    connect(&document, &Document::runsChanged, this, [this] {
        showRuns();
        showImages();
        showCurves();
    });
    connect(&document, &Document::settingsChanged, this, &AnalysisPanel::showRuns);
    connect(&document, &Document::opened, this, [this] {
        fillTensors();
        showRanges();
    });
    connect(m_tensor, &QComboBox::currentIndexChanged, this, [this] { showTensor(); });
    connect(m_histogram, &widgets::HistogramChart::channelChosen, this, &AnalysisPanel::showTensor);
    connect(m_histogram, &widgets::HistogramChart::rangeChosen, this, &AnalysisPanel::chooseRange);
    connect(m_histogram, &widgets::HistogramChart::observerChosen, this, &AnalysisPanel::chooseObserver);
    connect(m_ranges, &widgets::RangesChart::tensorChosen, this, [this](core::ValueId, core::NodeId node) {
        if (node.valid())
            m_selection.select({node}, node);
    });
    connect(m_layerError, &widgets::LayerErrorChart::nodeActivated, this, &AnalysisPanel::nodeActivated);
    connect(m_accuracy, &widgets::AccuracyChart::runChosen, &document, &Document::setCurrentRun);
    connect(m_compare, &widgets::CompareView::pairChosen, this, [this](int a, int b) {
        m_document.setComparedRun(a);
        m_document.setCurrentRun(b);
    });
    connect(m_compare, &widgets::CompareView::runActivated, &document, &Document::setCurrentRun);
    connect(m_compare, &widgets::CompareView::runRenamed, &document, &Document::renameRun);
    connect(m_images, &widgets::ImagesView::imageActivated, this, [this](int row) {
        if (const core::Report *report = m_document.report(); report && std::size_t(row) < report->flipped.size())
            m_controller.runImage(report->flipped[std::size_t(row)].index);
    });
    fillTensors();
    showRanges();
    showRuns();
    showImages();
}

void AnalysisPanel::showTab(Tab tab) { m_tabs->setCurrentIndex(tab); }
AnalysisPanel::Tab AnalysisPanel::currentTab() const { return Tab(m_tabs->currentIndex()); }

const TensorChoice *AnalysisPanel::choice() const
{
    const int index = m_tensor->currentIndex();
    return index >= 0 && std::size_t(index) < m_choices.size() ? &m_choices[std::size_t(index)] : nullptr;
}

void AnalysisPanel::fillTensors()
{
    const core::NodeId node = m_selection.current();
    const TensorChoice *before = choice();
    const core::ValueId kept = node == m_tensorsOf && before ? before->value : core::ValueId();
    const bool weight = before && before->role == core::TensorRole::Weight;
    m_choices = tensorsOf(snapshotOf(m_document), node);
    m_tensorsOf = node;
    {
        const QSignalBlocker blocker(m_tensor);
        m_tensor->clear();
        int wanted = 0;
        for (std::size_t i = 0; i < m_choices.size(); ++i) {
            m_tensor->addItem(m_choices[i].title);
            if (kept.valid() ? m_choices[i].value == kept : weight && m_choices[i].role == core::TensorRole::Weight)
                wanted = int(i);
        }
        m_tensor->setCurrentIndex(m_choices.empty() ? -1 : wanted);
        m_tensor->setEnabled(!m_choices.empty());
    }
    showTensor();
}

void AnalysisPanel::showTensor(int channel)
{
    const TensorChoice *shown = choice();
    m_ranges->setCurrent(shown ? shown->value : core::ValueId());
    m_ranges->setChannels({}, {});
    if (!shown) {
        m_controller.light().stop("histogram");
        m_histogram->clear(m_document.hasModel() ? tr("Select a layer on the canvas or in the table to see the values of its tensors.") : tr("Open a model first."));
        return;
    }
    if (const auto calibration = m_document.calibration())
        if (const auto found = calibration->statistics.find(shown->value); found != calibration->statistics.end())
            m_ranges->setChannels(shown->title, found->second.channels);
    TensorChoice wanted = *shown;
    wanted.channel = channel;
    std::shared_ptr<const core::TensorStatistics> trained;
    if (shown->constant)
        if (const auto found = m_trained.find(m_document.prepared()->graph->value(shown->value).name); found != m_trained.end())
            trained = found->second;
    m_controller.light().start<TensorView>(
        "histogram", tr("Histogram"), [snapshot = snapshotOf(m_document), choice = wanted, trained](core::Progress &) { return std::make_shared<const TensorView>(viewOf(snapshot, choice, trained)); },
        [this](std::shared_ptr<const TensorView> view) {
            if (!view->why.isEmpty())
                return m_histogram->clear(view->why);
            m_histogram->setSubject(view->subject);
            m_histogram->setObserverLines(view->lines);
        },
        {}, true);
}

void AnalysisPanel::showRanges()
{
    m_ranges->setTable(rangeTable(snapshotOf(m_document), m_document.report(), m_document.isStale(m_document.currentRun())));
}

void AnalysisPanel::showRuns()
{
    const auto runs = runTable(m_document);
    m_accuracy->setRuns(runs);
    m_compare->setRuns(runs);
}

void AnalysisPanel::showImages()
{
    const core::Report *report = m_document.report();
    if (!report) {
        m_images->setImages(std::make_shared<const widgets::ImageTable>(), 0);
        return;
    }
    const Run *run = m_document.run(m_document.currentRun());
    const core::DataSource source = run->settings.validation.path.empty() ? run->settings.calibration : run->settings.validation;
    m_controller.light().start<widgets::ImageTable>(
        "images", tr("Images"),
        [flipped = report->flipped, source](core::Progress &progress) { return imageTable(flipped, classNames(source), progress.stopToken()); },
        [this, evaluated = int(report->quantized.images)](std::shared_ptr<const widgets::ImageTable> table) { m_images->setImages(table, evaluated); }, {}, true);
}

void AnalysisPanel::chooseRange(const core::Range &range)
{
    if (const TensorChoice *shown = choice())
        Q_EMIT editRequested(widgets::fixedRangeEdits(widgets::SpecScope::of({shown->owner}), shown->role, range));
}

void AnalysisPanel::chooseObserver(core::ObserverKind kind)
{
    if (const TensorChoice *shown = choice())
        Q_EMIT editRequested(widgets::observerEdits(widgets::SpecScope::of({shown->owner}), shown->role, kind, m_histogram->subject().scheme.percentile));
}

void AnalysisPanel::setTheme(const widgets::Theme &theme)
{
    m_histogram->setTheme(theme);
    m_ranges->setTheme(theme);
    m_layerError->setTheme(theme);
    m_accuracy->setTheme(theme);
    m_images->setTheme(theme);
    m_compare->setTheme(theme);
    m_curves->setTheme(theme);
}

} // namespace app
