#include "core/spec/resolver.h"
#include "core/spec/spec_fields.h"

#include <QtTest/QtTest>

using namespace core;

class TestQuantizationSpec : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void defaultsOfEachRole()
    {
        const Scheme in = finishScheme({}, TensorRole::Input), weight = finishScheme({}, TensorRole::Weight), bias = finishScheme({}, TensorRole::Bias);
        for (const Scheme &s : {in, weight}) {
            QVERIFY(s.dtype == QuantDtype::Int8 && s.granularity == Granularity::PerTensor && s.symmetric && s.observer == ObserverKind::MinMax);
            QVERIFY(s.percentile == 99.99 && s.scaleType == ScaleType::Float && s.pof2Rounding == PowerOfTwoRounding::Ceil);
            QVERIFY(s.roundMethod == RoundMethod::HalfEven && !s.dynamic && s.qat == QatMethod::Ste && !s.bestObserver);
        }
        QVERIFY(!in.narrow && weight.narrow);
        QVERIFY(bias.dtype == QuantDtype::Int32 && !bias.narrow);
    }

    void badges_data()
    {
        QTest::addColumn<int>("dtype");
        QTest::addColumn<QString>("tensor");
        QTest::addColumn<QString>("channel");
        const auto row = [](QuantDtype dtype, const char *tensor, const char *channel) { QTest::newRow(tensor) << int(dtype) << tensor << channel; };
        row(QuantDtype::Int4, "i4", "i4c");
        row(QuantDtype::UInt8, "u8", "u8c");
        row(QuantDtype::Int32, "i32", "i32c");
        row(QuantDtype::Float16, "f16", "f16");
        row(QuantDtype::Float32, "f32", "f32");
    }
    void badges()
    {
        QFETCH(int, dtype);
        Scheme scheme;
        scheme.dtype = QuantDtype(dtype);
        QTEST(QString::fromStdString(scheme.badge()), "tensor");
        scheme.granularity = Granularity::PerChannel;
        QTEST(QString::fromStdString(scheme.badge()), "channel");
        scheme.dtype = QuantDtype::Int4;
        scheme.granularity = Granularity::PerGroup;
        QCOMPARE(scheme.badge(), std::string("i4g"));
    }

    void overlayReplacesFieldByField()
    {
        QuantizationSpec under, over;
        under.dtype = QuantDtype::Int16;
        under.percentile = 99;
        over.dtype = QuantDtype::UInt8;
        over.narrowRange = true;
        under.overlay(over);
        QVERIFY(under.dtype == QuantDtype::UInt8 && under.percentile == 99.0 && under.narrowRange == true);
        QVERIFY(QuantizationSpec{}.empty() && !under.empty());
    }

    void everyFieldIsListed()
    {
        int fields = 0;
        QuantizationSpec spec;
        forEachField(spec, [&](const char *, auto &field) {
            using T = typename std::decay_t<decltype(field)>::value_type;
            field = T{};
            ++fields;
        });
        QCOMPARE(fields, 15); // QUANTIZATION.md has 13; "best" and the fixed range are fields of their own
        QuantizationSpec copy;
        copy.overlay(spec);
        QVERIFY(copy.dtype && copy.qscheme && copy.chAxis && copy.groupSize && copy.symmetric && copy.percentile && copy.fixedRange && copy.scaleType
                && copy.pof2Rounding && copy.narrowRange && copy.roundMethod && copy.isDynamic && copy.qat);
    }

    void namesGoThereAndBack()
    {
        const auto check = [](auto value) {
            using E = decltype(value);
            for (const std::string &name : enumNames<E>())
                QCOMPARE(std::string(enumName(*enumFromName<E>(name))), name);
            QVERIFY(!enumFromName<E>("nonsense") && !enumFromName<E>(""));
        };
        check(QuantDtype{});
        check(Granularity{});
        check(ObserverKind{});
        check(ScaleType{});
        check(PowerOfTwoRounding{});
        check(RoundMethod{});
        check(QatMethod{});
        QCOMPARE(enumNames<QuantDtype>().size(), std::size_t(14));
        QCOMPARE(enumNames<ObserverKind>().size(), std::size_t(8));
        for (const std::string &name : enumNames<QuantDtype>())
            QCOMPARE(std::string(quantDtypeName(*enumFromName<QuantDtype>(name))), name); // the same words in core/stats
    }

    void optionsForTheObserver()
    {
        QuantizationSpec spec;
        spec.observer = ObserverKind::Pof2Mse;
        spec.dtype = QuantDtype::Int16;
        spec.pof2Rounding = PowerOfTwoRounding::Ceil; // the observer decides
        Scheme scheme = finishScheme(spec, TensorRole::Weight);
        scheme.reduced = true;
        const ObserverOptions options = scheme.observerOptions();
        QVERIFY(options.kind == ObserverKind::Pof2Mse && options.affine.dtype == QuantDtype::Int16 && options.affine.narrow && options.affine.reduced);
        QVERIFY(options.affine.scaleType == ScaleType::PowerOfTwo && options.affine.rounding == PowerOfTwoRounding::Mse);
    }

    void sevenBits()
    {
        AffineOptions options;
        options.reduced = true;
        AffineParams params = affineFromRange({-6.3, 1}, options); // −64…63: 6.3 / 63.5
        QVERIFY(params.qmin == -64 && params.qmax == 63 && qFuzzyCompare(params.scale, float(6.3 / 63.5)));
        options.narrow = true;
        params = affineFromRange({-6.3, 1}, options);
        QVERIFY(params.qmin == -63 && params.qmax == 63 && qFuzzyCompare(params.scale, 0.1f));
        options = {};
        options.dtype = QuantDtype::UInt8;
        options.symmetric = false;
        options.reduced = true;
        params = affineFromRange({0, 12.7}, options);
        QVERIFY(params.qmin == 0 && params.qmax == 127 && params.zeroPoint == 0 && qFuzzyCompare(params.scale, 0.1f));
        options.dtype = QuantDtype::UInt16;
        QCOMPARE(affineFromRange({0, 1}, options).qmax, 65535);
    }
};

QTEST_APPLESS_MAIN(TestQuantizationSpec)
#include "tst_quantization_spec.moc"
