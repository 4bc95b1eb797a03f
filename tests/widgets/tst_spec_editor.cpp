#include "tests/support/tiny_graph.h"
#include "widgets/spec/field_row.h"
#include "widgets/spec/role_section.h"
#include "widgets/spec/spec_editor.h"

using namespace widgets;
using core::QuantDtype;
using core::TensorRole;

/// The editor on x → a → b → c → y, three Convs, and the edits it asked for.
class Desk {
public:
    tests::TinyGraph t;
    SpecEditor editor;
    std::vector<SpecEdits> asked;

    explicit Desk(const core::Recipe &recipe = {})
    {
        core::ValueId x = t.input("x");
        for (const char *name : {"a", "b", "c"})
            x = t.conv(name, x, 3, 3);
        t.output(x);
        QObject::connect(&editor, &SpecEditor::editRequested, [this](const SpecEdits &edits) { asked.push_back(edits); });
        show(recipe);
        editor.resize(320, 700);
        editor.show();
    }
    std::set<core::NodeId> all() const { return {t.nodeId("a"), t.nodeId("b"), t.nodeId("c")}; }
    void show(const core::Recipe &recipe)
    {
        const SpecContext context(std::make_shared<const core::Graph>(t.graph), recipe);
        editor.setState(specState(context, SpecScope::of(all())));
    }
    template <class W> W *find(TensorRole role, const char *name) { return editor.section(role)->findChild<W *>(name); }
    QComboBox *combo(TensorRole role, SpecField field) { return qobject_cast<QComboBox *>(editor.section(role)->row(field)->editor()); }
    const SetField &only(std::size_t i = 0) { return std::get<SetField>(asked.at(0).at(i)); }
};

/// Chooses with the keyboard, as a user does.
static void pick(QComboBox *combo, const QString &text)
{
    combo->setFocus();
    QTest::keyClick(combo, Qt::Key_Space);
    combo->showPopup();
    const int row = combo->findText(text);
    const QModelIndex index = combo->model()->index(row, 0);
    combo->view()->scrollTo(index);
    QTest::mouseClick(combo->view()->viewport(), Qt::LeftButton, {}, combo->view()->visualRect(index).center());
    combo->hidePopup();
}

class TestSpecEditor : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void choosesATypeForMixedLayers();
    void sameChoiceIsNoEdit();
    void resetsOneFieldAndARole();
    void disabledChoicesSayWhy();
    void disabledFieldsSayWhy();
    void marksWhatIsSetHere();
    void groupsBringTheirSize();
    void fixedBringsItsRange();
    void typesAPercentile();
    void mixedNumbersStayMixed();
    void typesARange();
    void ticksDynamic();
    void wheelDoesNotChange();
    void marksWhatCannotBePlaced();
};

void TestSpecEditor::choosesATypeForMixedLayers()
{
    core::Recipe recipe;
    recipe.config.byNode["b"].weight.dtype = QuantDtype::Int16;
    Desk desk(recipe);
    QComboBox *dtype = desk.combo(TensorRole::Weight, SpecField::Dtype);
    QCOMPARE(dtype->currentIndex(), -1);
    pick(dtype, "int4");
    QCOMPARE(desk.asked.size(), std::size_t(1));
    QCOMPARE(desk.asked[0].size(), std::size_t(1));
    QVERIFY(desk.only().scope == SpecScope::of(desk.all()));
    QVERIFY(desk.only().role == TensorRole::Weight && desk.only().field == SpecField::Dtype);
    QVERIFY(desk.only().value == FieldValue(QuantDtype::Int4));
    desk.show(apply(recipe, desk.t.graph, desk.asked[0]));
    QCOMPARE(dtype->currentText(), "int4");
    QCOMPARE(desk.asked.size(), std::size_t(1)); // showing is not choosing
}

void TestSpecEditor::sameChoiceIsNoEdit()
{
    Desk desk;
    pick(desk.combo(TensorRole::Output, SpecField::Dtype), "uint8");
    QVERIFY(desk.asked.empty());
}

void TestSpecEditor::resetsOneFieldAndARole()
{
    core::Recipe recipe;
    recipe.config.byNode["b"].weight.dtype = QuantDtype::Int16;
    Desk desk(recipe);
    auto *reset = desk.find<QToolButton>(TensorRole::Weight, "dtype_reset");
    QVERIFY(reset->isVisible());
    QVERIFY(!desk.find<QToolButton>(TensorRole::Weight, "qscheme_reset")->isVisible());
    QTest::mouseClick(reset, Qt::LeftButton);
    QVERIFY(desk.only().field == SpecField::Dtype && !desk.only().value);
    QVERIFY(apply(recipe, desk.t.graph, desk.asked[0]) == core::Recipe());
    desk.asked.clear();
    QTest::mouseClick(desk.find<QToolButton>(TensorRole::Weight, "reset_role"), Qt::LeftButton);
    QVERIFY(std::get<ResetScope>(desk.asked.at(0).at(0)).role == TensorRole::Weight);
    QVERIFY(!desk.find<QToolButton>(TensorRole::Output, "reset_role")->isVisible());
}

void TestSpecEditor::disabledChoicesSayWhy()
{
    Desk desk;
    QComboBox *scheme = desk.combo(TensorRole::Weight, SpecField::QScheme);
    const auto *model = qobject_cast<QStandardItemModel *>(scheme->model());
    const int row = scheme->findText("per_group");
    QVERIFY(!model->item(row)->isEnabled());
    QVERIFY(model->item(row)->toolTip().contains("Gemm and MatMul"));
    QVERIFY(model->item(scheme->findText("per_tensor"))->isEnabled());
    pick(scheme, "per_group");
    QVERIFY(desk.asked.empty());
}

void TestSpecEditor::disabledFieldsSayWhy()
{
    Desk desk;
    desk.editor.section(TensorRole::Bias)->setExpanded(true);
    desk.editor.section(TensorRole::Bias)->setMore(true);
    QWidget *scheme = desk.combo(TensorRole::Bias, SpecField::QScheme);
    QVERIFY(!scheme->isEnabled());
    QVERIFY(scheme->toolTip().contains("Derived"));
    QVERIFY(desk.combo(TensorRole::Bias, SpecField::Dtype)->isEnabled());
    // A label greyed with its editor comes back with it.
    QLabel *label = nullptr;
    for (QLabel *one : desk.editor.section(TensorRole::Output)->findChildren<QLabel *>())
        if (one->buddy() == desk.combo(TensorRole::Output, SpecField::Dtype))
            label = one;
    QVERIFY(label);
    const QColor before = label->palette().color(QPalette::WindowText);
    desk.editor.setEnabled(false);
    desk.show({});
    desk.editor.setEnabled(true);
    QCOMPARE(label->palette().color(QPalette::WindowText), before);
}

void TestSpecEditor::marksWhatIsSetHere()
{
    core::Recipe recipe;
    for (const char *name : {"a", "b", "c"})
        recipe.config.byNode[name].weight.dtype = QuantDtype::Int16;
    Desk desk(recipe);
    auto *dtype = desk.find<QLabel>(TensorRole::Weight, "dtype_origin"), *scheme = desk.find<QLabel>(TensorRole::Weight, "qscheme_origin");
    QCOMPARE(dtype->text(), "set here");
    QVERIFY(dtype->font().bold());
    QCOMPARE(scheme->text(), "preset best");
    QVERIFY(!scheme->font().bold());
}

void TestSpecEditor::groupsBringTheirSize()
{
    Desk desk;
    tests::TinyGraph t;
    const core::ValueId x = t.input("x", {1, 64});
    t.output(t.node("Gemm", "fc", {x, t.constant("fc.w", {64, 10}), t.constant("fc.b", {10})}));
    desk.editor.setState(specState({std::make_shared<const core::Graph>(t.graph), {}}, SpecScope::of({t.nodeId("fc")})));
    pick(desk.combo(TensorRole::Weight, SpecField::QScheme), "per_group");
    QCOMPARE(desk.asked.size(), std::size_t(1));
    QCOMPARE(desk.asked[0].size(), std::size_t(2));
    QVERIFY(desk.only(1).field == SpecField::GroupSize && desk.only(1).value == FieldValue(32));
}

void TestSpecEditor::fixedBringsItsRange()
{
    Desk desk;
    desk.editor.setSuggestedRange(TensorRole::Output, core::Range{-2, 6});
    pick(desk.combo(TensorRole::Output, SpecField::Observer), "fixed");
    QCOMPARE(desk.asked.at(0).size(), std::size_t(2));
    QVERIFY(desk.only(1).field == SpecField::FixedRange && desk.only(1).value == FieldValue(core::Range{-2, 6}));
}

void TestSpecEditor::typesAPercentile()
{
    core::Recipe recipe;
    recipe.config.global.outputTensors.observer = core::ObserverKind::Percentile;
    Desk desk(recipe);
    auto *box = desk.find<QDoubleSpinBox>(TensorRole::Output, "percentile");
    QVERIFY(box->isVisible());
    box->setFocus();
    box->selectAll();
    QTest::keyClicks(box, "99.9");
    QVERIFY(desk.asked.empty());
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(desk.asked.size(), std::size_t(1));
    QVERIFY(desk.only().value == FieldValue(99.9));
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(desk.asked.size(), std::size_t(1));
    QTest::keyClick(box, Qt::Key_Up);
    QVERIFY(qFuzzyCompare(std::get<double>(*std::get<SetField>(desk.asked.at(1).at(0)).value), 99.91));
}

void TestSpecEditor::mixedNumbersStayMixed()
{
    core::Recipe recipe;
    recipe.config.global.outputTensors.observer = core::ObserverKind::Percentile;
    recipe.config.byNode["a"].outputTensors.percentile = 95;
    Desk desk(recipe);
    auto *box = desk.find<QDoubleSpinBox>(TensorRole::Output, "percentile");
    QCOMPARE(box->text(), "mixed");
    box->setFocus();
    QTest::keyClick(box, Qt::Key_Return);
    QVERIFY(desk.asked.empty());
    QCOMPARE(box->text(), "mixed");
    box->selectAll();
    QTest::keyClicks(box, "95");
    QTest::keyClick(box, Qt::Key_Return);
    QCOMPARE(desk.asked.size(), std::size_t(1));
    QVERIFY(desk.only().value == FieldValue(95.0));
}

void TestSpecEditor::typesARange()
{
    core::Recipe recipe;
    recipe.config.global.outputTensors.observer = core::ObserverKind::Fixed;
    recipe.config.global.outputTensors.fixedRange = core::Range{-1, 1};
    Desk desk(recipe);
    const auto edits = desk.editor.section(TensorRole::Output)->row(SpecField::FixedRange)->editor()->findChildren<QLineEdit *>();
    QCOMPARE(edits.size(), 2);
    edits[0]->selectAll();
    QTest::keyClicks(edits[0], "3");
    QTest::keyClick(edits[0], Qt::Key_Return);
    QVERIFY(desk.asked.empty()); // 3 … 1 is no range
    QVERIFY(edits[0]->toolTip().contains("below"));
    edits[1]->selectAll();
    QTest::keyClicks(edits[1], "4.5");
    QTest::keyClick(edits[1], Qt::Key_Return);
    QCOMPARE(desk.asked.size(), std::size_t(1));
    QVERIFY(desk.only().value == FieldValue(core::Range{3, 4.5}));
}

void TestSpecEditor::ticksDynamic()
{
    Desk desk;
    desk.editor.section(TensorRole::Output)->setMore(true);
    auto *box = desk.find<QCheckBox>(TensorRole::Output, "is_dynamic");
    QVERIFY(box->isEnabled());
    QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
    QVERIFY(desk.only().field == SpecField::IsDynamic && desk.only().value == FieldValue(true));
    core::Recipe symmetric;
    symmetric.config.global.outputTensors.symmetric = true;
    desk.show(symmetric);
    QVERIFY(!box->isEnabled());
    QVERIFY(box->toolTip().contains("DynamicQuantizeLinear"));
}

void TestSpecEditor::wheelDoesNotChange()
{
    Desk desk;
    QComboBox *dtype = desk.combo(TensorRole::Output, SpecField::Dtype);
    dtype->clearFocus();
    QWheelEvent wheel(QPointF(5, 5), dtype->mapToGlobal(QPointF(5, 5)), {}, QPoint(0, -120), Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(dtype, &wheel);
    QVERIFY(!wheel.isAccepted());
    QVERIFY(desk.asked.empty());
}

void TestSpecEditor::marksWhatCannotBePlaced()
{
    core::Recipe recipe;
    recipe.target = "tensorrt";
    recipe.config.global.outputTensors.symmetric = false;
    Desk desk(recipe);
    QComboBox *symmetric = desk.combo(TensorRole::Output, SpecField::Symmetric);
    QVERIFY(symmetric->toolTip().contains("zero point 0 only"));
    QVERIFY(symmetric->isEnabled());
}

QTEST_MAIN(TestSpecEditor)
#include "tst_spec_editor.moc"
