// Finds Conv → Add → Relu or Clip → FakeQuantize and makes one node of it.
#include "core/exec/executor.h"
#include "core/exec/fused_kernels.h"
#include "core/exec/op_common.h"

#include <algorithm>

namespace core {
namespace {

bool isRealNumber(DataType type)
{
    return type == DataType::Float32 || type == DataType::Float16 || type == DataType::BFloat16;
}

TensorData asFloats(const TensorData &data)
{
    return data.type == DataType::Float32 ? data : TensorData::fromFloats(data.dims, data.toFloats());
}

/// A two-dimensional Conv whose weights and bias are known now.
bool isFusable(const Graph &part, const Node &node)
{
    const TensorData *weight = node.is("Conv") && node.input(1).valid() ? part.constant(node.input(1)) : nullptr;
    if (!weight || weight->dims.size() != 4 || weight->count() == 0 || !isRealNumber(weight->type))
        return false;
    const std::int64_t groups = node.intAttribute("group", 1);
    if (groups < 1 || weight->dims[0] % groups != 0)
        return false;
    if (!node.input(2).valid())
        return true;
    const TensorData *bias = part.constant(node.input(2));
    return bias && isRealNumber(bias->type) && bias->dims == std::vector{weight->dims[0]};
}

class ConvFusion {
public:
    explicit ConvFusion(Graph &part) : m_part(part), m_users(part) {}

    void run()
    {
        const std::vector<NodeId> order = m_part.order();
        for (const NodeId id : order) {
            if (!m_part.contains(id) || !isFusable(m_part, m_part.node(id)))
                continue;
            const NodeId fused = absorbAdd(fuse(id));
            absorbClamp(fused);
            absorbFakeQuantize(fused);
        }
    }

private:
    NodeId fuse(NodeId id)
    {
        Node &conv = m_part.node(id);
        conv.attributes["weight"] = asFloats(*m_part.constant(conv.input(1)));
        if (conv.input(2).valid())
            conv.attributes["bias"] = asFloats(*m_part.constant(conv.input(2)));
        conv.domain = fusedDomain;
        conv.inputs.resize(1);
        return id;
    }

    NodeId soleReader(NodeId id) const { return m_users.soleReader(m_part.node(id).output(0)); }

    /// The Conv moves to the place of the Add, where the other operand is there too.
    NodeId absorbAdd(NodeId id)
    {
        const NodeId reader = soleReader(id);
        if (!reader.valid() || !m_part.node(reader).is("Add") || m_part.node(reader).inputs.size() != 2)
            return id;
        const Node add = m_part.node(reader);
        const ValueId made = m_part.node(id).output(0), other = add.inputs[0] == made ? add.inputs[1] : add.inputs[0];
        if (!other.valid() || other == made || m_part.isConstant(other))
            return id;
        Node moved = m_part.node(id);
        moved.inputs = {moved.input(0), other};
        moved.outputs = add.outputs;
        m_part.removeNode(id);
        const NodeId fused = m_part.insertNode(std::move(moved), reader);
        m_part.removeNode(reader);
        return fused;
    }

    void absorbClamp(NodeId id)
    {
        const NodeId reader = soleReader(id);
        const auto clamp = reader.valid() ? clampOf(m_part, m_part.node(reader)) : std::nullopt;
        if (!clamp)
            return;
        const std::vector<ValueId> outputs = m_part.node(reader).outputs;
        m_part.removeNode(reader);
        m_part.node(id).outputs = outputs;
        setClamp(m_part.node(id), *clamp);
    }

    void absorbFakeQuantize(NodeId id)
    {
        const NodeId reader = soleReader(id);
        if (!reader.valid() || m_part.node(reader).opType != "FakeQuantize" || m_part.node(reader).domain != fusedDomain)
            return;
        const Node quantize = m_part.node(reader);
        m_part.removeNode(reader);
        m_part.node(id).outputs = quantize.outputs;
        setQuantizePass(m_part.node(id), *quantizePassAttribute(quantize));
    }

    Graph &m_part;
    ValueUsers m_users;
};

} // namespace

void fuseConvolutions(Graph &part)
{
    ConvFusion(part).run();
}

} // namespace core
