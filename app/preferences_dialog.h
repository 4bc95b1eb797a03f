// Settings of the program, not of a project.
#pragma once

#include "app/settings.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QSpinBox;

namespace app {

class PreferencesDialog : public QDialog {
    Q_OBJECT
public:
    explicit PreferencesDialog(const Preferences &preferences, QWidget *parent = nullptr);
    Preferences preferences() const;

private:
    QComboBox *m_theme;
    QSpinBox *m_threads;
    QCheckBox *m_wheelZooms, *m_judge;
};

} // namespace app
