#include "app/prediction_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QToolButton>

namespace app {
namespace {

QString change(double before, double after, int digits, const QString &unit)
{
    const QLocale locale;
    return QStringLiteral("%1 → %2 %3").arg(locale.toString(before, 'f', digits), locale.toString(after, 'f', digits), unit);
}

} // namespace

QString predictionText(const core::WhatIf &p)
{
    QStringList parts;
    if (p.before.top1 && p.after.top1)
        parts << PredictionBar::tr("top-1 %1").arg(change(*p.before.top1, *p.after.top1, 1, QStringLiteral("%")));
    if (p.before.agreement && p.after.agreement) {
        parts << PredictionBar::tr("same top-1 as float %1").arg(change(p.before.agreement->top1, p.after.agreement->top1, 1, QStringLiteral("%")));
        parts << PredictionBar::tr("SQNR of the outputs %1").arg(change(p.before.agreement->sqnrDb, p.after.agreement->sqnrDb, 1, QStringLiteral("dB")));
    }
    return parts.isEmpty() ? PredictionBar::tr("no figure can be given for this model") : parts.join(QStringLiteral(", "));
}

PredictionBar::PredictionBar(QWidget *parent) : QFrame(parent)
{
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    m_text = new QLabel;
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::RichText);
    m_keep = new QToolButton;
    m_keep->setText(tr("Keep"));
    m_keep->setToolTip(tr("Keep the edit; the exact figures come with the next run"));
    m_undo = new QToolButton;
    m_undo->setText(tr("Undo"));
    m_undo->setToolTip(tr("Take the edit back"));
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_keep);
    layout->addWidget(m_undo);
    connect(m_keep, &QToolButton::clicked, this, [this] {
        hide();
        Q_EMIT kept();
    });
    connect(m_undo, &QToolButton::clicked, this, [this] {
        hide();
        Q_EMIT undone();
    });
    hide();
}

QString PredictionBar::text() const { return m_text->text(); }

void PredictionBar::showWaiting(const QString &what, const QString &why)
{
    m_text->setText(QStringLiteral("<b>%1</b>: %2").arg(what.toHtmlEscaped(), why.toHtmlEscaped()));
    show();
}

void PredictionBar::showPrediction(const core::WhatIf &prediction, const QString &what)
{
    m_text->setText(tr("<b>%1</b>: %2 <span style='color:%3'>(predicted on %4 images, %5 of %6 nodes run again in %7 s)</span>")
                        .arg(what.toHtmlEscaped(), predictionText(prediction), m_theme.mutedText.name())
                        .arg(prediction.images)
                        .arg(prediction.nodesRun)
                        .arg(prediction.nodes)
                        .arg(QLocale().toString(prediction.seconds, 'f', 1)));
    show();
}

void PredictionBar::showNoPrediction(const QString &what, const QString &why)
{
    m_text->setText(tr("<b>%1</b>: cannot be predicted. %2").arg(what.toHtmlEscaped(), why.toHtmlEscaped()));
    show();
}

void PredictionBar::setTheme(const widgets::Theme &theme)
{
    m_theme = theme;
    QPalette palette;
    palette.setColor(QPalette::Window, theme.notice);
    palette.setColor(QPalette::WindowText, theme.text);
    setPalette(palette);
}

} // namespace app
