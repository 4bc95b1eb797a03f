// What a project file (*.qsproj) holds: the model by path and hash, data, recipe, runs, layout. A plain value and its JSON.
#pragma once

#include "core/report/report.h"
#include "core/session/session.h"

#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QString>

#include <filesystem>
#include <vector>

namespace app {

/// What a new project trains with: LSQ, on images that need no labels.
core::TrainingSpec usualTraining();

/// All that a run depends on, and all that is undone and redone.
struct Settings {
    core::Recipe recipe;
    core::DataSource calibration, validation;
    core::TrainingSpec training = usualTraining();
    core::DataSource trainingData;
    friend bool operator==(const Settings &, const Settings &);
};
/// Equal but for what only a training depends on.
bool sameWithoutTraining(const Settings &a, const Settings &b);
bool sameTraining(const Settings &a, const Settings &b);

QJsonObject settingsToJson(const Settings &settings, const std::filesystem::path &folder);
/// Throws core::Error{InvalidInput}; what older versions did not know has its default.
Settings settingsFromJson(const QJsonObject &json, const std::filesystem::path &folder);

/// One entry of the experiment list.
struct Run {
    QString name;
    QDateTime when;
    Settings settings;
    core::Report report;        ///< without histograms once it was saved
    std::filesystem::path checkpoint; ///< of a trained run: what was learned
    bool trained() const { return report.training.has_value(); }
};

struct Project {
    std::filesystem::path model;
    QByteArray modelHash;       ///< SHA-256, hexadecimal
    Settings settings;
    std::vector<Run> runs;
    QByteArray windowState;     ///< QMainWindow::saveState()
    QString canvasMode;         ///< "blocks", "layers", "overview"
    int overlay = 0;
};

/// Paths below the project's folder are written relative to it, others absolute.
QByteArray projectToJson(const Project &project, const std::filesystem::path &folder);
/// Throws core::Error{InvalidInput} naming the file and what is wrong.
Project projectFromJson(const QByteArray &json, const std::filesystem::path &folder, const QString &fileName);

/// Throws core::Error{Io} naming the file. Written to a temporary file, then renamed.
void saveProject(const Project &project, const std::filesystem::path &file);
Project loadProject(const std::filesystem::path &file);

/// SHA-256 of a file, hexadecimal; empty when it cannot be read.
QByteArray hashOfFile(const std::filesystem::path &file);

inline QString text(const std::filesystem::path &path) { return QString::fromStdString(path.string()); }
inline std::filesystem::path path(const QString &text) { return std::filesystem::path(text.toStdString()); }

} // namespace app
