#include "widgets/tables/range_model.h"

#include "widgets/charts/plot_scale.h"

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

template <class List>
QString extentText(const List &list)
{
    if (list.empty())
        return QStringLiteral("–");
    const auto [least, most] = std::minmax_element(list.begin(), list.end());
    if (*least == *most)
        return plainNumber(double(*least), 6);
    return RangeModel::tr("%1 … %2 (%3)").arg(plainNumber(double(*least), 4), plainNumber(double(*most), 4)).arg(list.size());
}

} // namespace

void RangeModel::setTable(const std::shared_ptr<const RangeTable> &table)
{
    beginResetModel();
    m_table = table ? table : std::make_shared<const RangeTable>();
    endResetModel();
}

int RangeModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_table->size()); }
int RangeModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(ColumnCount); }

QVariant RangeModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const RangeRow &row = (*m_table)[std::size_t(index.row())];
    const double numbers[] = {row.seenMin, row.seenMax, row.chosen.min, row.chosen.max};
    const bool number = index.column() >= SeenMin && index.column() <= ChosenMax;
    if (role == Qt::TextAlignmentRole)
        return int((number || index.column() == Scale || index.column() == ZeroPoint ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role == Qt::ToolTipRole)
        return row.stale ? tr("%1\nOf older settings; run again to renew it.").arg(row.tensor) : row.tensor;
    if (role != Qt::DisplayRole && role != SortRole)
        return {};
    if (number) {
        const double value = numbers[index.column() - SeenMin];
        return role == SortRole ? QVariant(value) : QVariant(plainNumber(value, 5));
    }
    switch (index.column()) {
    case Tensor: return row.tensor;
    case Kind: return row.kind;
    case Type: return row.badge;
    case Scale:
        if (role == SortRole && !row.scales.empty())
            return double(*std::max_element(row.scales.begin(), row.scales.end()));
        return extentText(row.scales);
    case ZeroPoint:
        if (role == SortRole && row.zeroPoints.size() == 1)
            return double(row.zeroPoints.front());
        return extentText(row.zeroPoints);
    case Observer: return row.observer;
    default: return {};
    }
}

QVariant RangeModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Vertical)
        return role == Qt::DisplayRole ? QVariant(section + 1) : QVariant();
    static const char *const titles[] = {QT_TR_NOOP("Tensor"), QT_TR_NOOP("Kind"), QT_TR_NOOP("Type"), QT_TR_NOOP("Seen min"), QT_TR_NOOP("Seen max"),
        QT_TR_NOOP("Clip min"), QT_TR_NOOP("Clip max"), QT_TR_NOOP("Scale"), QT_TR_NOOP("Zero point"), QT_TR_NOOP("Observer")};
    if (section < 0 || section >= ColumnCount || role != Qt::DisplayRole)
        return {};
    return tr(titles[section]);
}

} // namespace widgets
