// The recipe as a whole: preset, target, algorithms, rules, excluded layers, and the same as JSON. Shows a SpecContext and asks for edits.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_context.h"

#include <QWidget>

#include <array>
#include <memory>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QPlainTextEdit;
class QPushButton;
class QToolButton;

namespace widgets {

class RuleList;

class RecipePanel : public QWidget {
    Q_OBJECT
public:
    explicit RecipePanel(QWidget *parent = nullptr);

    void setContext(std::shared_ptr<const SpecContext> context);
    /// Names the selection by a rule's query, for "add" (the canvas's select-by-rule offers it).
    void proposeRule(const QString &query);

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void editRequested(const widgets::SpecEdits &edits);
    void rulePicked(std::size_t rule);                     ///< to be edited in the inspector
    void rulePreviewed(const std::vector<core::NodeId> &nodes); ///< "Select" beside the rules: the layers that match
    void importRequested();
    void exportRequested();

private:
    QWidget *makeChoices();
    QWidget *makeExcluded();
    QWidget *makeJson();
    void request(SpecEdit edit);
    void showChoices();
    void showExcluded();
    void showJson();
    void judgeNewExclude();
    void addExclude();

    std::shared_ptr<const SpecContext> m_context;
    Theme m_theme = Theme::light();
    QComboBox *m_preset, *m_target;
    QLabel *m_presetText, *m_targetText, *m_excludeVerdict;
    std::array<QCheckBox *, 5> m_switches{};
    RuleList *m_rules;
    QLineEdit *m_newExclude;
    QPushButton *m_addExclude, *m_removeExclude;
    QToolButton *m_showJson;
    QListWidget *m_excluded;
    QPlainTextEdit *m_json;
};

} // namespace widgets
