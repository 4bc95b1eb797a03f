// Preferences of the user, kept between starts.
#pragma once

#include <QByteArray>
#include <QStringList>

namespace app {

enum class ThemeChoice { System, Light, Dark };

struct Preferences {
    ThemeChoice theme = ThemeChoice::System;
    int threads = 0;                 ///< 0 = all cores; takes effect at the next start
    bool wheelZooms = false;         ///< the wheel zooms, Ctrl + wheel scrolls
    bool judge = true;               ///< ONNX Runtime checks exported files, where it is installed
};

Preferences loadPreferences();
void savePreferences(const Preferences &preferences);

/// Newest first, at most ten.
QStringList recentFiles();
void addRecentFile(const QString &path);
void removeRecentFile(const QString &path);
void forgetRecentFiles();

/// A named dock layout: QMainWindow::saveState().
QByteArray savedLayout(const QString &name);
void saveLayout(const QString &name, const QByteArray &state);

} // namespace app
