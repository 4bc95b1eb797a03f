#include "core/onnx/reader.h"

#include "core/base/atomic_file.h"
#include "core/onnx/file_kind.h"
#include "core/onnx/function_inlining.h"
#include "core/onnx/opset_conversion.h"
#include "core/onnx/proto_graph.h"
#include "core/onnx/proto_tensor.h"
#include "core/onnx/read_context.h"
#include "core/onnx/wire.h"

#include <limits>
#include <onnx/onnx_pb.h>
#include <set>

namespace core {
namespace {

constexpr int oldestOpset = 7;
constexpr std::int64_t overheadPerNode = 4096;

std::string fileText(const char *what, const std::filesystem::path &file)
{
    return what + (" " + inQuotes(file.string()));
}

std::string readWhole(const std::filesystem::path &file, const std::string &subject)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (!error && size > std::uintmax_t(std::numeric_limits<std::int32_t>::max()))
        throw Error(ErrorKind::InvalidInput, "read", subject + " has " + std::to_string(size)
                        + " bytes; an ONNX file holds 2 GB at most. Store the tensors as external data.");
    return readFile(file, std::numeric_limits<std::int32_t>::max());
}

[[noreturn]] void notA(const char *what, std::string_view bytes, const ReadContext &context)
{
    const std::string kind = recognizedKind(bytes);
    throw Error(ErrorKind::InvalidInput, "read", context.subject + " is " + (kind.empty() ? std::string("not ") + what + ", or it is broken or cut off"
                                                                                         : "not " + std::string(what) + ": it looks like " + kind) + ".");
}

void parse(onnx::ModelProto &proto, std::string_view bytes, const ReadContext &context)
{
    if (bytes.empty())
        throw Error(ErrorKind::InvalidInput, "read", context.subject + " is empty.");
    if (bytes.size() > std::size_t(std::numeric_limits<std::int32_t>::max()))
        context.fail("It has more than 2 GB, the most an ONNX file can hold.");
    const std::int64_t maxNodes = context.limits.maxNodes, maxOverhead = (maxNodes + 256) * overheadPerNode;
    const WireCost cost = modelCost(bytes, maxNodes, maxOverhead);
    if (cost.nodes > maxNodes)
        context.fail("It has more than " + std::to_string(maxNodes) + " nodes, the limit.");
    if (cost.overhead > maxOverhead)
        context.fail("Its parts would take more than " + std::to_string(maxOverhead) + " bytes of memory besides the tensors, the limit.");
    if (!proto.ParseFromArray(bytes.data(), int(bytes.size())) || !proto.has_graph())
        notA("an ONNX model", bytes, context);
}

void readOpsets(const onnx::ModelProto &proto, Model &model, ReadContext &context)
{
    int opset = 0;
    for (const auto &import : proto.opset_import()) {
        const bool standard = import.domain().empty() || import.domain() == "ai.onnx";
        if (import.version() < 1 || import.version() > 1'000'000)
            context.fail("It asks for version " + std::to_string(import.version()) + " of the operators of domain " + inQuotes(import.domain()) + ".");
        int &version = standard ? opset : model.otherOpsets[import.domain()];
        if (version != 0 && version != int(import.version()))
            context.warn("opset-twice", "", "It asks for versions " + std::to_string(version) + " and " + std::to_string(import.version())
                             + " of the operators of domain " + inQuotes(import.domain()) + "; the higher is taken.");
        version = std::max(version, int(import.version()));
    }
    if (opset == 0 && model.otherOpsets.empty()) {
        opset = 1;
        context.warn("opset-missing", "", "It does not say which ONNX operator set it uses; 1, the first, is assumed.");
    } else if (opset == 0) {
        opset = newestOpset;
    } else if (opset > newestOpset) {
        context.warn("opset-newer", "", "It uses ONNX operator set " + std::to_string(opset) + "; this program knows them up to " + std::to_string(newestOpset)
                         + " and reads it as that.");
    } else if (opset < oldestOpset) {
        context.warn("opset-older", "", "It uses ONNX operator set " + std::to_string(opset) + ", older than " + std::to_string(oldestOpset)
                         + "; operators that changed since then may be read wrongly.");
    }
    model.opset = opset;
}

void collectDomains(const Graph &graph, std::set<std::string> &domains)
{
    for (const NodeId id : graph.order()) {
        domains.insert(graph.node(id).domain);
        for (const auto &[key, attribute] : graph.node(id).attributes) {
            if (const auto *body = std::get_if<std::shared_ptr<const Graph>>(&attribute))
                collectDomains(**body, domains);
        }
    }
}

Model modelFromProto(onnx::ModelProto &proto, ReadContext &context)
{
    Model model;
    std::set<std::string> functionDomains, usedDomains;
    for (const auto &function : proto.functions())
        functionDomains.insert(function.domain());
    inlineFunctions(proto, context);
    readOpsets(proto, model, context);
    model.graph = graphFromProto(*proto.mutable_graph(), context);
    collectDomains(model.graph, usedDomains);
    std::erase_if(model.otherOpsets, [&](const auto &entry) { return functionDomains.contains(entry.first) && !usedDomains.contains(entry.first); });

    model.irVersion = proto.ir_version();
    model.producerName = proto.producer_name();
    model.producerVersion = proto.producer_version();
    model.domain = proto.domain();
    model.modelVersion = proto.model_version();
    model.docString = proto.doc_string();
    for (const auto &entry : proto.metadata_props())
        model.metadata.emplace_back(entry.key(), entry.value());

    proto.clear_ir_version();
    proto.clear_producer_name();
    proto.clear_producer_version();
    proto.clear_domain();
    proto.clear_model_version();
    proto.clear_doc_string();
    proto.clear_metadata_props();
    proto.clear_opset_import();
    proto.clear_graph();
    model.unknownFields = proto.SerializeAsString();

    if (model.opset < newestOpset)
        withSubject(context, [&] { liftToNewest(model.graph, model.opset, context.diagnostics); });
    model.diagnostics = std::move(context.diagnostics);
    return model;
}

} // namespace

Model readModel(const std::filesystem::path &file, const ReadLimits &limits)
{
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    ReadContext context(fileText("Model", file), folder, limits);
    onnx::ModelProto proto;
    parse(proto, readWhole(file, context.subject), context);
    return modelFromProto(proto, context);
}

Model readModel(std::span<const std::byte> bytes, const std::filesystem::path &directory, const ReadLimits &limits)
{
    ReadContext context("The model", directory, limits);
    onnx::ModelProto proto;
    parse(proto, {reinterpret_cast<const char *>(bytes.data()), bytes.size()}, context);
    return modelFromProto(proto, context);
}

TensorData readTensor(const std::filesystem::path &file)
{
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    ReadContext context(fileText("Tensor file", file), folder, {});
    onnx::TensorProto proto;
    {
        const std::string bytes = readWhole(file, context.subject);
        const std::int64_t maxOverhead = std::int64_t(1) << 32;
        if (tensorCost(bytes, maxOverhead).overhead > maxOverhead)
            context.fail("Its parts would take more than " + std::to_string(maxOverhead) + " bytes of memory.");
        if (!proto.ParseFromString(bytes) || !proto.has_data_type())
            notA("an ONNX tensor", bytes, context);
    }
    return tensorFromProto(proto, context, "Tensor " + inQuotes(proto.name()));
}

} // namespace core
