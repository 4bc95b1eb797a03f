// Lowering: what an operator set does not know yet, be it an operator, an attribute or an element type.
#include "core/graph/op_schema.h"
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <span>

namespace core {
namespace {

using TypeSet = std::uint32_t;

constexpr TypeSet bit(DataType type) { return TypeSet(1) << int(type); }
constexpr TypeSet bfloat16 = bit(DataType::BFloat16), float16 = bit(DataType::Float16), float4 = bit(DataType::Float4E2M1), boolean = bit(DataType::Bool),
                  string = bit(DataType::String), int32 = bit(DataType::Int32);
constexpr TypeSet float8 = bit(DataType::Float8E4M3FN) | bit(DataType::Float8E4M3FNUZ) | bit(DataType::Float8E5M2) | bit(DataType::Float8E5M2FNUZ);
constexpr TypeSet floats = bit(DataType::Float32) | float16 | bit(DataType::Float64), complexes = bit(DataType::Complex64) | bit(DataType::Complex128);
constexpr TypeSet int4 = bit(DataType::UInt4) | bit(DataType::Int4), int8 = bit(DataType::UInt8) | bit(DataType::Int8);
constexpr TypeSet int16 = bit(DataType::UInt16) | bit(DataType::Int16), small = int8 | int16, unsignedWide = bit(DataType::UInt32) | bit(DataType::UInt64);
constexpr TypeSet signedWide = int32 | bit(DataType::Int64), wide = signedWide | unsignedWide;

struct Widening { int since = 0; TypeSet types = 0; };
struct TypeRow {
    std::string_view operators;
    int input;                   ///< −1 = the first output
    Widening steps[5];
};

// Element types that operator sets from 8 on added, as the ONNX specification has them. (Constant had integers from 9
// on, but exporters wrote them before and everybody reads them.)
constexpr TypeRow typeRows[] = {
    {"Cast", -1, {{9, string}, {13, bfloat16}, {19, float8}, {21, int4}, {23, float4}}},
    {"Constant", -1, {{9, complexes | string}, {13, bfloat16}, {19, float8}, {21, int4}, {23, float4}}},
    {"ConstantOfShape", -1, {{20, float8 | bfloat16}, {21, int4}, {23, float4}}},
    {"Abs ArgMax ArgMin Ceil Concat DepthToSpace Erf Exp Expand Floor Gather GatherElements GatherND Hardmax LRN Log LogSoftmax Mean "
     "MeanVarianceNormalization Mod Neg NonZero Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare "
     "Resize ScatterElements ScatterND Sigmoid Sign Slice Softmax SoftmaxCrossEntropyLoss SpaceToDepth Split Sqrt Sum Tanh Tile", 0, {{13, bfloat16}}},
    {"Acos Acosh Asin Asinh Atan Atanh AveragePool Bernoulli Conv ConvTranspose Cos Cosh DeformConv Det Elu EyeLike GRU GlobalAveragePool GlobalLpPool "
     "GlobalMaxPool GridSample HardSigmoid HardSwish InstanceNormalization LSTM LpNormalization LpPool MaxRoiPool MaxUnpool Mish Multinomial "
     "NegativeLogLikelihoodLoss RNN RandomNormalLike RandomUniformLike RoiAlign Round Selu Sin Sinh Softplus Softsign Tan ThresholdedRelu", 0, {{22, bfloat16}}},
    {"Add Div Mul Sub", 0, {{13, bfloat16}, {14, small}}},
    {"Identity Reshape Shape Size", 0, {{13, bfloat16}, {19, float8}, {21, int4}, {23, float4}}},
    {"Clip Max Min", 0, {{12, small | wide}, {13, bfloat16}}},
    {"GreaterOrEqual LeakyRelu LessOrEqual", 0, {{16, bfloat16}}},
    {"Squeeze Transpose Unsqueeze", 0, {{13, bfloat16}, {21, float8 | int4}, {23, float4}}},
    {"Gemm MatMul", 0, {{9, wide}, {13, bfloat16}}},
    {"Greater Less", 0, {{9, small | wide}, {13, bfloat16}}},
    {"ReduceMax ReduceMin", 0, {{12, int8}, {13, bfloat16}, {20, boolean}}},
    {"BatchNormalization", 0, {{14, bfloat16}}},
    {"Cast", 0, {{9, string}, {13, bfloat16}, {19, float8}, {21, int4}, {23, float4}}},
    {"CastLike", 0, {{19, float8}, {21, int4}, {23, float4}}},
    {"CumSum", 0, {{14, bfloat16 | float16}}},
    {"DequantizeLinear", 0, {{19, float8}, {21, int4 | int16}, {23, float4}}},
    {"Dropout", 0, {{13, bfloat16}, {22, float8}}},
    {"Equal", 0, {{11, small | floats | unsignedWide}, {13, bfloat16}, {19, string}}},
    {"Flatten", 0, {{9, complexes | small | wide | boolean | string}, {13, bfloat16}, {21, float8 | int4}, {23, float4}}},
    {"IsInf", 0, {{20, float8 | bfloat16 | float16}}},
    {"IsNaN", 0, {{13, bfloat16}, {20, float8}}},
    {"MaxPool", 0, {{12, int8}, {22, bfloat16}}},
    {"PRelu", 0, {{9, wide}, {16, bfloat16}}},
    {"Pad", 0, {{11, small | wide}, {13, complexes | bfloat16 | boolean | string}, {21, float8 | int4}, {23, float4}}},
    {"Pow", 0, {{12, signedWide}, {13, bfloat16}}},
    {"QLinearMatMul", 0, {{21, float8}}},
    {"QuantizeLinear", 0, {{19, bfloat16 | float16}}},
    {"Relu", 0, {{13, bfloat16}, {14, signedWide | bit(DataType::Int16) | bit(DataType::Int8)}}},
    {"TopK", 0, {{11, small | wide}}},
    {"DequantizeLinear QuantizeLinear", 1, {{19, bfloat16 | float16}}},
    {"QuantizeLinear", 1, {{19, int32}}},
    {"Pow", 1, {{12, small | wide}, {15, bfloat16}}},
    {"QLinearMatMul", 1, {{21, bfloat16 | float16}}},
    {"Where", 1, {{16, bfloat16}}},
    {"QuantizeLinear", 2, {{19, float8}, {21, int4 | int16}, {23, float4}}},
    {"QLinearMatMul", 3, {{21, float8}}},
    {"QLinearMatMul", 7, {{21, float8}}},
};

struct AttributeRow {
    std::string_view operators, attribute;
    int since;
    std::int64_t number;         ///< its default
    std::string_view text = {};  ///< likewise, where it is a text
};

constexpr std::int64_t anyValue = -1;    // does not matter to the result

constexpr AttributeRow attributeRows[] = {
    {"MaxPool", "storage_order", 8, 0},
    {"AveragePool MaxPool", "ceil_mode", 10, 0},
    {"MaxPool", "dilations", 10, 1},
    {"TopK", "largest", 11, 1},
    {"DepthToSpace", "mode", 11, 0, "DCR"},
    {"ArgMax ArgMin", "select_last_index", 12, 0},
    {"GatherND", "batch_dims", 12, 0},
    {"DequantizeLinear QuantizeLinear", "axis", 13, anyValue},
    {"BatchNormalization", "training_mode", 14, 0},
    {"GRU LSTM RNN", "layout", 14, 0},
    {"Reshape", "allowzero", 14, 0},
    {"ScatterElements ScatterND Scatter", "reduction", 16, 0, "none"},
    {"LpPool", "ceil_mode", 18, 0},
    {"LpPool", "dilations", 18, 1},
    {"Resize", "antialias", 18, 0},
    {"Resize", "keep_aspect_ratio_policy", 18, 0, "stretch"},
    {"AveragePool", "dilations", 19, 1},
    {"Cast CastLike QuantizeLinear", "saturate", 19, 1},
    {"DequantizeLinear QuantizeLinear", "block_size", 21, 0},
    {"QuantizeLinear", "output_dtype", 21, 0},
    {"GroupNormalization", "stash_type", 21, 1},
    {"DequantizeLinear", "output_dtype", 23, 0},
    {"QuantizeLinear", "precision", 23, 0},
};

bool saysDefault(const AttributeValue &value, const AttributeRow &row)
{
    if (row.number == anyValue)
        return true;
    if (const auto *text = std::get_if<std::string>(&value))
        return *text == row.text;
    if (const auto *list = std::get_if<Ints>(&value))
        return std::all_of(list->begin(), list->end(), [&](std::int64_t number) { return number == row.number; });
    const auto *number = std::get_if<std::int64_t>(&value);
    return number && *number == row.number && row.text.empty();
}

/// Form of operator set 8, which is left as it is: a list of lengths comes first.
bool isBatchScan(const Node &node)
{
    const auto found = node.attributes.find("body");
    const auto *body = found == node.attributes.end() ? nullptr : std::get_if<std::shared_ptr<const Graph>>(&found->second);
    return body && *body && (*body)->inputs.size() + 1 == node.inputs.size();
}

template <class Row>
using RowsByType = std::unordered_map<std::string_view, std::vector<const Row *>>;

template <class Row>
RowsByType<Row> byType(std::span<const Row> rows)
{
    RowsByType<Row> table;
    for (const Row &row : rows) {
        for (std::size_t at = 0; at < row.operators.size();) {
            const std::size_t end = std::min(row.operators.find(' ', at), row.operators.size());
            table[row.operators.substr(at, end - at)].push_back(&row);
            at = end + 1;
        }
    }
    return table;
}

template <class Row>
std::vector<const Row *> rowsOf(const RowsByType<Row> &table, const std::string &type)
{
    const auto found = table.find(type);
    return found == table.end() ? std::vector<const Row *>{} : found->second;
}

std::string newerThan(int since) { return " does not exist before operator set " + std::to_string(since) + "."; }

} // namespace

void checkLowered(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    const OpSchema *schema = node.domain.empty() ? findSchema(node.opType) : nullptr;
    if (!schema || r.complainedAbout(id))
        return;
    if (schema->versionAt(r.opset) == 0) {
        r.complain(id, "the operator" + (schema->removed > 0 && r.opset >= schema->removed ? " is gone since operator set " + std::to_string(schema->removed) + "."
                                                                                             : newerThan(schema->versions.front())));
        return;
    }
    if (node.is("Scan") && isBatchScan(node) != (r.opset == 8)) {
        r.complain(id, "Scan of operator set 8 works on batches, which is another operator.");
        return;
    }
    if (r.opset < 8 && node.is("MaxPool") && node.outputs.size() > 1) {
        if (r.used(node.output(1)))
            r.complain(id, "output Indices" + newerThan(8));
        node.outputs.resize(1);
    }
    static const RowsByType<AttributeRow> attributes = byType<AttributeRow>(attributeRows);
    for (const AttributeRow *row : rowsOf(attributes, node.opType)) {
        const auto found = node.attributes.find(std::string(row->attribute));
        if (r.opset >= row->since || found == node.attributes.end())
            continue;
        if (saysDefault(found->second, *row))
            node.attributes.erase(found);
        else
            r.complain(id, "this value of attribute " + std::string(row->attribute) + newerThan(row->since));
    }
    static const RowsByType<TypeRow> types = byType<TypeRow>(typeRows);
    for (const TypeRow *row : rowsOf(types, node.opType)) {
        const DataType type = r.type(row->input < 0 ? node.output() : node.input(std::size_t(row->input)));
        if (int(type) <= 0 || int(type) >= 32)
            continue;
        for (const Widening &step : row->steps) {
            if (step.since > r.opset && (step.types & bit(type)) != 0)
                r.complain(id, "element type " + dataTypeName(type) + " for it" + newerThan(step.since));
        }
    }
}

} // namespace core
