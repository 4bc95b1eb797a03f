#include "widgets/spec/spec_tab.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/foreign_quantizers.h"
#include "widgets/spec/spec_editor.h"
#include "widgets/spec/table_setup.h"
#include "widgets/spec/value_table_model.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace widgets {

using Kind = SpecScope::Kind;

SpecTab::SpecTab(QWidget *parent) : QWidget(parent), m_context(std::make_shared<const SpecContext>(nullptr, core::Recipe()))
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_pages = new QStackedWidget(this);
    m_pages->addWidget(makeEditorPage());
    m_pages->addWidget(makeForeignPage());
    column->addWidget(m_pages);
    refresh();
}

QWidget *SpecTab::makeEditorPage()
{
    auto *page = new QWidget(this);
    auto *outer = new QVBoxLayout(page);
    outer->setContentsMargins(6, 6, 0, 0);
    auto *top = new QHBoxLayout;
    top->setContentsMargins(0, 0, 6, 0);
    m_chooser = new QComboBox(page);
    m_chooser->setObjectName(QStringLiteral("scope"));
    m_chooser->setAccessibleName(tr("Whose settings"));
    m_chooser->setToolTip(tr("Whose settings are shown and changed. A layer takes what it does not set itself from the rules that match it, then from its "
                             "operator type, then from the whole model."));
    m_chooser->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_chooser->setMinimumContentsLength(12);
    guardWheel(m_chooser);
    m_resetAll = new QPushButton(tr("Reset all"), page);
    m_resetAll->setObjectName(QStringLiteral("reset_all"));
    m_resetAll->setToolTip(tr("Inherit everything again that is set here"));
    top->addWidget(m_chooser, 1);
    top->addWidget(m_resetAll);
    outer->addLayout(top);

    auto *scroll = new QScrollArea(page);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto *content = new QWidget(scroll);
    auto *column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 6, 6);
    column->setSpacing(4);
    m_hint = new QLabel(content);
    m_hint->setWordWrap(true);
    makeMuted(m_hint);
    m_quantized = new QCheckBox(content);
    m_quantized->setObjectName(QStringLiteral("quantized"));
    m_split = new QCheckBox(tr("Inputs keep their own scales"), content);
    m_split->setObjectName(QStringLiteral("split_concat"));
    m_split->setToolTip(tr("A Concat has one scale for all its inputs and its output unless this is set. Own scales keep small ranges exact, and cost a requantization."));
    m_editor = new SpecEditor(content);
    m_edgeTitle = new QLabel(tr("Quantizers on its edges"), content);
    QFont bold = m_edgeTitle->font();
    bold.setBold(true);
    m_edgeTitle->setFont(bold);
    m_edgeList = new QListWidget(content);
    m_edgeList->setObjectName(QStringLiteral("edges"));
    m_edgeList->setAccessibleName(m_edgeTitle->text());
    m_edgeList->setTextElideMode(Qt::ElideMiddle);
    m_edgeList->setSpacing(1);
    m_edgeList->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    column->addWidget(m_hint);
    column->addWidget(m_quantized);
    column->addWidget(m_split);
    column->addWidget(m_editor);
    column->addWidget(m_edgeTitle);
    column->addWidget(m_edgeList);
    column->addStretch(1);
    scroll->setWidget(content);
    scroll->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    outer->addWidget(scroll, 1);

    connect(m_chooser, &QComboBox::activated, this, [this](int index) { setScope(m_scopes.at(std::size_t(index))); });
    connect(m_resetAll, &QPushButton::clicked, this, [this] { Q_EMIT editRequested({ResetScope{m_scope, {}}}); });
    connect(m_quantized, &QCheckBox::clicked, this, [this] {
        const bool on = m_quantized->checkState() == Qt::Checked;
        if (m_scope.kind == Kind::Rule)
            Q_EMIT editRequested({SetRuleExclude{m_scope.rule, !on}});
        else
            Q_EMIT editRequested({SetQuantized{m_nodes, on}});
    });
    connect(m_split, &QCheckBox::clicked, this, [this](bool on) { Q_EMIT editRequested({SplitConcat{*m_nodes.begin(), on}}); });
    connect(m_editor, &SpecEditor::editRequested, this, &SpecTab::editRequested);
    connect(m_edgeList, &QListWidget::itemChanged, this, [this](const QListWidgetItem *item) {
        const EdgeState &edge = m_edges.at(std::size_t(m_edgeList->row(item)));
        const bool on = item->checkState() == Qt::Checked;
        if (on != edge.on)
            Q_EMIT editRequested({SwitchEdge{edge.node, edge.input, on}});
    });
    return page;
}

QWidget *SpecTab::makeForeignPage()
{
    auto *page = new QWidget(this);
    auto *column = new QVBoxLayout(page);
    column->setContentsMargins(6, 6, 6, 6);
    m_foreignTitle = new QLabel(page);
    m_foreignTitle->setWordWrap(true);
    column->addWidget(m_foreignTitle);
    m_foreignModel = new ValueTableModel({tr("Tensor"), tr("Type"), tr("Scale"), tr("Z"), tr("Axis")}, this);
    m_foreignTable = makeTable(m_foreignModel, tr("Quantizers of the file"), page);
    column->addWidget(m_foreignTable, 1);
    return page;
}

void SpecTab::setContext(std::shared_ptr<const SpecContext> context, const std::set<core::NodeId> &nodes)
{
    if (!context)
        context = std::make_shared<const SpecContext>(nullptr, core::Recipe());
    if (&context->graph() != &m_context->graph())
        m_foreign = isQuantizedFile(context->graph());
    m_context = std::move(context);
    setNodes(nodes);
}

void SpecTab::setNodes(const std::set<core::NodeId> &nodes)
{
    m_nodes = nodes;
    if (m_scope.kind == Kind::Nodes)
        m_scope.nodes = nodes;
    if (m_scope.kind == Kind::OpType && !nodes.empty() && m_context->graph().contains(*nodes.begin()))
        m_scope.opType = m_context->graph().node(*nodes.begin()).opType;
    refresh();
}

void SpecTab::setScope(const SpecScope &scope)
{
    m_scope = scope;
    if (m_scope.kind == Kind::Nodes)
        m_scope.nodes = m_nodes;
    refresh();
}

void SpecTab::refresh()
{
    m_pages->setCurrentIndex(m_foreign ? 1 : 0);
    if (m_foreign)
        return showForeign();
    if (m_scope.kind == Kind::Rule && m_scope.rule >= m_context->recipe().config.rules.size())
        m_scope = SpecScope::of(m_nodes);
    fillScopes();
    const bool nothing = m_scope.kind == Kind::Nodes && m_nodes.empty();
    showState(specState(*m_context, nothing ? SpecScope::global() : m_scope));
}

void SpecTab::fillScopes()
{
    QStringList texts;
    m_scopes.clear();
    const core::Graph &graph = m_context->graph();
    if (!m_nodes.empty()) {
        m_scopes.push_back(SpecScope::of(m_nodes));
        texts << (m_nodes.size() == 1 ? tr("This layer") : tr("These %1 layers").arg(m_nodes.size()));
    }
    std::set<std::string> types;
    for (const core::NodeId id : m_nodes)
        if (graph.contains(id))
            types.insert(graph.node(id).opType);
    if (m_scope.kind == Kind::OpType)
        types.insert(m_scope.opType);
    for (const std::string &type : types) {
        m_scopes.push_back(SpecScope::ofType(type));
        texts << tr("Every %1 (%2)").arg(QString::fromStdString(type)).arg(m_context->nodesOf(m_scopes.back()).size());
    }
    const auto &rules = m_context->recipe().config.rules;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        m_scopes.push_back(SpecScope::ofRule(i));
        texts << tr("Rule %1 (%2)").arg(QString::fromStdString(rules[i].query)).arg(m_context->nodesOf(m_scopes.back()).size());
    }
    m_scopes.push_back(SpecScope::global());
    texts << tr("Whole model");
    QStringList shown;
    for (int i = 0; i < m_chooser->count(); ++i)
        shown << m_chooser->itemText(i);
    if (shown != texts) {
        m_chooser->clear();
        m_chooser->addItems(texts);
    }
    const auto at = std::find(m_scopes.begin(), m_scopes.end(), m_scope);
    m_chooser->setCurrentIndex(at == m_scopes.end() ? m_chooser->count() - 1 : int(at - m_scopes.begin()));
}

void SpecTab::showState(const SpecState &state)
{
    const bool nothing = m_scope.kind == Kind::Nodes && m_nodes.empty();
    m_hint->setText(m_context->graph().nodeCount() == 0 ? tr("Open a model to set its layers apart. These settings hold for every model.")
                                                        : tr("No layer is selected. These settings hold for the whole model; select layers in the graph or the table to set them apart."));
    m_hint->setVisible(nothing);
    const bool rule = m_scope.kind == Kind::Rule;
    m_quantized->setVisible(!nothing && (m_scope.kind == Kind::Nodes || rule));
    if (rule) {
        m_quantized->setText(tr("Quantize the layers that match"));
        m_quantized->setTristate(false);
        m_quantized->setChecked(!m_context->recipe().config.rules[m_scope.rule].exclude);
    } else {
        m_quantized->setText(m_nodes.size() == 1 ? tr("Quantize this layer") : tr("Quantize these layers"));
        m_quantized->setTristate(!state.quantized);
        m_quantized->setCheckState(!state.quantized ? Qt::PartiallyChecked : *state.quantized ? Qt::Checked : Qt::Unchecked);
        m_quantized->setToolTip(state.excludedBy.isEmpty() ? tr("Off: the layer stays float and its inputs are not quantized for it.")
                                                           : tr("Left in float by %1.").arg(state.excludedBy));
    }
    m_split->setVisible(state.splitConcat.has_value());
    m_split->setChecked(state.splitConcat.value_or(false));
    m_resetAll->setEnabled(std::any_of(state.roles.begin(), state.roles.end(), [](const RoleState &role) { return role.setHere; }));
    m_editor->setState(state);
    m_editor->setEnabled(rule ? m_quantized->isChecked() : state.quantized.value_or(true) || m_scope.kind != Kind::Nodes);
    showEdges(state);
}

void SpecTab::showEdges(const SpecState &state)
{
    const QSignalBlocker block(m_edgeList);
    m_edges = state.edges;
    while (m_edgeList->count() > int(m_edges.size()))
        delete m_edgeList->takeItem(m_edgeList->count() - 1);
    for (std::size_t i = 0; i < m_edges.size(); ++i) {
        if (int(i) == m_edgeList->count())
            m_edgeList->addItem(new QListWidgetItem);
        QListWidgetItem *item = m_edgeList->item(int(i));
        const EdgeState &edge = m_edges[i];
        item->setText((edge.badge.isEmpty() ? QString() : edge.badge + QStringLiteral("  ")) + edge.text);
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        item->setCheckState(edge.on ? Qt::Checked : Qt::Unchecked);
        item->setToolTip(QStringLiteral("<p>%1</p><p>%2</p><p>%3</p>").arg(edge.text.toHtmlEscaped(), edge.reason.toHtmlEscaped(),
                                                                          tr("Unchecked: this reader takes the tensor in float.")));
    }
    m_edgeTitle->setVisible(!m_edges.empty());
    m_edgeList->setVisible(!m_edges.empty());
    if (!m_edges.empty())
        m_edgeList->setFixedHeight(std::min(int(m_edges.size()), 7) * (m_edgeList->sizeHintForRow(0) + 2) + 2 * m_edgeList->frameWidth() + 2);
}

void SpecTab::showForeign()
{
    const bool one = m_nodes.size() == 1;
    const std::vector<ForeignQuantizer> found = one ? foreignQuantizers(m_context->graph(), *m_nodes.begin()) : foreignQuantizers(m_context->graph());
    m_foreignTitle->setText(tr("This file is quantized already; its quantizers are shown as they stand in it and cannot be changed here. ")
                            + (!one ? tr("%1 in the whole file:").arg(found.size()) : found.empty() ? tr("This layer has none.") : tr("At this layer:")));
    ValueTableModel::Rows rows;
    for (const ForeignQuantizer &quantizer : found) {
        const QString name = QString::fromStdString(m_context->graph().value(quantizer.value).name);
        const QString type = QString::fromStdString(core::dataTypeName(quantizer.type));
        Cell scale, zero;
        if (quantizer.scales.size() == 1) {
            scale = numberCell(double(quantizer.scales.front()));
        } else if (quantizer.scales.empty()) {
            scale = {tr("run time"), {}, tr("Computed while the model runs"), false, true};
        } else {
            const auto [least, most] = std::minmax_element(quantizer.scales.begin(), quantizer.scales.end());
            scale = numberCell(double(*least), 2);
            scale.text += QStringLiteral("…") + shortNumber(double(*most), 2);
            QStringList all;
            for (std::size_t i = 0; i < std::min<std::size_t>(quantizer.scales.size(), 16); ++i)
                all << shortNumber(double(quantizer.scales[i]));
            scale.toolTip = tr("%1 scales: %2").arg(quantizer.scales.size()).arg(all.join(QStringLiteral(", ")) + (quantizer.scales.size() > 16 ? QStringLiteral(", …") : QString()));
        }
        const auto &points = quantizer.zeroPoints;
        if (points.empty())
            zero = {quantizer.scales.empty() ? QStringLiteral("–") : QStringLiteral("0"), 0, {}, false, true};
        else if (std::all_of(points.begin(), points.end(), [&](std::int64_t z) { return z == points.front(); }))
            zero = {QString::number(points.front()), qlonglong(points.front()), {}, false, true};
        else
            zero = {tr("several"), {}, {}, false, true};
        Cell axis{quantizer.axis < 0 ? QStringLiteral("–") : QString::number(quantizer.axis), quantizer.axis, {}, false, true};
        axis.toolTip = quantizer.axis < 0 ? tr("One scale for the tensor") : quantizer.blockSize > 0 ? tr("One scale for %1 values along axis %2").arg(quantizer.blockSize).arg(quantizer.axis)
                                                                                                     : tr("One scale for each channel along axis %1").arg(quantizer.axis);
        rows.push_back({{name, {}, tr("%1 (%2), by %3").arg(name, quantizer.role, QString::fromStdString(m_context->graph().node(quantizer.node).name)), false, false},
                        {QString(type).replace(QLatin1String("uint"), QLatin1String("u")).replace(QLatin1String("int"), QLatin1String("i")), {}, type, false, false},
                        scale, zero, axis});
    }
    m_foreignModel->setRows(std::move(rows));
    m_foreignTable->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_foreignTable->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_foreignTable->setVisible(!found.empty());
}

void SpecTab::setTheme(const Theme &theme) { m_editor->setTheme(theme); }

} // namespace widgets
