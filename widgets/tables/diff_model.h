// Two texts side by side, key by key: recipe fields, figures.
#pragma once

#include <QAbstractTableModel>

#include <vector>

namespace widgets {

struct RunRow;

struct DiffRow {
    QString key, a, b;
    bool different() const { return a != b; }
    friend bool operator==(const DiffRow &, const DiffRow &) = default;
};
using DiffRows = std::vector<DiffRow>;

/// Every field of two JSON objects in the order of their keys, "config.rules[0].query"; a list of plain values is one field, a missing field is "–".
/// A text that is no JSON counts as empty.
DiffRows jsonDifferences(const QString &a, const QString &b);
/// Accuracies, size and time; B with its difference to A: "65.3 % (−6.6)".
DiffRows figureDifferences(const RunRow &a, const RunRow &b);

class DiffModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

public Q_SLOTS:
    void setRows(const widgets::DiffRows &rows, const QString &titleA, const QString &titleB);

private:
    DiffRows m_rows;
    QString m_titleA, m_titleB;
};

} // namespace widgets
