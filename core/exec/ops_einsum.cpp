// Einsum: operands are multiplied one after the other, each pair as one matrix product (matrix_product.h), so that bits
// depend neither on threads nor on how a batch is split.
#include "core/exec/deterministic_sum.h"
#include "core/exec/matrix_product.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;
using Labels = std::vector<int>;        // letters; the dimensions of "..." are ellipsis, ellipsis − 1, … from the right
constexpr int ellipsis = -1;

struct Term {
    at::Tensor x;
    Labels labels;
    bool has(int label) const { return std::find(labels.begin(), labels.end(), label) != labels.end(); }
};

struct Equation {
    std::vector<std::string> inputs;
    std::string output;
    bool hasOutput = false;
};

bool wellFormed(const std::string &term)
{
    const std::size_t dots = term.find('.');
    if (dots != std::string::npos && term.compare(dots, 3, "...") != 0)
        return false;
    std::string letters = term;
    if (dots != std::string::npos)
        letters.erase(dots, 3);
    return std::all_of(letters.begin(), letters.end(), [](unsigned char c) { return std::isalpha(c); });
}

Equation parse(const Node &node)
{
    std::string text = node.stringAttribute("equation", "");
    std::erase(text, ' ');
    Equation equation;
    if (const std::size_t arrow = text.find("->"); arrow != std::string::npos) {
        equation.hasOutput = true;
        equation.output = text.substr(arrow + 2);
        text.resize(arrow);
    }
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        equation.inputs.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    const bool good = wellFormed(equation.output) && std::all_of(equation.inputs.begin(), equation.inputs.end(), wellFormed);
    if (!good || equation.inputs.size() != node.inputs.size())
        failNode(ErrorKind::InvalidInput, node, "the equation '" + node.stringAttribute("equation", "") + "' does not fit "
                 + std::to_string(node.inputs.size()) + " inputs.");
    return equation;
}

// `dots` = number of dimensions that "..." stands for.
Labels labelsOf(const std::string &term, std::int64_t dots)
{
    Labels labels;
    for (std::size_t i = 0; i < term.size(); ++i) {
        if (term[i] != '.') {
            labels.push_back(term[i]);
            continue;
        }
        for (std::int64_t d = dots; d-- > 0;)
            labels.push_back(ellipsis - int(d));
        i += 2;
    }
    return labels;
}

Term makeTerm(const at::Tensor &x, const std::string &text, const std::string &label)
{
    const bool dotted = text.find('.') != std::string::npos;
    const std::int64_t letters = std::int64_t(text.size()) - (dotted ? 3 : 0);
    if (dotted ? x.dim() < letters : x.dim() != letters)
        failCall(ErrorKind::InvalidInput, label, "the term '" + text + "' does not fit a tensor of rank " + std::to_string(x.dim()) + ".");
    Term term{x, labelsOf(text, x.dim() - letters)};
    for (std::size_t i = 0; i < term.labels.size(); ++i)
        for (std::size_t j = i + 1; j < term.labels.size();) {
            if (term.labels[i] != term.labels[j]) {
                ++j;
                continue;
            }
            if (term.x.size(std::int64_t(i)) != term.x.size(std::int64_t(j)))
                failCall(ErrorKind::InvalidInput, label, "a repeated letter of the term '" + text + "' stands for different sizes.");
            term.x = term.x.diagonal(0, std::int64_t(i), std::int64_t(j)).movedim(-1, std::int64_t(i));
            term.labels.erase(term.labels.begin() + std::ptrdiff_t(j));
        }
    return term;
}

// Sizes of all labels; dimensions of size 1 are stretched.
void unifySizes(std::vector<Term> &terms, const std::string &label)
{
    std::map<int, std::int64_t> sizes;
    for (const Term &term : terms)
        for (std::size_t i = 0; i < term.labels.size(); ++i) {
            std::int64_t &size = sizes.emplace(term.labels[i], 1).first->second;
            const std::int64_t own = term.x.size(std::int64_t(i));
            if (own != 1 && size != 1 && own != size)
                failCall(ErrorKind::InvalidInput, label, "one letter stands for the sizes " + std::to_string(size) + " and " + std::to_string(own) + ".");
            size = own == 1 ? size : own;
        }
    for (Term &term : terms) {
        Ints wanted;
        for (const int l : term.labels)
            wanted.push_back(sizes[l]);
        term.x = term.x.expand(wanted);
    }
}

Term arranged(const Term &term, const Labels &order)
{
    Ints permutation;
    for (const int l : order)
        permutation.push_back(std::find(term.labels.begin(), term.labels.end(), l) - term.labels.begin());
    return {term.x.permute(permutation), order};
}

// Sums over the labels for which `needed` is false.
template <class Needed>
Term summed(Term term, Needed needed)
{
    Ints axes;
    Labels left;
    for (std::size_t i = 0; i < term.labels.size(); ++i) {
        if (needed(term.labels[i]))
            left.push_back(term.labels[i]);
        else
            axes.push_back(std::int64_t(i));
    }
    return axes.empty() ? term : Term{deterministicSum(term.x, axes, false), left};
}

Labels joined(const Labels &a, const Labels &b)
{
    Labels result = a;
    result.insert(result.end(), b.begin(), b.end());
    return result;
}

template <class Needed>
Term multiplied(Term a, Term b, Needed needed)
{
    a = summed(a, [&](int l) { return b.has(l) || needed(l); });
    b = summed(b, [&](int l) { return a.has(l) || needed(l); });
    Labels batch, rows, shared, columns;
    for (const int l : a.labels)
        (!b.has(l) ? rows : needed(l) ? batch : shared).push_back(l);
    for (const int l : b.labels)
        if (!a.has(l))
            columns.push_back(l);
    const at::Tensor left = arranged(a, joined(joined(batch, rows), shared)).x, right = arranged(b, joined(joined(batch, shared), columns)).x;
    const auto count = [](const at::Tensor &x, std::size_t begin, std::size_t length) {
        std::int64_t product = 1;
        for (std::size_t i = begin; i < begin + length; ++i)
            product *= x.size(std::int64_t(i));
        return product;
    };
    const std::int64_t n = count(left, 0, batch.size()), m = count(left, batch.size(), rows.size()), k = count(left, batch.size() + rows.size(), shared.size());
    const std::int64_t p = count(right, batch.size() + shared.size(), columns.size());
    const at::Tensor product = batch.empty() ? matrixProduct(left.reshape({m, k}), right.reshape({k, p}))
                                             : matrixProduct(left.reshape({n, m, k}), right.reshape({n, k, p}));
    Ints sizes(left.sizes().begin(), left.sizes().begin() + std::ptrdiff_t(batch.size() + rows.size()));
    sizes.insert(sizes.end(), right.sizes().begin() + std::ptrdiff_t(batch.size() + shared.size()), right.sizes().end());
    return {product.reshape(sizes), joined(joined(batch, rows), columns)};
}

Labels outputLabels(const Equation &equation, const std::vector<Term> &terms, std::int64_t dots, const std::string &label)
{
    if (!equation.hasOutput) {   // "...", then the letters that occur once, in alphabetical order
        Labels labels = labelsOf("...", dots);
        std::map<int, int> uses;
        for (const auto &text : equation.inputs)
            for (const char c : text)
                if (c != '.')
                    ++uses[c];
        for (const auto &[letter, times] : uses)
            if (times == 1)
                labels.push_back(letter);
        return labels;
    }
    const Labels labels = labelsOf(equation.output, dots);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const bool known = std::any_of(terms.begin(), terms.end(), [&](const Term &term) { return term.has(labels[i]); });
        if (!known || std::count(labels.begin(), labels.end(), labels[i]) != 1)
            failCall(ErrorKind::InvalidInput, label, "a letter of the result '" + equation.output + "' is unknown or stands there twice.");
    }
    return labels;
}

Kernel einsumKernel(const Node &node, const Graph &)
{
    return [equation = parse(node), label = nodeLabel(node)](OpCall &call) {
        std::vector<Term> terms;
        std::int64_t dots = 0;
        for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
            const std::string &text = equation.inputs[i];
            terms.push_back(makeTerm(call.inputs[i], text, label));
            if (text.find('.') != std::string::npos)
                dots = std::max(dots, call.inputs[i].dim() - std::int64_t(text.size()) + 3);
        }
        const Labels output = outputLabels(equation, terms, dots, label);
        unifySizes(terms, label);
        const auto needed = [&](int l, std::size_t from) {
            return std::find(output.begin(), output.end(), l) != output.end()
                   || std::any_of(terms.begin() + std::ptrdiff_t(from), terms.end(), [l](const Term &term) { return term.has(l); });
        };
        Term result = terms.front();
        for (std::size_t i = 1; i < terms.size(); ++i)
            result = multiplied(result, terms[i], [&](int l) { return needed(l, i + 1); });
        result = summed(result, [&](int l) { return needed(l, terms.size()); });
        call.outputs[0] = arranged(result, output).x;
    };
}

} // namespace

void registerEinsumOps(OpRegistry &registry)
{
    registry.add("Einsum", einsumKernel);
}

} // namespace core
