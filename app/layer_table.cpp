#include "app/layer_table.h"

#include "core/graph/node_cost.h"
#include "core/spec/resolver.h"

#include <QCoreApplication>

#include <algorithm>
#include <unordered_map>

namespace app {

using namespace core;
using widgets::LayerFacts;

namespace {

/// Figures of the rows, by tensor name.
struct Figures {
    explicit Figures(const Report *report)
    {
        if (!report)
            return;
        for (const LayerRow &row : report->layers)
            (row.kind == "activation" ? activations : weights).emplace(row.tensor, &row);
    }
    const LayerRow *activation(const std::string &tensor) const { return find(activations, tensor); }
    const LayerRow *weight(const std::string &tensor) const { return find(weights, tensor); }

    using Map = std::unordered_map<std::string, const LayerRow *>;
    static const LayerRow *find(const Map &map, const std::string &tensor)
    {
        const auto found = map.find(tensor);
        return found == map.end() ? nullptr : found->second;
    }
    Map activations, weights;
};

/// Groups of the placement; a folded BatchNormalization belongs to the layer in front of it.
std::vector<int> groupsOf(const Prepared &prepared, const Placement &placement)
{
    std::vector<int> group(std::size_t(prepared.source->nodeIdLimit()), -1);
    int next = 0;
    for (const auto &nodes : placement.fusedGroups) {
        for (const NodeId id : nodes)
            group.at(std::size_t(id.index)) = next;
        ++next;
    }
    for (const NodeId id : prepared.source->order()) {
        const Node &node = prepared.source->node(id);
        if (prepared.graph->contains(id) || !node.is("BatchNormalization") || !node.input(0).valid())
            continue;
        const NodeId before = prepared.source->producer(node.input(0));
        if (!before.valid())
            continue;
        if (group[std::size_t(before.index)] < 0)
            group[std::size_t(before.index)] = next++;
        group[std::size_t(id.index)] = group[std::size_t(before.index)];
    }
    return group;
}

class Builder {
public:
    Builder(const Prepared &prepared, const Recipe &recipe, const FigureSources &sources)
        : m_prepared(prepared), m_source(*prepared.source), m_recipe(recipe), m_figures(sources.report.get()), m_other(sources.other.get()),
          m_stale(sources.stale && sources.report)
    {
        if (sources.image)
            for (const auto &[tensor, decibels] : sources.image->sqnr)
                m_ofImage.emplace(tensor, decibels);
    }

    std::shared_ptr<const Layers> build()
    {
        auto layers = std::make_shared<Layers>();
        layers->graph = m_prepared.source;
        std::unique_ptr<Resolver> resolver;
        auto placement = std::make_shared<Placement>();
        try {
            if (m_prepared.quantized)
                throw Error(ErrorKind::InvalidInput, "place", "This file is quantized already; what it holds is shown, but cannot be changed. Open the float model to quantize it.");
            *placement = place(*m_prepared.graph, m_recipe);
            resolver = std::make_unique<Resolver>(*m_prepared.graph, effectiveConfig(m_recipe), globalOrigins(m_recipe));
        } catch (const Error &error) {
            layers->error = QString::fromStdString(error.sentence());
        }
        layers->placement = placement;
        layers->context = std::make_shared<const widgets::SpecContext>(m_prepared.graph, m_recipe, placement);
        layers->diagnostics = placement->diagnostics;
        for (const Point &point : placement->points)
            for (const Graph::Use &use : point.uses)
                m_readers[use.node.index].emplace_back(&point, use.inputIndex);
        for (const Point &point : placement->points)
            m_byValue.emplace(point.value.index, &point);
        auto table = std::make_shared<widgets::LayerTable>();
        table->reserve(m_source.nodeCount());
        const std::vector<int> groups = groupsOf(m_prepared, *placement);
        for (const NodeId id : m_source.order()) {
            table->push_back(factsOf(m_source.node(id), resolver.get()));
            table->back().group = groups[std::size_t(id.index)];
        }
        spread(*table);
        layers->table = table;
        mark(*layers);
        return layers;
    }

private:
    LayerFacts factsOf(const Node &node, const Resolver *resolver) const
    {
        LayerFacts facts;
        facts.node = node.id;
        facts.name = QString::fromStdString(node.name);
        facts.opType = QString::fromStdString(node.opType);
        facts.stale = m_stale;
        facts.macs = double(multiplyAccumulates(m_source, node));
        facts.parameters = double(parameterCount(m_source, node));
        if (node.output().valid())
            facts.shape = widgets::shapeText(m_source.value(node.output()));
        const Point *weight = nullptr, *output = nullptr;
        if (const auto found = m_readers.find(node.id.index); found != m_readers.end())
            for (const auto &[point, index] : found->second)
                if (point->kind == PointKind::Weight && point->scheme.quantized() && !weight)
                    weight = point;
        double bits = 32;
        if (node.output().valid())
            if (const auto found = m_byValue.find(node.output().index); found != m_byValue.end() && found->second->scheme.quantized())
                output = found->second;
        if (const Point *shown = weight ? weight : output) {
            facts.dtype = widgets::dtypeClassOf(shown->scheme);
            facts.badge = QString::fromStdString(shown->scheme.badge());
            if (shown->scheme.granularity == Granularity::PerTensor && isIntegerDtype(shown->scheme.dtype) && shown->scheme.dtype == QuantDtype::Int8)
                facts.badge = QStringLiteral("i8t");
            facts.powerOfTwo = shown->scheme.scaleType == ScaleType::PowerOfTwo;
        }
        if (weight) {
            bits = dtypeBits(weight->scheme.dtype);
            if (const LayerRow *row = m_figures.weight(m_prepared.graph->value(weight->value).name))
                facts.weightSqnr = row->sqnrDb;
        }
        facts.bytes = facts.parameters * bits / 8;
        if (resolver && m_prepared.graph->contains(node.id)) {
            const ResolvedNode &resolved = resolver->node(node.id);
            facts.excluded = resolved.excluded;
            facts.overridden = resolved.excluded || m_recipe.config.disabledEdges.contains(node.name);
            for (const ResolvedScheme &role : resolved.roles)
                facts.overridden |= role.layer >= ConfigLayer::Rule;
        }
        if (node.output().valid()) {
            const std::string &tensor = m_source.value(node.output()).name;
            if (const LayerRow *row = m_figures.activation(tensor)) {
                facts.activationSqnr = row->sqnrDb;
                facts.clipped = row->clippedShare;
                if (const LayerRow *other = m_other.activation(tensor))
                    facts.difference = row->sqnrDb - other->sqnrDb;
            }
            if (!m_ofImage.empty()) {
                const auto found = m_ofImage.find(tensor);
                facts.imageError = facts.activationSqnr = found == m_ofImage.end() ? widgets::unknown : found->second;
            }
        }
        return facts;
    }

    /// Only the last node of a group has a quantizer on its output: what was measured there belongs to the whole group.
    static void spread(widgets::LayerTable &table)
    {
        std::unordered_map<int, const LayerFacts *> measured;
        for (const LayerFacts &facts : table)
            if (facts.group >= 0 && !std::isnan(facts.activationSqnr))
                measured[facts.group] = &facts;
        std::unordered_map<int, LayerFacts> heads;
        for (const LayerFacts &facts : table)
            if (facts.group >= 0 && !heads.contains(facts.group))
                heads.emplace(facts.group, facts);
        for (LayerFacts &facts : table) {
            if (facts.group < 0)
                continue;
            if (const auto found = measured.find(facts.group); found != measured.end() && std::isnan(facts.activationSqnr)) {
                facts.activationSqnr = found->second->activationSqnr;
                facts.clipped = found->second->clipped;
                facts.difference = found->second->difference;
            }
            const LayerFacts &head = heads.at(facts.group);
            if (facts.dtype == widgets::DtypeClass::Float32 && head.dtype != widgets::DtypeClass::Float32) {
                facts.dtype = head.dtype;
                facts.badge = head.badge;
                facts.powerOfTwo = head.powerOfTwo;
            }
        }
    }

    void mark(Layers &layers) const
    {
        const Graph &graph = *m_prepared.graph;
        for (const Point &point : layers.placement->points) {
            if (point.kind != PointKind::Activation || !point.scheme.quantized())
                continue;
            for (const Graph::Use &use : point.uses)
                layers.marks.push_back({point.value, use.node, int(use.inputIndex), widgets::dtypeClassOf(point.scheme), QString::fromStdString(point.scheme.badge()), true, true,
                                        QString::fromStdString(graph.value(point.value).name + "\n" + point.reason + "\n" + point.provenance)});
            if (point.quantizesOutput)
                layers.marks.push_back({point.value, {}, -1, widgets::dtypeClassOf(point.scheme), QString::fromStdString(point.scheme.badge()), true, false,
                                        QString::fromStdString(point.reason)});
        }
        for (const auto &[name, indices] : m_recipe.config.disabledEdges) {
            const NodeId id = graph.findNode(name);
            if (!id.valid())
                continue;
            for (const int index : indices)
                if (const ValueId value = graph.node(id).input(std::size_t(std::max(index, 0))); value.valid())
                    layers.marks.push_back({value, id, index, widgets::DtypeClass::Float32, QStringLiteral("f32"), false, true,
                                            QCoreApplication::translate("LayerTable", "Switched off for this reader. Click to switch it on.")});
        }
    }

    const Prepared &m_prepared;
    const Graph &m_source;
    const Recipe &m_recipe;
    Figures m_figures, m_other;
    bool m_stale;
    std::unordered_map<std::string, double> m_ofImage;
    std::unordered_map<std::int32_t, std::vector<std::pair<const Point *, std::size_t>>> m_readers;
    std::unordered_map<std::int32_t, const Point *> m_byValue;
};

} // namespace

std::shared_ptr<const Layers> describeLayers(const Prepared &prepared, const Recipe &recipe, const FigureSources &sources)
{
    return Builder(prepared, recipe, sources).build();
}

} // namespace app
