// Observed and chosen ranges, scale and zero point of every tensor: the Ranges tab's table, the inspector's, and its CSV.
#pragma once

#include "core/base/ids.h"
#include "core/stats/affine.h"

#include <QAbstractTableModel>

#include <limits>
#include <memory>
#include <vector>

namespace widgets {

struct RangeRow {
    core::ValueId value;
    core::NodeId node;                             ///< that makes the tensor, or reads the constant
    QString tensor;
    QString kind;                                  ///< "activation", "weight", "bias"
    QString badge;
    bool constant = false;                         ///< weight or bias
    double seenMin = std::numeric_limits<double>::quiet_NaN(), seenMax = std::numeric_limits<double>::quiet_NaN();
    core::Range chosen{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
    std::vector<float> scales;                     ///< one, or one a channel
    std::vector<std::int64_t> zeroPoints;
    QString observer;
    bool stale = false;
};
using RangeTable = std::vector<RangeRow>;

class RangeModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Tensor, Kind, Type, SeenMin, SeenMax, ChosenMin, ChosenMax, Scale, ZeroPoint, Observer, ColumnCount };
    enum Role { SortRole = Qt::UserRole };         ///< number where there is one: for QSortFilterProxyModel and csvOf

    using QAbstractTableModel::QAbstractTableModel;

    const RangeTable &table() const { return *m_table; }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

public Q_SLOTS:
    void setTable(const std::shared_ptr<const widgets::RangeTable> &table);

private:
    std::shared_ptr<const RangeTable> m_table = std::make_shared<RangeTable>();
};

} // namespace widgets
