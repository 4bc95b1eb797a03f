// Expected numbers: Python's % (fmod 0) and C's fmod (fmod 1), as the ONNX specification defines Mod.
#include "tests/support/run_node.h"

#include <limits>

using namespace tests;

class TestOpsElementwise : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void modTakesTheSignOfTheDivisor()
    {
        const at::Tensor x = floats({6}, {-4.3f, 7.2f, 5, 4.3f, -7.2f, 8}), y = floats({6}, {2.1f, -3.4f, 8, -2.1f, 3.4f, 5});
        COMPARE_TENSORS(runNode("Mod", {x, y})[0], floats({6}, {2, -3, 5, -2, 3, 3}));
        COMPARE_TENSORS(runNode("Mod", {x, y}, {{"fmod", std::int64_t(1)}})[0], floats({6}, {-0.1f, 0.4f, 5, 0.1f, -0.4f, 3}));
    }

    void modOfZeroIsASignedZero()
    {
        const at::Tensor x = floats({4}, {0.0f, -0.0f, 0.0f, -0.0f}), y = floats({4}, {-2, 2, 2, -2});
        const at::Tensor result = runNode("Mod", {x, y})[0];
        QVERIFY(at::equal(at::signbit(result), at::signbit(y)));
    }

    void modOfIntegers()
    {
        const at::Tensor x = at::tensor({-4, 7, 5, 4, -7, 8}, at::kLong), y = at::tensor({2, -3, 8, -2, 3, 5}, at::kLong);
        QVERIFY(at::equal(runNode("Mod", {x, y})[0], at::tensor({0, -2, 5, 0, 2, 3}, at::kLong)));
    }
};

QTEST_APPLESS_MAIN(TestOpsElementwise)
#include "tst_ops_elementwise.moc"
