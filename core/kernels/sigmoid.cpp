#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/sigmoid.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/sigmoid.h"

#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"

#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

HWY_INLINE V sigmoid(V x)
{
    const F d;
    const V one = hn::Set(d, 1.0f), top = hn::Set(d, 104.0f);   // Exp is infinite there and wrong far above
    const V negative = hn::Neg(x);
    const V result = hn::Div(one, hn::Add(one, hn::Exp(d, hn::IfThenElse(hn::Gt(negative, top), top, negative))));
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

void sigmoidSpan(const float *x, float *y, std::size_t count)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(sigmoid(hn::LoadU(d, x + i)), d, y + i);
    if (i < count) {
        HWY_ALIGN float rest[hn::MaxLanes(F())] = {};
        std::memcpy(rest, x + i, (count - i) * sizeof(float));
        hn::Store(sigmoid(hn::Load(d, rest)), d, rest);
        std::memcpy(y + i, rest, (count - i) * sizeof(float));
    }
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {

HWY_EXPORT(sigmoidSpan);

void sigmoidSpan(const float *x, float *y, std::size_t count)
{
    HWY_DYNAMIC_DISPATCH(sigmoidSpan)(x, y, count);
}

} // namespace core
#endif
