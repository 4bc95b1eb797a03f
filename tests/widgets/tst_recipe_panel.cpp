#include "core/spec/config_json.h"
#include "tests/support/tiny_graph.h"
#include "widgets/spec/recipe_panel.h"
#include "widgets/spec/rule_model.h"

using namespace widgets;

static std::shared_ptr<const SpecContext> contextOf(const core::Recipe &recipe)
{
    tests::TinyGraph t;
    const core::ValueId relu = t.node("Relu", "relu", {t.conv("conv1", t.input("x"), 3, 3)});
    t.output(t.conv("conv2", relu, 3, 3));
    return std::make_shared<const SpecContext>(std::make_shared<const core::Graph>(t.graph), recipe);
}

static core::Recipe withRules(std::initializer_list<const char *> queries)
{
    core::Recipe recipe;
    for (const char *query : queries)
        recipe.config.rules.push_back({query, {}, false});
    return recipe;
}

class Desk {
public:
    RecipePanel panel;
    core::Recipe recipe;
    std::vector<SpecEdits> asked;

    explicit Desk(const core::Recipe &start = {}) : recipe(start)
    {
        panel.setContext(contextOf(recipe));
        QObject::connect(&panel, &RecipePanel::editRequested, [this](const SpecEdits &edits) {
            asked.push_back(edits);
            recipe = apply(recipe, contextOf(recipe)->graph(), edits);
            panel.setContext(contextOf(recipe));
        });
        panel.resize(340, 900);
        panel.show();
    }
    template <class W> W *find(const char *name) { return panel.findChild<W *>(name); }
    void click(const char *name) { QTest::mouseClick(find<QAbstractButton>(name), Qt::LeftButton); }
    std::vector<std::string> queries() const
    {
        std::vector<std::string> all;
        for (const core::Rule &rule : recipe.config.rules)
            all.push_back(rule.query);
        return all;
    }
};

class TestRecipePanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void choosesPresetAndTarget();
    void togglesAlgorithms();
    void addsARule();
    void refusesABrokenRule();
    void ordersAndRemovesRules();
    void editsAQueryInPlace();
    void picksARule();
    void excludesByPattern();
    void showsItsJson();
    void ruleModelIsSound();
    void saysWhatARuleSets();
};

void TestRecipePanel::choosesPresetAndTarget()
{
    Desk desk;
    auto *preset = desk.find<QComboBox>("preset"), *target = desk.find<QComboBox>("target");
    QCOMPARE(preset->currentText(), "best");
    QCOMPARE(target->currentText(), "none");
    preset->setFocus();
    QTest::keyClick(preset, Qt::Key_Home);
    QCOMPARE(desk.recipe.preset, std::string("a8w8"));
    QCOMPARE(desk.asked.size(), std::size_t(1));
    target->setFocus();
    QTest::keyClick(target, Qt::Key_Down);
    QCOMPARE(desk.recipe.target, std::string("onnxruntime-cpu"));
    QTest::keyClick(target, Qt::Key_Home);
    QVERIFY(desk.recipe.target.empty());
}

void TestRecipePanel::togglesAlgorithms()
{
    Desk desk;
    for (QCheckBox *box : desk.panel.findChildren<QCheckBox *>())
        QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
    QVERIFY(desk.recipe.equalize && desk.recipe.biasCorrection && desk.recipe.config.reduceRange);
    QVERIFY(!desk.recipe.config.quantizeInputs && !desk.recipe.config.quantizeOutputs);
}

void TestRecipePanel::addsARule()
{
    Desk desk;
    auto *line = desk.find<QLineEdit>("new_rule");
    line->setFocus();
    QTest::keyClicks(line, "op:Conv");
    QCOMPARE(desk.find<QLabel>("rule_verdict")->text(), "Matches 2 layers.");
    QTest::keyClick(line, Qt::Key_Return);
    QCOMPARE(desk.queries(), std::vector<std::string>{"op:Conv"});
    QVERIFY(line->text().isEmpty());
    auto *table = desk.find<QTableView>("rules");
    QVERIFY(table->isVisible());
    QCOMPARE(table->model()->index(0, RuleModel::Layers).data().toString(), "2");
}

void TestRecipePanel::refusesABrokenRule()
{
    Desk desk;
    auto *line = desk.find<QLineEdit>("new_rule");
    line->setFocus();
    QTest::keyClicks(line, "colour:red");
    QVERIFY(desk.find<QLabel>("rule_verdict")->text().contains("there is no key 'colour'"));
    QVERIFY(!desk.find<QPushButton>("add_rule")->isEnabled());
    QTest::keyClick(line, Qt::Key_Return);
    line->clear();
    QTest::keyClicks(line, "op:Softmax");
    QVERIFY(desk.find<QLabel>("rule_verdict")->text().contains("matches no layer"));
    QTest::keyClick(line, Qt::Key_Return);
    QVERIFY(desk.asked.empty());
}

void TestRecipePanel::ordersAndRemovesRules()
{
    Desk desk(withRules({"op:Conv", "op:Relu"}));
    auto *table = desk.find<QTableView>("rules");
    QVERIFY(!desk.find<QToolButton>("remove_rule")->isEnabled());
    table->setCurrentIndex(table->model()->index(1, 0));
    QVERIFY(!desk.find<QToolButton>("rule_down")->isEnabled());
    desk.click("rule_up");
    QCOMPARE(desk.queries(), (std::vector<std::string>{"op:Relu", "op:Conv"}));
    QCOMPARE(table->currentIndex().row(), 0);
    desk.click("rule_down");
    QCOMPARE(desk.queries(), (std::vector<std::string>{"op:Conv", "op:Relu"}));
    desk.click("remove_rule");
    QCOMPARE(desk.queries(), std::vector<std::string>{"op:Conv"});
}

void TestRecipePanel::editsAQueryInPlace()
{
    Desk desk(withRules({"op:Conv", "op:Softmax"}));
    auto *table = desk.find<QTableView>("rules");
    QVERIFY(table->model()->index(1, 0).data().toString().startsWith("⚠"));
    QVERIFY(table->model()->index(1, 0).data(Qt::ToolTipRole).toString().contains("matches no layer"));
    QVERIFY(table->model()->setData(table->model()->index(1, 0), " op:Relu ", Qt::EditRole));
    QCOMPARE(desk.queries(), (std::vector<std::string>{"op:Conv", "op:Relu"}));
    QVERIFY(!table->model()->setData(table->model()->index(1, 0), "", Qt::EditRole));
    QCOMPARE(desk.asked.size(), std::size_t(1));
}

void TestRecipePanel::picksARule()
{
    Desk desk(withRules({"op:Relu", "op:Conv"}));
    QSignalSpy picked(&desk.panel, &RecipePanel::rulePicked);
    auto *table = desk.find<QTableView>("rules");
    table->setCurrentIndex(table->model()->index(1, 0));
    desk.click("edit_rule");
    QCOMPARE(picked.count(), 1);
    QCOMPARE(picked[0][0].value<std::size_t>(), std::size_t(1));
}

void TestRecipePanel::excludesByPattern()
{
    Desk desk;
    auto *line = desk.find<QLineEdit>("new_exclude");
    auto *list = desk.find<QListWidget>("excluded");
    QVERIFY(!list->isVisible());
    line->setFocus();
    QTest::keyClicks(line, "nothing*");
    QVERIFY(!desk.find<QPushButton>("add_exclude")->isEnabled());
    line->clear();
    QTest::keyClicks(line, "conv*");
    QCOMPARE(desk.find<QLabel>("exclude_verdict")->text(), "Matches 2 layers.");
    desk.click("add_exclude");
    QCOMPARE(desk.recipe.config.exclude, std::vector<std::string>{"conv*"});
    QCOMPARE(list->item(0)->text(), "conv*  (2 layers)");
    list->setCurrentRow(0);
    desk.click("remove_exclude");
    QVERIFY(desk.recipe.config.exclude.empty());
}

void TestRecipePanel::showsItsJson()
{
    Desk desk;
    auto *json = desk.panel.findChild<QPlainTextEdit *>();
    QVERIFY(!json->isVisible());
    desk.click("show_json");
    QVERIFY(json->isReadOnly());
    QVERIFY(core::recipeFromJson(json->toPlainText().toStdString()).preset == "best");
    QSignalSpy imports(&desk.panel, &RecipePanel::importRequested), exports(&desk.panel, &RecipePanel::exportRequested);
    desk.click("import");
    desk.click("export");
    QCOMPARE(imports.count() + exports.count(), 2);
}

void TestRecipePanel::ruleModelIsSound()
{
    RuleModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setContext(contextOf(withRules({"op:Conv", "nonsense"})));
    QCOMPARE(model.rowCount(), 2);
    QVERIFY(model.errorOf(0).isEmpty());
    QVERIFY(model.errorOf(1).contains("nonsense"));
    model.setContext(contextOf(withRules({"op:Relu", "op:Conv"})));
    QCOMPARE(model.index(0, 0).data().toString(), "op:Relu");
    model.setContext(contextOf({}));
    QCOMPARE(model.rowCount(), 0);
    model.setContext(nullptr);
}

void TestRecipePanel::saysWhatARuleSets()
{
    core::QuantizationConfig config;
    QCOMPARE(configText(config), "");
    config.weight.dtype = core::QuantDtype::Int4;
    config.weight.qscheme = core::Granularity::PerChannel;
    config.outputTensors.bestObserver = true;
    QCOMPARE(configText(config), "weights int4 per_channel, outputs best");
}

QTEST_MAIN(TestRecipePanel)
#include "tst_recipe_panel.moc"
