#include "core/onnx/function_inlining.h"

#include "core/onnx/read_context.h"
#include "core/onnx/wire.h"

#include <algorithm>
#include <map>
#include <onnx/onnx_pb.h>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace core {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

constexpr int deepestCall = 64;
// Fields that came after libonnx 1.12.
constexpr std::uint32_t nodeOverload = 8, functionOverload = 13, functionDefaults = 11;

using FunctionKey = std::tuple<std::string, std::string, std::string>; // domain, name, overload

std::string normalDomain(const std::string &domain)
{
    return domain == "ai.onnx" ? std::string() : domain;
}

struct Function {
    const onnx::FunctionProto *proto = nullptr;
    std::vector<onnx::AttributeProto> defaults;
    std::int64_t bytes = 0;
    bool used = false;
};

/// Names inside a function → names in the graph it is put into; "" for an omitted input.
struct Names {
    const Names *outer = nullptr;
    std::unordered_map<std::string, std::string> own;

    const std::string *find(const std::string &name) const
    {
        for (const Names *scope = this; scope; scope = scope->outer) {
            if (const auto found = scope->own.find(name); found != scope->own.end())
                return &found->second;
        }
        return nullptr;
    }
};

class Inliner {
public:
    Inliner(onnx::ModelProto &model, ReadContext &context)
        : m_model(model)
        , m_context(context)
        , m_nodesLeft(context.limits.maxNodes)
        , m_bytesLeft(context.limits.maxTensorBytes)
    {
    }

    void run();

private:
    struct Call {
        const Function &function;
        const onnx::NodeProto &node;
        std::string prefix;
    };

    void collect();
    void collectNames(const onnx::GraphProto &graph);
    void mergeOpsets(const Function &function);
    void charge(std::int64_t bytes);
    Function *functionOf(const onnx::NodeProto &node);
    void expand(Nodes &nodes, int depth);
    Nodes instantiate(const Call &call);
    void bindOutputs(const Call &call, Names &names, Nodes &made);
    void renameNodes(Nodes &nodes, Names &names, const Call &call);
    void renameGraph(onnx::GraphProto &graph, const Names &outer, const Call &call);
    void fillAttributes(onnx::NodeProto &node, const Names &names, const Call &call);
    std::string unique(std::string wish, std::unordered_set<std::string> &taken);
    std::string fresh(const std::string &prefix, const std::string &name) { return unique(prefix + "/" + name, m_taken); }
    std::string resolved(const std::string &name, const Names &names, const Call &call);

    onnx::ModelProto &m_model;
    ReadContext &m_context;
    std::map<FunctionKey, Function> m_functions;
    std::vector<const Function *> m_stack;
    std::unordered_set<std::string> m_taken, m_prefixes;
    std::int64_t m_counter = 0, m_nodesLeft, m_bytesLeft;
};

std::string functionText(const Function &function)
{
    return "function " + inQuotes(function.proto->name());
}

void Inliner::charge(std::int64_t bytes)
{
    m_bytesLeft -= bytes;
    if (m_bytesLeft < 0)
        m_context.fail("Its functions, put in place of their calls, take more than " + std::to_string(m_context.limits.maxTensorBytes) + " bytes, the limit.");
}

void Inliner::collect()
{
    for (const onnx::FunctionProto &proto : m_model.functions()) {
        const std::string bytes = proto.SerializeAsString();
        const std::vector<std::string> overload = lengthDelimitedFields(bytes, functionOverload);
        Function function{&proto, {}, std::int64_t(bytes.size()), false};
        for (const std::string &attribute : lengthDelimitedFields(bytes, functionDefaults)) {
            if (!function.defaults.emplace_back().ParseFromString(attribute))
                m_context.fail("The default values of the attributes of " + functionText(function) + " are broken.");
        }
        const FunctionKey key{normalDomain(proto.domain()), proto.name(), overload.empty() ? "" : overload.back()};
        if (!m_functions.emplace(key, std::move(function)).second)
            m_context.fail("Function " + inQuotes(proto.name()) + " of domain " + inQuotes(proto.domain()) + " is defined twice.");
    }
}

void Inliner::collectNames(const onnx::GraphProto &graph)
{
    for (const auto &input : graph.input())
        m_taken.insert(input.name());
    for (const auto &initializer : graph.initializer())
        m_taken.insert(initializer.name());
    for (const auto &sparse : graph.sparse_initializer())
        m_taken.insert(sparse.values().name());
    for (const auto &node : graph.node()) {
        m_taken.insert(node.output().begin(), node.output().end());
        for (const auto &attribute : node.attribute()) {
            if (attribute.has_g())
                collectNames(attribute.g());
            for (const auto &body : attribute.graphs())
                collectNames(body);
        }
    }
}

/// ONNX asks that a function's operators mean the same in the model's operator set.
void Inliner::mergeOpsets(const Function &function)
{
    for (const auto &wanted : function.proto->opset_import()) {
        const auto same = [&](const auto &import) { return normalDomain(import.domain()) == normalDomain(wanted.domain()); };
        const auto found = std::find_if(m_model.opset_import().begin(), m_model.opset_import().end(), same);
        if (found == m_model.opset_import().end())
            *m_model.add_opset_import() = wanted;
        else if (found->version() != wanted.version())
            m_context.warn("function-opset", function.proto->name(),
                           "The " + functionText(function) + " is written for version " + std::to_string(wanted.version()) + " of "
                               + (normalDomain(wanted.domain()).empty() ? "the ONNX operators" : "domain " + inQuotes(wanted.domain())) + ", the model for "
                               + std::to_string(found->version()) + "; its nodes are read as the model's.");
    }
}

Function *Inliner::functionOf(const onnx::NodeProto &node)
{
    const auto find = [&](const std::string &overload) {
        const auto found = m_functions.find({normalDomain(node.domain()), node.op_type(), overload});
        return found == m_functions.end() ? nullptr : &found->second;
    };
    if (Function *plain = find(""))
        if (!hasField(node.SerializeAsString(), nodeOverload))
            return plain;
    const auto first = m_functions.lower_bound({normalDomain(node.domain()), node.op_type(), ""});
    if (first == m_functions.end() || std::get<0>(first->first) != normalDomain(node.domain()) || std::get<1>(first->first) != node.op_type())
        return nullptr;
    const std::vector<std::string> overload = lengthDelimitedFields(node.SerializeAsString(), nodeOverload);
    return find(overload.empty() ? "" : overload.back());
}

std::string Inliner::unique(std::string wish, std::unordered_set<std::string> &taken)
{
    charge(std::int64_t(wish.size()) + 64);
    if (taken.insert(wish).second)
        return wish;
    std::string numbered;
    do {
        numbered = wish + "_" + std::to_string(++m_counter);
    } while (!taken.insert(numbered).second);
    return numbered;
}

std::string Inliner::resolved(const std::string &name, const Names &names, const Call &call)
{
    if (name.empty())
        return {};
    if (const std::string *found = names.find(name))
        return *found;
    m_context.fail("The " + functionText(call.function) + " uses tensor " + inQuotes(name) + ", which nothing in it produces.");
}

void Inliner::fillAttributes(onnx::NodeProto &node, const Names &names, const Call &call)
{
    const auto named = [](const auto &list, const std::string &name) {
        const auto found = std::find_if(list.begin(), list.end(), [&](const onnx::AttributeProto &a) { return a.name() == name; });
        return found == list.end() ? nullptr : &*found;
    };
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> filled;
    for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.ref_attr_name().empty()) {
            if (attribute.has_g())
                renameGraph(*attribute.mutable_g(), names, call);
            for (onnx::GraphProto &body : *attribute.mutable_graphs())
                renameGraph(body, names, call);
            *filled.Add() = std::move(attribute);
            continue;
        }
        const onnx::AttributeProto *given = named(call.node.attribute(), attribute.ref_attr_name());
        if (!given)
            given = named(call.function.defaults, attribute.ref_attr_name());
        if (!given)
            continue;
        charge(std::int64_t(given->ByteSizeLong()));
        onnx::AttributeProto &copy = *filled.Add();
        copy = *given;
        copy.set_name(attribute.name());
    }
    node.mutable_attribute()->Swap(&filled);
}

void Inliner::renameNodes(Nodes &nodes, Names &names, const Call &call)
{
    for (const onnx::NodeProto &node : nodes) {
        for (const std::string &output : node.output()) {
            if (!output.empty() && !names.own.contains(output))
                names.own.emplace(output, fresh(call.prefix, output));
        }
    }
    for (onnx::NodeProto &node : nodes) {
        for (std::string &input : *node.mutable_input())
            input = resolved(input, names, call);
        for (std::string &output : *node.mutable_output())
            output = resolved(output, names, call);
        if (!node.name().empty() || functionOf(node)) {
            charge(std::int64_t(call.prefix.size()));
            node.set_name(call.prefix + "/" + (node.name().empty() ? node.op_type() : node.name()));
        }
        fillAttributes(node, names, call);
    }
}

void Inliner::renameGraph(onnx::GraphProto &graph, const Names &outer, const Call &call)
{
    Names names{&outer, {}};
    const auto rename = [&](std::string *name) {
        if (!name->empty())
            *name = names.own[*name] = fresh(call.prefix, *name);
    };
    for (auto &initializer : *graph.mutable_initializer())
        rename(initializer.mutable_name());
    for (auto &sparse : *graph.mutable_sparse_initializer())
        rename(sparse.mutable_values()->mutable_name());
    for (auto &input : *graph.mutable_input()) {
        const auto listed = names.own.find(input.name());
        if (listed != names.own.end())
            input.set_name(std::string(listed->second));
        else
            rename(input.mutable_name());
    }
    renameNodes(*graph.mutable_node(), names, call);
    for (auto &output : *graph.mutable_output())
        output.set_name(resolved(output.name(), names, call));
    for (auto &info : *graph.mutable_value_info()) {
        const std::string *found = names.find(info.name());
        info.set_name(found ? *found : std::string());
    }
    graph.clear_quantization_annotation();
}

/// Results that the function hands through (an input, or one tensor twice) become an Identity each.
void Inliner::bindOutputs(const Call &call, Names &names, Nodes &made)
{
    const onnx::FunctionProto &proto = *call.function.proto;
    for (int i = 0; i < proto.output_size(); ++i) {
        const std::string &formal = proto.output(i);
        const std::string actual = i < call.node.output_size() ? call.node.output(i) : std::string();
        const auto [bound, isNew] = names.own.emplace(formal, actual);
        if (isNew && actual.empty())
            bound->second = fresh(call.prefix, formal);
        if (isNew || actual.empty())
            continue;
        if (bound->second.empty())
            m_context.fail("Node " + inQuotes(call.node.name()) + " calls " + functionText(call.function) + ", which returns its input " + inQuotes(formal)
                           + "; the call omits it.");
        onnx::NodeProto &identity = *made.Add();
        identity.set_op_type("Identity");
        identity.add_input(bound->second);
        identity.add_output(actual);
    }
}

Nodes Inliner::instantiate(const Call &call)
{
    const onnx::FunctionProto &proto = *call.function.proto;
    if (call.node.input_size() > proto.input_size() || call.node.output_size() > proto.output_size())
        m_context.fail("Node " + inQuotes(call.node.name()) + " calls " + functionText(call.function) + " with " + std::to_string(call.node.input_size())
                       + " inputs and " + std::to_string(call.node.output_size()) + " outputs; it has " + std::to_string(proto.input_size()) + " and "
                       + std::to_string(proto.output_size()) + ".");
    charge(call.function.bytes);
    m_nodesLeft -= 1 + proto.node_size();
    if (m_nodesLeft < 0)
        m_context.fail("With its functions in place of their calls it has more than " + std::to_string(m_context.limits.maxNodes) + " nodes, the limit.");

    Names names;
    for (int i = 0; i < proto.input_size(); ++i) {
        if (!names.own.emplace(proto.input(i), i < call.node.input_size() ? call.node.input(i) : std::string()).second)
            m_context.fail("The " + functionText(call.function) + " has the input " + inQuotes(proto.input(i)) + " twice.");
    }
    Nodes handedThrough, nodes = proto.node();
    bindOutputs(call, names, handedThrough);
    renameNodes(nodes, names, call);
    for (onnx::NodeProto &identity : handedThrough)
        *nodes.Add() = std::move(identity);
    return nodes;
}

void Inliner::expand(Nodes &nodes, int depth)
{
    if (depth > deepestCall)
        m_context.fail("Function calls and bodies are nested deeper than " + std::to_string(deepestCall) + " levels.");
    Nodes result;
    for (int i = 0; i < nodes.size(); ++i) {
        onnx::NodeProto &node = nodes[i];
        for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
            if (attribute.has_g())
                expand(*attribute.mutable_g()->mutable_node(), depth + 1);
            for (onnx::GraphProto &body : *attribute.mutable_graphs())
                expand(*body.mutable_node(), depth + 1);
        }
        Function *function = functionOf(node);
        if (!function) {
            *result.Add() = std::move(node);
            continue;
        }
        if (std::find(m_stack.begin(), m_stack.end(), function) != m_stack.end())
            m_context.fail("The " + functionText(*function) + " calls itself"
                           + (m_stack.back() == function ? "." : ", by way of " + functionText(*m_stack.back()) + "."));
        if (!std::exchange(function->used, true))
            mergeOpsets(*function);
        m_stack.push_back(function);
        Nodes body = instantiate({*function, node, unique(node.name().empty() ? node.op_type() : node.name(), m_prefixes)});
        expand(body, depth + 1);
        m_stack.pop_back();
        for (onnx::NodeProto &made : body)
            *result.Add() = std::move(made);
    }
    nodes.Swap(&result);
}

void Inliner::run()
{
    collect();
    collectNames(m_model.graph());
    expand(*m_model.mutable_graph()->mutable_node(), 0);
    m_model.clear_functions();
}

} // namespace

void inlineFunctions(onnx::ModelProto &model, ReadContext &context)
{
    if (model.functions_size() > 0)
        Inliner(model, context).run();
}

} // namespace core
