// Operators that move, select, pool or resample.
#pragma once

#include "tests/support/gradient_check.h"

namespace tests {

inline std::vector<GradientCase> poolCases()
{
    const Ints two{2, 2}, three{3, 3}, one{1, 1, 1, 1};
    const std::int64_t yes = 1;
    const at::Tensor x = distinct({2, 2, 5, 5});
    std::vector<GradientCase> cases;
    for (const char *type : {"MaxPool", "AveragePool", "LpPool"}) {
        cases.push_back({"1d", type, {distinct({2, 2, 7})}, {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"pads", Ints{1, 1}}}});
        cases.push_back({"plain", type, {x}, {{"kernel_shape", three}, {"strides", two}, {"pads", one}}});
        cases.push_back({"pads of one side", type, {x}, {{"kernel_shape", three}, {"strides", two}, {"pads", Ints{0, 0, 1, 2}}}});
        cases.push_back({"ceil", type, {distinct({1, 2, 6, 6})}, {{"kernel_shape", three}, {"strides", two}, {"ceil_mode", yes}}});
        cases.push_back({"dilation", type, {x}, {{"kernel_shape", two}, {"dilations", two}}});
        cases.push_back({"3d", type, {distinct({1, 2, 3, 4, 3})}, {{"kernel_shape", Ints{2, 2, 2}}}});
    }
    const std::vector<GradientCase> more{
        {"indices", "MaxPool", {x}, {{"kernel_shape", two}}, 2},
        {"pads count", "AveragePool", {x}, {{"kernel_shape", three}, {"pads", Ints{0, 1, 1, 1}}, {"count_include_pad", yes}}},
        {"covers all", "AveragePool", {x}, {{"kernel_shape", Ints{5, 5}}}},
        {"p 3", "LpPool", {x}, {{"kernel_shape", two}, {"p", std::int64_t(3)}}},
        {"p 1", "LpPool", {x}, {{"kernel_shape", two}, {"p", yes}}},
        {"plain", "GlobalAveragePool", {x}},
        {"plain", "GlobalMaxPool", {x}},
        {"plain", "GlobalLpPool", {x}},
        {"p 3", "GlobalLpPool", {x}, {{"p", std::int64_t(3)}}},
        {"places", "MaxUnpool", {distinct({1, 1, 2, 2}), list({5, 7, 13, 15}, {1, 1, 2, 2})}, {{"kernel_shape", two}, {"strides", two}}},
        {"rois", "MaxRoiPool", {distinct({1, 2, 6, 6}), floats({2, 5}, {0, 0, 0, 3, 3, 0, 1, 2, 5, 4})}, {{"pooled_shape", two}}},
        {"average", "RoiAlign", {distinct({2, 2, 6, 6}), doubles({0.6, 0.7, 4.3, 5.1, 1.2, 2.1, 3.4, 4.6}, {2, 4}), list({0, 1})},
         {{"output_height", std::int64_t(2)}, {"output_width", std::int64_t(3)}, {"sampling_ratio", std::int64_t(2)}}},
        {"own samples, edge", "RoiAlign", {distinct({1, 2, 5, 5}), doubles({-1.7, 0.3, 5.7, 7.9}, {1, 4}), list({0})},
         {{"output_height", std::int64_t(2)}, {"output_width", std::int64_t(2)}, {"coordinate_transformation_mode", std::string("output_half_pixel")}}},
        {"maximum", "RoiAlign", {distinct({1, 2, 6, 6}), doubles({0.6, 0.7, 4.3, 5.1}, {1, 4}), list({0})},
         {{"output_height", std::int64_t(2)}, {"output_width", std::int64_t(2)}, {"sampling_ratio", std::int64_t(2)}, {"mode", std::string("max")}}},
    };
    cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

inline std::vector<GradientCase> resampleCases()
{
    const auto text = [](const char *value) { return std::string(value); };
    const at::Tensor x = distinct({1, 2, 4, 3}), none;
    const auto scales = [](float h, float w) { return floats({4}, {1, 1, h, w}); };
    std::vector<GradientCase> cases;
    for (const char *mode : {"nearest", "linear", "cubic"}) {
        for (const char *coordinates : {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"})
            cases.push_back({text(mode) + ", " + coordinates, "Resize", {x, none, none, list({1, 2, 7, 5})},
                             {{"mode", text(mode)}, {"coordinate_transformation_mode", text(coordinates)}}});
        cases.push_back({text(mode) + ", smaller", "Resize", {x, none, scales(0.5f, 0.7f)}, {{"mode", text(mode)}}});
    }
    cases.push_back({"twice", "Resize", {x, none, scales(2, 2)}, {{"coordinate_transformation_mode", text("asymmetric")}, {"nearest_mode", text("floor")}}});
    cases.push_back({"antialias", "Resize", {distinct({1, 1, 6, 6}), none, scales(0.5f, 0.5f)}, {{"mode", text("linear")}, {"antialias", std::int64_t(1)}}});
    cases.push_back({"crop", "Resize", {x, floats({8}, {0, 0, 0.1f, -0.2f, 1, 1, 0.9f, 1.1f}), none, list({1, 2, 3, 4})},
                     {{"mode", text("linear")}, {"coordinate_transformation_mode", text("tf_crop_and_resize")}}});
    cases.push_back({"1d", "Resize", {distinct({1, 2, 5}), none, floats({3}, {1, 1, 1.6f})}, {{"mode", text("linear")}}});
    const at::Tensor grid = distinct({1, 3, 2, 2}, 3, 0.41);
    for (const char *padding : {"zeros", "border", "reflection"})
        for (const char *mode : {"linear", "nearest", "cubic"})
            cases.push_back({text(mode) + ", " + padding, "GridSample", {x, grid}, {{"mode", text(mode)}, {"padding_mode", text(padding)}}});
    cases.push_back({"volume", "GridSample", {distinct({1, 1, 3, 3, 3}), distinct({1, 2, 2, 2, 3}, 3, 0.3)}, {{"align_corners", std::int64_t(1)}}});
    cases.push_back({"images", "AffineGrid", {distinct({2, 2, 3}), list({2, 1, 2, 3})}});
    return cases;
}

inline std::vector<GradientCase> shapeCases()
{
    const std::int64_t one = 1, two = 2;
    const at::Tensor x = distinct({2, 3, 4}), image = distinct({1, 4, 2, 4});
    std::vector<GradientCase> cases{
        {"plain", "Reshape", {x, list({4, -1})}}, {"plain", "Flatten", {x}}, {"plain", "Transpose", {x}, {{"perm", Ints{2, 0, 1}}}},
        {"plain", "Squeeze", {distinct({2, 1, 3}), list({1})}}, {"plain", "Unsqueeze", {x, list({1})}}, {"plain", "Expand", {distinct({3, 1}), list({2, 3, 2})}},
        {"plain", "Tile", {distinct({2, 3}), list({2, 2})}}, {"three", "Concat", {x, distinct({2, 1, 4}, 2), distinct({2, 2, 4}, 3)}, {{"axis", one}}},
        {"uneven", "Split", {x, list({1, 2})}, {{"axis", one}}, 2}, {"steps", "Slice", {x, list({3, 0}), list({-9, 3}), list({2, 1}), list({-2, 2})}},
        {"crd", "DepthToSpace", {image}, {{"blocksize", two}, {"mode", std::string("CRD")}}}, {"dcr", "DepthToSpace", {image}, {{"blocksize", two}}},
        {"plain", "SpaceToDepth", {image}, {{"blocksize", two}}}, {"plain", "Identity", {x}}, {"inference", "Dropout", {x, floats({}, {0.5f})}},
        {"lengths", "ReverseSequence", {distinct({4, 2, 2}), list({3, 4})}}, {"constant", "Pad", {x, list({0, 1, -1, 0, 2, 1})}},
        {"a constant that trains", "Pad", {x, list({0, 1, 0, 0, 2, 1}), doubles({0.7}, {})}}, {"shorter and longer", "CenterCropPad", {x, list({3, 2})}, {{"axes", Ints{1, 2}}}},
        {"upper", "Trilu", {x}}, {"rows", "Compress", {x, at::tensor(std::vector<std::int64_t>{1, 0, 1}, at::kLong).to(at::kBool)}, {{"axis", one}}},
        {"three numbers", "Range", {doubles({0.5}, {}), floats({}, {3.1f}), doubles({0.7}, {})}},
    };
    for (const char *mode : {"reflect", "edge", "wrap"})
        cases.push_back({mode, "Pad", {distinct({1, 2, 4, 4}), list({0, 0, 1, 2, 0, 0, 2, 1})}, {{"mode", std::string(mode)}}});
    return cases;
}

inline std::vector<GradientCase> indexCases()
{
    const std::int64_t one = 1;
    const at::Tensor x = distinct({3, 4, 2}), rows = distinct({3, 4});
    std::vector<GradientCase> cases{
        {"repeated", "Gather", {x, list({1, -1, 1, 0}, {2, 2})}, {{"axis", one}}},
        {"one", "Gather", {x, at::scalar_tensor(std::int64_t(2), at::kLong)}},
        {"plain", "GatherElements", {rows, list({0, 3, 3, 1, -1, 0}, {3, 2})}, {{"axis", one}}},
        {"batch", "GatherND", {x, list({1, 0, 3, 1, 2, 0}, {3, 1, 2})}, {{"batch_dims", one}}},
        {"values", "OneHot", {list({0, 2, -1}), list({4}), doubles({0.3, 1.4}, {2})}},
        {"largest", "TopK", {rows, list({2})}, {}, 2},
        {"of a list", "Unique", {distinct({6})}},
    };
    for (const char *reduction : {"none", "add", "mul", "max", "min"}) {
        const std::string name = reduction;
        const bool once = name == "none";   // the last of several writers is not defined
        cases.push_back({name, "ScatterElements", {rows, once ? list({0, 3, 1}, {3, 1}) : list({0, 0, 3, 1, 1, 2}, {3, 2}), distinct({3, once ? 1 : 2}, 2)},
                         {{"axis", one}, {"reduction", name}}});
        cases.push_back({name, "ScatterND", {x, once ? list({0, 1, 2, 3}, {2, 2}) : list({0, 1, 0, 1}, {2, 2}), distinct({2, 2}, 2)}, {{"reduction", name}}});
    }
    return cases;
}

} // namespace tests
