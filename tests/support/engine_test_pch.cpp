#include "tests/support/engine_test_pch.h"
