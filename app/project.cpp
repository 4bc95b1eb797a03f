#include "app/project.h"

#include "app/run_json.h"
#include "core/base/error.h"
#include "core/spec/config_json.h"

#include <QCryptographicHash>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr int schemaVersion = 1;
constexpr qint64 largestFile = 256 << 20;

bool sameSource(const core::DataSource &a, const core::DataSource &b)
{
    return a.path == b.path && a.labels == b.labels && a.limit == b.limit;
}

QString written(const fs::path &path, const fs::path &folder)
{
    if (path.empty())
        return {};
    const fs::path absolute = fs::absolute(path).lexically_normal();
    if (folder.empty())
        return text(absolute);
    const fs::path relative = absolute.lexically_relative(fs::absolute(folder).lexically_normal());
    return text(relative.empty() || *relative.begin() == ".." ? absolute : relative);
}

fs::path read(const QString &value, const fs::path &folder)
{
    if (value.isEmpty())
        return {};
    const fs::path path(value.toStdString());
    return path.is_absolute() || folder.empty() ? path : (fs::absolute(folder) / path).lexically_normal();
}

QJsonObject toJson(const core::DataSource &source, const fs::path &folder)
{
    QJsonObject json{{"path", written(source.path, folder)}};
    if (!source.labels.empty())
        json["labels"] = written(source.labels, folder);
    if (source.limit > 0)
        json["limit"] = qint64(source.limit);
    return json;
}

core::DataSource sourceFrom(const QJsonObject &json, const fs::path &folder)
{
    return {read(json["path"].toString(), folder), read(json["labels"].toString(), folder), std::size_t(std::max<qint64>(json["limit"].toInteger(), 0))};
}

} // namespace

core::TrainingSpec usualTraining()
{
    return core::defaultTraining(core::TrainMethod::Lsq, false);
}

QJsonObject settingsToJson(const Settings &settings, const fs::path &folder)
{
    const auto object = [](const std::string &json) { return QJsonDocument::fromJson(QByteArray::fromStdString(json)).object(); };
    return {{"recipe", object(core::recipeToJson(settings.recipe))},
            {"calibration", toJson(settings.calibration, folder)},
            {"validation", toJson(settings.validation, folder)},
            // Text, because a seed may be larger than the numbers that JSON keeps exactly.
            {"training", QString::fromStdString(core::trainingToJson(settings.training))},
            {"training_data", toJson(settings.trainingData, folder)}};
}

Settings settingsFromJson(const QJsonObject &json, const fs::path &folder)
{
    Settings settings;
    settings.recipe = core::recipeFromJson(QJsonDocument(json["recipe"].toObject()).toJson().toStdString());
    settings.calibration = sourceFrom(json["calibration"].toObject(), folder);
    settings.validation = sourceFrom(json["validation"].toObject(), folder);
    if (json.contains("training"))
        settings.training = core::trainingFromJson(json["training"].toString().toStdString());
    settings.trainingData = sourceFrom(json["training_data"].toObject(), folder);
    return settings;
}

bool sameTraining(const Settings &a, const Settings &b)
{
    return a.training == b.training && sameSource(a.trainingData, b.trainingData);
}

bool sameWithoutTraining(const Settings &a, const Settings &b)
{
    return a.recipe == b.recipe && sameSource(a.calibration, b.calibration) && sameSource(a.validation, b.validation);
}

bool operator==(const Settings &a, const Settings &b)
{
    return sameWithoutTraining(a, b) && sameTraining(a, b);
}

QByteArray projectToJson(const Project &project, const fs::path &folder)
{
    QJsonArray runs;
    for (const Run &run : project.runs) {
        QJsonObject one{{"name", run.name},
                        {"when", run.when.toUTC().toString(Qt::ISODate)},
                        {"settings", settingsToJson(run.settings, folder)},
                        {"report", reportToRunJson(run.report)}};
        if (!run.checkpoint.empty())
            one["checkpoint"] = written(run.checkpoint, folder);
        runs.append(one);
    }
    const QJsonObject json{{"schema_version", schemaVersion},
                           {"model", QJsonObject{{"path", written(project.model, folder)}, {"sha256", QString::fromLatin1(project.modelHash)}}},
                           {"settings", settingsToJson(project.settings, folder)},
                           {"runs", runs},
                           {"window", QJsonObject{{"state", QString::fromLatin1(project.windowState.toBase64())},
                                                  {"canvas", project.canvasMode},
                                                  {"overlay", project.overlay}}}};
    return QJsonDocument(json).toJson();
}

Project projectFromJson(const QByteArray &bytes, const fs::path &folder, const QString &fileName)
{
    const auto fail = [&](const QString &what) {
        throw core::Error(core::ErrorKind::InvalidInput, "project", QStringLiteral("'%1' is no project that can be opened: %2").arg(fileName, what).toStdString());
    };
    QJsonParseError error;
    const QJsonObject json = QJsonDocument::fromJson(bytes, &error).object();
    if (error.error != QJsonParseError::NoError)
        fail(QStringLiteral("%1 at byte %2.").arg(error.errorString()).arg(error.offset));
    if (const int version = json["schema_version"].toInt(); version < 1 || version > schemaVersion)
        fail(version > schemaVersion ? QStringLiteral("it was written by a newer version of the program (schema %1).").arg(version)
                                     : QStringLiteral("it has no schema_version."));
    Project project;
    try {
        project.model = read(json["model"]["path"].toString(), folder);
        project.modelHash = json["model"]["sha256"].toString().toLatin1();
        project.settings = settingsFromJson(json["settings"].toObject(), folder);
        for (const QJsonValue &value : json["runs"].toArray()) {
            Run run;
            run.name = value["name"].toString();
            run.when = QDateTime::fromString(value["when"].toString(), Qt::ISODate).toLocalTime();
            run.settings = settingsFromJson(value["settings"].toObject(), folder);
            run.report = reportFromRunJson(value["report"].toObject());
            run.checkpoint = read(value["checkpoint"].toString(), folder);
            project.runs.push_back(std::move(run));
        }
    } catch (const core::Error &inner) {
        fail(QString::fromStdString(inner.sentence()));
    }
    if (project.model.empty())
        fail(QStringLiteral("it names no model."));
    project.windowState = QByteArray::fromBase64(json["window"]["state"].toString().toLatin1());
    project.canvasMode = json["window"]["canvas"].toString();
    project.overlay = json["window"]["overlay"].toInt();
    return project;
}

void saveProject(const Project &project, const fs::path &file)
{
    QSaveFile out(text(file));
    const QByteArray json = projectToJson(project, fs::absolute(file).parent_path());
    if (!out.open(QIODevice::WriteOnly) || out.write(json) != json.size() || !out.commit())
        throw core::Error(core::ErrorKind::Io, "project",
                          QStringLiteral("'%1' cannot be written: %2. Choose another place.").arg(text(file), out.errorString()).toStdString());
}

Project loadProject(const fs::path &file)
{
    QFile in(text(file));
    if (!in.open(QIODevice::ReadOnly))
        throw core::Error(core::ErrorKind::Io, "project", QStringLiteral("'%1' cannot be read: %2.").arg(text(file), in.errorString()).toStdString());
    if (in.size() > largestFile)
        throw core::Error(core::ErrorKind::InvalidInput, "project", QStringLiteral("'%1' is too large for a project file.").arg(text(file)).toStdString());
    return projectFromJson(in.readAll(), fs::absolute(file).parent_path(), text(file));
}

QByteArray hashOfFile(const fs::path &file)
{
    QFile in(text(file));
    QCryptographicHash hash(QCryptographicHash::Sha256);
    return in.open(QIODevice::ReadOnly) && hash.addData(&in) ? hash.result().toHex() : QByteArray();
}

} // namespace app
