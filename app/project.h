// What a project file (*.qsproj) holds: the model by path and hash, data, recipe, runs, layout. A plain value and its JSON.
#pragma once

#include "core/report/report.h"
#include "core/session/session.h"

#include <QByteArray>
#include <QDateTime>
#include <QString>

#include <filesystem>
#include <vector>

namespace app {

/// All that a run depends on, and all that is undone and redone.
struct Settings {
    core::Recipe recipe;
    core::DataSource calibration, validation;
    friend bool operator==(const Settings &, const Settings &);
};

/// One entry of the experiment list.
struct Run {
    QString name;
    QDateTime when;
    Settings settings;
    core::Report report;        ///< without histograms once it was saved
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
