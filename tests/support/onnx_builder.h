// ONNX models written down in a few lines with the protobuf messages themselves, not with the writer under test.
#pragma once

#include "core/onnx/reader.h"

#include <onnx/onnx_pb.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace tests {

inline void describe(onnx::ValueInfoProto &info, const std::string &name, const std::vector<std::int64_t> &dims, int type = 1)
{
    info.set_name(name);
    auto &tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    tensor.mutable_shape();
    for (const std::int64_t dim : dims)
        tensor.mutable_shape()->add_dim()->set_dim_value(dim);
}

inline onnx::NodeProto &addNode(google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes, const std::string &type,
                                std::initializer_list<const char *> inputs, std::initializer_list<const char *> outputs, const std::string &name = "")
{
    onnx::NodeProto &node = *nodes.Add();
    node.set_op_type(type);
    for (const char *input : inputs)
        node.add_input(input);
    for (const char *output : outputs)
        node.add_output(output);
    if (!name.empty())
        node.set_name(name);
    return node;
}

inline onnx::AttributeProto &addAttribute(onnx::NodeProto &node, const std::string &name, onnx::AttributeProto::AttributeType type)
{
    onnx::AttributeProto &attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
}

class OnnxBuilder {
public:
    onnx::ModelProto model;

    explicit OnnxBuilder(int opset = 23)
    {
        model.set_ir_version(8);
        model.add_opset_import()->set_version(opset);
        model.mutable_graph()->set_name("g");
    }

    onnx::GraphProto &graph() { return *model.mutable_graph(); }
    void input(const std::string &name, const std::vector<std::int64_t> &dims = {1, 4}, int type = 1) { describe(*graph().add_input(), name, dims, type); }
    void output(const std::string &name, const std::vector<std::int64_t> &dims = {1, 4}, int type = 1) { describe(*graph().add_output(), name, dims, type); }

    onnx::NodeProto &node(const std::string &type, std::initializer_list<const char *> inputs, std::initializer_list<const char *> outputs,
                          const std::string &name = "")
    {
        return addNode(*graph().mutable_node(), type, inputs, outputs, name);
    }

    onnx::TensorProto &initializer(const std::string &name, const std::vector<std::int64_t> &dims, int type = 1)
    {
        onnx::TensorProto &tensor = *graph().add_initializer();
        tensor.set_name(name);
        tensor.set_data_type(type);
        for (const std::int64_t dim : dims)
            tensor.add_dims(dim);
        return tensor;
    }

    onnx::TensorProto &floats(const std::string &name, const std::vector<float> &values)
    {
        onnx::TensorProto &tensor = initializer(name, {std::int64_t(values.size())});
        tensor.mutable_float_data()->Add(values.begin(), values.end());
        return tensor;
    }

    std::string bytes() const { return model.SerializeAsString(); }
    core::Model read(const core::ReadLimits &limits = {}, const std::filesystem::path &directory = {}) const
    {
        const std::string whole = bytes();
        return core::readModel(std::as_bytes(std::span(whole.data(), whole.size())), directory, limits);
    }
};

/// x → Relu → y, to which a test adds what it is about.
inline OnnxBuilder plainModel()
{
    OnnxBuilder builder;
    builder.input("x");
    builder.output("y");
    builder.node("Relu", {"x"}, {"y"}, "relu");
    return builder;
}

/// The sentence of the core::Error that `work` throws, "no error", or the kind's number in front when it is not `kind`.
template <class Work>
std::string sentenceOf(Work work, core::ErrorKind kind = core::ErrorKind::InvalidInput)
{
    try {
        work();
    } catch (const core::Error &error) {
        return (error.kind() == kind ? "" : "kind " + std::to_string(int(error.kind())) + ": ") + error.sentence();
    }
    return "no error";
}

/// Empty when `sentence` holds all parts; else what it lacks, for QCOMPARE.
inline std::string lacking(const std::string &sentence, std::initializer_list<const char *> parts)
{
    std::string lacks = sentence.starts_with("kind ") ? "the expected kind; " : "";
    for (const char *part : parts) {
        if (sentence.find(part) == std::string::npos)
            lacks += "'" + std::string(part) + "', ";
    }
    return lacks.empty() ? lacks : lacks + "in: " + sentence;
}

} // namespace tests
