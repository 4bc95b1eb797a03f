// Named curves over steps (loss, accuracy, learning rate, thresholds) that grow while a run is on; drawn at most 20 times a second.
#pragma once

#include "widgets/charts/chart_panel.h"

#include <QPointF>
#include <QTimer>

namespace widgets {

class CurvesChart : public ChartPanel {
    Q_OBJECT
public:
    explicit CurvesChart(QWidget *parent = nullptr);

    QString csv() const override;
    QStringList names() const;

public Q_SLOTS:
    /// Steps of one curve ascend. A value that is not finite is left out.
    void append(const QString &name, double step, double value);
    void clear();

private:
    struct Curve {
        QString name;
        std::vector<QPointF> points;
    };
    void refresh();
    void paint(QPainter &painter);
    QString toolTipAt(QPointF position) const;

    std::vector<Curve> m_curves;
    QTimer m_timer;
    QToolButton *m_log = nullptr;
};

} // namespace widgets
