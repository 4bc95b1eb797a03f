#include "widgets/log/problems_panel.h"
#include "widgets/log/run_log_panel.h"

using namespace widgets;

class TestLogPanels : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void problemsAreCountedAndFiltered();
    void buttonsTellWhichProblem();
    void enterShowsAndCopyCopies();
    void emptyListSaysSo();
    void logKeepsTimeAndKind();
};

static std::vector<ProblemRow> three()
{
    return {{core::Severity::Problem, "bias-overflow", "Bias overflows", "Bias 12 needs 3.1e9 steps.", {core::NodeId{3}, core::NodeId{4}}, "Raise the weight scale"},
            {core::Severity::Warning, "channel-range-ratio", "Channel ranges differ 23×", "Channel 5 spans ±11.8, channel 17 ±0.5.", {core::NodeId{5}}, ""},
            {core::Severity::Note, "unused-rule", "A rule matches nothing", "Rule 3 selects no node.", {}, "Remove the rule"}};
}

static QToolButton *buttonOf(const ProblemsPanel &panel, const QString &name)
{
    for (QToolButton *button : panel.findChildren<QToolButton *>())
        if (button->accessibleName() == name)
            return button;
    return nullptr;
}

void TestLogPanels::problemsAreCountedAndFiltered()
{
    ProblemsPanel panel;
    QSignalSpy title(&panel, &ProblemsPanel::titleChanged);
    QCOMPARE(panel.title(), QString("Problems"));
    panel.setProblems(three());
    QCOMPARE(title[0][0].toString(), QString("Problems (2)"));
    QCOMPARE(panel.list()->topLevelItemCount(), 3);
    buttonOf(panel, "Warning: 1")->click();
    QCOMPARE(panel.list()->topLevelItemCount(), 2);
    QCOMPARE(panel.list()->topLevelItem(1)->text(0), QString("Note"));
    panel.addProblem({core::Severity::Problem, "run-failed", "The run failed", "No space left.", {}, ""});
    QCOMPARE(title[1][0].toString(), QString("Problems (3)"));
    QCOMPARE(panel.list()->topLevelItem(0)->text(1), QString("The run failed"));
}

void TestLogPanels::buttonsTellWhichProblem()
{
    ProblemsPanel panel;
    panel.setProblems(three());
    panel.resize(900, 250);
    panel.show();
    QSignalSpy shown(&panel, &ProblemsPanel::showRequested), fixed(&panel, &ProblemsPanel::fixRequested);
    buttonOf(panel, "Problem: 1")->click();          // hides the first row: indices stay those of the list given
    QTest::mouseClick(buttonOf(panel, "Show: Channel ranges differ 23×"), Qt::LeftButton);
    QCOMPARE(shown[0][0].toInt(), 1);
    QCOMPARE(shown[0][1].value<std::vector<core::NodeId>>(), (std::vector<core::NodeId>{core::NodeId{5}}));
    QVERIFY(!buttonOf(panel, "Fix: Channel ranges differ 23×"));
    QVERIFY(!buttonOf(panel, "Show: A rule matches nothing"));
    QTest::mouseClick(buttonOf(panel, "Fix: A rule matches nothing"), Qt::LeftButton);
    QCOMPARE(fixed[0][0].toInt(), 2);
}

void TestLogPanels::enterShowsAndCopyCopies()
{
    ProblemsPanel panel;
    panel.setProblems(three());
    panel.show();
    QSignalSpy shown(&panel, &ProblemsPanel::showRequested);
    panel.list()->setCurrentItem(panel.list()->topLevelItem(0));
    QTest::keyClick(panel.list(), Qt::Key_Return);
    QCOMPARE(shown[0][0].toInt(), 0);
    QTest::keyClick(panel.list(), Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QApplication::clipboard()->text(), QString("Problem: Bias overflows [bias-overflow]\nBias 12 needs 3.1e9 steps.\nFix: Raise the weight scale"));
}

void TestLogPanels::emptyListSaysSo()
{
    ProblemsPanel panel;
    panel.show();
    QVERIFY(!panel.list()->isVisible());
    panel.setProblems(three());
    QVERIFY(panel.list()->isVisible());
}

void TestLogPanels::logKeepsTimeAndKind()
{
    RunLogPanel panel;
    panel.append("Calibrating 512 images");
    panel.append("Image a.jpg is unreadable", core::Severity::Warning);
    panel.setTheme(Theme::dark());
    const QStringList lines = panel.text().split('\n');
    QCOMPARE(lines.size(), 2);
    QVERIFY(QRegularExpression("^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  Calibrating 512 images$").match(lines[0]).hasMatch());
    QVERIFY(lines[1].endsWith("Warning: Image a.jpg is unreadable"));
    panel.copyAll();
    QCOMPARE(QApplication::clipboard()->text(), panel.text());
    panel.clear();
    QCOMPARE(panel.text(), QString());
}

QTEST_MAIN(TestLogPanels)
#include "tst_log_panels.moc"
