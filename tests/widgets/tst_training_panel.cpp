#include "widgets/training/training_form.h"
#include "widgets/training/training_panel.h"

using namespace widgets;
using core::TrainMethod;

class Desk {
public:
    TrainingPanel panel;
    QTemporaryDir folder;
    QList<TrainingSettings> edits;

    Desk()
    {
        QObject::connect(&panel, &TrainingPanel::edited, [this](const TrainingSettings &settings) { edits << settings; });
        TrainingSettings start;
        start.spec = core::defaultTraining(TrainMethod::Lsq, false);
        start.images = folder.path();
        panel.setSettings(start);
        TrainingContext context;
        context.model = true;
        panel.setContext(context);
        panel.resize(360, 900);
        panel.show();
    }
    template <class W = QWidget> W *find(const char *name) { return panel.findChild<W *>(name); }
    void type(const char *name, const QString &text)
    {
        auto *line = find<QLineEdit>(name);
        line->setFocus();
        line->selectAll();
        QTest::keyClicks(line, text);
        QTest::keyClick(line, Qt::Key_Return);
    }
    void choose(const char *name, int value)
    {
        auto *box = find<QComboBox>(name);
        box->setCurrentIndex(box->findData(value));
        Q_EMIT box->activated(box->currentIndex());
    }
    void makeClasses()
    {
        QDir(folder.path()).mkpath("cat");
        QDir(folder.path()).mkpath("dog");
    }
    QString shownButtons()
    {
        QStringList names;
        for (const char *name : {"train", "pause", "resume", "stop", "discard"})
            if (auto *button = find<QPushButton>(name); button->isVisible())
                names << (button->isEnabled() ? QString(name) : '(' + QString(name) + ')');
        return names.join(' ');
    }
};

class TestTrainingPanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void showsWithoutAsking();
    void editsOneFieldAtATime();
    void ratesTakeExponents();
    void refusesWhatCannotBe();
    void methodsBringTheirDefaults();
    void lossesNeedLabels();
    void featuresComeFromTheSelection();
    void saysWhyItCannotStart();
    void buttonsFollowThePhase();
    void whatWasLeftCanGoOn();
    void saysHowFarItIs();
};

void TestTrainingPanel::showsWithoutAsking()
{
    Desk desk;
    TrainingSettings settings = desk.panel.settings();
    settings.spec.epochs = 7;
    settings.spec.learningRate = 2e-5;
    settings.spec.augment.flip = false;
    settings.spec.seed = 18446744073709551615u;
    settings.limit = 40;
    desk.panel.setSettings(settings);
    QVERIFY(desk.edits.isEmpty());
    QVERIFY(desk.panel.settings() == settings);
    QCOMPARE(desk.find<QDoubleSpinBox>("epochs")->value(), 7);
    QCOMPARE(desk.find<QLineEdit>("rate")->text(), "2e-05");
    QVERIFY(!desk.find<QCheckBox>("flip")->isChecked());
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), "18446744073709551615");
    QCOMPARE(desk.find<QDoubleSpinBox>("limit")->value(), 40);
    QVERIFY(!desk.find("optimizer")->isVisible());
    QTest::mouseClick(desk.find<QToolButton>("more"), Qt::LeftButton);
    QVERIFY(desk.find("optimizer")->isVisible());
}

void TestTrainingPanel::editsOneFieldAtATime()
{
    Desk desk;
    const core::TrainingSpec before = desk.panel.settings().spec;
    auto *epochs = desk.find<QDoubleSpinBox>("epochs");
    epochs->setFocus();
    QTest::keyClick(epochs, Qt::Key_Up);
    QCOMPARE(desk.edits.size(), 1);
    core::TrainingSpec expected = before;
    expected.epochs += 1;
    QVERIFY(desk.edits[0].spec == expected);
    desk.panel.form()->showMore(true);
    desk.find<QCheckBox>("flip")->click();
    expected.augment.flip = false;
    QVERIFY(desk.edits.last().spec == expected);
    desk.choose("batch_norm", int(core::BatchNormMode::Running));
    expected.batchNorm = core::BatchNormMode::Running;
    QVERIFY(desk.edits.last().spec == expected);
    desk.find<QToolButton>("defaults")->click();
    QVERIFY(desk.edits.last().spec == before);
    QCOMPARE(desk.edits.size(), 4);
}

void TestTrainingPanel::ratesTakeExponents()
{
    Desk desk;
    desk.type("rate", "3e-4");
    QCOMPARE(desk.edits.last().spec.learningRate, 3e-4);
    QCOMPARE(desk.find<QLineEdit>("rate")->text(), "0.0003");
    desk.type("rate", "fast");
    QCOMPARE(desk.edits.size(), 1);
    QVERIFY2(desk.find<QLabel>("refused")->text().contains("'fast' is no number"), qPrintable(desk.find<QLabel>("refused")->text()));
    QCOMPARE(desk.find<QLineEdit>("rate")->text(), "0.0003");
}

void TestTrainingPanel::refusesWhatCannotBe()
{
    Desk desk;
    desk.type("rate", "500");
    QVERIFY(desk.edits.isEmpty());
    auto *refused = desk.find<QLabel>("refused");
    QVERIFY(refused->isVisible() && refused->text().contains("500"));
    QCOMPARE(desk.find<QLineEdit>("rate")->text(), "1e-05");
    desk.type("rate", "0.01");
    QVERIFY(!refused->isVisible());
}

void TestTrainingPanel::methodsBringTheirDefaults()
{
    core::TrainingSpec spec = core::defaultTraining(TrainMethod::Lsq, false);
    spec.epochs = 3;
    const core::TrainingSpec other = withMethod(spec, TrainMethod::Float, false);
    QCOMPARE(other.epochs, 3);                                   // what was set by hand stays
    QCOMPARE(other.learningRate, core::defaultTraining(TrainMethod::Float, false).learningRate);
    QVERIFY(other.learningRate != spec.learningRate);
    QVERIFY(withMethod(other, TrainMethod::Lsq, false) == spec); // and back

    Desk desk;
    QVERIFY(desk.find("quantizer_rate")->isEnabled());
    desk.choose("method", int(TrainMethod::Float));
    QCOMPARE(desk.edits.last().spec.method, TrainMethod::Float);
    QVERIFY(!desk.find("quantizer_rate")->isEnabled());
    QVERIFY(desk.find("quantizer_rate")->toolTip().contains("no quantizers"));
    desk.choose("method", int(TrainMethod::Tqt));
    QVERIFY(desk.find("quantizer_rate")->isEnabled());
    QVERIFY(desk.find("quantizer_rate")->toolTip().contains("step sizes"));
    auto *methods = desk.find<QComboBox>("method");
    QCOMPARE(methods->count(), 4);
    for (int i = 0; i < 4; ++i)
        QVERIFY(methods->itemData(i, Qt::ToolTipRole).toString().size() > 30);
}

void TestTrainingPanel::lossesNeedLabels()
{
    Desk desk;
    const auto allowed = [&](LossChoice choice) {
        auto *box = desk.find<QComboBox>("loss");
        return box->model()->flags(box->model()->index(box->findData(int(choice)), 0)).testFlag(Qt::ItemIsEnabled);
    };
    QVERIFY(allowed(LossChoice::Distillation) && !allowed(LossChoice::CrossEntropy) && !allowed(LossChoice::Both));
    auto *box = desk.find<QComboBox>("loss");
    QVERIFY(box->itemData(box->findData(int(LossChoice::CrossEntropy)), Qt::ToolTipRole).toString().contains("no labels"));
    desk.makeClasses();
    desk.panel.form()->setSettings(desk.panel.settings());
    QVERIFY(allowed(LossChoice::CrossEntropy));
    desk.choose("loss", int(LossChoice::CrossEntropy));
    QCOMPARE(desk.edits.last().spec.loss.crossEntropy, 1);
    QCOMPARE(desk.edits.last().spec.loss.distillation, 0);
    QVERIFY(desk.find("train")->isEnabled());
    QVERIFY(!desk.find("temperature")->isEnabled() && desk.find("smoothing")->isEnabled());
    QTemporaryDir flat;
    desk.type("images", flat.path());
    QVERIFY(!desk.find("train")->isEnabled());
    QVERIFY2(desk.find("train")->toolTip().contains("needs labels"), qPrintable(desk.find("train")->toolTip()));
    QCOMPARE(lossChoiceOf(withLoss(desk.panel.settings().spec.loss, LossChoice::Both)), LossChoice::Both);
}

void TestTrainingPanel::featuresComeFromTheSelection()
{
    Desk desk;
    desk.panel.form()->showMore(true);
    auto *take = desk.find<QToolButton>("take_tensors");
    QVERIFY(!take->isEnabled());
    TrainingContext context;
    context.model = true;
    context.selectedTensors = {"x12", "x30"};
    desk.panel.setContext(context);
    take->click();
    QCOMPARE(desk.edits.last().spec.loss.tensors, (std::vector<std::string>{"x12", "x30"}));
    QCOMPARE(lossChoiceOf(desk.edits.last().spec.loss), LossChoice::Features);
    QCOMPARE(desk.find<QLineEdit>("tensors")->text(), "x12, x30");
}

void TestTrainingPanel::saysWhyItCannotStart()
{
    Desk desk;
    const auto why = [&] { return desk.find<QPushButton>("train")->isEnabled() ? QString() : desk.find("train")->toolTip(); };
    QCOMPARE(why(), QString());
    desk.find<QLineEdit>("images")->clear();
    QVERIFY(why().contains("Choose images to train with"));
    desk.type("images", "/nowhere/at/all");
    QVERIFY(why().contains("/nowhere/at/all"));
    TrainingContext context;
    desk.panel.setContext(context);
    QVERIFY(why().contains("Open a model"));
    context.model = true;
    context.obstacle = "Something runs.";
    desk.panel.setContext(context);
    QCOMPARE(why(), QString("Something runs."));
    QCOMPARE(desk.find<QLabel>("problem")->text(), QString("Something runs."));
}

void TestTrainingPanel::buttonsFollowThePhase()
{
    Desk desk;
    QSignalSpy train(&desk.panel, &TrainingPanel::trainRequested), pause(&desk.panel, &TrainingPanel::pauseRequested), resume(&desk.panel, &TrainingPanel::resumeRequested),
        stop(&desk.panel, &TrainingPanel::stopAndKeepBestRequested), discard(&desk.panel, &TrainingPanel::discardRequested);
    QCOMPARE(desk.shownButtons(), QString("train"));
    QTest::mouseClick(desk.find("train"), Qt::LeftButton);
    TrainingStatus status;
    const auto in = [&](TrainingPhase phase) {
        status.phase = phase;
        desk.panel.setStatus(status);
        return desk.shownButtons();
    };
    QCOMPARE(in(TrainingPhase::Starting), QString("(pause) (stop) discard"));
    QCOMPARE(in(TrainingPhase::Running), QString("pause stop discard"));
    QTest::mouseClick(desk.find("pause"), Qt::LeftButton);
    QCOMPARE(in(TrainingPhase::Pausing), QString("(pause) (stop) discard"));
    QCOMPARE(in(TrainingPhase::Paused), QString("resume stop discard"));
    QTest::mouseClick(desk.find("resume"), Qt::LeftButton);
    QTest::mouseClick(desk.find("stop"), Qt::LeftButton);
    QTest::mouseClick(desk.find("discard"), Qt::LeftButton);
    QCOMPARE(in(TrainingPhase::Stopping), QString("discard"));
    QCOMPARE(in(TrainingPhase::Discarding), QString("(discard)"));
    for (const QSignalSpy *spy : {&train, &pause, &resume, &stop, &discard})
        QCOMPARE(spy->count(), 1);
}

void TestTrainingPanel::whatWasLeftCanGoOn()
{
    Desk desk;
    TrainingContext context;
    context.model = true;
    context.unfinished = "LSQ 1, step 120 of 500";
    desk.panel.setContext(context);
    QCOMPARE(desk.shownButtons(), QString("train resume discard"));
    QCOMPARE(desk.find<QPushButton>("train")->text(), QString("Train anew"));
    QVERIFY(desk.find<QLabel>("state")->text().contains("step 120 of 500 was not finished"));
    desk.find<QLineEdit>("images")->clear(); // it has settings of its own
    QCOMPARE(desk.shownButtons(), QString("(train) resume discard"));
}

void TestTrainingPanel::saysHowFarItIs()
{
    TrainingStatus status;
    status.phase = TrainingPhase::Running;
    status.name = "LSQ 1";
    status.step = 120;
    status.steps = 500;
    status.epoch = 2.4;
    status.epochs = 10;
    status.imagesPerSecond = 310.4;
    status.secondsLeft = 71.2;
    status.figure = "top-1";
    QCOMPARE(statusText(status), QString("LSQ 1: step 120 of 500, epoch 2.4 of 10, 310 img\u2060/\u2060s, 1:12 left"));
    QCOMPARE(bestText(status), QString());
    status.best = 71.4;
    status.ptq = 71.4;
    QCOMPARE(bestText(status), QString("No better top-1 than PTQ yet; PTQ 71.4\u00a0%"));
    status.best = 88.2;
    status.bestStep = 100;
    status.floating = 91.1;
    QCOMPARE(bestText(status), QString("Best top-1 88.2\u00a0% at step 100; PTQ 71.4\u00a0%, float 91.1\u00a0%"));
    status.phase = TrainingPhase::Paused;
    QCOMPARE(statusText(status), QString("LSQ 1: paused at step 120 of 500, epoch 2.4 of 10"));
    QCOMPARE(durationText(42), QString("0:42"));
    QCOMPARE(durationText(11100), QString("3 h 05 min"));
}

QTEST_MAIN(TestTrainingPanel)
#include "tst_training_panel.moc"
