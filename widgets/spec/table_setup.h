// How the small tables of the inspector look and sort: one place for all of them.
#pragma once

#include <QString>

class QAbstractItemModel;
class QLabel;
class QSortFilterProxyModel;
class QTableView;
class QWidget;

namespace widgets {

/// Whole rows, sortable by a click on the heading (in the model's order until then), Ctrl+C copies the selected rows as tab-separated text.
QTableView *makeTable(QAbstractItemModel *model, const QString &accessibleName, QWidget *parent);
QSortFilterProxyModel *sortedModel(QTableView *table);
/// What an empty place says of what would fill it.
QLabel *emptyLabel(const QString &text, QWidget *parent);

} // namespace widgets
