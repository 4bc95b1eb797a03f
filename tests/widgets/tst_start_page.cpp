#include "widgets/start/start_page.h"

using namespace widgets;

static bool dropOn(QWidget &widget, const QList<QUrl> &urls)
{
    QMimeData data;
    data.setUrls(urls);
    QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&widget, &enter);
    if (!enter.isAccepted())
        return false;
    QDropEvent drop(QPointF(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&widget, &drop);
    return drop.isAccepted();
}

class TestStartPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void opensTheSampleFirst();
    void saysWhenThereIsNoSample();
    void listsRecentFiles();
    void takesWhatIsDropped();
    void modelIsSound();
};

void TestStartPage::opensTheSampleFirst()
{
    StartPage page;
    page.resize(700, 600);
    page.show();
    page.setFocus();
    QSignalSpy sample(&page, &StartPage::sampleRequested), open(&page, &StartPage::openRequested);
    QWidget *focused = page.focusWidget();
    QVERIFY(focused && focused->objectName() == "open_sample");
    QTest::keyClick(focused, Qt::Key_Space);
    QCOMPARE(sample.count(), 1);
    QTest::mouseClick(page.findChild<QPushButton *>("open_file"), Qt::LeftButton);
    QCOMPARE(open.count(), 1);
    QVERIFY(!page.findChild<QListView *>("recent")->isVisible());
}

void TestStartPage::saysWhenThereIsNoSample()
{
    StartPage page;
    page.setSampleAvailable(false, "It lies nowhere.");
    auto *button = page.findChild<QPushButton *>("open_sample");
    QVERIFY(!button->isEnabled());
    QCOMPARE(button->toolTip(), "It lies nowhere.");
}

void TestStartPage::listsRecentFiles()
{
    StartPage page;
    page.resize(700, 700);
    page.setRecent({{"/models/a.onnx", false, {}}, {"/models/gone.qsproj", true, {}}});
    page.show();
    auto *list = page.findChild<QListView *>("recent");
    QVERIFY(list->isVisible());
    QSignalSpy chosen(&page, &StartPage::recentChosen), removed(&page, &StartPage::recentRemoved);
    list->setFocus();
    list->setCurrentIndex(list->model()->index(0, 0));
    QTest::keyClick(list, Qt::Key_Return);
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(chosen[0][0].toString(), "/models/a.onnx");
    const QModelIndex gone = list->model()->index(1, 0);
    QVERIFY(!(gone.flags() & Qt::ItemIsEnabled));
    QVERIFY(gone.data(Qt::ToolTipRole).toString().contains("not there any more"));
    QTest::mouseDClick(list->viewport(), Qt::LeftButton, {}, list->visualRect(gone).center());
    QCOMPARE(chosen.count(), 1);
    QTest::keyClick(list, Qt::Key_Delete);
    QCOMPARE(removed.count(), 1);
    QCOMPARE(removed[0][0].toString(), "/models/a.onnx");
}

void TestStartPage::takesWhatIsDropped()
{
    QTemporaryDir folder;
    const QString model = folder.filePath("net.ONNX"), text = folder.filePath("notes.txt");
    for (const QString &path : {model, text}) {
        QFile file(path);
        QVERIFY(file.open(QFile::WriteOnly));
    }
    StartPage page;
    QSignalSpy dropped(&page, &StartPage::pathsDropped);
    QVERIFY(!dropOn(page, {QUrl::fromLocalFile(text), QUrl("https://example.org/net.onnx")}));
    QCOMPARE(dropped.count(), 0);
    QVERIFY(dropOn(page, {QUrl::fromLocalFile(text), QUrl::fromLocalFile(model), QUrl::fromLocalFile(folder.path())}));
    QCOMPARE(dropped.count(), 1);
    QCOMPARE(dropped[0][0].toStringList(), (QStringList{model, folder.path()}));
}

void TestStartPage::modelIsSound()
{
    RecentModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setFiles({{"/a/b.onnx", false, "top-1 71.4 %"}});
    QCOMPARE(model.index(0, 0).data().toString(), "b.onnx  –  top-1 71.4 %\n/a");
    model.setFiles({});
    QCOMPARE(model.rowCount(), 0);
}

QTEST_MAIN(TestStartPage)
#include "tst_start_page.moc"
