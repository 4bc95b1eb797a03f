#include "app/settings.h"

#include <QFileInfo>
#include <QSettings>

namespace app {
namespace {

constexpr int mostRecent = 10;

} // namespace

Preferences loadPreferences()
{
    const QSettings settings;
    Preferences p;
    p.theme = ThemeChoice(std::clamp(settings.value("theme", 0).toInt(), 0, 2));
    p.threads = std::clamp(settings.value("threads", 0).toInt(), 0, 1024);
    p.wheelZooms = settings.value("wheelZooms", false).toBool();
    p.judge = settings.value("judge", true).toBool();
    return p;
}

void savePreferences(const Preferences &p)
{
    QSettings settings;
    settings.setValue("theme", int(p.theme));
    settings.setValue("threads", p.threads);
    settings.setValue("wheelZooms", p.wheelZooms);
    settings.setValue("judge", p.judge);
}

QStringList recentFiles()
{
    return QSettings().value("recent").toStringList();
}

void addRecentFile(const QString &path)
{
    const QString absolute = QFileInfo(path).absoluteFilePath();
    QStringList list = recentFiles();
    list.removeAll(absolute);
    list.prepend(absolute);
    QSettings().setValue("recent", list.mid(0, mostRecent));
}

void removeRecentFile(const QString &path)
{
    QStringList list = recentFiles();
    list.removeAll(path);
    QSettings().setValue("recent", list);
}

void forgetRecentFiles()
{
    QSettings().remove("recent");
}

QByteArray savedLayout(const QString &name)
{
    return QSettings().value("layouts/" + name).toByteArray();
}

void saveLayout(const QString &name, const QByteArray &state)
{
    QSettings().setValue("layouts/" + name, state);
}

} // namespace app
