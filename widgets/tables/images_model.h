// Images whose prediction changed between float and quantized model.
#pragma once

#include <QAbstractTableModel>
#include <QImage>

#include <memory>
#include <vector>

namespace widgets {

struct ImageRow {
    QString path;
    QString label;                                 ///< true class; empty when not known
    QString floatClass, quantizedClass;
    double floatScore = 0, quantizedScore = 0;     ///< as the model gives them: shown as percent when all lie in 0…1
    QImage thumbnail;
};
using ImageTable = std::vector<ImageRow>;

class ImagesModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { File, Label, FloatClass, FloatScore, QuantizedClass, QuantizedScore, Change, ColumnCount };
    enum Role { SortRole = Qt::UserRole };

    using QAbstractTableModel::QAbstractTableModel;

    const ImageTable &table() const { return *m_table; }
    QString scoreText(double score) const;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

public Q_SLOTS:
    void setTable(const std::shared_ptr<const widgets::ImageTable> &table);

private:
    std::shared_ptr<const ImageTable> m_table = std::make_shared<ImageTable>();
    bool m_probabilities = true;
};

/// "became wrong", "became right", "changed"; by the true class where it is known.
QString changeOf(const ImageRow &image);

} // namespace widgets
