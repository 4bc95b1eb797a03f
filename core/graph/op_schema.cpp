#include "core/graph/op_schema.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace core {
namespace {

struct Row {
    std::string_view type;
    int minInputs, maxInputs, minOutputs, maxOutputs;
    std::string_view versions;
    int removed = 0;
};

// Facts of the ONNX specification, domain ai.onnx, operator sets 1 to 23; sorted by name.
constexpr Row rows[] = {
    {"Abs", 1, 1, 1, 1, "1 6 13"},
    {"Acos", 1, 1, 1, 1, "7 22"},
    {"Acosh", 1, 1, 1, 1, "9 22"},
    {"Add", 2, 2, 1, 1, "1 6 7 13 14"},
    {"AffineGrid", 2, 2, 1, 1, "20"},
    {"And", 2, 2, 1, 1, "1 7"},
    {"ArgMax", 1, 1, 1, 1, "1 11 12 13"},
    {"ArgMin", 1, 1, 1, 1, "1 11 12 13"},
    {"Asin", 1, 1, 1, 1, "7 22"},
    {"Asinh", 1, 1, 1, 1, "9 22"},
    {"Atan", 1, 1, 1, 1, "7 22"},
    {"Atanh", 1, 1, 1, 1, "9 22"},
    {"Attention", 3, 6, 1, 4, "23"},
    {"AveragePool", 1, 1, 1, 1, "1 7 10 11 19 22"},
    {"BatchNormalization", 5, 5, 1, 3, "1 6 7 9 14 15"},
    {"Bernoulli", 1, 1, 1, 1, "15 22"},
    {"BitShift", 2, 2, 1, 1, "11"},
    {"BitwiseAnd", 2, 2, 1, 1, "18"},
    {"BitwiseNot", 1, 1, 1, 1, "18"},
    {"BitwiseOr", 2, 2, 1, 1, "18"},
    {"BitwiseXor", 2, 2, 1, 1, "18"},
    {"BlackmanWindow", 1, 1, 1, 1, "17"},
    {"Cast", 1, 1, 1, 1, "1 6 9 13 19 21 23"},
    {"CastLike", 2, 2, 1, 1, "15 19 21 23"},
    {"Ceil", 1, 1, 1, 1, "1 6 13"},
    {"Celu", 1, 1, 1, 1, "12"},
    {"CenterCropPad", 2, 2, 1, 1, "18"},
    {"Clip", 1, 3, 1, 1, "1 6 11 12 13"},
    {"Col2Im", 3, 3, 1, 1, "18"},
    {"Compress", 2, 2, 1, 1, "9 11"},
    {"Concat", 1, -1, 1, 1, "1 4 11 13"},
    {"ConcatFromSequence", 1, 1, 1, 1, "11"},
    {"Constant", 0, 0, 1, 1, "1 9 11 12 13 19 21 23"},
    {"ConstantOfShape", 1, 1, 1, 1, "9 20 21 23"},
    {"Conv", 2, 3, 1, 1, "1 11 22"},
    {"ConvInteger", 2, 4, 1, 1, "10"},
    {"ConvTranspose", 2, 3, 1, 1, "1 11 22"},
    {"Cos", 1, 1, 1, 1, "7 22"},
    {"Cosh", 1, 1, 1, 1, "9 22"},
    {"CumSum", 2, 2, 1, 1, "11 14"},
    {"DFT", 1, 3, 1, 1, "17 20"},
    {"DeformConv", 3, 5, 1, 1, "19 22"},
    {"DepthToSpace", 1, 1, 1, 1, "1 11 13"},
    {"DequantizeLinear", 2, 3, 1, 1, "10 13 19 21 23"},
    {"Det", 1, 1, 1, 1, "11 22"},
    {"Div", 2, 2, 1, 1, "1 6 7 13 14"},
    {"Dropout", 1, 3, 1, 2, "1 6 7 10 12 13 22"},
    {"DynamicQuantizeLinear", 1, 1, 3, 3, "11"},
    {"Einsum", 1, -1, 1, 1, "12"},
    {"Elu", 1, 1, 1, 1, "1 6 22"},
    {"Equal", 2, 2, 1, 1, "1 7 11 13 19"},
    {"Erf", 1, 1, 1, 1, "9 13"},
    {"Exp", 1, 1, 1, 1, "1 6 13"},
    {"Expand", 2, 2, 1, 1, "8 13"},
    {"EyeLike", 1, 1, 1, 1, "9 22"},
    {"Flatten", 1, 1, 1, 1, "1 9 11 13 21 23"},
    {"Floor", 1, 1, 1, 1, "1 6 13"},
    {"GRU", 3, 6, 0, 2, "1 3 7 14 22"},
    {"Gather", 2, 2, 1, 1, "1 11 13"},
    {"GatherElements", 2, 2, 1, 1, "11 13"},
    {"GatherND", 2, 2, 1, 1, "11 12 13"},
    {"Gelu", 1, 1, 1, 1, "20"},
    {"Gemm", 2, 3, 1, 1, "1 6 7 9 11 13"},
    {"GlobalAveragePool", 1, 1, 1, 1, "1 22"},
    {"GlobalLpPool", 1, 1, 1, 1, "1 2 22"},
    {"GlobalMaxPool", 1, 1, 1, 1, "1 22"},
    {"Greater", 2, 2, 1, 1, "1 7 9 13"},
    {"GreaterOrEqual", 2, 2, 1, 1, "12 16"},
    {"GridSample", 2, 2, 1, 1, "16 20 22"},
    {"GroupNormalization", 3, 3, 1, 1, "18 21"},
    {"HammingWindow", 1, 1, 1, 1, "17"},
    {"HannWindow", 1, 1, 1, 1, "17"},
    {"HardSigmoid", 1, 1, 1, 1, "1 6 22"},
    {"HardSwish", 1, 1, 1, 1, "14 22"},
    {"Hardmax", 1, 1, 1, 1, "1 11 13"},
    {"Identity", 1, 1, 1, 1, "1 13 14 16 19 21 23"},
    {"If", 1, 1, 1, -1, "1 11 13 16 19 21 23"},
    {"ImageDecoder", 1, 1, 1, 1, "20"},
    {"InstanceNormalization", 3, 3, 1, 1, "1 6 22"},
    {"IsInf", 1, 1, 1, 1, "10 20"},
    {"IsNaN", 1, 1, 1, 1, "9 13 20"},
    {"LRN", 1, 1, 1, 1, "1 13"},
    {"LSTM", 3, 8, 0, 3, "1 7 14 22"},
    {"LayerNormalization", 2, 3, 1, 3, "17"},
    {"LeakyRelu", 1, 1, 1, 1, "1 6 16"},
    {"Less", 2, 2, 1, 1, "1 7 9 13"},
    {"LessOrEqual", 2, 2, 1, 1, "12 16"},
    {"Log", 1, 1, 1, 1, "1 6 13"},
    {"LogSoftmax", 1, 1, 1, 1, "1 11 13"},
    {"Loop", 2, -1, 1, -1, "1 11 13 16 19 21 23"},
    {"LpNormalization", 1, 1, 1, 1, "1 22"},
    {"LpPool", 1, 1, 1, 1, "1 2 11 18 22"},
    {"MatMul", 2, 2, 1, 1, "1 9 13"},
    {"MatMulInteger", 2, 4, 1, 1, "10"},
    {"Max", 1, -1, 1, 1, "1 6 8 12 13"},
    {"MaxPool", 1, 1, 1, 2, "1 8 10 11 12 22"},
    {"MaxRoiPool", 2, 2, 1, 1, "1 22"},
    {"MaxUnpool", 2, 3, 1, 1, "9 11 22"},
    {"Mean", 1, -1, 1, 1, "1 6 8 13"},
    {"MeanVarianceNormalization", 1, 1, 1, 1, "9 13"},
    {"MelWeightMatrix", 5, 5, 1, 1, "17"},
    {"Min", 1, -1, 1, 1, "1 6 8 12 13"},
    {"Mish", 1, 1, 1, 1, "18 22"},
    {"Mod", 2, 2, 1, 1, "10 13"},
    {"Mul", 2, 2, 1, 1, "1 6 7 13 14"},
    {"Multinomial", 1, 1, 1, 1, "7 22"},
    {"Neg", 1, 1, 1, 1, "1 6 13"},
    {"NegativeLogLikelihoodLoss", 2, 3, 1, 1, "12 13 22"},
    {"NonMaxSuppression", 2, 5, 1, 1, "10 11"},
    {"NonZero", 1, 1, 1, 1, "9 13"},
    {"Not", 1, 1, 1, 1, "1"},
    {"OneHot", 3, 3, 1, 1, "9 11"},
    {"Optional", 0, 1, 1, 1, "15"},
    {"OptionalGetElement", 1, 1, 1, 1, "15 18"},
    {"OptionalHasElement", 0, 1, 1, 1, "15 18"},
    {"Or", 2, 2, 1, 1, "1 7"},
    {"PRelu", 2, 2, 1, 1, "1 6 7 9 16"},
    {"Pad", 2, 4, 1, 1, "1 2 11 13 18 19 21 23"},
    {"Pow", 2, 2, 1, 1, "1 7 12 13 15"},
    {"QLinearConv", 8, 9, 1, 1, "10"},
    {"QLinearMatMul", 8, 8, 1, 1, "10 21"},
    {"QuantizeLinear", 2, 3, 1, 1, "10 13 19 21 23"},
    {"RMSNormalization", 2, 2, 1, 1, "23"},
    {"RNN", 3, 6, 0, 2, "1 7 14 22"},
    {"RandomNormal", 0, 0, 1, 1, "1 22"},
    {"RandomNormalLike", 1, 1, 1, 1, "1 22"},
    {"RandomUniform", 0, 0, 1, 1, "1 22"},
    {"RandomUniformLike", 1, 1, 1, 1, "1 22"},
    {"Range", 3, 3, 1, 1, "11"},
    {"Reciprocal", 1, 1, 1, 1, "1 6 13"},
    {"ReduceL1", 1, 2, 1, 1, "1 11 13 18"},
    {"ReduceL2", 1, 2, 1, 1, "1 11 13 18"},
    {"ReduceLogSum", 1, 2, 1, 1, "1 11 13 18"},
    {"ReduceLogSumExp", 1, 2, 1, 1, "1 11 13 18"},
    {"ReduceMax", 1, 2, 1, 1, "1 11 12 13 18 20"},
    {"ReduceMean", 1, 2, 1, 1, "1 11 13 18"},
    {"ReduceMin", 1, 2, 1, 1, "1 11 12 13 18 20"},
    {"ReduceProd", 1, 2, 1, 1, "1 11 13 18"},
    {"ReduceSum", 1, 2, 1, 1, "1 11 13"},
    {"ReduceSumSquare", 1, 2, 1, 1, "1 11 13 18"},
    {"RegexFullMatch", 1, 1, 1, 1, "20"},
    {"Relu", 1, 1, 1, 1, "1 6 13 14"},
    {"Reshape", 2, 2, 1, 1, "1 5 13 14 19 21 23"},
    {"Resize", 1, 4, 1, 1, "10 11 13 18 19"},
    {"ReverseSequence", 2, 2, 1, 1, "10"},
    {"RoiAlign", 3, 3, 1, 1, "10 16 22"},
    {"RotaryEmbedding", 3, 4, 1, 1, "23"},
    {"Round", 1, 1, 1, 1, "11 22"},
    {"STFT", 2, 4, 1, 1, "17"},
    {"Scan", 1, -1, 1, -1, "8 9 11 16 19 21 23"},
    {"Scatter", 3, 3, 1, 1, "9", 11},
    {"ScatterElements", 3, 3, 1, 1, "11 13 16 18"},
    {"ScatterND", 3, 3, 1, 1, "11 13 16 18"},
    {"Selu", 1, 1, 1, 1, "1 6 22"},
    {"SequenceAt", 2, 2, 1, 1, "11"},
    {"SequenceConstruct", 1, -1, 1, 1, "11"},
    {"SequenceEmpty", 0, 0, 1, 1, "11"},
    {"SequenceErase", 1, 2, 1, 1, "11"},
    {"SequenceInsert", 2, 3, 1, 1, "11"},
    {"SequenceLength", 1, 1, 1, 1, "11"},
    {"SequenceMap", 1, -1, 1, -1, "17"},
    {"Shape", 1, 1, 1, 1, "1 13 15 19 21 23"},
    {"Shrink", 1, 1, 1, 1, "9"},
    {"Sigmoid", 1, 1, 1, 1, "1 6 13"},
    {"Sign", 1, 1, 1, 1, "9 13"},
    {"Sin", 1, 1, 1, 1, "7 22"},
    {"Sinh", 1, 1, 1, 1, "9 22"},
    {"Size", 1, 1, 1, 1, "1 13 19 21 23"},
    {"Slice", 3, 5, 1, 1, "1 10 11 13"},
    {"Softmax", 1, 1, 1, 1, "1 11 13"},
    {"SoftmaxCrossEntropyLoss", 2, 3, 1, 2, "12 13"},
    {"Softplus", 1, 1, 1, 1, "1 22"},
    {"Softsign", 1, 1, 1, 1, "1 22"},
    {"SpaceToDepth", 1, 1, 1, 1, "1 13"},
    {"Split", 1, 2, 1, -1, "1 2 11 13 18"},
    {"SplitToSequence", 1, 2, 1, 1, "11"},
    {"Sqrt", 1, 1, 1, 1, "1 6 13"},
    {"Squeeze", 1, 2, 1, 1, "1 11 13 21 23"},
    {"StringConcat", 2, 2, 1, 1, "20"},
    {"StringNormalizer", 1, 1, 1, 1, "10"},
    {"StringSplit", 1, 1, 2, 2, "20"},
    {"Sub", 2, 2, 1, 1, "1 6 7 13 14"},
    {"Sum", 1, -1, 1, 1, "1 6 8 13"},
    {"Tan", 1, 1, 1, 1, "7 22"},
    {"Tanh", 1, 1, 1, 1, "1 6 13"},
    {"TfIdfVectorizer", 1, 1, 1, 1, "9"},
    {"ThresholdedRelu", 1, 1, 1, 1, "10 22"},
    {"Tile", 2, 2, 1, 1, "1 6 13"},
    {"TopK", 2, 2, 2, 2, "1 10 11"},
    {"Transpose", 1, 1, 1, 1, "1 13 21 23"},
    {"Trilu", 1, 2, 1, 1, "14"},
    {"Unique", 1, 1, 1, 4, "11"},
    {"Unsqueeze", 2, 2, 1, 1, "1 11 13 21 23"},
    {"Upsample", 2, 2, 1, 1, "1 7 9", 10},
    {"Where", 3, 3, 1, 1, "9 16"},
    {"Xor", 2, 2, 1, 1, "1 7"},
};
static_assert(std::is_sorted(std::begin(rows), std::end(rows), [](const Row &a, const Row &b) { return a.type < b.type; }));

std::vector<OpSchema> expandRows()
{
    std::vector<OpSchema> schemas;
    schemas.reserve(std::size(rows));
    for (const Row &row : rows) {
        OpSchema schema{row.type, row.minInputs, row.maxInputs, row.minOutputs, row.maxOutputs, {}, row.removed};
        for (const char *at = row.versions.begin(); at < row.versions.end(); ++at) {
            int version = 0;
            at = std::from_chars(at, row.versions.end(), version).ptr;
            schema.versions.push_back(version);
        }
        schemas.push_back(std::move(schema));
    }
    return schemas;
}

std::size_t withoutTrailingOmitted(const std::vector<ValueId> &ids)
{
    std::size_t count = ids.size();
    while (count > 0 && !ids[count - 1].valid())
        --count;
    return count;
}

std::string wanted(int least, int most)
{
    if (most < 0)
        return std::to_string(least) + " or more";
    return least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
}

} // namespace

int OpSchema::versionAt(int opset) const
{
    if (removed > 0 && opset >= removed)
        return 0;
    const auto after = std::upper_bound(versions.begin(), versions.end(), opset);
    return after == versions.begin() ? 0 : *std::prev(after);
}

const OpSchema *findSchema(std::string_view opType)
{
    static const std::vector<OpSchema> schemas = expandRows();
    const auto found = std::lower_bound(schemas.begin(), schemas.end(), opType, [](const OpSchema &schema, std::string_view type) { return schema.type < type; });
    return found != schemas.end() && found->type == opType ? &*found : nullptr;
}

Diagnostics checkArity(const Graph &graph)
{
    Diagnostics diagnostics;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        const OpSchema *schema = node.domain.empty() ? findSchema(node.opType) : nullptr;
        if (!schema)
            continue;
        const std::string label = node.opType + " '" + node.name + "' ";
        const auto complain = [&](std::string what) { diagnostics.push_back({Severity::Problem, "wrong-arity", node.name, label + what}); };
        // Loop's first two inputs must be listed but may be empty.
        const std::size_t inputs = withoutTrailingOmitted(node.inputs), listed = node.is("Loop") ? node.inputs.size() : inputs;
        const std::size_t outputs = withoutTrailingOmitted(node.outputs);
        const auto required = node.inputs.begin() + std::ptrdiff_t(std::min(inputs, std::size_t(schema->minInputs)));
        const auto omitted = std::find_if(node.inputs.begin(), required, [](ValueId input) { return !input.valid(); });
        if (listed < std::size_t(schema->minInputs) || (schema->maxInputs >= 0 && inputs > std::size_t(schema->maxInputs)))
            complain("has " + std::to_string(inputs) + " inputs; it takes " + wanted(schema->minInputs, schema->maxInputs) + ".");
        else if (omitted != required && !node.is("Loop"))
            complain("leaves out input " + std::to_string(omitted - node.inputs.begin()) + ", which it needs.");
        else if (node.outputs.size() < std::size_t(schema->minOutputs) || (schema->maxOutputs >= 0 && outputs > std::size_t(schema->maxOutputs)))
            complain("has " + std::to_string(outputs) + " outputs; it makes " + wanted(schema->minOutputs, schema->maxOutputs) + ".");
    }
    return diagnostics;
}

} // namespace core
