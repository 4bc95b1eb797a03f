#include "widgets/shared/layer_facts.h"

using namespace widgets;

class TestLayerFacts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void goodnessRunsFromWorstToBest();
    void clippingIsBetterWhenLower();
    void unknownStaysUnknown();
    void textOfAMetric();
    void textColourHasContrast();
    void worstEndStandsOutFromTheCanvas();
};

static LayerTable tableOf(std::vector<double> sqnr)
{
    LayerTable table(sqnr.size());
    for (std::size_t i = 0; i < sqnr.size(); ++i) {
        table[i].activationSqnr = sqnr[i];
        table[i].clipped = sqnr[i] / 100;
    }
    return table;
}

void TestLayerFacts::goodnessRunsFromWorstToBest()
{
    const Goodness g = goodnessOf(tableOf({30, 10, 20}), Overlay::ActivationSqnr);
    QCOMPARE(g.values[0], 1.0);
    QCOMPARE(g.values[1], 0.0);
    QCOMPARE(g.values[2], 0.5);
    QCOMPARE(g.worstTenth, (std::vector<bool>{false, true, false}));
    QCOMPARE(g.least, 10.0);
    QCOMPARE(g.most, 30.0);
}

void TestLayerFacts::clippingIsBetterWhenLower()
{
    const Goodness g = goodnessOf(tableOf({30, 10, 20}), Overlay::Clipping);
    QCOMPARE(g.values[1], 1.0);
    QCOMPARE(g.worstTenth, (std::vector<bool>{true, false, false}));
}

void TestLayerFacts::unknownStaysUnknown()
{
    const Goodness g = goodnessOf(tableOf({unknown, 10, std::numeric_limits<double>::infinity()}), Overlay::ActivationSqnr);
    QVERIFY(std::isnan(g.values[0]));
    QCOMPARE(g.values[2], 1.0);
    QVERIFY(!g.worstTenth[1]); // one value has no worst
    QVERIFY(std::isnan(goodnessOf(tableOf({1}), Overlay::Operator).values[0]));
}

void TestLayerFacts::textOfAMetric()
{
    LayerFacts facts;
    facts.activationSqnr = 17.94;
    facts.macs = 12.4e6;
    facts.clipped = 0.0312;
    QCOMPARE(overlayText(facts, Overlay::ActivationSqnr), QString("17.9 dB"));
    QCOMPARE(overlayText(facts, Overlay::Size), QString("12.40 M"));
    QCOMPARE(overlayText(facts, Overlay::Clipping), QString("3.1 %"));
    QCOMPARE(overlayText(facts, Overlay::WeightSqnr), QString("–"));
}

void TestLayerFacts::textColourHasContrast()
{
    const Theme theme = Theme::light();
    QCOMPARE(theme.textOn(theme.fill(DtypeClass::Int8PerChannel)), QColor(Qt::white));
    QCOMPARE(theme.textOn(theme.fill(DtypeClass::Int8PerTensor)), QColor(Qt::black));
    QCOMPARE(theme.textOn(theme.fill(DtypeClass::Int16)), QColor(Qt::black));
}

void TestLayerFacts::worstEndStandsOutFromTheCanvas()
{
    for (const Theme &theme : {Theme::light(), Theme::dark()}) {
        const auto away = [&](double goodness) { return std::abs(theme.metric(goodness).lightness() - theme.canvas.lightness()); };
        QVERIFY(away(0) > away(1));
    }
}

QTEST_GUILESS_MAIN(TestLayerFacts)
#include "tst_layer_facts.moc"
