#include "widgets/spec/node_facts.h"

#include "core/spec/operator_roles.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("NodeFacts", text); }
QString utf8(const std::string &text) { return QString::fromStdString(text); }

template <class List, class F> QString listText(const List &list, F &&entry)
{
    constexpr std::size_t most = 12;
    QStringList parts;
    for (std::size_t i = 0; i < std::min(list.size(), most); ++i)
        parts << entry(list[i]);
    return parts.join(QStringLiteral(", ")) + (list.size() > most ? QStringLiteral(", … (%1)").arg(list.size()) : QString());
}

TensorRow row(const SpecContext &context, core::ValueId id)
{
    const core::Value &value = context.graph().value(id);
    TensorRow result;
    result.name = utf8(value.name);
    result.shape = shapeText(value.shape);
    result.type = value.type == core::DataType::Undefined ? QStringLiteral("?") : utf8(core::dataTypeName(value.type));
    result.constant = context.graph().isConstant(id);
    return result;
}

void addPoint(const SpecContext &context, core::ValueId value, const core::Point *point, TensorRow &to)
{
    if (point) {
        to.badge = utf8(point->scheme.badge());
        to.reason = utf8(point->reason) + QLatin1Char(' ') + tr("Set by %1.").arg(utf8(point->provenance));
    } else {
        to.reason = utf8(context.absenceOf(value));
    }
}

QString section(const QString &title, const QStringList &lines)
{
    return lines.isEmpty() ? QString() : QStringLiteral("<p><b>%1</b><br>%2</p>").arg(title.toHtmlEscaped(), lines.join(QStringLiteral("<br>")));
}

} // namespace

QString shapeText(const std::optional<core::Shape> &shape)
{
    if (!shape)
        return QStringLiteral("?");
    if (shape->empty())
        return tr("scalar");
    QStringList parts;
    for (const core::Dimension &dimension : *shape)
        parts << (dimension.known() ? QString::number(dimension.size) : dimension.symbol.empty() ? QStringLiteral("?") : utf8(dimension.symbol));
    return parts.join(QStringLiteral("×"));
}

QString attributeText(const core::AttributeValue &value)
{
    return std::visit([](const auto &held) -> QString {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::int64_t>)
            return QString::number(held);
        else if constexpr (std::is_same_v<T, float>)
            return shortNumber(double(held), 6);
        else if constexpr (std::is_same_v<T, std::string>)
            return utf8(held).left(200);
        else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>)
            return listText(held, [](std::int64_t n) { return QString::number(n); });
        else if constexpr (std::is_same_v<T, std::vector<float>>)
            return listText(held, [](float n) { return shortNumber(double(n), 6); });
        else if constexpr (std::is_same_v<T, std::vector<std::string>>)
            return listText(held, [](const std::string &text) { return utf8(text); });
        else if constexpr (std::is_same_v<T, core::TensorData>)
            return tr("tensor %1 [%2]").arg(utf8(core::dataTypeName(held.type)), listText(held.dims, [](std::int64_t n) { return QString::number(n); }));
        else if constexpr (std::is_same_v<T, std::shared_ptr<const core::Graph>>)
            return tr("graph of %1 nodes").arg(held ? held->nodeCount() : 0);
        else
            return tr("not understood, kept as it is");
    }, value);
}

std::vector<TensorRow> tensorRows(const SpecContext &context, core::NodeId id)
{
    std::vector<TensorRow> rows;
    if (!context.graph().contains(id))
        return rows;
    const core::Node &node = context.graph().node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!node.inputs[i].valid())
            continue;
        rows.push_back(row(context, node.inputs[i]));
        addPoint(context, node.inputs[i], context.pointOfEdge(id, i), rows.back());
    }
    for (const core::ValueId out : node.outputs) {
        if (!out.valid())
            continue;
        rows.push_back(row(context, out));
        rows.back().output = true;
        addPoint(context, out, context.pointOfValue(out), rows.back());
    }
    return rows;
}

std::optional<WeightFacts> weightFacts(const SpecContext &context, core::NodeId id)
{
    const core::TensorData *data = context.weightOf(id);
    if (!data || !core::isFloatingPoint(data->type))
        return {};
    const auto role = core::weightRole(context.graph(), context.graph().node(id));
    WeightFacts facts;
    facts.name = utf8(context.graph().value(context.graph().node(id).input(role->weightInput)).name);
    core::Shape shape;
    for (const std::int64_t size : data->dims)
        shape.push_back({size, {}});
    facts.shape = shapeText(shape);
    const std::int64_t count = data->count();
    if (count > largestCount) {
        facts.tooLarge = true;
        return facts;
    }
    std::vector<float> converted;
    const float *values = nullptr;
    if (data->type == core::DataType::Float32 && data->bytes) {
        values = reinterpret_cast<const float *>(data->bytes->data());
    } else {
        converted = data->toFloats();
        values = converted.data();
    }
    facts.channelAxis = role->channelAxis;
    std::int64_t channels = 1, inner = count;
    if (role->channelAxis >= 0 && std::size_t(role->channelAxis) < data->dims.size()) {
        channels = data->dims[std::size_t(role->channelAxis)];
        inner = 1;
        for (std::size_t i = std::size_t(role->channelAxis) + 1; i < data->dims.size(); ++i)
            inner *= data->dims[i];
    } else {
        facts.channelAxis = -1;
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    facts.channels.assign(std::size_t(std::max<std::int64_t>(channels, 0)), {infinity, -infinity});
    for (std::int64_t at = 0, block = 0; at < count && inner > 0 && channels > 0; at += inner, ++block) {
        const auto [least, greatest] = std::minmax_element(values + at, values + std::min(at + inner, count));
        core::Range &range = facts.channels[std::size_t(block % channels)];
        range.min = std::min(range.min, double(*least));
        range.max = std::max(range.max, double(*greatest));
    }
    facts.min = infinity;
    facts.max = -infinity;
    for (const core::Range &range : facts.channels) {
        facts.min = std::min(facts.min, range.min);
        facts.max = std::max(facts.max, range.max);
    }
    return facts;
}

QString infoHtml(const SpecContext &context, core::NodeId id, const LayerFacts *facts, const core::Diagnostics &remarks, const QColor &warning)
{
    const core::Graph &graph = context.graph();
    if (!graph.contains(id))
        return {};
    const core::Node &node = graph.node(id);
    QString html;

    QStringList size;
    if (facts && facts->parameters > 0)
        size << tr("%1 parameters").arg(QLocale::c().toString(qint64(facts->parameters)));
    if (facts && facts->macs > 0)
        size << tr("%1 multiply-adds").arg(overlayText(*facts, Overlay::Size));
    html += section(tr("Size"), size);

    QStringList warnings;
    for (const core::Diagnostics *list : {context.placement() ? &context.placement()->diagnostics : nullptr, &remarks})
        for (const core::Diagnostic &remark : list ? *list : core::Diagnostics{}) {
            if (remark.node != node.name)
                continue;
            const QString sentence = utf8(remark.sentence).toHtmlEscaped();
            const QString line = remark.severity == core::Severity::Note ? sentence : QStringLiteral("<span style='color:%1'>⚠ %2</span>").arg(warning.name(), sentence);
            if (!warnings.contains(line))
                warnings << line;
        }
    html += section(tr("Remarks"), warnings);

    QStringList reasons;
    if (context.resolver().node(id).excluded)
        reasons << tr("Left in float by %1.").arg(utf8(context.resolver().node(id).excludedBy)).toHtmlEscaped();
    if (const auto group = context.groupOf(id); group.size() > 1) {
        QStringList names;
        for (const core::NodeId mate : group)
            names << QStringLiteral("<a href='node:%1'>%2</a>").arg(mate.index).arg(utf8(graph.node(mate).opType + " " + graph.node(mate).name).toHtmlEscaped());
        reasons << tr("Runs as one: %1.").arg(names.join(QStringLiteral(" + ")));
    }
    for (const TensorRow &row : tensorRows(context, id))
        if (!row.reason.isEmpty())
            reasons << QStringLiteral("%1 <b>%2</b> %3: %4").arg(row.output ? QStringLiteral("→") : QStringLiteral("←"),
                                                                (row.badge.isEmpty() ? QStringLiteral("f32") : row.badge).toHtmlEscaped(),
                                                                row.name.toHtmlEscaped(), row.reason.toHtmlEscaped());
    html += section(tr("Quantizers, and why"), reasons);

    QStringList attributes;
    for (const auto &[name, value] : node.attributes)
        attributes << QStringLiteral("%1 = %2").arg(utf8(name).toHtmlEscaped(), attributeText(value).toHtmlEscaped());
    html += section(tr("Attributes"), attributes);
    if (!node.domain.empty())
        html += section(tr("Domain"), {utf8(node.domain).toHtmlEscaped()});
    if (!node.docString.empty())
        html += section(tr("Description in the file"), {utf8(node.docString).left(2000).toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>"))});
    return html.isEmpty() ? QStringLiteral("<p>%1</p>").arg(tr("There is nothing to say of this layer.")) : html;
}

} // namespace widgets
