#include "widgets/graph/graph_canvas.h"

#include "widgets/graph/overlay_legend.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QShortcut>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace widgets {

GraphCanvas::GraphCanvas(QWidget *parent)
    : QWidget(parent), m_scene(new GraphScene(this)), m_view(new GraphView(*m_scene, this)), m_legend(new OverlayLegend(this)),
      m_modes(new QButtonGroup(this)), m_colour(new QComboBox(this)), m_find(new QLineEdit(this)), m_matchLabel(new QLabel(this))
{
    auto *bar = new QHBoxLayout;
    bar->setContentsMargins(8, 4, 8, 4);
    bar->setSpacing(0);
    const std::array<std::pair<QString, QString>, 3> modes = {
        {{tr("Blocks"), tr("Residual blocks and the like as one box each, coloured by their worst layer. Double click opens one.")},
         {tr("Layers"), tr("Every layer, from top to bottom.")},
         {tr("Overview"), tr("Every layer in columns, so that the whole network fits the window.")}}};
    for (std::size_t i = 0; i < modes.size(); ++i) {
        auto *button = new QToolButton(this);
        button->setText(modes[i].first);
        button->setToolTip(modes[i].second);
        button->setAccessibleName(tr("Show as %1").arg(modes[i].first));
        button->setCheckable(true);
        button->setChecked(GraphMode(i) == m_request.mode);
        m_modes->addButton(button, int(i));
        bar->addWidget(button);
    }
    bar->addSpacing(14);
    auto *colourLabel = new QLabel(tr("&Colour:"), this);
    colourLabel->setBuddy(m_colour);
    bar->addWidget(colourLabel);
    bar->addSpacing(5);
    for (int i = 0; i < overlayCount; ++i) {
        m_colour->addItem(overlayName(Overlay(i)));
        m_colour->setItemData(i, tr("Key %1").arg(i + 1), Qt::ToolTipRole);
    }
    m_colour->setAccessibleName(tr("What the colours show"));
    m_colour->setToolTip(tr("What the colours show (keys 1 to 9)"));
    m_colour->setMaxVisibleItems(overlayCount);
    bar->addWidget(m_colour);
    bar->addSpacing(12);
    bar->addWidget(m_legend, 4);
    bar->addSpacing(8);
    m_matchLabel->setAccessibleName(tr("Number of nodes found"));
    bar->addWidget(m_matchLabel);
    bar->addSpacing(5);
    m_find->setPlaceholderText(tr("Find (Ctrl+F)"));
    m_find->setAccessibleName(tr("Find a node by name or operator"));
    m_find->setToolTip(tr("Part of a name or operator. Enter goes to the next, Shift+Enter to the one before."));
    m_find->setClearButtonEnabled(true);
    m_find->setMinimumWidth(90);
    m_find->setMaximumWidth(160);
    bar->addWidget(m_find, 1);
    auto *fit = new QToolButton(this);
    fit->setText(tr("Fit"));
    fit->setToolTip(tr("Show the whole graph (Ctrl+0)"));
    fit->setAccessibleName(tr("Show the whole graph"));
    bar->addSpacing(6);
    bar->addWidget(fit);

    auto *all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->setSpacing(0);
    all->addLayout(bar);
    all->addWidget(m_view, 1);
    setFocusProxy(m_view);

    connect(m_modes, &QButtonGroup::idClicked, this, [this](int id) { setMode(GraphMode(id)); });
    connect(m_colour, &QComboBox::activated, this, [this](int index) { setOverlay(Overlay(index)); });
    connect(fit, &QToolButton::clicked, m_view, &GraphView::fitAll);
    connect(m_find, &QLineEdit::textChanged, this, &GraphCanvas::updateMatches);
    connect(m_find, &QLineEdit::returnPressed, this, [this] { find(!(QGuiApplication::keyboardModifiers() & Qt::ShiftModifier)); });
    connect(m_view, &GraphView::blockOpened, this, [this](core::NodeId key) { setBlockOpen(key, true); });
    connect(m_view, &GraphView::blockClosed, this, [this](core::NodeId key) { setBlockOpen(key, false); });
    auto *leave = new QShortcut(QKeySequence(Qt::Key_Escape), m_find, nullptr, nullptr, Qt::WidgetShortcut);
    connect(leave, &QShortcut::activated, m_view, qOverload<>(&QWidget::setFocus));
}

GraphCanvas::~GraphCanvas()
{
    delete m_view; // before the scene it shows
}

void GraphCanvas::setDrawing(std::shared_ptr<const DrawnGraph> drawing)
{
    m_legend->setDrawing(drawing);
    m_view->setDrawing(std::move(drawing), m_anchor);
    m_anchor = {};
    updateMatches();
}

void GraphCanvas::clear()
{
    m_request.opened.clear();
    setMarks({});
    setFacts({});
    setDrawing({});
}

void GraphCanvas::setFacts(std::shared_ptr<const LayerTable> facts)
{
    m_legend->setFacts(facts);
    m_scene->setFacts(std::move(facts));
}

void GraphCanvas::setMarks(std::vector<QuantizerMark> marks)
{
    m_scene->setMarks(std::move(marks));
}

void GraphCanvas::setMode(GraphMode mode)
{
    m_modes->button(int(mode))->setChecked(true);
    if (mode == m_request.mode)
        return;
    m_request.mode = mode;
    Q_EMIT modeChanged(mode);
    Q_EMIT drawingRequested(m_request);
}

void GraphCanvas::setOverlay(Overlay overlay)
{
    m_colour->setCurrentIndex(int(overlay));
    if (overlay == m_scene->state().overlay)
        return;
    m_legend->setOverlay(overlay);
    m_scene->setOverlay(overlay);
    Q_EMIT overlayChanged(overlay);
}

void GraphCanvas::setTheme(const Theme &theme)
{
    m_legend->setTheme(theme);
    m_scene->setTheme(theme);
}

void GraphCanvas::setBlockOpen(core::NodeId key, bool open)
{
    if (open ? !m_request.opened.insert(key).second : m_request.opened.erase(key) == 0)
        return;
    m_anchor = key;
    Q_EMIT blockToggled(key, open);
    Q_EMIT drawingRequested(m_request);
}

void GraphCanvas::startFind()
{
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

void GraphCanvas::updateMatches()
{
    m_matches = m_view->find(m_find->text());
    const bool searching = !m_find->text().trimmed().isEmpty();
    m_matchLabel->setText(!searching ? QString() : m_matches.empty() ? tr("none") : tr("%n found", nullptr, int(m_matches.size())));
}

void GraphCanvas::find(bool forward)
{
    if (m_matches.empty() || !m_scene->selection())
        return;
    const core::NodeId current = m_scene->selection()->current();
    core::NodeId next;
    if (forward) {
        const auto after = std::upper_bound(m_matches.begin(), m_matches.end(), current);
        next = after == m_matches.end() ? m_matches.front() : *after;
    } else {
        const auto before = std::lower_bound(m_matches.begin(), m_matches.end(), current);
        next = before == m_matches.begin() ? m_matches.back() : *(before - 1);
    }
    m_scene->selection()->select({next}, next);
    m_view->centreOnNode(next);
}

} // namespace widgets
