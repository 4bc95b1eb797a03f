#include "core/base/error.h"
#include "core/spec/recipe.h"

#include <QtTest/QtTest>

using namespace core;

namespace {

Config effective(const std::string &preset, const std::string &target = {})
{
    Recipe recipe = presetRecipe(preset);
    recipe.target = target;
    return effectiveConfig(recipe);
}

} // namespace

class TestRecipe : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void a8w8IsTheFormOfAmd()
    {
        const Config config = effective("a8w8");
        for (const QuantizationSpec &spec : {config.global.inputTensors, config.global.outputTensors, config.global.weight}) {
            QCOMPARE(spec.dtype, QuantDtype::Int8);
            QCOMPARE(spec.symmetric, true);
            QCOMPARE(spec.observer, ObserverKind::MinMax);
        }
        QCOMPARE(config.global.weight.qscheme, Granularity::PerTensor);
        QVERIFY(config.global.bias.empty()); // int32 with the derived scale
        // The same with a target that has other defaults, so that results can be compared.
        QVERIFY(effective("a8w8", "onnxruntime-cpu") == config);
    }

    void perChannel()
    {
        const Config config = effective("a8w8-per-channel");
        QCOMPARE(config.global.inputTensors.dtype, QuantDtype::UInt8);
        QCOMPARE(config.global.outputTensors.symmetric, false);
        QCOMPARE(config.global.weight.qscheme, Granularity::PerChannel);
        QCOMPARE(config.global.weight.dtype, QuantDtype::Int8);
    }

    void bestFollowsTheTarget()
    {
        QVERIFY(presetRecipe("best").biasCorrection);
        QVERIFY(!presetRecipe("best").equalize);
        QCOMPARE(effective("best").global.inputTensors.bestObserver, true);
        QCOMPARE(effective("best").global.inputTensors.dtype, QuantDtype::UInt8);
        QCOMPARE(effective("best", "tensorrt").global.inputTensors.dtype, QuantDtype::Int8);
        QCOMPARE(effective("best", "tensorrt").global.inputTensors.symmetric, true);
        QCOMPARE(effective("best", "xint8").global.weight.qscheme, Granularity::PerTensor);
        QCOMPARE(effective("best", "xint8").global.weight.scaleType, ScaleType::PowerOfTwo);
    }

    void otherPresets()
    {
        QCOMPARE(effective("a16w8").global.inputTensors.dtype, QuantDtype::UInt16);
        QCOMPARE(effective("a8w4").global.weight.dtype, QuantDtype::Int4);
        QCOMPARE(effective("a8w4").global.weight.observer, ObserverKind::HistogramMse);
        QCOMPARE(effective("pof2-ceil").global.weight.observer, ObserverKind::Pof2MinMax);
        QCOMPARE(effective("pof2-mse").global.outputTensors.pof2Rounding, PowerOfTwoRounding::Mse);
    }

    void theUserWins()
    {
        Recipe recipe = presetRecipe("a8w8");
        recipe.config.global.inputTensors.observer = ObserverKind::Entropy;
        recipe.config.byOpType["Conv"].weight.dtype = QuantDtype::Int4;
        const Config config = effectiveConfig(recipe);
        QCOMPARE(config.global.inputTensors.observer, ObserverKind::Entropy);
        QCOMPARE(config.global.inputTensors.dtype, QuantDtype::Int8);
        QCOMPARE(config.byOpType.at("Conv").weight.dtype, QuantDtype::Int4);
    }

    void everyPresetHasADescription()
    {
        for (const std::string &name : presetNames())
            QVERIFY(!presetLayers(name).description.empty());
        QVERIFY_EXCEPTION_THROWN(presetRecipe("a1"), Error);
    }

    void transforms()
    {
        QCOMPARE(transformPreset("tf").mean[1], 0.5);
        QCOMPARE(transformPreset("imagenet").stddev[0], 0.229);
        QCOMPARE(transformPreset("unit").divisor, 255.0);
        QCOMPARE(transformPreset("byte").divisor, 1.0);
        QVERIFY_EXCEPTION_THROWN(transformPreset("torch"), Error);
    }
};

QTEST_APPLESS_MAIN(TestRecipe)
#include "tst_recipe.moc"
