#include "app/tensor_views.h"

#include "core/spec/config_json.h"
#include "widgets/training/training_settings.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QImageReader>

#include <cmath>
#include <unordered_map>

namespace app {

using namespace core;

namespace {

constexpr std::size_t mostThumbnails = 200;
constexpr int thumbnailSize = 96;

QString tr(const char *text) { return QCoreApplication::translate("TensorViews", text); }
QString qs(const std::string &text) { return QString::fromStdString(text); }

const Point *pointOf(const Placement &placement, ValueId value)
{
    for (const Point &point : placement.points)
        if (point.value == value)
            return &point;
    return nullptr;
}

/// nullptr when nothing was seen.
std::shared_ptr<const TensorStatistics> calibrated(const Snapshot &s, ValueId value)
{
    if (!s.calibration)
        return nullptr;
    const auto found = s.calibration->statistics.find(value);
    if (found == s.calibration->statistics.end() || found->second.count == 0)
        return nullptr;
    return {s.calibration, &found->second};
}

/// The range in force under the present scheme; the codes too where one scale serves the tensor. `values`: of a constant.
void resolve(widgets::HistogramSubject &subject, const std::vector<float> &values)
{
    const Scheme &scheme = subject.scheme;
    subject.range = {subject.statistics->min, subject.statistics->max};
    subject.observer = scheme.observer;
    if (!scheme.quantized() || !isIntegerDtype(scheme.dtype))
        return;
    try {
        const ObserverResult result = !values.empty() && !scheme.bestObserver ? observeWeights(values, scheme.observerOptions())
            : scheme.bestObserver ? observeBest(*subject.statistics, scheme.observerOptions(), &subject.observer)
                                  : observe(*subject.statistics, scheme.observerOptions());
        subject.range = result.range;
        if (scheme.granularity == Granularity::PerTensor)
            subject.params = result.params;
    } catch (const Error &) { // the tensor is shown without
    }
}

double sqnrOf(const TensorStatistics &statistics, double meanSquaredError)
{
    const double signal = statistics.count ? statistics.sumOfSquares.value() / double(statistics.count) : 0;
    return meanSquaredError > 0 ? 10 * std::log10(signal / meanSquaredError) : std::numeric_limits<double>::infinity();
}

widgets::RunFigures figures(const Evaluation &e)
{
    widgets::RunFigures f;
    if (e.top1)
        f.top1 = *e.top1;
    if (e.top5)
        f.top5 = *e.top5;
    if (e.agreement)
        f.agreement = e.agreement->top1;
    return f;
}

QString summaryOf(const Recipe &recipe)
{
    QStringList parts{qs(recipe.preset)};
    if (!recipe.target.empty())
        parts << qs(recipe.target);
    if (recipe.equalize)
        parts << tr("equalized");
    const Config &c = recipe.config;
    if (!c.rules.empty())
        parts << tr("%1 rules").arg(c.rules.size());
    if (!c.byNode.empty())
        parts << tr("%1 layers of their own").arg(c.byNode.size());
    if (!c.exclude.empty())
        parts << tr("%1 excluded").arg(c.exclude.size());
    return parts.join(QStringLiteral(", "));
}

QString nameOfClass(const QStringList &names, std::int64_t index)
{
    return index < 0 ? QString() : index < names.size() ? names[qsizetype(index)] : QString::number(index);
}

} // namespace

Snapshot snapshotOf(const Document &document)
{
    return {document.prepared(), document.layers(), document.calibration()};
}

NodeId preparedNode(const Snapshot &s, NodeId id)
{
    if (!s.prepared || !s.prepared->source->contains(id))
        return {};
    const Graph &graph = *s.prepared->graph;
    const NodeId shown = graph.contains(id) ? id : s.prepared->source->producer(s.prepared->source->node(id).input(0));
    return shown.valid() && graph.contains(shown) ? shown : NodeId();
}

std::vector<TensorChoice> tensorsOf(const Snapshot &s, NodeId id)
{
    std::vector<TensorChoice> choices;
    const NodeId shown = s.layers ? preparedNode(s, id) : NodeId();
    if (!shown.valid())
        return choices;
    const Graph &graph = *s.prepared->graph;
    const Placement &placement = *s.layers->placement;
    const auto add = [&](ValueId value, TensorRole role, const QString &what) {
        if (!value.valid())
            return;
        const Point *point = pointOf(placement, value);
        const NodeId producer = graph.producer(value);
        TensorChoice choice{value, point && point->owner.valid() ? point->owner : shown, role, QStringLiteral("%1 '%2'").arg(what, qs(graph.value(value).name)), graph.isConstant(value)};
        if (role == TensorRole::Input && producer.valid() && choice.owner == producer)
            choice.role = TensorRole::Output;
        choices.push_back(choice);
    };
    const Node &node = graph.node(shown);
    ValueId output = node.output();
    for (const auto &group : placement.fusedGroups)
        if (std::find(group.begin(), group.end(), shown) != group.end())
            output = graph.node(group.back()).output();
    add(output, TensorRole::Output, tr("output"));
    if (node.output() != output)
        add(node.output(), TensorRole::Output, tr("inside"));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId value = node.inputs[i];
        if (!value.valid())
            continue;
        if (!graph.isConstant(value))
            add(value, TensorRole::Input, tr("input"));
        else if (isFloatingPoint(graph.constant(value)->type) && graph.constant(value)->count() > 0) {
            const Point *point = pointOf(placement, value);
            const bool bias = point ? point->kind == PointKind::Bias : i == 2;
            add(value, bias ? TensorRole::Bias : TensorRole::Weight, bias ? tr("bias") : tr("weight"));
        }
    }
    return choices;
}

TensorView viewOf(const Snapshot &s, const TensorChoice &choice, std::shared_ptr<const TensorStatistics> trained)
{
    TensorView view;
    widgets::HistogramSubject &subject = view.subject;
    const Graph &graph = *s.prepared->graph;
    subject.title = choice.title;
    if (choice.owner.valid() && graph.contains(choice.owner))
        subject.title = qs(graph.node(choice.owner).name) + QStringLiteral(" · ") + choice.title;
    const Point *point = pointOf(*s.layers->placement, choice.value);
    subject.scheme.dtype = QuantDtype::Float32;
    if (point)
        subject.scheme = point->scheme;
    const bool perChannel = subject.scheme.quantized() && subject.scheme.granularity == Granularity::PerChannel;
    std::vector<float> values; // of a constant
    if (trained) {
        subject.statistics = std::move(trained);
        subject.title += tr(", as it trains");
    } else if (const TensorData *data = choice.constant && graph.contains(choice.value) ? graph.constant(choice.value) : nullptr; data && isFloatingPoint(data->type)) {
        values = data->toFloats();
        if (perChannel && std::size_t(subject.scheme.channelAxis) < data->dims.size()) {
            subject.channels = int(data->dims[std::size_t(subject.scheme.channelAxis)]);
            if (choice.channel >= 0 && choice.channel < subject.channels) {
                values = widgets::channelOf(values, data->dims, subject.scheme.channelAxis, choice.channel);
                subject.channel = choice.channel;
                subject.scheme.granularity = Granularity::PerTensor;
            }
        }
        subject.statistics = std::make_shared<const TensorStatistics>(widgets::statisticsOf(values));
    } else if (!choice.constant) {
        subject.statistics = calibrated(s, choice.value);
    }
    if (!subject.statistics) {
        view.why = choice.constant ? tr("This constant holds no real numbers.")
            : s.calibration        ? tr("Nothing was seen of this tensor.")
                                   : tr("Press F5 to calibrate: the histogram shows what the images put into this tensor.");
        return view;
    }
    resolve(subject, values);
    subject.editable = point && subject.scheme.quantized() && !perChannel && subject.scheme.granularity == Granularity::PerTensor && choice.role != TensorRole::Bias;
    if (!point || !subject.scheme.quantized())
        subject.whyNotEditable = tr("This tensor is not quantized.");
    else if (choice.role == TensorRole::Bias)
        subject.whyNotEditable = tr("The scale of a bias follows from its input and weight.");
    else if (!subject.editable)
        subject.whyNotEditable = tr("Each channel has a range of its own; choose per-tensor to set one by hand.");
    if (subject.scheme.quantized() && isIntegerDtype(subject.scheme.dtype) && choice.role != TensorRole::Bias)
        view.lines = values.empty() ? widgets::observerLines(*subject.statistics, subject.scheme) : widgets::observerLines(values, subject.scheme);
    return view;
}

std::vector<widgets::TensorRanges> rangesOf(const Snapshot &s, NodeId node)
{
    std::vector<widgets::TensorRanges> all;
    for (const TensorChoice &choice : tensorsOf(s, node)) {
        const TensorView view = viewOf(s, choice);
        if (!view.why.isEmpty() || view.lines.empty() || choice.role == TensorRole::Bias)
            continue;
        widgets::TensorRanges ranges{choice.owner, choice.role, choice.title, {}};
        const Scheme &scheme = view.subject.scheme;
        const bool perTensor = scheme.granularity == Granularity::PerTensor;
        for (const widgets::ObserverLine &line : view.lines) {
            widgets::ObserverRow row;
            row.observer = line.kind;
            row.percentile = scheme.percentile;
            row.min = line.range.min;
            row.max = line.range.max;
            if (perTensor) {
                row.scale = double(line.params.scale);
                row.zeroPoint = line.params.zeroPoint;
                row.sqnr = sqnrOf(*view.subject.statistics, line.meanSquaredError);
            }
            row.inUse = !scheme.bestObserver && scheme.observer == line.kind;
            ranges.rows.push_back(row);
        }
        if (perTensor && view.subject.params) {
            widgets::ObserverRow row;
            const bool fixed = !scheme.bestObserver && scheme.observer == ObserverKind::Fixed;
            if (fixed)
                row.observer = ObserverKind::Fixed;
            else
                row.observer = widgets::BestObserver{};
            ObserverOptions options = scheme.observerOptions();
            const ObserverResult result = fixed ? observe(*view.subject.statistics, options) : observeBest(*view.subject.statistics, options);
            row.min = result.range.min;
            row.max = result.range.max;
            row.scale = double(result.params.scale);
            row.zeroPoint = result.params.zeroPoint;
            row.sqnr = sqnrOf(*view.subject.statistics, result.meanSquaredError);
            row.inUse = fixed || scheme.bestObserver;
            ranges.rows.push_back(row);
        }
        all.push_back(std::move(ranges));
    }
    return all;
}

std::shared_ptr<const widgets::RangeTable> rangeTable(const Snapshot &s, const Report *report, bool stale)
{
    auto table = std::make_shared<widgets::RangeTable>();
    if (!s.layers || !s.prepared)
        return table;
    std::unordered_map<std::string, const LayerRow *> rows;
    if (report)
        for (const LayerRow &row : report->layers)
            rows.emplace(row.kind + '\n' + row.tensor, &row);
    const Graph &graph = *s.prepared->graph;
    for (const Point &point : s.layers->placement->points) {
        if (!point.scheme.quantized())
            continue;
        widgets::RangeRow row;
        row.value = point.value;
        row.node = graph.producer(point.value);
        if (!row.node.valid())
            row.node = point.uses.empty() ? point.owner : point.uses.front().node;
        row.tensor = qs(graph.value(point.value).name);
        const char *kind = point.kind == PointKind::Activation ? "activation" : point.kind == PointKind::Weight ? "weight" : "bias";
        row.kind = QString::fromLatin1(kind);
        row.constant = graph.isConstant(point.value);
        row.badge = qs(point.scheme.badge());
        if (const auto found = rows.find(std::string(kind) + '\n' + graph.value(point.value).name); found != rows.end()) {
            const LayerRow &seen = *found->second;
            row.seenMin = seen.seenMin;
            row.seenMax = seen.seenMax;
            row.chosen = {seen.rangeMin, seen.rangeMax};
            row.scales = seen.scales;
            row.zeroPoints = seen.zeroPoints;
            row.observer = qs(seen.observer);
            row.stale = stale;
        } else if (s.calibration) {
            if (const auto calibrated = s.calibration->statistics.find(point.value); calibrated != s.calibration->statistics.end() && calibrated->second.count > 0) {
                row.seenMin = double(calibrated->second.min);
                row.seenMax = double(calibrated->second.max);
            }
        }
        table->push_back(std::move(row));
    }
    return table;
}

std::shared_ptr<const widgets::RunTable> runTable(const Document &document)
{
    auto table = std::make_shared<widgets::RunTable>();
    int index = 0;
    for (const Run &run : document.project().runs) {
        widgets::RunRow row;
        row.name = run.name;
        row.recipeSummary = summaryOf(run.settings.recipe);
        if (run.trained())
            row.recipeSummary = tr("%1, %2 steps, best at %3").arg(widgets::methodName(run.settings.training.method)).arg(run.report.training->steps).arg(run.report.training->bestStep)
                + (run.settings.training.method == TrainMethod::Float ? QString() : QStringLiteral("; ") + row.recipeSummary);
        row.date = run.when;
        row.floating = figures(run.report.floating);
        row.ptq = figures(run.report.quantized);
        row.exported = figures(run.report.exported);
        row.sourceBytes = run.report.sourceBytes;
        row.fileBytes = run.report.fileBytes;
        row.seconds = run.report.seconds;
        row.recipeJson = qs(recipeToJson(run.settings.recipe));
        row.stale = document.isStale(index++);
        table->push_back(std::move(row));
    }
    return table;
}

QStringList classNames(const DataSource &source)
{
    QStringList names;
    if (!source.labels.empty()) {
        QFile file(text(source.labels));
        if (file.size() > (16 << 20) || !file.open(QIODevice::ReadOnly | QIODevice::Text))
            return names;
        while (!file.atEnd()) {
            const QString line = QString::fromUtf8(file.readLine()).trimmed();
            const QString rest = line.section(QLatin1Char(' '), 1).section(QLatin1Char(','), 0, 0).trimmed();
            names << (rest.isEmpty() ? line : rest);
        }
        return names;
    }
    if (!source.path.empty() && QFileInfo(text(source.path)).isDir())
        names = QDir(text(source.path)).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    return names;
}

std::shared_ptr<const widgets::ImageTable> imageTable(const std::vector<FlippedImage> &flipped, const QStringList &names, std::stop_token stop)
{
    auto table = std::make_shared<widgets::ImageTable>();
    for (const FlippedImage &image : flipped) {
        if (stop.stop_requested())
            throw Cancelled();
        widgets::ImageRow row;
        row.path = qs(image.path);
        row.label = nameOfClass(names, image.label);
        row.floatClass = nameOfClass(names, image.floatClass);
        row.quantizedClass = nameOfClass(names, image.quantizedClass);
        row.floatScore = image.floatScore;
        row.quantizedScore = image.quantizedScore;
        if (table->size() < mostThumbnails) {
            QImageReader reader(row.path);
            if (const QSize size = reader.size(); size.isValid())
                reader.setScaledSize(size.scaled(thumbnailSize, thumbnailSize, Qt::KeepAspectRatio));
            row.thumbnail = reader.read();
        }
        table->push_back(std::move(row));
    }
    return table;
}

} // namespace app
