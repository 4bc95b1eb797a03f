#include "core/quant/fake_quantizer.h"

#include "core/base/error.h"
#include "core/quant/lsq_quantizer.h"
#include "core/quant/ste_quantizer.h"
#include "core/quant/tqt_quantizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

[[noreturn]] void refuse(ErrorKind kind, const std::string &sentence)
{
    throw Error(kind, "fake quantizer", sentence);
}

bool suitsTqt(const Scheme &scheme)
{
    return isIntegerDtype(scheme.dtype) && isSignedDtype(scheme.dtype) && scheme.symmetric && scheme.granularity == Granularity::PerTensor;
}

QatMethod methodOf(const FakeQuantizerOptions &options)
{
    const Scheme &scheme = options.scheme;
    if (options.kind == PointKind::Bias || scheme.dynamic || !isIntegerDtype(scheme.dtype))
        return QatMethod::Ste;
    if (scheme.qat == QatMethod::Tqt && !suitsTqt(scheme))
        refuse(ErrorKind::Unsupported, "TQT trains one threshold of signed symmetric codes a tensor; use lsq or ste instead of tqt for "
               + std::string(quantDtypeName(scheme.dtype)) + ".");
    if (scheme.qat == QatMethod::Lsq && scheme.scaleType == ScaleType::PowerOfTwo)
        return suitsTqt(scheme) && scheme.roundMethod == RoundMethod::HalfEven ? QatMethod::Tqt : QatMethod::Ste;
    return scheme.qat;
}

void check(const FakeQuantizerOptions &options, QatMethod method)
{
    const Scheme &scheme = options.scheme;
    const bool activation = options.kind == PointKind::Activation;
    if (!scheme.quantized())
        refuse(ErrorKind::Internal, "float32 is not quantized.");
    if (options.start.empty() || (activation && options.start.size() != 1))
        refuse(ErrorKind::InvalidInput, "There are " + std::to_string(options.start.size()) + " scales for a quantizer; calibrate again.");
    if (!activation && !options.initial.defined())
        refuse(ErrorKind::Internal, "The weights at the start are missing.");
    if (activation && !(std::isfinite(options.startRange.min) && std::isfinite(options.startRange.max)))
        refuse(ErrorKind::InvalidInput, "The calibrated range is not finite; calibrate again.");
    for (const AffineParams &params : options.start) {
        if (params.qmin >= params.qmax || params.zeroPoint < params.qmin || params.zeroPoint > params.qmax)
            if (isIntegerDtype(scheme.dtype))
                refuse(ErrorKind::InvalidInput, "The codes " + std::to_string(params.qmin) + " to " + std::to_string(params.qmax) + " with zero point "
                       + std::to_string(params.zeroPoint) + " make no quantizer; calibrate again.");
        if (method == QatMethod::Ste && !(params.scale > 0 && std::isfinite(params.scale)))
            refuse(ErrorKind::InvalidInput, "The scale " + std::to_string(params.scale) + " makes no quantizer; calibrate again.");
    }
}

} // namespace

double FakeQuantizer::threshold() const
{
    const std::vector<AffineParams> all = params();
    double sum = 0;
    for (const AffineParams &entry : all) {
        const Range range = representableRange(entry);
        sum += std::max(std::abs(range.min), std::abs(range.max));
    }
    return all.empty() ? 0 : sum / double(all.size());
}

std::unique_ptr<FakeQuantizer> makeFakeQuantizer(const FakeQuantizerOptions &options)
{
    const QatMethod method = methodOf(options);
    check(options, method);
    if (options.scheme.dynamic)
        return makeDynamicQuantizer(options);
    switch (method) {
    case QatMethod::Lsq: return makeLsqQuantizer(options);
    case QatMethod::Tqt: return makeTqtQuantizer(options);
    case QatMethod::Ste: break;
    }
    return makeSteQuantizer(options);
}

} // namespace core
