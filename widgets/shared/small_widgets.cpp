#include "widgets/shared/small_widgets.h"

#include "widgets/shared/number_text.h"

#include <QFormLayout>
#include <QEvent>
#include <QHelpEvent>
#include <QLineEdit>
#include <QPainter>
#include <QStyle>
#include <QToolTip>

namespace widgets {

ElidedLabel::ElidedLabel(QWidget *parent, Qt::TextElideMode mode) : QLabel(parent), m_mode(mode)
{
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
}

QSize ElidedLabel::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 3, QLabel::minimumSizeHint().height()};
}

void ElidedLabel::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const QRect area = contentsRect();
    style()->drawItemText(&painter, area, int(alignment()), palette(), isEnabled(), fontMetrics().elidedText(text(), m_mode, area.width()), foregroundRole());
}

bool ElidedLabel::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip && toolTip().isEmpty() && fontMetrics().horizontalAdvance(text()) > contentsRect().width()) {
        QToolTip::showText(static_cast<QHelpEvent *>(event)->globalPos(), text().toHtmlEscaped(), this);
        return true;
    }
    return QLabel::event(event);
}

NumberBox::NumberBox(QWidget *parent) : QDoubleSpinBox(parent)
{
    setLocale(QLocale::c());
    setKeyboardTracking(false);
    connect(lineEdit(), &QLineEdit::textEdited, this, [this] { m_mixed = false; });
    connect(this, &QDoubleSpinBox::editingFinished, this, &NumberBox::commit);
}

QString NumberBox::mixedText() { return tr("mixed"); }

void NumberBox::showNumber(std::optional<double> value)
{
    const QSignalBlocker block(this);
    m_shown = value;
    m_mixed = !value;
    if (value)
        setValue(*value);
    lineEdit()->setText(!m_mixed && this->value() == minimum() && !specialValueText().isEmpty() ? specialValueText() : textFromValue(this->value()));
}

void NumberBox::stepBy(int steps)
{
    m_mixed = false;
    QDoubleSpinBox::stepBy(steps);
    commit();
}

void NumberBox::commit()
{
    if (m_mixed || (m_shown && *m_shown == value()))
        return;
    m_shown = value();
    Q_EMIT committed(value());
}

QString NumberBox::textFromValue(double value) const
{
    return m_mixed ? mixedText() : shortNumber(value, 8);
}

double NumberBox::valueFromText(const QString &text) const
{
    return text == mixedText() ? value() : QDoubleSpinBox::valueFromText(text);
}

QValidator::State NumberBox::validate(QString &text, int &position) const
{
    return text == mixedText() ? QValidator::Acceptable : QDoubleSpinBox::validate(text, position);
}

namespace {

class WheelGuard : public QObject {
public:
    using QObject::QObject;
    bool eventFilter(QObject *watched, QEvent *event) override
    {
        const auto *widget = qobject_cast<QWidget *>(watched);
        if (event->type() != QEvent::Wheel || !widget || widget->hasFocus())
            return false;
        event->ignore();
        return true;
    }
};

} // namespace

QFormLayout *panelForm(QWidget *parent)
{
    auto *layout = new QFormLayout(parent);
    layout->setContentsMargins(0, 0, 0, 8);
    layout->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    layout->setVerticalSpacing(4);
    layout->setHorizontalSpacing(8);
    return layout;
}

QLabel *boldLabel(const QString &text, QWidget *parent)
{
    auto *label = new QLabel(text, parent);
    QFont bold = label->font();
    bold.setBold(true);
    label->setFont(bold);
    return label;
}

QLabel *remarkLabel(QWidget *parent)
{
    auto *label = new QLabel(parent);
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    makeMuted(label);
    return label;
}

void guardWheel(QWidget *editor)
{
    editor->setFocusPolicy(Qt::StrongFocus);
    editor->installEventFilter(new WheelGuard(editor));
}

void makeMuted(QWidget *label) { label->setForegroundRole(QPalette::PlaceholderText); }

void setOwnColour(QWidget *widget, QPalette::ColorRole role, const QColor &colour)
{
    QPalette palette;
    if (colour.isValid())
        palette.setColor(role, colour);
    widget->setPalette(palette);
}

} // namespace widgets
