// Fake quantization of whole tensors and its gradients, without autograd: the work that STE, LSQ and TQT share. Split over at::parallel_for in
// parts that do not depend on the number of threads, so the same bits come out of any.
#pragma once

#include "core/kernels/fake_quantize_grad.h"
#include "core/spec/quantization_spec.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace core {

/// Which entry of the numbers belongs to which elements: runs of neighbours in memory that have the same entry.
class QuantizerRuns {
public:
    struct Run {
        std::int64_t begin = 0, count = 0;
        std::size_t entry = 0;
    };
    /// One entry for everything, tensors of any size.
    QuantizerRuns() = default;
    /// `entries` numbers laid out as ParamLayout says (1: for everything; as many as elements, for a bias: one each).
    /// Throws Error{InvalidInput} when they do not fit.
    QuantizerRuns(const Scheme &scheme, at::IntArrayRef sizes, std::size_t entries);

    bool single() const { return m_runs.empty(); }
    std::size_t entries() const { return m_entries; }
    std::int64_t tasks(std::int64_t elements) const;
    Run at(std::int64_t task, std::int64_t elements) const;
    std::int64_t tasksAtOnce() const;                 ///< worth a thread
    bool shortRuns() const { return m_shortRuns; }
    std::vector<std::int64_t> elementsOfEntries(std::int64_t elements) const;
    /// x itself where its memory can be walked as it lies, else a contiguous copy. Throws Error{Internal} for other sizes than at the start.
    at::Tensor arranged(const at::Tensor &x) const;

private:
    std::vector<Run> m_runs;                          ///< of one period
    std::size_t m_entries = 1;
    std::int64_t m_period = 0;
    std::vector<std::int64_t> m_sizes;
    bool m_outermost = false, m_shortRuns = false;
};

struct QuantizerPass {
    std::shared_ptr<const QuantizerRuns> runs;
    std::vector<AffineParams> params;                 ///< one an entry
    PreClamp clamp;
    RoundMethod round = RoundMethod::HalfEven;
    bool unbounded = false;                           ///< gradients pass beyond the codes too: numbers that cover the tensor by construction
};

struct MinMax {
    float min = 0, max = 0;                           ///< 0 and not-finite values widen nothing
};

/// Bits of GradientWindow in place of a tensor that would have to be kept.
struct PassMask {
    std::vector<std::int64_t> sizes, strides;
    std::vector<std::uint8_t> bits;
};

/// r: float32. `seen`: smallest and largest finite value of clamp(r), together with 0. `mask` (single entry only): what passMasked() needs.
at::Tensor fakeQuantized(const at::Tensor &r, const QuantizerPass &pass, MinMax *seen = nullptr, PassMask *mask = nullptr);
/// dL/dr.
at::Tensor passed(const at::Tensor &r, const at::Tensor &g, const QuantizerPass &pass);
at::Tensor passedByMask(const PassMask &mask, const at::Tensor &g);
/// dL/dr, and dL/dscale of every entry in `sums`.
at::Tensor passedToScale(const at::Tensor &r, const at::Tensor &g, const QuantizerPass &pass, std::vector<double> &sums);

/// Smallest and largest finite value of every entry's elements, together with 0.
std::vector<MinMax> rangesOf(const at::Tensor &r, const QuantizerRuns &runs);

} // namespace core
