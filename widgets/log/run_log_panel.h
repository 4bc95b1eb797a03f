// What the runs said, line by line with the time; the newest 10,000 lines.
#pragma once

#include "core/base/error.h"
#include "widgets/shared/theme.h"

#include <QWidget>

class QPlainTextEdit;
class QPushButton;

namespace widgets {

class RunLogPanel : public QWidget {
    Q_OBJECT
public:
    explicit RunLogPanel(QWidget *parent = nullptr);

    QString text() const;

public Q_SLOTS:
    /// Warnings and problems say so in words, and in colour. A line that the reader has scrolled away from stays in place.
    void append(const QString &line, core::Severity severity = core::Severity::Note);
    void copyAll() const;
    void clear();
    void setTheme(const Theme &theme);

private:
    QPlainTextEdit *m_lines;
    QPushButton *m_copy, *m_clear;
    Theme m_theme = Theme::light();
};

} // namespace widgets
