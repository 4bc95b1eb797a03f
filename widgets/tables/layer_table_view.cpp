#include "widgets/tables/layer_table_view.h"

#include "widgets/tables/csv.h"
#include "widgets/tables/layer_delegate.h"
#include "widgets/tables/node_query.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QTableView>
#include <QVBoxLayout>

namespace widgets {

LayerTableView::LayerTableView(NodeSelection *selection, QWidget *parent)
    : QWidget(parent), m_selection(selection), m_model(new LayerModel(this)), m_filter(new LayerFilter(m_model, this)), m_delegate(new LayerDelegate(this)),
      m_edit(new QLineEdit(this)), m_count(new QLabel(this)), m_error(new QLabel(this)), m_empty(new QLabel(this)), m_selected(new QLabel(this)),
      m_table(new QTableView(this)), m_editButton(new QPushButton(tr("&Edit…"), this))
{
    m_edit->setPlaceholderText(tr("Filter: name, op:Conv, sqnr<20 …"));
    m_edit->setClearButtonEnabled(true);
    m_edit->setToolTip(nodeQueryHelp());
    m_edit->setAccessibleName(tr("Filter of layers"));
    m_count->setAccessibleName(tr("Layers shown"));
    m_error->setWordWrap(true);
    m_error->setTextFormat(Qt::PlainText);
    m_error->setAccessibleName(tr("Error in the filter"));
    m_error->hide();
    m_empty->setWordWrap(true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setMargin(16);

    m_table->setModel(m_filter);
    m_table->setItemDelegate(m_delegate);
    m_table->setAccessibleName(tr("Layers"));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    QHeaderView *header = m_table->horizontalHeader();
    header->setHighlightSections(false);
    header->setSectionsMovable(true);
    m_table->setSortingEnabled(true);
    header->setSortIndicatorClearable(true);
    m_table->sortByColumn(-1, Qt::AscendingOrder);
    const int letter = fontMetrics().horizontalAdvance(QLatin1Char('0'));
    const int widths[] = {2, 20, 12, 6, 11, 12, 9, 10, 10, 18, 13};
    for (int column = 0; column < LayerModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column] * letter + 8);
    m_table->setColumnHidden(LayerModel::Current, true);
    // In a narrow dock the first four are what is seen.
    const int order[] = {LayerModel::Quantized, LayerModel::Name, LayerModel::Type, LayerModel::ActivationSqnr, LayerModel::Current, LayerModel::Operator};
    for (int place = 0; place < int(std::size(order)); ++place)
        header->moveSection(header->visualIndex(order[place]), place);
    m_table->setTextElideMode(Qt::ElideMiddle);
    m_table->installEventFilter(this);
    m_edit->installEventFilter(this);

    m_editButton->setToolTip(tr("Edit the settings of the selected layers together"));
    m_editButton->setEnabled(false);

    auto *top = new QHBoxLayout;
    top->setSpacing(6);
    top->addWidget(m_edit, 1);
    top->addWidget(m_count);
    auto *bottom = new QHBoxLayout;
    bottom->addWidget(m_selected, 1);
    bottom->addWidget(m_editButton);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(4, 4, 4, 4);
    column->setSpacing(4);
    column->addLayout(top);
    column->addWidget(m_error);
    column->addWidget(m_table, 1);
    column->addWidget(m_empty, 1);
    column->addLayout(bottom);

    connect(m_edit, &QLineEdit::textChanged, this, &LayerTableView::filterRows);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &LayerTableView::takeFromTable);
    connect(m_selection, &NodeSelection::selectionChanged, this, &LayerTableView::giveToTable);
    connect(m_model, &LayerModel::quantizationToggled, this, &LayerTableView::quantizationToggled);
    connect(m_editButton, &QPushButton::clicked, this, &LayerTableView::editRequested);
    connect(m_table, &QTableView::doubleClicked, this, [this](const QModelIndex &index) {
        if (index.column() != LayerModel::Quantized)
            Q_EMIT nodeActivated(m_model->nodeAt(m_filter->mapToSource(index).row()));
    });
    setTheme(m_theme);
    count();
}

void LayerTableView::setTheme(const Theme &theme)
{
    m_theme = theme;
    m_model->setTheme(theme);
    m_delegate->setTheme(theme);
    QPalette colors = palette();
    colors.setColor(QPalette::WindowText, theme.problem);
    m_error->setPalette(colors);
    colors.setColor(QPalette::WindowText, theme.mutedText);
    m_empty->setPalette(colors);
    m_count->setPalette(colors);
}

void LayerTableView::setGraph(std::shared_ptr<const core::Graph> graph)
{
    const QScopedValueRollback quiet(m_syncing, true);
    m_filter->setGraph(std::move(graph));
    count();
}

void LayerTableView::setLayers(const std::shared_ptr<const LayerTable> &table)
{
    {
        const QScopedValueRollback quiet(m_syncing, true);
        m_model->setTable(table);
        m_filter->setQuery(m_edit->text());
    }
    giveToTable();
    count();
}

void LayerTableView::setOverlay(Overlay overlay)
{
    m_model->setOverlay(overlay);
    // Overlays that have a column of their own need no second one.
    const bool hasColumn = overlay == Overlay::Operator || overlay == Overlay::Dtype || overlay == Overlay::Overridden || overlay == Overlay::ActivationSqnr
        || overlay == Overlay::WeightSqnr || overlay == Overlay::Clipping || overlay == Overlay::Size;
    m_table->setColumnHidden(LayerModel::Current, hasColumn);
}

void LayerTableView::setFilterText(const QString &text) { m_edit->setText(text); }

void LayerTableView::filterRows(const QString &text)
{
    {
        const QScopedValueRollback quiet(m_syncing, true);
        m_filter->setQuery(text);
    }
    m_error->setText(m_filter->error());
    m_error->setVisible(!m_filter->error().isEmpty());
    giveToTable();
    count();
}

void LayerTableView::takeFromTable()
{
    if (m_syncing)
        return;
    NodeSelection::Nodes nodes;
    for (const QItemSelectionRange &range : m_table->selectionModel()->selection())
        for (int row = range.top(); row <= range.bottom(); ++row)
            nodes.insert(m_model->nodeAt(m_filter->mapToSource(m_filter->index(row, 0)).row()));
    const QModelIndex current = m_filter->mapToSource(m_table->currentIndex());
    const QScopedValueRollback quiet(m_syncing, true);
    m_selection->select(nodes, m_model->nodeAt(current.row()));
    count();
}

void LayerTableView::giveToTable()
{
    if (m_syncing)
        return count();
    const QScopedValueRollback quiet(m_syncing, true);
    std::vector<int> rows;
    for (const core::NodeId node : m_selection->nodes())
        if (const int source = m_model->rowOf(node); source >= 0)
            if (const QModelIndex shown = m_filter->mapFromSource(m_model->index(source, 0)); shown.isValid())
                rows.push_back(shown.row());
    std::sort(rows.begin(), rows.end());
    QItemSelection selection;
    for (std::size_t i = 0; i < rows.size();) {
        std::size_t end = i;
        while (end + 1 < rows.size() && rows[end + 1] == rows[end] + 1)
            ++end;
        selection.append(QItemSelectionRange(m_filter->index(rows[i], 0), m_filter->index(rows[end], LayerModel::ColumnCount - 1)));
        i = end + 1;
    }
    m_table->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    const QModelIndex current = m_filter->mapFromSource(m_model->index(m_model->rowOf(m_selection->current()), LayerModel::Name));
    if (current.isValid()) {
        m_table->selectionModel()->setCurrentIndex(current, QItemSelectionModel::NoUpdate);
        if (!m_table->hasFocus())
            m_table->scrollTo(m_filter->index(current.row(), m_table->columnAt(0)));
    }
    count();
}

void LayerTableView::count()
{
    const int all = m_model->rowCount(), shown = m_filter->rowCount();
    m_count->setText(tr("%1 / %2").arg(shown).arg(all));
    m_count->setToolTip(tr("%1 of %2 layers pass the filter").arg(shown).arg(all));
    m_table->setVisible(shown > 0);
    m_empty->setVisible(shown == 0);
    m_empty->setText(all == 0 ? tr("Open a model to see its layers here.") : tr("No layer passes the filter. Clear it to see all %1.").arg(all));
    const int selected = int(m_selection->nodes().size());
    int hidden = 0;
    for (const core::NodeId node : m_selection->nodes())
        hidden += m_filter->mapFromSource(m_model->index(m_model->rowOf(node), 0)).isValid() ? 0 : 1;
    m_selected->setText(hidden > 0 ? tr("%1 selected, %2 not shown").arg(selected).arg(hidden) : tr("%1 selected").arg(selected));
    m_editButton->setEnabled(selected > 0);
}

void LayerTableView::selectShown()
{
    m_table->setFocus();
    m_table->selectAll();
}

void LayerTableView::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    // The names get what type and SQNR leave, so that these are seen without scrolling.
    const int rest = width() - 36 - m_table->columnWidth(LayerModel::Quantized) - m_table->columnWidth(LayerModel::Type) - m_table->columnWidth(LayerModel::ActivationSqnr);
    m_table->setColumnWidth(LayerModel::Name, std::clamp(rest, 12 * fontMetrics().horizontalAdvance(QLatin1Char('0')), 480));
}

QString LayerTableView::csv() const { return csvOf(*m_filter, LayerModel::SortRole); }

bool LayerTableView::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent *>(event)->key();
        if (watched == m_edit && (key == Qt::Key_Down || key == Qt::Key_Return || key == Qt::Key_Enter) && m_filter->rowCount() > 0) {
            // From the filter into the rows; Enter takes them all, as "select by rule" does.
            if (key != Qt::Key_Down && m_filter->error().isEmpty() && !m_edit->text().isEmpty())
                selectShown();
            m_table->setFocus();
            return true;
        }
        if (watched == m_table && (key == Qt::Key_Return || key == Qt::Key_Enter)) {
            Q_EMIT nodeActivated(m_selection->current());
            return true;
        }
        if (watched == m_table && key == Qt::Key_Space && m_table->currentIndex().isValid()) {
            const QModelIndex box = m_filter->index(m_table->currentIndex().row(), LayerModel::Quantized);
            m_filter->setData(box, box.data(Qt::CheckStateRole).toInt() == Qt::Checked ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace widgets
