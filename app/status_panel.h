// The status bar: the verdict so far, the machine, and what runs, with Stop.
#pragma once

#include "app/document.h"
#include "core/base/progress.h"
#include "widgets/shared/theme.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace app {

class StatusPanel : public QWidget {
    Q_OBJECT
public:
    explicit StatusPanel(int threads, QWidget *parent = nullptr);

    void showDocument(const Document &document);
    QString summary() const;
    QString activity() const;

public Q_SLOTS:
    void showProgress(const QString &title, const core::ProgressReport &report);
    void setBusy(bool busy);
    void acknowledgeStop();
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void stopRequested();

private:
    QLabel *m_summary, *m_machine, *m_activity;
    QProgressBar *m_bar;
    QPushButton *m_stop;
};

/// "Calibrating 132/512, 41 img/s, about 10 s left"
QString progressText(const core::ProgressReport &report);
/// "float 71.9 %, int8 65.3 %, 13.6 → 3.6 MB"; with agreement where there are no labels.
QString verdictText(const core::Report &report);

} // namespace app
