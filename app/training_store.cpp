#include "app/training_store.h"

#include "core/report/training_json.h"

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

constexpr qint64 largestNote = 64 << 20;

QString noteOf(const std::filesystem::path &checkpoint) { return text(checkpoint) + QStringLiteral(".json"); }
QString lockOf(const std::filesystem::path &checkpoint) { return text(checkpoint) + QStringLiteral(".lock"); }

std::unique_ptr<QLockFile> lock(const std::filesystem::path &checkpoint)
{
    auto made = std::make_unique<QLockFile>(lockOf(checkpoint));
    made->setStaleLockTime(0);
    if (!made->tryLock(0))
        return nullptr;
    return made;
}

} // namespace

TrainingStore::TrainingStore(const QString &folder) : m_folder(folder)
{
    QDir().mkpath(m_folder);
}

QString TrainingStore::defaultFolder()
{
    return QDir(QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation)).filePath(QStringLiteral("quantscope/training"));
}

std::filesystem::path TrainingStore::begin(const QByteArray &modelHash)
{
    const QString name = QString::fromLatin1(modelHash.left(16)) + QLatin1Char('-') + QUuid::createUuid().toString(QUuid::WithoutBraces).left(8) + QStringLiteral(".checkpoint");
    const std::filesystem::path checkpoint = path(QDir(m_folder).filePath(name));
    m_lock = lock(checkpoint);
    return checkpoint;
}

bool TrainingStore::take(const UnfinishedTraining &training)
{
    m_lock.reset();
    m_lock = lock(training.checkpoint);
    return bool(m_lock);
}

void TrainingStore::release() { m_lock.reset(); }

bool TrainingStore::note(const UnfinishedTraining &training) const
{
    const QJsonObject json{{"name", training.name}, {"when", training.when.toUTC().toString(Qt::ISODate)}, {"step", qint64(training.step)}, {"steps", qint64(training.steps)},
                           {"best_step", qint64(training.bestStep)}, {"curve", QString::fromStdString(core::curveToJson(training.curve))}, {"settings", settingsToJson(training.settings, {})}};
    QSaveFile out(noteOf(training.checkpoint));
    const QByteArray bytes = QJsonDocument(json).toJson();
    return out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size() && out.commit();
}

std::optional<UnfinishedTraining> TrainingStore::find(const QByteArray &modelHash) const
{
    if (modelHash.isEmpty())
        return {};
    const QString pattern = QString::fromLatin1(modelHash.left(16)) + QStringLiteral("-*.checkpoint.json");
    for (const QFileInfo &info : QDir(m_folder).entryInfoList({pattern}, QDir::Files, QDir::Time)) {
        UnfinishedTraining found;
        found.checkpoint = path(info.absoluteFilePath().chopped(5));
        QFile in(info.absoluteFilePath());
        if (!QFileInfo::exists(text(found.checkpoint)) || !lock(found.checkpoint) || in.size() > largestNote || !in.open(QIODevice::ReadOnly))
            continue;
        const QJsonObject json = QJsonDocument::fromJson(in.readAll()).object();
        try {
            found.settings = settingsFromJson(json["settings"].toObject(), {});
            found.curve = core::curveFromJson(json["curve"].toString().toStdString());
        } catch (const core::Error &) { // of another version of the program
            continue;
        }
        found.name = json["name"].toString();
        found.when = QDateTime::fromString(json["when"].toString(), Qt::ISODate).toLocalTime();
        found.step = json["step"].toInteger();
        found.steps = json["steps"].toInteger();
        found.bestStep = json["best_step"].toInteger();
        return found;
    }
    return {};
}

void TrainingStore::finish(const std::filesystem::path &checkpoint) const { QFile::remove(noteOf(checkpoint)); }

void TrainingStore::remove(const std::filesystem::path &checkpoint) const
{
    QFile::remove(noteOf(checkpoint));
    QFile::remove(text(checkpoint));
}

} // namespace app
