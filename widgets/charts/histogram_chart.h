// The histogram of one activation or weight: the true bins as an outline, what the codes make of them as bars, every observer's clip lines, and the
// range in force with two handles that mouse and arrow keys move.
#pragma once

#include "widgets/charts/chart_panel.h"
#include "widgets/charts/histogram_math.h"

#include <memory>

class QLineEdit;
class QSpinBox;
class QTreeWidget;
class QTreeWidgetItem;

namespace widgets {

struct HistogramSubject {
    QString title;                                       ///< "Conv_12 · output ‘x12’"
    std::shared_ptr<const core::TensorStatistics> statistics;
    core::Scheme scheme;                                 ///< resolved, of this tensor
    core::Range range;                                   ///< in force
    std::optional<core::AffineParams> params;            ///< in force; computed from range and scheme without
    core::ObserverKind observer = core::ObserverKind::MinMax;
    bool editable = true;
    QString whyNotEditable;                              ///< tooltip when not
    int channels = 0;                                    ///< of a weight whose channels can be looked at one by one
    int channel = -1;                                    ///< the one shown, −1 = all of them together
};

class HistogramChart : public ChartPanel {
    Q_OBJECT
public:
    explicit HistogramChart(QWidget *parent = nullptr);

    const HistogramSubject &subject() const { return m_subject; }
    core::Range range() const { return m_range; }
    const RangeEffect &effect() const { return m_effect; }
    /// Place of a clip handle in the plot: end 0 = lower, 1 = upper.
    QPointF handlePosition(int end) const;
    /// Bin edges, counts and what the codes give in each bin.
    QString csv() const override;

public Q_SLOTS:
    /// Shows another tensor. Lines come later through setObserverLines; the old ones go.
    void setSubject(const widgets::HistogramSubject &subject);
    void setObserverLines(const std::vector<widgets::ObserverLine> &lines);
    /// Moves the handles without a signal, as after an undo.
    void setRange(const core::Range &range, core::ObserverKind observer = core::ObserverKind::Fixed, const std::optional<core::AffineParams> &params = {});
    void clear(const QString &sentence = {});
    void setTheme(const Theme &theme) override;

Q_SIGNALS:
    void rangeDragged(core::Range range);                ///< on the way
    void rangeChosen(core::Range range);                 ///< the observer becomes `fixed` with it
    void observerChosen(core::ObserverKind kind);
    void channelChosen(int channel);                     ///< −1 = all together

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    struct Step { double left, right, count; };

    void buildSide();
    void fitScales();
    void fillCurves();
    void fillFigures();
    void fillObservers();
    void paint(QPainter &painter);
    void paintSteps(QPainter &painter, const std::vector<Step> &steps, const QPen &pen, const QBrush &brush) const;
    void paintObservers(QPainter &painter) const;
    void paintHandles(QPainter &painter) const;
    QString toolTipAt(QPointF position) const;
    bool handleKey(QKeyEvent *event, bool press);
    int handleAt(QPointF position) const;
    int observerAt(QPointF position) const;
    void press(QPointF position);
    void move(QPointF position);
    void release();
    void moveHandle(int end, double value);
    void commitEdits();
    bool isNarrow() const;
    bool canEdit() const { return m_subject.editable && m_subject.scheme.quantized(); }

    HistogramSubject m_subject;
    core::Range m_range, m_rangeBefore;
    core::ObserverKind m_observer = core::ObserverKind::MinMax;
    std::optional<core::AffineParams> m_params;
    std::vector<ObserverLine> m_lines;
    RangeEffect m_effect;
    std::vector<Step> m_floatSteps, m_codeSteps;
    double m_mostOfBins = 1;
    double m_cutAt = 0;                                  ///< count that the linear axis cuts off, 0 = none
    int m_drag = -1, m_active = 1, m_pressedLine = -1, m_hovered = -1;
    bool m_keyMoved = false;

    QToolButton *m_logY = nullptr, *m_logX = nullptr, *m_showCodes = nullptr, *m_showObservers = nullptr;
    QSpinBox *m_channel = nullptr;
    QWidget *m_side = nullptr;
    QLabel *m_figures = nullptr;
    QLineEdit *m_low = nullptr, *m_high = nullptr;
    QTreeWidget *m_list = nullptr;
};

} // namespace widgets
