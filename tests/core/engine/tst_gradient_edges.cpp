// Gradients at points where a derivative is easily wrong or NaN, and what happens where there is none.
#include "core/exec/differentiable.h"
#include "core/exec/executor.h"
#include "tests/support/gradient_check.h"
#include "tests/support/tiny_graph.h"

using namespace core;
using tests::Attributes;
using tests::floats;
using tests::TinyGraph;

namespace {

/// d Σ y / d x of an operator on one input.
at::Tensor slope(const std::string &type, const at::Tensor &x, const Attributes &attributes = {}, std::vector<at::Tensor> more = {})
{
    const at::Tensor leaf = x.clone().set_requires_grad(true);
    more.insert(more.begin(), leaf);
    tests::runNode(type, more, attributes)[0].sum().backward();
    return leaf.grad();
}

std::shared_ptr<const Graph> shared(const TinyGraph &tiny) { return std::make_shared<const Graph>(tiny.graph); }

std::string errorOf(Executor &executor, const std::vector<at::Tensor> &feeds)
{
    try {
        executor.run(feeds);
    } catch (const Error &error) {
        return (error.kind() == ErrorKind::Unsupported ? "Unsupported: " : "") + error.sentence();
    }
    return "no error";
}

Executor recordingExecutor(const TinyGraph &tiny)
{
    ExecutorOptions options;
    options.autograd = true;
    return Executor(shared(tiny), options);
}

at::Tensor variable(const at::Tensor &x) { return x.clone().set_requires_grad(true); }

} // namespace

class TestGradientEdges : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void atKinks()
    {
        const at::Tensor zero = at::zeros({1});
        COMPARE_TENSORS(slope("Relu", zero), floats({1}, {0}));
        COMPARE_TENSORS(slope("Softplus", zero), floats({1}, {0.5f}));
        COMPARE_TENSORS(slope("Mish", zero), floats({1}, {0.6f}));   // tanh(ln 2)
        COMPARE_TENSORS(slope("Sinh", zero), floats({1}, {1}));
        COMPARE_TENSORS(slope("Cosh", zero), floats({1}, {0}));
        COMPARE_TENSORS(slope("Abs", zero), floats({1}, {0}));
        COMPARE_TENSORS(slope("HardSigmoid", floats({3}, {-2.5f, 0, 2.5f})), floats({3}, {0, 0.2f, 0}));
        COMPARE_TENSORS(slope("Clip", floats({5}, {-1, 0, 3, 6, 7}), {}, {floats({}, {0}), floats({}, {6})}), floats({5}, {0, 0, 1, 0, 0}));
    }

    void ofNothingButZeros()
    {
        COMPARE_TENSORS(slope("ReduceL2", at::zeros({2, 3})), at::zeros({2, 3}));
        COMPARE_TENSORS(slope("LpNormalization", at::zeros({2, 3})), at::zeros({2, 3}) + 1);   // as if the norm were 1
        COMPARE_TENSORS(slope("GlobalLpPool", at::zeros({1, 2, 3, 3})), at::zeros({1, 2, 3, 3}));
        COMPARE_TENSORS(slope("LpPool", at::zeros({1, 1, 3, 3}), {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"p", std::int64_t(3)}}), at::zeros({1, 1, 3, 3}));
        QVERIFY(at::isfinite(slope("MeanVarianceNormalization", at::ones({2, 2, 2, 2}))).all().item<bool>());
        QVERIFY(at::isfinite(slope("InstanceNormalization", at::ones({2, 2, 2, 2}), {}, {at::ones({2}), at::ones({2})})).all().item<bool>());
    }

    // Offsets of deformable convolutions start at 0: the gradient there is the one to the right and below.
    void deformableAtWholePlaces()
    {
        const at::Tensor x = floats({1, 1, 2, 2}, {1, 3, 7, 20}), w = at::ones({1, 1, 1, 1}), offset = variable(at::zeros({1, 2, 2, 2}));
        tests::runNode("DeformConv", {x, w, offset})[0].sum().backward();
        COMPARE_TENSORS(offset.grad(), floats({1, 2, 2, 2}, {6, 17, -7, -20, 2, -3, 13, -20}));
    }

    void castsLetTheGradientThrough()
    {
        const at::Tensor x = floats({3}, {0.3f, 17.3f, -2});
        for (const DataType type : {DataType::Float16, DataType::BFloat16, DataType::Float8E4M3FN, DataType::Float8E5M2})
            COMPARE_TENSORS(slope("Cast", x, {{"to", std::int64_t(type)}}), at::ones({3}));
    }

    void whatSteersIsNoParameter()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 2, 4, 4});
        const ValueId low = tiny.constant("low", {}, {-1}), scales = tiny.constant("scales", {4}, {1, 1, 2, 2}), factor = tiny.constant("factor", {}, {3});
        const ValueId clip = tiny.node("Clip", "clip", {tiny.conv("conv", x, 2, 3), low});
        tiny.output(tiny.node("Mul", "y", {tiny.node("Resize", "up", {clip, ValueId{}, scales}), factor}));
        Executor executor = recordingExecutor(tiny);
        const auto wants = [&](const char *name) { return executor.parameters().at(tiny.graph.findValue(name)).requires_grad(); };
        QVERIFY(wants("conv.w") && wants("conv.b") && wants("factor"));
        QVERIFY(!wants("low") && !wants("scales"));
        executor.run(std::vector<at::Tensor>{at::ones({1, 2, 4, 4})})[0].sum().backward();
        COMPARE_TENSORS(executor.parameters().at(tiny.graph.findValue("conv.b")).grad(), floats({3}, {192, 192, 192}));   // 3 · 64 cells
        const c10::NoGradGuard quiet;
        QVERIFY(!executor.run(std::vector<at::Tensor>{at::ones({1, 2, 4, 4})})[0].requires_grad());
    }

    void aCutGradientIsAnError()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2});
        tiny.output(tiny.node("Relu", "own", {x}));
        ExecutorOptions options;
        options.autograd = true;
        options.kernels[tiny.nodeId("own")] = [](OpCall &call) { call.outputs[0] = call.inputs[0].detach() * 2; };
        Executor executor(shared(tiny), options);
        QCOMPARE(errorOf(executor, {variable(at::ones({2}))}),
                 std::string("Unsupported: Node 'own' (Relu): it cannot be trained through: its gradient is not implemented. Keep what comes before it fixed, or leave it out."));
        QCOMPARE(errorOf(executor, {at::ones({2})}), std::string("no error"));
    }

    void scalesThatAreComputed()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 1, 2, 2}), scales = tiny.input("scales", {4});
        tiny.output(tiny.node("Resize", "up", {x, ValueId{}, scales}));
        Executor executor = recordingExecutor(tiny);
        QCOMPARE(errorOf(executor, {variable(at::ones({1, 1, 2, 2})), variable(floats({4}, {1, 1, 2, 2}))}),
                 std::string("Unsupported: Node 'up' (Resize): no gradient passes through its scales; keep what they are computed from fixed while the model is trained."));
    }

    void wholeNumbersEndTheGradientQuietly()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {3});
        tiny.output(tiny.node("ArgMax", "place", {x}, {}, DataType::Int64));
        tiny.output(tiny.node("Hardmax", "hot", {x}));
        Executor executor = recordingExecutor(tiny);
        QCOMPARE(errorOf(executor, {variable(floats({3}, {1, 3, 2}))}), std::string("no error"));
    }

    void throughTheBranchTaken()
    {
        const auto branch = [](float factor) {
            auto body = std::make_shared<Graph>();
            const ValueId x = body->addValue("x"), y = body->addValue("y");
            Node node;
            node.name = "times";
            node.opType = "Mul";
            node.inputs = {x, body->addConstant("f", TensorData::fromFloats({1}, std::vector{factor}))};
            node.outputs = {y};
            body->addNode(node);
            body->outputs = {y};
            return std::shared_ptr<const Graph>(body);
        };
        TinyGraph tiny;
        tiny.input("x", {2});
        const ValueId condition = tiny.input("c", {}, DataType::Bool);
        tiny.output(tiny.node("If", "if", {condition}, {{"then_branch", branch(2)}, {"else_branch", branch(5)}}));
        Executor executor = recordingExecutor(tiny);
        const at::Tensor x = variable(at::ones({2}));
        executor.run(std::vector<at::Tensor>{x, at::zeros({}, at::kBool)})[0].sum().backward();
        COMPARE_TENSORS(x.grad(), floats({2}, {5, 5}));
    }
};

QTEST_APPLESS_MAIN(TestGradientEdges)
#include "tst_gradient_edges.moc"
