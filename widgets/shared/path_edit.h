// A line for the path of data: edited, browsed for, with a remark below on what is there.
#pragma once

#include "widgets/shared/theme.h"

#include <QWidget>

class QLabel;
class QLineEdit;

namespace widgets {

class PathEdit : public QWidget {
    Q_OBJECT
public:
    enum Kind { Images, Labels };           ///< folder of images or file of arrays; list of classes

    PathEdit(Kind kind, const QString &name, const QString &hint, QWidget *parent = nullptr);

    QString path() const;
    /// Emits nothing.
    void setPath(const QString &path);
    void setStartFolder(const QString &folder) { m_startFolder = folder; }
    QLineEdit *line() const { return m_edit; }
    QLabel *verdict() const { return m_verdict; }
    /// Empty = no remark.
    void setVerdict(const QString &text, bool problem = false);
    /// What is wrong with what the file system has there.
    void judge();

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void edited(const QString &path);

private:
    void browse(bool folder);
    void take();

    Kind m_kind;
    QString m_taken, m_startFolder;
    Theme m_theme = Theme::light();
    bool m_problem = false;
    QLineEdit *m_edit;
    QLabel *m_verdict;
};

} // namespace widgets
