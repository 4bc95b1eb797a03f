#include "widgets/spec/field_row.h"

#include "widgets/shared/small_widgets.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleValidator>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QStandardItemModel>
#include <QToolButton>

namespace widgets {
namespace {

/// Wraps in a tooltip instead of running over the screen.
QString toolTipText(const QStringList &parts)
{
    QString html;
    for (const QString &part : parts)
        if (!part.isEmpty())
            html += QStringLiteral("<p>%1</p>").arg(part.toHtmlEscaped());
    return html;
}

QLineEdit *boundEdit(QWidget *parent, const QString &name)
{
    auto *edit = new QLineEdit(parent);
    auto *validator = new QDoubleValidator(edit);
    validator->setLocale(QLocale::c());
    edit->setValidator(validator);
    edit->setAccessibleName(name);
    edit->setMinimumWidth(40);
    return edit;
}

} // namespace

FieldRow::FieldRow(core::TensorRole role, SpecField field, QGridLayout *grid, int row, QWidget *parent) : QObject(parent), m_field(field)
{
    m_label = new QLabel(fieldLabel(field), parent);
    makeEditor(parent);
    m_editor->setAccessibleName(tr("%1, %2").arg(roleLabel(role), fieldLabel(field)));
    m_editor->setObjectName(QString::fromLatin1(fieldKey(field)));
    m_label->setBuddy(m_editor);
    m_origin = new ElidedLabel(parent);
    m_origin->setObjectName(QString::fromLatin1(fieldKey(field)) + QStringLiteral("_origin"));
    m_reset = new QToolButton(parent);
    m_reset->setObjectName(QString::fromLatin1(fieldKey(field)) + QStringLiteral("_reset"));
    m_reset->setText(QStringLiteral("↺"));
    m_reset->setAutoRaise(true);
    m_reset->setToolTip(tr("Reset to inherited"));
    m_reset->setAccessibleName(tr("Reset %1 to inherited").arg(fieldLabel(field)));
    QSizePolicy keepsItsPlace = m_reset->sizePolicy();
    keepsItsPlace.setRetainSizeWhenHidden(true);
    m_reset->setSizePolicy(keepsItsPlace);
    grid->addWidget(m_label, row, 0);
    grid->addWidget(m_editor, row, 1);
    grid->addWidget(m_origin, row, 2);
    grid->addWidget(m_reset, row, 3);
    connect(m_reset, &QToolButton::clicked, this, &FieldRow::resetRequested);
}

void FieldRow::makeEditor(QWidget *parent)
{
    switch (m_field) {
    case SpecField::Percentile:
    case SpecField::ChAxis:
    case SpecField::GroupSize:
        m_number = new NumberBox(parent);
        m_number->setMinimumWidth(60);
        if (m_field == SpecField::Percentile) {
            m_number->setDecimals(5);
            m_number->setRange(90, 100);
            m_number->setSingleStep(0.01);
        } else {
            m_number->setDecimals(0);
            m_number->setRange(m_field == SpecField::ChAxis ? -1 : 0, m_field == SpecField::ChAxis ? 7 : 1 << 20);
            if (m_field == SpecField::ChAxis)
                m_number->setSpecialValueText(tr("layer's own"));
        }
        connect(m_number, &NumberBox::committed, this,
                [this](double value) { Q_EMIT chosen(m_field == SpecField::Percentile ? FieldValue(value) : FieldValue(int(value))); });
        guardWheel(m_number);
        m_editor = m_number;
        return;
    case SpecField::FixedRange: {
        m_editor = new QWidget(parent);
        auto *pair = new QHBoxLayout(m_editor);
        pair->setContentsMargins(0, 0, 0, 0);
        pair->setSpacing(2);
        m_least = boundEdit(m_editor, tr("Least value"));
        m_greatest = boundEdit(m_editor, tr("Greatest value"));
        pair->addWidget(m_least);
        pair->addWidget(new QLabel(QStringLiteral("…"), m_editor));
        pair->addWidget(m_greatest);
        m_editor->setFocusProxy(m_least);
        for (QLineEdit *edit : {m_least, m_greatest})
            connect(edit, &QLineEdit::editingFinished, this, &FieldRow::commitRange);
        return;
    }
    case SpecField::IsDynamic:
        m_check = new QCheckBox(tr("at run time"), parent);
        connect(m_check, &QCheckBox::clicked, this, [this] { Q_EMIT chosen(FieldValue(m_check->checkState() == Qt::Checked)); });
        m_editor = m_check;
        return;
    default: break;
    }
    m_combo = new QComboBox(parent);
    m_combo->setPlaceholderText(tr("mixed"));
    m_combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_combo->setMinimumContentsLength(8);
    for (const FieldValue &value : fieldChoices(m_field))
        m_combo->addItem(valueText(m_field, value));
    m_combo->view()->setMinimumWidth(m_combo->view()->sizeHintForColumn(0) + 24);
    connect(m_combo, &QComboBox::activated, this, [this](int index) {
        const std::vector<FieldValue> values = fieldChoices(m_field);
        if (index >= 0 && std::size_t(index) < values.size() && (!m_state.value || *m_state.value != values[std::size_t(index)]))
            Q_EMIT chosen(values[std::size_t(index)]);
    });
    guardWheel(m_combo);
    m_editor = m_combo;
}

void FieldRow::show(const FieldState &state)
{
    m_state = state;
    showValue(state);
    QString refusal = state.refusal;
    if (m_check && refusal.isEmpty() && state.value == FieldValue(false) && state.choices.size() == 2)
        refusal = state.choices.back().refusal;
    m_editor->setEnabled(refusal.isEmpty());
    m_label->setEnabled(refusal.isEmpty());
    m_editor->setToolTip(toolTipText({fieldHelp(m_field), refusal, state.problem}));
    m_editor->setAccessibleDescription(refusal + state.problem);
    m_label->setToolTip(m_editor->toolTip());
    m_label->setText(state.problem.isEmpty() ? fieldLabel(m_field) : QStringLiteral("⚠ ") + fieldLabel(m_field));
    setOwnColour(m_label, QPalette::WindowText, state.problem.isEmpty() ? QColor() : m_problem);

    QFont font = m_editor->font();
    font.setBold(state.setHere);
    m_origin->setFont(font);
    m_origin->setForegroundRole(state.setHere ? QPalette::WindowText : QPalette::PlaceholderText);
    m_origin->setText(state.overridden > 0 ? tr("%1, %2 differ").arg(state.origin).arg(state.overridden) : state.origin);
    m_origin->setToolTip(toolTipText({tr("%1: %2").arg(fieldLabel(m_field), state.setHere ? state.origin : tr("inherited from %1").arg(state.originInWords)),
                                      state.overridden > 0 ? tr("%1 layers say otherwise by something more specific.").arg(state.overridden) : QString()}));
    m_reset->setVisible(state.setHere && !m_editor->isHidden());
}

void FieldRow::showValue(const FieldState &state)
{
    if (m_combo) {
        const std::vector<FieldValue> values = fieldChoices(m_field);
        const auto *model = qobject_cast<QStandardItemModel *>(m_combo->model());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const QString refusal = i < state.choices.size() ? state.choices[i].refusal : QString();
            QStandardItem *item = model->item(int(i));
            if (item->isEnabled() != refusal.isEmpty())
                item->setEnabled(refusal.isEmpty());
            if (item->data(Qt::UserRole).toString() != refusal) {
                item->setData(refusal, Qt::UserRole);
                item->setToolTip(toolTipText({refusal}));
            }
        }
        const auto at = state.value ? std::find(values.begin(), values.end(), *state.value) : values.end();
        m_combo->setCurrentIndex(at == values.end() ? -1 : int(at - values.begin()));
    } else if (m_check) {
        m_check->setTristate(!state.value);
        m_check->setCheckState(!state.value ? Qt::PartiallyChecked : std::get<bool>(*state.value) ? Qt::Checked : Qt::Unchecked);
    } else if (m_number) {
        m_number->showNumber(!state.value ? std::nullopt
                             : m_field == SpecField::Percentile ? std::optional(std::get<double>(*state.value)) : std::optional(double(std::get<int>(*state.value))));
    } else {
        const bool known = state.value && state.refusal.isEmpty();
        const core::Range range = known ? std::get<core::Range>(*state.value) : core::Range();
        for (const auto &[edit, bound] : {std::pair{m_least, range.min}, {m_greatest, range.max}}) {
            edit->setText(known ? shortNumber(bound, 7) : QString());
            edit->setPlaceholderText(state.value ? QStringLiteral("–") : tr("mixed"));
            edit->setCursorPosition(0);
        }
    }
}

void FieldRow::commitRange()
{
    bool hasLeast = false, hasGreatest = false;
    const core::Range range = {m_least->text().toDouble(&hasLeast), m_greatest->text().toDouble(&hasGreatest)};
    if (!hasLeast || !hasGreatest)
        return;
    const bool wrong = !(range.min < range.max);
    for (QLineEdit *edit : {m_least, m_greatest}) {
        setOwnColour(edit, QPalette::Text, wrong ? m_problem : QColor());
        edit->setToolTip(wrong ? tr("The least value must lie below the greatest.") : QString());
    }
    const auto near = [](double a, double b) { return shortNumber(a, 7) == shortNumber(b, 7); };
    if (m_state.value) {
        const core::Range shown = std::get<core::Range>(*m_state.value);
        if (near(shown.min, range.min) && near(shown.max, range.max))
            return;
    }
    if (!wrong)
        Q_EMIT chosen(FieldValue(range));
}

void FieldRow::setVisible(bool visible)
{
    m_label->setVisible(visible);
    m_editor->setVisible(visible);
    m_origin->setVisible(visible);
    m_reset->setVisible(visible && m_state.setHere);
    QSizePolicy policy = m_reset->sizePolicy();
    policy.setRetainSizeWhenHidden(visible);
    m_reset->setSizePolicy(policy);
}

void FieldRow::setTheme(const Theme &theme)
{
    m_problem = theme.problem;
}

QWidget *FieldRow::lastFocus() const { return m_reset; }

} // namespace widgets
