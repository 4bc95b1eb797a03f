#include "widgets/shared/theme.h"

#include <QHash>

#include <algorithm>
#include <array>
#include <cmath>

namespace widgets {

using core::QuantDtype;

DtypeClass dtypeClassOf(const core::Scheme &scheme)
{
    switch (scheme.dtype) {
    case QuantDtype::Float32: return DtypeClass::Float32;
    case QuantDtype::Int8: return scheme.granularity == core::Granularity::PerTensor ? DtypeClass::Int8PerTensor : DtypeClass::Int8PerChannel;
    case QuantDtype::UInt8: return DtypeClass::UInt8;
    case QuantDtype::Int16:
    case QuantDtype::UInt16: return DtypeClass::Int16;
    case QuantDtype::Int32: return DtypeClass::Int32;
    case QuantDtype::Float16:
    case QuantDtype::BFloat16: return DtypeClass::SmallFloat;
    default: break;
    }
    return scheme.badge().starts_with("f") ? DtypeClass::SmallFloat : DtypeClass::Int4;
}

Theme Theme::light()
{
    Theme t;
    t.canvas = "#FAFAF7";
    t.window = "#F1F1EE";
    t.base = "#FFFFFF";
    t.alternate = "#F6F6F3";
    t.text = "#1B1B1B";
    t.mutedText = "#5E5E5E";
    t.outline = "#2B2B2B";
    t.edge = "#8C8C8C";
    t.grid = "#DEDEDA";
    t.selection = "#C4006A";
    t.button = "#E7E7E3";
    t.good = "#00694B";
    t.warning = "#9A5B00";
    t.problem = "#B3261E";
    t.notice = "#E2F0FA";
    t.floatLine = "#4D4D4D";
    t.quantizedLine = "#0072B2";
    t.clipLine = "#D55E00";
    return t;
}

Theme Theme::dark()
{
    Theme t;
    t.isDark = true;
    t.canvas = "#1C1D1F";
    t.window = "#26272A";
    t.base = "#1F2022";
    t.alternate = "#242528";
    t.text = "#ECECEC";
    t.mutedText = "#A8A8A8";
    t.outline = "#0B0B0B";
    t.edge = "#808488";
    t.grid = "#3A3C40";
    t.selection = "#FF6FB5";
    t.button = "#34363A";
    t.good = "#4CC79A";
    t.warning = "#F0B24A";
    t.problem = "#FF8A80";
    t.notice = "#27404F";
    t.floatLine = "#E0E0E0";
    t.quantizedLine = "#56B4E9";
    t.clipLine = "#F08A3C";
    return t;
}

QColor Theme::fill(DtypeClass type) const
{
    switch (type) {
    case DtypeClass::Float32: return canvas;
    case DtypeClass::Int8PerChannel: return "#0072B2";
    case DtypeClass::Int8PerTensor: return "#56B4E9";
    case DtypeClass::UInt8: return "#009E73";
    case DtypeClass::Int16: return "#E69F00";
    case DtypeClass::Int4: return "#D55E00";
    case DtypeClass::SmallFloat: return "#CC79A7";
    case DtypeClass::Int32: return "#B8B8B8";
    }
    return canvas;
}

QColor Theme::outlineOf(DtypeClass type) const
{
    return type == DtypeClass::Float32 ? QColor(isDark ? "#E0E0E0" : "#4D4D4D") : outline;
}

QColor Theme::textOn(const QColor &fill) const
{
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    const double luminance = 0.2126 * linear(fill.redF()) + 0.7152 * linear(fill.greenF()) + 0.0722 * linear(fill.blueF());
    return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? QColor(Qt::black) : QColor(Qt::white);
}

QColor Theme::metric(double goodness) const
{
    static const std::array<QRgb, 10> cividis = {0x00204D, 0x00336F, 0x39486B, 0x575C6D, 0x707173, 0x8A8779, 0xA69D75, 0xC4B56C, 0xE4CF5B, 0xFFEA46};
    const double g = std::clamp(std::isnan(goodness) ? 1.0 : goodness, 0.0, 1.0);
    const double at = (isDark ? 1 - g : g) * double(cividis.size() - 1);
    const std::size_t i = std::min(std::size_t(at), cividis.size() - 2);
    const double f = at - double(i);
    const QColor a(cividis[i]), b(cividis[i + 1]);
    return QColor::fromRgbF(float(a.redF() + f * (b.redF() - a.redF())), float(a.greenF() + f * (b.greenF() - a.greenF())),
                            float(a.blueF() + f * (b.blueF() - a.blueF())));
}

QColor Theme::operatorFill(const QString &opType) const
{
    static const QHash<QString, int> families = {
        {"Conv", 0}, {"ConvTranspose", 0}, {"QLinearConv", 0}, {"ConvInteger", 0}, {"DeformConv", 0},
        {"Gemm", 1}, {"MatMul", 1}, {"QLinearMatMul", 1}, {"MatMulInteger", 1}, {"Einsum", 1}, {"LSTM", 1}, {"GRU", 1}, {"RNN", 1},
        {"BatchNormalization", 2}, {"InstanceNormalization", 2}, {"LayerNormalization", 2}, {"GroupNormalization", 2}, {"LpNormalization", 2}, {"LRN", 2},
        {"Relu", 3}, {"Clip", 3}, {"LeakyRelu", 3}, {"PRelu", 3}, {"Sigmoid", 3}, {"HardSigmoid", 3}, {"HardSwish", 3}, {"Tanh", 3}, {"Gelu", 3}, {"Elu", 3},
        {"Selu", 3}, {"Softplus", 3}, {"Softsign", 3}, {"Mish", 3}, {"Softmax", 3}, {"LogSoftmax", 3},
        {"MaxPool", 4}, {"AveragePool", 4}, {"GlobalAveragePool", 4}, {"GlobalMaxPool", 4}, {"LpPool", 4}, {"Resize", 4}, {"Upsample", 4},
        {"Add", 5}, {"Sub", 5}, {"Mul", 5}, {"Div", 5}, {"Sum", 5}, {"Pow", 5}, {"Sqrt", 5}, {"ReduceMean", 5}, {"ReduceSum", 5}, {"Max", 5}, {"Min", 5},
        {"Reshape", 6}, {"Transpose", 6}, {"Flatten", 6}, {"Concat", 6}, {"Split", 6}, {"Slice", 6}, {"Squeeze", 6}, {"Unsqueeze", 6}, {"Gather", 6}, {"Pad", 6},
        {"DepthToSpace", 6}, {"SpaceToDepth", 6}, {"Expand", 6}, {"Tile", 6}};
    static const std::array<QRgb, 8> onLight = {0xC9DDF0, 0xD9D2EC, 0xE6E6E6, 0xF5DEB8, 0xCDE8D5, 0xF3CFCB, 0xE2E9C4, 0xEDEDED};
    static const std::array<QRgb, 8> onDark = {0x2C4A66, 0x46406B, 0x44464A, 0x6B5426, 0x2A5A3C, 0x6B3833, 0x4F5A25, 0x3A3C40};
    return QColor((isDark ? onDark : onLight)[std::size_t(families.value(opType, 7))]);
}

QColor Theme::series(int index) const
{
    static const std::array<const char *, 7> light = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D"};
    static const std::array<const char *, 7> dark = {"#56B4E9", "#F08A3C", "#2FC99A", "#E29BC4", "#F2B732", "#8FD0F5", "#D0D0D0"};
    return QColor((isDark ? dark : light)[std::size_t(index % 7)]);
}

QPalette Theme::palette() const
{
    QPalette p;
    p.setColor(QPalette::Window, window);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, base);
    p.setColor(QPalette::AlternateBase, alternate);
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::PlaceholderText, mutedText);
    p.setColor(QPalette::Button, button);
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, problem);
    p.setColor(QPalette::ToolTipBase, base);
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::Highlight, isDark ? QColor("#2F6C97") : QColor("#0072B2"));
    p.setColor(QPalette::HighlightedText, Qt::white);
    p.setColor(QPalette::Link, isDark ? QColor("#7CC4F2") : QColor("#00588A"));
    p.setColor(QPalette::Light, isDark ? QColor("#44464B") : QColor("#FFFFFF"));
    p.setColor(QPalette::Midlight, isDark ? QColor("#3A3C40") : QColor("#EDEDEA"));
    p.setColor(QPalette::Mid, isDark ? QColor("#4A4C51") : QColor("#C6C6C2"));
    p.setColor(QPalette::Dark, isDark ? QColor("#141517") : QColor("#A5A5A1"));
    p.setColor(QPalette::Shadow, isDark ? QColor("#000000") : QColor("#6A6A68"));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, isDark ? QColor("#7A7C80") : QColor("#9A9A96"));
    p.setColor(QPalette::Disabled, QPalette::Highlight, isDark ? QColor("#3D4248") : QColor("#C9C9C5"));
    return p;
}

} // namespace widgets
