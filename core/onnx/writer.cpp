#include "core/onnx/writer.h"

#include "core/base/atomic_file.h"
#include "core/onnx/opset_conversion.h"
#include "core/onnx/proto_graph.h"

#include <algorithm>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <limits>
#include <onnx/onnx_pb.h>
#include <optional>
#include <set>

namespace core {
namespace {

constexpr std::int64_t smallestExternal = 1024, externalAlignment = 4096;

/// ONNX, docs/Versioning.md: the IR version of the release that brought an operator set; 4 because initializers are no inputs here.
int irVersionOf(int opset)
{
    struct Row { int opset, ir; };
    static constexpr Row table[] = {{25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}};
    for (const Row &row : table) {
        if (opset >= row.opset)
            return row.ir;
    }
    return 4;
}

int irVersionOf(DataType type)
{
    switch (type) {
    case DataType::Float8E4M3FN: case DataType::Float8E4M3FNUZ: case DataType::Float8E5M2: case DataType::Float8E5M2FNUZ: return 9;
    case DataType::UInt4: case DataType::Int4: return 10;
    case DataType::Float4E2M1: return 11;
    case DataType::Float8E8M0: return 12;
    case DataType::UInt2: case DataType::Int2: return 13;
    default: return 4;
    }
}

struct Survey {
    std::set<std::string> domains;
    std::int64_t constantBytes = 0;
    std::int64_t irVersion = 4;

    void take(const Graph &graph)
    {
        for (const auto &[id, data] : graph.constants()) {
            constantBytes += data.bytes ? std::int64_t(data.bytes->size()) : 0;
            irVersion = std::max<std::int64_t>(irVersion, irVersionOf(data.type));
        }
        for (const ValueId id : graph.values())
            irVersion = std::max<std::int64_t>(irVersion, irVersionOf(graph.value(id).type));
        for (const NodeId id : graph.order()) {
            domains.insert(graph.node(id).domain);
            for (const auto &[key, attribute] : graph.node(id).attributes) {
                if (const auto *body = std::get_if<std::shared_ptr<const Graph>>(&attribute); body && *body)
                    take(**body);
            }
        }
    }
};

Graph lowered(const Model &model, int opset)
{
    if (opset > newestOpset && opset != model.opset)
        throw Error(ErrorKind::Unsupported, "write", "Operator set " + std::to_string(opset) + " cannot be written; the newest this program knows is "
                        + std::to_string(newestOpset) + ".");
    Graph graph = model.graph;
    if (opset < newestOpset)
        lowerTo(graph, opset);
    return graph;
}

void addOpset(onnx::ModelProto &proto, const std::string &domain, int version)
{
    auto &import = *proto.add_opset_import();
    import.set_domain(domain);
    import.set_version(version);
}

onnx::ModelProto toProto(const Model &model, const Graph &graph, const Survey &survey, int opset, const BytesWriter &writeBytes)
{
    onnx::ModelProto proto;
    if (!model.unknownFields.empty() && !proto.ParseFromString(model.unknownFields))
        throw Error(ErrorKind::Internal, "write", "What was kept of the model cannot be read back.");
    proto.set_ir_version(std::max<std::int64_t>({model.irVersion, survey.irVersion, irVersionOf(opset)}));
    proto.set_producer_name("quantscope");
    proto.set_producer_version(QUANTSCOPE_VERSION);
    if (!model.domain.empty())
        proto.set_domain(model.domain);
    if (model.modelVersion != 0)
        proto.set_model_version(model.modelVersion);
    if (!model.docString.empty())
        proto.set_doc_string(model.docString);
    for (const auto &[key, value] : model.metadata) {
        auto &entry = *proto.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }
    addOpset(proto, "", opset);
    std::map<std::string, int> others = model.otherOpsets;
    for (const std::string &domain : survey.domains) {
        if (!domain.empty())
            others.emplace(domain, 1);
    }
    for (const auto &[domain, version] : others)
        addOpset(proto, domain, version);
    graphToProto(graph, *proto.mutable_graph(), writeBytes);
    return proto;
}

std::string serialize(const onnx::ModelProto &proto)
{
    if (proto.ByteSizeLong() > std::size_t(std::numeric_limits<std::int32_t>::max()))
        throw Error(ErrorKind::Unsupported, "write", "The model takes " + std::to_string(proto.ByteSizeLong())
                        + " bytes without external data; an ONNX file holds 2 GB at most.");
    std::string bytes;
    google::protobuf::io::StringOutputStream stream(&bytes);
    {
        google::protobuf::io::CodedOutputStream coded(&stream);
        coded.SetSerializationDeterministic(true);
        proto.SerializeWithCachedSizes(&coded);
    }
    return bytes;
}

std::string_view bytesOf(const TensorData &data)
{
    return data.bytes ? std::string_view(reinterpret_cast<const char *>(data.bytes->data()), data.bytes->size()) : std::string_view();
}

void writeInline(const TensorData &data, onnx::TensorProto &tensor)
{
    if (data.type != DataType::String)
        tensor.set_raw_data(std::string(bytesOf(data)));
}

class ExternalWriter {
public:
    explicit ExternalWriter(const std::filesystem::path &file)
        : m_location(file.filename().string())
        , m_file(file)
    {
    }

    void write(const TensorData &data, onnx::TensorProto &tensor)
    {
        const std::string_view bytes = bytesOf(data);
        if (data.type == DataType::String || std::int64_t(bytes.size()) < smallestExternal) {
            writeInline(data, tensor);
            return;
        }
        const std::int64_t padding = (externalAlignment - m_offset % externalAlignment) % externalAlignment;
        m_file.append(std::string(std::size_t(padding), '\0'));
        m_offset += padding;
        m_file.append(bytes);
        tensor.set_data_location(onnx::TensorProto::EXTERNAL);
        add(tensor, "location", m_location);
        add(tensor, "offset", std::to_string(m_offset));
        add(tensor, "length", std::to_string(bytes.size()));
        m_offset += std::int64_t(bytes.size());
    }

    void commit() { m_file.commit(); }

private:
    static void add(onnx::TensorProto &tensor, const char *key, const std::string &value)
    {
        auto &entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
    }

    std::string m_location;
    AtomicFile m_file;
    std::int64_t m_offset = 0;
};

} // namespace

std::string serializeModel(const Model &model, int opset)
{
    const Graph graph = lowered(model, opset);
    Survey survey;
    survey.take(graph);
    if (survey.constantBytes > std::numeric_limits<std::int32_t>::max())
        throw Error(ErrorKind::Unsupported, "write", "The model's tensors take " + std::to_string(survey.constantBytes)
                        + " bytes; an ONNX file without external data holds 2 GB at most.");
    return serialize(toProto(model, graph, survey, opset, writeInline));
}

void writeModel(const Model &model, int opset, const std::filesystem::path &file, std::int64_t maxInlineBytes)
{
    const Graph graph = lowered(model, opset);
    Survey survey;
    survey.take(graph);
    if (survey.constantBytes <= maxInlineBytes) {
        writeFileAtomically(file, serialize(toProto(model, graph, survey, opset, writeInline)));
        return;
    }
    ExternalWriter external(file.string() + ".data");
    const auto write = [&external](const TensorData &data, onnx::TensorProto &tensor) { external.write(data, tensor); };
    const std::string bytes = serialize(toProto(model, graph, survey, opset, write));
    external.commit();
    writeFileAtomically(file, bytes);
}

} // namespace core
