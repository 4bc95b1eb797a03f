#include "widgets/spec/role_section.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/field_row.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

namespace widgets {

using core::TensorRole;

RoleSection::RoleSection(TensorRole role, QWidget *parent) : QWidget(parent), m_role(role)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    auto *all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->setSpacing(2);
    auto *head = new QHBoxLayout;
    head->setSpacing(4);
    m_heading = new QToolButton(this);
    m_heading->setObjectName(QStringLiteral("heading"));
    m_heading->setText(roleLabel(role));
    m_heading->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_heading->setAutoRaise(true);
    QFont bold = m_heading->font();
    bold.setBold(true);
    m_heading->setFont(bold);
    m_summary = new ElidedLabel(this);
    m_summary->setObjectName(QStringLiteral("summary"));
    m_summary->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    makeMuted(m_summary);
    m_resetAll = new QToolButton(this);
    m_resetAll->setObjectName(QStringLiteral("reset_role"));
    m_resetAll->setText(QStringLiteral("↺"));
    m_resetAll->setAutoRaise(true);
    m_resetAll->setToolTip(tr("Reset all of these to inherited"));
    m_resetAll->setAccessibleName(tr("Reset %1 to inherited").arg(roleLabel(role)));
    QSizePolicy keepsItsPlace = m_resetAll->sizePolicy();
    keepsItsPlace.setRetainSizeWhenHidden(true);
    m_resetAll->setSizePolicy(keepsItsPlace);
    head->addWidget(m_heading);
    head->addWidget(m_summary, 1);
    head->addWidget(m_resetAll);
    all->addLayout(head);

    m_body = new QWidget(this);
    auto *body = new QVBoxLayout(m_body);
    body->setContentsMargins(10, 0, 0, 6);
    body->setSpacing(4);
    m_note = new QLabel(m_body);
    m_note->setWordWrap(true);
    m_note->setTextFormat(Qt::PlainText);
    makeMuted(m_note);
    body->addWidget(m_note);
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(3);
    int labelWidth = 0;
    for (const SpecField field : allSpecFields)
        labelWidth = std::max(labelWidth, fontMetrics().horizontalAdvance(fieldLabel(field)));
    grid->setColumnMinimumWidth(0, labelWidth);
    grid->setColumnStretch(1, 5);
    grid->setColumnStretch(2, 4);
    body->addLayout(grid);
    int line = 0;
    const auto addRow = [&](SpecField field) {
        auto *row = new FieldRow(role, field, grid, line++, m_body);
        m_rows[std::size_t(field)] = row;
        connect(row, &FieldRow::chosen, this, [this, field](const FieldValue &value) { Q_EMIT fieldChosen(m_role, field, value); });
        connect(row, &FieldRow::resetRequested, this, [this, field] { Q_EMIT fieldReset(m_role, field); });
    };
    for (const bool main : {true, false})
        for (const SpecField field : allSpecFields)
            if (isMain(field) == main)
                addRow(field);
    m_more = new QToolButton(m_body);
    m_more->setObjectName(QStringLiteral("more"));
    m_more->setAutoRaise(true);
    m_more->setAccessibleName(tr("More fields"));
    body->addWidget(m_more, 0, Qt::AlignLeft);
    all->addWidget(m_body);

    connect(m_heading, &QToolButton::clicked, this, [this] { setExpanded(!m_expanded); });
    connect(m_more, &QToolButton::clicked, this, [this] { setMore(!m_showsMore); });
    connect(m_resetAll, &QToolButton::clicked, this, [this] { Q_EMIT roleReset(m_role); });
    setMore(false);
    setExpanded(role == TensorRole::Weight || role == TensorRole::Output);
}

bool RoleSection::isMain(SpecField field) const
{
    switch (field) {
    case SpecField::Dtype: return true;
    case SpecField::QScheme:
    case SpecField::GroupSize: return m_role == TensorRole::Weight;
    case SpecField::Symmetric:
    case SpecField::Observer:
    case SpecField::Percentile:
    case SpecField::FixedRange: return m_role != TensorRole::Bias;
    default: return false;
    }
}

void RoleSection::setState(const RoleState &state)
{
    m_state = state;
    m_summary->setText(state.summary);
    m_note->setText(state.note);
    m_note->setVisible(!state.note.isEmpty());
    m_resetAll->setVisible(state.setHere);
    showRows();
}

void RoleSection::showRows()
{
    if (!m_expanded)
        return;
    int hiddenSettings = 0;
    for (const SpecField field : allSpecFields) {
        const FieldState &state = m_state.field(field);
        const bool conditional = field == SpecField::Percentile || field == SpecField::FixedRange || field == SpecField::GroupSize;
        const bool visible = m_showsMore || !state.problem.isEmpty() || (isMain(field) && (!conditional || state.refusal.isEmpty()));
        hiddenSettings += !visible && state.setHere;
        FieldRow *line = row(field);
        line->setVisible(visible);
        if (visible)
            line->show(state);
    }
    m_more->setText(m_showsMore ? tr("Fewer fields") : hiddenSettings > 0 ? tr("More fields (%1 set here)…").arg(hiddenSettings) : tr("More fields…"));
}

void RoleSection::setExpanded(bool expanded)
{
    m_expanded = expanded;
    m_heading->setAccessibleName(expanded ? tr("%1, shown; press to hide").arg(roleLabel(m_role)) : tr("%1, hidden; press to show").arg(roleLabel(m_role)));
    m_heading->setArrowType(expanded ? Qt::DownArrow : Qt::RightArrow);
    m_body->setVisible(expanded);
    showRows();
}

void RoleSection::setMore(bool more)
{
    m_showsMore = more;
    showRows();
}

void RoleSection::setTheme(const Theme &theme)
{
    for (FieldRow *line : m_rows)
        line->setTheme(theme);
    showRows();
}

} // namespace widgets
