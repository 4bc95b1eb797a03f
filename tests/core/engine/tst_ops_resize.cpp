// Expected numbers: ONNX Runtime 1.32 on pattern({1, 1, 4, 6}), which is
//   -5 -2  1  4 -4 -1
//    2  5 -3  0  3 -5
//   -2  1  4 -4 -1  2
//    5 -3  0  3 -5 -2
#include "tests/support/run_node.h"

using namespace tests;

namespace {

at::Tensor resizeBy(const std::vector<float> &scales, Attributes attributes, const at::Tensor &x = pattern({1, 1, 4, 6}))
{
    return runNode("Resize", {x, at::Tensor{}, floats({std::int64_t(scales.size())}, scales)}, attributes)[0];
}

at::Tensor resizeTo(const Ints &sizes, Attributes attributes, const at::Tensor &x = pattern({1, 1, 4, 6}))
{
    return runNode("Resize", {x, at::Tensor{}, at::Tensor{}, at::tensor(sizes, at::kLong)}, attributes)[0];
}

std::string text(const char *value) { return value; }

} // namespace

class TestOpsResize : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void antialias()
    {
        COMPARE_TENSORS(resizeTo({1, 1, 2, 4}, {{"mode", text("linear")}, {"antialias", std::int64_t(1)}}),
                        floats({1, 1, 2, 4}, {-0.9999999f, 0.4305556f, 0.4861112f, -1.75f, 1.166667f, 0.4583333f, -0.7083334f, -1.416667f}));
        COMPARE_TENSORS(resizeBy({1, 1, 0.6f, 0.5f}, {{"mode", text("cubic")}, {"antialias", std::int64_t(1)}, {"exclude_outside", std::int64_t(1)}}),
                        floats({1, 1, 2, 3}, {-0.680937f, 0.9244611f, -1.322998f, 1.278564f, -0.08788501f, -1.010919f}));
    }

    void interpolation()
    {
        COMPARE_TENSORS(resizeTo({1, 1, 3, 4}, {{"mode", text("cubic")}, {"coordinate_transformation_mode", text("asymmetric")}}),
                        floats({1, 1, 3, 4}, {-5, -0.5f, 4, -3.25f, 1.129628f, 2.300348f, -2.092594f, 0.3142375f, 2.574075f, -0.4820602f, 0.5740745f, -2.582755f}));
        COMPARE_TENSORS(resizeTo({1, 1, 3, 4}, {{"mode", text("linear")}, {"coordinate_transformation_mode", text("align_corners")}}),
                        floats({1, 1, 3, 4}, {-5, 0, 1.333334f, -1, 0, 1.333333f, -1, -1.5f, 5, -1, 0.333334f, -2}));
        // The scale counts, not the quotient of the sizes: 4 · 0.7 and 6 · 0.8 are cut to 2 and 4.
        COMPARE_TENSORS(resizeBy({1, 1, 0.7f, 0.8f}, {{"mode", text("linear")}}),
                        floats({1, 1, 2, 4}, {-3.125f, -0.2589285f, 2.017857f, -1.794643f, -0.1964283f, 2.080357f, -1.044643f, 0.0535717f}));
        COMPARE_TENSORS(resizeBy({1, 1, 0.7f, 0.8f}, {{"mode", text("linear")}, {"coordinate_transformation_mode", text("half_pixel_symmetric")}}),
                        floats({1, 1, 2, 4}, {2.375f, -1.4375f, 0.9375001f, -0.6160717f, -0.09821424f, 2.767858f, -2.419644f, -0.7321425f}));
    }

    void nearest()
    {
        COMPARE_TENSORS(resizeBy({1, 1, 1.5f, 0.7f}, {{"nearest_mode", text("ceil")}}),
                        floats({1, 1, 6, 4}, {-2, 1, -4, -1, 5, -3, 3, -5, 1, 4, -1, 2, 1, 4, -1, 2, -3, 0, -5, -2, -3, 0, -5, -2}));
        COMPARE_TENSORS(resizeBy({1, 1, 2, 1.5f}, {{"nearest_mode", text("floor")}, {"coordinate_transformation_mode", text("asymmetric")}})[0][0].narrow(0, 0, 3),
                        floats({3, 9}, {-5, -5, -2, 1, 1, 4, -4, -4, -1, -5, -5, -2, 1, 1, 4, -4, -4, -1, 2, 2, 5, -3, -3, 0, 3, 3, -5}));
        // Every position lies between two cells.
        COMPARE_TENSORS(resizeBy({1, 1, 0.5f, 0.5f}, {{"nearest_mode", text("round_prefer_ceil")}}), floats({1, 1, 2, 3}, {5, 0, -5, -3, 3, -2}));
        COMPARE_TENSORS(resizeBy({1, 1, 0.5f, 0.5f}, {{"nearest_mode", text("round_prefer_floor")}}), floats({1, 1, 2, 3}, {-5, 1, -4, -2, 4, -1}));
        COMPARE_TENSORS(resizeBy({1, 1, 2, 2}, {{"nearest_mode", text("floor")}, {"coordinate_transformation_mode", text("asymmetric")}}, at::tensor({1, 2}, at::kChar).reshape({1, 1, 1, 2})),
                        at::tensor({1, 1, 2, 2, 1, 1, 2, 2}, at::kChar).reshape({1, 1, 2, 4}));
    }

    // LibTorch's own upsampling and the plan must agree: an image next to the same image with a batch axis of rank 5.
    void fastAndGeneralAgree()
    {
        const at::Tensor x = noise({2, 3, 7, 5});
        for (const char *mode : {"nearest", "linear", "cubic"})
            for (const char *coordinates : {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"}) {
                const Attributes attributes{{"mode", text(mode)}, {"coordinate_transformation_mode", text(coordinates)}, {"nearest_mode", text("floor")}};
                const at::Tensor image = resizeBy({1, 1, 1.7f, 0.6f}, attributes, x);
                COMPARE_TENSORS(image, resizeBy({1, 1, 1, 1.7f, 0.6f}, attributes, x.unsqueeze(0))[0], 1e-5, 2e-5);
                const at::Tensor last = resizeBy({1, 1, 1.7f, 0.6f}, attributes, x.contiguous(at::MemoryFormat::ChannelsLast));
                COMPARE_TENSORS(last, image, 1e-5, 2e-5);
                QVERIFY2(last.is_contiguous(at::MemoryFormat::ChannelsLast), mode);
            }
    }

    void aspectAndAxes()
    {
        const at::Tensor x = pattern({1, 2, 4, 6});
        const auto sizes = [&](const char *policy) {
            return runNode("Resize", {x, at::Tensor{}, at::Tensor{}, at::tensor({8, 9}, at::kLong)}, {{"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", text(policy)}})[0].sizes().vec();
        };
        QCOMPARE(sizes("stretch"), (Ints{1, 2, 8, 9}));
        QCOMPARE(sizes("not_larger"), (Ints{1, 2, 6, 9}));
        QCOMPARE(sizes("not_smaller"), (Ints{1, 2, 8, 12}));
    }

    void errors()
    {
        QVERIFY(errorOf("Resize", {pattern({1, 1, 4, 6}), at::Tensor{}, floats({2}, {1, 1})}).find("neither scales nor sizes holds 4 numbers") != std::string::npos);
        QVERIFY(errorOf("Resize", {pattern({1, 1, 4, 6}), at::Tensor{}, floats({4}, {1, 1, 0, 1})}).find("a scale is not above 0") != std::string::npos);
        QVERIFY(errorOf("Resize", {pattern({1, 1, 4, 6}), at::Tensor{}, floats({4}, {1, 1, 1e6f, 1e6f})}).find("more than 2^32 elements") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestOpsResize)
#include "tst_ops_resize.moc"
