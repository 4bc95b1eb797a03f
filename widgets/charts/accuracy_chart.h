// Accuracy before and after: float, quantized in memory and the exported file, side by side for every run.
#pragma once

#include "widgets/charts/indexed_chart.h"
#include "widgets/tables/run_model.h"

class QComboBox;

namespace widgets {

class AccuracyChart : public IndexedChart {
    Q_OBJECT
public:
    enum Metric { Top1, Top5, Agreement };

    explicit AccuracyChart(QWidget *parent = nullptr);
    QString csv() const override;

public Q_SLOTS:
    void setRuns(const std::shared_ptr<const widgets::RunTable> &runs);
    void setMetric(widgets::AccuracyChart::Metric metric);

Q_SIGNALS:
    void runChosen(int run);

protected:
    int slotCount() const override { return int(m_runs->size()); }
    QString slotName(int slot) const override { return (*m_runs)[std::size_t(slot)].name; }
    QString slotToolTip(int slot) const override;
    void paintSlots(QPainter &painter) override;
    void slotChosen(int slot, bool add) override;

private:
    double valueOf(const RunRow &run, int kind, Metric metric) const;
    Metric metric() const;
    void rebuild();

    std::shared_ptr<const RunTable> m_runs = std::make_shared<RunTable>();
    QComboBox *m_metric = nullptr;
    QToolButton *m_close = nullptr;
};

} // namespace widgets
