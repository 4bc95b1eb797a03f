#include "app/status_panel.h"

#include "widgets/training/training_settings.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QThread>

namespace app {
namespace {

QString stageName(const std::string &stage)
{
    static const std::pair<const char *, const char *> names[] = {
        {"load", QT_TRANSLATE_NOOP("app::StatusPanel", "Loading")},       {"prepare", QT_TRANSLATE_NOOP("app::StatusPanel", "Preparing")},
        {"calibrate", QT_TRANSLATE_NOOP("app::StatusPanel", "Calibrating")}, {"quantize", QT_TRANSLATE_NOOP("app::StatusPanel", "Choosing ranges")},
        {"evaluate", QT_TRANSLATE_NOOP("app::StatusPanel", "Evaluating")},   {"write", QT_TRANSLATE_NOOP("app::StatusPanel", "Writing")},
        {"verify", QT_TRANSLATE_NOOP("app::StatusPanel", "Verifying")},       {"train", QT_TRANSLATE_NOOP("app::StatusPanel", "Training")}};
    for (const auto &[key, name] : names)
        if (stage == key)
            return StatusPanel::tr(name);
    return QString::fromStdString(stage);
}

} // namespace

QString progressText(const core::ProgressReport &report)
{
    const QLocale locale;
    QString text = stageName(report.stage);
    if (report.total > 0)
        text += QStringLiteral(" %1/%2").arg(locale.toString(qlonglong(report.done)), locale.toString(qlonglong(report.total)));
    if (report.itemsPerSecond > 0 && report.stage != "train") // that one counts steps
        text += StatusPanel::tr(", %1 img/s").arg(locale.toString(report.itemsPerSecond, 'f', report.itemsPerSecond < 10 ? 1 : 0));
    if (report.secondsLeft >= 1)
        text += report.secondsLeft < 100 ? StatusPanel::tr(", about %1 s left").arg(locale.toString(report.secondsLeft, 'f', 0))
                                         : StatusPanel::tr(", about %1 left").arg(widgets::durationText(report.secondsLeft));
    return text;
}

QString verdictText(const core::Report &r)
{
    const QLocale locale;
    const auto percent = [&](double value) { return locale.toString(value, 'f', 1) + QStringLiteral(" %"); };
    QStringList parts;
    const core::Evaluation &best = r.exported.images > 0 ? r.exported : r.quantized;
    if (r.floating.top1)
        parts << StatusPanel::tr("float %1").arg(percent(*r.floating.top1));
    if (best.top1)
        parts << (r.exported.images > 0 ? StatusPanel::tr("file %1") : StatusPanel::tr("quantized %1")).arg(percent(*best.top1));
    else if (best.agreement)
        parts << StatusPanel::tr("same top-1 as float %1, SQNR %2 dB").arg(percent(best.agreement->top1), locale.toString(best.agreement->sqnrDb, 'f', 1));
    if (r.fileBytes > 0)
        parts << QStringLiteral("%1 → %2").arg(locale.formattedDataSize(r.sourceBytes), locale.formattedDataSize(r.fileBytes));
    return parts.join(QStringLiteral("  ·  "));
}

StatusPanel::StatusPanel(int threads, QWidget *parent) : QWidget(parent)
{
    m_summary = new QLabel;
    m_summary->setAccessibleName(tr("Result"));
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_machine = new QLabel(tr("CPU, %n thread(s)", nullptr, threads > 0 ? threads : QThread::idealThreadCount()));
    m_activity = new QLabel(tr("Ready"));
    m_activity->setAccessibleName(tr("Activity"));
    m_bar = new QProgressBar;
    m_bar->setFixedWidth(120);
    m_bar->setTextVisible(false);
    m_bar->setMaximumHeight(12);
    m_bar->hide();
    m_stop = new QPushButton(tr("Stop"));
    m_stop->setToolTip(tr("Stop what runs (Esc in the window); results so far are dropped"));
    m_stop->hide();
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(6, 0, 6, 0);
    layout->addWidget(m_summary, 1);
    layout->addWidget(m_machine);
    layout->addSpacing(16);
    layout->addWidget(m_activity);
    layout->addWidget(m_bar);
    layout->addWidget(m_stop);
    connect(m_stop, &QPushButton::clicked, this, &StatusPanel::stopRequested);
}

void StatusPanel::showDocument(const Document &document)
{
    QString text;
    if (const core::Report *report = document.report()) {
        text = verdictText(*report);
        if (document.isStale(document.currentRun()))
            text += tr("  (older settings)");
    } else if (document.hasModel()) {
        text = tr("Not measured yet");
    }
    m_summary->setText(text);
}

QString StatusPanel::summary() const { return m_summary->text(); }
QString StatusPanel::activity() const { return m_activity->text(); }

void StatusPanel::showProgress(const QString &, const core::ProgressReport &report)
{
    m_activity->setText(progressText(report));
    m_bar->setRange(0, report.total > 0 ? 1000 : 0);
    if (report.total > 0)
        m_bar->setValue(int(1000 * report.done / report.total));
}

void StatusPanel::setBusy(bool busy)
{
    m_bar->setVisible(busy);
    m_bar->setRange(0, 0);
    m_stop->setVisible(busy);
    m_stop->setEnabled(true);
    m_activity->setText(busy ? tr("Starting") : tr("Ready"));
}

void StatusPanel::acknowledgeStop()
{
    m_stop->setEnabled(false);
    m_activity->setText(tr("Stopping"));
}

void StatusPanel::setTheme(const widgets::Theme &theme)
{
    QPalette palette = m_machine->palette();
    palette.setColor(QPalette::WindowText, theme.mutedText);
    m_machine->setPalette(palette);
}

} // namespace app
