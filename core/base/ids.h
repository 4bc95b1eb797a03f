// Distinct integer ids, so that a node can never be passed where a value is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace core {

template <class Tag>
struct Id {
    std::int32_t index = -1; ///< -1 = none (an omitted optional input, "no producer")

    constexpr bool valid() const { return index >= 0; }
    constexpr explicit operator bool() const { return valid(); }
    friend constexpr auto operator<=>(const Id &, const Id &) = default;
};

using NodeId = Id<struct NodeTag>;
using ValueId = Id<struct ValueTag>;
using PointId = Id<struct PointTag>;

} // namespace core

template <class Tag>
struct std::hash<core::Id<Tag>> {
    std::size_t operator()(core::Id<Tag> id) const noexcept { return std::hash<std::int32_t>{}(id.index); }
};
