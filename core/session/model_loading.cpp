#include "core/session/model_loading.h"

#include "core/exec/constant_folding.h"
#include "core/graph/shape_inference.h"
#include "core/onnx/reader.h"
#include "core/weights/apply_weights.h"
#include "core/weights/builtin_models.h"

#include <algorithm>

namespace core {
namespace {

std::int64_t known(const Graph &graph, ValueId id, std::size_t dimension)
{
    const auto &shape = graph.value(id).shape;
    if (!shape || dimension >= shape->size())
        return 0;
    return (*shape)[dimension].known() ? (*shape)[dimension].size : 0;
}

std::string describedFile(const std::filesystem::path &file)
{
    std::string text = "'";
    return text.append(file.string()).append("'");
}

std::string dimensionText(int value) { return value > 0 ? std::to_string(value) : "?"; }

} // namespace

void foldAndInfer(Graph &graph)
{
    inferShapes(graph);
    foldConstants(graph);
    inferShapes(graph);
}

bool ModelSource::builtin() const
{
    std::error_code ignored;
    return isBuiltinModel(path.string()) && !std::filesystem::exists(path, ignored);
}

Model openModel(const ModelSource &source)
{
    std::error_code ignored;
    const bool builtin = source.builtin();
    if (!builtin && !std::filesystem::exists(source.path, ignored) && !source.path.has_parent_path() && !source.path.has_extension())
        builtinModel(source.path.string(), 0);          // throws: lists those there are
    Model model = builtin ? builtinModel(source.path.string(), source.seed) : readModel(source.path);
    if (!source.weights.empty())
        model.diagnostics.push_back(applyWeights(model.graph, readWeights(source.weights), describedFile(source.weights)));
    else if (builtin)
        model.diagnostics.push_back({Severity::Warning, "random-weights", "", "The weights of '" + source.path.string() + "' are random, from seed "
                                         + std::to_string(source.seed) + "; --weights FILE gives it trained ones."});
    return model;
}

std::int64_t sourceBytes(const ModelSource &source, const Graph &graph)
{
    if (!source.builtin())
        return std::int64_t(std::filesystem::file_size(source.path));
    std::int64_t bytes = 0;
    for (const auto &[id, data] : graph.constants())
        bytes += byteSize(data.type, data.count());
    return bytes;
}

Model loadFolded(const ModelSource &source, std::size_t *nodesBefore)
{
    Model model = openModel(source);
    if (nodesBefore)
        *nodesBefore = model.graph.nodeCount();
    foldAndInfer(model.graph);
    return model;
}

InputGeometry inputGeometry(const Graph &graph, const TransformSpec &transform)
{
    InputGeometry geometry{0, 0, 0, false};
    if (graph.inputs.empty())
        return geometry;
    const Value &input = graph.value(graph.inputs.front());
    if (!input.shape || input.shape->size() != 4)
        return geometry;
    const auto colours = [](std::int64_t n) { return n == 1 || n == 3; };
    const std::int64_t second = known(graph, input.id, 1), last = known(graph, input.id, 3);
    geometry.channelsLastLayout = colours(last) && !colours(second);
    geometry.channels = int(geometry.channelsLastLayout ? last : second > 0 ? second : 3);
    const std::size_t first = geometry.channelsLastLayout ? 1 : 2;
    const int height = int(known(graph, input.id, first)), width = int(known(graph, input.id, first + 1));
    if ((height && transform.height && height != transform.height) || (width && transform.width && width != transform.width))
        throw Error(ErrorKind::InvalidInput, "transform",
                    "Input '" + input.name + "' takes images of " + dimensionText(width) + "x" + dimensionText(height) + ", but --size asks for "
                        + dimensionText(transform.width) + "x" + dimensionText(transform.height) + ".");
    geometry.height = height ? height : transform.height;
    geometry.width = width ? width : transform.width;
    if (!geometry.height || !geometry.width)
        throw Error(ErrorKind::InvalidInput, "transform", "Input '" + input.name + "' has an open height or width; give the image size with --size WxH.");
    return geometry;
}

int runBatchSize(const Graph &graph, int wish)
{
    for (ValueId input : graph.inputs)
        if (const std::int64_t fixed = known(graph, input, 0); fixed > 0)
            return int(fixed);
    return wish;
}

TransformSpec effectiveTransform(const Graph &graph, const TransformSpec &transform)
{
    const InputGeometry geometry = inputGeometry(graph, transform);
    TransformSpec effective = transform;
    if (transform.width == 0 || transform.height == 0) {
        effective.width = geometry.width;
        effective.height = geometry.height;
    }
    return effective;
}

std::unique_ptr<Dataset> openFor(const Graph &graph, const DataSource &source, const TransformSpec &transform)
{
    DatasetOptions options;
    options.path = source.path;
    options.labels = source.labels;
    options.limit = source.limit;
    for (const ValueId input : graph.inputs)
        options.inputNames.push_back(graph.value(input).name);
    options.transform = effectiveTransform(graph, transform);
    options.geometry = inputGeometry(graph, transform);
    return openDataset(options);
}

std::int64_t parameterCount(const Graph &graph)
{
    std::int64_t total = 0;
    for (const auto &[id, data] : graph.constants())
        if (isFloatingPoint(data.type) || (isQuantizedGraph(graph) && bitsPerElement(data.type) <= 8 && data.type != DataType::Bool && data.count() > 1))
            total += data.count();
    return total;
}

bool isQuantizedGraph(const Graph &graph)
{
    for (NodeId id : graph.order()) {
        const std::string &type = graph.node(id).opType;
        if (type == "QuantizeLinear" || type == "DequantizeLinear" || type == "DynamicQuantizeLinear" || type.starts_with("QLinear") || type.ends_with("Integer"))
            return true;
    }
    return false;
}

} // namespace core
