// The one kind of edit: from some settings to others. Bulk edits are one step by nature.
#pragma once

#include "app/document.h"

#include <QUndoCommand>

namespace app {

class SettingsCommand : public QUndoCommand {
public:
    SettingsCommand(Document &document, Settings after, const QString &text)
        : QUndoCommand(text), m_document(document), m_before(document.settings()), m_after(std::move(after))
    {
    }
    void undo() override { m_document.apply(m_before, text()); }
    void redo() override { m_document.apply(m_after, text()); }

private:
    Document &m_document;
    Settings m_before, m_after;
};

} // namespace app
