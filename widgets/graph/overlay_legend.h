// What the colours mean: the scale of a metric with a histogram of nodes over it, or the classes with their numbers.
#pragma once

#include "widgets/graph/drawn_graph.h"
#include "widgets/shared/layer_facts.h"
#include "widgets/shared/theme.h"

#include <QWidget>

#include <memory>

namespace widgets {

class OverlayLegend : public QWidget {
    Q_OBJECT
public:
    explicit OverlayLegend(QWidget *parent = nullptr);

    QSize sizeHint() const override { return {320, 36}; }
    QSize minimumSizeHint() const override { return {0, 36}; }

    struct Class {
        QColor colour;
        QString name;
        int count = 0;
    };
    /// Classes of the overlay, most frequent first; of a metric nothing.
    const std::vector<Class> &classes() const { return m_classes; }
    /// Nodes per bin, from the least to the greatest value of a metric.
    const std::vector<int> &bins() const { return m_bins; }

public Q_SLOTS:
    void setFacts(std::shared_ptr<const widgets::LayerTable> facts);
    /// Only drawn nodes count.
    void setDrawing(std::shared_ptr<const widgets::DrawnGraph> drawing);
    void setOverlay(widgets::Overlay overlay);
    void setTheme(const widgets::Theme &theme);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    void count();
    void countClasses();
    void paintScale(QPainter &painter);
    void paintClasses(QPainter &painter);

    std::shared_ptr<const LayerTable> m_facts;
    std::shared_ptr<const DrawnGraph> m_drawing;
    Overlay m_overlay = Overlay::Operator;
    Theme m_theme = Theme::light();
    std::vector<Class> m_classes;
    std::vector<int> m_bins;
    QString m_least, m_most;
    int m_unknown = 0;
    bool m_leastIsWorst = true;
};

} // namespace widgets
