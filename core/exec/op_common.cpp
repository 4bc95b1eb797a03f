#include "core/exec/op_common.h"

#include "core/exec/differentiable.h"
#include "core/exec/fused_kernels.h"
#include "core/kernels/sigmoid.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {

std::string nodeLabel(const Node &node)
{
    const bool plain = node.domain.empty() || node.domain == fusedDomain;
    return "Node '" + node.name + "' (" + (plain ? "" : node.domain + ".") + node.opType + ")";
}

void failCall(ErrorKind kind, const std::string &label, const std::string &sentence)
{
    throw Error(kind, "run", label + ": " + sentence);
}

void failNode(ErrorKind kind, const Node &node, const std::string &sentence)
{
    failCall(kind, nodeLabel(node), sentence);
}

std::int64_t normalizeAxis(std::int64_t axis, std::int64_t rank, const std::string &label)
{
    if (axis < -rank || axis >= rank)
        failCall(ErrorKind::InvalidInput, label,
                 "axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(rank) + ".");
    return axis < 0 ? axis + rank : axis;
}

std::vector<std::int64_t> normalizeAxes(std::vector<std::int64_t> axes, std::int64_t rank, const std::string &label)
{
    std::vector<bool> seen(std::size_t(std::max<std::int64_t>(rank, 0)), false);
    for (auto &axis : axes) {
        axis = normalizeAxis(axis, rank, label);
        if (seen[std::size_t(axis)])
            failCall(ErrorKind::InvalidInput, label, "axis " + std::to_string(axis) + " is listed twice.");
        seen[std::size_t(axis)] = true;
    }
    return axes;
}

std::vector<std::int64_t> toInts(const at::Tensor &tensor)
{
    const auto flat = tensor.detach().to(at::kLong).contiguous();
    const auto *data = flat.data_ptr<std::int64_t>();
    return {data, data + flat.numel()};
}

std::vector<float> toFloatList(const at::Tensor &tensor)
{
    const auto flat = tensor.detach().to(at::kFloat).contiguous();
    const auto *data = flat.data_ptr<float>();
    return {data, data + flat.numel()};
}

IntsInput::IntsInput(const Node &node, const Graph &graph, std::size_t index) : m_index(index)
{
    const ValueId id = node.input(index);
    m_present = id.valid();
    if (m_present)
        if (const TensorData *data = graph.constant(id))
            m_constant = data->toInt64s();
}

std::optional<std::vector<std::int64_t>> IntsInput::get(const OpCall &call) const
{
    if (m_constant)
        return m_constant;
    if (!m_present || m_index >= call.inputs.size() || !call.inputs[m_index].defined())
        return std::nullopt;
    return toInts(call.inputs[m_index]);
}

bool canReuse(const OpCall &call, std::size_t i, at::IntArrayRef resultSizes)
{
    const at::Tensor &x = call.inputs[i];
    return call.mayOverwrite && x.is_floating_point() && x.sizes() == resultSizes && call.mayOverwrite(i);
}

at::Tensor withoutHoles(const at::Tensor &x)
{
    return x.is_non_overlapping_and_dense() ? x : x.contiguous();
}

namespace {

// Neither has holes; both have the same strides.
void sigmoidInto(const at::Tensor &x, at::Tensor &y)
{
    const float *from = x.data_ptr<float>();
    float *to = y.data_ptr<float>();
    at::parallel_for(0, x.numel(), 16384, [&](std::int64_t begin, std::int64_t end) { sigmoidSpan(from + begin, to + begin, std::size_t(end - begin)); });
}

} // namespace

at::Tensor sigmoidOf(const at::Tensor &x)
{
    if (x.scalar_type() != at::kFloat || (at::GradMode::is_enabled() && x.requires_grad()))
        return at::sigmoid(x);
    const at::Tensor source = withoutHoles(x);
    at::Tensor result = at::empty_like(source);
    sigmoidInto(source, result);
    return result;
}

void sigmoidInPlace(at::Tensor &x)
{
    if (x.scalar_type() == at::kFloat && x.is_non_overlapping_and_dense())
        sigmoidInto(x, x);
    else
        x.copy_(sigmoidOf(x));
}

void checkResultSize(at::IntArrayRef sizes, const std::string &label)
{
    constexpr std::int64_t limit = std::int64_t(1) << 32;
    std::int64_t count = 1;
    for (const auto size : sizes) {
        if (size < 0)
            failCall(ErrorKind::InvalidInput, label, "the result would have a negative size, " + std::to_string(size) + ".");
        if (size == 0)
            return;
    }
    for (const auto size : sizes) {
        if (size > limit / count)
            failCall(ErrorKind::InvalidInput, label, "the result would have more than 2^32 elements.");
        count *= size;
    }
}

DataType inputType(const Node &node, const Graph &graph, std::size_t i)
{
    const ValueId id = node.input(i);
    return id.valid() && graph.contains(id) ? graph.value(id).type : DataType::Undefined;
}

DataType outputType(const Node &node, const Graph &graph, std::size_t i)
{
    const ValueId id = node.output(i);
    return id.valid() && graph.contains(id) ? graph.value(id).type : DataType::Undefined;
}

at::ScalarType storageScalarType(DataType type, const std::string &label)
{
    switch (type) {
    case DataType::Float32: case DataType::Float16: case DataType::BFloat16:
    case DataType::Float8E4M3FN: case DataType::Float8E4M3FNUZ: case DataType::Float8E5M2: case DataType::Float8E5M2FNUZ:
        return at::kFloat;
    case DataType::Float64: return at::kDouble;
    case DataType::Bool: return at::kBool;
    case DataType::Int8: case DataType::Int4: case DataType::Int2: return at::kChar;
    case DataType::UInt8: case DataType::UInt4: case DataType::UInt2: return at::kByte;
    case DataType::Int16: return at::kShort;
    case DataType::Int32: case DataType::UInt16: return at::kInt;
    case DataType::Int64: case DataType::UInt32: case DataType::UInt64: return at::kLong;
    default: failCall(ErrorKind::Unsupported, label, "tensors of type " + dataTypeName(type) + " cannot be computed with.");
    }
}

namespace {

bool isFloat8(DataType type)
{
    return type >= DataType::Float8E4M3FN && type <= DataType::Float8E5M2FNUZ;
}

// Largest magnitude that still rounds to the largest finite value.
float float8Overflow(DataType type)
{
    switch (type) {
    case DataType::Float8E4M3FN: return 464.0f;
    case DataType::Float8E4M3FNUZ: return 248.0f;
    default: return 61440.0f;
    }
}

float roundToFloat8(float value, DataType type, bool saturate)
{
    if (std::isnan(value))
        return value;
    if (!saturate) {
        const float magnitude = std::fabs(value);
        const bool tieRoundsDown = type == DataType::Float8E4M3FN;
        if (magnitude > float8Overflow(type) || (magnitude == float8Overflow(type) && !tieRoundsDown))
            return type == DataType::Float8E5M2 ? std::copysign(std::numeric_limits<float>::infinity(), value)
                                                : std::numeric_limits<float>::quiet_NaN();
    }
    return float8ToFloat(floatToFloat8(value, type), type);
}

at::Tensor wrapTo(const at::Tensor &x, std::int64_t bits, bool isSigned, at::ScalarType storage)
{
    const std::int64_t mask = (std::int64_t(1) << bits) - 1;
    auto codes = at::bitwise_and(x.to(at::kLong), at::Scalar(mask));
    if (isSigned)
        codes = at::where(codes.ge(std::int64_t(1) << (bits - 1)), codes - (mask + 1), codes);
    return codes.to(storage);
}

} // namespace

at::Tensor convertTo(const at::Tensor &x, DataType type, bool saturate, const std::string &label)
{
    const at::ScalarType storage = storageScalarType(type, label);
    if (type == DataType::Float16)
        return x.to(at::kHalf).to(at::kFloat);
    if (type == DataType::BFloat16)
        return x.to(at::kBFloat16).to(at::kFloat);
    if (isFloat8(type)) {
        auto result = x.detach().to(at::kFloat).clone(at::MemoryFormat::Contiguous);
        auto *data = result.data_ptr<float>();
        for (std::int64_t i = 0; i < result.numel(); ++i)
            data[i] = roundToFloat8(data[i], type, saturate);
        return recording({x}) ? straightThrough(x, result) : result;
    }
    const bool fromFloat = x.is_floating_point();
    switch (type) {
    case DataType::UInt4: return wrapTo(x, 4, false, storage);
    case DataType::Int4: return wrapTo(x, 4, true, storage);
    case DataType::UInt2: return wrapTo(x, 2, false, storage);
    case DataType::Int2: return wrapTo(x, 2, true, storage);
    case DataType::UInt16: return wrapTo(x, 16, false, storage);
    case DataType::UInt32: return wrapTo(x, 32, false, storage);
    case DataType::UInt64:
        // Above 2^63 the bits are kept: shift into the signed range and back.
        return fromFloat ? at::where(x.ge(9223372036854775808.0), (x - 9223372036854775808.0).to(at::kLong).bitwise_xor(std::numeric_limits<std::int64_t>::min()), x.to(at::kLong))
                         : x.to(at::kLong);
    case DataType::Int8: case DataType::UInt8: case DataType::Int16:
        return fromFloat ? x.to(at::kLong).to(storage) : x.to(storage);
    default: return x.to(storage);
    }
}

} // namespace core
