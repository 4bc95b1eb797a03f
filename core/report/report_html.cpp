#include "core/report/report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace core {

namespace {

std::string escaped(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

std::string number(double value, int digits)
{
    if (std::isnan(value))
        return "–";
    if (std::isinf(value))
        return value > 0 ? "∞" : "−∞";
    std::array<char, 400> buffer;
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits);
    return error == std::errc{} ? std::string(buffer.data(), end) : "–";
}

std::string significant(double value)
{
    if (!std::isfinite(value))
        return number(value, 0);
    std::array<char, 64> buffer;
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, 4);
    return error == std::errc{} ? std::string(buffer.data(), end) : "–";
}

std::string megabytes(std::int64_t bytes)
{
    return bytes < 1000000 ? number(double(bytes) / 1e3, 1) + " kB" : number(double(bytes) / 1e6, 2) + " MB";
}

std::string percent(const std::optional<double> &value)
{
    return value ? number(*value, 2) + " %" : "–";
}

/// Bars on a logarithmic scale, so that tails show; the chosen range is tinted.
std::string histogramSvg(const LayerRow &row)
{
    if (row.histogram.empty() || !(row.histogramBarWidth > 0))
        return {};
    constexpr double width = 180, height = 34;
    const double left = row.histogram.front().first, right = row.histogram.back().first + row.histogramBarWidth;
    const auto x = [&](double value) { return std::clamp((value - left) / (right - left), 0.0, 1.0) * width; };
    std::uint64_t most = 1;
    for (const auto &[edge, count] : row.histogram)
        most = std::max(most, count);
    std::string svg = "<svg viewBox=\"0 0 180 34\" width=\"180\" height=\"34\" role=\"img\" aria-label=\"histogram of " + escaped(row.tensor) + "\">";
    svg += "<rect class=\"range\" x=\"" + number(x(row.rangeMin), 2) + "\" y=\"0\" width=\"" + number(std::max(0.5, x(row.rangeMax) - x(row.rangeMin)), 2)
        + "\" height=\"34\"/><path d=\"";
    for (const auto &[edge, count] : row.histogram) {
        if (count == 0)
            continue;
        const double bar = std::log1p(double(count)) / std::log1p(double(most)) * height;
        svg += "M" + number(x(edge), 2) + " 34v-" + number(bar, 2) + "H" + number(x(edge + row.histogramBarWidth), 2) + "V34z";
    }
    return svg + "\"/></svg>";
}

std::string scaleText(const LayerRow &row)
{
    if (row.scales.empty())
        return "–";
    const auto [low, high] = std::minmax_element(row.scales.begin(), row.scales.end());
    if (row.scales.size() == 1)
        return significant(double(*low));
    return significant(double(*low)) + " … " + significant(double(*high)) + " (" + std::to_string(row.scales.size()) + ")";
}

std::string zeroPointText(const LayerRow &row)
{
    if (row.zeroPoints.empty())
        return "–";
    const auto [low, high] = std::minmax_element(row.zeroPoints.begin(), row.zeroPoints.end());
    return *low == *high ? std::to_string(*low) : std::to_string(*low) + " … " + std::to_string(*high);
}

std::string card(const std::string &title, const std::string &value, const std::string &below)
{
    return "<div class=\"card\"><h3>" + escaped(title) + "</h3><b>" + escaped(value) + "</b><span>" + escaped(below) + "</span></div>\n";
}

std::string cell(const std::string &text, const std::string &sortKey = {}, const char *className = "")
{
    std::string html = "<td";
    if (*className)
        html += std::string(" class=\"") + className + "\"";
    if (!sortKey.empty())
        html += " data-key=\"" + escaped(sortKey) + "\"";
    return html + ">" + text + "</td>";
}

std::string evaluationRow(const char *name, const Evaluation &evaluation)
{
    std::string html = std::string("<tr><th>") + name + "</th>" + cell(percent(evaluation.top1)) + cell(percent(evaluation.top5));
    const auto &agreement = evaluation.agreement;
    html += cell(agreement ? number(agreement->top1, 2) + " %" : "–") + cell(agreement ? number(agreement->cosine, 6) : "–")
        + cell(agreement ? number(agreement->sqnrDb, 1) + " dB" : "–");
    return html + cell(std::to_string(evaluation.images)) + cell(evaluation.imagesPerSecond > 0 ? number(evaluation.imagesPerSecond, 1) : "–") + "</tr>\n";
}

constexpr std::string_view style = R"(<style>
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1d2327;--soft:#5c6870;--line:#d9dee1;--card:#fff;--bar:#3b6ea5;--range:#3b6ea522;--warn:#9a5b00;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--bg:#16191c;--fg:#e4e7e9;--soft:#9aa6ad;--line:#333a40;--card:#1e2327;--bar:#7fb0e0;--range:#7fb0e026;--warn:#e0a458;--bad:#f2867e}}
body{margin:2rem auto;max-width:100rem;padding:0 1.5rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .6rem}p.sub{color:var(--soft);margin:.2rem 0 1.4rem;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem}
.card h3{margin:0;font-size:.8rem;font-weight:500;color:var(--soft)}.card b{display:block;font-size:1.4rem}.card span{font-size:.8rem;color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.87rem}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;font-variant-numeric:tabular-nums}
thead th{color:var(--soft);font-weight:500;white-space:nowrap}th[data-sort]{cursor:pointer}th[data-sort]:hover{color:var(--fg)}
td.name{overflow-wrap:anywhere;min-width:14rem}td.name small{display:block;color:var(--soft)}td.why{color:var(--soft);min-width:26rem}td.number{white-space:nowrap}
svg path{fill:var(--bar)}svg .curve{fill:none;stroke:var(--bar);stroke-width:1.5}svg text{fill:var(--soft);font-size:11px}svg .range{fill:var(--range)}li.warning{color:var(--warn)}li.problem{color:var(--bad)}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem;overflow-x:auto;font-size:.8rem}
</style>
)";

constexpr std::string_view script = R"(<script>
document.querySelectorAll("th[data-sort]").forEach(function(head){head.onclick=function(){
var body=head.closest("table").tBodies[0],col=head.cellIndex,up=head.dataset.up!=="1";head.dataset.up=up?"1":"0";
var key=function(row){var c=row.cells[col],k=c.dataset.key;return k===undefined?c.textContent:parseFloat(k)};
Array.from(body.rows).map(function(r,i){return[key(r),i,r]}).sort(function(a,b){
var d=typeof a[0]==="number"?a[0]-b[0]:a[0].localeCompare(b[0],undefined,{numeric:true});return(up?d:-d)||a[1]-b[1]}).forEach(function(e){body.append(e[2])})}});
</script>
)";

std::string layerTable(const Report &report)
{
    std::string html = "<h2>Quantizers</h2>\n<p class=\"sub\">A click on a heading sorts. Histograms are logarithmic; the tinted part is the range that was chosen.</p>\n"
                       "<div class=\"scroll\"><table><thead><tr>";
    for (const char *head : {"#", "Tensor", "Kind", "Type", "SQNR dB"})
        html += std::string("<th data-sort>") + head + "</th>";
    html += "<th>Histogram</th>";
    for (const char *head : {"Range", "Scale", "Zero point", "Seen", "Observer"})
        html += std::string("<th data-sort>") + head + "</th>";
    html += "<th>Why</th></tr></thead><tbody>\n";
    std::size_t index = 0;
    for (const LayerRow &row : report.layers) {
        const std::string scaleKey = row.scales.empty() ? "0" : significant(double(*std::max_element(row.scales.begin(), row.scales.end())));
        html += "<tr>" + cell(std::to_string(index), std::to_string(index))
            + cell(escaped(row.tensor) + "<small>" + escaped(row.opType) + " " + escaped(row.node) + "</small>", {}, "name") + cell(escaped(row.kind))
            + cell(escaped(row.badge)) + cell(number(row.sqnrDb, 1), std::isfinite(row.sqnrDb) ? significant(row.sqnrDb) : "1e9", "number")
            + cell(histogramSvg(row)) + cell(significant(row.rangeMin) + " … " + significant(row.rangeMax), significant(row.rangeMax - row.rangeMin), "number")
            + cell(scaleText(row), scaleKey, "number") + cell(zeroPointText(row), {}, "number")
            + cell(significant(row.seenMin) + " … " + significant(row.seenMax), significant(row.seenMax - row.seenMin), "number") + cell(escaped(row.observer))
            + cell(escaped(row.reason) + (row.provenance.empty() ? "" : " <i>" + escaped(row.provenance) + "</i>"), {}, "why") + "</tr>\n";
        ++index;
    }
    return html + "</tbody></table></div>\n";
}

std::string judgeTable(const Report &report)
{
    std::string html = "<h2>Who ran the file</h2>\n<div class=\"scroll\"><table><thead><tr><th>Judge</th><th>Top-1</th><th>Top-5</th>"
                       "<th>Largest difference</th><th>Mean difference</th><th>Note</th></tr></thead><tbody>\n";
    for (const Judge &judge : report.judges)
        html += "<tr>" + cell(escaped(judge.name)) + cell(percent(judge.top1)) + cell(percent(judge.top5))
            + cell(judge.ran ? significant(judge.largestDifference) : "–") + cell(judge.ran ? significant(judge.meanDifference) : "–")
            + cell(escaped(judge.ran || !judge.note.empty() ? judge.note : "did not run")) + "</tr>\n";
    return html + "</tbody></table></div>\n";
}

/// One curve over the steps; points that are not finite are left out.
std::string curveSvg(const std::string &title, const std::vector<std::pair<double, double>> &points, const char *unit)
{
    constexpr double width = 420, height = 150, left = 4, top = 16, bottom = 132;
    double lastStep = 1, low = std::numeric_limits<double>::infinity(), high = -low;
    for (const auto &[step, value] : points) {
        lastStep = std::max(lastStep, step);
        low = std::min(low, value);
        high = std::max(high, value);
    }
    if (points.size() < 2)
        return {};
    const double span = high > low ? high - low : 1;
    std::string line;
    for (const auto &[step, value] : points)
        line += number(left + step / lastStep * (width - 2 * left), 1) + "," + number(bottom - (value - low) / span * (bottom - top), 1) + " ";
    const std::string label = escaped(title) + " " + significant(low) + " … " + significant(high) + unit + ", last " + significant(points.back().second) + unit;
    return "<svg viewBox=\"0 0 420 150\" width=\"" + number(width, 0) + "\" height=\"" + number(height, 0) + "\" role=\"img\" aria-label=\"" + label
        + "\"><text x=\"4\" y=\"11\">" + label + "</text><polyline class=\"curve\" points=\"" + line + "\"/><text x=\"4\" y=\"147\">0 … " + number(lastStep, 0)
        + " steps</text></svg>\n";
}

std::string trainingSection(const TrainingRecord &record)
{
    std::vector<std::pair<double, double>> losses, accuracies, agreements;
    for (const CurvePoint &point : record.curve) {
        if (std::isfinite(point.loss))
            losses.emplace_back(double(point.step), point.loss);
        if (point.evaluation && point.evaluation->top1)
            accuracies.emplace_back(double(point.step), *point.evaluation->top1);
        if (point.evaluation && point.evaluation->agreement)
            agreements.emplace_back(double(point.step), point.evaluation->agreement->sqnrDb);
    }
    return "<h2>Training</h2>\n<p class=\"sub\">" + escaped(record.method) + " · " + std::to_string(record.steps) + " steps · " + number(record.seconds, 1) + " s · "
        + escaped(record.ending) + "</p>\n" + curveSvg("Loss", losses, "") + curveSvg("Top-1", accuracies, " %") + curveSvg("SQNR of the outputs", agreements, " dB")
        + (record.specJson.empty() ? "" : "<details><summary>training.json</summary><pre>" + escaped(record.specJson) + "</pre></details>\n");
}

} // namespace

std::string reportToHtml(const Report &report)
{
    std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>"
        + escaped(report.file) + "</title>\n";
    html += style;
    html += "</head><body>\n<h1>" + escaped(report.file.substr(report.file.find_last_of('/') + 1)) + "</h1>\n<p class=\"sub\">" + escaped(report.program) + " · from " + escaped(report.sourceFile)
        + " · preset " + escaped(report.preset) + (report.target.empty() ? "" : " · target " + escaped(report.target)) + " · opset "
        + std::to_string(report.opset) + "</p>\n<div class=\"cards\">\n";
    const Evaluation &last = report.exported.images > 0 ? report.exported : report.quantized;
    if (report.floating.top1 && last.top1) {
        html += card("Float top-1", percent(report.floating.top1), "top-5 " + percent(report.floating.top5));
        html += card("Exported top-1", percent(last.top1), number(*last.top1 - *report.floating.top1, 2) + " points · top-5 " + percent(last.top5));
    }
    if (last.agreement)
        html += card("Agreement with float", number(last.agreement->top1, 2) + " %",
                     "cosine " + number(last.agreement->cosine, 5) + " · SQNR " + number(last.agreement->sqnrDb, 1) + " dB");
    const bool sizes = report.sourceBytes > 0 && report.fileBytes > 0;
    html += card("Size", megabytes(report.fileBytes),
                 sizes ? number(100.0 * double(report.fileBytes) / double(report.sourceBytes), 1) + " % of " + megabytes(report.sourceBytes) : "");
    html += card("Calibration images", std::to_string(report.calibrationImages), number(report.calibrateImagesPerSecond, 1) + " images/s");
    html += card("Time", number(report.seconds, 1) + " s", report.frozenEqual ? "equal before and after freezing" : "differs before and after freezing");
    html += "</div>\n<h2>Accuracy and speed</h2>\n<div class=\"scroll\"><table><thead><tr><th></th><th>Top-1</th><th>Top-5</th><th>Agreement</th>"
            "<th>Cosine</th><th>SQNR</th><th>Images</th><th>Images/s</th></tr></thead><tbody>\n";
    html += evaluationRow("Float", report.floating) + evaluationRow("Quantized", report.quantized) + evaluationRow("Exported file", report.exported);
    html += "</tbody></table></div>\n";
    if (report.training)
        html += trainingSection(*report.training);
    if (!report.judges.empty())
        html += judgeTable(report);
    if (!report.diagnostics.empty()) {
        html += "<h2>Warnings and notes</h2>\n<ul>\n";
        for (const Diagnostic &diagnostic : report.diagnostics)
            html += std::string("<li class=\"") + (diagnostic.severity == Severity::Problem ? "problem" : diagnostic.severity == Severity::Warning ? "warning" : "note")
                + "\">" + escaped(diagnostic.sentence) + "</li>\n";
        html += "</ul>\n";
    }
    if (!report.layers.empty())
        html += layerTable(report);
    if (!report.recipeJson.empty())
        html += "<h2>Recipe</h2>\n<details><summary>recipe.json</summary><pre>" + escaped(report.recipeJson) + "</pre></details>\n";
    html += script;
    return html + "</body></html>\n";
}

} // namespace core
