// Where the quantized file goes, what is measured on it, and, when it is written, what was measured.
#pragma once

#include "app/document.h"
#include "app/export_wish.h"
#include "core/report/report.h"
#include "widgets/shared/theme.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace app {

class ExportDialog : public QDialog {
    Q_OBJECT
public:
    ExportDialog(const Document &document, bool judge, QWidget *parent = nullptr);

    ExportWish wish() const;
    QString folder() const { return wish().folder; }
    QString fileName() const { return wish().fileName; }
    void setFolder(const QString &folder);

public Q_SLOTS:
    void showProgress(const QString &text, int percent);   ///< −1 = unknown
    void showReport(const core::Report &report);
    void showFailure(const QString &sentence);

Q_SIGNALS:
    void targetChosen(const QString &name);
    void exportRequested(const app::ExportWish &wish);
    void stopRequested();

private:
    QWidget *formPage(const Document &document, bool judge);
    QWidget *resultPage();
    void check();
    void nameAfter();
    void start();
    void openFolder();

    std::filesystem::path m_source;
    QString m_stem;                          ///< that is proposed for folder and file
    QLineEdit *m_folder = nullptr, *m_name = nullptr;
    QComboBox *m_target = nullptr, *m_what = nullptr;
    QCheckBox *m_judge = nullptr, *m_torchScript = nullptr;
    QLabel *m_problem = nullptr, *m_result = nullptr, *m_progressText = nullptr;
    QProgressBar *m_progress = nullptr;
    QPushButton *m_export = nullptr, *m_stop = nullptr, *m_open = nullptr, *m_close = nullptr;
    QStackedWidget *m_pages = nullptr;
    core::Report m_report;
};

/// Float, fake-quantized and file side by side, with every judge, as HTML for a label.
QString verdictHtml(const core::Report &report);

} // namespace app
