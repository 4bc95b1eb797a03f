// What a Session keeps between calls.
#pragma once

#include "core/session/exploration.h"
#include "core/session/session.h"

namespace core {

struct Session::Impl {
    int threads = 0;
    Exploration exploration;
};

} // namespace core
