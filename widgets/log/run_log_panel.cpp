#include "widgets/log/run_log_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextCursor>
#include <QTime>
#include <QVBoxLayout>

namespace widgets {

RunLogPanel::RunLogPanel(QWidget *parent)
    : QWidget(parent), m_lines(new QPlainTextEdit(this)), m_copy(new QPushButton(tr("&Copy all"), this)), m_clear(new QPushButton(tr("C&lear"), this))
{
    m_lines->setReadOnly(true);
    m_lines->setMaximumBlockCount(10000);
    m_lines->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_lines->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_lines->setFrameShape(QFrame::NoFrame);
    m_lines->setPlaceholderText(tr("What a run does is written here, with the time."));
    m_lines->setAccessibleName(tr("Run log"));
    m_lines->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_copy->setToolTip(tr("Copies the whole log, as for a bug report"));
    auto *side = new QVBoxLayout;
    side->addWidget(m_copy);
    side->addWidget(m_clear);
    side->addStretch(1);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 4, 0);
    row->addWidget(m_lines, 1);
    row->addLayout(side);
    connect(m_copy, &QPushButton::clicked, this, &RunLogPanel::copyAll);
    connect(m_clear, &QPushButton::clicked, this, &RunLogPanel::clear);
}

QString RunLogPanel::text() const { return m_lines->toPlainText(); }
void RunLogPanel::copyAll() const { QApplication::clipboard()->setText(text()); }
void RunLogPanel::clear() { m_lines->clear(); }

void RunLogPanel::append(const QString &line, core::Severity severity)
{
    const QScrollBar *bar = m_lines->verticalScrollBar();
    const bool atEnd = bar->value() >= bar->maximum() - 1;
    const QString word = severity == core::Severity::Problem ? tr("Problem: ") : severity == core::Severity::Warning ? tr("Warning: ") : QString();
    QTextCursor cursor(m_lines->document());
    cursor.movePosition(QTextCursor::End);
    if (!m_lines->document()->isEmpty())
        cursor.insertBlock();
    QTextCharFormat format;
    format.setForeground(m_theme.mutedText);
    cursor.insertText(QTime::currentTime().toString(QStringLiteral("HH:mm:ss.zzz  ")), format);
    format.setForeground(severity == core::Severity::Problem ? m_theme.problem : severity == core::Severity::Warning ? m_theme.warning : m_theme.text);
    cursor.insertText(word + line, format);
    if (atEnd)
        m_lines->verticalScrollBar()->setValue(m_lines->verticalScrollBar()->maximum());
}

void RunLogPanel::setTheme(const Theme &theme)
{
    // Lines that stand already change with it: their colours are told apart by their words.
    QTextCursor cursor(m_lines->document());
    for (QTextBlock block = m_lines->document()->begin(); block.isValid(); block = block.next()) {
        for (auto it = block.begin(); !it.atEnd(); ++it) {
            const QTextFragment fragment = it.fragment();
            const QColor old = fragment.charFormat().foreground().color();
            QTextCharFormat format;
            format.setForeground(old == m_theme.mutedText ? theme.mutedText : old == m_theme.problem ? theme.problem : old == m_theme.warning ? theme.warning : theme.text);
            cursor.setPosition(fragment.position());
            cursor.setPosition(fragment.position() + fragment.length(), QTextCursor::KeepAnchor);
            cursor.mergeCharFormat(format);
        }
    }
    m_theme = theme;
    setPalette(theme.palette());
}

} // namespace widgets
