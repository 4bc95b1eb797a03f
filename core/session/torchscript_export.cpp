#include "core/session/torchscript_export.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/graph/shape_inference.h"
#include "core/session/torchscript_source.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <sstream>

namespace core {

void writeTorchScript(const Graph &qdqGraph, const std::filesystem::path &file)
{
    Graph graph = qdqGraph;
    inferShapes(graph);
    const TorchScriptSource source = torchScriptSource(graph);
    std::ostringstream bytes;
    try {
        const c10::AutoGradMode plain(false);
        torch::jit::Module module("QuantizedModel");
        module.register_attribute("training", c10::BoolType::get(), false);   // so that eval() works
        for (const auto &[name, tensor] : source.buffers)
            module.register_buffer(name, tensor);
        module.define(source.text);
        module.save(bytes);
    } catch (const std::exception &error) {
        const std::string text = error.what();
        throw Error(ErrorKind::Internal, "torchscript", "The model could not be compiled for '" + file.string() + "': " + text.substr(0, text.find("\nException raised")));
    }
    writeFileAtomically(file, bytes.str());
}

} // namespace core
