// The seven steps from model to file. It guides and shows how far things are; it locks nothing.
#pragma once

#include "widgets/shared/theme.h"

#include <QWidget>

#include <array>

class QToolButton;

namespace app {

enum class Step { Model, Data, Specs, Calibrate, Evaluate, Fix, Export };
inline constexpr int stepCount = 7;
enum class StepState { Todo, Done, Stale, Error };

class StepBar : public QWidget {
    Q_OBJECT
public:
    explicit StepBar(QWidget *parent = nullptr);
    void setState(Step step, StepState state, const QString &why = {});
    StepState state(Step step) const { return m_states[std::size_t(step)]; }

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void stepChosen(app::Step step);

private:
    void refresh(std::size_t index);

    std::array<QToolButton *, stepCount> m_buttons{};
    std::array<StepState, stepCount> m_states{};
    std::array<QString, stepCount> m_reasons;
    widgets::Theme m_theme = widgets::Theme::light();
};

} // namespace app
