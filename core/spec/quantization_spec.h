// What the user can say of one tensor. Every field is optional in a configuration (unset = inherited).
#pragma once

#include "core/stats/observer.h"

#include <optional>
#include <string>

namespace core {

enum class Granularity { PerTensor, PerChannel, PerGroup };
enum class QatMethod { Ste, Lsq, Tqt };

/// As written by the user: unset fields inherit. Meaning and defaults of each field: QUANTIZATION.md §1.
struct QuantizationSpec {
    std::optional<QuantDtype> dtype;
    std::optional<Granularity> qscheme;
    std::optional<int> chAxis;
    std::optional<int> groupSize;
    std::optional<bool> symmetric;
    std::optional<ObserverKind> observer;
    std::optional<bool> bestObserver;           ///< pick the observer with the least error per tensor ("observer": "best")
    std::optional<double> percentile;
    std::optional<Range> fixedRange;            ///< observer fixed
    std::optional<ScaleType> scaleType;
    std::optional<PowerOfTwoRounding> pof2Rounding;
    std::optional<bool> narrowRange;            ///< symmetric_range: narrow
    std::optional<RoundMethod> roundMethod;
    std::optional<bool> isDynamic;
    std::optional<QatMethod> qat;

    bool empty() const;
    /// Fields set in `over` replace those here.
    void overlay(const QuantizationSpec &over);
    friend bool operator==(const QuantizationSpec &, const QuantizationSpec &) = default;
};

/// The four specs of a layer.
struct QuantizationConfig {
    QuantizationSpec inputTensors, outputTensors, weight, bias;
    void overlay(const QuantizationConfig &over);
    friend bool operator==(const QuantizationConfig &, const QuantizationConfig &) = default;
};

/// Fully resolved: no field is open any more.
struct Scheme {
    QuantDtype dtype = QuantDtype::Int8;
    Granularity granularity = Granularity::PerTensor;
    int channelAxis = 0;                         ///< PerChannel and PerGroup
    int groupSize = 0;                           ///< PerGroup
    bool symmetric = true;
    bool narrow = false;
    bool reduced = false;                        ///< 7 of the 8 bits (Config::reduceRange)
    bool bestObserver = false;
    ObserverKind observer = ObserverKind::MinMax;
    double percentile = 99.99;
    Range fixedRange;
    ScaleType scaleType = ScaleType::Float;
    PowerOfTwoRounding pof2Rounding = PowerOfTwoRounding::Ceil;
    RoundMethod roundMethod = RoundMethod::HalfEven;
    bool dynamic = false;
    QatMethod qat = QatMethod::Ste;

    bool quantized() const { return dtype != QuantDtype::Float32; }
    AffineOptions affineOptions() const;
    ObserverOptions observerOptions() const;
    std::string badge() const;                   ///< "i8", "i8c" (per channel), "i4g" (per group), "u8", "f16", "f32"
    friend bool operator==(const Scheme &, const Scheme &) = default;
};

} // namespace core
