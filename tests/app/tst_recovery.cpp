#include "app/lane.h"
#include "app/recovery.h"

#include <csignal>

using namespace app;

namespace {

Project project()
{
    Project made;
    made.model = "/models/net.onnx";
    made.settings.recipe = core::presetRecipe("a8w8");
    return made;
}

void edit(Document &document, const std::string &pattern)
{
    core::Recipe recipe = document.recipe();
    recipe.config.exclude.push_back(pattern);
    document.changeRecipe(recipe, "Exclude");
}

/// Edits while a run is on, and never ends.
int victim(const QString &folder)
{
    Document document;
    Recovery recovery(document, folder);
    document.open(project(), std::make_shared<core::Prepared>(), "/projects/p.qsproj");
    Lane heavy;
    heavy.start<int>("run", "Running", [](core::Progress &) {
        while (true)
            QThread::msleep(1);
        return std::make_shared<const int>(0);
    }, [](std::shared_ptr<const int>) {});
    QTimer::singleShot(50, &document, [&] {
        edit(document, "head*");
        puts("edited");
        fflush(stdout);
    });
    return QCoreApplication::exec();
}

} // namespace

class TestRecovery : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aKilledProgramLosesAtMostThreeSeconds();
    void aRunningProgramIsLeftAlone();
    void savingAndEndingLeaveNothing();
    void aFullFolderIsSaid();
};

void TestRecovery::aKilledProgramLosesAtMostThreeSeconds()
{
    QTemporaryDir folder;
    QProcess child;
    child.start(QCoreApplication::applicationFilePath(), {"--victim", folder.path()});
    QVERIFY(child.waitForReadyRead(20000) && child.readAll().startsWith("edited"));
    QThread::msleep(3000);
    ::kill(pid_t(child.processId()), SIGKILL);
    QVERIFY(child.waitForFinished());
    Document document;
    const Recovery recovery(document, folder.path());
    const auto found = recovery.found();
    QCOMPARE(found.size(), std::size_t(1));
    QCOMPARE(found[0].original, QString("/projects/p.qsproj"));
    const Project back = recovery.load(found[0]);
    QCOMPARE(back.model, std::filesystem::path("/models/net.onnx"));
    QCOMPARE(back.settings.recipe.config.exclude, std::vector<std::string>{"head*"});
    recovery.remove(found[0]);
    QVERIFY(recovery.found().empty());
}

void TestRecovery::aRunningProgramIsLeftAlone()
{
    QTemporaryDir folder;
    QProcess child;
    child.start(QCoreApplication::applicationFilePath(), {"--victim", folder.path()});
    QVERIFY(child.waitForReadyRead(20000));
    Document document;
    const Recovery recovery(document, folder.path());
    QTRY_COMPARE_WITH_TIMEOUT(QDir(folder.path()).entryList({"*.autosave"}).size(), 1, 6000);
    QVERIFY(recovery.found().empty());
    child.kill();
    QVERIFY(child.waitForFinished());
    QCOMPARE(recovery.found().size(), std::size_t(1));
}

void TestRecovery::savingAndEndingLeaveNothing()
{
    QTemporaryDir folder;
    const auto copies = [&] { return QDir(folder.path()).entryList({"*.autosave"}).size(); };
    {
        Document document;
        Recovery recovery(document, folder.path());
        document.open(project(), std::make_shared<core::Prepared>(), {});
        edit(document, "a");
        recovery.flush();
        QCOMPARE(copies(), 1);
        document.setSaved("/projects/p.qsproj");
        QCOMPARE(copies(), 0);
        edit(document, "b");
        recovery.flush();
        QCOMPARE(copies(), 1);
    }
    QCOMPARE(copies(), 0);
}

void TestRecovery::aFullFolderIsSaid()
{
    QTemporaryDir folder;
    Document document;
    Recovery recovery(document, folder.path());
    QSignalSpy failed(&recovery, &Recovery::failed);
    document.open(project(), std::make_shared<core::Prepared>(), {});
    QVERIFY(folder.remove());
    edit(document, "a");
    recovery.flush();
    QCOMPARE(failed.count(), 1);
    QVERIFY(failed[0][0].toString().contains("cannot be written"));
}

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    if (argc == 3 && QByteArray(argv[1]) == "--victim")
        return victim(argv[2]);
    TestRecovery test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_recovery.moc"
