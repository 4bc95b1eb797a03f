// What the window shows before a model is open: the sample, a file, a recent one, or something dropped on it.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/start/recent_model.h"

#include <QWidget>

class QLabel;
class QListView;
class QMimeData;
class QPushButton;

namespace widgets {

/// Local paths that the program can take: *.onnx, *.qsproj and folders (of images). Others are left out.
QStringList droppablePaths(const QMimeData *data);

class StartPage : public QWidget {
    Q_OBJECT
public:
    explicit StartPage(QWidget *parent = nullptr);

    void setRecent(std::vector<RecentFile> files);
    /// False: the sample is not installed; the button says so.
    void setSampleAvailable(bool available, const QString &why = {});

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void sampleRequested();
    void openRequested();
    void recentChosen(const QString &path);
    void recentRemoved(const QString &path);
    void pathsDropped(const QStringList &paths);

protected:
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dragLeaveEvent(QDragLeaveEvent *event) override;
    void dropEvent(QDropEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void setDragging(bool dragging);

    RecentModel *m_model;
    QPushButton *m_sample, *m_open;
    QLabel *m_recentTitle, *m_hint;
    QListView *m_recent;
    QWidget *m_dropArea;
    QColor m_accent, m_grid;
    bool m_dragging = false;
};

} // namespace widgets
