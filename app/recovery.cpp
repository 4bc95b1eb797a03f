#include "app/recovery.h"

#include "core/base/error.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QStandardPaths>
#include <QUuid>

namespace app {
namespace {

constexpr int delay = 2500; // ms; with the writing itself below three seconds

QString lockOf(const QString &file) { return file + QStringLiteral(".lock"); }

} // namespace

Recovery::Recovery(Document &document, const QString &folder, QObject *parent) : QObject(parent), m_document(document), m_folder(folder)
{
    QDir().mkpath(m_folder);
    m_file = QDir(m_folder).filePath(QUuid::createUuid().toString(QUuid::WithoutBraces) + QStringLiteral(".autosave"));
    m_lock = std::make_unique<QLockFile>(lockOf(m_file));
    m_lock->setStaleLockTime(0);
    m_lock->tryLock(0);
    m_timer.setSingleShot(true);
    m_timer.setInterval(delay);
    connect(&m_timer, &QTimer::timeout, this, &Recovery::write);
    connect(&m_document, &Document::edited, this, [this] {
        if (!m_timer.isActive())
            m_timer.start();
    });
    connect(&m_document, &Document::modifiedChanged, this, [this](bool modified) {
        if (!modified)
            clear();
    });
}

Recovery::~Recovery()
{
    clear();
}

QString Recovery::defaultFolder()
{
    return QDir(QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation)).filePath(QStringLiteral("quantscope/autosave"));
}

void Recovery::clear()
{
    m_timer.stop();
    QFile::remove(m_file);
}

void Recovery::flush()
{
    if (m_timer.isActive()) {
        m_timer.stop();
        write();
    }
}

void Recovery::write()
{
    if (!m_document.hasModel())
        return;
    QJsonObject json{{"original", m_document.fileName()},
                     {"project", QJsonDocument::fromJson(projectToJson(m_document.project(), {})).object()}};
    QSaveFile out(m_file);
    const QByteArray bytes = QJsonDocument(json).toJson(QJsonDocument::Compact);
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit())
        Q_EMIT failed(tr("Your edits are not kept safe: '%1' cannot be written: %2. Save the project, or make room.").arg(m_file, out.errorString()));
}

std::vector<Recovery::Found> Recovery::found() const
{
    std::vector<Found> list;
    for (const QFileInfo &info : QDir(m_folder).entryInfoList({QStringLiteral("*.autosave")}, QDir::Files, QDir::Time)) {
        if (info.absoluteFilePath() == QFileInfo(m_file).absoluteFilePath())
            continue;
        QLockFile lock(lockOf(info.absoluteFilePath()));
        lock.setStaleLockTime(0);
        if (!lock.tryLock(0))
            continue; // its program runs
        QFile in(info.absoluteFilePath());
        if (!in.open(QIODevice::ReadOnly))
            continue;
        const QJsonObject json = QJsonDocument::fromJson(in.readAll()).object();
        list.push_back({info.absoluteFilePath(), json["original"].toString(), info.lastModified()});
    }
    return list;
}

Project Recovery::load(const Found &found) const
{
    QFile in(found.file);
    if (!in.open(QIODevice::ReadOnly))
        throw core::Error(core::ErrorKind::Io, "recovery", QStringLiteral("'%1' cannot be read: %2.").arg(found.file, in.errorString()).toStdString());
    const QJsonObject json = QJsonDocument::fromJson(in.readAll()).object();
    return projectFromJson(QJsonDocument(json["project"].toObject()).toJson(), {}, found.file);
}

void Recovery::remove(const Found &found) const
{
    QFile::remove(found.file);
    QFile::remove(lockOf(found.file));
}

} // namespace app
