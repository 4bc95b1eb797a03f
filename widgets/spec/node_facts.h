// What the Data and Info tabs say of one node: pure functions of the graph.
#pragma once

#include "widgets/shared/layer_facts.h"
#include "widgets/spec/spec_context.h"

#include <QString>

#include <cstdint>
#include <vector>

namespace widgets {

struct TensorRow {
    QString name, shape, type;      ///< "1×32×112×112", "float32"
    QString badge, reason;          ///< of its quantizer as this node sees it, and why it is there or not
    bool output = false, constant = false;
};
/// Inputs, then outputs.
std::vector<TensorRow> tensorRows(const SpecContext &context, core::NodeId node);

struct WeightFacts {
    QString name, shape;
    bool tooLarge = false;          ///< more than largestCount elements: not read
    double min = 0, max = 0;
    int channelAxis = -1;           ///< −1: no channels
    std::vector<core::Range> channels;
};
inline constexpr std::int64_t largestCount = std::int64_t(1) << 26;
/// nullopt when the node has no constant weight.
std::optional<WeightFacts> weightFacts(const SpecContext &context, core::NodeId node);

QString shapeText(const std::optional<core::Shape> &shape);
QString attributeText(const core::AttributeValue &value);

/// Attributes, doc string, why quantizers stand where they do, remarks on the node, as HTML in the palette's colours. `facts` may be null.
QString infoHtml(const SpecContext &context, core::NodeId node, const LayerFacts *facts, const core::Diagnostics &remarks, const QColor &warning);

} // namespace widgets
