// The rules of a recipe: to add by query, edit, order and remove. Says at once what a query matches, or what is wrong with it.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_context.h"

#include <QWidget>

#include <memory>

class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;
class QToolButton;

namespace widgets {

class RuleModel;

class RuleList : public QWidget {
    Q_OBJECT
public:
    explicit RuleList(QWidget *parent = nullptr);

    void setContext(std::shared_ptr<const SpecContext> context);
    /// Fills in the line for a new rule.
    void proposeRule(const QString &query);
    void setTheme(const Theme &theme);

Q_SIGNALS:
    void editRequested(const widgets::SpecEdits &edits);
    void rulePicked(std::size_t rule);
    void rulePreviewed(const std::vector<core::NodeId> &nodes);

private:
    void request(SpecEdit edit);
    void judgeNew();
    void add();
    void moveBy(int by);
    int current() const;
    void updateButtons();

    std::shared_ptr<const SpecContext> m_context;
    Theme m_theme = Theme::light();
    RuleModel *m_model;
    QTableView *m_table;
    QLineEdit *m_new;
    QPushButton *m_add, *m_edit;
    QToolButton *m_remove, *m_up, *m_down, *m_select;
    QLabel *m_verdict;
};

} // namespace widgets
