// The inspector: everything about the selected layers, in four tabs. It shows a SpecContext, follows the shared selection, and asks for
// edits; what it cannot know (observer ranges, remarks, sizes) the document hands in as values.
#pragma once

#include "core/base/error.h"
#include "widgets/shared/layer_facts.h"
#include "widgets/shared/node_selection.h"
#include "widgets/shared/theme.h"
#include "widgets/spec/range_tab.h"
#include "widgets/spec/spec_context.h"

#include <QWidget>

#include <memory>

class QLabel;
class QTabWidget;
class QTextBrowser;
class QToolButton;

namespace widgets {

class DataTab;
class ElidedLabel;
class SpecTab;

class Inspector : public QWidget {
    Q_OBJECT
public:
    enum Tab { Spec, Data, RangeOfObservers, Info };

    /// `selection` outlives the inspector.
    explicit Inspector(NodeSelection *selection, QWidget *parent = nullptr);

    /// After every change of graph, recipe or placement; null = no model.
    void setContext(std::shared_ptr<const SpecContext> context);
    void setLayers(std::shared_ptr<const LayerTable> layers);
    /// Of the doctor and the last run; those of the placement are known.
    void setRemarks(core::Diagnostics remarks);
    /// The answer to rangesWanted(). Ranges of another layer than the one shown are dropped.
    void setRanges(core::NodeId node, std::vector<TensorRanges> ranges);
    /// False: nothing has been calibrated yet, which the Range tab says.
    void setCalibrated(bool calibrated);
    void showTab(Tab tab);
    SpecTab *specTab() const { return m_spec; }

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void editRequested(const widgets::SpecEdits &edits);
    /// This layer is shown and its ranges are not known yet. Only after setCalibrated(true).
    void rangesWanted(core::NodeId node);
    /// observerEdits() makes edits of it.
    void observerChosen(core::NodeId node, core::TensorRole role, const widgets::FieldValue &observer, double percentile);

private:
    void refresh();
    std::set<core::NodeId> selected() const;
    void showHeader();
    void showCurrentTab();
    void askForRanges();
    void wantRanges();
    const LayerFacts *factsOf(core::NodeId node) const;

    NodeSelection *m_selection;
    std::shared_ptr<const SpecContext> m_context;
    std::shared_ptr<const LayerTable> m_layers;
    core::Diagnostics m_remarks;
    core::NodeId m_rangesOf, m_rangesAsked;
    bool m_calibrated = false;
    Theme m_theme = Theme::light();
    ElidedLabel *m_name, *m_kind;
    QLabel *m_count;
    QToolButton *m_back, *m_forward;
    QTabWidget *m_tabs;
    SpecTab *m_spec;
    DataTab *m_data;
    RangeTab *m_ranges;
    QTextBrowser *m_info;
};

} // namespace widgets
