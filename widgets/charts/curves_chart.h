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
    CurvesChart(const QString &name, const QString &description, QWidget *parent = nullptr);

    /// A horizontal line to compare with.
    struct Reference {
        QString name;
        double value = 0;
        friend bool operator==(const Reference &, const Reference &) = default;
    };

    QString csv() const override;
    QStringList names() const;
    const std::vector<Reference> &references() const { return m_references; }
    /// Said while there is no curve.
    void setEmptySentence(const QString &sentence);
    /// Behind the numbers of the heading: " %".
    void setUnit(const QString &unit) { m_unit = unit; }
    /// A switch for curves of different size: each is drawn as a multiple of its first value. Numbers and CSV stay what they are.
    void offerRelative();

public Q_SLOTS:
    /// Steps of one curve ascend. A value that is not finite is left out. Of very long curves every second point goes, the newest stays.
    void append(const QString &name, double step, double value);
    void setReferences(const std::vector<widgets::CurvesChart::Reference> &references);
    /// A step to point out; negative = none.
    void setMark(double step, const QString &name = {});
    void clear();

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    struct Curve {
        QString name;
        std::vector<QPointF> points;
    };
    void refresh();
    /// What a value of a curve is divided by to be drawn.
    double unitOf(const Curve &curve) const;
    void paint(QPainter &painter);
    void paintReferences(QPainter &painter) const;
    void paintLegend(QPainter &painter) const;
    QString toolTipAt(QPointF position) const;

    std::vector<Curve> m_curves;
    std::vector<Reference> m_references;
    QString m_title, m_emptySentence, m_unit, m_markName;
    double m_mark = -1;
    QTimer m_timer;
    QToolButton *m_log = nullptr, *m_relative = nullptr;
};

} // namespace widgets
