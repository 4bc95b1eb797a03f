#include "app/output.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace fs = std::filesystem;

namespace app {

namespace {

using nlohmann::ordered_json;

template <class... Args>
std::string format(const char *pattern, Args... args)
{
    char text[512];
    std::snprintf(text, sizeof text, pattern, args...);
    return text;
}

std::string shapeText(const std::optional<core::Shape> &shape)
{
    if (!shape)
        return "unknown shape";
    std::string text;
    for (const core::Dimension &d : *shape)
        text += (text.empty() ? "" : " x ") + (d.known() ? std::to_string(d.size) : d.symbol.empty() ? "?" : d.symbol);
    return text.empty() ? "scalar" : text;
}

ordered_json valuesJson(const std::vector<core::Value> &values)
{
    ordered_json list = ordered_json::array();
    for (const core::Value &v : values) {
        ordered_json shape;
        if (v.shape) {
            shape = ordered_json::array();
            for (const core::Dimension &d : *v.shape)
                shape.push_back(d.known() ? ordered_json(d.size) : d.symbol.empty() ? ordered_json() : ordered_json(d.symbol));
        }
        list.push_back({{"name", v.name}, {"type", core::dataTypeName(v.type)}, {"shape", shape}});
    }
    return list;
}

ordered_json diagnosticsJson(const core::Diagnostics &diagnostics)
{
    ordered_json list = ordered_json::array();
    for (const core::Diagnostic &d : diagnostics)
        list.push_back({{"code", d.code}, {"node", d.node}, {"sentence", d.sentence}});
    return list;
}

ordered_json number(const std::optional<double> &value)
{
    return value ? ordered_json(*value) : ordered_json();
}

std::string percent(const std::optional<double> &value)
{
    return value ? format("%.2f %%", *value) : "-";
}

std::string speed(double imagesPerSecond)
{
    return imagesPerSecond > 0 ? withThousands(std::int64_t(imagesPerSecond + 0.5)) : "-";
}

/// At most twelve, so that a thousand unreadable images do not hide the result.
std::string diagnosticsText(const core::Diagnostics &diagnostics, core::Severity atLeast)
{
    std::string text;
    std::size_t shown = 0, hidden = 0;
    for (const core::Diagnostic &d : diagnostics) {
        if (d.severity < atLeast)
            continue;
        if (shown == 12) {
            ++hidden;
            continue;
        }
        text += "  " + d.sentence + "\n";
        ++shown;
    }
    if (hidden > 0)
        text += format("  … and %zu more\n", hidden);
    return text;
}

std::string row(int width, const char *name, const core::Evaluation &e, const std::string &speedColumn)
{
    std::string line = format("  %-*s %10s %10s", width, name, percent(e.top1).c_str(), percent(e.top5).c_str());
    if (e.agreement)
        line += format(" %10.2f %% %10.5f %8.2f dB", e.agreement->top1, e.agreement->cosine, e.agreement->sqnrDb);
    else
        line += format(" %12s %10s %11s", "-", "-", "-");
    return line + format(" %10s\n", speedColumn.c_str());
}

} // namespace

std::string withThousands(std::int64_t number)
{
    std::string digits = std::to_string(number);
    for (auto i = std::int64_t(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
        digits.insert(std::size_t(i), ",");
    return digits;
}

std::string infoToText(const fs::path &file, const core::ModelInfo &info)
{
    std::string text = file.string() + (info.quantized ? " (quantized)\n" : "\n");
    text += format("  %-12s %d\n", "opset", info.opset);
    for (const core::Value &v : info.inputs)
        text += format("  %-12s %s, %s, %s\n", "input", v.name.c_str(), core::dataTypeName(v.type).c_str(), shapeText(v.shape).c_str());
    for (const core::Value &v : info.outputs)
        text += format("  %-12s %s, %s, %s\n", "output", v.name.c_str(), core::dataTypeName(v.type).c_str(), shapeText(v.shape).c_str());
    text += format("  %-12s %s\n", "parameters", withThousands(info.parameters).c_str());
    text += format("  %-12s %s for one image\n", "MACs", withThousands(info.macs).c_str());
    text += format("  %-12s %zu, %zu after folding constants\n", "nodes", info.nodes, info.nodesAfterFolding);
    std::vector<std::pair<std::size_t, std::string>> counts;
    for (const auto &[name, count] : info.operatorCounts)
        counts.emplace_back(count, name);
    std::stable_sort(counts.begin(), counts.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
    std::string line;
    for (const auto &[count, name] : counts)
        line += (line.empty() ? "" : ", ") + name + " " + std::to_string(count);
    text += "  operators    " + line + "\n";
    text += info.unsupported.empty() ? "  unsupported  nothing\n" : "Unsupported:\n" + diagnosticsText(info.unsupported, core::Severity::Note);
    const std::string warnings = diagnosticsText(info.warnings, core::Severity::Note);
    return warnings.empty() ? text : text + "Remarks:\n" + warnings;
}

std::string infoToJson(const fs::path &file, const core::ModelInfo &info)
{
    ordered_json j;
    j["file"] = file.string();
    j["opset"] = info.opset;
    j["inputs"] = valuesJson(info.inputs);
    j["outputs"] = valuesJson(info.outputs);
    j["parameters"] = info.parameters;
    j["macs"] = info.macs;
    j["nodes"] = info.nodes;
    j["nodes_after_folding"] = info.nodesAfterFolding;
    j["operators"] = info.operatorCounts;
    j["quantized"] = info.quantized;
    j["unsupported"] = diagnosticsJson(info.unsupported);
    j["warnings"] = diagnosticsJson(info.warnings);
    return j.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

std::string evaluationToText(const core::Evaluation &e)
{
    std::string text;
    if (e.top1)
        text += format("top-1 %.3f %%, top-5 %.3f %%, ", *e.top1, e.top5.value_or(0));
    else
        text += "no labels, so no accuracy; ";
    text += format("%lld images, %s images/s\n", static_cast<long long>(e.images), speed(e.imagesPerSecond).c_str());
    return text + diagnosticsText(e.diagnostics, core::Severity::Warning);
}

std::string evaluationToJson(const core::Evaluation &e)
{
    ordered_json j;
    j["top1"] = number(e.top1);
    j["top5"] = number(e.top5);
    j["images"] = e.images;
    j["skipped"] = e.skipped;
    j["images_per_second"] = e.imagesPerSecond;
    j["warnings"] = diagnosticsJson(e.diagnostics);
    return j.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

std::string pointToText(const core::TrainingUpdate &update)
{
    const core::CurvePoint &point = update.point;
    std::string text = format("step %6lld/%lld", static_cast<long long>(point.step), static_cast<long long>(update.steps));
    text += std::isfinite(point.loss) ? format("  loss %8.4f  rate %8.2e", point.loss, point.learningRate) : std::string("  before training              ");
    if (const auto &evaluation = point.evaluation) {
        if (evaluation->top1)
            text += format("  top-1 %7.3f %%", *evaluation->top1);
        else if (evaluation->agreement)
            text += format("  same top-1 %6.2f %%  SQNR %6.2f dB", evaluation->agreement->top1, evaluation->agreement->sqnrDb);
    }
    return text + (update.best ? "  best" : "");
}

std::string reportToText(const core::Report &r, const fs::path &directory)
{
    const bool floating = r.training && r.training->method == "float";
    std::string text = r.sourceFile + (floating ? "" : ", preset " + r.preset) + (r.target.empty() ? "" : ", target " + r.target)
        + (r.training ? ", trained by " + r.training->method : "") + "\n\n";
    const bool measured = r.floating.images > 0;
    if (measured) {
        std::size_t longest = 14;
        for (const core::Judge &j : r.judges)
            longest = j.ran ? std::max(longest, j.name.size()) : longest;
        const int width = int(std::min<std::size_t>(longest, 40));
        text += format("  %-*s %10s %10s %12s %10s %11s %10s\n", width, "", "top-1", "top-5", "same top-1", "cosine", "SQNR", "images/s");
        text += row(width, "float", r.floating, speed(r.floating.imagesPerSecond));
        text += row(width, floating ? "trained" : "fake-quantized", r.quantized, speed(r.quantized.imagesPerSecond));
        text += row(width, "exported file", r.exported, speed(r.exported.imagesPerSecond));
        for (const core::Judge &j : r.judges)
            if (j.ran)
                text += format("  %-*.40s %10s %10s   largest difference %.3g\n", width, j.name.c_str(), percent(j.top1).c_str(), percent(j.top5).c_str(), j.largestDifference);
        text += "\n";
        text += format("  %lld images", static_cast<long long>(r.exported.images));
        if (r.exported.skipped > 0)
            text += format(", %lld unreadable ones skipped", static_cast<long long>(r.exported.skipped));
        text += "; ";
    } else {
        text += "  Not measured: no validation images were given.\n  ";
    }
    if (r.calibrationImages > 0)
        text += format("calibrated with %lld (%s images/s); ", static_cast<long long>(r.calibrationImages), speed(r.calibrateImagesPerSecond).c_str());
    text += format("%.1f s in all.\n", r.seconds);
    if (r.training)
        text += "  " + r.training->ending + "\n";
    text += format("  opset %d, %s bytes instead of %s.\n", r.opset, withThousands(r.fileBytes).c_str(), withThousands(r.sourceBytes).c_str());
    for (const core::Judge &j : r.judges)
        if (!j.note.empty())
            text += "  " + j.name + ": " + j.note + "\n";
    const std::string warnings = diagnosticsText(r.diagnostics, core::Severity::Warning);
    if (!warnings.empty())
        text += "\nWarnings:\n" + warnings;
    text += "\nFiles:\n  " + (directory / fs::path(r.file).filename()).string() + "\n";
    if (!r.torchScriptFile.empty())
        text += "  " + (directory / fs::path(r.torchScriptFile).filename()).string() + "\n";
    for (const char *name : {"recipe.json", "training.json", "encodings.json", "report.json", "report.html"})
        if (r.training || std::string_view(name) != "training.json")
            text += "  " + (directory / name).string() + "\n";
    return text;
}

} // namespace app
