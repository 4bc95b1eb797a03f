#include "widgets/spec/value_table_model.h"

#include "widgets/spec/spec_field.h"

#include <QFont>

#include <cmath>

namespace widgets {

ValueTableModel::ValueTableModel(QStringList headers, QObject *parent) : QAbstractTableModel(parent), m_headers(std::move(headers)) {}

void ValueTableModel::setRows(Rows rows)
{
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

int ValueTableModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_rows.size()); }
int ValueTableModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_headers.size()); }

QVariant ValueTableModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const std::vector<Cell> &row = m_rows[std::size_t(index.row())];
    if (std::size_t(index.column()) >= row.size())
        return {};
    const Cell &cell = row[std::size_t(index.column())];
    switch (role) {
    case Qt::DisplayRole: return cell.text;
    case Qt::ToolTipRole: return cell.toolTip.isEmpty() ? QVariant(cell.text) : QVariant(QStringLiteral("<p>%1</p>").arg(cell.toolTip.toHtmlEscaped()));
    case Qt::TextAlignmentRole: return int((cell.mono ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case SortRole: return cell.sortBy.isValid() ? cell.sortBy : QVariant(cell.text);
    case Qt::FontRole: {
        if (!cell.strong)
            return {};
        QFont font;
        font.setBold(true);
        return font;
    }
    default: return {};
    }
}

QVariant ValueTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= m_headers.size())
        return {};
    return m_headers[section];
}

Cell numberCell(double value, int digits)
{
    Cell cell;
    cell.mono = true;
    cell.text = std::isfinite(value) ? shortNumber(value, digits) : std::isinf(value) ? QStringLiteral("∞") : QStringLiteral("–");
    cell.sortBy = std::isnan(value) ? -1e300 : value;
    return cell;
}

} // namespace widgets
