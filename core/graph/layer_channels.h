// Which input and output channel an element of a layer's weight belongs to.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// Conv, ConvTranspose or Gemm.
bool isWeightedLayer(const Node &node);

class LayerChannels {
public:
    /// `weight` has at least two dimensions.
    LayerChannels(const Node &node, const TensorData &weight);
    std::int64_t outputs() const { return m_outputFirst ? m_rows : m_columns * m_group; }
    std::int64_t inputs() const { return m_outputFirst ? m_columns * m_group : m_rows; }
    std::size_t output(std::int64_t element) const;
    std::size_t input(std::int64_t element) const;

private:
    std::int64_t m_rows, m_columns, m_inner, m_group, m_rowsOfGroup;
    bool m_outputFirst;
};

/// Replaces constant input `index`; a constant that others read too is left and a copy with a name like it is made.
void setConstantInput(Graph &graph, NodeId node, std::size_t index, const std::string &wish, TensorData data);

} // namespace core
