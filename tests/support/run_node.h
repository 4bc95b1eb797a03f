// One operator on given tensors, by its kernel alone: no executor between, so memory formats arrive as given.
#pragma once

#include "core/exec/op_common.h"
#include "core/exec/op_registry.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace tests {

using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, core::AttributeValue>;

inline core::DataType onnxType(const at::Tensor &x)
{
    switch (x.scalar_type()) {
    case at::kDouble: return core::DataType::Float64;
    case at::kBool: return core::DataType::Bool;
    case at::kChar: return core::DataType::Int8;
    case at::kByte: return core::DataType::UInt8;
    case at::kShort: return core::DataType::Int16;
    case at::kInt: return core::DataType::Int32;
    case at::kLong: return core::DataType::Int64;
    default: return core::DataType::Float32;
    }
}

/// Undefined tensors are omitted inputs.
inline std::vector<at::Tensor> runNode(const std::string &type, const std::vector<at::Tensor> &inputs, const Attributes &attributes = {}, int outputs = 1,
                                       bool overwrite = false, const std::string &domain = {})
{
    core::Graph graph;
    core::Node node;
    node.name = "node";
    node.opType = type;
    node.domain = domain;
    node.attributes = attributes;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        node.inputs.push_back(inputs[i].defined() ? graph.addValue("x" + std::to_string(i), onnxType(inputs[i])) : core::ValueId{});
    for (int i = 0; i < outputs; ++i)
        node.outputs.push_back(graph.addValue("y" + std::to_string(i)));
    const core::Node &added = graph.node(graph.addNode(node));
    const core::KernelFactory *factory = core::OpRegistry::instance().find(added);
    if (!factory)
        throw core::Error(core::ErrorKind::Unsupported, "test", "There is no kernel for " + type + ".");
    const core::Kernel kernel = (*factory)(added, graph);
    core::OpCall call;
    call.inputs = inputs;
    call.outputs.resize(std::size_t(outputs));
    if (overwrite)
        call.mayOverwrite = [](std::size_t) { return true; };
    kernel(call);
    return call.outputs;
}

/// ((3 i) mod 11) − 5 and the like: small whole numbers in a fixed pattern.
inline at::Tensor pattern(const Ints &sizes, std::int64_t step = 3, std::int64_t modulus = 11, std::int64_t offset = 5)
{
    std::int64_t count = 1;
    for (const auto size : sizes)
        count *= size;
    return at::arange(count, at::kLong).mul(step).remainder(modulus).sub(offset).to(at::kFloat).reshape(sizes);
}

inline at::Tensor floats(const Ints &sizes, const std::vector<float> &values)
{
    return at::from_blob(const_cast<float *>(values.data()), {std::int64_t(values.size())}, at::kFloat).clone().reshape(sizes);
}

inline at::Tensor noise(const Ints &sizes, std::uint64_t seed = 7)
{
    at::Generator generator = at::detail::createCPUGenerator(seed);
    return at::randn(sizes, generator);
}

/// Empty when shape and values agree (NaN equals NaN), else both as text.
inline std::string difference(const at::Tensor &actual, const at::Tensor &expected, double relative = 1e-5, double absolute = 1e-5)
{
    if (actual.sizes() == expected.sizes() && actual.scalar_type() == expected.scalar_type()
        && at::isclose(actual.to(at::kDouble), expected.to(at::kDouble), relative, absolute, true).all().item<bool>())
        return {};
    const auto text = [](const at::Tensor &x) {
        std::string result = at::toString(x.scalar_type());
        for (const auto size : x.sizes())
            result += " " + std::to_string(size);
        result += ":";
        const at::Tensor flat = x.to(at::kDouble).contiguous();
        for (std::int64_t i = 0; i < std::min<std::int64_t>(flat.numel(), 100); ++i)
            result += " " + std::to_string(flat.data_ptr<double>()[i]);
        return result;
    };
    return "got " + text(actual) + "\nnot " + text(expected);
}

inline bool sameBits(const at::Tensor &a, const at::Tensor &b)
{
    const at::Tensor x = a.contiguous(), y = b.contiguous();
    return x.sizes() == y.sizes() && x.scalar_type() == y.scalar_type() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

inline std::string errorOf(const std::string &type, const std::vector<at::Tensor> &inputs, const Attributes &attributes = {})
{
    try {
        runNode(type, inputs, attributes);
    } catch (const core::Error &error) {
        return error.sentence();
    }
    return "no error";
}

} // namespace tests

#define COMPARE_TENSORS(actual, ...) \
    do { \
        const std::string differenceText = tests::difference(actual, __VA_ARGS__); \
        QVERIFY2(differenceText.empty(), differenceText.c_str()); \
    } while (false)
