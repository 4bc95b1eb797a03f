// Rounding and clamping of vectors as quantization needs them. Included by kernels inside Highway's foreach_target, once a target.
#if defined(QUANTSCOPE_VECTOR_CODES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef QUANTSCOPE_VECTOR_CODES_INL
#undef QUANTSCOPE_VECTOR_CODES_INL
#else
#define QUANTSCOPE_VECTOR_CODES_INL
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Adding and taking away 1.5·2^23 rounds |v| <= 2^22 half to even and never gives −0, as integer codes never do.
constexpr float roundingBias = 12582912.0f;

using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using V = hn::Vec<F>;

/// v where v > low, else low: NaN gives low.
HWY_INLINE V atLeast(V v, V low)
{
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
    return hn::Max(v, low); // maxps gives its second operand when one is NaN
#else
    return hn::IfThenElse(hn::Gt(v, low), v, low);
#endif
}

HWY_INLINE V atMost(V v, V high)
{
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
    return hn::Min(v, high);
#else
    return hn::IfThenElse(hn::Lt(v, high), v, high);
#endif
}

/// NaN stays NaN.
HWY_INLINE V clampKeepingNan(V v, V low, V high)
{
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
    return hn::Min(high, hn::Max(low, v));
#else
    v = hn::IfThenElse(hn::Lt(v, low), low, v);
    return hn::IfThenElse(hn::Gt(v, high), high, v);
#endif
}

/// round(clamp(r / scale)), the code less its zero point.
HWY_INLINE V centredCode(V r, V scale, V low, V high)
{
    const V bias = hn::Set(F(), roundingBias);
    return hn::Sub(hn::Add(atMost(atLeast(hn::Div(r, scale), low), high), bias), bias);
}

HWY_INLINE V roundCode(V v)
{
    const V bias = hn::Set(F(), roundingBias);
    return hn::Sub(hn::Add(v, bias), bias);
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#endif
