// Against at::convolution and its gradients in double precision.
#include "core/exec/recorded_conv.h"
#include "tests/support/run_node.h"

#include <ATen/Parallel.h>

using namespace core;
using tests::Ints;
using tests::noise;

namespace {

struct Case {
    Ints x, w;
    std::int64_t groups = 1;
    Ints strides{1, 1}, pads{0, 0, 0, 0}, dilations{1, 1};
    bool bias = true;
};

struct Result {
    at::Tensor y, dx, dw, db;
};

at::Tensor leaf(const at::Tensor &x) { return x.clone().set_requires_grad(true); }

Result recorded(const Case &c)
{
    const at::Tensor x = leaf(noise(c.x)), w = leaf(noise(c.w, 2)), b = c.bias ? leaf(noise({c.w[0]}, 3)) : at::Tensor{};
    const Window window = resolveWindow({{}, c.strides, c.dilations, c.pads}, w.sizes().slice(2), x, "conv");
    const at::Tensor y = RecordedConv()(x, w, b, window, c.groups);
    (y * noise(y.sizes().vec(), 4)).sum().backward();
    return {y.detach(), x.grad(), w.grad(), c.bias ? b.grad() : at::Tensor{}};
}

Result reference(const Case &c)
{
    const at::Tensor x = leaf(noise(c.x).to(at::kDouble)), w = leaf(noise(c.w, 2).to(at::kDouble)), b = c.bias ? leaf(noise({c.w[0]}, 3).to(at::kDouble)) : at::Tensor{};
    const at::Tensor padded = at::constant_pad_nd(x, {c.pads[1], c.pads[3], c.pads[0], c.pads[2]}, 0);
    const at::Tensor y = at::convolution(padded, w, b, c.strides, {0, 0}, c.dilations, false, {0, 0}, c.groups);
    (y * noise(y.sizes().vec(), 4)).sum().backward();
    return {y.detach(), x.grad(), w.grad(), c.bias ? b.grad() : at::Tensor{}};
}

} // namespace

class TestRecordedConv : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void againstDoublePrecision()
    {
        const std::vector<Case> cases{
            {{2, 8, 9, 7}, {16, 8, 3, 3}, 1, {1, 1}, {1, 1, 1, 1}},
            {{2, 3, 12, 12}, {16, 3, 3, 3}, 1, {2, 2}, {0, 0, 1, 1}},
            {{3, 24, 6, 6}, {40, 24, 1, 1}, 1, {1, 1}, {0, 0, 0, 0}, {1, 1}, false},
            {{2, 8, 6, 6}, {12, 4, 3, 3}, 2, {1, 1}, {1, 0, 0, 1}},
            {{2, 40, 33, 9}, {40, 1, 3, 3}, 40, {1, 1}, {1, 1, 1, 1}},                   // depthwise: two parts of the rows
            {{2, 37, 11, 12}, {37, 1, 5, 5}, 37, {2, 2}, {1, 2, 2, 1}},                  // channels that fill no vector
            {{1, 16, 3, 2}, {16, 1, 5, 5}, 16, {1, 1}, {2, 2, 2, 2}},                    // a kernel larger than the image
            {{1, 19, 9, 13}, {19, 1, 3, 7}, 19, {1, 2}, {2, 4, 2, 5}, {2, 2}, false},
            {{2, 16, 5, 6}, {16, 1, 2, 4}, 16, {3, 1}, {0, 3, 1, 0}},
            {{2, 8, 5, 5}, {16, 1, 3, 3}, 8},                                            // two for each channel
        };
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const Result own = recorded(cases[i]), sure = reference(cases[i]);
            const std::string number = "case " + std::to_string(i) + " ";
            const auto check = [&](const char *what, const at::Tensor &a, const at::Tensor &b) {
                return tests::difference(a.to(at::kDouble), b, 1e-4, 1e-4).empty() ? std::string() : number + what;
            };
            for (const std::string &problem : {check("y", own.y, sure.y), check("dx", own.dx, sure.dx), check("dw", own.dw, sure.dw),
                                               cases[i].bias ? check("db", own.db, sure.db) : std::string()})
                QCOMPARE(problem, std::string());
            QVERIFY(own.y.is_contiguous(at::MemoryFormat::ChannelsLast));
        }
    }

    void onlyWhatIsWanted()
    {
        const Window window = resolveWindow({}, at::IntArrayRef(Ints{3, 3}), at::zeros({1, 2, 4, 4}), "conv");
        const at::Tensor x = noise({1, 2, 4, 4}), w = noise({2, 2, 3, 3}, 2), b = leaf(at::zeros({2}));
        RecordedConv conv;
        conv(x, w, b, window, 1).sum().backward();
        COMPARE_TENSORS(b.grad(), tests::floats({2}, {4, 4}));
        const at::Tensor moving = leaf(x);
        conv(moving, w, {}, window, 1).sum().backward();
        QVERIFY(moving.grad().defined());
        // The same primitives with other weights.
        const at::Tensor twice = leaf(x);
        conv(twice, w * 2, {}, window, 1).sum().backward();
        COMPARE_TENSORS(twice.grad(), moving.grad() * 2);
    }

    void depthwiseBitsForAnyThreads()
    {
        const Case deep{{3, 40, 60, 10}, {40, 1, 5, 5}, 40, {1, 1}, {2, 2, 2, 2}};
        const int before = at::get_num_threads();
        at::set_num_threads(1);
        const Result one = recorded(deep);
        at::set_num_threads(3);
        const Result three = recorded(deep);
        at::set_num_threads(before);
        QVERIFY(tests::sameBits(one.dw, three.dw));
        QVERIFY(tests::sameBits(one.db, three.db));
    }
};

QTEST_APPLESS_MAIN(TestRecordedConv)
#include "tst_recorded_conv.moc"
