#include "core/base/error.h"

namespace core {

Error::Error(ErrorKind kind, std::string operation, std::string sentence)
    : std::runtime_error("[" + operation + "] " + sentence)
    , m_kind(kind)
    , m_operation(std::move(operation))
    , m_sentence(std::move(sentence))
{
}

std::string joinSentences(const Diagnostics &diagnostics, Severity atLeast)
{
    std::string text;
    for (const Diagnostic &diagnostic : diagnostics) {
        if (diagnostic.severity < atLeast)
            continue;
        if (!text.empty())
            text += '\n';
        text += diagnostic.sentence;
    }
    return text;
}

} // namespace core
