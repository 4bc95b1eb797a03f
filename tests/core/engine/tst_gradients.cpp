// Every operator with a derivative, through the Executor, against finite differences (tests/support/gradient_check.h).
#include "core/exec/differentiable.h"
#include "tests/support/gradient_cases_elements.h"
#include "tests/support/gradient_cases_layers.h"
#include "tests/support/gradient_cases_places.h"

#include <set>

using namespace tests;

namespace {

std::vector<GradientCase> allCases()
{
    std::vector<GradientCase> all;
    for (const auto &family : {convolutionCases(), productCases(), normalizationCases(), recurrentCases(), activationCases(), elementwiseCases(), reductionCases(), poolCases(),
                               resampleCases(), shapeCases(), indexCases()})
        all.insert(all.end(), family.begin(), family.end());
    return all;
}

} // namespace

class TestGradients : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void againstFiniteDifferences_data()
    {
        QTest::addColumn<int>("index");
        const auto cases = allCases();
        for (std::size_t i = 0; i < cases.size(); ++i)
            QTest::addRow("%s: %s", cases[i].type.c_str(), cases[i].name.c_str()) << int(i);
    }

    void againstFiniteDifferences()
    {
        QFETCH(int, index);
        static const auto cases = allCases();
        std::string problem;
        try {
            problem = GradientCheck(cases[std::size_t(index)]).problem();
        } catch (const std::exception &error) {
            problem = error.what();
        }
        QVERIFY2(problem.empty(), problem.c_str());
    }

    // A new operator needs a case above, or a place in the list of core::hasGradient.
    void noOperatorIsForgotten()
    {
        std::set<std::string> checked;
        for (const GradientCase &one : allCases())
            checked.insert(one.type);
        std::string forgotten;
        for (const std::string &name : core::OpRegistry::instance().supportedOps()) {
            const std::string type = name.substr(name.rfind('.') + 1);
            if (!checked.contains(type) && core::hasGradient(type))
                forgotten += " " + name;
            QVERIFY2(!checked.contains(type) || core::hasGradient(type), type.c_str());
        }
        QCOMPARE(forgotten, std::string());
    }
};

QTEST_APPLESS_MAIN(TestGradients)
#include "tst_gradients.moc"
