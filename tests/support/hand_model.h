// A QuantizedModel put together by hand: each point with its numbers.
#pragma once

#include "core/quant/quantized_model.h"
#include "tests/support/tiny_graph.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tests {

inline core::AffineParams affine(float scale, std::int32_t zeroPoint = 0, std::int32_t qmin = -128, std::int32_t qmax = 127)
{
    return {scale, zeroPoint, qmin, qmax};
}

class HandModel {
public:
    core::QuantizedModel model;

    explicit HandModel(const core::Graph &graph) { model.graph = std::make_shared<const core::Graph>(graph); }

    /// Every reader of the tensor reads it quantized, unless `uses` says otherwise.
    core::Point &point(core::PointKind kind, const std::string &tensor, core::QuantDtype dtype, std::vector<core::AffineParams> params)
    {
        core::Point point;
        point.id = core::PointId{std::int32_t(model.placement.points.size())};
        point.shares = point.id;
        point.kind = kind;
        point.value = model.graph->findValue(tensor);
        point.uses = model.graph->uses(point.value);
        point.scheme.dtype = dtype;
        point.scheme.channelAxis = 0;
        point.owner = point.uses.empty() ? model.graph->producer(point.value) : point.uses[0].node;
        point.quantizesOutput = model.graph->isOutput(point.value);
        if (params.size() > 1)
            point.scheme.granularity = core::Granularity::PerChannel;
        core::PointNumbers numbers;
        numbers.params = std::move(params);
        model.numbers.push_back(std::move(numbers));
        model.placement.points.push_back(std::move(point));
        return model.placement.points.back();
    }
    core::Point &activation(const std::string &tensor, core::AffineParams params, core::QuantDtype dtype = core::QuantDtype::Int8)
    {
        return point(core::PointKind::Activation, tensor, dtype, {params});
    }
    core::Point &weight(const std::string &tensor, std::vector<core::AffineParams> params, core::QuantDtype dtype = core::QuantDtype::Int8)
    {
        return point(core::PointKind::Weight, tensor, dtype, std::move(params));
    }
};

} // namespace tests
