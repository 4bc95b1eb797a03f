#include "widgets/log/problems_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace widgets {
namespace {

/// Rows as high as their wrapped text; a tree view by itself reckons with one line.
class WrapDelegate : public QStyledItemDelegate {
public:
    explicit WrapDelegate(QTreeWidget *list) : QStyledItemDelegate(list), m_list(list) {}

    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        const QSize plain = QStyledItemDelegate::sizeHint(option, index);
        if (index.column() != 1 && index.column() != 2)
            return {plain.width(), std::max(plain.height(), option.fontMetrics.height() + 8)};
        const int width = m_list->columnWidth(index.column()) - 10;
        const QRect text = option.fontMetrics.boundingRect(QRect(0, 0, std::max(width, 40), 10000), int(Qt::TextWordWrap | Qt::AlignLeft), index.data().toString());
        return {plain.width(), text.height() + 8};
    }

protected:
    void initStyleOption(QStyleOptionViewItem *option, const QModelIndex &index) const override
    {
        QStyledItemDelegate::initStyleOption(option, index);
        option->rect.adjust(0, 3, 0, 0);
        option->decorationAlignment = Qt::AlignHCenter | Qt::AlignTop;
    }

private:
    QTreeWidget *m_list;
};

constexpr core::Severity severities[] = {core::Severity::Problem, core::Severity::Warning, core::Severity::Note};

} // namespace

QString severityName(core::Severity severity)
{
    switch (severity) {
    case core::Severity::Note: return ProblemsPanel::tr("Note");
    case core::Severity::Warning: return ProblemsPanel::tr("Warning");
    case core::Severity::Problem: return ProblemsPanel::tr("Problem");
    }
    return {};
}

QIcon severityIcon(core::Severity severity, const Theme &theme)
{
    QPixmap pixmap(32, 32);
    pixmap.setDevicePixelRatio(2);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const QColor color = severity == core::Severity::Problem ? theme.problem : severity == core::Severity::Warning ? theme.warning : theme.mutedText;
    painter.setBrush(color);
    if (severity == core::Severity::Warning)
        painter.drawPolygon(QPolygonF({{8, 1}, {15.5, 15}, {0.5, 15}}));
    else
        painter.drawEllipse(QRectF(1, 1, 14, 14));
    painter.setPen(QPen(theme.textOn(color), 1.8, Qt::SolidLine, Qt::RoundCap));
    if (severity == core::Severity::Problem) {
        painter.drawLine(QPointF(5.2, 5.2), QPointF(10.8, 10.8));
        painter.drawLine(QPointF(10.8, 5.2), QPointF(5.2, 10.8));
    } else {
        const bool note = severity == core::Severity::Note;
        painter.drawLine(QPointF(8, note ? 7.5 : 6), QPointF(8, note ? 11.5 : 10));
        painter.drawPoint(QPointF(8, note ? 4.5 : 12.8));
    }
    return pixmap;
}

ProblemRow problemOf(const core::Finding &finding)
{
    return {finding.severity, QString::fromStdString(finding.code), QString::fromStdString(finding.title), QString::fromStdString(finding.evidence), finding.nodes,
            QString::fromStdString(finding.fix)};
}

ProblemsPanel::ProblemsPanel(QWidget *parent) : QWidget(parent), m_list(new QTreeWidget(this)), m_empty(new QLabel(this)), m_stack(new QStackedWidget(this))
{
    m_list->setColumnCount(4);
    m_list->setHeaderLabels({tr("Kind"), tr("What"), tr("Evidence"), tr("Action")});
    m_list->setAccessibleName(tr("Problems"));
    m_list->setRootIsDecorated(false);
    m_list->setAlternatingRowColors(true);
    m_list->setWordWrap(true);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setContextMenuPolicy(Qt::CustomContextMenu);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_list->header()->setSectionResizeMode(1, QHeaderView::Interactive);
    m_list->header()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_list->header()->setSectionResizeMode(3, QHeaderView::ResizeToContents);
    m_list->header()->resizeSection(1, fontMetrics().averageCharWidth() * 26);
    m_list->setItemDelegate(new WrapDelegate(m_list));
    connect(m_list->header(), &QHeaderView::sectionResized, m_list, [this] { m_list->doItemsLayout(); }, Qt::QueuedConnection);
    m_list->installEventFilter(this);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setMargin(16);

    auto *top = new QHBoxLayout;
    top->setContentsMargins(6, 2, 6, 2);
    top->setSpacing(4);
    for (int i = 0; i < 3; ++i) {
        auto *button = m_filters[i] = new QToolButton(this);
        button->setCheckable(true);
        button->setChecked(true);
        button->setAutoRaise(true);
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setToolTip(tr("Show or hide this kind"));
        connect(button, &QToolButton::toggled, this, &ProblemsPanel::rebuild);
        top->addWidget(button);
    }
    top->addStretch(1);
    m_stack->addWidget(m_list);
    m_stack->addWidget(m_empty);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(top);
    column->addWidget(m_stack, 1);

    connect(m_list, &QTreeWidget::itemDoubleClicked, this, [this](QTreeWidgetItem *item) {
        const int index = indexOf(item);
        Q_EMIT showRequested(index, m_problems[std::size_t(index)].nodes);
    });
    connect(m_list, &QWidget::customContextMenuRequested, this, &ProblemsPanel::showMenu);
    setTheme(m_theme);
}

QString ProblemsPanel::title() const
{
    const auto count = std::count_if(m_problems.begin(), m_problems.end(), [](const ProblemRow &p) { return p.severity != core::Severity::Note; });
    return count > 0 ? tr("Problems (%1)").arg(count) : tr("Problems");
}

void ProblemsPanel::setProblems(const std::vector<ProblemRow> &problems)
{
    m_problems = problems;
    rebuild();
    Q_EMIT titleChanged(title());
}

void ProblemsPanel::addProblem(const ProblemRow &problem)
{
    m_problems.insert(m_problems.begin(), problem);
    rebuild();
    if (m_list->topLevelItemCount() > 0)
        m_list->setCurrentItem(m_list->topLevelItem(0));
    Q_EMIT titleChanged(title());
}

void ProblemsPanel::setTheme(const Theme &theme)
{
    m_theme = theme;
    setPalette(theme.palette());
    QPalette muted = theme.palette();
    muted.setColor(QPalette::WindowText, theme.mutedText);
    m_empty->setPalette(muted);
    rebuild();
}

void ProblemsPanel::rebuild()
{
    const int current = m_list->currentItem() ? indexOf(m_list->currentItem()) : -1;
    m_list->clear();
    for (int i = 0; i < 3; ++i) {
        const auto count = std::count_if(m_problems.begin(), m_problems.end(), [&](const ProblemRow &p) { return p.severity == severities[i]; });
        m_filters[i]->setIcon(severityIcon(severities[i], m_theme));
        m_filters[i]->setText(QString::number(count));
        m_filters[i]->setAccessibleName(tr("%1: %2").arg(severityName(severities[i])).arg(count));
    }
    for (int index = 0; index < int(m_problems.size()); ++index) {
        const ProblemRow &problem = m_problems[std::size_t(index)];
        const auto place = std::find(std::begin(severities), std::end(severities), problem.severity) - std::begin(severities);
        if (!m_filters[place]->isChecked())
            continue;
        auto *item = new QTreeWidgetItem(m_list, {severityName(problem.severity), problem.title, problem.evidence});
        item->setIcon(0, severityIcon(problem.severity, m_theme));
        item->setData(0, Qt::UserRole, index);
        for (int column = 0; column < 3; ++column) {
            item->setTextAlignment(column, Qt::AlignLeft | Qt::AlignTop);
            item->setToolTip(column, details(index));
        }
        m_list->setItemWidget(item, 3, buttonsOf(index));
        if (index == current)
            m_list->setCurrentItem(item);
    }
    m_empty->setText(m_problems.empty() ? tr("Nothing found. After a model is opened and after each run the doctor looks for trouble and lists it here, with evidence and a fix.")
                                        : tr("All %1 entries are hidden by the buttons above.").arg(m_problems.size()));
    m_stack->setCurrentIndex(m_list->topLevelItemCount() > 0 ? 0 : 1);
}

void ProblemsPanel::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_list->header()->resizeSection(1, std::max(fontMetrics().averageCharWidth() * 24, width() / 4));
}

int ProblemsPanel::indexOf(const QTreeWidgetItem *item) const { return item->data(0, Qt::UserRole).toInt(); }

QWidget *ProblemsPanel::buttonsOf(int index)
{
    const ProblemRow &problem = m_problems[std::size_t(index)];
    auto *box = new QWidget(m_list);
    auto *row = new QHBoxLayout(box);
    row->setContentsMargins(2, 1, 2, 1);
    row->setSpacing(3);
    const auto add = [&](const QString &text, const QString &toolTip) {
        auto *button = new QToolButton(box);
        button->setText(text);
        button->setToolTip(toolTip);
        button->setAccessibleName(tr("%1: %2").arg(text, problem.title));
        row->addWidget(button, 0, Qt::AlignTop);
        return button;
    };
    if (!problem.nodes.empty())
        connect(add(tr("Show"), tr("Selects the layers it is about")), &QToolButton::clicked, this,
                [this, index] { Q_EMIT showRequested(index, m_problems[std::size_t(index)].nodes); });
    if (!problem.fix.isEmpty())
        connect(add(tr("Fix"), problem.fix), &QToolButton::clicked, this, [this, index] { Q_EMIT fixRequested(index); });
    row->addStretch(1);
    return box;
}

QString ProblemsPanel::details(int index) const
{
    const ProblemRow &problem = m_problems[std::size_t(index)];
    QString text = QStringLiteral("%1: %2 [%3]\n%4").arg(severityName(problem.severity), problem.title, problem.code, problem.evidence);
    if (!problem.fix.isEmpty())
        text += tr("\nFix: %1").arg(problem.fix);
    return text;
}

void ProblemsPanel::copyDetails(int index) const { QApplication::clipboard()->setText(details(index)); }

void ProblemsPanel::showMenu(const QPoint &position)
{
    const QTreeWidgetItem *item = m_list->itemAt(position);
    if (!item)
        return;
    const int index = indexOf(item);
    const ProblemRow &problem = m_problems[std::size_t(index)];
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("&Show"), this, [this, index] { Q_EMIT showRequested(index, m_problems[std::size_t(index)].nodes); })->setEnabled(!problem.nodes.empty());
    menu->addAction(problem.fix.isEmpty() ? tr("&Fix") : tr("&Fix: %1").arg(problem.fix), this, [this, index] { Q_EMIT fixRequested(index); })
        ->setEnabled(!problem.fix.isEmpty());
    menu->addAction(tr("&Copy details"), this, [this, index] { copyDetails(index); });
    menu->popup(m_list->viewport()->mapToGlobal(position));
}

bool ProblemsPanel::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_list && event->type() == QEvent::KeyPress && m_list->currentItem()) {
        const int index = indexOf(m_list->currentItem());
        auto *key = static_cast<QKeyEvent *>(event);
        if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
            Q_EMIT showRequested(index, m_problems[std::size_t(index)].nodes);
            return true;
        }
        if (key->matches(QKeySequence::Copy)) {
            copyDetails(index);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace widgets
