#include "widgets/shared/path_edit.h"

#include "widgets/shared/small_widgets.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>

namespace widgets {

PathEdit::PathEdit(Kind kind, const QString &name, const QString &hint, QWidget *parent) : QWidget(parent), m_kind(kind)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    auto *row = new QHBoxLayout;
    row->setSpacing(4);
    m_edit = new QLineEdit(this);
    m_edit->setAccessibleName(name);
    m_edit->setPlaceholderText(hint);
    m_edit->setClearButtonEnabled(true);
    m_edit->setMinimumWidth(80);
    auto *button = new QToolButton(this);
    button->setText(QStringLiteral("…"));
    button->setToolTip(tr("Browse"));
    button->setAccessibleName(tr("Browse for %1").arg(name));
    if (kind == Images) {
        auto *menu = new QMenu(button);
        menu->addAction(tr("Folder of images…"), this, [this] { browse(true); });
        menu->addAction(tr("File of arrays (.npy, .npz, IDX)…"), this, [this] { browse(false); });
        button->setMenu(menu);
        button->setPopupMode(QToolButton::InstantPopup);
    } else {
        connect(button, &QToolButton::clicked, this, [this] { browse(false); });
    }
    row->addWidget(m_edit, 1);
    row->addWidget(button);
    column->addLayout(row);
    m_verdict = remarkLabel(this);
    m_verdict->hide();
    column->addWidget(m_verdict);
    setFocusProxy(m_edit);
    connect(m_edit, &QLineEdit::editingFinished, this, &PathEdit::take);
    connect(m_edit, &QLineEdit::textChanged, this, [this](const QString &text) {
        if (text.isEmpty()) // the clear button
            take();
    });
}

QString PathEdit::path() const { return m_taken; }

void PathEdit::setPath(const QString &path)
{
    const bool other = path != m_taken;
    m_taken = path;
    if (m_edit->text() != path) {
        const QSignalBlocker block(m_edit);
        m_edit->setText(path);
    }
    if (other)
        judge();
}

void PathEdit::take()
{
    const QString path = m_edit->text().trimmed();
    if (path == m_taken)
        return;
    m_taken = path;
    judge();
    Q_EMIT edited(path);
}

void PathEdit::browse(bool folder)
{
    const QString start = m_taken.isEmpty() ? m_startFolder : m_taken;
    const QString chosen = folder ? QFileDialog::getExistingDirectory(this, tr("Folder of images"), start)
                                  : QFileDialog::getOpenFileName(this, m_kind == Labels ? tr("Labels") : tr("File of arrays"), start,
                                                                 m_kind == Labels ? tr("Labels (*.txt *.csv *.tsv *.npy *idx1*);;All files (*)") : tr("Arrays (*.npy *.npz *idx3*);;All files (*)"));
    if (chosen.isEmpty())
        return;
    m_edit->setText(chosen);
    take();
}

void PathEdit::judge()
{
    const QFileInfo info(m_taken);
    if (m_taken.isEmpty())
        setVerdict({});
    else if (!info.exists())
        setVerdict(tr("There is no such file or folder."), true);
    else if (!info.isReadable())
        setVerdict(tr("It cannot be read."), true);
    else if (m_kind == Labels && info.isDir())
        setVerdict(tr("Labels are a file, not a folder."), true);
    else
        setVerdict({});
}

void PathEdit::setVerdict(const QString &text, bool problem)
{
    m_problem = problem;
    m_verdict->setText(problem ? QStringLiteral("⚠ ") + text : text);
    m_verdict->setVisible(!text.isEmpty());
    setTheme(m_theme);
}

void PathEdit::setTheme(const Theme &theme)
{
    m_theme = theme;
    setOwnColour(m_verdict, QPalette::PlaceholderText, m_problem ? theme.problem : QColor());
}

} // namespace widgets
