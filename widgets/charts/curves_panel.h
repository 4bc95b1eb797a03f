// What a training run says of itself, step by step: one small chart for each kind of figure, so that none hides in the scale of another.
#pragma once

#include "core/report/report.h"
#include "widgets/charts/curves_chart.h"

#include <array>
#include <map>
#include <optional>

class QGridLayout;
class QLabel;
class QToolButton;

namespace widgets {

class ElidedLabel;

class CurvesPanel : public QWidget {
    Q_OBJECT
public:
    enum Group { Loss, Accuracy, Sqnr, LearningRate, Thresholds };
    static constexpr int groupCount = 5;

    explicit CurvesPanel(QWidget *parent = nullptr);

    CurvesChart *chart(Group group) const { return m_charts[group]; }
    QToolButton *toggle(Group group) const { return m_toggles[group]; }
    bool isShown(Group group) const;
    QString title() const;

public Q_SLOTS:
    void setShown(widgets::CurvesPanel::Group group, bool shown);
    void setTitle(const QString &title);
    /// No points; `thresholds` says why there are none.
    void clear(const QString &thresholds = {});
    /// No points but the thresholds.
    void clearFigures();
    /// The evaluation of step 0 is the line "PTQ", unless the float model is trained.
    void append(const std::vector<core::CurvePoint> &points, bool quantized = true);
    /// Top-1 of the float model, %.
    void setFloat(std::optional<double> top1);
    void setBest(std::int64_t step);
    /// By tensor name. Only the curves of the names given last are shown; what was told of others is kept.
    void appendThresholds(double step, const std::vector<std::pair<std::string, double>> &thresholds);
    void setThresholdsText(const QString &sentence);
    /// A training is on whose curves are not those that are shown.
    void setFollowable(bool followable);
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void followRequested();

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void arrange();
    void showReferences();

    std::array<CurvesChart *, groupCount> m_charts{};
    std::array<QToolButton *, groupCount> m_toggles{};
    QGridLayout *m_grid;
    ElidedLabel *m_title;
    QToolButton *m_follow;
    std::optional<double> m_floatTop1, m_ptqTop1, m_ptqAgreement, m_ptqSqnr;
    bool m_labelled = false, m_quantized = true;
    std::map<QString, std::vector<QPointF>> m_thresholds;
    QStringList m_thresholdNames;
};

} // namespace widgets
