// The four specs of a scope, each field with its editor, its origin and a way back. Shows a SpecState and asks for edits; it changes nothing itself.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_state.h"

#include <QWidget>

#include <array>

class QLabel;

namespace widgets {

class RoleSection;

class SpecEditor : public QWidget {
    Q_OBJECT
public:
    explicit SpecEditor(QWidget *parent = nullptr);

    void setState(const SpecState &state);
    /// A range that `fixed` starts from (the tensor's least and greatest value), so that choosing it clips nothing.
    void setSuggestedRange(core::TensorRole role, std::optional<core::Range> range);
    RoleSection *section(core::TensorRole role) const { return m_sections[std::size_t(role)]; }

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void editRequested(const widgets::SpecEdits &edits);

private:
    void choose(core::TensorRole role, SpecField field, const FieldValue &value);

    SpecState m_state;
    std::array<RoleSection *, 4> m_sections{};
    std::array<std::optional<core::Range>, 4> m_suggested;
    QLabel *m_nothing;
};

} // namespace widgets
