#include "tests/conformance/conformance_case.h"

#include "core/exec/executor.h"
#include "core/onnx/reader.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Tolerance {
    double relative = 1e-3, absolute = 1e-7;
};

Tolerance toleranceOf(core::DataType type)
{
    switch (type) {
    case core::DataType::Float16: return {2e-3, 1e-3};
    case core::DataType::BFloat16: return {1.6e-2, 1e-2};
    case core::DataType::Float8E4M3FN: case core::DataType::Float8E4M3FNUZ: return {0.07, 2e-3};
    case core::DataType::Float8E5M2: case core::DataType::Float8E5M2FNUZ: return {0.13, 2e-5};
    default: return {};
    }
}

std::vector<core::TensorData> readSet(const fs::path &folder, const std::string &prefix)
{
    std::vector<core::TensorData> tensors;
    for (int i = 0;; ++i) {
        const fs::path file = folder / (prefix + std::to_string(i) + ".pb");
        if (!fs::exists(file))
            return tensors;
        tensors.push_back(core::readTensor(file));
    }
}

std::string sizesText(at::IntArrayRef sizes)
{
    std::string text = "[";
    for (const auto size : sizes) {
        if (text.size() > 1)
            text += ", ";
        text += std::to_string(size);
    }
    text += "]";
    return text;
}

std::string compare(const at::Tensor &actual, const core::TensorData &expectedData)
{
    const at::Tensor expected = core::toTensor(expectedData);
    if (actual.sizes() != expected.sizes())
        return "the shape is " + sizesText(actual.sizes()) + ", expected " + sizesText(expected.sizes());
    if (actual.scalar_type() != expected.scalar_type())
        return std::string("the type is ") + at::toString(actual.scalar_type()) + ", expected " + core::dataTypeName(expectedData.type);
    if (!expected.is_floating_point()) {
        const auto wrong = actual.ne(expected).sum().item<std::int64_t>();
        return wrong == 0 ? "" : std::to_string(wrong) + " of " + std::to_string(expected.numel()) + " values differ";
    }
    const Tolerance tolerance = toleranceOf(expectedData.type);
    const at::Tensor a = actual.to(at::kDouble), e = expected.to(at::kDouble);
    const at::Tensor same = at::isclose(a, e, tolerance.relative, tolerance.absolute, true);
    if (same.all().item<bool>())
        return {};
    const auto wrong = same.logical_not().sum().item<std::int64_t>();
    const double largest = at::where(same, at::zeros_like(a), (a - e).abs()).max().item<double>();
    return std::to_string(wrong) + " of " + std::to_string(expected.numel()) + " values differ, by up to " + std::to_string(largest);
}

std::string runSet(core::Executor &executor, const fs::path &folder, std::size_t inputCount)
{
    std::vector<at::Tensor> inputs;
    for (const auto &data : readSet(folder, "input_"))
        inputs.push_back(core::toTensor(data));
    const auto expected = readSet(folder, "output_");
    if (inputs.size() != inputCount)
        return "there are " + std::to_string(inputs.size()) + " input files for " + std::to_string(inputCount) + " inputs";
    const auto outputs = executor.run(inputs);
    if (expected.empty() || expected.size() > outputs.size())
        return "there are " + std::to_string(expected.size()) + " output files for " + std::to_string(outputs.size()) + " outputs";
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (const std::string difference = compare(outputs[i], expected[i]); !difference.empty())
            return folder.filename().string() + ", output " + std::to_string(i) + ": " + difference;
    return {};
}

} // namespace

std::string runCase(const fs::path &folder)
{
    core::Model model = core::readModel(folder / "model.onnx");
    const auto graph = std::make_shared<const core::Graph>(std::move(model.graph));
    core::Executor executor(graph);
    std::vector<fs::path> sets;
    for (const auto &entry : fs::directory_iterator(folder))
        if (entry.is_directory() && entry.path().filename().string().starts_with("test_data_set_"))
            sets.push_back(entry.path());
    if (sets.empty())
        return "it has no test_data_set_*";
    std::sort(sets.begin(), sets.end());
    for (const auto &set : sets)
        if (std::string difference = runSet(executor, set, graph->inputs.size()); !difference.empty())
            return difference;
    return {};
}
