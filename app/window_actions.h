// Every command of the window as an action with name, menu place and shortcut.
#pragma once

#include <QHash>
#include <QMenu>
#include <QString>

class QAction;
class QToolBar;

namespace app {

class MainWindow;

class WindowActions {
public:
    explicit WindowActions(MainWindow &window);

    QAction *find(const QString &name) const { return m_actions.value(name); }
    QMenu *recentMenu() const { return m_recent; }
    /// What can be done now.
    void update();

private:
    QAction *add(QMenu *menu, const QString &name, const QString &text, const QKeySequence &shortcut, std::function<void()> body);
    void fileMenu();
    void editMenu();
    void viewMenu();
    void layerMenu();
    void runMenu();
    void analysisMenu();
    void windowMenu();
    void helpMenu();
    void toolBar();

    MainWindow &m_window;
    QHash<QString, QAction *> m_actions;
    QMenu *m_recent = nullptr;
    QMenu *m_layerMenu = nullptr;
};

} // namespace app
