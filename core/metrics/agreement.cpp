#include "core/metrics/agreement.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

/// First largest score; NaN is no score.
std::int64_t argmax(const double *values, std::int64_t count)
{
    std::int64_t best = -1;
    for (std::int64_t i = 0; i < count; ++i)
        if (values[i] == values[i] && (best < 0 || values[i] > values[best]))
            best = i;
    return best;
}

double cosineOf(double dot, double normA, double normB)
{
    if (normA == 0 && normB == 0)
        return 1;
    const double cosine = dot / (std::sqrt(normA) * std::sqrt(normB));
    return std::isfinite(cosine) ? std::clamp(cosine, -1.0, 1.0) : 0;
}

} // namespace

void Agreement::add(const at::Tensor &floatOutput, const at::Tensor &otherOutput)
{
    if (floatOutput.dim() < 1 || floatOutput.sizes() != otherOutput.sizes())
        throw Error(ErrorKind::InvalidInput, "agreement",
                    "Outputs of shapes " + c10::str(floatOutput.sizes()) + " and " + c10::str(otherOutput.sizes()) + " cannot be compared.");
    const std::int64_t count = floatOutput.size(0);
    if (count == 0 || floatOutput.numel() == 0)
        return;
    const std::int64_t elements = floatOutput.numel() / count;
    const at::Tensor a = floatOutput.detach().to(at::kDouble).contiguous(), b = otherOutput.detach().to(at::kDouble).contiguous();
    const double *r = a.data_ptr<double>(), *q = b.data_ptr<double>();
    for (std::int64_t image = 0; image < count; ++image, r += elements, q += elements) {
        double imageDot = 0, imageFloat = 0, imageOther = 0, imageNoise = 0;
        for (std::int64_t i = 0; i < elements; ++i) {
            if (!std::isfinite(r[i]) && (r[i] == q[i] || (r[i] != r[i] && q[i] != q[i])))
                continue;                                                      // the same infinity or NaN on both sides
            const double difference = r[i] - q[i];
            imageDot += r[i] * q[i];
            imageFloat += r[i] * r[i];
            imageOther += q[i] * q[i];
            imageNoise += difference * difference;
            largestDifference = std::isfinite(difference) ? std::max(largestDifference, std::fabs(difference)) : HUGE_VAL;
        }
        ++images;
        sameTop1 += argmax(r, elements) == argmax(q, elements);
        sumCosine += cosineOf(imageDot, imageFloat, imageOther);
        dot += imageDot;
        normFloat += imageFloat;
        normOther += imageOther;
        noise += imageNoise;
    }
}

double Agreement::top1Percent() const { return images ? 100.0 * double(sameTop1) / double(images) : 0; }

double Agreement::cosine() const { return images ? sumCosine / double(images) : 0; }

double Agreement::sqnrDb() const
{
    constexpr double limit = 200;
    if (noise == 0)
        return limit;
    const double decibel = 10 * std::log10(normFloat / noise);
    return std::isfinite(decibel) ? std::clamp(decibel, -limit, limit) : -limit;
}

} // namespace core
