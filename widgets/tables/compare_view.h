// The Compare tab: all runs of the project, and what differs between two of them.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/tables/diff_model.h"
#include "widgets/tables/run_model.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QSplitter;
class QStackedWidget;
class QTableView;

namespace widgets {

class CompareView : public QWidget {
    Q_OBJECT
public:
    explicit CompareView(QWidget *parent = nullptr);

    RunModel *runs() const { return m_runs; }
    DiffModel *differences() const { return m_differences; }
    QTableView *runTable() const { return m_table; }
    int runA() const;
    int runB() const;
    QString csv() const;                           ///< of the list of runs

public Q_SLOTS:
    /// Keeps the pair that is compared where it can; else the two newest.
    void setRuns(const std::shared_ptr<const widgets::RunTable> &runs);
    void compare(int a, int b);
    void setTheme(const Theme &theme);

Q_SIGNALS:
    void pairChosen(int a, int b);                 ///< for the overlay "difference"
    void runActivated(int run);                    ///< double click or Enter: show its results
    void runRenamed(int run, const QString &name);

private:
    void refresh();

    RunModel *m_runs;
    DiffModel *m_differences;
    QTableView *m_table, *m_diffTable;
    QComboBox *m_a, *m_b;
    QCheckBox *m_all;
    QLabel *m_empty;
    QStackedWidget *m_stack;
    bool m_filling = false;
};

} // namespace widgets
