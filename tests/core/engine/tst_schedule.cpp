#include "core/qat/schedule.h"

#include <QtTest/QtTest>

using namespace core;

namespace {

TrainingSpec specOf(ScheduleKind kind, int warmupSteps = 0)
{
    TrainingSpec spec;
    spec.schedule = kind;
    spec.stepFactor = 0.5;
    spec.stepEpochs = 2;
    spec.warmupSteps = warmupSteps;
    return spec;
}

void compare(const Schedule &schedule, std::vector<double> expected)
{
    for (std::size_t i = 0; i < expected.size(); ++i)
        QVERIFY2(std::abs(schedule.factor(std::int64_t(i)) - expected[i]) < 1e-12,
                 qPrintable(QString("step %1: %2, not %3").arg(i).arg(schedule.factor(std::int64_t(i)), 0, 'g', 15).arg(expected[i], 0, 'g', 15)));
}

} // namespace

class TestSchedule : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void constantStays() { compare(Schedule(specOf(ScheduleKind::Constant), 2, 6), {1, 1, 1, 1, 1, 1}); }

    /// Two epochs of three steps each at every height.
    void stepsFallAfterEpochs() { compare(Schedule(specOf(ScheduleKind::Step), 3, 14), {1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25}); }

    /// (1 + cos(k π / 4)) / 2; a step beyond the last one stays at 0.
    void cosineEndsAtZero() { compare(Schedule(specOf(ScheduleKind::Cosine), 2, 4), {1, 0.853553390593274, 0.5, 0.146446609406726, 0, 0}); }

    void warmUpMultiplies()
    {
        compare(Schedule(specOf(ScheduleKind::Constant, 4), 2, 6), {0.25, 0.5, 0.75, 1, 1, 1});
        compare(Schedule(specOf(ScheduleKind::Cosine, 2), 2, 4), {0.5, 0.853553390593274, 0.5, 0.146446609406726});
        compare(Schedule(specOf(ScheduleKind::Step, 4), 1, 6), {0.25, 0.5, 0.375, 0.5, 0.25, 0.25});
    }

    void plateauWaitsForProgress()
    {
        Schedule schedule(specOf(ScheduleKind::Plateau, 2), 2, 6);
        compare(schedule, {0.5, 1, 1});
        const std::vector<std::pair<bool, double>> evaluations{{true, 1}, {false, 1}, {true, 1}, {false, 1}, {false, 0.5}, {false, 0.5}, {false, 0.25}, {true, 0.25}};
        for (const auto &[better, expected] : evaluations) {
            schedule.evaluated(better);
            QCOMPARE(schedule.factor(5), expected);
        }
        compare(schedule, {0.125, 0.25});
        Schedule cosine(specOf(ScheduleKind::Cosine), 2, 4);
        cosine.evaluated(false);
        cosine.evaluated(false);
        QCOMPARE(cosine.factor(0), 1.0);
    }

    void restoredGoesOn()
    {
        Schedule first(specOf(ScheduleKind::Plateau), 2, 6), second(specOf(ScheduleKind::Plateau), 2, 6);
        for (int i = 0; i < 3; ++i)
            first.evaluated(false);
        QCOMPARE(first.plateauFactor(), 0.5);
        QCOMPARE(first.waiting(), 1);
        second.restore(first.plateauFactor(), first.waiting());
        second.evaluated(false);
        QCOMPARE(second.factor(0), 0.25);
    }
};

QTEST_APPLESS_MAIN(TestSchedule)
#include "tst_schedule.moc"
