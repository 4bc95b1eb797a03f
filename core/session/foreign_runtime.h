// Another program's inference engine, asked to run the file that was written: ONNX Runtime, linked or as a Python child process.
#pragma once

#include "core/base/progress.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace core {

struct ForeignRuntimeOptions {
    int threads = 1;
    std::vector<std::string> disabledOptimizers;
};

class ForeignRuntime {
public:
    virtual ~ForeignRuntime() = default;
    virtual std::string name() const = 0;              ///< "ONNX Runtime 1.32.0 (Python)"
    /// Inputs and outputs in the file's order. Throws Error{Io} when it failed or took too long; Cancelled.
    virtual std::vector<at::Tensor> run(std::span<const at::Tensor> inputs, const Progress &progress) = 0;
};

/// Why there is no runtime: it is not installed, or it does not take the file.
struct NoRuntime {
    std::string sentence;
    bool refused = false;
};

/// Linked ONNX Runtime where the build has it, else Python's. nullptr with the reason in `why`. Throws Cancelled.
std::unique_ptr<ForeignRuntime> openForeignRuntime(const std::filesystem::path &file, const ForeignRuntimeOptions &options, const Progress &progress,
                                                   NoRuntime &why);
/// The two by themselves.
std::unique_ptr<ForeignRuntime> openPythonRuntime(const std::filesystem::path &file, const ForeignRuntimeOptions &options, const Progress &progress,
                                                  NoRuntime &why);
std::unique_ptr<ForeignRuntime> openLinkedRuntime(const std::filesystem::path &file, const ForeignRuntimeOptions &options, NoRuntime &why);
bool hasLinkedRuntime();

} // namespace core
