// Shapes: matrix products, Einsum, attention, recurrent layers.
#include "core/graph/shape_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace core {
namespace {

std::optional<Shape> matrixProduct(const ShapeCall &call, std::size_t first, std::size_t second)
{
    if (!call.shape(first) || !call.shape(second))
        return {};
    Shape a = *call.shape(first), b = *call.shape(second);
    const std::string texts = "shapes " + shapeText(a) + " and " + shapeText(b) + " do not multiply.";
    if (a.empty() || b.empty())
        call.misfit(texts);
    const bool row = a.size() == 1, column = b.size() == 1;
    if (row)
        a.insert(a.begin(), Dimension{1, {}});
    if (column)
        b.push_back({1, {}});
    unify(call, a.back(), b[b.size() - 2], texts);
    Shape out = broadcast(call, Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
    if (!row)
        out.push_back(a[a.size() - 2]);
    if (!column)
        out.push_back(b.back());
    return out;
}

void matMul(ShapeCall &call) { call.set(0, call.type(0), matrixProduct(call, 0, 1)); }
void matMulInteger(ShapeCall &call) { call.set(0, DataType::Int32, matrixProduct(call, 0, 1)); }
void qlinearMatMul(ShapeCall &call) { call.set(0, call.type(7), matrixProduct(call, 0, 3)); }

void gemm(ShapeCall &call)
{
    const Shape *a = call.shape(0), *b = call.shape(1);
    const bool transA = call.intAttribute("transA", 0) != 0, transB = call.intAttribute("transB", 0) != 0;
    for (const Shape *matrix : {a, b}) {
        if (matrix && matrix->size() != 2)
            call.misfit("an input of shape " + shapeText(*matrix) + " is no matrix.");
    }
    if (a && b)
        unify(call, (*a)[transA ? 0 : 1], (*b)[transB ? 1 : 0], "shapes " + shapeText(*a) + " and " + shapeText(*b) + " do not multiply.");
    call.set(0, call.type(0), Shape{a ? (*a)[transA ? 1 : 0] : Dimension{}, b ? (*b)[transB ? 0 : 1] : Dimension{}});
}

void det(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    if (x && x->size() < 2)
        call.misfit("an input of shape " + shapeText(*x) + " is no matrix.");
    call.set(0, call.type(0), x ? std::optional(Shape(x->begin(), x->end() - 2)) : std::nullopt);
}

// Letters → dimensions; "..." stands for dimensions that broadcast.
struct Equation {
    std::array<std::optional<Dimension>, 128> letters;
    Shape ellipsis;
};

void readTerm(const ShapeCall &call, Equation &equation, const std::string &term, const Shape &shape)
{
    const std::size_t dots = term.find("...");
    const std::size_t named = dots == std::string::npos ? term.size() : term.size() - 3;
    if (named > shape.size() || (dots == std::string::npos && named != shape.size()))
        call.misfit("term '" + term + "' does not fit shape " + shapeText(shape) + ".");
    std::size_t at = 0;
    for (std::size_t i = 0; i < term.size(); ++i) {
        if (i == dots) {
            const std::size_t count = shape.size() - named;
            equation.ellipsis = broadcast(call, equation.ellipsis, Shape(shape.begin() + std::ptrdiff_t(at), shape.begin() + std::ptrdiff_t(at + count)));
            at += count;
            i += 2;
            continue;
        }
        auto &known = equation.letters[std::size_t(term[i])];
        const Dimension &given = shape[at++];
        if (!known || known->size == 1)
            known = given;
        else if (given.size != 1)
            known = unify(call, *known, given, "letter '" + std::string(1, term[i]) + "' stands for different sizes, " + std::to_string(known->size) + " and "
                          + std::to_string(given.size) + ".");
    }
}

void einsum(ShapeCall &call)
{
    std::string text = call.node.stringAttribute("equation", "");
    text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
    const std::size_t arrow = text.find("->");
    const std::string left = text.substr(0, arrow);
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == ',' || c == '.' || c == '-' || c == '>'; });
    if (!plain || std::size_t(std::count(left.begin(), left.end(), ',')) + 1 != call.node.inputs.size())
        call.misfit("equation '" + text + "' does not fit " + std::to_string(call.node.inputs.size()) + " inputs.");
    Equation equation;
    std::size_t at = 0;
    for (std::size_t i = 0; i < call.node.inputs.size(); ++i) {
        const std::string term = left.substr(at, left.find(',', at) - at);
        at += term.size() + 1;
        if (!call.shape(i)) {
            call.set(0, call.type(0), {});
            return;
        }
        readTerm(call, equation, term, *call.shape(i));
    }
    std::string result;
    if (arrow != std::string::npos) {
        result = text.substr(arrow + 2);
    } else {
        if (left.find("...") != std::string::npos)
            result = "...";
        for (char c = 'A'; c <= 'z'; ++c) {
            if (std::isalpha(static_cast<unsigned char>(c)) && std::count(left.begin(), left.end(), c) == 1)
                result += c;
        }
    }
    Shape out;
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (result.compare(i, 3, "...") == 0) {
            out.insert(out.end(), equation.ellipsis.begin(), equation.ellipsis.end());
            i += 2;
            continue;
        }
        const auto &known = equation.letters[std::size_t(result[i])];
        if (!known)
            call.misfit("letter '" + std::string(1, result[i]) + "' of equation '" + text + "' is in no input.");
        out.push_back(*known);
    }
    call.set(0, call.type(0), out);
}

void recurrent(ShapeCall &call)
{
    const Shape *x = call.shape(0), *w = call.shape(1), *r = call.shape(2);
    if (x && x->size() != 3)
        call.misfit("an input of shape " + shapeText(*x) + " is not of rank 3.");
    const bool batchFirst = call.intAttribute("layout", 0) != 0;
    Dimension hidden = dimension(call.intAttribute("hidden_size", -1));
    if (!hidden.known() && r && r->size() == 3)
        hidden = (*r)[2];
    if (x && w && w->size() == 3)
        unify(call, (*x)[2], (*w)[2], "an input of shape " + shapeText(*x) + " does not fit weights of shape " + shapeText(*w) + ".");
    const Dimension directions = dimension(call.node.stringAttribute("direction", "forward") == "bidirectional" ? 2 : 1);
    const Dimension steps = x ? (*x)[batchFirst ? 1 : 0] : Dimension{}, batch = x ? (*x)[batchFirst ? 0 : 1] : Dimension{};
    call.set(0, call.type(0), batchFirst ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden});
    for (const std::size_t output : {1u, 2u})
        call.set(output, call.type(0), batchFirst ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden});
}

void attention(ShapeCall &call)
{
    const Shape *q = call.shape(0), *v = call.shape(2);
    std::optional<Shape> out;
    if (q && v && q->size() == 4 && v->size() == 4) {
        out = Shape{(*q)[0], (*q)[1], (*q)[2], (*v)[3]};
    } else if (q && v && q->size() == 3 && v->size() == 3) {
        const std::int64_t heads = call.intAttribute("q_num_heads", 0), valueHeads = call.intAttribute("kv_num_heads", 0);
        const Dimension &width = (*v)[2];
        const bool fits = heads > 0 && valueHeads > 0 && width.known() && width.size % valueHeads == 0;
        out = Shape{(*q)[0], (*q)[1], heads == valueHeads && heads > 0 ? width : fits ? dimension(Wide(width.size / valueHeads) * heads) : Dimension{}};
    }
    call.set(0, call.type(0), out);
}

} // namespace

void addMatrixRules(ShapeRules &rules)
{
    rules["MatMul"] = matMul;
    rules["MatMulInteger"] = matMulInteger;
    rules["QLinearMatMul"] = qlinearMatMul;
    rules["Gemm"] = gemm;
    rules["Det"] = det;
    rules["Einsum"] = einsum;
    rules["RNN"] = rules["GRU"] = rules["LSTM"] = recurrent;
    rules["Attention"] = attention;
}

} // namespace core
