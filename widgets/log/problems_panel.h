// The doctor's findings: each with its evidence, a jump to the place and, where there is one, a fix.
#pragma once

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/spec/finding.h"
#include "widgets/shared/theme.h"

#include <QWidget>

#include <vector>

class QLabel;
class QStackedWidget;
class QToolButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace widgets {

struct ProblemRow {
    core::Severity severity = core::Severity::Warning;
    QString code;                                  ///< "channel-range-ratio"
    QString title;                                 ///< "Channel ranges differ 23×"
    QString evidence;                              ///< a sentence with the values
    std::vector<core::NodeId> nodes;               ///< where; empty = the whole model
    QString fix;                                   ///< what [Fix] would do; empty = nothing to offer
};

ProblemRow problemOf(const core::Finding &finding);

class ProblemsPanel : public QWidget {
    Q_OBJECT
public:
    explicit ProblemsPanel(QWidget *parent = nullptr);

    const std::vector<ProblemRow> &problems() const { return m_problems; }
    /// "Problems (2)": problems and warnings are counted.
    QString title() const;
    QString details(int index) const;              ///< as Copy details gives it
    QTreeWidget *list() const { return m_list; }

public Q_SLOTS:
    void setProblems(const std::vector<widgets::ProblemRow> &problems);
    /// One more at the top, as of a failed run.
    void addProblem(const widgets::ProblemRow &problem);
    void setTheme(const Theme &theme);
    void copyDetails(int index) const;

Q_SIGNALS:
    void showRequested(int index, const std::vector<core::NodeId> &nodes);
    void fixRequested(int index);
    void titleChanged(const QString &title);

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void rebuild();
    int indexOf(const QTreeWidgetItem *item) const;
    QWidget *buttonsOf(int index);
    void showMenu(const QPoint &position);
    bool eventFilter(QObject *watched, QEvent *event) override;

    std::vector<ProblemRow> m_problems;
    QTreeWidget *m_list;
    QToolButton *m_filters[3];
    QLabel *m_empty;
    QStackedWidget *m_stack;
    Theme m_theme = Theme::light();
};

/// A sign for each severity that needs no colour: note i, warning !, problem ×.
QIcon severityIcon(core::Severity severity, const Theme &theme);
QString severityName(core::Severity severity);

} // namespace widgets
