#include "app/lane.h"

#include <atomic>

using app::Failure;
using app::Lane;

using Number = std::shared_ptr<const int>;

class TestLane : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void resultsComeBackOnThisThread();
    void jobsRunOneAfterTheOther();
    void aNewJobSupersedesItsKind();
    void stopEndsWhatRunsAndWaits();
    void errorsBecomeFailures();
    void quietJobsSayNothing();
    void theEndWaitsForTheJob();
};

void TestLane::resultsComeBackOnThisThread()
{
    Lane lane;
    QThread *worker = nullptr, *receiver = nullptr;
    int result = 0;
    lane.start<int>("a", "A", [&](core::Progress &) {
        worker = QThread::currentThread();
        return std::make_shared<const int>(7);
    }, [&](Number number) {
        receiver = QThread::currentThread();
        result = *number;
    });
    QVERIFY(lane.busy());
    QTRY_COMPARE(result, 7);
    QVERIFY(!lane.busy());
    QVERIFY(worker != receiver && receiver == QThread::currentThread());
}

void TestLane::jobsRunOneAfterTheOther()
{
    Lane lane;
    std::atomic<int> inside = 0, most = 0;
    std::vector<int> order;
    for (int i = 0; i < 5; ++i)
        lane.start<int>(QString::number(i), "job", [&, i](core::Progress &) {
            most = std::max(most.load(), ++inside);
            QThread::msleep(2);
            --inside;
            return std::make_shared<const int>(i);
        }, [&](Number number) { order.push_back(*number); });
    QTRY_COMPARE(order.size(), std::size_t(5));
    QCOMPARE(order, (std::vector<int>{0, 1, 2, 3, 4}));
    QCOMPARE(most.load(), 1);
}

void TestLane::aNewJobSupersedesItsKind()
{
    Lane lane;
    std::vector<int> results;
    int failures = 0;
    std::atomic<bool> begun = false;
    lane.start<int>("place", "first", [&](core::Progress &progress) {
        begun = true;
        while (!progress.stopRequested())
            QThread::msleep(1);
        return std::make_shared<const int>(1); // late: it must be dropped
    }, [&](Number number) { results.push_back(*number); }, [&](const Failure &) { ++failures; });
    QTRY_VERIFY(begun);
    for (int i = 2; i <= 4; ++i)
        lane.start<int>("place", "more", [i](core::Progress &) { return std::make_shared<const int>(i); }, [&](Number number) { results.push_back(*number); },
                        [&](const Failure &) { ++failures; });
    QTRY_VERIFY(!lane.busy());
    QCOMPARE(results, std::vector<int>{4});
    QCOMPARE(failures, 0);
}

void TestLane::stopEndsWhatRunsAndWaits()
{
    Lane lane;
    int cancelled = 0;
    std::atomic<bool> begun = false;
    const auto failed = [&](const Failure &failure) { cancelled += failure.cancelled; };
    lane.start<int>("a", "A", [&](core::Progress &progress) {
        begun = true;
        while (true) {
            progress.checkpoint();
            QThread::msleep(1);
        }
        return std::make_shared<const int>(1);
    }, [](Number) { QFAIL("it was stopped"); }, failed);
    lane.start<int>("b", "B", [](core::Progress &) { return std::make_shared<const int>(2); }, [](Number) { QFAIL("it was stopped"); }, failed);
    QTRY_VERIFY(begun);
    lane.stop();
    QTRY_COMPARE(cancelled, 2);
    QVERIFY(!lane.busy());
}

void TestLane::errorsBecomeFailures()
{
    Lane lane;
    QSignalSpy spy(&lane, &Lane::failed);
    Failure got;
    lane.start<int>("a", "A", [](core::Progress &) -> Number { throw core::Error(core::ErrorKind::Io, "load", "'x.onnx' cannot be read."); }, [](Number) {},
                    [&](const Failure &failure) { got = failure; });
    QTRY_COMPARE(spy.count(), 1);
    QCOMPARE(got.sentence, QString("'x.onnx' cannot be read."));
    QCOMPARE(got.operation, QString("load"));
    QVERIFY(got.kind == core::ErrorKind::Io && !got.cancelled);
    lane.start<int>("a", "A", [](core::Progress &) -> Number { throw std::runtime_error("odd"); }, [](Number) {}, [&](const Failure &failure) { got = failure; });
    QTRY_COMPARE(spy.count(), 2);
    QCOMPARE(got.sentence, QString("odd"));
}

void TestLane::quietJobsSayNothing()
{
    Lane lane;
    QSignalSpy started(&lane, &Lane::started), progressed(&lane, &Lane::progressed), failed(&lane, &Lane::failed), busy(&lane, &Lane::busyChanged);
    bool over = false;
    lane.start<int>("a", "A", [](core::Progress &progress) -> Number {
        progress.beginStage("stage", 3);
        throw core::Error(core::ErrorKind::Io, "load", "no");
    }, [](Number) {}, [&](const Failure &) { over = true; }, true);
    QTRY_VERIFY(over);
    QCOMPARE(started.count() + progressed.count() + failed.count() + busy.count(), 0);
}

void TestLane::theEndWaitsForTheJob()
{
    std::atomic<bool> begun = false, ended = false;
    {
        Lane lane;
        lane.start<int>("a", "A", [&](core::Progress &progress) {
            begun = true;
            while (!progress.stopRequested())
                QThread::msleep(1);
            ended = true;
            return std::make_shared<const int>(1);
        }, [](Number) { QFAIL("nobody waits for this"); });
        QTRY_VERIFY(begun);
    }
    QVERIFY(ended);
    QCoreApplication::processEvents();
}

QTEST_GUILESS_MAIN(TestLane)
#include "tst_lane.moc"
