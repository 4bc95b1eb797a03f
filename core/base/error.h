// Errors and diagnostics shared by the whole core.
//
// An Error ends the job; a Diagnostic is one of possibly many things the user should see all of.
// Sentences start with a capital, show the values, name file and node, and say what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace core {

enum class ErrorKind { InvalidInput, Unsupported, Io, Numeric, Internal };

class Error : public std::runtime_error {
public:
    /// what() is "[operation] sentence".
    Error(ErrorKind kind, std::string operation, std::string sentence);

    ErrorKind kind() const noexcept { return m_kind; }
    const std::string &operation() const noexcept { return m_operation; }
    const std::string &sentence() const noexcept { return m_sentence; }

private:
    ErrorKind m_kind;
    std::string m_operation;
    std::string m_sentence;
};

enum class Severity { Note, Warning, Problem };

struct Diagnostic {
    Severity severity = Severity::Warning;
    std::string code;     ///< stable kebab-case id, e.g. "unsupported-operator"
    std::string node;     ///< node or tensor name, empty when it is about the whole file
    std::string sentence; ///< complete sentence
};

using Diagnostics = std::vector<Diagnostic>;

/// All sentences of the given severity or worse, one a line.
std::string joinSentences(const Diagnostics &diagnostics, Severity atLeast = Severity::Note);

} // namespace core
