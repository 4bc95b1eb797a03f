// Autosave and what is left of it after a crash. At most three seconds after an edit the project is written beside the user's data; a file whose
// program no longer runs is offered at the next start.
#pragma once

#include "app/document.h"

#include <QLockFile>
#include <QObject>
#include <QTimer>

#include <memory>

namespace app {

class Recovery : public QObject {
    Q_OBJECT
public:
    struct Found {
        QString file;          ///< the autosaved copy
        QString original;      ///< the project's own file; empty when it was never saved
        QDateTime when;
    };

    /// `folder` is made when it is missing.
    Recovery(Document &document, const QString &folder, QObject *parent = nullptr);
    ~Recovery() override;      ///< a program that ends in order leaves nothing

    static QString defaultFolder();
    /// Copies that a program left behind which no longer runs; newest first.
    std::vector<Found> found() const;
    /// Throws core::Error.
    Project load(const Found &found) const;
    void remove(const Found &found) const;
    /// Writes now if something waits.
    void flush();

Q_SIGNALS:
    void failed(const QString &sentence);

private:
    void write();
    void clear();

    Document &m_document;
    QString m_folder, m_file;
    std::unique_ptr<QLockFile> m_lock;
    QTimer m_timer;
};

} // namespace app
