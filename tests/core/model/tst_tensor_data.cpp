// Expected codes of the small float formats come from NumPy (float16) and ml_dtypes 0.5 (the others).
#include "core/graph/tensor_data.h"

#include "core/base/error.h"

#include <QtTest/QtTest>

#include <cmath>
#include <limits>
#include <span>

using namespace core;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<std::byte> bytesOf(std::initializer_list<int> values)
{
    std::vector<std::byte> bytes;
    for (const int value : values)
        bytes.push_back(std::byte(value));
    return bytes;
}

template <class Work>
std::string sentenceOf(Work work)
{
    try {
        work();
    } catch (const Error &error) {
        return error.sentence();
    }
    return "no error";
}

/// Sum of code · value over all 256 codes that are finite.
double weightedSum(DataType type)
{
    double sum = 0;
    for (int code = 0; code < 256; ++code) {
        const float value = float8ToFloat(std::uint8_t(code), type);
        if (std::isfinite(value))
            sum += double(code) * double(value);
    }
    return sum;
}

} // namespace

class TestTensorData : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void halfFromFloat()
    {
        const std::pair<float, int> cases[] = {{0.0f, 0}, {-0.0f, 0x8000}, {1, 0x3C00}, {-2, 0xC000}, {65504, 0x7BFF}, {65519, 0x7BFF}, {65520, 0x7C00},
            {1e6f, 0x7C00}, {5.9604645e-8f, 1}, {2.9802322e-8f, 0}, {2.9802326e-8f, 1}, {6.1035156e-5f, 0x400}, {6.0975552e-5f, 0x3FF}, {0.1f, 0x2E66},
            {1.0f / 3, 0x3555}, {1.00048828125f, 0x3C00}, {1.00146484375f, 0x3C02}, {infinity, 0x7C00}, {-infinity, 0xFC00}};
        for (const auto &[value, code] : cases)
            QCOMPARE(int(floatToHalf(value)), code);
        QCOMPARE(int(floatToHalf(std::nanf(""))) & 0x7C00, 0x7C00);
        QVERIFY((floatToHalf(std::nanf("")) & 0x3FF) != 0);
    }

    void halfToFloatAndBack()
    {
        QCOMPARE(halfToFloat(1), 5.9604645e-8f);
        QCOMPARE(halfToFloat(0x3FF), 6.0975552e-5f);
        QCOMPARE(halfToFloat(0x3555), 0.33325195f);
        QCOMPARE(halfToFloat(0xC2AB), -3.333984375f);
        QCOMPARE(halfToFloat(0xFC00), -infinity);
        QVERIFY(std::isnan(halfToFloat(0x7E00)));
        for (int code = 0; code < 0x10000; ++code) {
            if ((code & 0x7FFF) <= 0x7C00)
                QCOMPARE(int(floatToHalf(halfToFloat(std::uint16_t(code)))), code);
        }
    }

    void bfloat16()
    {
        const std::pair<float, int> cases[] = {{1, 0x3F80}, {1.00390625f, 0x3F80}, {1.01171875f, 0x3F82}, {3.3895314e38f, 0x7F7F}, {3.4e38f, 0x7F80},
            {1e-40f, 1}, {-0.3f, 0xBE9A}, {0.001f, 0x3A83}, {-1e6f, 0xC974}};
        for (const auto &[value, code] : cases)
            QCOMPARE(int(floatToBfloat16(value)), code);
        QVERIFY(std::isnan(bfloat16ToFloat(floatToBfloat16(std::nanf("")))));
        QCOMPARE(bfloat16ToFloat(0xBE9A), -0.30078125f);
    }

    void float8AllCodes()
    {
        QCOMPARE(weightedSum(DataType::Float8E4M3FN), -692208.0);
        QCOMPARE(weightedSum(DataType::Float8E4M3FNUZ), -376824.0);
        QCOMPARE(weightedSum(DataType::Float8E5M2), -46137343.96875);
        QCOMPARE(weightedSum(DataType::Float8E5M2FNUZ), -46137343.984375);
        QCOMPARE(float8ToFloat(0x7C, DataType::Float8E5M2), infinity);
        QVERIFY(std::isnan(float8ToFloat(0x7F, DataType::Float8E4M3FN)));
        QVERIFY(std::isnan(float8ToFloat(0x80, DataType::Float8E4M3FNUZ)));
        for (const DataType type : {DataType::Float8E4M3FN, DataType::Float8E4M3FNUZ, DataType::Float8E5M2, DataType::Float8E5M2FNUZ}) {
            for (int code = 0; code < 256; ++code) {
                const float value = float8ToFloat(std::uint8_t(code), type);
                if (std::isfinite(value))
                    QCOMPARE(int(floatToFloat8(value, type)), code);
            }
        }
    }

    /// Above the largest value the codes saturate, as ONNX asks; below it they are ml_dtypes's.
    void float8Rounding()
    {
        struct Row { float value; int e4m3fn, e4m3fnuz, e5m2, e5m2fnuz; };
        const Row rows[] = {{0, 0, 0, 0, 0}, {-0.0f, 0x80, 0, 0x80, 0}, {1, 0x38, 0x40, 0x3C, 0x40}, {1.0625f, 0x38, 0x40, 0x3C, 0x40},
            {1.1875f, 0x3A, 0x42, 0x3D, 0x41}, {-3.3f, 0xC5, 0xCD, 0xC3, 0xC7}, {0.001f, 0x01, 0x01, 0x14, 0x18}, {0.0009765625f, 0, 0x01, 0x14, 0x18},
            {0.017578125f, 0x09, 0x11, 0x24, 0x28}, {200, 0x74, 0x7C, 0x5A, 0x5E}, {448, 0x7E, 0x7F, 0x5F, 0x63}, {464, 0x7E, 0x7F, 0x5F, 0x63},
            {1e6f, 0x7E, 0x7F, 0x7B, 0x7F}, {-1e6f, 0xFE, 0xFF, 0xFB, 0xFF}, {1e-9f, 0, 0, 0, 0}, {57344, 0x7E, 0x7F, 0x7B, 0x7F}};
        for (const Row &row : rows) {
            QCOMPARE(int(floatToFloat8(row.value, DataType::Float8E4M3FN)), row.e4m3fn);
            QCOMPARE(int(floatToFloat8(row.value, DataType::Float8E4M3FNUZ)), row.e4m3fnuz);
            QCOMPARE(int(floatToFloat8(row.value, DataType::Float8E5M2)), row.e5m2);
            QCOMPARE(int(floatToFloat8(row.value, DataType::Float8E5M2FNUZ)), row.e5m2fnuz);
        }
    }

    void packedIntegers()
    {
        const std::vector<std::int64_t> values{1, -2, 7, -8, 0};
        const TensorData int4 = TensorData::fromIntegers(DataType::Int4, {5}, values);
        QVERIFY(*int4.bytes == bytesOf({0xE1, 0x87, 0x00}));
        QVERIFY(int4.toInt64s() == values);
        const TensorData uint4 = TensorData::fromBytes(DataType::UInt4, {3}, bytesOf({0x21, 0x0F}));
        QVERIFY(uint4.toInt64s() == (std::vector<std::int64_t>{1, 2, 15}));
        const TensorData int2 = TensorData::fromIntegers(DataType::Int2, {5}, std::vector<std::int64_t>{0, 1, -2, -1, 1});
        QVERIFY(*int2.bytes == bytesOf({0xE4, 0x01}));
        QVERIFY(int2.toFloats() == (std::vector<float>{0, 1, -2, -1, 1}));
        const TensorData float4 = TensorData::fromBytes(DataType::Float4E2M1, {4}, bytesOf({0x71, 0x9F}));
        QVERIFY(float4.toFloats() == (std::vector<float>{0.5f, 6, -6, -0.5f}));
    }

    void valuesThatDoNotFit()
    {
        QCOMPARE(sentenceOf([] { TensorData::fromIntegers(DataType::Int8, {1}, std::vector<std::int64_t>{128}); }),
                 std::string("Value 128 at index 0 does not fit into int8 (-128 to 127)."));
        QVERIFY(sentenceOf([] { TensorData::fromFloats({3}, std::vector<float>{1}); }).find("3 elements") != std::string::npos);
        QVERIFY(sentenceOf([] { TensorData::fromBytes(DataType::Float32, {2}, bytesOf({1})); }).find("8 bytes, 1 were given") != std::string::npos);
        QVERIFY(sentenceOf([] { elementCount(std::vector<std::int64_t>{2, -1}); }).find("-1") != std::string::npos);
        QVERIFY(sentenceOf([] { elementCount(std::vector<std::int64_t>{1 << 30, 1 << 30}); }).find("2^48") != std::string::npos);
        TensorData text;
        text.type = DataType::String;
        text.strings = std::make_shared<const std::vector<std::string>>();
        QVERIFY(sentenceOf([&] { text.toFloats(); }) != "no error");
    }

    void countsAndSizes()
    {
        QCOMPARE(elementCount({}), std::int64_t(1));
        QCOMPARE(elementCount(std::vector<std::int64_t>{1LL << 40, 0, 1LL << 40}), std::int64_t(0));
        QCOMPARE(byteSize(DataType::Int4, 5), std::int64_t(3));
        QCOMPARE(byteSize(DataType::Complex128, 2), std::int64_t(32));
        QCOMPARE(byteSize(DataType::String, 2), std::int64_t(0));
    }

    void conversions()
    {
        const TensorData doubles = TensorData::fromBytes(DataType::Float64, {1}, std::vector<std::byte>(8, std::byte(0)));
        QVERIFY(doubles.toInt64s() == std::vector<std::int64_t>{0});
        const TensorData extremes = TensorData::fromFloats({4}, std::vector<float>{1e30f, -1e30f, std::nanf(""), -1.9f});
        QVERIFY(extremes.toInt64s()
                == (std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), 0, -1}));
        QVERIFY(TensorData::fromIntegers(DataType::UInt16, {2}, std::vector<std::int64_t>{65535, 1}).toDoubles() == (std::vector<double>{65535, 1}));
        QVERIFY(TensorData::fromFloats({0, 3}, {}).toFloats().empty());
        TensorData hollow;
        hollow.type = DataType::Float32;
        hollow.dims = {2};
        QVERIFY(sentenceOf([&] { hollow.toFloats(); }).find("needs 8 bytes and has 0") != std::string::npos);
    }

    void equality()
    {
        const TensorData a = TensorData::fromFloats({2}, std::vector<float>{1, 2}), b = TensorData::fromFloats({2}, std::vector<float>{1, 2});
        QVERIFY(a.sameAs(b));
        QVERIFY(!a.sameAs(TensorData::fromFloats({1, 2}, std::vector<float>{1, 2})));
        QVERIFY(!a.sameAs(TensorData::fromFloats({2}, std::vector<float>{1, 3})));
        QVERIFY(!a.sameAs(TensorData::fromInt32s({2}, std::vector<std::int32_t>{1, 2})));
    }

    void names()
    {
        QCOMPARE(dataTypeName(DataType::Int4), std::string("int4"));
        QCOMPARE(dataTypeName(DataType(99)), std::string("type 99"));
        QCOMPARE(bitsPerElement(DataType(99)), 0);
        QVERIFY(isFloatingPoint(DataType::Float8E5M2) && !isFloatingPoint(DataType::Complex64));
        QVERIFY(isInteger(DataType::UInt4) && !isInteger(DataType::Bool));
    }
};

QTEST_APPLESS_MAIN(TestTensorData)
#include "tst_tensor_data.moc"
