#include "widgets/spec/spec_editor.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/role_section.h"

#include <QLabel>
#include <QVBoxLayout>

namespace widgets {

using core::TensorRole;

SpecEditor::SpecEditor(QWidget *parent) : QWidget(parent)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    m_nothing = new QLabel(tr("These layers carry no tensors that could be quantized."), this);
    m_nothing->setWordWrap(true);
    makeMuted(m_nothing);
    m_nothing->hide();
    column->addWidget(m_nothing);
    for (const TensorRole role : {TensorRole::Weight, TensorRole::Output, TensorRole::Input, TensorRole::Bias}) {
        auto *section = new RoleSection(role, this);
        section->setObjectName(roleLabel(role));
        m_sections[std::size_t(role)] = section;
        column->addWidget(section);
        connect(section, &RoleSection::fieldChosen, this, &SpecEditor::choose);
        connect(section, &RoleSection::fieldReset, this,
                [this](TensorRole of, SpecField field) { Q_EMIT editRequested({SetField{m_state.scope, of, field, {}}}); });
        connect(section, &RoleSection::roleReset, this, [this](TensorRole of) { Q_EMIT editRequested({ResetScope{m_state.scope, of}}); });
    }
    column->addStretch(1);
}

void SpecEditor::setState(const SpecState &state)
{
    m_state = state;
    bool any = false;
    for (std::size_t i = 0; i < 4; ++i) {
        m_sections[i]->setVisible(state.roles[i].applies);
        if (state.roles[i].applies)
            m_sections[i]->setState(state.roles[i]);
        any = any || state.roles[i].applies;
    }
    m_nothing->setVisible(!any && state.layers > 0);
}

void SpecEditor::setSuggestedRange(TensorRole role, std::optional<core::Range> range)
{
    m_suggested[std::size_t(role)] = range;
}

void SpecEditor::choose(TensorRole role, SpecField field, const FieldValue &value)
{
    const RoleState &now = m_state.role(role);
    core::Scheme scheme;
    if (const auto &size = now.field(SpecField::GroupSize).value)
        scheme.groupSize = std::get<int>(*size);
    if (const auto &range = now.field(SpecField::FixedRange).value)
        scheme.fixedRange = std::get<core::Range>(*range);
    SpecEdits edits = {SetField{m_state.scope, role, field, value}};
    for (auto &[with, start] : companions(scheme, field, value)) {
        if (const auto &suggested = m_suggested[std::size_t(role)]; with == SpecField::FixedRange && suggested && suggested->min < suggested->max)
            start = *suggested;
        edits.push_back(SetField{m_state.scope, role, with, start});
    }
    Q_EMIT editRequested(edits);
}

void SpecEditor::setTheme(const Theme &theme)
{
    for (RoleSection *section : m_sections)
        section->setTheme(theme);
}

} // namespace widgets
