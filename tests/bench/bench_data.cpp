#include "tests/bench/bench_data.h"

#include "core/session/model_loading.h"

#include <ATen/ATen.h>

#include <random>

namespace bench {

using namespace core;

namespace {

class Noise : public Dataset {
public:
    Noise(const Graph &graph, std::size_t count) : m_count(count)
    {
        for (ValueId id : graph.inputs) {
            const Value &value = graph.value(id);
            std::vector<std::int64_t> shape;
            for (std::size_t i = 1; value.shape && i < value.shape->size(); ++i)
                shape.push_back((*value.shape)[i].size);
            for (std::int64_t size : shape)
                if (size < 0)
                    throw Error(ErrorKind::InvalidInput, "bench", "The size of input '" + value.name + "' is not known; give --images.");
            m_shapes.push_back(shape);
        }
    }
    std::size_t size() const override { return m_count; }
    bool hasLabels() const override { return false; }
    std::string describe(std::size_t index) const override { return "noise[" + std::to_string(index) + "]"; }
    std::string fingerprint() const override { return "noise " + std::to_string(m_count); }
    Sample load(std::size_t index) const override
    {
        Sample sample;
        std::mt19937 random{std::uint32_t(index)};
        for (const std::vector<std::int64_t> &shape : m_shapes) {
            at::Tensor tensor = at::empty(shape, at::kFloat);
            float *values = tensor.data_ptr<float>();
            float level = 0;
            for (std::int64_t i = 0; i < tensor.numel(); ++i) {
                level = 0.9f * level + 0.1f * (float(random()) * 0x1p-31f - 1.0f);
                values[i] = 3 * level;
            }
            sample.inputs.push_back(tensor);
        }
        return sample;
    }

private:
    std::size_t m_count;
    std::vector<std::vector<std::int64_t>> m_shapes;
};

class Repeated : public Dataset {
public:
    Repeated(std::unique_ptr<Dataset> data, std::size_t count) : m_data(std::move(data)), m_count(count) {}
    std::size_t size() const override { return m_count; }
    bool hasLabels() const override { return m_data->hasLabels(); }
    std::string describe(std::size_t index) const override { return m_data->describe(index % m_data->size()); }
    std::string fingerprint() const override { return m_data->fingerprint() + " x " + std::to_string(m_count); }
    Sample load(std::size_t index) const override { return m_data->load(index % m_data->size()); }

private:
    std::unique_ptr<Dataset> m_data;
    std::size_t m_count;
};

} // namespace

std::unique_ptr<Dataset> noiseData(const Graph &graph, std::size_t count)
{
    return std::make_unique<Noise>(graph, count);
}

std::unique_ptr<Dataset> imageData(const Graph &graph, const std::filesystem::path &folder, std::size_t count)
{
    DataSource source;
    source.path = folder;
    return std::make_unique<Repeated>(openFor(graph, source, transformPreset("tf")), count);
}

} // namespace bench
