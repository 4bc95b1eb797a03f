#include "core/spec/rule_query.h"

#include "core/base/error.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace core {

namespace {

const std::set<std::string, std::less<>> textKeys = {"op", "name", "domain", "input", "output", "shape", "weight_shape", "position", "depthwise"};
const std::set<std::string, std::less<>> numberKeys = {"group", "kernel", "stride", "params", "in_channels", "out_channels", "rank", "index"};

[[noreturn]] void fail(const std::string &query, const std::string &why)
{
    throw Error(ErrorKind::InvalidInput, "rule", "In the query '" + query + "': " + why);
}

std::vector<std::string> split(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        std::size_t end = std::min(text.find(separator, begin), text.size());
        if (end > begin)
            parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::string shapeText(const Shape &shape)
{
    std::string text;
    for (const Dimension &dimension : shape) {
        if (!text.empty())
            text += 'x';
        text += dimension.known() ? std::to_string(dimension.size) : "?";
    }
    return text;
}

bool hasWeights(const Graph &graph, const Node &node)
{
    return (node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm") || node.is("MatMul"))
        && ((node.input(1).valid() && graph.isConstant(node.input(1))) || (node.is("MatMul") && graph.isConstant(node.input(0))));
}

const TensorData *weightOf(const Graph &graph, const Node &node)
{
    if (!hasWeights(graph, node))
        return nullptr;
    return graph.isConstant(node.input(1)) ? graph.constant(node.input(1)) : graph.constant(node.input(0));
}

struct Facts {
    NodeId firstLayer, lastLayer;
    std::size_t count = 0;
};

bool textMatches(const std::string &patterns, std::string_view text)
{
    const auto parts = split(patterns, ',');
    return std::any_of(parts.begin(), parts.end(), [&](const std::string &p) { return globMatches(p, text); });
}

bool matchesText(const Graph &graph, const Node &node, const Facts &facts, const std::string &key, const std::string &value)
{
    const auto anyName = [&](const std::vector<ValueId> &ids) {
        return std::any_of(ids.begin(), ids.end(), [&](ValueId id) { return id.valid() && textMatches(value, graph.value(id).name); });
    };
    if (key == "op")
        return textMatches(value, node.opType);
    if (key == "name")
        return textMatches(value, node.name);
    if (key == "domain")
        return textMatches(value, node.domain);
    if (key == "input")
        return anyName(node.inputs);
    if (key == "output")
        return anyName(node.outputs);
    if (key == "shape") {
        const ValueId out = node.output();
        return out.valid() && graph.value(out).shape && textMatches(value, shapeText(*graph.value(out).shape));
    }
    const TensorData *weight = weightOf(graph, node);
    if (key == "weight_shape") {
        Shape shape;
        for (std::int64_t size : weight ? weight->dims : std::vector<std::int64_t>{})
            shape.push_back({size, {}});
        return weight && textMatches(value, shapeText(shape));
    }
    if (key == "depthwise") {
        const bool depthwise = node.is("Conv") && weight && weight->dims.size() > 2 && weight->dims[1] == 1
            && node.intAttribute("group", 1) > 1 && weight->dims[0] >= node.intAttribute("group", 1);
        return textMatches(value, depthwise ? "true" : "false");
    }
    if (value == "first")
        return node.id == facts.firstLayer;
    if (value == "last")
        return node.id == facts.lastLayer;
    if (value == "input")
        return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
            return std::find(graph.inputs.begin(), graph.inputs.end(), id) != graph.inputs.end();
        });
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return id.valid() && graph.isOutput(id); });
}

std::optional<double> numberOf(const Graph &graph, const Node &node, const std::string &key)
{
    const TensorData *weight = weightOf(graph, node);
    const bool conv = node.is("Conv") || node.is("ConvTranspose");
    const std::int64_t group = conv ? node.intAttribute("group", 1) : 1;
    const auto largest = [](const auto &list) { return double(*std::max_element(list.begin(), list.end())); };
    if (key == "group")
        return conv ? std::optional<double>(double(group)) : std::nullopt;
    if (key == "kernel") {
        auto kernel = node.has("kernel_shape") ? node.intsAttribute("kernel_shape") : std::vector<std::int64_t>{};
        if (kernel.empty() && conv && weight && weight->dims.size() > 2)
            kernel.assign(weight->dims.begin() + 2, weight->dims.end());
        return kernel.empty() ? std::nullopt : std::optional<double>(largest(kernel));
    }
    if (key == "stride") {
        const auto strides = node.has("strides") ? node.intsAttribute("strides") : std::vector<std::int64_t>{};
        if (!strides.empty())
            return largest(strides);
        return conv ? std::optional<double>(1) : std::nullopt;
    }
    if (key == "params") {
        double count = 0;
        for (ValueId id : node.inputs)
            if (id.valid() && graph.isConstant(id) && isFloatingPoint(graph.constant(id)->type))
                count += double(graph.constant(id)->count());
        return count;
    }
    if (key == "rank") {
        const ValueId out = node.output();
        return out.valid() && graph.value(out).shape ? std::optional<double>(double(graph.value(out).shape->size())) : std::nullopt;
    }
    if (!weight || weight->dims.size() < 2)
        return {};
    const bool wantsOut = key == "out_channels";
    const double d0 = double(weight->dims[0]), d1 = double(weight->dims[1]);
    if (node.is("Conv"))
        return wantsOut ? d0 : d1 * double(group);
    if (node.is("ConvTranspose"))
        return wantsOut ? d1 * double(group) : d0;
    const bool transposed = node.is("Gemm") && node.intAttribute("transB", 0) != 0;
    return wantsOut == transposed ? d0 : d1;
}

} // namespace

bool relationHolds(double a, std::string_view relation, double b)
{
    if (relation == ">")
        return a > b;
    if (relation == ">=")
        return a >= b;
    if (relation == "<")
        return a < b;
    if (relation == "<=")
        return a <= b;
    return relation == "!=" ? a != b : a == b;
}

bool globMatches(std::string_view pattern, std::string_view text)
{
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

RuleQuery::RuleQuery(std::string_view query) : m_text(query)
{
    for (const std::string &alternative : split(query, '|')) {
        std::vector<Term> terms;
        for (std::string word : split(alternative, ' ')) {
            Term term;
            if (word.front() == '!' || word.front() == '-') {
                term.negated = true;
                word.erase(0, 1);
            }
            const std::size_t at = word.find_first_of(":=!<>");
            if (at == std::string::npos || at == 0)
                fail(m_text, "'" + word + "' is not of the form key:value, such as op:Conv or group>1.");
            std::size_t end = at + 1;
            if (end < word.size() && word[end] == '=' && word[at] != ':')
                ++end;
            term.key = word.substr(0, at);
            term.relation = word.substr(at, end - at);
            term.value = word.substr(end);
            if (term.relation == "!")
                fail(m_text, "'" + word + "' has a '!' that is not followed by '='.");
            if (term.value.empty())
                fail(m_text, "'" + word + "' has no value.");
            const bool number = numberKeys.contains(term.key);
            if (!number && !textKeys.contains(term.key)) {
                std::string known;
                for (const auto *keys : {&textKeys, &numberKeys})
                    for (const std::string &key : *keys)
                        known += (known.empty() ? "" : ", ") + key;
                fail(m_text, "there is no key '" + term.key + "'; the keys are " + known + ".");
            }
            if (number) {
                const char *last = term.value.data() + term.value.size();
                const auto [stop, error] = std::from_chars(term.value.data(), last, term.number);
                if (error != std::errc{} || stop != last)
                    fail(m_text, "'" + term.key + "' takes a number, not '" + term.value + "'.");
            } else if (term.relation.front() == '<' || term.relation.front() == '>') {
                fail(m_text, "'" + term.key + "' is a text and cannot be compared with '" + term.relation + "'.");
            } else if (term.key == "position" && term.value != "first" && term.value != "last" && term.value != "input" && term.value != "output") {
                fail(m_text, "'position' takes first, last, input or output, not '" + term.value + "'.");
            } else if (term.key == "depthwise" && term.value != "true" && term.value != "false") {
                fail(m_text, "'depthwise' takes true or false, not '" + term.value + "'.");
            }
            if (term.relation == "!=" && !number) {
                term.negated = !term.negated;
                term.relation = "=";
            }
            terms.push_back(std::move(term));
        }
        if (!terms.empty())
            m_alternatives.push_back(std::move(terms));
    }
    if (m_alternatives.empty())
        fail(m_text, "it says nothing; write key:value terms, such as op:Conv.");
}

std::vector<NodeId> RuleQuery::select(const Graph &graph) const
{
    Facts facts;
    facts.count = graph.order().size();
    for (NodeId id : graph.order()) {
        if (!hasWeights(graph, graph.node(id)))
            continue;
        if (!facts.firstLayer.valid())
            facts.firstLayer = id;
        facts.lastLayer = id;
    }
    std::vector<NodeId> selected;
    std::size_t index = 0;
    for (NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        const auto holds = [&](const Term &term) {
            if (!numberKeys.contains(term.key))
                return matchesText(graph, node, facts, term.key, term.value) != term.negated;
            if (term.key == "index") {
                const double wanted = term.number < 0 ? double(facts.count) + term.number : term.number;
                return relationHolds(double(index), term.relation, wanted) != term.negated;
            }
            const std::optional<double> value = numberOf(graph, node, term.key);
            return value && relationHolds(*value, term.relation, term.number) != term.negated;
        };
        if (std::any_of(m_alternatives.begin(), m_alternatives.end(),
                        [&](const auto &terms) { return std::all_of(terms.begin(), terms.end(), holds); }))
            selected.push_back(id);
        ++index;
    }
    return selected;
}

} // namespace core
