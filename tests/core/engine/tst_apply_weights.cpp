// Weights into a graph by name: what fits, what is refused whole.
#include "core/weights/apply_weights.h"
#include "core/weights/builtin_models.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;

namespace {

TensorData floats(std::vector<std::int64_t> dims, float value)
{
    const std::vector<float> values(std::size_t(elementCount(dims)), value);
    return TensorData::fromFloats(std::move(dims), values);
}

/// Two 1×1 convolutions, their constants named as given.
tests::TinyGraph twoConvs(const std::string &w1 = "conv1.weight", const std::string &b1 = "conv1.bias", const std::string &w2 = "conv2.weight", const std::string &b2 = "conv2.bias")
{
    tests::TinyGraph tiny;
    const ValueId x = tiny.input("x");
    const ValueId y = tiny.node("Conv", "a", {x, tiny.constant(w1, {4, 3, 1, 1}), tiny.constant(b1, {4})});
    const ValueId clipped = tiny.node("Clip", "clip", {y, tiny.constant("low", {}, {0}), tiny.constant("high", {}, {6})});
    tiny.output(tiny.node("Conv", "b", {clipped, tiny.constant(w2, {2, 4, 1, 1}), tiny.constant(b2, {2})}));
    return tiny;
}

WeightFile file(const std::string &prefix = "")
{
    return {{{prefix + "conv1.weight", floats({4, 3, 1, 1}, 1)}, {prefix + "conv1.bias", floats({4}, 2)}, {prefix + "conv2.weight", floats({2, 4, 1, 1}, 3)},
             {prefix + "conv2.bias", floats({2}, 4)}},
            {}};
}

float first(const Graph &graph, const std::string &name) { return graph.constant(graph.findValue(name))->toFloats().front(); }

std::string problem(Graph &graph, const WeightFile &weights)
{
    try {
        applyWeights(graph, weights, "'w.pth'");
    } catch (const Error &error) {
        return error.sentence();
    }
    return "applied";
}

bool has(const std::string &whole, const std::string &part)
{
    if (whole.find(part) == std::string::npos)
        qWarning("%s", whole.c_str());
    return whole.find(part) != std::string::npos;
}

} // namespace

class TestApplyWeights : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sameNames()
    {
        auto tiny = twoConvs();
        const Diagnostic note = applyWeights(tiny.graph, file(), "'w.pth'");
        QCOMPARE(note.sentence, std::string("4 tensors were taken from 'w.pth'."));
        QCOMPARE(first(tiny.graph, "conv1.weight"), 1.0f);
        QCOMPARE(first(tiny.graph, "conv1.bias"), 2.0f);
        QCOMPARE(first(tiny.graph, "conv2.weight"), 3.0f);
        QCOMPARE(first(tiny.graph, "conv2.bias"), 4.0f);
        QCOMPARE(first(tiny.graph, "high"), 6.0f);
    }

    void otherSpellings()
    {
        auto slashes = twoConvs("/conv1/weight", "/conv1/bias", "/conv2/weight", "/conv2/bias");
        applyWeights(slashes.graph, file(), "");
        QCOMPARE(first(slashes.graph, "/conv2/weight"), 3.0f);
        auto longer = twoConvs("net.model.conv1.weight", "net.model.conv1.bias", "net.model.conv2.weight", "net.model.conv2.bias");
        applyWeights(longer.graph, file(), "");
        QCOMPARE(first(longer.graph, "net.model.conv2.weight"), 3.0f);
        auto shorter = twoConvs();
        applyWeights(shorter.graph, file("backbone."), "");
        QCOMPARE(first(shorter.graph, "conv2.weight"), 3.0f);
        auto both = twoConvs("/m/conv1/weight", "/m/conv1/bias", "/m/conv2/weight", "/m/conv2/bias");
        applyWeights(both.graph, file(), "");
        QCOMPARE(first(both.graph, "/m/conv1/bias"), 2.0f);
    }

    void typesAreConverted()
    {
        auto tiny = twoConvs();
        WeightFile weights = file();
        weights.tensors[0].second = TensorData::fromBytes(DataType::Float16, {4, 3, 1, 1}, std::vector<std::byte>(24, std::byte(0x34)));   // 0x3434 = 0.26269…
        const std::vector<double> precise{0.1, 1e-3};
        std::vector<std::byte> bytes(16);
        std::memcpy(bytes.data(), precise.data(), 16);
        weights.tensors[3].second = TensorData::fromBytes(DataType::Float64, {2}, bytes);
        applyWeights(tiny.graph, weights, "");
        QCOMPARE(tiny.graph.constant(tiny.graph.findValue("conv1.weight"))->type, DataType::Float32);
        QCOMPARE(first(tiny.graph, "conv1.weight"), 0.262695312f);
        QCOMPARE(tiny.graph.constant(tiny.graph.findValue("conv2.bias"))->toFloats(), (std::vector<float>{0.1f, 1e-3f}));
        weights.tensors[3].second = TensorData::fromInt64s({2}, std::vector<std::int64_t>{1, 2});
        QVERIFY(has(problem(tiny.graph, weights), "'conv2.bias' is 2 int64, the model's is 2 float32"));
    }

    void countersAndIntegersAreLeftOut()
    {
        auto tiny = twoConvs();
        WeightFile weights = file();
        weights.tensors.emplace_back("bn.num_batches_tracked", floats({}, 3));
        weights.tensors.emplace_back("position_ids", TensorData::fromInt64s({1}, std::vector<std::int64_t>{0}));
        QCOMPARE(problem(tiny.graph, weights), std::string("applied"));
    }

    void nothingIsHalfApplied()
    {
        const auto refused = [](const WeightFile &weights, const char *part) {
            auto tiny = twoConvs();
            const std::string sentence = problem(tiny.graph, weights);
            return has(sentence, part) && has(sentence, "'w.pth' does not fit") && first(tiny.graph, "conv1.weight") == 0.5f && first(tiny.graph, "conv2.bias") == 0.5f;
        };
        WeightFile shape = file(), missing = file(), unused = file(), doubled = file(), many = file();
        shape.tensors[2].second = floats({2, 5, 1, 1}, 0);
        QVERIFY(refused(shape, "Tensors that differ (1): 'conv2.weight' is 2x5x1x1 float32, the model's is 2x4x1x1 float32."));
        missing.tensors.pop_back();
        QVERIFY(refused(missing, "Weights of the model that are not in the file (1): 'conv2.bias'."));
        unused.tensors.emplace_back("bn.weight", floats({4}, 1));
        QVERIFY(refused(unused, "Tensors of the file that are not in the model (1): 'bn.weight'."));
        doubled.tensors.emplace_back("/conv1/bias", floats({4}, 1));
        QVERIFY(refused(doubled, "'/conv1/bias' and 'conv1.bias'"));
        for (const char *name : {"a", "b", "c", "d", "e", "f"})
            many.tensors.emplace_back(name, floats({1}, 1));
        QVERIFY(refused(many, "Tensors of the file that are not in the model (6): 'a', 'b', 'c', 'd', …."));
        QVERIFY(refused({}, "Weights of the model that are not in the file (4)"));
    }

    /// All of another network's weights, and the own ones with another seed's values.
    void builtinModels()
    {
        const auto weights = [](const Graph &graph) {
            WeightFile made;
            for (const auto &[id, data] : graph.constants())
                if (!graph.value(id).name.starts_with("relu6."))
                    made.tensors.emplace_back(graph.value(id).name, data);
            return made;
        };
        Graph graph = builtinModel("mobilenet_v2", 0).graph;
        const Graph other = builtinModel("mobilenet_v2", 1).graph;
        applyWeights(graph, weights(other), "");
        for (const auto &[id, data] : other.constants())
            QVERIFY(graph.constant(graph.findValue(other.value(id).name))->sameAs(data));
        QVERIFY(has(problem(graph, weights(builtinModel("resnet18", 0).graph)), "Weights of the model that are not in the file (262)"));
    }
};

QTEST_APPLESS_MAIN(TestApplyWeights)
#include "tst_apply_weights.moc"
