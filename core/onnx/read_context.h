// What the parts of the reader share.
#pragma once

#include "core/base/error.h"
#include "core/onnx/external_data.h"
#include "core/onnx/reader.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace core {

/// 'name', shortened and without control characters, fit for a sentence.
std::string inQuotes(std::string_view name);
std::string dimsText(const std::vector<std::int64_t> &dims);

struct ReadContext {
    ReadContext(std::string subjectOfSentences, const std::filesystem::path &directory, const ReadLimits &readLimits);

    std::string subject;           ///< "Model 'net.onnx'"
    ReadLimits limits;
    std::int64_t nodesLeft;
    std::int64_t bytesLeft;
    ExternalFiles external;
    Diagnostics diagnostics;

    [[noreturn]] void fail(const std::string &sentence, ErrorKind kind = ErrorKind::InvalidInput) const;
    /// `what` begins a sentence: "Tensor 'w'".
    void takeBytes(std::int64_t count, const std::string &what);
    void takeNodes(std::int64_t count);
    void warn(std::string code, std::string node, const std::string &sentence, Severity severity = Severity::Warning);
};

/// Calls `work`; an Error from it gets the subject in front of its sentence.
template <class Work>
auto withSubject(const ReadContext &context, Work work)
{
    try {
        return work();
    } catch (const Error &error) {
        throw Error(error.kind(), error.operation(), context.subject + ": " + error.sentence());
    }
}

} // namespace core
