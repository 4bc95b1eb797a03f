#include "core/ptq/shift_constraints.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

#include <cmath>

using namespace core;
using tests::TinyGraph;

namespace {

/// conv(x) + side, times side. Every scale is 2^-pos.
struct Example {
    QuantizedModel model;

    explicit Example(const std::string &middle = "Add")
    {
        TinyGraph g;
        const ValueId conv = g.node("Relu", "relu", {g.conv("conv", g.input("x"), 3, 4)});
        g.output(g.node(middle, "join", {conv, g.input("side", {1, 4, 8, 8})}));
        Recipe recipe = presetRecipe("pof2-ceil");
        recipe.target = "xint8";
        recipe.config.global.bias.dtype = QuantDtype::Int8;
        recipe.config.global.bias.scaleType = ScaleType::PowerOfTwo;
        model.graph = std::make_shared<const Graph>(g.graph);
        model.placement = place(g.graph, recipe);
        for (std::size_t i = 0; i < model.placement.points.size(); ++i)
            model.numbers.push_back({{AffineParams{std::ldexp(1.0f, -5), 0, -128, 127}}, {}, {}, {}});
    }
    AffineParams &params(const std::string &tensor)
    {
        for (const Point &point : model.placement.points)
            if (model.graph->value(point.value).name == tensor)
                return model.numbers[std::size_t(point.id.index)].params[0];
        throw std::runtime_error(tensor);
    }
    Example &at(const std::string &tensor, int position)
    {
        params(tensor).scale = std::ldexp(1.0f, -position);
        return *this;
    }
    QStringList fitted()
    {
        QStringList sentences;
        for (const Diagnostic &diagnostic : fitShifts(model))
            sentences << QString::fromStdString(diagnostic.sentence);
        return sentences;
    }
};

const QString impossible = "; the target cannot run it as it is. Exclude it, or choose another observer for it.";

} // namespace

class TestShiftConstraints : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void nothingToDo()
    {
        Example e; // cut 5 + 5 − 5 = 5
        QCOMPARE(e.fitted(), QStringList{});
        QCOMPARE(e.params("conv.w").scale, std::ldexp(1.0f, -5));
    }

    void cutTooLarge()
    {
        Example e;
        e.at("x", 10).at("conv.w", 12).at("relu", 3).at("conv.b", 10).at("side", 3).at("join", 3);
        QCOMPARE(e.fitted(), QStringList{"Conv 'conv' would shift by 19, which lies outside 0 to 16; the scale of its weight was raised."});
        QCOMPARE(e.params("conv.w").scale, std::ldexp(1.0f, -9)); // 9 + 10 − 3 = 16
        QCOMPARE(e.fitted(), QStringList{});
    }

    void cutNegative()
    {
        Example e;
        e.at("x", 1).at("conv.w", 2).at("relu", 5).at("conv.b", 3);
        QCOMPARE(e.fitted(), QStringList{"Conv 'conv' would shift by -2, which lies outside 0 to 16; the scale of its weight was lowered, so large weights are clipped."});
        QCOMPARE(e.params("conv.w").scale, std::ldexp(1.0f, -4));
    }

    void bias()
    {
        Example e;
        e.at("conv.b", -6); // 5 + 5 + 6 = 16
        QCOMPARE(e.fitted(), QStringList{"Conv 'conv' shifts its bias by 16, which lies outside -11 to 15" + impossible});
        QCOMPARE(Example().at("conv.b", 22).fitted(), QStringList{"Conv 'conv' shifts its bias by -12, which lies outside -11 to 15" + impossible});
        QCOMPARE(Example().at("conv.b", 21).fitted(), QStringList{});
    }

    void sums()
    {
        QCOMPARE(Example().at("side", 12).fitted(), QStringList{});
        QCOMPARE(Example().at("side", 13).fitted(), QStringList{"Add 'join' shifts one operand against the other by 8, which lies outside 0 to 7" + impossible});
        QCOMPARE(Example().at("join", 13).fitted(), QStringList{"Add 'join' shifts its result by -8, which lies outside -7 to 25" + impossible});
    }

    void products()
    {
        QCOMPARE(Example("Mul").at("side", 30).fitted(), QStringList{});
        QCOMPARE(Example("Mul").at("side", 33).fitted(), QStringList{"Mul 'join' shifts its result by 33, which lies outside 0 to 32" + impossible});
    }

    void otherScalesAreLeftAlone()
    {
        Example e;
        e.at("x", 30);
        e.params("conv.w").scale = 0.3f;
        QCOMPARE(e.fitted(), QStringList{});
        QCOMPARE(e.params("conv.w").scale, 0.3f);
    }
};

QTEST_APPLESS_MAIN(TestShiftConstraints)
#include "tst_shift_constraints.moc"
