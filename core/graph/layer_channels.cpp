#include "core/graph/layer_channels.h"

#include <algorithm>

namespace core {

bool isWeightedLayer(const Node &node)
{
    return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm");
}

LayerChannels::LayerChannels(const Node &node, const TensorData &weight)
    : m_rows(weight.dims.at(0)), m_columns(weight.dims.at(1)), m_inner(1), m_group(1),
      m_outputFirst(node.is("Conv") || (node.is("Gemm") && node.intAttribute("transB", 0)))
{
    for (std::size_t i = 2; i < weight.dims.size(); ++i)
        m_inner *= weight.dims[i];
    if (node.is("Conv") || node.is("ConvTranspose"))
        m_group = std::max<std::int64_t>(node.intAttribute("group", 1), 1);
    m_rowsOfGroup = std::max<std::int64_t>(m_rows / m_group, 1);
}

std::size_t LayerChannels::output(std::int64_t element) const
{
    const std::int64_t row = element / (m_inner * m_columns), column = element / m_inner % m_columns;
    return std::size_t(m_outputFirst ? row : row / m_rowsOfGroup * m_columns + column);
}

std::size_t LayerChannels::input(std::int64_t element) const
{
    const std::int64_t row = element / (m_inner * m_columns), column = element / m_inner % m_columns;
    return std::size_t(m_outputFirst ? row / m_rowsOfGroup * m_columns + column : row);
}

void setConstantInput(Graph &graph, NodeId id, std::size_t index, const std::string &wish, TensorData data)
{
    const ValueId old = graph.node(id).input(index);
    if (old.valid() && graph.uses(old).size() == 1 && !graph.isOutput(old)) {
        graph.setConstant(old, std::move(data));
        return;
    }
    const ValueId made = graph.addConstant(old.valid() ? graph.value(old).name : wish, std::move(data));
    Node &node = graph.node(id);
    if (node.inputs.size() <= index)
        node.inputs.resize(index + 1);
    node.inputs[index] = made;
}

} // namespace core
