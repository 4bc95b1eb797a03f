#include "core/qat/losses.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

namespace core {
namespace {

[[noreturn]] void refuse(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, "train", sentence);
}

at::Tensor rows(const at::Tensor &scores) { return scores.reshape({scores.size(0), scores.size(1)}); }

at::Tensor crossEntropy(const at::Tensor &scores, std::span<const std::int64_t> labels, double smoothing)
{
    const at::Tensor logits = rows(scores);
    if (std::int64_t(labels.size()) != logits.size(0))
        refuse("Cross-entropy needs a label for every image.");
    for (const std::int64_t label : labels)
        if (label < 0 || label >= logits.size(1))
            refuse(label < 0 ? "Cross-entropy needs labels and an image has none; train by distillation instead."
                             : "An image has label " + std::to_string(label) + ", but the model gives " + std::to_string(logits.size(1)) + " class scores.");
    const at::Tensor target = at::empty({std::int64_t(labels.size())}, at::kLong);
    std::copy(labels.begin(), labels.end(), target.data_ptr<std::int64_t>());
    return at::cross_entropy_loss(logits, target, {}, at::Reduction::Mean, -100, smoothing);
}

at::Tensor sumOf(const at::Tensor &sum, const at::Tensor &part, double weight)
{
    const at::Tensor weighted = weight == 1 ? part : part * weight;
    return sum.defined() ? sum + weighted : weighted;
}

/// Pairs of floating-point tensors of equal size.
at::Tensor meanError(std::span<const at::Tensor> student, std::span<const at::Tensor> teacher)
{
    at::Tensor sum;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < std::min(student.size(), teacher.size()); ++i) {
        if (!student[i].is_floating_point() || student[i].sizes() != teacher[i].sizes() || student[i].numel() == 0)
            continue;
        sum = sumOf(sum, relativeError(student[i], teacher[i]), 1);
        ++count;
    }
    if (!count)
        refuse("The model has no floating-point output whose size is the same for float and quantized model, so nothing can be distilled.");
    return count > 1 ? sum / double(count) : sum;
}

} // namespace

at::Tensor distillationLoss(const at::Tensor &student, const at::Tensor &teacher, double temperature)
{
    const at::Tensor from = at::log_softmax(rows(student) / temperature, 1), to = at::log_softmax(rows(teacher) / temperature, 1);
    return (to.exp() * (to - from)).sum() * (temperature * temperature / double(from.size(0)));
}

at::Tensor relativeError(const at::Tensor &student, const at::Tensor &teacher)
{
    const double variance = teacher.numel() > 1 ? teacher.to(at::kFloat).var(false).item<double>() : 0.0;
    return at::mse_loss(student, teacher) / std::max(variance, 1e-12);
}

at::Tensor trainingLoss(const LossSpec &spec, const ModelOutputs &student, const ModelOutputs &teacher, std::span<const std::int64_t> labels, int scored)
{
    at::Tensor loss;
    if (spec.crossEntropy > 0) {
        if (scored < 0)
            refuse("Cross-entropy needs an output with one score for each class, and the model has none; train by distillation instead.");
        loss = sumOf(loss, crossEntropy(student.outputs[std::size_t(scored)], labels, spec.labelSmoothing), spec.crossEntropy);
    }
    if (spec.distillation > 0) {
        const bool classes = scored >= 0 && std::size_t(scored) < teacher.outputs.size();
        loss = sumOf(loss, classes ? distillationLoss(student.outputs[std::size_t(scored)], teacher.outputs[std::size_t(scored)], spec.temperature)
                                   : meanError(student.outputs, teacher.outputs), spec.distillation);
    }
    if (spec.features > 0)
        loss = sumOf(loss, meanError(student.features, teacher.features), spec.features);
    if (!loss.defined())
        refuse("Every part of the loss has weight 0.");
    return loss;
}

} // namespace core
