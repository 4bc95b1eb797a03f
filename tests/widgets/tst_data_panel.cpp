#include "widgets/data/data_panel.h"

using namespace widgets;

class Desk {
public:
    DataPanel panel;
    QList<DataSettings> edits;

    Desk()
    {
        QObject::connect(&panel, &DataPanel::edited, [this](const DataSettings &settings) { edits << settings; });
        DataSettings start;
        start.transform = core::transformPreset("imagenet");
        panel.setSettings(start);
        panel.resize(340, 800);
        panel.show();
    }
    template <class W> W *find(const char *name) { return panel.findChild<W *>(name); }
    void type(const char *name, const QString &text)
    {
        auto *line = find<QLineEdit>(name);
        line->setFocus();
        line->selectAll();
        QTest::keyClicks(line, text);
        QTest::keyClick(line, Qt::Key_Return);
    }
};

class TestDataPanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void showsWithoutAsking();
    void judgesPaths();
    void keepsSizesWhenNumbersChange();
    void knowsPresetsByTheirNumbers();
    void refusesBrokenNumbers();
    void editsGeometry();
    void describesTheWay();
    void parsesTriples_data();
    void parsesTriples();
};

void TestDataPanel::showsWithoutAsking()
{
    Desk desk;
    DataSettings settings = desk.panel.settings();
    settings.calibration = "/nowhere/at/all";
    settings.transform.width = settings.transform.height = 320;
    desk.panel.setSettings(settings);
    QVERIFY(desk.edits.isEmpty());
    QVERIFY(desk.panel.settings() == settings);
    QCOMPARE(desk.find<QComboBox>("preset")->currentIndex(), 0);
}

void TestDataPanel::judgesPaths()
{
    Desk desk;
    QTemporaryDir folder;
    desk.type("path0", "/nowhere/at/all");
    QCOMPARE(desk.edits.size(), 1);
    QCOMPARE(desk.edits[0].calibration, "/nowhere/at/all");
    auto *verdict = desk.find<QLabel>("verdict0");
    QVERIFY(verdict->isVisible() && verdict->text().contains("no such file or folder"));
    desk.type("path0", folder.path());
    QVERIFY(!verdict->isVisible());
    desk.panel.setVerdict(DataPanel::Calibration, "64 images in 10 classes");
    QCOMPARE(verdict->text(), "64 images in 10 classes");
    desk.panel.setTheme(Theme::dark());
    QCOMPARE(verdict->text(), "64 images in 10 classes");
    desk.type("path2", folder.path());
    QVERIFY(desk.find<QLabel>("verdict2")->text().contains("not a folder"));
    desk.find<QLineEdit>("path0")->clear();
    QVERIFY(desk.edits.last().calibration.isEmpty());
}

void TestDataPanel::keepsSizesWhenNumbersChange()
{
    Desk desk;
    DataSettings settings = desk.panel.settings();
    settings.transform.resize = core::ResizeMode::Letterbox;
    settings.transform.width = 320;
    desk.panel.setSettings(settings);
    auto *preset = desk.find<QComboBox>("preset");
    preset->setFocus();
    QTest::keyClick(preset, Qt::Key_Down);
    QCOMPARE(desk.edits.size(), 1);
    const core::TransformSpec transform = desk.edits[0].transform;
    QCOMPARE(transform.preset, std::string("tf"));
    QCOMPARE(transform.mean[0], 0.5);
    QVERIFY(transform.resize == core::ResizeMode::Letterbox && transform.width == 320);
}

void TestDataPanel::knowsPresetsByTheirNumbers()
{
    Desk desk;
    desk.type("mean", "0.5");
    QVERIFY(desk.edits.last().transform.preset.empty());
    QCOMPARE(desk.find<QComboBox>("preset")->currentText(), "own numbers");
    desk.type("std", "0.5 0.5 0.5");
    QCOMPARE(desk.edits.last().transform.preset, std::string("tf"));
    QCOMPARE(desk.edits.size(), 2);
}

void TestDataPanel::refusesBrokenNumbers()
{
    Desk desk;
    auto *verdict = desk.find<QLabel>("triple_verdict");
    desk.type("mean", "0.5 0.4");
    QVERIFY(verdict->isVisible() && verdict->text().contains("one number or three"));
    desk.type("mean", "0.485 0.456 0.406");
    QVERIFY(!verdict->isVisible());
    desk.type("std", "0");
    QVERIFY(verdict->text().contains("above 0"));
    QVERIFY(desk.edits.isEmpty());
}

void TestDataPanel::editsGeometry()
{
    Desk desk;
    auto *resize = desk.find<QComboBox>("resize");
    resize->setFocus();
    QTest::keyClick(resize, Qt::Key_Down);
    QVERIFY(desk.edits.last().transform.resize == core::ResizeMode::Stretch);
    QVERIFY(!desk.find<QSpinBox>("resize_to")->isEnabled());
    QVERIFY(!desk.find<QCheckBox>("crop")->isEnabled());
    auto *order = desk.find<QComboBox>("order");
    order->setFocus();
    QTest::keyClick(order, Qt::Key_Down);
    QVERIFY(desk.edits.last().transform.order == core::ChannelOrder::Bgr);
    QCOMPARE(desk.edits.size(), 2);
}

void TestDataPanel::describesTheWay()
{
    core::TransformSpec transform = core::transformPreset("imagenet");
    QCOMPARE(transformText(transform), "short side to crop ÷ 0.875 → centre crop to the model's size → RGB → ÷ 255 → − mean → ÷ std");
    transform = core::transformPreset("byte");
    transform.resize = core::ResizeMode::Letterbox;
    transform.width = 352;
    transform.height = 288;
    transform.order = core::ChannelOrder::Bgr;
    QCOMPARE(transformText(transform), "fitted into 352×288 with a border → BGR");
}

void TestDataPanel::parsesTriples_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("result");
    QTest::newRow("three") << "0.485, 0.456 0.406" << "0.485 0.456 0.406";
    QTest::newRow("one") << "0.5" << "0.5";
    QTest::newRow("two") << "0.5 0.5" << "no";
    QTest::newRow("word") << "0.5 half 0.5" << "no";
    QTest::newRow("nan") << "nan" << "no";
    QTest::newRow("empty") << "" << "no";
}

void TestDataPanel::parsesTriples()
{
    QFETCH(QString, text);
    QFETCH(QString, result);
    const auto values = parseTriple(text);
    QCOMPARE(values ? tripleText(*values) : QString("no"), result);
}

QTEST_MAIN(TestDataPanel)
#include "tst_data_panel.moc"
