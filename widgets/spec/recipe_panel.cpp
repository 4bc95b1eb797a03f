#include "widgets/spec/recipe_panel.h"

#include "core/spec/config_json.h"
#include "core/spec/rule_query.h"
#include "widgets/shared/small_widgets.h"
#include "widgets/spec/rule_list.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace widgets {
namespace {

QVBoxLayout *column(QWidget *box)
{
    auto *layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 6);
    layout->setSpacing(4);
    return layout;
}

QString sentence(const std::string &text)
{
    QString result = QString::fromStdString(text);
    if (!result.isEmpty())
        result[0] = result[0].toUpper();
    return result.endsWith(QLatin1Char('.')) ? result : result + QLatin1Char('.');
}

} // namespace

RecipePanel::RecipePanel(QWidget *parent) : QWidget(parent), m_context(std::make_shared<const SpecContext>(nullptr, core::Recipe()))
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto *scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto *content = new QWidget(scroll);
    m_rules = new RuleList(content);
    connect(m_rules, &RuleList::editRequested, this, &RecipePanel::editRequested);
    connect(m_rules, &RuleList::rulePicked, this, &RecipePanel::rulePicked);
    connect(m_rules, &RuleList::rulePreviewed, this, &RecipePanel::rulePreviewed);
    auto *all = new QVBoxLayout(content);
    all->setContentsMargins(8, 8, 8, 8);
    all->addWidget(makeChoices());
    all->addWidget(m_rules);
    all->addWidget(makeExcluded());
    all->addWidget(makeJson());
    all->addStretch(1);
    scroll->setWidget(content);
    scroll->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    outer->addWidget(scroll);
    setContext(m_context);
}

QWidget *RecipePanel::makeChoices()
{
    auto *box = new QWidget(this);
    auto *layout = column(box);
    const auto chooser = [&](const QString &name, const char *objectName, QComboBox *&combo, QLabel *&text) {
        auto *line = new QHBoxLayout;
        combo = new QComboBox(box);
        combo->setObjectName(QString::fromLatin1(objectName));
        combo->setAccessibleName(name);
        combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        combo->setMinimumContentsLength(12);
        guardWheel(combo);
        auto *label = boldLabel(name, box);
        label->setMinimumWidth(60);
        label->setBuddy(combo);
        line->addWidget(label);
        line->addWidget(combo, 1);
        layout->addLayout(line);
        text = remarkLabel(box);
        layout->addWidget(text);
    };
    chooser(tr("Preset"), "preset", m_preset, m_presetText);
    chooser(tr("Target"), "target", m_target, m_targetText);
    for (const std::string &name : core::presetNames()) {
        m_preset->addItem(QString::fromStdString(name), QString::fromStdString(name));
        m_preset->setItemData(m_preset->count() - 1, sentence(core::presetLayers(name).description), Qt::ToolTipRole);
    }
    m_target->addItem(tr("none"), QString());
    m_target->setItemData(0, sentence(core::targetProfile("").description), Qt::ToolTipRole);
    for (const std::string &name : core::targetProfileNames()) {
        m_target->addItem(QString::fromStdString(name), QString::fromStdString(name));
        m_target->setItemData(m_target->count() - 1, sentence(core::targetProfile(name).description), Qt::ToolTipRole);
    }
    connect(m_preset, &QComboBox::activated, this, [this](int index) {
        if (const std::string name = m_preset->itemData(index).toString().toStdString(); name != m_context->recipe().preset)
            request(ChoosePreset{name});
    });
    connect(m_target, &QComboBox::activated, this, [this](int index) {
        if (const std::string name = m_target->itemData(index).toString().toStdString(); name != m_context->recipe().target)
            request(ChooseTarget{name});
    });

    const std::array<std::pair<QString, QString>, 5> texts = {{
        {tr("Equalize channels"), tr("Evens out the weights of consecutive layers before calibration. Helps with one scale a tensor, rarely with one a channel.")},
        {tr("Correct biases"), tr("Takes the mean error that quantized weights cause out of the biases. Costs one more pass over the data.")},
        {tr("7-bit weights"), tr("Keeps 8-bit weights within 7 bits, for processors without VNNI, whose sums of products saturate.")},
        {tr("Quantize model inputs"), tr("Off: the tensors that the model is given stay float.")},
        {tr("Quantize model outputs"), tr("Off: the tensors that the model gives stay float.")}}};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        m_switches[i] = new QCheckBox(texts[i].first, box);
        m_switches[i]->setToolTip(QStringLiteral("<p>%1</p>").arg(texts[i].second));
        connect(m_switches[i], &QCheckBox::clicked, this, [this, i](bool on) { request(SetSwitch{RecipeSwitch(i), on}); });
        layout->addWidget(m_switches[i]);
    }
    return box;
}

QWidget *RecipePanel::makeExcluded()
{
    auto *box = new QWidget(this);
    auto *layout = column(box);
    layout->addWidget(boldLabel(tr("Layers that stay float"), box));
    m_excluded = new QListWidget(box);
    m_excluded->setObjectName(QStringLiteral("excluded"));
    m_excluded->setAccessibleName(tr("Layers that stay float"));
    m_excluded->setTextElideMode(Qt::ElideMiddle);
    m_excluded->setSpacing(1);
    m_excluded->setSelectionMode(QAbstractItemView::ExtendedSelection);
    layout->addWidget(m_excluded);
    auto *line = new QHBoxLayout;
    m_newExclude = new QLineEdit(box);
    m_newExclude->setObjectName(QStringLiteral("new_exclude"));
    m_newExclude->setAccessibleName(tr("Name or pattern to leave in float"));
    m_newExclude->setPlaceholderText(tr("name or pattern, head*"));
    m_newExclude->setToolTip(tr("Name of a layer, or a pattern: * stands for any characters, ? for one."));
    m_addExclude = new QPushButton(tr("Add"), box);
    m_addExclude->setObjectName(QStringLiteral("add_exclude"));
    m_removeExclude = new QPushButton(tr("Remove"), box);
    m_removeExclude->setObjectName(QStringLiteral("remove_exclude"));
    m_removeExclude->setToolTip(tr("Quantize the selected entries again"));
    line->addWidget(m_newExclude, 1);
    line->addWidget(m_addExclude);
    line->addWidget(m_removeExclude);
    layout->addLayout(line);
    m_excludeVerdict = remarkLabel(box);
    m_excludeVerdict->setObjectName(QStringLiteral("exclude_verdict"));
    layout->addWidget(m_excludeVerdict);
    connect(m_newExclude, &QLineEdit::textChanged, this, &RecipePanel::judgeNewExclude);
    connect(m_newExclude, &QLineEdit::returnPressed, this, &RecipePanel::addExclude);
    connect(m_addExclude, &QPushButton::clicked, this, &RecipePanel::addExclude);
    connect(m_excluded, &QListWidget::itemSelectionChanged, this, [this] { m_removeExclude->setEnabled(!m_excluded->selectedItems().isEmpty()); });
    connect(m_removeExclude, &QPushButton::clicked, this, [this] {
        SpecEdits edits;
        for (const QListWidgetItem *item : m_excluded->selectedItems())
            edits.push_back(RemoveExclude{item->data(Qt::UserRole).toString().toStdString()});
        if (!edits.empty())
            Q_EMIT editRequested(edits);
    });
    return box;
}

QWidget *RecipePanel::makeJson()
{
    auto *box = new QWidget(this);
    auto *layout = column(box);
    auto *line = new QHBoxLayout;
    line->setSpacing(4);
    m_showJson = new QToolButton(box);
    m_showJson->setObjectName(QStringLiteral("show_json"));
    m_showJson->setText(tr("Recipe as JSON"));
    m_showJson->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_showJson->setArrowType(Qt::RightArrow);
    m_showJson->setAutoRaise(true);
    QFont bold = m_showJson->font();
    bold.setBold(true);
    m_showJson->setFont(bold);
    auto *import = new QPushButton(tr("Import…"), box);
    import->setObjectName(QStringLiteral("import"));
    import->setToolTip(tr("Replace the recipe by one from a file; can be undone"));
    auto *save = new QPushButton(tr("Export…"), box);
    save->setObjectName(QStringLiteral("export"));
    save->setToolTip(tr("Write the recipe to a file, which the command line takes with --recipe"));
    line->addWidget(m_showJson);
    line->addStretch(1);
    line->addWidget(import);
    line->addWidget(save);
    layout->addLayout(line);
    m_json = new QPlainTextEdit(box);
    m_json->setReadOnly(true);
    m_json->setAccessibleName(tr("Recipe as JSON"));
    m_json->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_json->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_json->setMinimumHeight(240);
    m_json->hide();
    layout->addWidget(m_json);
    connect(m_showJson, &QToolButton::clicked, this, [this] {
        m_json->setVisible(m_json->isHidden());
        m_showJson->setArrowType(m_json->isHidden() ? Qt::RightArrow : Qt::DownArrow);
        showJson();
    });
    connect(import, &QPushButton::clicked, this, &RecipePanel::importRequested);
    connect(save, &QPushButton::clicked, this, &RecipePanel::exportRequested);
    return box;
}

void RecipePanel::request(SpecEdit edit) { Q_EMIT editRequested({std::move(edit)}); }

void RecipePanel::setContext(std::shared_ptr<const SpecContext> context)
{
    m_context = context ? std::move(context) : std::make_shared<const SpecContext>(nullptr, core::Recipe());
    showChoices();
    m_rules->setContext(m_context);
    showExcluded();
    showJson();
}

void RecipePanel::showChoices()
{
    const core::Recipe &recipe = m_context->recipe();
    m_preset->setCurrentIndex(m_preset->findData(QString::fromStdString(recipe.preset)));
    m_target->setCurrentIndex(m_target->findData(QString::fromStdString(recipe.target)));
    m_presetText->setText(m_preset->currentIndex() < 0 ? tr("There is no preset '%1'.").arg(QString::fromStdString(recipe.preset)) : m_preset->currentData(Qt::ToolTipRole).toString());
    m_targetText->setText(m_target->currentIndex() < 0 ? tr("There is no target '%1'.").arg(QString::fromStdString(recipe.target)) : m_target->currentData(Qt::ToolTipRole).toString());
    const std::array<bool, 5> on = {recipe.equalize, recipe.biasCorrection, recipe.config.reduceRange, recipe.config.quantizeInputs, recipe.config.quantizeOutputs};
    for (std::size_t i = 0; i < on.size(); ++i)
        m_switches[i]->setChecked(on[i]);
}

void RecipePanel::showExcluded()
{
    const auto &patterns = m_context->recipe().config.exclude;
    const core::Graph &graph = m_context->graph();
    m_excluded->clear();
    for (const std::string &pattern : patterns) {
        const auto count = std::count_if(graph.order().begin(), graph.order().end(), [&](core::NodeId id) { return core::globMatches(pattern, graph.node(id).name); });
        const bool dead = count == 0 && graph.nodeCount() > 0;
        auto *item = new QListWidgetItem((dead ? QStringLiteral("⚠ ") : QString()) + QString::fromStdString(pattern) + (count > 1 ? tr("  (%1 layers)").arg(count) : QString()), m_excluded);
        item->setData(Qt::UserRole, QString::fromStdString(pattern));
        if (dead) {
            item->setForeground(m_theme.problem);
            item->setToolTip(tr("It matches no layer of this model; quantization would refuse it."));
        }
    }
    m_excluded->setVisible(!patterns.empty());
    if (!patterns.empty())
        m_excluded->setFixedHeight(std::clamp(m_excluded->count(), 2, 7) * (m_excluded->sizeHintForRow(0) + 2) + 6);
    m_removeExclude->setVisible(!patterns.empty());
    m_removeExclude->setEnabled(false);
    judgeNewExclude();
}

void RecipePanel::showJson()
{
    if (m_json->isHidden())
        return;
    const QString text = QString::fromStdString(core::recipeToJson(m_context->recipe()));
    if (text != m_json->toPlainText())
        m_json->setPlainText(text);
}

void RecipePanel::proposeRule(const QString &query) { m_rules->proposeRule(query); }

void RecipePanel::judgeNewExclude()
{
    const std::string pattern = m_newExclude->text().trimmed().toStdString();
    const core::Graph &graph = m_context->graph();
    const auto count = std::count_if(graph.order().begin(), graph.order().end(), [&](core::NodeId id) { return core::globMatches(pattern, graph.node(id).name); });
    const bool wrong = count == 0 && graph.nodeCount() > 0 && !pattern.empty();
    m_excludeVerdict->setText(wrong ? tr("It matches no layer of this model.") : tr("Matches %1 layers.").arg(count));
    m_excludeVerdict->setVisible(!pattern.empty() && graph.nodeCount() > 0);
    setOwnColour(m_excludeVerdict, QPalette::PlaceholderText, wrong ? m_theme.problem : QColor());
    m_addExclude->setEnabled(!pattern.empty() && !wrong);
}

void RecipePanel::addExclude()
{
    if (!m_addExclude->isEnabled())
        return;
    const std::string pattern = m_newExclude->text().trimmed().toStdString();
    m_newExclude->clear();
    request(AddExclude{pattern});
}

void RecipePanel::setTheme(const Theme &theme)
{
    m_theme = theme;
    m_rules->setTheme(theme);
    setContext(m_context);
}

} // namespace widgets
