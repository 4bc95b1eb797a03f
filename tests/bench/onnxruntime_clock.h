// ONNX Runtime's own time for a batch, measured in a Python child process, so that neither the pipe nor Python's start counts.
#pragma once

#include "core/base/progress.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench {

class OnnxRuntimeClock {
public:
    /// nullptr with the reason in `why` where python3 or its package onnxruntime is not there, or refuses the file.
    static std::unique_ptr<OnnxRuntimeClock> open(const std::filesystem::path &model, const std::vector<at::Tensor> &inputs, int threads, std::string &why);
    virtual ~OnnxRuntimeClock() = default;
    virtual double secondsForOneRun() = 0;
    virtual std::string version() const = 0;
};

} // namespace bench
