// Small parts of the panels: a label that shortens its text, a number that may be "mixed", a guard against the wheel.
#pragma once

#include <QDoubleSpinBox>
#include <QLabel>

#include <optional>

class QFormLayout;

namespace widgets {

/// Shows as much as fits and the rest as tooltip (unless one was set).
class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(QWidget *parent = nullptr, Qt::TextElideMode mode = Qt::ElideRight);
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    bool event(QEvent *event) override;

private:
    Qt::TextElideMode m_mode;
};

/// A number that several layers may not agree on. committed() follows Enter, leaving the field, or a step; never a programmed change.
class NumberBox : public QDoubleSpinBox {
    Q_OBJECT
public:
    explicit NumberBox(QWidget *parent = nullptr);
    void showNumber(std::optional<double> value);
    void stepBy(int steps) override;
    QString textFromValue(double value) const override;
    double valueFromText(const QString &text) const override;
    QValidator::State validate(QString &text, int &position) const override;

Q_SIGNALS:
    void committed(double value);

private:
    void commit();
    static QString mixedText();

    std::optional<double> m_shown;
    bool m_mixed = false;
};

/// Labels and fields under each other, as panels set them.
QFormLayout *panelForm(QWidget *parent);
/// A heading of a panel, and a remark below a field.
QLabel *boldLabel(const QString &text, QWidget *parent);
QLabel *remarkLabel(QWidget *parent);

/// The wheel scrolls the panel instead of changing a value under the pointer, unless the editor has the focus.
void guardWheel(QWidget *editor);

/// A label in the quiet text colour of the palette.
void makeMuted(QWidget *label);
/// Takes this colour for one role of the palette and inherits the rest; an invalid colour inherits all.
void setOwnColour(QWidget *widget, QPalette::ColorRole role, const QColor &colour);

} // namespace widgets
