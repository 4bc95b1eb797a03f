// Model-local functions replaced by their nodes, before anything else looks at the model.
#pragma once

namespace onnx {
class ModelProto;
}

namespace core {

struct ReadContext;

/// Internal tensors and nodes get the name of the call in front ("call/tensor"). Attribute references take the call's
/// attributes, else the function's defaults. Recursion is an error.
void inlineFunctions(onnx::ModelProto &model, ReadContext &context);

} // namespace core
