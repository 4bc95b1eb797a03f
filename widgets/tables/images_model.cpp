#include "widgets/tables/images_model.h"

#include "widgets/charts/plot_scale.h"

#include <QFileInfo>

#include <algorithm>

namespace widgets {

QString changeOf(const ImageRow &image)
{
    if (image.label.isEmpty())
        return ImagesModel::tr("changed");
    if (image.floatClass == image.label)
        return image.quantizedClass == image.label ? ImagesModel::tr("right in both") : ImagesModel::tr("became wrong");
    return image.quantizedClass == image.label ? ImagesModel::tr("became right") : ImagesModel::tr("wrong in both");
}

void ImagesModel::setTable(const std::shared_ptr<const ImageTable> &table)
{
    beginResetModel();
    m_table = table ? table : std::make_shared<const ImageTable>();
    const auto inside = [](double score) { return score >= 0 && score <= 1; };
    m_probabilities = std::all_of(m_table->begin(), m_table->end(), [&](const ImageRow &image) { return inside(image.floatScore) && inside(image.quantizedScore); });
    endResetModel();
}

QString ImagesModel::scoreText(double score) const
{
    return m_probabilities ? QString::number(score * 100, 'f', 1) + QStringLiteral(" %") : plainNumber(score, 3);
}

int ImagesModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_table->size()); }
int ImagesModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(ColumnCount); }

QVariant ImagesModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const ImageRow &image = (*m_table)[std::size_t(index.row())];
    const auto score = [this](double value) { return scoreText(value); };
    if (role == SortRole && (index.column() == FloatScore || index.column() == QuantizedScore))
        return index.column() == FloatScore ? image.floatScore : image.quantizedScore;
    if (role == Qt::DecorationRole && index.column() == File)
        return image.thumbnail;
    if (role == Qt::ToolTipRole)
        return tr("%1\nDouble click to run this image and colour the graph with its error").arg(image.path);
    if (role == Qt::AccessibleTextRole)
        return tr("%1, %2: float says %3 with %4, quantized says %5 with %6")
            .arg(QFileInfo(image.path).fileName(), changeOf(image), image.floatClass, score(image.floatScore), image.quantizedClass, score(image.quantizedScore));
    if (role != Qt::DisplayRole && role != SortRole)
        return {};
    switch (index.column()) {
    case File: return QFileInfo(image.path).fileName();
    case Label: return image.label;
    case FloatClass: return image.floatClass;
    case FloatScore: return score(image.floatScore);
    case QuantizedClass: return image.quantizedClass;
    case QuantizedScore: return score(image.quantizedScore);
    case Change: return changeOf(image);
    default: return {};
    }
}

QVariant ImagesModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role != Qt::DisplayRole || section < 0)
        return {};
    if (orientation == Qt::Vertical)
        return section + 1;
    static const char *const titles[] = {QT_TR_NOOP("File"), QT_TR_NOOP("True class"), QT_TR_NOOP("Float"), QT_TR_NOOP("Float score"), QT_TR_NOOP("Quantized"),
        QT_TR_NOOP("Quantized score"), QT_TR_NOOP("Change")};
    return section < ColumnCount ? QVariant(tr(titles[section])) : QVariant();
}

} // namespace widgets
