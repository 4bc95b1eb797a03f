#include "core/onnx/read_context.h"

#include <algorithm>

namespace core {

std::string inQuotes(std::string_view name)
{
    constexpr std::size_t longest = 160;
    std::string text(name.substr(0, longest));
    std::replace_if(text.begin(), text.end(), [](char c) { return std::uint8_t(c) < 32 || c == 127; }, '?');
    return "'" + text + (name.size() > longest ? "…'" : "'");
}

std::string dimsText(const std::vector<std::int64_t> &dims)
{
    std::string text = "[";
    for (std::size_t i = 0; i < dims.size() && i < 10; ++i)
        text += (i ? ", " : "") + std::to_string(dims[i]);
    return text + (dims.size() > 10 ? ", …]" : "]");
}

ReadContext::ReadContext(std::string subjectOfSentences, const std::filesystem::path &directory, const ReadLimits &readLimits)
    : subject(std::move(subjectOfSentences))
    , limits(readLimits)
    , nodesLeft(readLimits.maxNodes)
    , bytesLeft(readLimits.maxTensorBytes)
    , external(directory)
{
}

void ReadContext::fail(const std::string &sentence, ErrorKind kind) const
{
    throw Error(kind, "read", subject + ": " + sentence);
}

void ReadContext::takeBytes(std::int64_t count, const std::string &what)
{
    if (count > bytesLeft)
        fail(what + " needs " + std::to_string(count) + " bytes; with it the tensors take more than the limit of " + std::to_string(limits.maxTensorBytes)
             + " bytes.");
    bytesLeft -= count;
}

void ReadContext::takeNodes(std::int64_t count)
{
    if (count > nodesLeft)
        fail("It has more than " + std::to_string(limits.maxNodes) + " nodes, the limit.");
    nodesLeft -= count;
}

void ReadContext::warn(std::string code, std::string node, const std::string &sentence, Severity severity)
{
    diagnostics.push_back({severity, std::move(code), std::move(node), subject + ": " + sentence});
}

} // namespace core
