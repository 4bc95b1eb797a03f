// Which layers lose most: one bar a layer, in graph order or worst first, linked with the selection that all views share.
#pragma once

#include "widgets/charts/indexed_chart.h"
#include "widgets/shared/layer_facts.h"
#include "widgets/shared/node_selection.h"

#include <memory>

class QComboBox;

namespace widgets {

class LayerErrorChart : public IndexedChart {
    Q_OBJECT
public:
    explicit LayerErrorChart(NodeSelection *selection, QWidget *parent = nullptr);

    Overlay metric() const;
    QString csv() const override;

public Q_SLOTS:
    void setLayers(const std::shared_ptr<const widgets::LayerTable> &table);
    /// ActivationSqnr, WeightSqnr, Clipping, Sensitivity or Difference; others are ignored.
    void setMetric(widgets::Overlay metric);
    void setWorstFirst(bool worstFirst);

Q_SIGNALS:
    void nodeActivated(core::NodeId node);         ///< Enter on a bar: show it

protected:
    int slotCount() const override { return int(m_rows.size()); }
    QString slotName(int slot) const override { return facts(slot).name; }
    QString slotToolTip(int slot) const override;
    void paintSlots(QPainter &painter) override;
    void slotChosen(int slot, bool add) override;

private:
    const LayerFacts &facts(int slot) const { return (*m_table)[std::size_t(m_rows[std::size_t(slot)])]; }
    void rebuild();
    void takeSelection();

    NodeSelection *m_selection;
    std::shared_ptr<const LayerTable> m_table = std::make_shared<LayerTable>();
    std::vector<int> m_rows;                       ///< slot → row of the table
    Goodness m_goodness;
    QComboBox *m_metric = nullptr, *m_sort = nullptr;
};

} // namespace widgets
