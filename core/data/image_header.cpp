#include "core/data/image_header.h"

#include <algorithm>
#include <cstring>

namespace core {
namespace {

using Bytes = std::span<const std::byte>;

std::uint32_t number(Bytes bytes, std::size_t at, int count, bool bigEndian)
{
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i)
        value |= std::to_integer<std::uint32_t>(bytes[at + std::size_t(i)]) << 8 * (bigEndian ? count - 1 - i : i);
    return value;
}

bool startsWith(Bytes bytes, std::size_t at, const char *magic, std::size_t length)
{
    return bytes.size() >= at + length && std::memcmp(bytes.data() + at, magic, length) == 0;
}

/// Walks the segments and the entropy-coded data between them to the end-of-image marker.
ImageHeader inspectJpeg(Bytes bytes)
{
    ImageHeader header;
    header.complete = false;
    std::size_t at = 2;
    while (at + 1 < bytes.size()) {
        const auto found = std::find(bytes.begin() + std::ptrdiff_t(at), bytes.end() - 1, std::byte(0xFF));
        if (found == bytes.end() - 1)
            return header;
        at = std::size_t(found - bytes.begin()) + 1;
        const unsigned marker = std::to_integer<unsigned>(bytes[at]);
        if (marker == 0xFF)                                                    // fill byte
            continue;
        ++at;
        if (marker == 0xD9) {
            header.complete = true;
            return header;
        }
        if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) // no segment follows
            continue;
        if (at + 2 > bytes.size())
            return header;
        const std::size_t length = number(bytes, at, 2, true);
        if (length < 2 || at + length > bytes.size())
            return header;
        const bool startOfFrame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (startOfFrame && length >= 7) {
            header.height = number(bytes, at + 3, 2, true);
            header.width = number(bytes, at + 5, 2, true);
        }
        at += length;
    }
    return header;
}

ImageHeader inspectPng(Bytes bytes)
{
    ImageHeader header;
    header.complete = false;
    for (std::size_t at = 8; at + 12 <= bytes.size();) {
        const std::size_t length = number(bytes, at, 4, true);
        if (length > bytes.size() - at - 12)
            return header;
        if (startsWith(bytes, at + 4, "IHDR", 4) && length >= 8) {
            header.width = number(bytes, at + 8, 4, true);
            header.height = number(bytes, at + 12, 4, true);
        } else if (startsWith(bytes, at + 4, "IEND", 4)) {
            header.complete = true;
            return header;
        }
        at += 12 + length;
    }
    return header;
}

ImageHeader inspectWebp(Bytes bytes)
{
    ImageHeader header;
    header.complete = bytes.size() >= std::size_t(number(bytes, 4, 4, false)) + 8;
    if (startsWith(bytes, 12, "VP8X", 4) && bytes.size() >= 30) {
        header.width = number(bytes, 24, 3, false) + 1;
        header.height = number(bytes, 27, 3, false) + 1;
    } else if (startsWith(bytes, 12, "VP8L", 4) && bytes.size() >= 25) {
        const std::uint32_t bits = number(bytes, 21, 4, false);
        header.width = (bits & 0x3FFF) + 1;
        header.height = (bits >> 14 & 0x3FFF) + 1;
    } else if (startsWith(bytes, 12, "VP8 ", 4) && bytes.size() >= 30) {
        header.width = number(bytes, 26, 2, false) & 0x3FFF;
        header.height = number(bytes, 28, 2, false) & 0x3FFF;
    }
    return header;
}

ImageHeader inspectPnm(Bytes bytes)
{
    std::int64_t numbers[2] = {0, 0};
    std::size_t at = 2;
    for (std::int64_t &value : numbers) {
        bool comment = false;
        for (; at < bytes.size(); ++at) {
            const char c = char(bytes[at]);
            if (c == '#' || c == '\n')
                comment = c == '#';
            else if (!comment && c >= '0' && c <= '9')
                break;
        }
        for (; at < bytes.size() && char(bytes[at]) >= '0' && char(bytes[at]) <= '9' && value < (std::int64_t(1) << 40); ++at)
            value = value * 10 + (char(bytes[at]) - '0');
    }
    return {numbers[0], numbers[1], true};
}

} // namespace

ImageHeader inspectImage(Bytes bytes)
{
    if (startsWith(bytes, 0, "\xFF\xD8\xFF", 3))
        return inspectJpeg(bytes);
    if (startsWith(bytes, 0, "\x89PNG\r\n\x1A\n", 8))
        return inspectPng(bytes);
    if (startsWith(bytes, 0, "RIFF", 4) && startsWith(bytes, 8, "WEBP", 4))
        return inspectWebp(bytes);
    if (startsWith(bytes, 0, "BM", 2) && bytes.size() >= 26) {
        if (number(bytes, 14, 4, false) < 40)
            return {number(bytes, 18, 2, false), number(bytes, 20, 2, false), true};
        const std::int64_t width = std::int32_t(number(bytes, 18, 4, false)), height = std::int32_t(number(bytes, 22, 4, false));
        return {width < 0 ? -width : width, height < 0 ? -height : height, true};   // negative height: top row first
    }
    if (bytes.size() >= 8 && char(bytes[0]) == 'P' && char(bytes[1]) >= '1' && char(bytes[1]) <= '6')
        return inspectPnm(bytes);
    return {};
}

} // namespace core
