#include "core/onnx/wire.h"

#include <array>

namespace core {
namespace {

bool takeVarint(std::string_view &rest, std::uint64_t &value)
{
    value = 0;
    for (int shift = 0; shift < 70 && !rest.empty(); shift += 7) {
        const auto byte = std::uint8_t(rest.front());
        rest.remove_prefix(1);
        if (shift < 64)
            value |= std::uint64_t(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

enum class Kind { Text, Plain, Model, Training, Graph, Function, Node, Attribute, Tensor, Sparse, ValueInfo, Type, TypeTensor, TypeHolder, Shape };

struct Child { Kind parent; std::uint32_t number; Kind kind; };

constexpr std::array children{
    Child{Kind::Model, 7, Kind::Graph}, Child{Kind::Model, 25, Kind::Function}, Child{Kind::Model, 20, Kind::Training},
    Child{Kind::Model, 8, Kind::Plain}, Child{Kind::Model, 14, Kind::Plain},
    Child{Kind::Training, 1, Kind::Graph}, Child{Kind::Training, 2, Kind::Graph},
    Child{Kind::Graph, 1, Kind::Node}, Child{Kind::Graph, 5, Kind::Tensor}, Child{Kind::Graph, 15, Kind::Sparse},
    Child{Kind::Graph, 11, Kind::ValueInfo}, Child{Kind::Graph, 12, Kind::ValueInfo}, Child{Kind::Graph, 13, Kind::ValueInfo},
    Child{Kind::Graph, 14, Kind::Plain},
    Child{Kind::Function, 7, Kind::Node}, Child{Kind::Function, 11, Kind::Attribute}, Child{Kind::Function, 12, Kind::ValueInfo},
    Child{Kind::Function, 9, Kind::Plain},
    Child{Kind::Node, 5, Kind::Attribute},
    Child{Kind::Attribute, 5, Kind::Tensor}, Child{Kind::Attribute, 10, Kind::Tensor}, Child{Kind::Attribute, 6, Kind::Graph},
    Child{Kind::Attribute, 11, Kind::Graph}, Child{Kind::Attribute, 22, Kind::Sparse}, Child{Kind::Attribute, 23, Kind::Sparse},
    Child{Kind::Attribute, 14, Kind::Type}, Child{Kind::Attribute, 15, Kind::Type},
    Child{Kind::Sparse, 1, Kind::Tensor}, Child{Kind::Sparse, 2, Kind::Tensor},
    Child{Kind::Tensor, 13, Kind::Plain},
    Child{Kind::ValueInfo, 2, Kind::Type},
    Child{Kind::Type, 1, Kind::TypeTensor}, Child{Kind::Type, 8, Kind::TypeTensor}, Child{Kind::Type, 4, Kind::TypeHolder},
    Child{Kind::Type, 5, Kind::TypeHolder}, Child{Kind::Type, 9, Kind::TypeHolder},
    Child{Kind::TypeHolder, 1, Kind::Type}, Child{Kind::TypeHolder, 2, Kind::Type},
    Child{Kind::TypeTensor, 2, Kind::Shape},
    Child{Kind::Shape, 1, Kind::Plain},
};

Kind childKind(Kind parent, std::uint32_t number)
{
    for (const Child &child : children) {
        if (child.parent == parent && child.number == number)
            return child.kind;
    }
    return Kind::Text;
}

/// About what the generated C++ classes take, their slot in a repeated field included.
std::int64_t objectBytes(Kind kind)
{
    switch (kind) {
    case Kind::Text: return 40;
    case Kind::Node: case Kind::Attribute: case Kind::Function: return 250;
    case Kind::Tensor: case Kind::Graph: case Kind::Training: case Kind::Model: return 300;
    default: return 80;
    }
}

struct Counter {
    WireCost cost;
    std::int64_t maxNodes, maxOverhead;

    bool exceeded() const { return cost.nodes > maxNodes || cost.overhead > maxOverhead; }

    void visit(std::string_view message, Kind kind, int depth)
    {
        WireField field;
        while (!exceeded() && nextField(message, field)) {
            if (field.type != 2) {
                cost.overhead += 16;
                continue;
            }
            const Kind child = childKind(kind, field.number);
            cost.overhead += objectBytes(child);
            cost.nodes += child == Kind::Node;
            if (child != Kind::Text && child != Kind::Plain && depth < 120)
                visit(field.bytes, child, depth + 1);
        }
    }
};

} // namespace

bool nextField(std::string_view &rest, WireField &field)
{
    std::uint64_t tag = 0;
    if (rest.empty() || !takeVarint(rest, tag))
        return false;
    field.number = std::uint32_t(tag >> 3);
    field.type = int(tag & 7);
    field.bytes = {};
    const auto skip = [&rest](std::uint64_t count) {
        if (count > rest.size())
            return false;
        rest.remove_prefix(std::size_t(count));
        return true;
    };
    switch (field.type) {
    case 0: return takeVarint(rest, field.integer);
    case 1: return skip(8);
    case 5: return skip(4);
    case 3: case 4: return true;
    case 2: {
        std::uint64_t length = 0;
        if (!takeVarint(rest, length) || length > rest.size())
            return false;
        field.bytes = rest.substr(0, std::size_t(length));
        return skip(length);
    }
    default: return false;
    }
}

bool hasField(std::string_view message, std::uint32_t number)
{
    WireField field;
    while (nextField(message, field)) {
        if (field.number == number)
            return true;
    }
    return false;
}

std::vector<std::string> lengthDelimitedFields(std::string_view message, std::uint32_t number)
{
    std::vector<std::string> found;
    WireField field;
    while (nextField(message, field)) {
        if (field.number == number && field.type == 2)
            found.emplace_back(field.bytes);
    }
    return found;
}

WireCost modelCost(std::string_view model, std::int64_t maxNodes, std::int64_t maxOverhead)
{
    Counter counter{{}, maxNodes, maxOverhead};
    counter.visit(model, Kind::Model, 0);
    return counter.cost;
}

WireCost tensorCost(std::string_view tensor, std::int64_t maxOverhead)
{
    Counter counter{{}, 0, maxOverhead};
    counter.visit(tensor, Kind::Tensor, 0);
    return counter.cost;
}

} // namespace core
