// Files that were open before, newest first. Missing ones stay in the list, greyed, because a drive may come back.
#pragma once

#include <QAbstractListModel>
#include <QString>

#include <vector>

namespace widgets {

struct RecentFile {
    QString path;
    bool missing = false;
    QString remark;                       ///< shown beside it, such as "top-1 71.4 %"; may be empty
};

class RecentModel : public QAbstractListModel {
    Q_OBJECT
public:
    using QAbstractListModel::QAbstractListModel;
    void setFiles(std::vector<RecentFile> files);
    const RecentFile &file(int row) const { return m_files.at(std::size_t(row)); }

    int rowCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;

private:
    std::vector<RecentFile> m_files;
};

} // namespace widgets
