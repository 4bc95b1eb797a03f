// Where exceptions of other libraries become core::Error.
#pragma once

#include "core/base/error.h"

#include <string>

namespace core {

/// The exception that is being handled, as an Error of `operation`; Error and Cancelled pass unchanged.
[[noreturn]] void rethrowAsError(const std::string &operation);

template <class F>
auto guarded(const std::string &operation, F &&f)
{
    try {
        return f();
    } catch (...) {
        rethrowAsError(operation);
    }
}

} // namespace core
