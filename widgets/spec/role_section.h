// The spec of one role (weights, outputs, inputs, bias): a heading that folds, the fields that matter, and the others behind "More".
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_state.h"

#include <QWidget>

#include <array>

class QLabel;
class QToolButton;

namespace widgets {

class ElidedLabel;
class FieldRow;

class RoleSection : public QWidget {
    Q_OBJECT
public:
    explicit RoleSection(core::TensorRole role, QWidget *parent = nullptr);

    void setState(const RoleState &state);
    void setExpanded(bool expanded);
    void setMore(bool more);
    void setTheme(const Theme &theme);
    FieldRow *row(SpecField field) const { return m_rows[std::size_t(field)]; }

Q_SIGNALS:
    void fieldChosen(core::TensorRole role, widgets::SpecField field, const widgets::FieldValue &value);
    void fieldReset(core::TensorRole role, widgets::SpecField field);
    void roleReset(core::TensorRole role);

private:
    bool isMain(SpecField field) const;
    void showRows();

    core::TensorRole m_role;
    RoleState m_state;
    bool m_expanded = false, m_showsMore = false;
    QToolButton *m_heading, *m_more, *m_resetAll;
    ElidedLabel *m_summary;
    QWidget *m_body;
    QLabel *m_note;
    std::array<FieldRow *, allSpecFields.size()> m_rows{};
};

} // namespace widgets
