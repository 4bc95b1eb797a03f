#include "widgets/spec/rule_list.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/rule_model.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace widgets {
namespace {

QToolButton *tool(const QString &text, const QString &what, QWidget *parent)
{
    auto *button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(what);
    button->setAccessibleName(what);
    return button;
}

} // namespace

RuleList::RuleList(QWidget *parent) : QWidget(parent), m_context(std::make_shared<const SpecContext>(nullptr, core::Recipe()))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 6);
    layout->setSpacing(4);
    auto *head = new QHBoxLayout;
    head->setSpacing(2);
    auto *title = new QLabel(tr("Rules"), this);
    QFont bold = title->font();
    bold.setBold(true);
    title->setFont(bold);
    head->addWidget(title);
    head->addStretch(1);
    m_select = tool(tr("Select"), tr("Select the layers that match the rule"), this);
    m_up = tool(QStringLiteral("↑"), tr("Move the rule up: later rules win"), this);
    m_down = tool(QStringLiteral("↓"), tr("Move the rule down: later rules win"), this);
    m_remove = tool(QStringLiteral("−"), tr("Remove the rule"), this);
    m_remove->setObjectName(QStringLiteral("remove_rule"));
    m_up->setObjectName(QStringLiteral("rule_up"));
    m_down->setObjectName(QStringLiteral("rule_down"));
    for (QToolButton *button : {m_select, m_up, m_down, m_remove})
        head->addWidget(button);
    layout->addLayout(head);
    m_model = new RuleModel(this);
    m_table = new QTableView(this);
    m_table->setObjectName(QStringLiteral("rules"));
    m_table->setAccessibleName(tr("Rules"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(m_table->fontMetrics().height() + 6);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setSectionResizeMode(RuleModel::Query, QHeaderView::Stretch);
    m_table->horizontalHeader()->setSectionResizeMode(RuleModel::Layers, QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(RuleModel::Sets, QHeaderView::Stretch);
    layout->addWidget(m_table);
    m_edit = new QPushButton(tr("Set the rule's specs in the inspector"), this);
    m_edit->setObjectName(QStringLiteral("edit_rule"));
    layout->addWidget(m_edit);

    auto *line = new QHBoxLayout;
    m_new = new QLineEdit(this);
    m_new->setObjectName(QStringLiteral("new_rule"));
    m_new->setAccessibleName(tr("New rule"));
    m_new->setPlaceholderText(tr("op:Conv group>1 name:*head*"));
    m_new->setClearButtonEnabled(true);
    m_new->setToolTip(tr("<p>Terms that all must hold, such as <b>op:Conv</b>, <b>group&gt;1</b>, <b>name:*block3*</b>, <b>position:first</b>, <b>depthwise:true</b>, "
                             "<b>params&gt;10000</b>; <b>!</b> negates a term, <b>|</b> separates alternatives.</p>"));
    m_add = new QPushButton(tr("Add"), this);
    m_add->setObjectName(QStringLiteral("add_rule"));
    line->addWidget(m_new, 1);
    line->addWidget(m_add);
    layout->addLayout(line);
    m_verdict = new QLabel(this);
    m_verdict->setWordWrap(true);
    m_verdict->setTextFormat(Qt::PlainText);
    makeMuted(m_verdict);
    m_verdict->setObjectName(QStringLiteral("rule_verdict"));
    layout->addWidget(m_verdict);

    connect(m_model, &RuleModel::queryEdited, this, [this](std::size_t rule, const QString &query) { request(SetRuleQuery{rule, query.toStdString()}); });
    connect(m_table->selectionModel(), &QItemSelectionModel::currentChanged, this, &RuleList::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &RuleList::updateButtons);
    connect(m_new, &QLineEdit::textChanged, this, &RuleList::judgeNew);
    connect(m_new, &QLineEdit::returnPressed, this, &RuleList::add);
    connect(m_add, &QPushButton::clicked, this, &RuleList::add);
    connect(m_remove, &QToolButton::clicked, this, [this] { request(RemoveRule{std::size_t(current())}); });
    connect(m_up, &QToolButton::clicked, this, [this] { moveBy(-1); });
    connect(m_down, &QToolButton::clicked, this, [this] { moveBy(1); });
    connect(m_select, &QToolButton::clicked, this, [this] { Q_EMIT rulePreviewed(m_context->nodesOf(SpecScope::ofRule(std::size_t(current())))); });
    connect(m_edit, &QPushButton::clicked, this, [this] { Q_EMIT rulePicked(std::size_t(current())); });
    updateButtons();
}

void RuleList::request(SpecEdit edit) { Q_EMIT editRequested({std::move(edit)}); }

void RuleList::setContext(std::shared_ptr<const SpecContext> context)
{
    m_context = context ? std::move(context) : std::make_shared<const SpecContext>(nullptr, core::Recipe());
    m_model->setContext(m_context);
    updateButtons();
    judgeNew();
}

void RuleList::setTheme(const Theme &theme)
{
    m_theme = theme;
    m_model->setProblemColour(theme.problem);
    judgeNew();
}

void RuleList::proposeRule(const QString &query)
{
    m_new->setText(query);
    m_new->setFocus();
}

void RuleList::judgeNew()
{
    const QString query = m_new->text().trimmed();
    QString verdict;
    bool wrong = false;
    if (!query.isEmpty() && m_context->graph().nodeCount() > 0) {
        const QueryResult result = runQuery(query.toStdString(), m_context->graph());
        wrong = !result.error.isEmpty();
        verdict = wrong ? result.error : result.nodes.size() == 1 ? tr("Matches 1 layer.") : tr("Matches %1 layers.").arg(result.nodes.size());
    } else if (query.isEmpty() && m_context->recipe().config.rules.empty()) {
        verdict = tr("A rule sets the layers that a query selects, also when the model is exported again under other names.");
    }
    m_verdict->setText(verdict);
    m_verdict->setVisible(!verdict.isEmpty());
    setOwnColour(m_verdict, QPalette::PlaceholderText, wrong ? m_theme.problem : QColor());
    m_add->setEnabled(!query.isEmpty() && !wrong);
}

void RuleList::add()
{
    if (!m_add->isEnabled())
        return;
    core::Rule rule;
    rule.query = m_new->text().trimmed().toStdString();
    m_new->clear();
    request(AddRule{std::move(rule)});
}

int RuleList::current() const { return m_table->currentIndex().isValid() ? m_table->currentIndex().row() : -1; }

void RuleList::moveBy(int by)
{
    const int from = current(), to = from + by;
    if (from < 0 || to < 0 || to >= m_model->rowCount())
        return;
    request(MoveRule{std::size_t(from), std::size_t(to)});
    m_table->setCurrentIndex(m_model->index(std::min(to, m_model->rowCount() - 1), 0));
}

void RuleList::updateButtons()
{
    const int rule = current();
    const bool any = m_model->rowCount() > 0;
    m_table->setVisible(any);
    m_table->setFixedHeight(m_table->horizontalHeader()->sizeHint().height() + std::clamp(m_model->rowCount(), 2, 8) * m_table->verticalHeader()->defaultSectionSize() + 6);
    m_edit->setVisible(any);
    for (QToolButton *button : {m_select, m_up, m_down, m_remove})
        button->setVisible(any);
    m_up->setEnabled(rule > 0);
    m_down->setEnabled(rule >= 0 && rule + 1 < m_model->rowCount());
    m_remove->setEnabled(rule >= 0);
    m_select->setEnabled(rule >= 0 && m_model->errorOf(rule).isEmpty());
    m_edit->setEnabled(rule >= 0);
}

} // namespace widgets
