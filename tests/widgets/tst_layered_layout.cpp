#include "core/base/progress.h"
#include "widgets/graph/layered_layout.h"

#include <random>

using widgets::layeredLayout;
using widgets::LayoutProblem;
using widgets::LayoutResult;

class TestLayeredLayout : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void drawsNothingFromNothing();
    void chainIsStraight();
    void diamondIsSymmetric();
    void mainPathOfAResidualStaysStraight();
    void trunkIsSharedByItsConsumers();
    void crossedOrderIsUncrossed();
    void sweepsUncrossWhatDepthFirstLeaves();
    void ranksRiseAlongEveryTrunk();
    void boxesNeverOverlapAndLinesAvoidThem();
    void sameProblemSameDrawing();
    void wrapsIntoColumns();
    void survivesACycle();
    void stopsWhenAsked();
    void fiveThousandBoxes();
    void tanglesStayNarrow();
};

static LayoutProblem problemOf(int boxes, const std::vector<std::pair<int, std::vector<int>>> &trunks)
{
    LayoutProblem p;
    p.boxes.assign(std::size_t(boxes), {100, 40});
    for (const auto &[source, consumers] : trunks)
        p.trunks.push_back({source, consumers});
    return p;
}

/// Boxes feed later ones, mostly near ones, as layers of a network do; a few lines are long.
static LayoutProblem randomProblem(int boxes, unsigned seed, unsigned longest = 60)
{
    std::mt19937 random(seed);
    LayoutProblem p;
    p.boxes.assign(std::size_t(boxes), {100, 40});
    std::vector<std::vector<int>> consumers(p.boxes.size());
    for (int box = 1; box < boxes; ++box)
        for (int input = 0; input < 1 + int(random() % 2); ++input) {
            const int back = random() % 20 == 0 ? 1 + int(random() % longest) : 1 + int(random() % 4);
            std::vector<int> &list = consumers[std::size_t(std::max(0, box - back))];
            if (std::find(list.begin(), list.end(), box) == list.end())
                list.push_back(box);
        }
    for (int box = 0; box < boxes; ++box)
        if (!consumers[std::size_t(box)].empty())
            p.trunks.push_back({box, consumers[std::size_t(box)]});
    return p;
}

static QRectF rectOf(const LayoutProblem &p, const LayoutResult &r, std::size_t box)
{
    QRectF rect(0, 0, p.boxes[box].width, p.boxes[box].height);
    rect.moveCenter(r.centres[box]);
    return rect;
}

void TestLayeredLayout::drawsNothingFromNothing()
{
    QVERIFY(layeredLayout({}).centres.empty());
    const LayoutResult one = layeredLayout(problemOf(1, {}));
    QCOMPARE(one.bounds, QRectF(0, 0, 100, 40));
}

void TestLayeredLayout::chainIsStraight()
{
    const LayoutResult r = layeredLayout(problemOf(3, {{0, {1}}, {1, {2}}}));
    QCOMPARE(r.ranks, (std::vector<int>{0, 1, 2}));
    QCOMPARE(r.centres[1], QPointF(50, 90)); // 20 + 40 + a gap of 30
    QCOMPARE(r.routes[0].strokes, (std::vector<LayoutResult::Line>{{QPointF(50, 40), QPointF(50, 70)}}));
}

void TestLayeredLayout::diamondIsSymmetric()
{
    const LayoutResult r = layeredLayout(problemOf(4, {{0, {1, 2}}, {1, {3}}, {2, {3}}}));
    QCOMPARE(r.centres[0].x(), r.centres[3].x());
    QCOMPARE(r.centres[0].x() - r.centres[1].x(), r.centres[2].x() - r.centres[0].x());
    QVERIFY(r.centres[1].x() < r.centres[2].x());
}

void TestLayeredLayout::mainPathOfAResidualStaysStraight()
{
    // 0 → 1 → 2 → 3 → 4 with a shortcut 0 → 3
    const LayoutResult r = layeredLayout(problemOf(5, {{0, {1, 3}}, {1, {2}}, {2, {3}}, {3, {4}}}));
    for (std::size_t box = 1; box < 5; ++box)
        QCOMPARE(r.centres[box].x(), r.centres[0].x());
    const LayoutResult::Line &shortcut = r.routes[0].branches[1];
    QVERIFY(shortcut[2].x() > r.centres[1].x() + 50); // passes to the right of the boxes
}

void TestLayeredLayout::trunkIsSharedByItsConsumers()
{
    // One tensor read three ranks and four ranks further down: one line down to there.
    const LayoutResult r = layeredLayout(problemOf(5, {{0, {1, 3, 4}}, {1, {2}}, {2, {3}}, {3, {4}}}));
    const auto &route = r.routes[0];
    QCOMPARE(route.branches.size(), std::size_t(3));
    const LayoutResult::Line &toThree = route.branches[1], &toFour = route.branches[2];
    for (std::size_t i = 0; i < 3; ++i)
        QCOMPARE(toThree[i], toFour[i]);
    double drawn = 0, branches = 0;
    const auto length = [](const LayoutResult::Line &line) {
        double sum = 0;
        for (std::size_t i = 1; i < line.size(); ++i)
            sum += QLineF(line[i - 1], line[i]).length();
        return sum;
    };
    for (const auto &line : route.strokes)
        drawn += length(line);
    for (const auto &line : route.branches)
        branches += length(line);
    QVERIFY(drawn < branches - 100); // what is shared is drawn once
}

void TestLayeredLayout::crossedOrderIsUncrossed()
{
    // 0 → 5, 1 → 4, 2 → 3 in the order of their numbers would cross three times.
    const LayoutResult r = layeredLayout(problemOf(6, {{0, {5}}, {1, {4}}, {2, {3}}}));
    for (std::size_t top = 0; top < 3; ++top)
        QCOMPARE(r.centres[top].x(), r.centres[5 - top].x());
}

void TestLayeredLayout::sweepsUncrossWhatDepthFirstLeaves()
{
    // Depth first puts 3 left of 4; 2 → 3 then crosses 1 → 4 until 1 and 2 have changed places.
    const LayoutResult r = layeredLayout(problemOf(5, {{0, {3}}, {1, {4}}, {2, {3}}}));
    const bool leftOfOne = r.centres[2].x() < r.centres[1].x(), threeLeftOfFour = r.centres[3].x() < r.centres[4].x();
    QCOMPARE(leftOfOne, threeLeftOfFour);
}

void TestLayeredLayout::ranksRiseAlongEveryTrunk()
{
    const LayoutProblem p = randomProblem(400, 3);
    const LayoutResult r = layeredLayout(p);
    for (const LayoutProblem::Trunk &trunk : p.trunks)
        for (const int consumer : trunk.consumers) {
            QVERIFY(r.ranks[std::size_t(consumer)] > r.ranks[std::size_t(trunk.source)]);
            QVERIFY(r.centres[std::size_t(consumer)].y() > r.centres[std::size_t(trunk.source)].y());
        }
}

void TestLayeredLayout::boxesNeverOverlapAndLinesAvoidThem()
{
    for (unsigned seed = 1; seed <= 5; ++seed) {
        const LayoutProblem p = randomProblem(150, seed);
        const LayoutResult r = layeredLayout(p);
        for (std::size_t a = 0; a < p.boxes.size(); ++a) {
            QVERIFY(r.bounds.contains(rectOf(p, r, a)));
            for (std::size_t b = a + 1; b < p.boxes.size(); ++b)
                QVERIFY(!rectOf(p, r, a).intersects(rectOf(p, r, b)));
            for (std::size_t t = 0; t < p.trunks.size(); ++t)
                for (const auto &line : r.routes[t].strokes)
                    for (std::size_t i = 1; i < line.size(); ++i) {
                        const QRectF segment = QRectF(line[i - 1], line[i]).normalized().adjusted(-0.5, -0.5, 0.5, 0.5);
                        QVERIFY2(!segment.intersects(rectOf(p, r, a).adjusted(1, 1, -1, -1)), qPrintable(QString::number(seed)));
                    }
        }
        for (std::size_t t = 0; t < p.trunks.size(); ++t)
            for (std::size_t c = 0; c < p.trunks[t].consumers.size(); ++c) {
                const LayoutResult::Line &line = r.routes[t].branches[c];
                QCOMPARE(line.front().y(), rectOf(p, r, std::size_t(p.trunks[t].source)).bottom());
                QCOMPARE(line.back().y(), rectOf(p, r, std::size_t(p.trunks[t].consumers[c])).top());
                for (std::size_t i = 1; i < line.size(); ++i) // along the axes
                    QVERIFY(line[i - 1].x() == line[i].x() || line[i - 1].y() == line[i].y());
            }
    }
}

void TestLayeredLayout::sameProblemSameDrawing()
{
    const LayoutProblem p = randomProblem(300, 11);
    const LayoutResult first = layeredLayout(p), second = layeredLayout(p);
    QCOMPARE(first.centres, second.centres);
    for (std::size_t t = 0; t < p.trunks.size(); ++t)
        QCOMPARE(first.routes[t].strokes, second.routes[t].strokes);
}

void TestLayeredLayout::wrapsIntoColumns()
{
    std::vector<std::pair<int, std::vector<int>>> trunks;
    for (int i = 0; i + 1 < 60; ++i)
        trunks.push_back({i, {i + 1}});
    LayoutProblem p = problemOf(60, trunks);
    p.wrapAspect = 1.6;
    const LayoutResult r = layeredLayout(p);
    QVERIFY(r.columnCount > 3);
    QVERIFY(r.bounds.width() > r.bounds.height());
    QVERIFY(r.bounds.width() < 3 * r.bounds.height());
    for (std::size_t box = 1; box < 60; ++box) {
        QVERIFY(r.columns[box] == r.columns[box - 1] || r.columns[box] == r.columns[box - 1] + 1);
        if (r.columns[box] != r.columns[box - 1])
            QVERIFY(r.centres[box].x() > r.centres[box - 1].x() + 100);
        QCOMPARE(r.routes[box - 1].branches[0].front().x(), r.centres[box - 1].x());
        QCOMPARE(r.routes[box - 1].branches[0].back().x(), r.centres[box].x());
    }
}

void TestLayeredLayout::survivesACycle()
{
    const LayoutResult r = layeredLayout(problemOf(3, {{0, {1}}, {1, {2}}, {2, {0}}}));
    QCOMPARE(r.centres.size(), std::size_t(3));
    for (const auto &route : r.routes)
        QCOMPARE(route.branches.size(), std::size_t(1));
}

void TestLayeredLayout::stopsWhenAsked()
{
    std::stop_source stop;
    stop.request_stop();
    QVERIFY_THROWS_EXCEPTION(core::Cancelled, layeredLayout(randomProblem(50, 1), stop.get_token()));
}

void TestLayeredLayout::fiveThousandBoxes()
{
    const LayoutProblem p = randomProblem(5000, 7);
    const LayoutResult r = layeredLayout(p);
    std::map<int, std::vector<std::size_t>> byRank;
    for (std::size_t box = 0; box < p.boxes.size(); ++box)
        byRank[r.ranks[box]].push_back(box);
    for (auto &[rank, boxes] : byRank) {
        std::sort(boxes.begin(), boxes.end(), [&](std::size_t a, std::size_t b) { return r.centres[a].x() < r.centres[b].x(); });
        for (std::size_t i = 1; i < boxes.size(); ++i)
            QVERIFY(r.centres[boxes[i]].x() - r.centres[boxes[i - 1]].x() >= 100);
    }
}

void TestLayeredLayout::tanglesStayNarrow()
{
    const LayoutProblem p = randomProblem(3000, 3, 900);
    const LayoutResult r = layeredLayout(p);
    QVERIFY2(r.bounds.width() < 10'000, qPrintable(QString::number(r.bounds.width())));
    std::map<int, std::vector<std::size_t>> byRank;
    for (std::size_t box = 0; box < p.boxes.size(); ++box)
        byRank[r.ranks[box]].push_back(box);
    for (const auto &[rank, boxes] : byRank)
        for (std::size_t i = 0; i < boxes.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                QVERIFY(!rectOf(p, r, boxes[i]).intersects(rectOf(p, r, boxes[j])));
}

QTEST_GUILESS_MAIN(TestLayeredLayout)
#include "tst_layered_layout.moc"
