// Precompiled header of core_engine: LibTorch costs 22 s a file without it.
#pragma once

#include <torch/torch.h>
