#include "widgets/training/training_panel.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/training/training_form.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace widgets {

TrainingPanel::TrainingPanel(QWidget *parent) : QWidget(parent)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(0);
    auto *scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_form = new TrainingForm(scroll);
    scroll->setWidget(m_form);
    scroll->viewport()->setAutoFillBackground(false);
    m_form->setAutoFillBackground(false);
    outer->addWidget(scroll, 1);
    outer->addWidget(makeFoot());
    connect(m_form, &TrainingForm::edited, this, [this](const TrainingSettings &settings) {
        showState();
        Q_EMIT edited(settings);
    });
    showState();
}

QWidget *TrainingPanel::makeFoot()
{
    auto *foot = new QWidget(this);
    auto *column = new QVBoxLayout(foot);
    column->setContentsMargins(8, 6, 8, 8);
    column->setSpacing(4);
    auto *line = new QFrame(foot);
    line->setFrameShape(QFrame::HLine);
    line->setForegroundRole(QPalette::Mid);
    column->addWidget(line);
    m_state = new QLabel(foot);
    m_state->setObjectName(QStringLiteral("state"));
    m_state->setWordWrap(true);
    m_best = remarkLabel(foot);
    m_best->setObjectName(QStringLiteral("best"));
    m_problem = remarkLabel(foot);
    m_problem->setObjectName(QStringLiteral("problem"));
    m_bar = new QProgressBar(foot);
    m_bar->setTextVisible(false);
    m_bar->setMaximumHeight(10);
    m_bar->setAccessibleName(tr("Progress of the training"));
    for (QWidget *part : {static_cast<QWidget *>(m_state), static_cast<QWidget *>(m_bar), static_cast<QWidget *>(m_best), static_cast<QWidget *>(m_problem)})
        column->addWidget(part);
    auto *buttons = new QHBoxLayout;
    buttons->setSpacing(4);
    const auto button = [&](const char *objectName, const QString &text, const QString &toolTip, void (TrainingPanel::*wish)()) {
        auto *made = new QPushButton(text, foot);
        made->setObjectName(QString::fromLatin1(objectName));
        made->setToolTip(toolTip);
        connect(made, &QPushButton::clicked, this, wish);
        buttons->addWidget(made);
        return made;
    };
    m_train = button("train", tr("Train"), {}, &TrainingPanel::trainRequested);
    m_pause = button("pause", tr("Pause"), tr("After this step; the state is written, so that the program may be closed"), &TrainingPanel::pauseRequested);
    m_resume = button("resume", tr("Resume"), {}, &TrainingPanel::resumeRequested);
    m_stop = button("stop", tr("Stop, keep best"), tr("Ends after this step; the best state so far becomes a run to compare and export"), &TrainingPanel::stopAndKeepBestRequested);
    m_discard = button("discard", tr("Discard"), tr("Ends, and forgets what was learned"), &TrainingPanel::discardRequested);
    buttons->addStretch(1);
    column->addLayout(buttons);
    return foot;
}

const TrainingSettings &TrainingPanel::settings() const { return m_form->settings(); }
void TrainingPanel::setStartFolder(const QString &folder) { m_form->setStartFolder(folder); }

void TrainingPanel::setSettings(const TrainingSettings &settings)
{
    if (settings == m_form->settings())
        return;
    m_form->setSettings(settings);
    showState();
}

void TrainingPanel::setContext(const TrainingContext &context)
{
    if (context == m_context)
        return;
    m_context = context;
    m_form->setContext(context);
    m_form->setEnabled(context.model);
    showState();
}

void TrainingPanel::setStatus(const TrainingStatus &status)
{
    m_status = status;
    showState();
}

void TrainingPanel::showState()
{
    using enum TrainingPhase;
    const TrainingPhase phase = m_status.phase;
    const bool idle = phase == Idle, left = idle && !m_context.unfinished.isEmpty(), moving = phase == Starting || phase == Running;
    const QString problem = idle ? trainingProblem(settings(), m_context) : QString();
    m_state->setText(left ? tr("%1 was not finished.").arg(m_context.unfinished) : statusText(m_status));
    m_state->setVisible(!m_state->text().isEmpty());
    m_best->setText(idle ? QString() : bestText(m_status));
    m_best->setVisible(!m_best->text().isEmpty());
    m_bar->setVisible(!idle);
    const bool known = m_status.steps > 0 && phase != Starting && phase != Stopping && phase != Discarding;
    m_bar->setRange(0, known ? 1000 : 0);
    if (known)
        m_bar->setValue(int(1000 * std::min(m_status.step, m_status.steps) / m_status.steps));
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty() && m_context.model);
    m_train->setVisible(idle);
    m_train->setEnabled(problem.isEmpty());
    m_train->setText(left ? tr("Train anew") : tr("Train"));
    m_train->setToolTip(!problem.isEmpty() ? problem : left ? tr("Starts from the model; what was not finished stays until it is discarded") : tr("Trains on these images (Ctrl+T); the result is a run beside the others"));
    m_pause->setVisible(moving || phase == Pausing);
    m_pause->setEnabled(phase == Running);
    m_resume->setVisible(phase == Paused || left);
    m_resume->setEnabled(phase == Paused || m_context.obstacle.isEmpty());
    m_resume->setToolTip(phase == Paused ? tr("Goes on") : !m_resume->isEnabled() ? m_context.obstacle : tr("Goes on where it ended, with the settings that it was started with"));
    m_stop->setVisible(moving || phase == Pausing || phase == Paused);
    m_stop->setEnabled(phase == Running || phase == Paused);
    m_discard->setVisible(!idle || left);
    m_discard->setEnabled(phase != Discarding);
}

void TrainingPanel::setTheme(const Theme &theme)
{
    m_theme = theme;
    m_form->setTheme(theme);
}

} // namespace widgets
