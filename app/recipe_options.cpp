#include "app/recipe_options.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/spec/config_json.h"
#include "core/spec/quark_config.h"
#include "core/spec/target_profile.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace app {

namespace {

using core::Error;
using core::ErrorKind;

[[noreturn]] void wrong(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, usageOperation, sentence);
}

/// "352x288" → {352, 288}; "224" → {224, 224}.
std::pair<int, int> parseSize(const std::string &option, const std::string &text)
{
    const auto number = [&](std::string_view part) {
        int value = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (error != std::errc() || end != part.data() + part.size() || value < 1 || value > 65536)
            wrong(option + " takes a size such as 352x352 (width x height), not '" + text + "'.");
        return value;
    };
    const auto cross = text.find_first_of("xX");
    if (cross == std::string::npos)
        return {number(text), number(text)};
    return {number(std::string_view(text).substr(0, cross)), number(std::string_view(text).substr(cross + 1))};
}

void setObserver(core::QuantizationSpec &spec, std::string name)
{
    std::replace(name.begin(), name.end(), '-', '_');
    if (name == "best") {
        spec.bestObserver = true;
        return;
    }
    const auto kind = core::observerFromName(name);
    if (!kind)
        wrong("There is no observer '" + name + "'; known are best, min_max, moving_average_min_max, histogram_mse, percentile, "
              "entropy, pof2_min_max, pof2_mse and fixed.");
    spec.bestObserver = false;
    spec.observer = *kind;
}

core::Resampling resamplingFromName(std::string name)
{
    std::replace(name.begin(), name.end(), '-', '_');
    std::string known;
    for (const auto kind : {core::Resampling::PilBilinear, core::Resampling::PilBicubic, core::Resampling::OpenCvLinear, core::Resampling::OpenCvArea}) {
        if (core::resamplingName(kind) == name)
            return kind;
        known += (known.empty() ? "" : ", ") + std::string(core::resamplingName(kind));
    }
    wrong("There is no resampling '" + name + "'; known are " + known + ".");
}

/// "config.global.weight.dtype=int4" into the JSON of a recipe; the value is JSON, or else a string.
void assign(nlohmann::json &recipe, const std::string &assignment)
{
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0)
        wrong("--set takes KEY=VALUE, such as config.global.weight.dtype=int4, not '" + assignment + "'.");
    std::string pointer = "/" + assignment.substr(0, equals);
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const std::string text = assignment.substr(equals + 1);
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    if (value.is_discarded())
        value = text;
    try {
        recipe[nlohmann::json::json_pointer(pointer)] = value;
    } catch (const nlohmann::json::exception &) {
        wrong("--set: a recipe has no place for '" + assignment.substr(0, equals) + "'.");
    }
}

std::array<double, 3> threeNumbers(const std::string &option, const std::vector<double> &values)
{
    if (values.size() == 1)
        return {values[0], values[0], values[0]};
    if (values.size() != 3)
        wrong(option + " takes one number or three, separated by commas.");
    return {values[0], values[1], values[2]};
}

void applyGeometry(const RecipeOptions &o, core::TransformSpec &t)
{
    if (o.size && (o.crop || o.resize))
        wrong("--size stretches the whole image; it cannot be combined with --resize or --crop.");
    if (o.letterbox && o.stretch)
        wrong("--letterbox and --stretch exclude each other.");
    if ((o.letterbox || o.stretch) && (o.crop || o.resize))
        wrong("--letterbox and --stretch take the whole image; they cannot be combined with --resize or --crop.");
    if (o.size)
        std::tie(t.width, t.height) = parseSize("--size", *o.size);
    if (o.size || o.letterbox || o.stretch) {
        t.resize = o.letterbox ? core::ResizeMode::Letterbox : core::ResizeMode::Stretch;
        t.resizeTo = 0;
        t.centerCrop = false;
    }
    if (o.resize || o.crop) {
        t.resize = core::ResizeMode::ShortSide;
        t.centerCrop = true;
    }
    if (o.resize)
        t.resizeTo = *o.resize;
    if (o.crop)
        std::tie(t.width, t.height) = parseSize("--crop", *o.crop);
}

std::string join(const std::vector<std::string> &names)
{
    return CLI::detail::join(names, ", ");
}

} // namespace

void RecipeOptions::addInputOptions(CLI::App &c)
{
    const std::string group = "Input";
    c.add_option("--transform", transform, "Values of the input: imagenet, tf (-1..1), unit (0..1) or byte (0..255)")->group(group);
    c.add_option("--resize", resize, "Short side of the image before the crop")->check(CLI::Range(1, 65536))->group(group);
    c.add_option("--crop", crop, "Centre crop, N or WxH")->group(group);
    c.add_option("--size", size, "Resize the whole image to WxH (a plain resize)")->group(group);
    c.add_flag("--letterbox", letterbox, "Keep the aspect ratio and pad")->group(group);
    c.add_flag("--stretch", stretch, "Do not keep the aspect ratio")->group(group);
    c.add_flag_function("--bgr,!--rgb", [this](std::int64_t n) { bgr = n > 0; }, "Channel order blue, green, red (--rgb: the default)")->group(group);
    c.add_option("--mean", mean, "Subtracted after the division: one number or r,g,b")->delimiter(',')->expected(1, 3)->group(group);
    c.add_option("--std", stddev, "Divides last: one number or r,g,b")->delimiter(',')->expected(1, 3)->group(group);
    c.add_option("--divisor", divisor, "Divides the 8-bit values first: 255 or 1")->check(CLI::PositiveNumber)->group(group);
    c.add_option("--resampling", resampling, "pil_bilinear (antialiased, the default), pil_bicubic, opencv_linear or opencv_area")->group(group);
    c.add_flag_function("--antialias,!--no-antialias", [this](std::int64_t n) { resampling = n > 0 ? "pil_bilinear" : "opencv_linear"; },
                        "Short for --resampling pil_bilinear (opencv_linear)")->group(group);
    c.add_flag_function("--exif,!--no-exif", [this](std::int64_t n) { exif = n > 0; }, "Rotate as EXIF says")->group(group);
    c.add_option("--batch", batch, "Images in one run of the model")->check(CLI::Range(1, 4096))->group(group);
    c.add_option("--recipe", file, "Start from a saved recipe.json, or from a configuration of AMD Quark")->type_name("FILE")->group(group);
    c.add_option("--set", assignments, "Any other field of the recipe: KEY=VALUE")->type_size(1)->expected(1)->take_all()->group(group);
}

void RecipeOptions::addQuantizationOptions(CLI::App &c)
{
    const std::string group = "Quantization";
    c.add_option("--preset", preset, "One of " + join(core::presetNames()) + "; best is the default")->group(group);
    c.add_option("--target", target, "One of " + join(core::targetProfileNames()))->group(group);
    c.add_option("--observer", observer, "Of the activations: best, min_max, percentile, histogram_mse, entropy, …")->group(group);
    c.add_option("--weight-observer", weightObserver, "Of the weights")->group(group);
    c.add_option("--percentile", percentile, "Of the percentile observer")->check(CLI::Range(90.0, 100.0))->group(group);
    c.add_flag_function("--equalize,!--no-equalize", [this](std::int64_t n) { equalize = n > 0; }, "Cross-layer equalization")->group(group);
    c.add_flag_function("--bias-correction,!--no-bias-correction", [this](std::int64_t n) { biasCorrection = n > 0; }, "Correct biases for the mean error of quantized weights")->group(group);
    c.add_option("--exclude", exclude, "Node name or pattern that stays float (may be repeated)")->type_size(1)->expected(1)->take_all()->group(group);
    c.add_option("--calibration-images", calibrationImages, "At most so many images for calibration")->check(CLI::PositiveNumber)->group(group);
    c.add_option("--write-quark", quarkFile, "Also write the recipe as a configuration of AMD Quark")->type_name("FILE")->group(group);
    c.add_option("--seed", seed, "Of everything random")->group(group);
    c.add_option("--opset", opset, "Of the written file; the default is the lowest that will do")->check(CLI::Range(13, 23))->group(group);
}

core::Recipe RecipeOptions::build(const core::Recipe &base, core::Diagnostics &remarks) const
{
    core::Recipe r = base;
    if (!file.empty()) {
        const std::string text = core::readFile(file, std::int64_t(64) << 20);
        if (core::isQuarkConfig(text)) {
            core::QuarkImport import = core::recipeFromQuark(text);
            import.recipe.transform = base.transform; // Quark says nothing of images
            r = std::move(import.recipe);
            remarks = std::move(import.diagnostics);
        } else {
            r = core::recipeFromJson(text);
        }
    }
    if (preset) {
        const core::Recipe named = core::presetRecipe(*preset);
        r.preset = named.preset;
        r.equalize = named.equalize;
        r.biasCorrection = named.biasCorrection;
    }
    if (target) {
        core::targetProfile(*target); // names the known ones
        r.target = *target;
    }
    if (observer) {
        setObserver(r.config.global.inputTensors, *observer);
        setObserver(r.config.global.outputTensors, *observer);
    }
    if (weightObserver)
        setObserver(r.config.global.weight, *weightObserver);
    if (percentile)
        r.config.global.inputTensors.percentile = r.config.global.outputTensors.percentile = *percentile;
    r.equalize = equalize.value_or(r.equalize);
    r.biasCorrection = biasCorrection.value_or(r.biasCorrection);
    r.config.exclude.insert(r.config.exclude.end(), exclude.begin(), exclude.end());
    r.calibrationImages = calibrationImages.value_or(r.calibrationImages);
    r.seed = seed.value_or(r.seed);
    r.opset = opset.value_or(r.opset);
    r.batchSize = batch.value_or(r.batchSize);

    if (transform)
        r.transform = core::transformPreset(*transform);
    applyGeometry(*this, r.transform);
    if (bgr)
        r.transform.order = *bgr ? core::ChannelOrder::Bgr : core::ChannelOrder::Rgb;
    if (!mean.empty())
        r.transform.mean = threeNumbers("--mean", mean);
    if (!stddev.empty())
        r.transform.stddev = threeNumbers("--std", stddev);
    for (const double s : r.transform.stddev)
        if (s == 0)
            wrong("--std must not be 0.");
    r.transform.divisor = divisor.value_or(r.transform.divisor);
    r.transform.exifRotation = exif.value_or(r.transform.exifRotation);
    if (resampling)
        r.transform.resampling = resamplingFromName(*resampling);

    if (!assignments.empty()) {
        auto json = nlohmann::json::parse(core::recipeToJson(r));
        for (const std::string &assignment : assignments)
            assign(json, assignment);
        r = core::recipeFromJson(json.dump());
    }
    return r;
}

} // namespace app
