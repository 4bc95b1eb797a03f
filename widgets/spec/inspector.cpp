#include "widgets/spec/inspector.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/data_tab.h"
#include "widgets/spec/node_facts.h"
#include "widgets/spec/spec_editor.h"
#include "widgets/spec/spec_tab.h"
#include "widgets/spec/table_setup.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTextBrowser>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <map>

namespace widgets {
namespace {

QToolButton *arrow(const QString &text, const QString &what, QWidget *parent)
{
    auto *button = new QToolButton(parent);
    button->setText(text);
    button->setAutoRaise(true);
    button->setToolTip(what);
    button->setAccessibleName(what);
    return button;
}

} // namespace

Inspector::Inspector(NodeSelection *selection, QWidget *parent)
    : QWidget(parent), m_selection(selection), m_context(std::make_shared<const SpecContext>(nullptr, core::Recipe()))
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    auto *first = new QHBoxLayout;
    first->setContentsMargins(8, 6, 6, 0);
    first->setSpacing(2);
    m_name = new ElidedLabel(this, Qt::ElideMiddle);
    m_name->setObjectName(QStringLiteral("node_name"));
    QFont bold = m_name->font();
    bold.setBold(true);
    bold.setPointSizeF(bold.pointSizeF() * 1.15);
    m_name->setFont(bold);
    m_back = arrow(QStringLiteral("←"), tr("Selection before this one (Alt+Left)"), this);
    m_back->setObjectName(QStringLiteral("back"));
    m_forward = arrow(QStringLiteral("→"), tr("Selection after this one (Alt+Right)"), this);
    m_forward->setObjectName(QStringLiteral("forward"));
    first->addWidget(m_name, 1);
    first->addWidget(m_back);
    first->addWidget(m_forward);
    column->addLayout(first);
    auto *second = new QHBoxLayout;
    second->setContentsMargins(8, 0, 8, 4);
    m_kind = new ElidedLabel(this);
    m_kind->setObjectName(QStringLiteral("node_kind"));
    makeMuted(m_kind);
    m_count = new QLabel(this);
    m_count->setObjectName(QStringLiteral("count"));
    makeMuted(m_count);
    second->addWidget(m_kind, 1);
    second->addWidget(m_count);
    column->addLayout(second);

    m_tabs = new QTabWidget(this);
    m_tabs->setDocumentMode(true);
    m_tabs->setUsesScrollButtons(false);
    m_spec = new SpecTab(m_tabs);
    m_data = new DataTab(m_tabs);
    m_ranges = new RangeTab(m_tabs);
    m_info = new QTextBrowser(m_tabs);
    m_info->setOpenLinks(false);
    m_info->setFrameShape(QFrame::NoFrame);
    m_info->setAccessibleName(tr("About the layer"));
    m_tabs->addTab(m_spec, tr("Spec"));
    m_tabs->addTab(m_data, tr("Data"));
    m_tabs->addTab(m_ranges, tr("Range"));
    m_tabs->addTab(m_info, tr("Info"));
    column->addWidget(m_tabs, 1);

    connect(m_back, &QToolButton::clicked, m_selection, &NodeSelection::goBack);
    connect(m_forward, &QToolButton::clicked, m_selection, &NodeSelection::goForward);
    connect(m_selection, &NodeSelection::selectionChanged, this, &Inspector::refresh);
    connect(m_tabs, &QTabWidget::currentChanged, this, &Inspector::showCurrentTab);
    connect(m_spec, &SpecTab::editRequested, this, &Inspector::editRequested);
    connect(m_ranges, &RangeTab::observerChosen, this, &Inspector::observerChosen);
    connect(m_info, &QTextBrowser::anchorClicked, this, [this](const QUrl &link) {
        if (link.scheme() == QLatin1String("node"))
            m_selection->select({core::NodeId{link.path().toInt()}});
    });
    refresh();
}

void Inspector::setContext(std::shared_ptr<const SpecContext> context)
{
    m_context = context ? std::move(context) : std::make_shared<const SpecContext>(nullptr, core::Recipe());
    m_rangesOf = m_rangesAsked = {};
    m_spec->setContext(m_context, selected());
    showHeader();
    showCurrentTab();
}

void Inspector::setLayers(std::shared_ptr<const LayerTable> layers)
{
    m_layers = std::move(layers);
    showCurrentTab();
}

void Inspector::setRemarks(core::Diagnostics remarks)
{
    m_remarks = std::move(remarks);
    showCurrentTab();
}

void Inspector::setRanges(core::NodeId node, std::vector<TensorRanges> ranges)
{
    if (node != m_selection->current())
        return;
    m_rangesOf = node;
    for (std::size_t i = 0; i < 4; ++i)
        m_spec->editor()->setSuggestedRange(core::TensorRole(i), {});
    if (m_selection->nodes().size() == 1)
        for (const TensorRanges &tensor : ranges)
            for (const ObserverRow &row : tensor.rows)
                if (row.observer == FieldValue(core::ObserverKind::MinMax) && std::isfinite(row.min) && std::isfinite(row.max))
                    m_spec->editor()->setSuggestedRange(tensor.role, core::Range{row.min, row.max});
    m_ranges->setRanges(std::move(ranges), tr("No statistics were collected for this layer's tensors; it may be inside a fused group or stay float."));
}

void Inspector::setCalibrated(bool calibrated)
{
    m_calibrated = calibrated;
    m_rangesOf = m_rangesAsked = {};
    showCurrentTab();
}

void Inspector::showTab(Tab tab) { m_tabs->setCurrentIndex(int(tab)); }

void Inspector::refresh()
{
    if (m_rangesOf != m_selection->current()) {
        m_rangesOf = m_rangesAsked = {};
        for (std::size_t i = 0; i < 4; ++i)
            m_spec->editor()->setSuggestedRange(core::TensorRole(i), {});
    }
    showHeader();
    m_spec->setNodes(selected());
    showCurrentTab();
}

std::set<core::NodeId> Inspector::selected() const
{
    std::set<core::NodeId> nodes;
    std::copy_if(m_selection->nodes().begin(), m_selection->nodes().end(), std::inserter(nodes, nodes.end()), [this](core::NodeId id) { return m_context->graph().contains(id); });
    return nodes;
}

void Inspector::showHeader()
{
    const core::Graph &graph = m_context->graph();
    const NodeSelection::Nodes &nodes = m_selection->nodes();
    const core::NodeId current = m_selection->current();
    m_back->setEnabled(m_selection->canGoBack());
    m_forward->setEnabled(m_selection->canGoForward());
    m_count->setText(nodes.empty() ? QString() : tr("%1 of %2").arg(nodes.size()).arg(graph.nodeCount()));
    m_count->setToolTip(tr("Selected layers, of all"));
    if (nodes.empty() || !graph.contains(current)) {
        m_name->setText(graph.nodeCount() == 0 ? tr("No model") : tr("Nothing selected"));
        m_kind->setText(graph.nodeCount() == 0 ? QString() : tr("%1 layers").arg(graph.nodeCount()));
        return;
    }
    if (nodes.size() == 1) {
        const core::Node &node = graph.node(current);
        m_name->setText(QString::fromStdString(node.name));
        const core::ValueId out = node.output();
        const QString shape = out.valid() ? shapeText(graph.value(out).shape) : QString();
        m_kind->setText(QString::fromStdString(node.opType) + (shape.isEmpty() || shape == QLatin1String("?") ? QString() : QStringLiteral(" · ") + shape));
        return;
    }
    std::map<std::string, int> types;
    for (const core::NodeId id : nodes)
        if (graph.contains(id))
            ++types[graph.node(id).opType];
    QStringList parts;
    for (const auto &[type, count] : types)
        parts << QStringLiteral("%1 ×%2").arg(QString::fromStdString(type)).arg(count);
    m_name->setText(tr("%1 layers").arg(nodes.size()));
    m_kind->setText(parts.join(QStringLiteral(", ")));
}

void Inspector::showCurrentTab()
{
    const core::NodeId current = m_selection->current();
    const bool some = m_context->graph().contains(current);
    switch (m_tabs->currentIndex()) {
    case Data:
        m_data->showNode(*m_context, some ? current : core::NodeId{});
        return;
    case RangeOfObservers: return askForRanges();
    case Info: {
        const QString empty = QStringLiteral("<p>%1</p>").arg(tr("Select a layer to read its attributes, why its quantizers stand where they do, and remarks."));
        m_info->setHtml(some ? infoHtml(*m_context, current, factsOf(current), m_remarks, m_theme.warning) : empty);
        return;
    }
    default: return wantRanges(); // `fixed` starts from the tensor's own range
    }
}

void Inspector::askForRanges()
{
    const core::NodeId current = m_selection->current();
    const bool some = m_context->graph().contains(current);
    if (some && m_rangesOf == current)
        return;
    m_ranges->setRanges({}, !some ? tr("Select a layer to compare the ranges that each observer chooses for its tensors.")
                            : m_calibrated ? tr("Working out the ranges…") : tr("Calibrate first: the observers choose their ranges from statistics of the data."));
    wantRanges();
}

void Inspector::wantRanges()
{
    const core::NodeId current = m_selection->current();
    if (!m_calibrated || !m_context->graph().contains(current) || m_rangesOf == current || m_rangesAsked == current)
        return;
    m_rangesAsked = current;
    Q_EMIT rangesWanted(current);
}

const LayerFacts *Inspector::factsOf(core::NodeId node) const
{
    if (!m_layers)
        return nullptr;
    const auto found = std::find_if(m_layers->begin(), m_layers->end(), [&](const LayerFacts &facts) { return facts.node == node; });
    return found == m_layers->end() ? nullptr : &*found;
}

void Inspector::setTheme(const Theme &theme)
{
    m_theme = theme;
    m_spec->setTheme(theme);
    showCurrentTab();
}

} // namespace widgets
