#include "core/spec/spec_fields.h"

#include <span>
#include <utility>

namespace core {

namespace {

template <class E> using Table = std::span<const std::pair<E, std::string_view>>;

constexpr std::pair<QuantDtype, std::string_view> dtypes[] = {
    {QuantDtype::Int2, "int2"}, {QuantDtype::Int3, "int3"}, {QuantDtype::Int4, "int4"}, {QuantDtype::UInt4, "uint4"},
    {QuantDtype::Int8, "int8"}, {QuantDtype::UInt8, "uint8"}, {QuantDtype::Int16, "int16"}, {QuantDtype::UInt16, "uint16"},
    {QuantDtype::Int32, "int32"}, {QuantDtype::Float16, "float16"}, {QuantDtype::BFloat16, "bfloat16"},
    {QuantDtype::Fp8E4M3, "fp8_e4m3"}, {QuantDtype::Fp8E5M2, "fp8_e5m2"}, {QuantDtype::Float32, "float32"}};
constexpr std::pair<Granularity, std::string_view> granularities[] = {
    {Granularity::PerTensor, "per_tensor"}, {Granularity::PerChannel, "per_channel"}, {Granularity::PerGroup, "per_group"}};
constexpr std::pair<ObserverKind, std::string_view> observers[] = {
    {ObserverKind::MinMax, "min_max"}, {ObserverKind::MovingAverageMinMax, "moving_average_min_max"},
    {ObserverKind::HistogramMse, "histogram_mse"}, {ObserverKind::Percentile, "percentile"}, {ObserverKind::Entropy, "entropy"},
    {ObserverKind::Pof2MinMax, "pof2_min_max"}, {ObserverKind::Pof2Mse, "pof2_mse"}, {ObserverKind::Fixed, "fixed"}};
constexpr std::pair<ScaleType, std::string_view> scaleTypes[] = {{ScaleType::Float, "float"}, {ScaleType::PowerOfTwo, "pof2"}};
constexpr std::pair<PowerOfTwoRounding, std::string_view> roundings[] = {
    {PowerOfTwoRounding::Nearest, "nearest"}, {PowerOfTwoRounding::Ceil, "ceil"}, {PowerOfTwoRounding::Mse, "mse"}};
constexpr std::pair<RoundMethod, std::string_view> roundMethods[] = {
    {RoundMethod::HalfEven, "half_even"}, {RoundMethod::HalfAwayFromZero, "round"}, {RoundMethod::Floor, "floor"}};
constexpr std::pair<QatMethod, std::string_view> qatMethods[] = {{QatMethod::Ste, "ste"}, {QatMethod::Lsq, "lsq"}, {QatMethod::Tqt, "tqt"}};

template <class E> constexpr Table<E> table();
template <> constexpr Table<QuantDtype> table() { return dtypes; }
template <> constexpr Table<Granularity> table() { return granularities; }
template <> constexpr Table<ObserverKind> table() { return observers; }
template <> constexpr Table<ScaleType> table() { return scaleTypes; }
template <> constexpr Table<PowerOfTwoRounding> table() { return roundings; }
template <> constexpr Table<RoundMethod> table() { return roundMethods; }
template <> constexpr Table<QatMethod> table() { return qatMethods; }

template <class E> std::string_view nameIn(E value)
{
    for (const auto &[candidate, name] : table<E>())
        if (candidate == value)
            return name;
    return "?";
}

} // namespace

std::string_view enumName(QuantDtype value) { return nameIn(value); }
std::string_view enumName(Granularity value) { return nameIn(value); }
std::string_view enumName(ObserverKind value) { return nameIn(value); }
std::string_view enumName(ScaleType value) { return nameIn(value); }
std::string_view enumName(PowerOfTwoRounding value) { return nameIn(value); }
std::string_view enumName(RoundMethod value) { return nameIn(value); }
std::string_view enumName(QatMethod value) { return nameIn(value); }

template <class E> std::optional<E> enumFromName(std::string_view name)
{
    for (const auto &[candidate, written] : table<E>())
        if (written == name)
            return candidate;
    return {};
}

template <class E> std::vector<std::string> enumNames()
{
    std::vector<std::string> names;
    for (const auto &entry : table<E>())
        names.emplace_back(entry.second);
    return names;
}

#define INSTANTIATE(E) \
    template std::optional<E> enumFromName<E>(std::string_view); \
    template std::vector<std::string> enumNames<E>();
INSTANTIATE(QuantDtype)
INSTANTIATE(Granularity)
INSTANTIATE(ObserverKind)
INSTANTIATE(ScaleType)
INSTANTIATE(PowerOfTwoRounding)
INSTANTIATE(RoundMethod)
INSTANTIATE(QatMethod)
#undef INSTANTIATE

} // namespace core
