// The protobuf wire format, read without building messages: what a file would cost before it is parsed, and fields that the
// system's libonnx has no accessor for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

struct WireField {
    std::uint32_t number = 0;
    int type = 0;                ///< 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes; 3 and 4 bracket groups
    std::uint64_t integer = 0;   ///< type 0
    std::string_view bytes;      ///< type 2
};

/// Takes the next field off `rest`; false at its end or where it is malformed.
bool nextField(std::string_view &rest, WireField &field);

bool hasField(std::string_view message, std::uint32_t number);
/// Contents of every length-delimited field of that number.
std::vector<std::string> lengthDelimitedFields(std::string_view message, std::uint32_t number);

struct WireCost {
    std::int64_t nodes = 0;      ///< NodeProto messages, bodies and functions included
    std::int64_t overhead = 0;   ///< bytes of memory for message objects, payloads (raw_data, names) not counted
};

/// Of a serialized ModelProto. Stops early where a limit is passed.
WireCost modelCost(std::string_view model, std::int64_t maxNodes, std::int64_t maxOverhead);
/// Of a serialized TensorProto.
WireCost tensorCost(std::string_view tensor, std::int64_t maxOverhead);

} // namespace core
