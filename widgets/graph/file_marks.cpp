// Quantizers that stand in a file already.
#include "widgets/graph/graph_style.h"

#include <QCoreApplication>
#include <QLocale>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("FileMarks", text); }

std::pair<DtypeClass, QString> kindOf(core::DataType type)
{
    switch (type) {
    case core::DataType::Int8: return {DtypeClass::Int8PerTensor, QStringLiteral("i8")};
    case core::DataType::UInt8: return {DtypeClass::UInt8, QStringLiteral("u8")};
    case core::DataType::Int16: return {DtypeClass::Int16, QStringLiteral("i16")};
    case core::DataType::UInt16: return {DtypeClass::Int16, QStringLiteral("u16")};
    case core::DataType::Int32: return {DtypeClass::Int32, QStringLiteral("i32")};
    case core::DataType::Int4: return {DtypeClass::Int4, QStringLiteral("i4")};
    case core::DataType::UInt4: return {DtypeClass::Int4, QStringLiteral("u4")};
    default: return {DtypeClass::SmallFloat, QStringLiteral("f8")};
    }
}

QString firstOf(const std::vector<double> &values)
{
    const QString first = QLocale().toString(values.front(), 'g', 6);
    return values.size() == 1 ? first : tr("%1 and %2 more").arg(first).arg(values.size() - 1);
}

} // namespace

std::vector<QuantizerMark> marksOfFile(const core::Graph &graph, const DrawnGraph &drawing)
{
    std::vector<QuantizerMark> marks;
    for (const DrawnTrunk &trunk : drawing.trunks)
        for (const DrawnEnd &end : trunk.ends)
            for (const DrawnUse &use : end.uses) {
                if (!use.through)
                    continue;
                const core::Node &dequantize = graph.node(use.through);
                const core::TensorData *scale = graph.constant(dequantize.input(1)), *zero = graph.constant(dequantize.input(2));
                const core::ValueId quantized = dequantize.input(0);
                const core::DataType type = zero ? zero->type : graph.value(quantized).type;
                const auto [dtype, badge] = kindOf(type == core::DataType::Undefined ? core::DataType::UInt8 : type);
                QStringList lines{tr("Quantized in the file: %1").arg(trunk.name)};
                if (scale && scale->count() > 0)
                    lines << tr("Scale %1").arg(firstOf(scale->toDoubles()));
                if (zero && zero->count() > 0)
                    lines << tr("Zero point %1").arg(firstOf(zero->toDoubles()));
                marks.push_back({trunk.value, use.node, use.inputIndex, dtype, badge, true, false, lines.join(QLatin1Char('\n'))});
            }
    return marks;
}

} // namespace widgets
