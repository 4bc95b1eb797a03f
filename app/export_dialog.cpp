#include "app/export_dialog.h"

#include "core/spec/target_profile.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QUrl>
#include <QVBoxLayout>

namespace app {
namespace {

QString percent(const std::optional<double> &value)
{
    return value ? QLocale().toString(*value, 'f', 2) + QStringLiteral(" %") : QStringLiteral("–");
}

QString row(const QString &name, const core::Evaluation &e)
{
    const auto agreement = [&](double core::AgreementFigures::*field, int digits, const QString &unit) {
        return e.agreement ? QLocale().toString((*e.agreement).*field, 'f', digits) + unit : QStringLiteral("–");
    };
    return QStringLiteral("<tr><td>%1</td><td align=right>%2</td><td align=right>%3</td><td align=right>%4</td><td align=right>%5</td></tr>")
        .arg(name.toHtmlEscaped(), percent(e.top1), percent(e.top5), agreement(&core::AgreementFigures::top1, 2, QStringLiteral(" %")),
             agreement(&core::AgreementFigures::sqnrDb, 1, QStringLiteral(" dB")));
}

} // namespace

QString verdictHtml(const core::Report &r)
{
    const auto tr = [](const char *text) { return ExportDialog::tr(text); };
    QString html = QStringLiteral("<table cellspacing=0 cellpadding=4><tr><th align=left></th><th align=right>%1</th><th align=right>%2</th><th align=right>%3</th>"
                                  "<th align=right>%4</th></tr>")
                       .arg(tr("top-1"), tr("top-5"), tr("same top-1 as float"), tr("SQNR of outputs"));
    html += row(tr("Float model"), r.floating) + row(tr("Fake-quantized"), r.quantized);
    if (r.exported.images > 0)
        html += row(tr("Exported file, read back"), r.exported);
    html += QStringLiteral("</table>");
    for (const core::Judge &judge : r.judges) {
        if (judge.ran)
            html += QStringLiteral("<p>%1: %2, %3 %4</p>")
                        .arg(judge.name == "quantscope" ? tr("Quantscope") : QString::fromStdString(judge.name).toHtmlEscaped(), tr("top-1") + QLatin1Char(' ') + percent(judge.top1), tr("largest difference of an output"),
                             QLocale().toString(judge.largestDifference, 'g', 3));
        else
            html += QStringLiteral("<p>%1: %2</p>").arg(QString::fromStdString(judge.name).toHtmlEscaped(), QString::fromStdString(judge.note).toHtmlEscaped());
    }
    if (r.fileBytes > 0)
        html += QStringLiteral("<p>%1</p>").arg(tr("%1 instead of %2, opset %3.").arg(QLocale().formattedDataSize(r.fileBytes), QLocale().formattedDataSize(r.sourceBytes)).arg(r.opset));
    return html;
}

ExportDialog::ExportDialog(const Document &document, bool judge, QWidget *parent) : QDialog(parent), m_source(document.project().model)
{
    setWindowTitle(tr("Export quantized model"));
    m_pages = new QStackedWidget;
    m_pages->addWidget(formPage(document, judge));
    m_pages->addWidget(resultPage());
    m_export = new QPushButton(tr("&Export and verify"));
    m_export->setDefault(true);
    m_stop = new QPushButton(tr("&Stop"));
    m_open = new QPushButton(tr("&Open folder"));
    m_close = new QPushButton(tr("&Close"));
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    for (QPushButton *button : {m_open, m_stop, m_export, m_close})
        buttons->addWidget(button);
    m_stop->hide();
    m_open->hide();
    auto *layout = new QVBoxLayout(this);
    layout->addWidget(m_pages);
    layout->addLayout(buttons);
    connect(m_export, &QPushButton::clicked, this, &ExportDialog::start);
    connect(m_stop, &QPushButton::clicked, this, &ExportDialog::stopRequested);
    connect(m_open, &QPushButton::clicked, this, &ExportDialog::openFolder);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    check();
    m_folder->setFocus();
    m_folder->selectAll();
    resize(620, 360);
}

QWidget *ExportDialog::formPage(const Document &document, bool judge)
{
    auto *page = new QWidget;
    auto *form = new QFormLayout(page);
    const QFileInfo source(text(m_source));
    const QString preset = QString::fromStdString(document.recipe().preset);
    m_what = new QComboBox;
    m_what->setObjectName(QStringLiteral("what"));
    m_what->setAccessibleName(tr("Model"));
    m_what->addItem(tr("Present settings, quantized after training"), -1);
    m_what->setItemData(0, preset, Qt::UserRole + 1);
    for (int i = 0; const Run *run = document.run(i); ++i) {
        if (!run->trained() || !QFileInfo::exists(text(run->checkpoint)))
            continue;
        m_what->addItem(tr("%1, as trained").arg(run->name), i);
        m_what->setItemData(m_what->count() - 1, QString::fromStdString(run->report.training->method), Qt::UserRole + 1);
        if (i == document.currentRun())
            m_what->setCurrentIndex(m_what->count() - 1);
    }
    m_stem = source.completeBaseName() + QLatin1Char('_') + m_what->currentData(Qt::UserRole + 1).toString();
    connect(m_what, &QComboBox::currentIndexChanged, this, &ExportDialog::nameAfter);
    form->addRow(tr("&Model"), m_what);
    form->setRowVisible(m_what, m_what->count() > 1);
    m_folder = new QLineEdit(QDir(source.absolutePath()).filePath(m_stem));
    m_folder->setAccessibleName(tr("Folder"));
    auto *browse = new QPushButton(tr("&Browse…"));
    connect(browse, &QPushButton::clicked, this, [this] {
        const QString chosen = QFileDialog::getExistingDirectory(this, tr("Folder for the exported files"), m_folder->text());
        if (!chosen.isEmpty())
            m_folder->setText(chosen);
    });
    auto *line = new QHBoxLayout;
    line->addWidget(m_folder);
    line->addWidget(browse);
    form->addRow(tr("&Folder"), line);
    qobject_cast<QLabel *>(form->labelForField(line))->setBuddy(m_folder);
    m_name = new QLineEdit(m_stem + QStringLiteral(".onnx"));
    m_name->setAccessibleName(tr("File name"));
    form->addRow(tr("File &name"), m_name);
    m_target = new QComboBox;
    m_target->setObjectName(QStringLiteral("target"));
    m_target->setAccessibleName(tr("Target"));
    for (const std::string &name : core::targetProfileNames()) {
        m_target->addItem(name.empty() ? tr("any (every fusion of QDQ ONNX)") : QString::fromStdString(name), QString::fromStdString(name));
        m_target->setItemData(m_target->count() - 1, QString::fromStdString(core::targetProfile(name).description), Qt::ToolTipRole);
    }
    m_target->setCurrentIndex(std::max(m_target->findData(QString::fromStdString(document.recipe().target)), 0));
    connect(m_target, &QComboBox::currentIndexChanged, this, [this] { Q_EMIT targetChosen(m_target->currentData().toString()); });
    m_target->setEnabled(m_what->currentData().toInt() < 0);
    form->addRow(tr("&Target"), m_target);
    form->addRow(tr("Recipe"), new QLabel(preset));
    const core::DataSource &validation = document.settings().validation;
    auto *measured = new QLabel(validation.path.empty() ? tr("Agreement with the float model, on at most 64 calibration images (no validation images are chosen)")
                                                        : tr("Accuracy of the file, read back, on the images in %1").arg(text(validation.path)));
    measured->setWordWrap(true);
    form->addRow(tr("Measured"), measured);
    m_judge = new QCheckBox(tr("Let ONNX &Runtime check the file too, where it is installed"));
    m_judge->setChecked(judge);
    form->addRow({}, m_judge);
    m_torchScript = new QCheckBox(tr("Write it as &TorchScript (.pt) as well"));
    m_torchScript->setToolTip(tr("PyTorch and LibTorch load that file without this program; it computes the same."));
    form->addRow({}, m_torchScript);
    auto *also = new QLabel(tr("Beside the model: recipe.json, encodings.json, report.json, report.html."));
    also->setWordWrap(true);
    form->addRow({}, also);
    m_problem = new QLabel;
    m_problem->setWordWrap(true);
    m_problem->setObjectName(QStringLiteral("problem"));
    form->addRow({}, m_problem);
    connect(m_folder, &QLineEdit::textChanged, this, &ExportDialog::check);
    connect(m_name, &QLineEdit::textChanged, this, &ExportDialog::check);
    return page;
}

QWidget *ExportDialog::resultPage()
{
    auto *page = new QWidget;
    auto *layout = new QVBoxLayout(page);
    m_progressText = new QLabel;
    m_progress = new QProgressBar;
    m_result = new QLabel;
    m_result->setWordWrap(true);
    m_result->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_result->setObjectName(QStringLiteral("result"));
    m_result->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    layout->addWidget(m_progressText);
    layout->addWidget(m_progress);
    layout->addWidget(m_result, 1);
    return page;
}

ExportWish ExportDialog::wish() const
{
    return {m_folder->text().trimmed(), m_name->text().trimmed(), m_judge->isChecked(), m_torchScript->isChecked(), m_what->currentData().toInt()};
}

/// Names that were not edited follow what is exported.
void ExportDialog::nameAfter()
{
    const QDir beside(QFileInfo(text(m_source)).absolutePath());
    const QString stem = QFileInfo(text(m_source)).completeBaseName() + QLatin1Char('_') + m_what->currentData(Qt::UserRole + 1).toString();
    if (folder() == beside.filePath(m_stem))
        m_folder->setText(beside.filePath(stem));
    if (fileName() == m_stem + QStringLiteral(".onnx"))
        m_name->setText(stem + QStringLiteral(".onnx"));
    m_stem = stem;
    m_target->setEnabled(m_what->currentData().toInt() < 0);
    m_target->setToolTip(wish().trainedRun < 0 ? QString() : tr("It was trained for its target; that cannot be changed any more."));
}

void ExportDialog::setFolder(const QString &folder) { m_folder->setText(folder); }

void ExportDialog::check()
{
    QString problem;
    const QString file = QDir(folder()).filePath(fileName());
    if (folder().isEmpty())
        problem = tr("Name a folder.");
    else if (fileName().isEmpty() || fileName().contains(QLatin1Char('/')) || !fileName().endsWith(QStringLiteral(".onnx"), Qt::CaseInsensitive))
        problem = tr("The file name must end in .onnx and hold no folder.");
    else if (QFileInfo(file).absoluteFilePath() == QFileInfo(text(m_source)).absoluteFilePath()
             || (QFileInfo::exists(file) && QFileInfo(file).canonicalFilePath() == QFileInfo(text(m_source)).canonicalFilePath()))
        problem = tr("This is the float model itself; it is never overwritten.");
    m_problem->setText(problem.isEmpty() && QFileInfo::exists(file) ? tr("%1 exists and will be replaced.").arg(fileName()) : problem);
    if (m_export)
        m_export->setEnabled(problem.isEmpty());
}

void ExportDialog::start()
{
    m_result->clear();
    m_pages->setCurrentIndex(1);
    m_export->hide();
    m_close->hide();
    m_stop->show();
    showProgress(tr("Starting"), -1);
    m_progressText->show();
    m_progress->show();
    Q_EMIT exportRequested(wish());
}

void ExportDialog::showProgress(const QString &text, int percent)
{
    m_progressText->setText(text);
    m_progress->setRange(0, percent < 0 ? 0 : 100);
    if (percent >= 0)
        m_progress->setValue(percent);
}

void ExportDialog::showReport(const core::Report &report)
{
    m_report = report;
    m_progressText->setText(tr("Written and verified: %1").arg(QString::fromStdString(report.file)));
    m_progress->hide();
    m_stop->hide();
    m_open->show();
    m_close->show();
    m_close->setDefault(true);
    m_close->setFocus();
    m_result->setText(verdictHtml(report));
}

void ExportDialog::showFailure(const QString &sentence)
{
    m_pages->setCurrentIndex(0);
    m_stop->hide();
    m_export->show();
    m_close->show();
    m_problem->setText(sentence);
}

void ExportDialog::openFolder()
{
    QDesktopServices::openUrl(QUrl::fromLocalFile(folder()));
}

} // namespace app
