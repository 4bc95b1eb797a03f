#include "core/spec/recipe.h"

#include "core/base/error.h"
#include "core/spec/target_profile.h"

namespace core {

namespace {

QuantizationConfig layers(const QuantizationSpec &activation, const QuantizationSpec &weight)
{
    QuantizationConfig config;
    config.inputTensors = config.outputTensors = activation;
    config.weight = weight;
    return config;
}

QuantizationSpec integers(QuantDtype dtype, bool symmetric)
{
    QuantizationSpec spec;
    spec.dtype = dtype;
    spec.symmetric = symmetric;
    return spec;
}

QuantizationSpec observed(ObserverKind kind)
{
    QuantizationSpec spec;
    spec.observer = kind;
    return spec;
}

QuantizationSpec weights(QuantDtype dtype, Granularity granularity, std::optional<ObserverKind> observer = {})
{
    QuantizationSpec spec = integers(dtype, true);
    spec.qscheme = granularity;
    spec.observer = observer;
    return spec;
}

PresetLayers powerOfTwo(ObserverKind observer, PowerOfTwoRounding rounding, std::string description)
{
    PresetLayers preset;
    QuantizationSpec activation = integers(QuantDtype::Int8, true);
    activation.observer = observer;
    activation.scaleType = ScaleType::PowerOfTwo;
    activation.pof2Rounding = rounding;
    QuantizationSpec weight = activation;
    weight.qscheme = Granularity::PerTensor;
    preset.fixed = layers(activation, weight);
    preset.description = std::move(description);
    return preset;
}

} // namespace

std::vector<std::string> presetNames()
{
    return {"a8w8", "a8w8-per-channel", "best", "a16w8", "a8w4", "pof2-ceil", "pof2-mse"};
}

PresetLayers presetLayers(const std::string &name)
{
    PresetLayers preset;
    if (name == "a8w8") {
        QuantizationSpec activation = integers(QuantDtype::Int8, true);
        activation.observer = ObserverKind::MinMax;
        preset.fixed = layers(activation, weights(QuantDtype::Int8, Granularity::PerTensor, ObserverKind::MinMax));
        preset.description = "int8 symmetric weights and activations, one scale a tensor, min-max";
    } else if (name == "a8w8-per-channel") {
        preset.suggested = layers(integers(QuantDtype::UInt8, false), {});
        preset.fixed = layers(observed(ObserverKind::MinMax), weights(QuantDtype::Int8, Granularity::PerChannel, ObserverKind::MinMax));
        preset.description = "int8 weights with one scale a channel, uint8 activations, min-max";
    } else if (name == "best") {
        preset.suggested = layers(integers(QuantDtype::UInt8, false), weights(QuantDtype::Int8, Granularity::PerChannel, ObserverKind::MinMax));
        QuantizationSpec best;
        best.bestObserver = true;
        preset.fixed = layers(best, {});
        preset.description = "int8 weights with one scale a channel, uint8 activations, the observer with the least error, bias correction";
    } else if (name == "a16w8") {
        QuantizationSpec activation = integers(QuantDtype::UInt16, false);
        activation.observer = ObserverKind::MinMax;
        preset.fixed = layers(activation, weights(QuantDtype::Int8, Granularity::PerChannel, ObserverKind::MinMax));
        preset.description = "int8 weights with one scale a channel, uint16 activations, min-max";
    } else if (name == "a8w4") {
        preset.suggested = layers(integers(QuantDtype::UInt8, false), {});
        QuantizationSpec best;
        best.bestObserver = true;
        preset.fixed = layers(best, weights(QuantDtype::Int4, Granularity::PerChannel, ObserverKind::HistogramMse));
        preset.description = "int4 weights with one scale a channel (least squares), 8-bit activations, bias correction";
    } else if (name == "pof2-ceil") {
        preset = powerOfTwo(ObserverKind::Pof2MinMax, PowerOfTwoRounding::Ceil, "int8 with power-of-two scales that never clip, one a tensor");
    } else if (name == "pof2-mse") {
        preset = powerOfTwo(ObserverKind::Pof2Mse, PowerOfTwoRounding::Mse, "int8 with power-of-two scales of least squared error, one a tensor");
    } else {
        std::string names;
        for (const std::string &known : presetNames())
            names += (names.empty() ? "" : ", ") + known;
        throw Error(ErrorKind::InvalidInput, "recipe", "There is no preset '" + name + "'; the presets are " + names + ".");
    }
    return preset;
}

Recipe presetRecipe(const std::string &name)
{
    presetLayers(name);
    Recipe recipe;
    recipe.preset = name;
    recipe.biasCorrection = name == "best" || name == "a8w4";
    return recipe;
}

Config effectiveConfig(const Recipe &recipe)
{
    const PresetLayers preset = presetLayers(recipe.preset);
    Config config = recipe.config;
    config.global = preset.suggested;
    config.global.overlay(targetProfile(recipe.target).defaults);
    config.global.overlay(preset.fixed);
    config.global.overlay(recipe.config.global);
    return config;
}

TransformSpec transformPreset(const std::string &name)
{
    TransformSpec spec;
    spec.preset = name;
    if (name == "imagenet") {
        spec.mean = {0.485, 0.456, 0.406};
        spec.stddev = {0.229, 0.224, 0.225};
    } else if (name == "tf") {
        spec.mean = {0.5, 0.5, 0.5};
        spec.stddev = {0.5, 0.5, 0.5};
    } else if (name == "byte") {
        spec.divisor = 1;
    } else if (name != "unit") {
        throw Error(ErrorKind::InvalidInput, "recipe",
                    "There is no transform '" + name + "'; the transforms are imagenet, tf, unit, byte.");
    }
    return spec;
}

} // namespace core
