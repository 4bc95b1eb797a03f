#include "core/session/flipped_images.h"

#include "core/metrics/scored_output.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr std::size_t mostImages = 1000;

/// Share of class `index`: the score itself where scores are shares already, else by softmax.
double shareOf(const float *scores, std::int64_t classes, std::int64_t index)
{
    double sum = 0, least = 0, most = scores[0];
    for (std::int64_t i = 0; i < classes; ++i) {
        sum += scores[i];
        least = std::min(least, double(scores[i]));
        most = std::max(most, double(scores[i]));
    }
    if (least >= 0 && std::fabs(sum - 1) < 1e-2)
        return scores[index];
    double all = 0;
    for (std::int64_t i = 0; i < classes; ++i)
        all += std::exp(double(scores[i]) - most);
    return std::exp(double(scores[index]) - most) / all;
}

} // namespace

void FlippedImages::add(const EvaluatedBatch &batch)
{
    const auto &floating = batch.outputs[0], &other = batch.outputs[m_other];
    const int output = scoredOutput(floating);
    if (output < 0 || scoredOutput(other) != output)
        return;
    const auto rows = [&](const std::vector<at::Tensor> &outputs) {
        const at::Tensor &scores = outputs[std::size_t(output)];
        return scores.to(at::kFloat).contiguous().reshape({scores.size(0), -1});
    };
    const at::Tensor a = rows(floating), b = rows(other);
    if (a.sizes() != b.sizes())
        return;
    const std::int64_t classes = a.size(1);
    for (std::int64_t row = 0; row < std::min(batch.count, a.size(0)); ++row) {
        const float *p = a.data_ptr<float>() + row * classes, *q = b.data_ptr<float>() + row * classes;
        const std::int64_t was = std::max_element(p, p + classes) - p, is = std::max_element(q, q + classes) - q;
        if (was == is)
            continue;
        Candidate found;
        found.image.index = batch.indices[std::size_t(row)];
        found.image.path = m_dataset.describe(found.image.index);
        found.image.label = std::size_t(row) < batch.labels.size() ? batch.labels[std::size_t(row)] : -1;
        found.image.floatClass = was;
        found.image.quantizedClass = is;
        found.image.floatScore = shareOf(p, classes, was);
        found.image.quantizedScore = shareOf(q, classes, is);
        found.margin = double(p[was]) - double(p[is]);
        m_found.push_back(std::move(found));
    }
}

std::vector<FlippedImage> FlippedImages::take()
{
    std::stable_sort(m_found.begin(), m_found.end(), [](const Candidate &a, const Candidate &b) { return a.margin > b.margin; });
    if (m_found.size() > mostImages)
        m_found.resize(mostImages);
    std::vector<FlippedImage> images;
    for (Candidate &candidate : m_found)
        images.push_back(std::move(candidate.image));
    m_found.clear();
    return images;
}

} // namespace core
