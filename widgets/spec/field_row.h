// One field of a spec in the editor: name, editor, where the value came from, and a button that inherits it again.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_state.h"

#include <QGridLayout>
#include <QObject>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QToolButton;

namespace widgets {

class ElidedLabel;
class NumberBox;

class FieldRow : public QObject {
    Q_OBJECT
public:
    /// Puts its widgets into row `row` of the grid, which has four columns.
    FieldRow(core::TensorRole role, SpecField field, QGridLayout *grid, int row, QWidget *parent);

    SpecField field() const { return m_field; }
    void show(const FieldState &state);
    void setVisible(bool visible);
    void setTheme(const Theme &theme);
    QWidget *editor() const { return m_editor; }
    QToolButton *resetButton() const { return m_reset; }
    QWidget *lastFocus() const;

Q_SIGNALS:
    void chosen(const widgets::FieldValue &value);
    void resetRequested();

private:
    void makeEditor(QWidget *parent);
    void showValue(const FieldState &state);
    void commitRange();

    SpecField m_field;
    FieldState m_state;
    QLabel *m_label = nullptr;
    QWidget *m_editor = nullptr;
    QComboBox *m_combo = nullptr;
    QCheckBox *m_check = nullptr;
    NumberBox *m_number = nullptr;
    QLineEdit *m_least = nullptr, *m_greatest = nullptr;
    ElidedLabel *m_origin = nullptr;
    QToolButton *m_reset = nullptr;
    QColor m_problem;
};

} // namespace widgets
