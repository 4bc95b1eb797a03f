// The Training dock: what a training is to be, and how far the one is that runs. It shows values and tells wishes; it trains nothing.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/training/training_settings.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace widgets {

class TrainingForm;

class TrainingPanel : public QWidget {
    Q_OBJECT
public:
    explicit TrainingPanel(QWidget *parent = nullptr);

    const TrainingSettings &settings() const;
    const TrainingStatus &status() const { return m_status; }
    TrainingForm *form() const { return m_form; }
    void setStartFolder(const QString &folder);

public Q_SLOTS:
    /// Emits nothing.
    void setSettings(const widgets::TrainingSettings &settings);
    void setContext(const widgets::TrainingContext &context);
    void setStatus(const widgets::TrainingStatus &status);
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void edited(const widgets::TrainingSettings &settings);
    void trainRequested();
    void pauseRequested();
    void resumeRequested();                 ///< of the paused training, or of the one that was left
    void stopAndKeepBestRequested();
    void discardRequested();

private:
    QWidget *makeFoot();
    void showState();

    TrainingContext m_context;
    TrainingStatus m_status;
    Theme m_theme = Theme::light();
    TrainingForm *m_form;
    QLabel *m_state, *m_best, *m_problem;
    QProgressBar *m_bar;
    QPushButton *m_train, *m_pause, *m_resume, *m_stop, *m_discard;
};

} // namespace widgets
