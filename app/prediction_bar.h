// The answer to "what if": what the last edit changes on the pinned images, with Keep and Undo, above the canvas.
#pragma once

#include "core/session/session.h"
#include "widgets/shared/theme.h"

#include <QFrame>

class QLabel;
class QToolButton;

namespace app {

class PredictionBar : public QFrame {
    Q_OBJECT
public:
    explicit PredictionBar(QWidget *parent = nullptr);
    QString text() const;

public Q_SLOTS:
    /// `why` follows the name of the edit: what is waited for.
    void showWaiting(const QString &what, const QString &why);
    void showPrediction(const core::WhatIf &prediction, const QString &what);
    void showNoPrediction(const QString &what, const QString &why);
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void kept();
    void undone();

private:
    QLabel *m_text;
    QToolButton *m_keep, *m_undo;
    widgets::Theme m_theme = widgets::Theme::light();
};

/// "SQNR of the outputs 18.4 → 23.1 dB, same top-1 as float 96.9 → 98.4 %"
QString predictionText(const core::WhatIf &prediction);

} // namespace app
