// A read-only table of values that someone else has worked out: rows of cells, taken whole.
#pragma once

#include <QAbstractTableModel>
#include <QStringList>
#include <QVariant>

#include <vector>

namespace widgets {

struct Cell {
    QString text;
    QVariant sortBy;               ///< a number where the text is one; else the text
    QString toolTip;
    bool strong = false;           ///< bold
    bool mono = false;             ///< right-aligned number
};

class ValueTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    static constexpr int SortRole = Qt::UserRole;
    using Rows = std::vector<std::vector<Cell>>;

    explicit ValueTableModel(QStringList headers, QObject *parent = nullptr);
    void setRows(Rows rows);

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QStringList m_headers;
    Rows m_rows;
};

/// A number cell: "0.0039", sorted as a number; "–" when it is not known.
Cell numberCell(double value, int digits = 4);

} // namespace widgets
