// The experiments of a project, one row a run.
#pragma once

#include <QAbstractTableModel>
#include <QDateTime>

#include <limits>
#include <memory>
#include <vector>

namespace widgets {

/// Accuracies in percent; NaN = not measured.
struct RunFigures {
    double top1 = std::numeric_limits<double>::quiet_NaN(), top5 = std::numeric_limits<double>::quiet_NaN();
    double agreement = std::numeric_limits<double>::quiet_NaN();   ///< with the float model's class
};

struct RunRow {
    QString name, recipeSummary;
    QDateTime date;
    RunFigures floating, ptq, exported;
    qint64 sourceBytes = 0, fileBytes = 0;                         ///< 0 = not exported
    double seconds = 0;
    QString recipeJson;
    bool stale = false;
};
using RunTable = std::vector<RunRow>;

class RunModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Name, Recipe, Date, FloatTop1, PtqTop1, ExportedTop1, ExportedTop5, Agreement, Size, Seconds, ColumnCount };
    enum Role { SortRole = Qt::UserRole };

    using QAbstractTableModel::QAbstractTableModel;

    const std::shared_ptr<const RunTable> &table() const { return m_table; }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;
    /// A new name is a wish: the signal tells, the table stays.
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;

public Q_SLOTS:
    void setTable(const std::shared_ptr<const widgets::RunTable> &table);

Q_SIGNALS:
    void runRenamed(int run, const QString &name);

private:
    std::shared_ptr<const RunTable> m_table = std::make_shared<RunTable>();
};

QString percentText(double percent);                               ///< "71.9 %"
QString bytesText(qint64 bytes);                                   ///< "3.6 MB"

} // namespace widgets
