// A placement with numbers: what is calibrated, validated and exported.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/placement.h"
#include "core/stats/affine.h"

#include <memory>
#include <vector>

namespace core {

/// Numbers of one point. Per-tensor: one entry. Per channel: one for each channel; per group: channels × groups, row-major.
struct PointNumbers {
    std::vector<AffineParams> params;
    ObserverKind observer = ObserverKind::MinMax;  ///< the one that was used ("best" resolved)
    Range range;                                   ///< range chosen (weights: union over the channels)
    Range seen;                                    ///< smallest and largest value seen
};

struct QuantizedModel {
    std::shared_ptr<const Graph> graph;            ///< float, prepared (BatchNorm folded, equalized, bias corrected)
    Placement placement;
    std::vector<PointNumbers> numbers;             ///< index == PointId::index
    Diagnostics diagnostics;                       ///< raised scales for bias overflow, zero channels…
};

/// Which entry of PointNumbers::params belongs to an element of a constant.
/// Groups run along the neighbour of the channel axis (Conv: input channels); other dimensions share.
class ParamLayout {
public:
    /// Throws Error{InvalidInput} when the axis does not exist in `dims`.
    ParamLayout(const Scheme &scheme, const std::vector<std::int64_t> &dims);
    std::int64_t count() const { return m_channels * m_groups; }
    std::int64_t channels() const { return m_channels; }
    std::int64_t groups() const { return m_groups; }
    int channelAxis() const { return m_channelAxis; }
    int groupAxis() const { return m_groupAxis; }
    std::size_t of(std::int64_t element) const;

private:
    std::int64_t m_channels = 1, m_channelInner = 1, m_groups = 1, m_groupDim = 1, m_groupInner = 1, m_groupSize = 1;
    int m_channelAxis = 0, m_groupAxis = 0;
};

/// Integer codes of a weight or bias point (storage order of the tensor).
std::vector<std::int64_t> integerCodes(const QuantizedModel &model, PointId point);
/// The codes as they are stored in a file (float16, bfloat16 and fp8 too).
TensorData storedCodes(const QuantizedModel &model, PointId point);
/// What the codes stand for: the weight that the quantized model computes with.
std::vector<float> dequantizedWeights(const QuantizedModel &model, PointId point);

} // namespace core
