#include "core/graph/shape_inference.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;
using Ints = std::vector<std::int64_t>;

namespace {

Dimension dim(const std::string &text)
{
    if (text == "?")
        return {};
    return std::isdigit(static_cast<unsigned char>(text[0])) ? Dimension{std::stoll(text), {}} : Dimension{-1, text};
}

/// "N 3 8 8" → a shape.
Shape dims(const std::string &text)
{
    Shape shape;
    for (const QString &part : QString::fromStdString(text).split(' ', Qt::SkipEmptyParts))
        shape.push_back(dim(part.toStdString()));
    return shape;
}

QString text(const Graph &graph, const std::string &name)
{
    const Value &value = graph.value(graph.findValue(name));
    QString shape = QString::fromStdString(dataTypeName(value.type)) + (value.shape ? " [" : " unknown");
    for (std::size_t i = 0; value.shape && i < value.shape->size(); ++i) {
        const Dimension &d = (*value.shape)[i];
        shape += (i ? " " : "") + (d.known() ? QString::number(d.size) : d.symbol.empty() ? QString("?") : QString::fromStdString(d.symbol));
    }
    return value.shape ? shape + "]" : shape;
}

struct Net : TinyGraph {
    ValueId in(const std::string &name, const std::string &shape, DataType type = DataType::Float32)
    {
        const ValueId id = graph.addValue(name, type, dims(shape));
        graph.inputs.push_back(id);
        return id;
    }
    ValueId op(const std::string &type, const std::string &name, std::vector<ValueId> inputs, std::map<std::string, AttributeValue> attributes = {}, int outputs = 1)
    {
        return node(type, name, std::move(inputs), std::move(attributes), DataType::Undefined, outputs);
    }
    ValueId weight(const std::string &name, Ints sizes) { return constant(name, std::move(sizes)); }
    ValueId scalar(const std::string &name, std::int64_t value) { return graph.addConstant(name, TensorData::fromInt64s({}, std::span(&value, 1))); }
    QString shape(const std::string &name)
    {
        inferShapes(graph);
        return text(graph, name);
    }
    QString error()
    {
        try {
            inferShapes(graph);
        } catch (const Error &error) {
            return QString::fromStdString(error.sentence());
        }
        return {};
    }
};

} // namespace

class TestShapeInference : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void convolutions_data()
    {
        QTest::addColumn<QString>("in");
        QTest::addColumn<int>("kernel");
        QTest::addColumn<int>("stride");
        QTest::addColumn<int>("pad");
        QTest::addColumn<int>("dilation");
        QTest::addColumn<QString>("autoPad");
        QTest::addColumn<QString>("out");
        const auto row = [](const char *in, int kernel, int stride, int pad, int dilation, const char *autoPad, const char *out) {
            QTest::addRow("%s k%d s%d p%d d%d %s", in, kernel, stride, pad, dilation, autoPad) << QString(in) << kernel << stride << pad << dilation << QString(autoPad) << QString(out);
        };
        // floor((in + 2·pad − dilation·(kernel − 1) − 1) / stride) + 1, by hand
        row("1 4 8 7", 3, 1, 1, 1, "NOTSET", "float32 [1 6 8 7]");
        row("1 4 8 7", 3, 2, 1, 1, "NOTSET", "float32 [1 6 4 4]");
        row("1 4 8 7", 3, 1, 0, 2, "NOTSET", "float32 [1 6 4 3]");
        row("1 4 8 7", 3, 2, 0, 1, "SAME_UPPER", "float32 [1 6 4 4]");
        row("1 4 8 7", 3, 2, 5, 1, "VALID", "float32 [1 6 3 3]");
        row("N 4 H W", 3, 1, 1, 1, "NOTSET", "float32 [N 6 H W]");
        row("N 4 H W", 3, 2, 1, 1, "NOTSET", "float32 [N 6 ? ?]");
        row("N 4 H W", 3, 1, 0, 1, "SAME_LOWER", "float32 [N 6 H W]");
        row("? 4 1 8", 3, 1, 0, 1, "NOTSET", "float32 [? 6 ? 6]");      // the window does not fit
    }
    void convolutions()
    {
        QFETCH(QString, in);
        QFETCH(int, kernel);
        QFETCH(int, stride);
        QFETCH(int, pad);
        QFETCH(int, dilation);
        QFETCH(QString, autoPad);
        Net g;
        std::map<std::string, AttributeValue> attributes{{"strides", Ints{stride, stride}}, {"dilations", Ints{dilation, dilation}}};
        attributes["pads"] = Ints{pad, pad, pad, pad};
        attributes["auto_pad"] = autoPad.toStdString();
        g.op("Conv", "y", {g.in("x", in.toStdString()), g.weight("w", {6, 4, kernel, kernel})}, attributes);
        QTEST(g.shape("y"), "out");
    }

    void groupedAndTransposedConvolution()
    {
        Net g;
        const ValueId x = g.in("x", "N 4 5 5");
        g.op("Conv", "depthwise", {x, g.weight("dw", {8, 1, 1, 1})}, {{"group", std::int64_t(4)}});
        g.op("ConvTranspose", "up", {x, g.weight("tw", {4, 3, 2, 2})}, {{"strides", Ints{2, 2}}, {"group", std::int64_t(2)}});
        g.op("ConvTranspose", "padded", {x, g.weight("tp", {4, 3, 3, 3})}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}});
        g.op("ConvTranspose", "given", {x, g.weight("tg", {4, 3, 3, 3})}, {{"output_shape", Ints{12, 13}}});
        g.op("ConvTranspose", "same", {x, g.weight("ts", {4, 3, 3, 3})}, {{"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}});
        QCOMPARE(g.shape("depthwise"), "float32 [N 8 5 5]");
        QCOMPARE(g.shape("up"), "float32 [N 6 10 10]");          // 2·(5−1) + 2
        QCOMPARE(g.shape("padded"), "float32 [N 3 10 10]");      // 2·(5−1) + 1 + 3 − 2
        QCOMPARE(g.shape("given"), "float32 [N 3 12 13]");
        QCOMPARE(g.shape("same"), "float32 [N 3 10 10]");
    }

    void pools()
    {
        Net g;
        const ValueId x = g.in("x", "N 4 6 7");
        const Ints two{2, 2}, three{3, 3};
        g.op("MaxPool", "floor", {x}, {{"kernel_shape", three}, {"strides", two}}, 2);
        g.op("AveragePool", "ceil", {x}, {{"kernel_shape", three}, {"strides", two}, {"ceil_mode", std::int64_t(1)}});
        g.op("MaxPool", "dropped", {x}, {{"kernel_shape", Ints{1, 1}}, {"strides", three}, {"ceil_mode", std::int64_t(1)}, {"pads", Ints{0, 0, 1, 1}}});
        g.op("MaxPool", "dilated", {x}, {{"kernel_shape", two}, {"dilations", three}});
        g.op("GlobalAveragePool", "global", {x});
        QCOMPARE(g.shape("floor"), "float32 [N 4 2 3]");
        QCOMPARE(g.shape("floor:1"), "int64 [N 4 2 3]");
        QCOMPARE(g.shape("ceil"), "float32 [N 4 3 3]");          // ceil(3 / 2) + 1 = 3
        QCOMPARE(g.shape("dropped"), "float32 [N 4 2 3]");       // ceil(6 / 3) + 1 = 3, but that one starts at 6, behind the input
        QCOMPARE(g.shape("dilated"), "float32 [N 4 3 4]");
        QCOMPARE(g.shape("global"), "float32 [N 4 1 1]");
    }

    void broadcasting()
    {
        Net g;
        g.op("Add", "a", {g.in("x", "N 3 1"), g.in("y", "3 5")});
        g.op("Mul", "symbols", {g.in("n", "N 1"), g.in("m", "N M")});
        g.op("Sub", "differ", {g.in("p", "N 2"), g.in("q", "M 2")});
        g.op("Greater", "compare", {g.in("s", ""), g.in("t", "? 4")});
        g.op("Where", "where", {g.in("c", "3 1", DataType::Bool), g.in("u", "1 4"), g.in("v", "2 1 1")});
        g.op("Max", "max", {g.in("e", "0 1"), g.in("f", "1 7"), g.in("h", "? 7")});
        g.op("Pow", "pow", {g.in("b", "2 2"), g.integers("two", {2})});
        QCOMPARE(g.shape("a"), "float32 [N 3 5]");
        QCOMPARE(g.shape("symbols"), "float32 [N M]");
        QCOMPARE(g.shape("differ"), "float32 [? 2]");
        QCOMPARE(g.shape("compare"), "bool [? 4]");
        QCOMPARE(g.shape("where"), "float32 [2 3 4]");
        QCOMPARE(g.shape("max"), "float32 [0 7]");
        QCOMPARE(g.shape("pow"), "float32 [2 2]");
    }

    void products()
    {
        Net g;
        g.op("MatMul", "plain", {g.in("a", "N 3 4"), g.in("b", "4 5")});
        g.op("MatMul", "batch", {g.in("c", "2 1 3 4"), g.in("d", "7 4 5")});
        g.op("MatMul", "row", {g.in("e", "4"), g.in("f", "6 4 5")});
        g.op("MatMul", "dot", {g.in("h", "4"), g.in("i", "4")});
        g.op("Gemm", "gemm", {g.in("j", "N 4"), g.in("k", "10 4"), g.in("l", "10")}, {{"transB", std::int64_t(1)}});
        g.op("Einsum", "einsum", {g.in("m", "N 2 3"), g.in("n", "3 5")}, {{"equation", std::string("b i j, jk -> bk")}});
        g.op("Einsum", "dots", {g.in("o", "N 2 3"), g.in("p", "N 3 4")}, {{"equation", std::string("...ij,...jk")}});
        g.op("MatMulInteger", "integer", {g.in("q", "2 3", DataType::UInt8), g.in("r", "3 4", DataType::Int8)});
        QCOMPARE(g.shape("plain"), "float32 [N 3 5]");
        QCOMPARE(g.shape("batch"), "float32 [2 7 3 5]");
        QCOMPARE(g.shape("row"), "float32 [6 5]");
        QCOMPARE(g.shape("dot"), "float32 []");
        QCOMPARE(g.shape("gemm"), "float32 [N 10]");
        QCOMPARE(g.shape("einsum"), "float32 [N 5]");
        QCOMPARE(g.shape("dots"), "float32 [N 2 4]");
        QCOMPARE(g.shape("integer"), "int32 [2 4]");
    }

    void reshapes_data()
    {
        QTest::addColumn<QString>("in");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("out");
        const auto row = [](const char *in, const char *target, const char *out) { QTest::addRow("%s to %s", in, target) << in << target << out; };
        row("2 3 4", "6 -1", "float32 [6 4]");
        row("N 3 4", "0 -1", "float32 [N 12]");
        row("N 3 4", "-1 12", "float32 [N 12]");
        row("N 3 4", "-1 6", "float32 [? 6]");
        row("N M 4", "0 -1", "float32 [N ?]");
        row("N M", "0 0 1", "float32 [N M 1]");
        row("? 3 4", "0 -1", "float32 [? 12]");
        row("2 3 4", "24", "float32 [24]");
        row("0 3", "-1 3", "float32 [0 3]");
        row("2 3", "4 -1", "Reshape 'y': an input of shape [2, 3] cannot become [4, ?].");
        row("2 3", "5", "Reshape 'y': an input of shape [2, 3] cannot become [5].");
        row("2 3", "-1 -1", "Reshape 'y': its shape holds more than one -1.");
        row("4", "2 0", "Reshape 'y': its shape copies dimension 1, which [4] does not have.");
    }
    void reshapes()
    {
        QFETCH(QString, in);
        QFETCH(QString, target);
        Net g;
        Ints sizes;
        for (const QString &part : target.split(' '))
            sizes.push_back(part.toLongLong());
        g.op("Reshape", "y", {g.in("x", in.toStdString()), g.integers("s", sizes)});
        const QString error = g.error();
        QTEST(error.isEmpty() ? text(g.graph, "y") : error, "out");
    }

    void layout()
    {
        Net g;
        const ValueId x = g.in("x", "N 4 6 1");
        g.op("Transpose", "nhwc", {x}, {{"perm", Ints{0, 2, 3, 1}}});
        g.op("Transpose", "reversed", {x});
        g.op("Squeeze", "squeeze", {x, g.integers("last", {-1})});
        g.op("Unsqueeze", "unsqueeze", {x, g.integers("two", {0, -1})});
        g.op("Flatten", "flatten", {x});
        g.op("Concat", "concat", {x, g.in("z", "? 5 6 1")}, {{"axis", std::int64_t(1)}});
        g.op("Concat", "learned", {g.in("four", "4 2"), g.in("open", "? 3")}, {{"axis", std::int64_t(1)}});
        g.op("Split", "split", {x}, {{"axis", std::int64_t(2)}, {"num_outputs", std::int64_t(4)}}, 4);
        g.op("Split", "sizes", {x, g.integers("parts", {1, 3})}, {{"axis", std::int64_t(1)}}, 2);
        g.op("Tile", "tile", {x, g.integers("times", {1, 2, 1, 3})});
        g.op("Expand", "expand", {x, g.integers("to", {2, 1, 1, 1, 5})});
        g.op("Pad", "pad", {x, g.integers("pads", {0, 0, 1, 2, 0, 0, 3, -1})});
        g.op("Pad", "axes", {x, g.integers("pads2", {1, 2}), ValueId{}, g.integers("h", {-2})});
        g.op("DepthToSpace", "space", {x}, {{"blocksize", std::int64_t(2)}});
        g.op("SpaceToDepth", "depth", {g.in("img", "N 3 8 H")}, {{"blocksize", std::int64_t(2)}});
        QCOMPARE(g.shape("nhwc"), "float32 [N 6 1 4]");
        QCOMPARE(g.shape("reversed"), "float32 [1 6 4 N]");
        QCOMPARE(g.shape("squeeze"), "float32 [N 4 6]");
        QCOMPARE(g.shape("unsqueeze"), "float32 [1 N 4 6 1 1]");
        QCOMPARE(g.shape("flatten"), "float32 [N 24]");
        QCOMPARE(g.shape("concat"), "float32 [N 9 6 1]");
        QCOMPARE(g.shape("learned"), "float32 [4 5]");
        QCOMPARE(g.shape("split"), "float32 [N 4 2 1]");         // ceil(6 / 4) = 2, 2, 2, and nothing left
        QCOMPARE(g.shape("split:3"), "float32 [N 4 0 1]");
        QCOMPARE(g.shape("sizes:1"), "float32 [N 3 6 1]");
        QCOMPARE(g.shape("tile"), "float32 [N 8 6 3]");
        QCOMPARE(g.shape("expand"), "float32 [2 N 4 6 5]");
        QCOMPARE(g.shape("pad"), "float32 [N 4 10 2]");
        QCOMPARE(g.shape("axes"), "float32 [N 4 9 1]");
        QCOMPARE(g.shape("space"), "float32 [N 1 12 2]");
        QCOMPARE(g.shape("depth"), "float32 [N 12 4 ?]");
    }

    void slices_data()
    {
        QTest::addColumn<QString>("in");
        QTest::addColumn<qint64>("start");
        QTest::addColumn<qint64>("end");
        QTest::addColumn<qint64>("step");
        QTest::addColumn<QString>("out");
        const auto row = [](const char *in, qint64 start, qint64 end, qint64 step, const char *out) {
            QTest::addRow("%s %lld:%lld:%lld", in, (long long)start, (long long)end, (long long)step) << in << start << end << step << out;
        };
        const qint64 far = std::numeric_limits<qint64>::max(), back = std::numeric_limits<qint64>::min();
        // numpy: len(range(n)[start:end:step])
        row("10", 2, 7, 1, "float32 [5]");
        row("10", -3, far, 1, "float32 [3]");
        row("10", 0, far, 3, "float32 [4]");
        row("10", 7, 2, -2, "float32 [3]");
        row("10", -1, back, -1, "float32 [10]");
        row("10", 20, 30, 1, "float32 [0]");
        row("10", 9, -11, -3, "float32 [4]");
        row("N", 0, far, 1, "float32 [N]");
        row("N", -1, back, -1, "float32 [N]");
        row("N", 0, 5, 1, "float32 [?]");
        row("N", -1, far, 1, "float32 [1]");
    }
    void slices()
    {
        QFETCH(QString, in);
        QFETCH(qint64, start);
        QFETCH(qint64, end);
        QFETCH(qint64, step);
        Net g;
        g.op("Slice", "y", {g.in("x", in.toStdString()), g.integers("s", {start}), g.integers("e", {end}), g.integers("a", {-1}), g.integers("st", {step})});
        QTEST(g.shape("y"), "out");
    }

    void indexing()
    {
        Net g;
        const ValueId x = g.in("x", "N 5 6"), ids = g.in("ids", "2 3", DataType::Int64);
        g.op("Gather", "gather", {x, ids}, {{"axis", std::int64_t(1)}});
        g.op("Gather", "one", {x, g.scalar("i", -1)}, {{"axis", std::int64_t(2)}});
        g.op("GatherElements", "elements", {x, g.in("ei", "N 2 6", DataType::Int64)});
        g.op("GatherND", "nd", {x, ids});
        g.op("ScatterND", "scatter", {x, ids, g.in("up", "2")});
        g.op("TopK", "top", {x, g.integers("k", {4})}, {}, 2);
        g.op("OneHot", "hot", {ids, g.scalar("depth", 7), g.in("values", "2")});
        g.op("ArgMax", "arg", {x}, {{"axis", std::int64_t(1)}, {"keepdims", std::int64_t(0)}});
        g.op("NonZero", "nonzero", {x});
        g.op("NonMaxSuppression", "nms", {g.in("boxes", "1 8 4"), g.in("scores", "1 2 8")});
        g.op("Compress", "compress", {x, g.in("c", "5", DataType::Bool)}, {{"axis", std::int64_t(1)}});
        g.op("Unique", "unique", {x}, {}, 4);
        QCOMPARE(g.shape("gather"), "float32 [N 2 3 6]");
        QCOMPARE(g.shape("one"), "float32 [N 5]");
        QCOMPARE(g.shape("elements"), "float32 [N 2 6]");
        QCOMPARE(g.shape("nd"), "float32 [2]");
        QCOMPARE(g.shape("scatter"), "float32 [N 5 6]");
        QCOMPARE(g.shape("top"), "float32 [N 5 4]");
        QCOMPARE(g.shape("top:1"), "int64 [N 5 4]");
        QCOMPARE(g.shape("hot"), "float32 [2 3 7]");
        QCOMPARE(g.shape("arg"), "int64 [N 6]");
        QCOMPARE(g.shape("nonzero"), "int64 [3 ?]");
        QCOMPARE(g.shape("nms"), "int64 [? 3]");
        QCOMPARE(g.shape("compress"), "float32 [N ? 6]");
        QCOMPARE(g.shape("unique:2"), "int64 [?]");
    }

    void reductions()
    {
        Net g;
        const ValueId x = g.in("x", "N 5 6"), axes = g.in("axes", "1", DataType::Int64);
        g.op("ReduceMean", "last", {x, g.integers("a", {-1})});
        g.op("ReduceSum", "gone", {x, g.integers("b", {0, 2})}, {{"keepdims", std::int64_t(0)}});
        g.op("ReduceMax", "all", {x}, {{"keepdims", std::int64_t(0)}});
        g.op("ReduceSum", "noop", {x}, {{"noop_with_empty_axes", std::int64_t(1)}});
        g.op("ReduceMin", "computed", {x, axes}, {{"keepdims", std::int64_t(0)}});
        QCOMPARE(g.shape("last"), "float32 [N 5 1]");
        QCOMPARE(g.shape("gone"), "float32 [5]");
        QCOMPARE(g.shape("all"), "float32 []");
        QCOMPARE(g.shape("noop"), "float32 [N 5 6]");
        QCOMPARE(g.shape("computed"), "float32 [? ?]");
    }

    void resizes()
    {
        Net g;
        const ValueId x = g.in("x", "N 3 5 7");
        g.op("Resize", "scales", {x, ValueId{}, g.constant("s", {4}, {1, 1, 1.5f, 2})});
        g.op("Resize", "sizes", {x, ValueId{}, ValueId{}, g.integers("z", {8, 9})}, {{"axes", Ints{2, 3}}});
        g.op("Resize", "inside", {x, ValueId{}, ValueId{}, g.integers("z2", {10, 10})},
             {{"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", std::string("not_larger")}});
        g.op("GridSample", "grid", {x, g.in("g", "N 4 9 2")});
        g.op("RoiAlign", "roi", {x, g.in("rois", "R 4"), g.in("b", "R", DataType::Int64)}, {{"output_height", std::int64_t(2)}, {"output_width", std::int64_t(3)}});
        g.op("AffineGrid", "affine", {g.in("t", "2 2 3"), g.integers("size", {2, 3, 4, 5})});
        QCOMPARE(g.shape("scales"), "float32 [N 3 7 14]");
        QCOMPARE(g.shape("sizes"), "float32 [N 3 8 9]");
        QCOMPARE(g.shape("inside"), "float32 [N 3 7 10]");      // 10 / 7 for both: round(7.14), 10
        QCOMPARE(g.shape("grid"), "float32 [N 3 4 9]");
        QCOMPARE(g.shape("roi"), "float32 [R 3 2 3]");
        QCOMPARE(g.shape("affine"), "float32 [2 4 5 2]");
    }

    void quantization()
    {
        Net g;
        const ValueId x = g.in("x", "N 3 4 4"), scale = g.constant("s", {}, {0.1f});
        const ValueId zero = g.graph.addConstant("z", TensorData::fromIntegers(DataType::Int8, {}, Ints{0}));
        const ValueId w = g.graph.addConstant("w", TensorData::fromIntegers(DataType::Int8, {2, 3, 1, 1}, Ints(6, 1)));
        const ValueId q = g.op("QuantizeLinear", "q", {x, scale, zero});
        g.op("QuantizeLinear", "plain", {x, scale});
        g.op("QuantizeLinear", "wanted", {x, scale}, {{"output_dtype", std::int64_t(5)}});
        g.op("DequantizeLinear", "d", {q, scale, zero});
        g.op("DynamicQuantizeLinear", "dynamic", {x}, {}, 3);
        g.op("QLinearConv", "conv", {q, scale, zero, w, scale, zero, scale, zero});
        g.op("ConvInteger", "integer", {q, w});
        QCOMPARE(g.shape("q"), "int8 [N 3 4 4]");
        QCOMPARE(g.shape("plain"), "uint8 [N 3 4 4]");
        QCOMPARE(g.shape("wanted"), "int16 [N 3 4 4]");
        QCOMPARE(g.shape("d"), "float32 [N 3 4 4]");
        QCOMPARE(g.shape("dynamic:1"), "float32 []");
        QCOMPARE(g.shape("dynamic:2"), "uint8 []");
        QCOMPARE(g.shape("conv"), "int8 [N 2 4 4]");
        QCOMPARE(g.shape("integer"), "int32 [N 2 4 4]");
    }

    void recurrent()
    {
        Net g;
        const ValueId x = g.in("x", "T N 8");
        g.op("LSTM", "lstm", {x, g.weight("w", {2, 16, 8}), g.weight("r", {2, 16, 4})},
             {{"hidden_size", std::int64_t(4)}, {"direction", std::string("bidirectional")}}, 3);
        g.op("GRU", "gru", {g.in("y", "N T 8"), g.weight("gw", {1, 12, 8}), g.weight("gr", {1, 12, 4})}, {{"layout", std::int64_t(1)}}, 2);
        QCOMPARE(g.shape("lstm"), "float32 [T 2 N 4]");
        QCOMPARE(g.shape("lstm:2"), "float32 [2 N 4]");
        QCOMPARE(g.shape("gru"), "float32 [N T 1 4]");
        QCOMPARE(g.shape("gru:1"), "float32 [N 1 4]");
    }

    void normalizations()
    {
        Net g;
        const ValueId x = g.in("x", "N 4 6"), c = g.weight("c", {4});
        g.op("BatchNormalization", "batch", {x, c, c, c, c});
        g.op("LayerNormalization", "layer", {x, g.weight("s", {6})}, {}, 2);
        g.op("Softmax", "softmax", {x});
        g.op("Cast", "cast", {x}, {{"to", std::int64_t(10)}});
        g.op("IsNaN", "nan", {x});
        QCOMPARE(g.shape("batch"), "float32 [N 4 6]");
        QCOMPARE(g.shape("layer:1"), "float32 [N 4 1]");
        QCOMPARE(g.shape("softmax"), "float32 [N 4 6]");
        QCOMPARE(g.shape("cast"), "float16 [N 4 6]");
        QCOMPARE(g.shape("nan"), "bool [N 4 6]");
    }

    void generators()
    {
        Net g;
        const ValueId x = g.in("x", "N 4");
        const ValueId shape = g.op("Shape", "shape", {x});
        g.op("Shape", "tail", {x}, {{"start", std::int64_t(-1)}});
        g.op("Size", "size", {x});
        g.op("ConstantOfShape", "zeros", {shape});
        g.op("ConstantOfShape", "ones", {g.integers("s", {2, 0})}, {{"value", TensorData::fromInt64s({1}, Ints{1})}});
        g.op("Range", "range", {g.scalar("a", 0), g.scalar("b", 10), g.scalar("c", 3)});
        g.op("Constant", "constant", {}, {{"value_ints", Ints{1, 2, 3}}});
        g.op("RandomNormal", "random", {}, {{"shape", Ints{2, 3}}});
        QCOMPARE(g.shape("shape"), "int64 [2]");
        QCOMPARE(g.shape("tail"), "int64 [1]");
        QCOMPARE(g.shape("size"), "int64 []");
        QCOMPARE(g.shape("zeros"), "float32 [N 4]");
        QCOMPARE(g.shape("ones"), "int64 [2 0]");
        QCOMPARE(g.shape("range"), "int64 [4]");
        QCOMPARE(g.shape("constant"), "int64 [3]");
        QCOMPARE(g.shape("random"), "float32 [2 3]");
    }

    // x.view(x.size(0), -1) as exporters write it.
    void symbolSurvivesShapeArithmetic()
    {
        Net g;
        const ValueId x = g.in("x", "N 4 5 5");
        const ValueId n = g.op("Gather", "n", {g.op("Shape", "shape", {x}), g.scalar("zero", 0)});
        const ValueId list = g.op("Unsqueeze", "list", {n, g.integers("axis", {0})});
        const ValueId target = g.op("Concat", "target", {list, g.integers("rest", {-1})}, {{"axis", std::int64_t(0)}});
        g.op("Reshape", "view", {x, target});
        const ShapeFacts facts = inferShapes(g.graph);
        QCOMPARE(text(g.graph, "view"), "float32 [N 100]");
        const PartialInts &whole = facts.integers.at(g.graph.findValue("shape"));
        QVERIFY(!whole.scalar && !whole.known() && whole.elements.size() == 4);
        QCOMPARE(whole.elements[0].symbol, std::string("N"));
        QCOMPARE(whole.elements[1].size, std::int64_t(4));
        QVERIFY(facts.integers.at(n).scalar);
    }

    // Sizes times a float scale, as older exporters write an upsampling.
    void resizeByComputedSizes()
    {
        Net g;
        const ValueId x = g.in("x", "N 4 5 7");
        const ValueId shape = g.op("Shape", "shape", {x});
        const ValueId front = g.op("Slice", "front", {shape, g.integers("s0", {0}), g.integers("e0", {2})});
        const ValueId space = g.op("Slice", "space", {shape, g.integers("s2", {2}), g.integers("e4", {4})});
        const ValueId real = g.op("Cast", "real", {space}, {{"to", std::int64_t(1)}});
        const ValueId larger = g.op("Floor", "larger", {g.op("Mul", "scaled", {real, g.constant("two", {}, {2})})});
        const ValueId sizes = g.op("Concat", "sizes", {front, g.op("Cast", "whole", {larger}, {{"to", std::int64_t(7)}})}, {{"axis", std::int64_t(0)}});
        g.op("Resize", "up", {x, ValueId{}, ValueId{}, sizes});
        QCOMPARE(g.shape("up"), "float32 [N 4 10 14]");
    }

    // expand(-1, 8) as exporters write it: −1 means "as it is".
    void expandWithMinusOne()
    {
        Net g;
        const ValueId x = g.in("x", "N 1");
        const ValueId shape = g.op("Concat", "shape", {g.op("Shape", "n", {x}, {{"end", std::int64_t(1)}}), g.integers("eight", {8})}, {{"axis", std::int64_t(0)}});
        const ValueId ones = g.op("ConstantOfShape", "ones", {g.integers("two", {2})}, {{"value", TensorData::fromInt64s({1}, Ints{1})}});
        const ValueId minus = g.op("Mul", "minus", {ones, g.scalar("m", -1)});
        const ValueId target = g.op("Where", "target", {g.op("Equal", "is", {shape, minus}), ones, shape});
        g.op("Expand", "y", {x, target});
        QCOMPARE(g.shape("y"), "float32 [N 8]");
    }

    void anonymousDimensionsStayEqual()
    {
        Net g;
        const ValueId x = g.in("x", "? 4 ? ?");
        const ValueId y = g.op("Conv", "y", {x, g.weight("w", {4, 4, 3, 3})}, {{"strides", Ints{2, 2}}});
        g.op("Add", "sum", {y, g.op("Relu", "r", {y})});
        g.op("Reshape", "flat", {y, g.op("Concat", "to", {g.op("Shape", "n", {y}, {{"end", std::int64_t(2)}}), g.integers("rest", {-1})}, {{"axis", std::int64_t(0)}})});
        QCOMPARE(g.shape("sum"), "float32 [? 4 ? ?]");
        QCOMPARE(g.shape("flat"), "float32 [? 4 ?]");
        const ShapeFacts facts = inferShapes(g.graph);
        QVERIFY(facts.integers.at(g.graph.findValue("n")).elements[0].symbol.empty());
    }

    void fileAnnotationsAreKeptWhereTheySayMore()
    {
        Net g;
        const ValueId x = g.in("x", "N 4");
        const ValueId own = g.op("Own", "own", {x});
        g.graph.value(own).shape = dims("N 9");
        g.graph.value(own).type = DataType::Float32;
        const ValueId rows = g.op("Compress", "rows", {x, g.in("c", "?", DataType::Bool)}, {{"axis", std::int64_t(0)}});
        g.graph.value(rows).shape = dims("K 5");
        QCOMPARE(g.shape("own"), "float32 [N 9]");
        QCOMPARE(g.shape("rows"), "float32 [K 4]");             // 4 is certain, K is what the file knows
    }

    void branchesAreUnified()
    {
        Net g;
        const auto branch = [](const std::string &shape) {
            Graph body;
            body.outputs = {body.addValue("r", DataType::Float32, dims(shape))};
            return std::make_shared<const Graph>(body);
        };
        g.op("If", "if", {g.in("c", "", DataType::Bool)}, {{"then_branch", branch("N 4 5")}, {"else_branch", branch("N 4 6")}});
        const bool yes = true;
        const ValueId always = g.graph.addConstant("always", TensorData::fromBytes(DataType::Bool, {}, {std::byte(yes)}));
        g.op("If", "decided", {always}, {{"then_branch", branch("2 5")}, {"else_branch", branch("7")}});
        QCOMPARE(g.shape("if"), "float32 [N 4 ?]");
        QCOMPARE(g.shape("decided"), "float32 [2 5]");
    }

    void misfits_data()
    {
        QTest::addColumn<QString>("type");
        QTest::addColumn<QString>("a");
        QTest::addColumn<QString>("b");
        QTest::addColumn<QString>("sentence");
        const auto row = [](const char *type, const char *a, const char *b, const char *sentence) { QTest::addRow("%s %s %s", type, a, b) << type << a << b << sentence; };
        row("Add", "2 3", "2 4", "Add 'y': shapes [2, 3] and [2, 4] do not broadcast.");
        row("MatMul", "2 3", "4 5", "MatMul 'y': shapes [2, 3] and [4, 5] do not multiply.");
        row("MatMul", "", "4 5", "MatMul 'y': shapes [] and [4, 5] do not multiply.");
        row("Gemm", "N 3", "4 5", "Gemm 'y': shapes [N, 3] and [4, 5] do not multiply.");
        row("Conv", "N 3 8 8", "6 4 1 1", "Conv 'y': an input of shape [N, 3, 8, 8] does not fit weights of shape [6, 4, 1, 1] and group 1.");
        row("Conv", "N 3 8", "6 3 1 1", "Conv 'y': an input of shape [N, 3, 8] does not fit weights of shape [6, 3, 1, 1].");
        row("Concat", "2 3", "4 5", "Concat 'y': shapes [2, 3] and [4, 5] do not fit together.");
    }
    void misfits()
    {
        QFETCH(QString, type);
        QFETCH(QString, a);
        QFETCH(QString, b);
        Net g;
        g.op(type.toStdString(), "y", {g.in("a", a.toStdString()), g.in("b", b.toStdString())});
        QTEST(g.error(), "sentence");
        QVERIFY(!text(g.graph, "a").contains(QChar(1)));         // the graph is left clean
    }

    void hostileSizesAreSurvived()
    {
        Net g;
        const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
        const ValueId x = g.in("x", "9223372036854775807 9223372036854775807 4");
        g.op("Flatten", "flat", {x}, {{"axis", std::int64_t(2)}});
        g.op("Tile", "tile", {x, g.integers("t", {huge, huge, huge})});
        g.op("Pad", "pad", {x, g.integers("p", {huge, 0, 0, huge, 0, std::numeric_limits<std::int64_t>::min()})});
        g.op("ConstantOfShape", "filled", {g.integers("f", {huge, huge})});
        g.op("Range", "range", {g.scalar("a", std::numeric_limits<std::int64_t>::min()), g.scalar("b", huge), g.scalar("c", 1)});
        g.op("Concat", "concat", {x, x}, {{"axis", std::int64_t(0)}});
        g.op("MaxPool", "pool", {x}, {{"kernel_shape", Ints{huge}}, {"dilations", Ints{huge}}, {"pads", Ints{huge, huge}}, {"strides", Ints{huge}}});
        g.op("ConvTranspose", "up", {g.in("z", "1 2 1000000"), g.weight("w", {2, 1, 1})}, {{"strides", Ints{huge}}, {"group", std::int64_t(huge)}});
        g.op("Slice", "slice", {x, g.integers("s", {-huge}), g.integers("e", {huge}), g.integers("ax", {0}), g.integers("st", {huge})});
        g.op("Expand", "expand", {g.in("o", "1"), g.integers("ee", {1048576})});
        g.op("Mul", "overflow", {g.integers("h", {huge}), g.integers("h2", {huge})});
        const ShapeFacts facts = inferShapes(g.graph);
        QCOMPARE(text(g.graph, "flat"), "float32 [? 4]");
        QCOMPARE(text(g.graph, "tile"), "float32 [? ? ?]");
        QCOMPARE(text(g.graph, "range"), "int64 [?]");
        QCOMPARE(text(g.graph, "expand"), "float32 [1048576]");
        QVERIFY(!facts.integers.at(g.graph.findValue("overflow")).known());
    }
};

QTEST_APPLESS_MAIN(TestShapeInference)
#include "tst_shape_inference.moc"
