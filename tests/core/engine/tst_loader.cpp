#include "core/data/loader.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

using namespace core;

namespace {

/// Sample i is an image of 2×2×2 with the value i, label 100 + i. Can fail in several ways.
class Numbers : public Dataset {
public:
    explicit Numbers(std::size_t count) : m_count(count) {}
    std::size_t size() const override { return m_count; }
    bool hasLabels() const override { return true; }
    std::string describe(std::size_t index) const override { return "number " + std::to_string(index); }
    std::string fingerprint() const override { return "numbers"; }
    Sample load(std::size_t index) const override
    {
        ++loads;
        std::this_thread::sleep_for(std::chrono::microseconds((index * 7919) % 300));   // finish out of order
        if (unreadable.contains(index))
            throw Error(ErrorKind::InvalidInput, "image", "Sample " + std::to_string(index) + " is broken.");
        if (index == fatal)
            throw std::runtime_error("disk on fire");
        const at::Tensor last = at::full({2, index == odd ? 3 : 2, 2}, double(index));
        return {{last.permute({2, 0, 1}), at::full({3}, double(index), at::kLong)}, std::int64_t(100 + index)};
    }

    std::set<std::size_t> unreadable;
    std::size_t fatal = std::size_t(-1), odd = std::size_t(-1);
    mutable std::atomic<std::size_t> loads = 0;

private:
    std::size_t m_count;
};

} // namespace

class TestLoader : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void batchesInOrder_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("prefetch");
        QTest::newRow("one thread") << 1 << 1;
        QTest::newRow("all cores") << 0 << 2;
        QTest::newRow("more threads than samples in flight") << 40 << 3;
        QTest::newRow("prefetch 0 counts as 1") << 3 << 0;
    }

    void batchesInOrder()
    {
        QFETCH(int, threads);
        QFETCH(int, prefetch);
        Numbers data(50);
        data.unreadable = {0, 3, 4, 5, 17, 49};                    // 3 … 5: a whole batch
        Loader loader(data, 3, threads, prefetch);
        std::vector<std::size_t> seen;
        while (const auto batch = loader.next()) {
            const auto count = std::int64_t(batch->indices.size());
            QVERIFY(count > 0);
            QCOMPARE(batch->labels.size(), batch->indices.size());
            QCOMPARE(batch->inputs.size(), std::size_t(2));
            QCOMPARE(batch->inputs[0].sizes().vec(), (std::vector<std::int64_t>{count, 2, 2, 2}));
            QVERIFY(batch->inputs[0].is_contiguous(at::MemoryFormat::ChannelsLast));
            QCOMPARE(batch->inputs[1].sizes().vec(), (std::vector<std::int64_t>{count, 3}));
            for (std::int64_t i = 0; i < count; ++i) {
                const std::size_t index = batch->indices[std::size_t(i)];
                QCOMPARE(batch->labels[std::size_t(i)], std::int64_t(100 + index));
                QVERIFY((batch->inputs[0][i] == double(index)).all().item<bool>());
                QVERIFY((batch->inputs[1][i] == std::int64_t(index)).all().item<bool>());
                seen.push_back(index);
            }
        }
        std::vector<std::size_t> expected;
        for (std::size_t i = 0; i < 50; ++i)
            if (!data.unreadable.contains(i))
                expected.push_back(i);
        QCOMPARE(seen, expected);
        QVERIFY(!loader.next());
        std::vector<std::string> skipped;
        for (const Diagnostic &d : loader.skipped())
            skipped.push_back(d.node);
        QCOMPARE(skipped, (std::vector<std::string>{"number 0", "number 3", "number 4", "number 5", "number 17", "number 49"}));
        QCOMPARE(loader.skipped()[1].sentence, std::string("Sample 3 is broken."));
    }

    void prefetchIsBounded()
    {
        Numbers data(100);
        Loader loader(data, 4, 8, 2);
        QVERIFY(loader.next());
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        QVERIFY2(data.loads <= 12, std::to_string(data.loads).c_str());   // the batch that was taken and two more
        QTRY_COMPARE(data.loads.load(), std::size_t(12));
    }

    void stopsWhenDestroyed()
    {
        Numbers data(100'000);
        {
            Loader loader(data, 8, 4, 2);
            QVERIFY(loader.next());
        }
        const std::size_t after = data.loads;
        QVERIFY(after <= 24);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        QCOMPARE(data.loads.load(), after);
    }

    void nothingReadableIsAnError()
    {
        Numbers data(5);
        data.unreadable = {0, 1, 2, 3, 4};
        Loader loader(data, 2, 2);
        try {
            loader.next();
            QFAIL("no error");
        } catch (const Error &error) {
            QCOMPARE(error.kind(), ErrorKind::Io);
            QCOMPARE(error.sentence(), std::string("None of the 5 samples can be read. The first: Sample 0 is broken."));
        }
        QCOMPARE(loader.skipped().size(), std::size_t(5));
    }

    void otherExceptionsArrive()
    {
        Numbers data(20);
        data.fatal = 13;
        Loader loader(data, 4, 3);
        std::size_t batches = 0;
        try {
            while (loader.next())
                ++batches;
            QFAIL("no exception");
        } catch (const std::runtime_error &error) {
            QCOMPARE(std::string(error.what()), std::string("disk on fire"));
        }
        QVERIFY(batches <= 3);
        QVERIFY_EXCEPTION_THROWN(loader.next(), std::runtime_error);
    }

    void differentShapesAreNamed()
    {
        Numbers data(4);
        data.odd = 2;
        Loader loader(data, 4, 1);
        try {
            loader.next();
            QFAIL("no error");
        } catch (const Error &error) {
            QVERIFY(error.sentence().find("'number 2'") != std::string::npos);
        }
    }

    void edges()
    {
        Numbers none(0), one(1);
        QVERIFY(!Loader(none, 8).next());
        Loader single(one, 8, -3);
        QCOMPARE(single.next()->indices.size(), std::size_t(1));
        QVERIFY(!single.next());
        QVERIFY_EXCEPTION_THROWN(Loader(one, 0), Error);
    }
};

QTEST_APPLESS_MAIN(TestLoader)
#include "tst_loader.moc"
