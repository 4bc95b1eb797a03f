#include "core/exec/matrix_product.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

using namespace core;

namespace {

// Whole numbers, so that every order of additions gives the same sum.
at::Tensor whole(std::vector<std::int64_t> sizes, std::int64_t step)
{
    std::int64_t count = 1;
    for (const auto size : sizes)
        count *= size;
    return (at::arange(count) * step).remainder(17).sub(8).to(at::kFloat).reshape(sizes);
}

at::Tensor noise(std::vector<std::int64_t> sizes)
{
    at::Generator generator = at::detail::createCPUGenerator(7);
    return at::randn(sizes, generator);
}

} // namespace

class TestMatrixProduct : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void byHand()
    {
        // [1 2 3; 4 5 6] · [1 0; 0 1; 1 1]
        const at::Tensor a = at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).reshape({2, 3}), b = at::tensor({1.f, 0.f, 0.f, 1.f, 1.f, 1.f}).reshape({3, 2});
        QVERIFY(matrixProduct(a, b).equal(at::tensor({4.f, 5.f, 10.f, 11.f}).reshape({2, 2})));
        QVERIFY(linearProduct(a, b.t(), at::tensor({100.f, 200.f})).equal(at::tensor({104.f, 205.f, 110.f, 211.f}).reshape({2, 2})));
    }

    void shapes_data()
    {
        using Sizes = std::vector<std::int64_t>;
        QTest::addColumn<Sizes>("a");
        QTest::addColumn<Sizes>("b");
        const auto row = [](const char *name, Sizes a, Sizes b) { QTest::newRow(name) << a << b; };
        row("one", {1, 1}, {1, 1});
        row("vectors", {5}, {5});
        row("row", {5}, {5, 3});
        row("column", {3, 5}, {5});
        row("edges of tiles", {13, 33}, {33, 65});
        row("deep", {7, 777}, {777, 5});
        row("tall", {211, 9}, {9, 31});
        row("wide", {3, 40}, {40, 530});
        row("batches", {4, 6, 8}, {4, 8, 10});
        row("shared right", {2, 3, 6, 8}, {8, 10});
        row("shared left", {6, 8}, {3, 8, 10});
        row("broadcast", {2, 1, 6, 8}, {3, 8, 10});
        row("batch of vectors", {8}, {3, 8, 10});
        row("no depth", {3, 0}, {0, 4});
        row("no rows", {0, 3}, {3, 4});
        row("no batch", {0, 2, 3}, {0, 3, 4});
    }

    void shapes()
    {
        QFETCH(std::vector<std::int64_t>, a);
        QFETCH(std::vector<std::int64_t>, b);
        const at::Tensor x = whole(a, 5), y = whole(b, 7);
        const at::Tensor product = matrixProduct(x, y), expected = at::matmul(x, y);
        QVERIFY(product.sizes() == expected.sizes());
        QVERIFY(product.equal(expected));
    }

    void strides()
    {
        const at::Tensor a = whole({20, 50}, 5), b = whole({40, 20}, 7);
        QVERIFY(matrixProduct(a.t(), b.t()).equal(at::matmul(a.t(), b.t())));
        const at::Tensor wide = whole({30, 3, 16}, 5);   // heads: [tokens, heads, width] → [heads, tokens, width]
        QVERIFY(matrixProduct(wide.transpose(0, 1), wide.permute({1, 2, 0})).equal(at::matmul(wide.transpose(0, 1), wide.permute({1, 2, 0}))));
    }

    void sameBitsForAnyThreadsAndRows()
    {
        const at::Tensor a = noise({150, 300}), b = noise({300, 70});
        at::set_num_threads(1);
        const at::Tensor expected = matrixProduct(a, b);
        QVERIFY(at::allclose(expected.to(at::kDouble), at::matmul(a.to(at::kDouble), b.to(at::kDouble)), 0, 1e-4));
        for (const int threads : {1, 2, 3, 7}) {
            at::set_num_threads(threads);
            for (const std::int64_t rows : {1, 2, 11, 12, 13, 97, 150})
                QVERIFY(matrixProduct(a.narrow(0, 150 - rows, rows), b).equal(expected.narrow(0, 150 - rows, rows)));
        }
    }

    void packedOperandNoticesChanges()
    {
        const PackedOperand operand;
        const at::Tensor a = whole({3, 4}, 5);
        at::Tensor b = whole({4, 6}, 7);
        QVERIFY(matrixProduct(a, b, &operand).equal(at::matmul(a, b)));
        QVERIFY(matrixProduct(a, b, &operand).equal(at::matmul(a, b)));
        b.mul_(2);
        QVERIFY(matrixProduct(a, b, &operand).equal(at::matmul(a, b)));
        const at::Tensor other = whole({4, 6}, 3);
        QVERIFY(matrixProduct(a, other, &operand).equal(at::matmul(a, other)));
    }

    void gradients()
    {
        const at::Tensor a = whole({2, 3}, 5).requires_grad_(), b = whole({3, 4}, 7);
        matrixProduct(a, b).sum().backward();
        QVERIFY(a.grad().equal(b.sum(1).expand({2, 3})));
    }
};

QTEST_APPLESS_MAIN(TestMatrixProduct)
#include "tst_matrix_product.moc"
