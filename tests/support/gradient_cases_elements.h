// Operators that work element by element, or reduce.
#pragma once

#include "tests/support/gradient_check.h"

namespace tests {

inline std::vector<GradientCase> activationCases()
{
    std::vector<GradientCase> cases;
    for (const char *type : {"Relu", "Sigmoid", "Tanh", "HardSwish", "Mish", "Softplus", "Softsign", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "Gelu", "Swish", "Softmax", "LogSoftmax"})
        cases.push_back({"plain", type, {distinct({3, 4, 5}, 1, 1.6)}});
    const at::Tensor x = distinct({2, 3, 2, 3});
    const std::vector<GradientCase> more{
        {"alpha", "LeakyRelu", {x}, {{"alpha", 0.3f}}},
        {"alpha", "Elu", {x}, {{"alpha", 0.7f}}},
        {"factors", "Selu", {x}, {{"alpha", 1.3f}, {"gamma", 0.8f}}},
        {"alpha", "Celu", {x}, {{"alpha", 0.5f}}},
        {"alpha", "ThresholdedRelu", {x}, {{"alpha", 0.6f}}},
        {"slope", "HardSigmoid", {x}, {{"alpha", 0.4f}, {"beta", 0.3f}}},
        {"tanh", "Gelu", {x}, {{"approximate", std::string("tanh")}}},
        {"alpha", "Swish", {x}, {{"alpha", 1.7f}}},
        {"bias", "Shrink", {x}, {{"lambd", 0.8f}, {"bias", 0.2f}}},
        {"channels", "Softmax", {x}, {{"axis", std::int64_t(1)}}},
        {"constant bounds", "Clip", {x, floats({}, {-1}), floats({}, {1.5f})}},
        {"one bound", "Clip", {x, {}, floats({}, {1})}},
        {"bounds that train", "Clip", {x, doubles({-0.9}, {}), doubles({1.2}, {})}},
        {"one slope", "PRelu", {x, doubles({0.3}, {1})}},
        {"a slope for each channel", "PRelu", {x, distinct({3, 1, 1}, 2)}},
        {"fixed slope", "PRelu", {x, floats({1}, {0.2f})}},
    };
    cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

inline std::vector<GradientCase> elementwiseCases()
{
    std::vector<GradientCase> cases;
    const at::Tensor a = distinct({2, 3, 4}), b = distinct({3, 1}, 2), far = positive({3, 4}, 3);
    for (const char *type : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean"}) {
        cases.push_back({"same shape", type, {a, distinct({2, 3, 4}, 4)}});
        cases.push_back({"broadcast", type, {a, b}});
    }
    for (const char *type : {"Max", "Min", "Sum", "Mean"})
        cases.push_back({"three", type, {a, b, distinct({4}, 5)}});
    for (const char *type : {"Exp", "Abs", "Neg", "Reciprocal", "Erf", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh"})
        cases.push_back({"plain", type, {distinct({3, 4}, 6, 0.5)}});
    for (const char *type : {"Sqrt", "Log"})
        cases.push_back({"plain", type, {far}});
    for (const char *type : {"Asin", "Acos", "Atanh"})
        cases.push_back({"plain", type, {distinct({3, 4}, 7, 0.3)}});
    cases.push_back({"plain", "Acosh", {far + 1}});
    cases.push_back({"both", "Pow", {far, distinct({4}, 8)}});
    cases.push_back({"square", "Pow", {a, floats({}, {2})}});
    cases.push_back({"whole exponent", "Pow", {a, list({3})}});
    cases.push_back({"sign of the divisor", "Mod", {a, doubles({0.77}, {1})}, {{"fmod", std::int64_t(0)}}});
    cases.push_back({"sign of the dividend", "Mod", {a, doubles({0.77}, {1})}, {{"fmod", std::int64_t(1)}}});
    cases.push_back({"broadcast", "Where", {at::tensor(std::vector<std::int64_t>{1, 0, 1}, at::kLong).to(at::kBool).reshape({3, 1}), a, b}});
    cases.push_back({"double to float", "Cast", {a}, {{"to", std::int64_t(1)}}, 1, 0.125});
    cases.push_back({"to float", "CastLike", {a, floats({1}, {0})}, {}, 1, 0.125});
    cases.push_back({"scale", "DequantizeLinear", {at::tensor(std::vector<std::int64_t>{-3, 5, 90, 7}, at::kLong).to(at::kChar).reshape({2, 2}), doubles({0.5, 0.25}, {2})},
                     {{"axis", std::int64_t(0)}}, 1, 0.125});
    return cases;
}

inline std::vector<GradientCase> reductionCases()
{
    std::vector<GradientCase> cases;
    for (const char *type : {"ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceProd", "ReduceMax", "ReduceMin"}) {
        cases.push_back({"axes", type, {distinct({2, 3, 4, 2}), list({1, 3})}, {{"keepdims", std::int64_t(0)}}});
        cases.push_back({"all", type, {distinct({2, 3}, 2)}});
    }
    cases.push_back({"axis", "ReduceLogSum", {positive({2, 3, 4}), list({1})}});
    cases.push_back({"exclusive, turned", "CumSum", {distinct({2, 4}), list({1})}, {{"exclusive", std::int64_t(1)}, {"reverse", std::int64_t(1)}}});
    return cases;
}

} // namespace tests
