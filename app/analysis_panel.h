// The Analysis dock: everything that explains a result, for the selected layer, all layers, the images, the runs.
#pragma once

#include "app/controller.h"
#include "app/document.h"
#include "app/tensor_views.h"
#include "widgets/shared/node_selection.h"
#include "widgets/spec/spec_change.h"

#include <QWidget>

class QComboBox;
class QTabWidget;

namespace widgets {
class AccuracyChart;
class CompareView;
class HistogramChart;
class ImagesView;
class LayerErrorChart;
class RangesChart;
}

namespace app {

class AnalysisPanel : public QWidget {
    Q_OBJECT
public:
    enum Tab { Histogram, Ranges, LayerError, Accuracy, Images, Compare };

    AnalysisPanel(Document &document, Controller &controller, widgets::NodeSelection &selection, QWidget *parent = nullptr);

    void showTab(Tab tab);
    Tab currentTab() const;
    widgets::HistogramChart *histogram() const { return m_histogram; }
    widgets::ImagesView *images() const { return m_images; }
    widgets::CompareView *compare() const { return m_compare; }
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
};

} // namespace app
