#include "core/weights/apply_weights.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace core {
namespace {

constexpr std::size_t namedAtMost = 4;

/// What both sides' names are compared as: "/features/0/weight" is "features.0.weight".
std::string plainName(std::string name)
{
    std::replace(name.begin(), name.end(), '/', '.');
    name.erase(0, std::min(name.find_first_not_of('.'), name.size()));
    return name;
}

bool isIgnored(const std::string &name) { return name == "num_batches_tracked" || name.ends_with(".num_batches_tracked"); }

/// Constants that are a layer's weights, by plain name; ambiguous ones are left out.
class Targets {
public:
    explicit Targets(const Graph &graph)
    {
        std::set<std::string> twice;
        for (const auto &[id, data] : graph.constants()) {
            const std::string &name = graph.value(id).name;
            m_exact.emplace(name, id);
            if (!m_plain.emplace(plainName(name), id).second)
                twice.insert(plainName(name));
        }
        for (const std::string &name : twice)
            m_plain.erase(name);
    }

    ValueId find(const std::string &name) const
    {
        const auto exact = m_exact.find(name);
        return exact != m_exact.end() ? exact->second : findPlain(plainName(name));
    }
    ValueId findPlain(const std::string &name) const
    {
        const auto found = m_plain.find(name);
        return found != m_plain.end() ? found->second : ValueId{};
    }
    const std::map<std::string, ValueId> &plain() const { return m_plain; }

private:
    std::map<std::string, ValueId> m_exact, m_plain;
};

/// How names of the file become names of the graph.
struct Renaming {
    std::string removed, added;

    ValueId target(const Targets &targets, const std::string &name) const
    {
        if (removed.empty() && added.empty())
            return targets.find(name);
        const std::string plain = plainName(name);
        return plain.starts_with(removed) ? targets.findPlain(added + plain.substr(removed.size())) : ValueId{};
    }
};

std::size_t matches(const Renaming &renaming, const Targets &targets, const WeightFile &weights)
{
    return std::size_t(std::count_if(weights.tensors.begin(), weights.tensors.end(), [&](const auto &tensor) { return renaming.target(targets, tensor.first).valid(); }));
}

/// The names as they are or, where that fits more tensors, with one prefix more or less.
Renaming bestRenaming(const Targets &targets, const WeightFile &weights)
{
    Renaming best;
    std::size_t most = matches(best, targets, weights);
    const auto probe = std::find_if(weights.tensors.begin(), weights.tensors.end(), [](const auto &tensor) { return !isIgnored(tensor.first) && isFloatingPoint(tensor.second.type); });
    if (probe == weights.tensors.end())
        return best;
    const std::string sought = plainName(probe->first);
    for (const auto &[name, id] : targets.plain()) {
        Renaming candidate;
        if (name.ends_with("." + sought))
            candidate.added = name.substr(0, name.size() - sought.size());
        else if (sought.ends_with("." + name))
            candidate.removed = sought.substr(0, sought.size() - name.size());
        else
            continue;
        if (const std::size_t count = matches(candidate, targets, weights); count > most) {
            best = candidate;
            most = count;
        }
    }
    return best;
}

/// Constants that are learned: what layers take besides their data.
std::set<ValueId> layerWeights(const Graph &graph)
{
    static constexpr std::array types{"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization",
                                      "PRelu", "LSTM", "GRU", "RNN", "DeformConv"};
    std::set<ValueId> found;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        if (std::none_of(types.begin(), types.end(), [&](const char *type) { return node.is(type); }))
            continue;
        for (const ValueId input : node.inputs)
            if (const TensorData *data = input.valid() ? graph.constant(input) : nullptr; data && isFloatingPoint(data->type))
                found.insert(input);
    }
    return found;
}

std::string quotedName(const std::string &name)
{
    std::string text = "'";
    return text.append(name).append("'");
}

std::string shapeName(const TensorData &tensor)
{
    std::string text;
    for (const std::int64_t dim : tensor.dims)
        text.append(text.empty() ? "" : "x").append(std::to_string(dim));
    return (text.empty() ? "scalar" : text) + " " + dataTypeName(tensor.type);
}

/// nullopt where the types cannot be converted.
std::optional<TensorData> converted(const TensorData &tensor, DataType type)
{
    if (tensor.type == type)
        return tensor;
    if (!isFloatingPoint(tensor.type) || bitsPerElement(type) < 16 || !isFloatingPoint(type))
        return {};
    std::vector<std::byte> bytes(std::size_t(byteSize(type, tensor.count())));
    const std::vector<double> values = tensor.toDoubles();
    const auto store = [&](std::size_t i, auto value) { std::copy_n(reinterpret_cast<const std::byte *>(&value), sizeof value, bytes.begin() + std::ptrdiff_t(i * sizeof value)); };
    for (std::size_t i = 0; i < values.size(); ++i)
        switch (type) {
        case DataType::Float64: store(i, values[i]); break;
        case DataType::Float16: store(i, floatToHalf(float(values[i]))); break;
        case DataType::BFloat16: store(i, floatToBfloat16(float(values[i]))); break;
        default: store(i, float(values[i]));
        }
    return TensorData::fromBytes(type, tensor.dims, std::move(bytes));
}

class Complaint {
public:
    void add(const std::string &what)
    {
        if (m_count++ < namedAtMost)
            m_text.append(m_text.empty() ? "" : ", ").append(what);
    }
    std::string text(const std::string &what) const
    {
        std::string sentence;
        if (m_count > 0)
            sentence.append(" ").append(what).append(" (").append(std::to_string(m_count)).append("): ").append(m_text).append(m_count > namedAtMost ? ", …." : ".");
        return sentence;
    }

private:
    std::string m_text;
    std::size_t m_count = 0;
};

} // namespace

Diagnostic applyWeights(Graph &graph, const WeightFile &weights, const std::string &described)
{
    const Targets targets(graph);
    const Renaming renaming = bestRenaming(targets, weights);
    std::map<ValueId, TensorData> applied;
    std::map<ValueId, std::string> from;
    Complaint different, missing, unused, doubled;
    for (const auto &[name, tensor] : weights.tensors) {
        const ValueId id = renaming.target(targets, name);
        if (!id.valid()) {
            if (!isIgnored(name) && isFloatingPoint(tensor.type))
                unused.add(quotedName(name));
            continue;
        }
        if (!from.emplace(id, name).second) {
            doubled.add(quotedName(name) + " and " + quotedName(from.at(id)));
            continue;
        }
        const TensorData &old = *graph.constant(id);
        if (auto data = tensor.dims == old.dims ? converted(tensor, old.type) : std::nullopt)
            applied.emplace(id, std::move(*data));
        else
            different.add(quotedName(name) + " is " + shapeName(tensor) + ", the model's is " + shapeName(old));
    }
    for (const ValueId id : layerWeights(graph))
        if (!from.contains(id))
            missing.add(quotedName(graph.value(id).name));
    const std::string wrong = different.text("Tensors that differ") + missing.text("Weights of the model that are not in the file")
        + unused.text("Tensors of the file that are not in the model") + doubled.text("Tensors that have the place of another");
    if (!wrong.empty() || applied.empty())
        throw Error(ErrorKind::InvalidInput, "weights", described + " does not fit the model." + (wrong.empty() ? " It has none of the model's tensors." : wrong));
    for (auto &[id, data] : applied)
        graph.setConstant(id, std::move(data));
    return {Severity::Note, "weights-applied", "", std::to_string(applied.size()) + " tensors were taken from " + described + "."};
}

} // namespace core
