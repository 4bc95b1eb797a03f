#include "core/stats/quant_dtype.h"

#include <QtTest/QtTest>

using namespace core;

class TestQuantDtype : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void table_data()
    {
        QTest::addColumn<QString>("badge");
        QTest::addColumn<bool>("integer");
        QTest::addColumn<qlonglong>("min");
        QTest::addColumn<qlonglong>("max");
        QTest::addColumn<int>("bits");
        QTest::addColumn<QString>("stored");
        const auto row = [](const char *name, const char *badge, bool integer, qlonglong min, qlonglong max, int bits, const char *stored) {
            QTest::newRow(name) << badge << integer << min << max << bits << stored;
        };
        row("int2", "i2", true, -2, 1, 2, "int4");
        row("int3", "i3", true, -4, 3, 3, "int4");
        row("int4", "i4", true, -8, 7, 4, "int4");
        row("uint4", "u4", true, 0, 15, 4, "uint4");
        row("int8", "i8", true, -128, 127, 8, "int8");
        row("uint8", "u8", true, 0, 255, 8, "uint8");
        row("int16", "i16", true, -32768, 32767, 16, "int16");
        row("uint16", "u16", true, 0, 65535, 16, "uint16");
        row("int32", "i32", true, -2147483648LL, 2147483647LL, 32, "int32");
        row("float16", "f16", false, 0, 0, 16, "float16");
        row("bfloat16", "bf16", false, 0, 0, 16, "bfloat16");
        row("fp8_e4m3", "f8e4", false, 0, 0, 8, "float8e4m3fn");
        row("fp8_e5m2", "f8e5", false, 0, 0, 8, "float8e5m2");
        row("float32", "f32", false, 0, 0, 32, "float32");
    }
    void table()
    {
        QFETCH(QString, badge);
        QFETCH(bool, integer);
        QFETCH(qlonglong, min);
        QFETCH(qlonglong, max);
        QFETCH(int, bits);
        QFETCH(QString, stored);
        const std::optional<QuantDtype> dtype = quantDtypeFromName(QTest::currentDataTag());
        QVERIFY(dtype);
        QCOMPARE(quantDtypeName(*dtype), std::string_view(QTest::currentDataTag()));
        QCOMPARE(QString::fromStdString(std::string(quantDtypeBadge(*dtype))), badge);
        QCOMPARE(isIntegerDtype(*dtype), integer);
        QCOMPARE(isSignedDtype(*dtype), min < 0);
        QCOMPARE(dtypeBits(*dtype), bits);
        QCOMPARE(codeRange(*dtype).min, std::int64_t(min));
        QCOMPARE(codeRange(*dtype).max, std::int64_t(max));
        QCOMPARE(codeRange(*dtype, true).min, std::int64_t(min < 0 ? min + 1 : min));
        QCOMPARE(codeRange(*dtype, true).max, std::int64_t(max));
        QCOMPARE(QString::fromStdString(dataTypeName(storageType(*dtype))), stored);
    }
    void unknownName() { QVERIFY(!quantDtypeFromName("int7") && !quantDtypeFromName("")); }
};

QTEST_APPLESS_MAIN(TestQuantDtype)
#include "tst_quant_dtype.moc"
