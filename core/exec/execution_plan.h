// What an Executor does at every run: the needed nodes in order, with their kernels, constants and last uses.
#pragma once

#include "core/exec/executor.h"
#include "core/exec/op_registry.h"

namespace core {

struct PlanStep {
    NodeId node;
    std::string label;                        ///< for messages
    Kernel kernel;
    bool hasGradient = true;                  ///< false: a float result that does not require grad is no mistake
    std::vector<ValueId> inputs;              ///< invalid = omitted
    std::vector<const at::Tensor *> constants; ///< where input i is a constant, else null
    std::vector<bool> dies;                   ///< input i is read for the last time, and here only once
    std::vector<ValueId> outputs;             ///< invalid = nobody needs it
    std::vector<ValueId> released;            ///< further values that are not read any more
    std::vector<ValueId> taps;
};

struct PlanFeed {
    ValueId value;
    std::string name;
    DataType type = DataType::Undefined;
    std::optional<Shape> declared;            ///< checked when the feed is a graph input
    bool used = false;
    bool channelsLast = false;                ///< read by convolutions and the like
};

struct ExecutionPlan {
    std::vector<ValueId> feeds, fetches, firstTaps; ///< firstTaps: feeds and constants among the taps
    std::vector<PlanFeed> feedChecks;
    std::vector<PlanStep> steps;
    std::unordered_map<ValueId, at::Tensor> constants;
    std::size_t slotCount = 0;
    bool inPlace = false;
};

/// Throws as Executor's constructor does. The result refers to nothing of `graph`.
ExecutionPlan makePlan(const Graph &graph, const ExecutorOptions &options);

/// The kernel of one node, or the reason why there is none.
struct KernelOrReason {
    Kernel kernel;
    std::string reason;                       ///< empty when there is a kernel
    bool unsupported = true;                  ///< false: the node itself is broken
};
KernelOrReason makeKernel(const Node &node, const Graph &graph, bool allowFused = false);

/// Runs a kernel; foreign exceptions become Error{InvalidInput} naming the node and the shapes of its inputs.
void invokeKernel(const Kernel &kernel, OpCall &call, const std::string &label);

/// Values a node reads: its inputs, then what its bodies capture from `graph`.
std::vector<ValueId> valuesRead(const Node &node, const Graph &graph);

} // namespace core
