#include "widgets/tables/run_model.h"

#include <QFont>

#include <cmath>

namespace widgets {

QString percentText(double percent)
{
    return std::isnan(percent) ? QStringLiteral("–") : QString::number(percent, 'f', percent == 100 ? 0 : 1) + QStringLiteral(" %");
}

QString bytesText(qint64 bytes)
{
    if (bytes <= 0)
        return QStringLiteral("–");
    if (bytes < 1000)
        return QString::number(bytes) + QStringLiteral(" B");
    const bool small = bytes < 1000000;
    return QString::number(double(bytes) / (small ? 1e3 : 1e6), 'f', 1) + (small ? QStringLiteral(" kB") : QStringLiteral(" MB"));
}

void RunModel::setTable(const std::shared_ptr<const RunTable> &table)
{
    beginResetModel();
    m_table = table ? table : std::make_shared<const RunTable>();
    endResetModel();
}

int RunModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_table->size()); }
int RunModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(ColumnCount); }

QVariant RunModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const RunRow &run = (*m_table)[std::size_t(index.row())];
    const double agreement = std::isnan(run.exported.agreement) ? run.ptq.agreement : run.exported.agreement;
    const double accuracies[] = {run.floating.top1, run.ptq.top1, run.exported.top1, run.exported.top5, agreement};
    const bool accuracy = index.column() >= FloatTop1 && index.column() <= Agreement;
    switch (role) {
    case Qt::TextAlignmentRole: return int((index.column() >= FloatTop1 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::FontRole:
        if (run.stale) {
            QFont font;
            font.setItalic(true);
            return font;
        }
        return {};
    case Qt::ToolTipRole: return run.stale ? tr("%1\nOf older settings: model, data or recipe changed since.").arg(run.recipeSummary) : run.recipeSummary;
    case Qt::EditRole: return index.column() == Name ? QVariant(run.name) : QVariant();
    case SortRole:
        if (accuracy)
            return accuracies[index.column() - FloatTop1];
        if (index.column() == Size)
            return double(run.fileBytes);
        if (index.column() == Seconds)
            return run.seconds;
        [[fallthrough]];
    case Qt::DisplayRole: break;
    default: return {};
    }
    if (accuracy)
        return percentText(accuracies[index.column() - FloatTop1]);
    switch (index.column()) {
    case Name: return run.stale && role == Qt::DisplayRole ? tr("%1 (stale)").arg(run.name) : run.name;
    case Recipe: return run.recipeSummary;
    case Date: return run.date.isValid() ? run.date.toString(QStringLiteral("yyyy-MM-dd HH:mm")) : QStringLiteral("–");
    case Size: return bytesText(run.fileBytes);
    case Seconds: return run.seconds > 0 ? QString::number(run.seconds, 'f', 1) + QStringLiteral(" s") : QStringLiteral("–");
    default: return {};
    }
}

QVariant RunModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Vertical)
        return role == Qt::DisplayRole ? QVariant(section + 1) : QVariant();
    static const char *const titles[] = {QT_TR_NOOP("Run"), QT_TR_NOOP("Recipe"), QT_TR_NOOP("Date"), QT_TR_NOOP("Float top-1"), QT_TR_NOOP("Quantized top-1"),
        QT_TR_NOOP("File top-1"), QT_TR_NOOP("File top-5"), QT_TR_NOOP("Agreement"), QT_TR_NOOP("File size"), QT_TR_NOOP("Time")};
    static const char *const tips[] = {QT_TR_NOOP("Double click to rename"), QT_TR_NOOP("Preset and what was changed"), QT_TR_NOOP("When it finished"),
        QT_TR_NOOP("Of the float model"), QT_TR_NOOP("Of the quantized model in memory"), QT_TR_NOOP("Of the exported file, read back"),
        QT_TR_NOOP("Of the exported file, read back"), QT_TR_NOOP("Images with the float model's class"), QT_TR_NOOP("Of the exported file"), QT_TR_NOOP("The whole run")};
    if (section < 0 || section >= ColumnCount)
        return {};
    return role == Qt::DisplayRole ? QVariant(tr(titles[section])) : role == Qt::ToolTipRole ? QVariant(tr(tips[section])) : QVariant();
}

Qt::ItemFlags RunModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren | (index.column() == Name ? Qt::ItemIsEditable : Qt::NoItemFlags);
}

bool RunModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    const QString name = value.toString().simplified();
    if (role == Qt::EditRole && index.isValid() && index.column() == Name && !name.isEmpty() && name != (*m_table)[std::size_t(index.row())].name)
        Q_EMIT runRenamed(index.row(), name);
    return false;
}

} // namespace widgets
