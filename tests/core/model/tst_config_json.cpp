#include "core/base/error.h"
#include "core/spec/config_json.h"

#include <QtTest/QtTest>

#include <nlohmann/json.hpp>

using namespace core;

namespace {

QuantizationSpec everyField()
{
    QuantizationSpec spec;
    spec.dtype = QuantDtype::UInt16;
    spec.qscheme = Granularity::PerGroup;
    spec.chAxis = 1;
    spec.groupSize = 32;
    spec.symmetric = false;
    spec.observer = ObserverKind::Percentile;
    spec.percentile = 99.9;
    spec.fixedRange = Range{-1.5, 0.1};
    spec.scaleType = ScaleType::PowerOfTwo;
    spec.pof2Rounding = PowerOfTwoRounding::Nearest;
    spec.narrowRange = true;
    spec.roundMethod = RoundMethod::Floor;
    spec.isDynamic = true;
    spec.qat = QatMethod::Tqt;
    return spec;
}

Config everything()
{
    Config config;
    config.global.inputTensors = everyField();
    config.global.weight.bestObserver = true;
    config.byOpType["Conv"].weight.dtype = QuantDtype::Int4;
    Rule rule{"op:Conv group>1", {}, true};
    rule.config.bias.dtype = QuantDtype::Float32;
    rule.config.outputTensors.qat = QatMethod::Lsq;
    config.rules = {rule, {"name:*head*", {}, false}};
    config.byNode["conv.1/x"].outputTensors.narrowRange = false;
    config.byNode["empty"] = {};
    config.exclude = {"a*", "b"};
    config.quantizeInputs = config.quantizeOutputs = false;
    config.reduceRange = true;
    config.disabledEdges["add"] = {0, 1};
    config.splitConcats = {"cat"};
    return config;
}

QString refusal(const std::string &text)
{
    try {
        recipeFromJson(text);
    } catch (const Error &error) {
        return QString::fromStdString(error.sentence());
    }
    return "(accepted)";
}

} // namespace

class TestConfigJson : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void configRoundTrip()
    {
        const Config config = everything();
        QVERIFY(configFromJson(configToJson(config)) == config);
        QVERIFY(configFromJson(configToJson(Config{})) == Config{});
        QCOMPARE(configToJson(Config{}), std::string("{\n  \"schema_version\": 1\n}\n"));
    }

    void oddObserverSettingsSurvive()
    {
        for (const auto &best : {std::optional<bool>{}, std::optional<bool>{false}, std::optional<bool>{true}})
            for (const auto &observer : {std::optional<ObserverKind>{}, std::optional<ObserverKind>{ObserverKind::Entropy}}) {
                Config config;
                config.global.weight.bestObserver = best;
                config.global.weight.observer = observer;
                QVERIFY(configFromJson(configToJson(config)) == config);
            }
    }

    void writtenForm()
    {
        const auto json = nlohmann::json::parse(configToJson(everything()));
        QCOMPARE(json["global"]["input_tensors"].dump(), std::string(
            R"({"ch_axis":1,"dtype":"uint16","fixed_range":[-1.5,0.1],"group_size":32,"is_dynamic":true,"observer":"percentile","percentile":99.9,)"
            R"("pof2_rounding":"nearest","qat":"tqt","qscheme":"per_group","round_method":"floor","scale_type":"pof2","symmetric":false,"symmetric_range":"narrow"})"));
        QCOMPARE(json["global"]["weight"].dump(), std::string(R"({"observer":"best"})"));
        QCOMPARE(json["rules"][0]["bias"].dump(), std::string(R"({"dtype":"float32"})"));
        QCOMPARE(json["disabled_edges"].dump(), std::string(R"({"add":[0,1]})"));
    }

    void recipeRoundTrip()
    {
        Recipe recipe = presetRecipe("a8w4");
        recipe.target = "qnn";
        recipe.config = everything();
        recipe.transform = transformPreset("imagenet");
        recipe.transform.width = 320;
        recipe.transform.resize = ResizeMode::Letterbox;
        recipe.transform.order = ChannelOrder::Bgr;
        recipe.transform.resampling = Resampling::OpenCvArea;
        recipe.transform.padColor = {1, 2, 3};
        recipe.equalize = true;
        recipe.biasCorrection = false;
        recipe.calibrationImages = 17;
        recipe.batchSize = 3;
        recipe.seed = 18446744073709551615ull;
        recipe.opset = 19;
        QVERIFY(recipeFromJson(recipeToJson(recipe)) == recipe);
        QVERIFY(recipeFromJson(recipeToJson(Recipe{})) == Recipe{});
    }

    void shortRecipeTakesThePresets()
    {
        const Recipe recipe = recipeFromJson(R"({"preset": "best", "transform": {"preset": "tf", "width": 96}})");
        QVERIFY(recipe.biasCorrection);
        QCOMPARE(recipe.transform.mean[0], 0.5);
        QCOMPARE(recipe.transform.width, 96);
        QVERIFY(!recipeFromJson(R"({"preset": "a8w8"})").biasCorrection);
    }

    void refusals_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("expected");
        QTest::newRow("unknown field") << R"({"config": {"global": {"weight": {"dtyp": "int8"}}}})"
            << "'config.global.weight.dtyp' is not a known field; the fields here are best_observer, ch_axis, dtype, fixed_range, group_size, is_dynamic, observer, "
               "percentile, pof2_rounding, qat, qscheme, round_method, scale_type, symmetric, symmetric_range.";
        QTest::newRow("wrong name") << R"({"config": {"rules": [{"query": "op:Conv", "weight": {"qscheme": "per_row"}}]}})"
            << "'config.rules[0].weight.qscheme' cannot be 'per_row'; it is one of per_tensor, per_channel, per_group.";
        QTest::newRow("wrong type") << R"({"config": {"nodes": {"c": {"bias": {"symmetric": 1}}}}})" << "'config.nodes.c.bias.symmetric' must be true or false, not 1.";
        QTest::newRow("fraction") << R"({"opset": 13.5})" << "'opset' must be a whole number, not 13.5.";
        QTest::newRow("too large") << R"({"opset": 4294967296})" << "'opset' must be a whole number, not 4294967296.";
        QTest::newRow("range") << R"({"config": {"global": {"weight": {"fixed_range": [1, -1]}}}})" << "'config.global.weight.fixed_range' must be [minimum, maximum], not [1,-1].";
        QTest::newRow("percentile") << R"({"config": {"global": {"weight": {"percentile": 50}}}})" << "'config.global.weight.percentile' must lie between 90 and 100.";
        QTest::newRow("preset") << R"({"preset": "a3"})" << "There is no preset 'a3'; the presets are a8w8, a8w8-per-channel, best, a16w8, a8w4, pof2-ceil, pof2-mse.";
        QTest::newRow("version") << R"({"schema_version": 2})" << "'schema_version' is 2, this program reads version 1.";
        QTest::newRow("list") << R"([])" << "The document must be an object, not array.";
        QTest::newRow("edge") << R"({"config": {"disabled_edges": {"add": ["0"]}}})" << "'config.disabled_edges.add[0]' must be a whole number, not \"0\".";
        QTest::newRow("resize") << R"({"transform": {"resize": "big"}})" << "'transform.resize' cannot be 'big'; it is one of none, short_side, stretch, letterbox.";
        QTest::newRow("no query") << R"({"config": {"rules": [{}]}})" << "'config.rules[0]' has no query.";
    }
    void refusals()
    {
        QFETCH(QString, text);
        QFETCH(QString, expected);
        QCOMPARE(refusal(text.toStdString()), expected);
    }

    void notJson() { QVERIFY(refusal("{\"preset\": ").startsWith("This is not JSON: ")); }
};

QTEST_APPLESS_MAIN(TestConfigJson)
#include "tst_config_json.moc"
