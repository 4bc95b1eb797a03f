// The drawing area that all charts share: Qt Charts draws background, axes and grid; the chart paints its marks in the plot area, because
// thousands of bars would be too many series. The wheel zooms along x, Shift with the wheel moves, a double click shows everything.
#pragma once

#include "widgets/charts/plot_scale.h"
#include "widgets/shared/theme.h"

#include <QtCharts/QChartView>

#include <functional>

class QCategoryAxis;

namespace widgets {

class PlotView : public QChartView {
    Q_OBJECT
public:
    explicit PlotView(QWidget *parent = nullptr);

    /// Painted over grid and axes, clipped to the plot area, in view pixels.
    std::function<void(QPainter &)> paintMarks;
    /// Text under the pointer; empty = none.
    std::function<QString(QPointF)> toolTipAt;
    /// Returns whether it used the key.
    std::function<bool(QKeyEvent *, bool press)> handleKey;

    void setX(const PlotScale &scale, const QString &title);
    void setY(const PlotScale &scale, const QString &title);
    /// Own labels instead of computed ones: (value, text) in ascending order; empty = computed again.
    void setXLabels(std::function<PlotScale::Ticks(double from, double to)> labels);
    void setTheme(const Theme &theme);

    QRectF area() const;
    double xOf(double value) const;          ///< value → pixel
    double yOf(double value) const;
    double xAt(double pixel) const;          ///< pixel → value
    bool isZoomed() const { return m_zoomed; }
    void showAll();
    /// Moves the zoomed part so that `value` is in view.
    void reveal(double value);

Q_SIGNALS:
    void pressed(QPointF position);
    void moved(QPointF position);
    void released(QPointF position);

protected:
    void drawForeground(QPainter *painter, const QRectF &rect) override;
    void resizeEvent(QResizeEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void keyReleaseEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    void arrange();
    void setShown(double from, double to);

    PlotScale m_x, m_y;
    double m_from = 0, m_to = 1;             ///< part of x in view, axis units
    bool m_zoomed = false;
    std::function<PlotScale::Ticks(double, double)> m_labels;
    QCategoryAxis *m_xAxis = nullptr, *m_yAxis = nullptr;
    QColor m_focusColor;
};

} // namespace widgets
