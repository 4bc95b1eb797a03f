// The names and the form are those of QConfig.to_dict() in amd-quark 0.13 (quark/torch/quantization/config).
#include "core/base/atomic_file.h"
#include "core/spec/placement.h"
#include "core/spec/quark_config.h"
#include "core/spec/quark_table.h"
#include "core/spec/resolver.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

#include <nlohmann/json.hpp>

using namespace core;
using tests::TinyGraph;

namespace {

const std::string wholeTensor = R"({"dtype": "int8", "is_dynamic": false, "qscheme": "per_tensor", "ch_axis": null, "group_size": null, "symmetric": true,
    "round_method": "half_even", "scale_type": "float", "observer_cls": "PerTensorMinMaxObserver"})";

/// A configuration whose global weight is `wholeTensor` with some fields replaced.
std::string withWeight(const std::string &fields)
{
    auto weight = nlohmann::json::parse(wholeTensor);
    weight.update(nlohmann::json::parse(fields));
    return nlohmann::json{{"global_quant_config", {{"weight", weight}}}}.dump();
}

QStringList sentences(const Diagnostics &diagnostics, Severity atLeast = Severity::Note)
{
    QStringList list;
    for (const Diagnostic &diagnostic : diagnostics)
        if (diagnostic.severity >= atLeast)
            list << QString::fromStdString(diagnostic.sentence);
    return list;
}

/// stem → Relu → deconv → Flatten → fc
TinyGraph network()
{
    TinyGraph g;
    ValueId v = g.node("Relu", "act", {g.conv("stem", g.input("x"), 3, 4)});
    v = g.node("ConvTranspose", "deconv", {v, g.constant("deconv.w", {4, 2, 2, 2}), g.constant("deconv.b", {2})});
    v = g.node("Flatten", "flat", {v});
    g.output(g.node("Gemm", "fc", {v, g.constant("fc.w", {10, 8}), g.constant("fc.b", {10})}, {{"transB", std::int64_t(1)}}));
    return g;
}

} // namespace

class TestQuarkConfig : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fixture()
    {
        const QuarkImport read = recipeFromQuark(readFile(QUANTSCOPE_SOURCE_DIR "/tests/golden/quark_config.json"));
        const Config &config = read.recipe.config;
        const QuantizationSpec &in = config.global.inputTensors, &out = config.global.outputTensors, &weight = config.global.weight;
        QVERIFY(in.dtype == QuantDtype::Int8 && in.symmetric == true && in.observer == ObserverKind::MinMax && in.qscheme == Granularity::PerTensor);
        QVERIFY(in.narrowRange == false && in.roundMethod == RoundMethod::HalfEven && in.scaleType == ScaleType::Float && in.isDynamic == false);
        QVERIFY(out.observer == ObserverKind::Percentile && out.percentile == 99.99999999);
        QVERIFY(weight.qscheme == Granularity::PerChannel && !weight.chAxis && weight.roundMethod == RoundMethod::HalfAwayFromZero);
        QCOMPARE(config.global.bias.dtype, QuantDtype::Float32);
        QCOMPARE(config.exclude, (std::vector<std::string>{"head", "*.aux"}));

        QCOMPARE(config.rules.size(), std::size_t(2));
        QCOMPARE(config.rules[0].query, std::string("op:Gemm,MatMul"));
        const QuantizationSpec &group = config.rules[0].config.weight;
        QVERIFY(group.dtype == QuantDtype::Int4 && group.qscheme == Granularity::PerGroup && group.groupSize == 32 && !group.chAxis);
        QCOMPARE(config.rules[0].config.inputTensors.dtype, QuantDtype::Float32);
        QCOMPARE(config.rules[1].query, std::string("name:block.*"));
        QCOMPARE(config.rules[1].config.outputTensors.dtype, QuantDtype::BFloat16);
        QVERIFY(!config.rules[1].config.outputTensors.symmetric);

        const QuantizationConfig &stem = config.byNode.at("stem");
        QVERIFY(stem.outputTensors.observer == ObserverKind::Pof2Mse && stem.outputTensors.scaleType == ScaleType::PowerOfTwo);
        QVERIFY(stem.outputTensors.dtype == QuantDtype::UInt8 && stem.outputTensors.symmetric == false);
        QCOMPARE(stem.weight.dtype, QuantDtype::Float32);
        QCOMPARE(sentences(read.diagnostics, Severity::Problem), (QStringList{
            "'algo_config' asks for the algorithm 'smooth', which has no counterpart here and is not run.",
            "'layer_quant_config.stem.weight.dtype' is 'mx', which has no counterpart here; the tensor stays float."}));
        QVERIFY(sentences(read.diagnostics).contains(
            "'layer_type_quant_config.Linear.input_tensors' is not given; the layer's own configuration replaces the global one, so this tensor stays float."));
        QVERIFY(!read.recipe.biasCorrection && !read.recipe.equalize);
    }

    void observers_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("qscheme");
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("pof2");
        const auto row = [](const char *name, const char *qscheme, ObserverKind kind, bool pof2) { QTest::newRow(name) << name << qscheme << int(kind) << pof2; };
        row("PerTensorMinMaxObserver", "per_tensor", ObserverKind::MinMax, false);
        row("PerChannelMinMaxObserver", "per_channel", ObserverKind::MinMax, false);
        row("PerTensorPowOf2MinMaxObserver", "per_tensor", ObserverKind::Pof2MinMax, true);
        row("PerChannelPowOf2MinMaxObserver", "per_channel", ObserverKind::Pof2MinMax, true);
        row("PerTensorPowOf2MinMSEObserver", "per_tensor", ObserverKind::Pof2Mse, true);
        row("PerChannelPowOf2MinMSEObserver", "per_channel", ObserverKind::Pof2Mse, true);
        row("PerTensorPercentileObserver", "per_tensor", ObserverKind::Percentile, false);
        row("PerTensorMSEObserver", "per_tensor", ObserverKind::HistogramMse, false);
        row("PerTensorHistogramObserverPro", "per_tensor", ObserverKind::HistogramMse, false);
        row("LSQObserver", "per_tensor", ObserverKind::MinMax, false);
        row("TQTObserver", "per_tensor", ObserverKind::MinMax, false);
    }
    void observers()
    {
        QFETCH(QString, name);
        QFETCH(QString, qscheme);
        QFETCH(int, kind);
        QFETCH(bool, pof2);
        const nlohmann::json fields = {{"observer_cls", name.toStdString()}, {"ch_axis", 0}, {"qscheme", qscheme.toStdString()}, {"scale_type", pof2 ? "pof2" : "float"}};
        const auto read = recipeFromQuark(withWeight(fields.dump()));
        const QuantizationSpec &weight = read.recipe.config.global.weight;
        QCOMPARE(int(*weight.observer), kind);
        QCOMPARE(weight.scaleType == ScaleType::PowerOfTwo, pof2);
        if (kind == int(ObserverKind::Pof2MinMax))
            QCOMPARE(weight.pof2Rounding, PowerOfTwoRounding::Nearest);
        QCOMPARE(sentences(read.diagnostics), QStringList{});
        QCOMPARE(*weight.qat == QatMethod::Lsq, name == "LSQObserver");
        QCOMPARE(*weight.qat == QatMethod::Tqt, name == "TQTObserver");
    }

    void everyObserverNameIsWrittenOrReadOnly()
    {
        for (const quark::ObserverRow &row : quark::observers()) {
            const auto *written = quark::findObserver(row.kind, row.scaleType, row.qat, row.granularity);
            QVERIFY(written);
            QVERIFY(written->name == row.name || row.name.starts_with("PerTensorHistogramObserver"));
        }
    }

    void withoutCounterpart_data()
    {
        QTest::addColumn<QString>("fields");
        QTest::addColumn<QString>("expected");
        const QString weight = "'global_quant_config.weight.";
        QTest::newRow("observer") << R"({"observer_cls": "PerBlockMXObserver"})" << weight + "observer_cls' is 'PerBlockMXObserver', which has no counterpart here; min_max is used.";
        QTest::newRow("dtype") << R"({"dtype": "fp4"})" << weight + "dtype' is 'fp4', which has no counterpart here; the tensor stays float.";
        QTest::newRow("scale") << R"({"scale_type": "float16"})" << weight + "scale_type' is 'float16'; scales are float32 here.";
        QTest::newRow("round") << R"({"round_method": "ceil"})" << weight + "round_method' is 'ceil', which has no counterpart here; half_even is used.";
        QTest::newRow("block") << R"({"block_size": [1, 2]})" << weight + "block_size' is [1,2], which has no counterpart here and is left out.";
        QTest::newRow("zero point") << R"({"zero_point_type": "float32"})" << weight + "zero_point_type' is \"float32\", which has no counterpart here and is left out.";
        QTest::newRow("unknown") << R"({"hessian": 3})" << weight + "hessian' is 3, which has no counterpart here and is left out.";
        QTest::newRow("qscheme") << R"({"qscheme": "per_block"})" << weight + "qscheme' is 'per_block', which has no counterpart here; per_tensor is used.";
        QTest::newRow("group axis") << R"({"qscheme": "per_group", "group_size": 16, "ch_axis": 0})"
            << weight + "ch_axis' is 0: groups along the output channels have no counterpart; they run along the inputs here.";
    }
    void withoutCounterpart()
    {
        QFETCH(QString, fields);
        QFETCH(QString, expected);
        QCOMPARE(sentences(recipeFromQuark(withWeight(fields.toStdString())).diagnostics, Severity::Problem), QStringList{expected});
    }

    void refusals_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("expected");
        QTest::newRow("other") << R"({"preset": "best"})" << "There is no 'global_quant_config' object, so this is not a configuration of AMD Quark.";
        QTest::newRow("type") << R"({"global_quant_config": {"weight": 3}})" << "'global_quant_config.weight' must be an object, not number.";
        QTest::newRow("no dtype") << R"({"global_quant_config": {"weight": {}}})" << "'global_quant_config.weight' has no dtype.";
        QTest::newRow("flag") << QString::fromStdString(withWeight(R"({"symmetric": 1})")) << "'global_quant_config.weight.symmetric' must be true or false, not 1.";
        QTest::newRow("group") << QString::fromStdString(withWeight(R"({"qscheme": "per_group"})"))
            << "'global_quant_config.weight.group_size' must be at least 1 (or -1) where qscheme is per_group.";
        QTest::newRow("axis") << QString::fromStdString(withWeight(R"({"ch_axis": 1e9})")) << "'global_quant_config.weight.ch_axis' must be a whole number, not 1000000000.0.";
        QTest::newRow("exclude") << R"({"global_quant_config": {}, "exclude": "head"})" << "'exclude' must be a list, not \"head\".";
        QTest::newRow("deep") << QString(100, '[') + QString(100, ']') << "This JSON is nested deeper than 64 levels.";
    }
    void refusals()
    {
        QFETCH(QString, text);
        QFETCH(QString, expected);
        try {
            recipeFromQuark(text.toStdString());
            QFAIL("accepted");
        } catch (const Error &error) {
            QCOMPARE(QString::fromStdString(error.sentence()), expected);
        }
    }

    void recognised()
    {
        QVERIFY(isQuarkConfig(R"({"global_quant_config": {}})"));
        QVERIFY(isQuarkConfig(R"({"model_type": "x", "quantization_config": {"global_quant_config": {}}})"));
        QVERIFY(!isQuarkConfig(R"({"schema_version": 1})"));
        QVERIFY(!isQuarkConfig("[") && !isQuarkConfig("3"));
    }

    void firstPatternOfQuarkIsTheLastRule()
    {
        const auto read = recipeFromQuark(R"({"global_quant_config": {}, "layer_quant_config": {"a*": {}, "ab?": {}, "a b*": {}}})");
        QCOMPARE(read.recipe.config.rules.size(), std::size_t(2));
        QCOMPARE(read.recipe.config.rules[0].query, std::string("name:ab?"));
        QCOMPARE(read.recipe.config.rules[1].query, std::string("name:a*"));
        QCOMPARE(sentences(read.diagnostics, Severity::Problem), QStringList{"'layer_quant_config.a b*' is a pattern with a space, comma or bar, which a rule cannot hold; it is left out."});
    }

    void written()
    {
        Recipe recipe = presetRecipe("a8w8-per-channel");
        recipe.config.global.weight.narrowRange = false;
        recipe.config.rules.push_back({"op:Gemm", {}, false});
        recipe.config.rules[0].config.weight.dtype = QuantDtype::Int4;
        recipe.config.exclude = {"act"};
        const TinyGraph g = network();
        const QuarkExport out = recipeToQuark(recipe, g.graph);
        const auto json = nlohmann::json::parse(out.json);
        const auto weight = json["global_quant_config"]["weight"];
        QCOMPARE(weight.dump(), std::string(
            R"({"block_size":null,"ch_axis":0,"dtype":"int8","group_size":null,"is_dynamic":false,"is_scale_quant":false,"mx_element_dtype":null,)"
            R"("observer_cls":"PerChannelMinMaxObserver","qscheme":"per_channel","round_method":"half_even","scale_calculation_mode":null,"scale_format":null,)"
            R"("scale_type":"float","symmetric":true,"zero_point_type":"int32"})"));
        QCOMPARE(json["global_quant_config"]["input_tensors"]["dtype"], "uint8");
        QCOMPARE(json["layer_type_quant_config"].size(), std::size_t(1));
        QCOMPARE(json["layer_type_quant_config"]["ConvTranspose2d"]["weight"]["ch_axis"], 1);
        QCOMPARE(json["layer_quant_config"].size(), std::size_t(1));
        QCOMPARE(json["layer_quant_config"]["fc"]["weight"]["dtype"], "int4");
        QCOMPARE(json["layer_quant_config"]["fc"]["input_tensors"]["dtype"], "uint8");
        QCOMPARE(json["exclude"].dump(), std::string(R"(["act"])"));
        QCOMPARE(sentences(out.diagnostics), QStringList{
            "global: bias.dtype int32 has a scale of its own in Quark, not that of the input times that of the weight."});
    }

    void whatQuarkCannotSay()
    {
        Recipe recipe = presetRecipe("best");
        recipe.config.byNode["act"].outputTensors.dtype = QuantDtype::Int16;
        recipe.config.byNode["fc"].outputTensors.observer = ObserverKind::Entropy;
        recipe.config.disabledEdges["fc"] = {0};
        const TinyGraph g = network();
        QCOMPARE(sentences(recipeToQuark(recipe, g.graph).diagnostics, Severity::Problem), (QStringList{
            "global: input_tensors.observer best has no counterpart; min_max is written.",
            "global: output_tensors.observer best has no counterpart; min_max is written.",
            "global: weight.symmetric_range narrow has no counterpart; Quark divides by 127.5, not by 127.",
            "Relu 'act': the settings of Relu 'act' have no counterpart; Quark configures Conv2d, ConvTranspose2d and Linear layers only.",
            "Gemm 'fc': output_tensors.observer entropy (per_tensor, scales float, qat ste) has no counterpart; min_max is written.",
            "recipe: bias_correction has no counterpart in Quark's configuration.",
            "recipe: disabled_edges has no counterpart in Quark's configuration."}));
    }

    void thereAndBack()
    {
        Recipe recipe = presetRecipe("a8w8");
        recipe.config.global.weight.narrowRange = false;
        recipe.config.byOpType["Conv"].weight.qscheme = Granularity::PerChannel;
        recipe.config.byNode["fc"].weight.observer = ObserverKind::Pof2Mse;
        recipe.config.byNode["fc"].outputTensors.observer = ObserverKind::HistogramMse;
        const TinyGraph g = network();
        const Recipe back = recipeFromQuark(recipeToQuark(recipe, g.graph).json).recipe;
        const Config there = effectiveConfig(recipe), here = effectiveConfig(back);
        const Resolver before(g.graph, there), after(g.graph, here);
        for (const char *name : {"stem", "deconv", "fc"})
            for (std::size_t role = 0; role < 4; ++role) {
                const Scheme &a = before.node(g.nodeId(name)).roles[role].scheme, &b = after.node(g.nodeId(name)).roles[role].scheme;
                if (!(a == b))
                    QFAIL((std::string(name) + ", role " + std::to_string(role) + ": " + a.badge() + " came back as " + b.badge()).c_str());
            }
    }
};

QTEST_APPLESS_MAIN(TestQuarkConfig)
#include "tst_quark_config.moc"
