#include "widgets/spec/table_setup.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/value_table_model.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QLabel>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QTableView>

namespace widgets {
namespace {

void copyRows(const QTableView *table)
{
    QStringList lines;
    QStringList heads;
    for (int c = 0; c < table->model()->columnCount(); ++c)
        heads << table->model()->headerData(c, Qt::Horizontal).toString();
    lines << heads.join(QLatin1Char('\t'));
    for (int r = 0; r < table->model()->rowCount(); ++r) {
        if (table->selectionModel()->hasSelection() && !table->selectionModel()->isRowSelected(r))
            continue;
        QStringList cells;
        for (int c = 0; c < table->model()->columnCount(); ++c)
            cells << table->model()->index(r, c).data().toString();
        lines << cells.join(QLatin1Char('\t'));
    }
    QApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

} // namespace

QTableView *makeTable(QAbstractItemModel *model, const QString &accessibleName, QWidget *parent)
{
    auto *table = new QTableView(parent);
    auto *sorted = new QSortFilterProxyModel(table);
    sorted->setSourceModel(model);
    sorted->setSortRole(ValueTableModel::SortRole);
    table->setModel(sorted);
    table->setAccessibleName(accessibleName);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setAlternatingRowColors(true);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->setTextElideMode(Qt::ElideMiddle);
    table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(table->fontMetrics().height() + 6);
    table->horizontalHeader()->setMinimumSectionSize(28);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    table->setSortingEnabled(true);
    auto *copy = new QShortcut(QKeySequence::Copy, table);
    copy->setContext(Qt::WidgetWithChildrenShortcut);
    QObject::connect(copy, &QShortcut::activated, table, [table] { copyRows(table); });
    return table;
}

QSortFilterProxyModel *sortedModel(QTableView *table) { return qobject_cast<QSortFilterProxyModel *>(table->model()); }

QLabel *emptyLabel(const QString &text, QWidget *parent)
{
    auto *label = new QLabel(text, parent);
    label->setWordWrap(true);
    label->setAlignment(Qt::AlignCenter);
    label->setMargin(16);
    makeMuted(label);
    return label;
}

} // namespace widgets
