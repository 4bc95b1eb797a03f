#include "widgets/spec/spec_change.h"

#include <QCoreApplication>

namespace widgets {
namespace {

QString tr(const char *text, int n = -1) { return QCoreApplication::translate("SpecChange", text, nullptr, n); }
QString utf8(const std::string &text) { return QString::fromStdString(text); }

class Sentence {
public:
    Sentence(const core::Graph &graph, const core::Recipe &before) : m_graph(graph), m_before(before) {}

    QString operator()(const SetField &edit) const
    {
        const QString what = roleLabel(edit.role) + QLatin1Char(' ') + whose(edit.scope);
        if (!edit.value)
            return tr("%1: %2 inherited again").arg(what, fieldLabel(edit.field).toLower());
        const QString value = valueText(edit.field, *edit.value);
        switch (edit.field) {
        case SpecField::ChAxis:
        case SpecField::GroupSize:
        case SpecField::Percentile:
        case SpecField::FixedRange:
        case SpecField::RoundMethod:
        case SpecField::Pof2Rounding:
        case SpecField::ScaleType:
        case SpecField::NarrowRange: return tr("%1: %2 %3").arg(what, fieldLabel(edit.field).toLower(), value);
        default: return QStringLiteral("%1: %2").arg(what, value);
        }
    }
    QString operator()(const ResetScope &edit) const
    {
        return edit.role ? tr("%1 %2: all inherited again").arg(roleLabel(*edit.role), whose(edit.scope)) : tr("All settings %1 inherited again").arg(whose(edit.scope));
    }
    QString operator()(const SetQuantized &edit) const { return (edit.quantized ? tr("Quantize %1") : tr("Leave %1 in float")).arg(nodes(edit.nodes)); }
    QString operator()(const SwitchEdge &edit) const
    {
        return (edit.on ? tr("Quantizer of input %1 of %2 on") : tr("Quantizer of input %1 of %2 off")).arg(edit.input).arg(node(edit.node));
    }
    QString operator()(const SplitConcat &edit) const
    {
        return (edit.split ? tr("Own scales for the inputs of %1") : tr("One scale for the inputs of %1")).arg(node(edit.node));
    }
    QString operator()(const AddRule &edit) const { return tr("Add rule '%1'").arg(utf8(edit.rule.query)); }
    QString operator()(const RemoveRule &edit) const { return tr("Remove rule %1").arg(rule(edit.index)); }
    QString operator()(const MoveRule &edit) const { return tr("Move rule %1").arg(rule(edit.from)); }
    QString operator()(const SetRuleQuery &edit) const { return tr("Rule %1 becomes '%2'").arg(rule(edit.index), utf8(edit.query)); }
    QString operator()(const SetRuleExclude &edit) const
    {
        return (edit.exclude ? tr("Rule %1 leaves its layers in float") : tr("Rule %1 quantizes its layers")).arg(rule(edit.index));
    }
    QString operator()(const AddExclude &edit) const { return tr("Leave '%1' in float").arg(utf8(edit.pattern)); }
    QString operator()(const RemoveExclude &edit) const { return tr("Quantize '%1' again").arg(utf8(edit.pattern)); }
    QString operator()(const ChoosePreset &edit) const { return tr("Preset %1").arg(utf8(edit.name)); }
    QString operator()(const ChooseTarget &edit) const { return edit.name.empty() ? tr("No target") : tr("Target %1").arg(utf8(edit.name)); }
    QString operator()(const SetSwitch &edit) const
    {
        switch (edit.which) {
        case RecipeSwitch::Equalize: return edit.on ? tr("Equalization on") : tr("Equalization off");
        case RecipeSwitch::BiasCorrection: return edit.on ? tr("Bias correction on") : tr("Bias correction off");
        case RecipeSwitch::ReduceRange: return edit.on ? tr("7-bit weights on") : tr("7-bit weights off");
        case RecipeSwitch::QuantizeInputs: return edit.on ? tr("Quantize model inputs") : tr("Leave model inputs in float");
        case RecipeSwitch::QuantizeOutputs: break;
        }
        return edit.on ? tr("Quantize model outputs") : tr("Leave model outputs in float");
    }
    QString operator()(const ReplaceRecipe &) const { return tr("Import recipe"); }

private:
    QString node(core::NodeId id) const { return m_graph.contains(id) ? utf8(m_graph.node(id).name) : QStringLiteral("?"); }
    QString nodes(const std::set<core::NodeId> &ids) const { return ids.size() == 1 ? node(*ids.begin()) : tr("%n layers", int(ids.size())); }
    QString rule(std::size_t index) const
    {
        return index < m_before.config.rules.size() ? QStringLiteral("'%1'").arg(utf8(m_before.config.rules[index].query)) : QString::number(index + 1);
    }
    QString whose(const SpecScope &scope) const
    {
        switch (scope.kind) {
        case SpecScope::Kind::Global: return tr("of the whole model");
        case SpecScope::Kind::OpType: return tr("of every %1").arg(utf8(scope.opType));
        case SpecScope::Kind::Rule: return tr("of rule %1").arg(rule(scope.rule));
        case SpecScope::Kind::Nodes: break;
        }
        return tr("of %1").arg(nodes(scope.nodes));
    }

    const core::Graph &m_graph;
    const core::Recipe &m_before;
};

} // namespace

QString describe(const SpecEdits &edits, const core::Graph &graph, const core::Recipe &before)
{
    return edits.empty() ? QString() : std::visit(Sentence(graph, before), edits.front());
}

} // namespace widgets
