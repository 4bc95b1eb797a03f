#include "app/step_bar.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>

namespace app {
namespace {

QString nameOf(std::size_t index)
{
    switch (Step(index)) {
    case Step::Model: return StepBar::tr("Model");
    case Step::Data: return StepBar::tr("Data");
    case Step::Specs: return StepBar::tr("Specs");
    case Step::Calibrate: return StepBar::tr("Calibrate");
    case Step::Evaluate: return StepBar::tr("Evaluate");
    case Step::Fix: return StepBar::tr("Fix");
    case Step::Export: return StepBar::tr("Export");
    }
    return {};
}

QString stateText(StepState state)
{
    switch (state) {
    case StepState::Todo: return StepBar::tr("to do");
    case StepState::Done: return StepBar::tr("done");
    case StepState::Stale: return StepBar::tr("of older settings");
    case StepState::Error: return StepBar::tr("needs attention");
    }
    return {};
}

/// Shape and colour both say the state: ring, tick, half disc, exclamation mark.
QIcon iconOf(StepState state, const widgets::Theme &theme)
{
    constexpr int size = 32;
    QPixmap pixmap(size, size);
    pixmap.setDevicePixelRatio(2);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF disc(2.5, 2.5, 11, 11);
    switch (state) {
    case StepState::Todo:
        painter.setPen(QPen(theme.mutedText, 1.4));
        painter.drawEllipse(disc);
        break;
    case StepState::Done:
        painter.setPen(QPen(theme.good, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter.drawPolyline(QPolygonF({{3.5, 8.5}, {6.8, 12}, {12.8, 4}}));
        break;
    case StepState::Stale:
        painter.setPen(QPen(theme.warning, 1.4));
        painter.drawEllipse(disc);
        painter.setBrush(theme.warning);
        painter.drawPie(disc, 90 * 16, 180 * 16);
        break;
    case StepState::Error:
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.problem);
        painter.drawEllipse(disc);
        painter.setPen(QPen(theme.textOn(theme.problem), 1.8, Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(QPointF(8, 5), QPointF(8, 8.6));
        painter.drawPoint(QPointF(8, 11.2));
        break;
    }
    return pixmap;
}

} // namespace

StepBar::StepBar(QWidget *parent) : QWidget(parent)
{
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(1);
    for (std::size_t i = 0; i < stepCount; ++i) {
        m_buttons[i] = new QToolButton;
        m_buttons[i]->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        m_buttons[i]->setAutoRaise(true);
        m_buttons[i]->setText(nameOf(i));
        m_buttons[i]->setFocusPolicy(Qt::TabFocus);
        connect(m_buttons[i], &QToolButton::clicked, this, [this, i] { Q_EMIT stepChosen(Step(i)); });
        layout->addWidget(m_buttons[i]);
        refresh(i);
    }
}

void StepBar::setState(Step step, StepState state, const QString &why)
{
    const auto i = std::size_t(step);
    if (m_states[i] == state && m_reasons[i] == why)
        return;
    m_states[i] = state;
    m_reasons[i] = why;
    refresh(i);
}

void StepBar::setTheme(const widgets::Theme &theme)
{
    m_theme = theme;
    for (std::size_t i = 0; i < stepCount; ++i)
        refresh(i);
}

void StepBar::refresh(std::size_t i)
{
    m_buttons[i]->setIcon(iconOf(m_states[i], m_theme));
    m_buttons[i]->setAccessibleName(tr("Step %1, %2: %3").arg(i + 1).arg(nameOf(i), stateText(m_states[i])));
    m_buttons[i]->setToolTip(m_reasons[i].isEmpty() ? tr("%1: %2").arg(nameOf(i), stateText(m_states[i])) : m_reasons[i]);
}

} // namespace app
