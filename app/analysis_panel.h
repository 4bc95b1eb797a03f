// The Analysis dock: everything that explains a result, for the selected layer, all layers, the images, the runs.
#pragma once

#include "app/controller.h"
#include "app/document.h"
#include "app/tensor_views.h"
#include "widgets/shared/node_selection.h"
#include "widgets/spec/spec_change.h"

#include <QWidget>

#include <map>

class QComboBox;
class QTabWidget;

namespace widgets {
class AccuracyChart;
class CompareView;
class CurvesPanel;
class HistogramChart;
class ImagesView;
class LayerErrorChart;
class RangesChart;
}

namespace app {

class AnalysisPanel : public QWidget {
    Q_OBJECT
public:
    enum Tab { Histogram, Ranges, LayerError, Accuracy, Images, Compare, Curves };
    static constexpr int tabCount = 7;

    AnalysisPanel(Document &document, Controller &controller, widgets::NodeSelection &selection, QWidget *parent = nullptr);

    void showTab(Tab tab);
    Tab currentTab() const;
    widgets::HistogramChart *histogram() const { return m_histogram; }
    widgets::ImagesView *images() const { return m_images; }
    widgets::CompareView *compare() const { return m_compare; }
    widgets::CurvesPanel *curves() const { return m_curves; }
    QTabWidget *tabs() const { return m_tabs; }

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void editRequested(const widgets::SpecEdits &edits);
    void nodeActivated(core::NodeId node);

private:
    void fillTensors();
    void showTensor(int channel = -1);
    void showRanges();
    void showRuns();
    void showImages();
    void connectTraining();
    void startCurves();
    void takeUpdates(const std::vector<core::TrainingUpdate> &updates);
    void showCurves();
    void watchNode();
    void chooseRange(const core::Range &range);
    void chooseObserver(core::ObserverKind kind);
    const TensorChoice *choice() const;

    Document &m_document;
    Controller &m_controller;
    widgets::NodeSelection &m_selection;
    std::vector<TensorChoice> m_choices;
    core::NodeId m_tensorsOf;
    QTabWidget *m_tabs;
    QComboBox *m_tensor;
    widgets::HistogramChart *m_histogram;
    widgets::RangesChart *m_ranges;
    widgets::LayerErrorChart *m_layerError;
    widgets::AccuracyChart *m_accuracy;
    widgets::ImagesView *m_images;
    widgets::CompareView *m_compare;
    widgets::CurvesPanel *m_curves;
    QString m_curvesOf, m_chosenRun;                     ///< whose curves stand there ("live" = of the training that is on), and which trained run was chosen
    std::map<std::string, std::shared_ptr<const core::TensorStatistics>> m_trained; ///< weights of the watched node, by tensor
};

} // namespace app
