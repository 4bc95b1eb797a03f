#include "widgets/start/recent_model.h"

#include <QDir>
#include <QFileInfo>

namespace widgets {

void RecentModel::setFiles(std::vector<RecentFile> files)
{
    beginResetModel();
    m_files = std::move(files);
    endResetModel();
}

int RecentModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_files.size()); }

QVariant RecentModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const RecentFile &file = m_files[std::size_t(index.row())];
    const QFileInfo info(file.path);
    QString folder = info.path();
    if (const QString home = QDir::homePath(); folder.startsWith(home + QLatin1Char('/')))
        folder = QStringLiteral("~") + folder.mid(home.size());
    switch (role) {
    case Qt::DisplayRole: return info.fileName() + (file.remark.isEmpty() ? QString() : QStringLiteral("  –  ") + file.remark) + QLatin1Char('\n') + (file.missing ? tr("missing: %1").arg(folder) : folder);
    case Qt::ToolTipRole: return file.missing ? tr("%1 is not there any more. It stays in the list in case its drive comes back; Delete removes it.").arg(file.path) : file.path;
    case Qt::AccessibleTextRole: return file.missing ? tr("%1, missing").arg(file.path) : file.path;
    default: return {};
    }
}

Qt::ItemFlags RecentModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    const Qt::ItemFlags flags = Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
    return m_files[std::size_t(index.row())].missing ? flags : flags | Qt::ItemIsEnabled;
}

} // namespace widgets
