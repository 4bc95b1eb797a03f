#include "core/spec/scheme_check.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

#include <functional>

using namespace core;
using tests::TinyGraph;

namespace {

using Change = std::function<void(Scheme &)>;

QString judged(TensorRole role, const Change &change, const std::string &target = {}, std::vector<std::int64_t> weightDims = {4, 3, 1, 1})
{
    TinyGraph g;
    const ValueId w = g.constant("w", weightDims);
    g.output(g.node("Conv", "conv", {g.input("x"), w}));
    ResolvedScheme resolved;
    resolved.scheme = finishScheme({}, role);
    change(resolved.scheme);
    try {
        checkScheme(resolved, role, g.graph.node(g.nodeId("conv")), g.graph.constant(w), targetProfile(target));
    } catch (const Error &error) {
        const std::string &sentence = error.sentence();
        return QString::fromStdString(sentence.substr(sentence.find(", ") + 2));
    }
    return {};
}

} // namespace

Q_DECLARE_METATYPE(core::TensorRole)
Q_DECLARE_METATYPE(Change)

class TestSchemeCheck : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void judgements_data()
    {
        QTest::addColumn<TensorRole>("role");
        QTest::addColumn<Change>("change");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char *name, TensorRole role, Change change, const char *expected, const char *target = "") {
            QTest::newRow(name) << role << change << target << expected;
        };
        const auto in = TensorRole::Input, out = TensorRole::Output, weight = TensorRole::Weight, bias = TensorRole::Bias;
        const auto dtype = [](QuantDtype type) { return [type](Scheme &s) { s.dtype = type; }; };

        for (const TensorRole role : {in, out, weight, bias})
            row(qPrintable(QString("defaults %1").arg(int(role))), role, [](Scheme &) {}, "");
        for (const QuantDtype type : {QuantDtype::UInt4, QuantDtype::Int4, QuantDtype::UInt8, QuantDtype::Int16, QuantDtype::UInt16, QuantDtype::Float16,
                                      QuantDtype::BFloat16, QuantDtype::Fp8E4M3, QuantDtype::Fp8E5M2, QuantDtype::Float32})
            row(qPrintable(QString("activation type %1").arg(int(type))), out, dtype(type), "");
        for (const QuantDtype type : {QuantDtype::Int2, QuantDtype::Int3, QuantDtype::Int4, QuantDtype::UInt8, QuantDtype::Int16, QuantDtype::BFloat16})
            row(qPrintable(QString("weight type %1").arg(int(type))), weight, dtype(type), "");
        row("activation int2", in, dtype(QuantDtype::Int2), "input_tensors.dtype = int2 (default): ONNX QuantizeLinear has no such activation type; use 4, 8 or 16 bits.");
        row("activation int32", out, dtype(QuantDtype::Int32), "output_tensors.dtype = int32 (default): ONNX QuantizeLinear has no such activation type; use 4, 8 or 16 bits.");
        row("weight int32", weight, dtype(QuantDtype::Int32), "weight.dtype = int32 (default): weights have at most 16 bits.");
        row("activation round", in, [](Scheme &s) { s.roundMethod = RoundMethod::HalfAwayFromZero; },
            "input_tensors.round_method = round (default): ONNX QuantizeLinear rounds half to even; use half_even on activations.");
        row("weight floor", weight, [](Scheme &s) { s.roundMethod = RoundMethod::Floor; }, "");
        row("activation group", in, [](Scheme &s) { s.granularity = Granularity::PerGroup; },
            "input_tensors.qscheme = per_group (default): an activation has one scale; per_channel and per_group are for weights.");
        row("dynamic", in, [](Scheme &s) { s.dynamic = true; s.dtype = QuantDtype::UInt8; s.symmetric = false; }, "");
        row("dynamic symmetric", in, [](Scheme &s) { s.dynamic = true; s.dtype = QuantDtype::UInt8; },
            "input_tensors.is_dynamic = true (default): ONNX DynamicQuantizeLinear makes uint8, asymmetric, per tensor only.");
        row("dynamic weight", weight, [](Scheme &s) { s.dynamic = true; }, "weight.is_dynamic = true (default): weights are constant and have no dynamic quantization.");
        row("percentile", weight, [](Scheme &s) { s.percentile = 50; }, "weight.percentile = 50.000000 (default): a percentile lies between 90 and 100.");
        row("pof2 observer", in, [](Scheme &s) { s.observer = ObserverKind::Pof2MinMax; },
            "input_tensors.scale_type = float (default): the observer pof2_min_max makes power-of-two scales; use pof2 or another observer.");
        row("axis", weight, [](Scheme &s) { s.channelAxis = 4; }, "weight.ch_axis = 4 (default): the weight has 4 axes.");
        row("group size", weight, [](Scheme &s) { s.granularity = Granularity::PerGroup; }, "weight.group_size = 0 (default): per_group needs a group_size of at least 1.");
        row("tqt", weight, [](Scheme &s) { s.qat = QatMethod::Tqt; }, "");
        row("tqt channels", weight, [](Scheme &s) { s.qat = QatMethod::Tqt; s.granularity = Granularity::PerChannel; },
            "weight.qat = tqt (default): TQT trains one threshold of signed symmetric codes a tensor; use lsq or ste.");
        row("tqt unsigned", in, [](Scheme &s) { s.qat = QatMethod::Tqt; s.dtype = QuantDtype::UInt8; },
            "input_tensors.qat = tqt (default): TQT trains one threshold of signed symmetric codes a tensor; use lsq or ste.");
        row("lsq float16", in, [](Scheme &s) { s.qat = QatMethod::Lsq; s.dtype = QuantDtype::Float16; },
            "input_tensors.qat = lsq (default): LSQ trains the scale of integers; float16 has none.");
        row("bias int8", bias, dtype(QuantDtype::Int8), "bias.dtype = int8 (default): int8 biases need a target that runs them, such as xint8; use int32 or float32.");
        row("bias int8 xint8", bias, dtype(QuantDtype::Int8), "", "xint8");
        row("bias int16", bias, dtype(QuantDtype::Int16), "bias.dtype = int16 (default): a bias is int32 with the scale of input times weight, or float32.");
        row("tensorrt asymmetric", in, [](Scheme &s) { s.symmetric = false; },
            "input_tensors.symmetric = false (default): the target tensorrt has zero point 0 only; use symmetric activations.", "tensorrt");
        row("tensorrt uint8", in, dtype(QuantDtype::UInt8), "input_tensors.dtype = uint8 (default): the target tensorrt has no activations of this type.", "tensorrt");
        row("tensorrt int16 weights", weight, dtype(QuantDtype::Int16), "weight.dtype = int16 (default): the target tensorrt has no weights of this type.", "tensorrt");
        row("xint8 float scale", weight, [](Scheme &) {}, "weight.scale_type = float (default): the target xint8 shifts instead of multiplying; use pof2.", "xint8");
        row("xint8 channels", weight, [](Scheme &s) { s.scaleType = ScaleType::PowerOfTwo; s.granularity = Granularity::PerChannel; },
            "weight.qscheme = per_channel (default): the target xint8 has one scale a weight tensor; use per_tensor.", "xint8");
        row("float is never refused", in, [](Scheme &s) { s.dtype = QuantDtype::Float32; s.roundMethod = RoundMethod::Floor; s.narrow = true; }, "", "xint8");
    }
    void judgements()
    {
        QFETCH(TensorRole, role);
        QFETCH(Change, change);
        QFETCH(QString, target);
        QTEST(judged(role, change, target.toStdString()), "expected");
    }

    void groupsNeedTwoDimensions()
    {
        const Change groups = [](Scheme &s) { s.granularity = Granularity::PerGroup; s.groupSize = 16; };
        QCOMPARE(judged(TensorRole::Weight, groups, {}, {8, 32}), QString());
        QCOMPARE(judged(TensorRole::Weight, groups),
                 "weight.qscheme = per_group (default): ONNX groups values along one axis, which is defined for the two-dimensional weights of Gemm and MatMul only.");
    }
};

QTEST_APPLESS_MAIN(TestSchemeCheck)
#include "tst_scheme_check.moc"
