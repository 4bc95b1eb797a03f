#include "widgets/graph/graph_style.h"

#include <QCoreApplication>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("GraphStyle", text); }

QColor blend(const QColor &a, const QColor &b, double share)
{
    const auto mix = [share](double x, double y) { return float(x + (y - x) * share); };
    return QColor::fromRgbF(mix(a.redF(), b.redF()), mix(a.greenF(), b.greenF()), mix(a.blueF(), b.blueF()));
}

void setFill(BoxLook &look, const QColor &fill, const Theme &theme)
{
    look.fill = fill;
    look.text = fill == theme.canvas ? theme.text : theme.textOn(fill);
    look.mutedText = blend(look.text, fill, 0.2);
}

/// The child that speaks for a block: the worst under a metric, else the one with the most parameters.
int speaker(const std::vector<int> &rows, const LayerTable &table, const Goodness &goodness, bool metric)
{
    int best = rows.front();
    for (const int row : rows) {
        const double g = goodness.values[std::size_t(row)], b = goodness.values[std::size_t(best)];
        const bool better = metric ? !std::isnan(g) && (std::isnan(b) || g < b)
                                   : table[std::size_t(row)].parameters > table[std::size_t(best)].parameters;
        if (better)
            best = row;
    }
    return best;
}

void fillBadge(BoxLook &look, DtypeClass type, const QString &text, const Theme &theme)
{
    look.badge = text;
    look.badgeFill = theme.fill(type);
    look.badgeOutline = theme.outlineOf(type);
    look.badgeText = type == DtypeClass::Float32 ? theme.text : theme.textOn(look.badgeFill);
}

QColor overlayFill(const LayerFacts &facts, Overlay overlay, double goodness, const Theme &theme)
{
    switch (overlay) {
    case Overlay::Operator: return theme.operatorFill(facts.opType);
    case Overlay::Dtype: return theme.fill(facts.dtype);
    case Overlay::Overridden: return facts.excluded ? theme.canvas : facts.overridden ? theme.fill(DtypeClass::Int16) : theme.button;
    default: return std::isnan(goodness) ? theme.canvas : theme.metric(goodness);
    }
}

} // namespace

std::vector<int> factsByNode(const LayerTable &table)
{
    std::vector<int> rows;
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (!table[i].node)
            continue;
        if (std::size_t(table[i].node.index) >= rows.size())
            rows.resize(std::size_t(table[i].node.index) + 1, -1);
        rows[std::size_t(table[i].node.index)] = int(i);
    }
    return rows;
}

std::vector<BoxLook> boxLooks(const DrawnGraph &drawing, const LayerTable *table, Overlay overlay, const Theme &theme)
{
    const LayerTable none;
    const LayerTable &facts = table ? *table : none;
    const std::vector<int> rowOf = factsByNode(facts);
    const Goodness goodness = goodnessOf(facts, overlay);
    const bool metric = isMetric(overlay);
    std::vector<BoxLook> looks(drawing.boxes.size());
    std::vector<int> rows;
    for (std::size_t b = 0; b < looks.size(); ++b) {
        const DrawnBox &box = drawing.boxes[b];
        BoxLook &look = looks[b];
        look.outline = theme.isDark ? theme.edge : theme.outline;
        rows.clear();
        for (const core::NodeId node : box.nodes)
            if (std::size_t(node.index) < rowOf.size() && rowOf[std::size_t(node.index)] >= 0)
                rows.push_back(rowOf[std::size_t(node.index)]);
        if (rows.empty()) {
            const bool terminal = box.kind == BoxKind::Input || box.kind == BoxKind::Output;
            setFill(look, terminal ? theme.window : overlay == Overlay::Operator ? theme.operatorFill(box.subtitle) : theme.canvas, theme);
            look.outline = terminal ? theme.mutedText : theme.outlineOf(DtypeClass::Float32);
            look.metric = terminal ? box.subtitle : QString();
            continue;
        }
        const std::size_t row = std::size_t(speaker(rows, facts, goodness, metric));
        const LayerFacts &f = facts[row];
        look.goodness = goodness.values[row];
        setFill(look, overlayFill(f, overlay, look.goodness, theme), theme);
        bool mixed = false;
        const LayerFacts *typed = &facts[std::size_t(rows.front())]; // of the first quantized child with weights
        for (const int r : rows) {
            const LayerFacts &child = facts[std::size_t(r)];
            if (child.parameters > 0 && (typed->parameters <= 0 || (typed->dtype == DtypeClass::Float32 && child.dtype != typed->dtype)))
                typed = &child;
            look.worst = look.worst || goodness.worstTenth[std::size_t(r)];
            look.overridden = look.overridden || child.overridden;
            look.stale = look.stale || child.stale;
        }
        for (const int r : rows)
            mixed = mixed || (facts[std::size_t(r)].parameters > 0 && facts[std::size_t(r)].badge != typed->badge);
        look.excluded = std::all_of(rows.begin(), rows.end(), [&](int r) { return facts[std::size_t(r)].excluded; });
        look.hatched = typed->powerOfTwo;
        if (overlay == Overlay::Dtype)
            setFill(look, theme.fill(typed->dtype), theme);
        fillBadge(look, typed->dtype, mixed ? tr("mix") : typed->badge, theme);
        if (mixed) {
            look.badgeFill = theme.button;
            look.badgeText = theme.text;
        }
        if (look.fill == theme.canvas)
            look.outline = theme.outlineOf(DtypeClass::Float32);
        look.metric = metric ? overlayText(f, overlay) : overlay == Overlay::Overridden ? overlayText(f, overlay)
            : facts[std::size_t(rows.back())].shape;
    }
    return looks;
}

QString boxToolTip(const DrawnBox &box, const LayerTable *table, Overlay overlay, const QString &details)
{
    QStringList lines;
    const QString name = box.kind == BoxKind::Node ? box.names.front() : box.title;
    lines << QStringLiteral("<b>%1</b>").arg(name.toHtmlEscaped());
    const QString kind = box.kind == BoxKind::Input ? tr("Input") : box.kind == BoxKind::Output ? tr("Output") : QString();
    lines << (kind.isEmpty() ? box.subtitle.toHtmlEscaped() : kind + QLatin1Char(' ') + box.subtitle.toHtmlEscaped());
    double parameters = 0, macs = 0;
    QString shape;
    const LayerFacts *single = nullptr;
    if (table) {
        const std::vector<int> rowOf = factsByNode(*table);
        for (const core::NodeId node : box.nodes)
            if (std::size_t(node.index) < rowOf.size() && rowOf[std::size_t(node.index)] >= 0) {
                single = &(*table)[std::size_t(rowOf[std::size_t(node.index)])];
                parameters += single->parameters;
                macs += single->macs;
                shape = single->shape;
            }
    }
    if (single) {
        if (!shape.isEmpty())
            lines << tr("Output %1").arg(shape);
        LayerFacts sum;
        sum.macs = macs;
        const QString macsText = overlayText(sum, Overlay::Size);
        sum.macs = parameters;
        if (parameters > 0)
            lines << tr("%1 parameters").arg(overlayText(sum, Overlay::Size));
        if (macs > 0)
            lines << tr("%1 multiply-adds").arg(macsText);
        if (box.nodes.size() == 1) {
            lines << tr("Type %1%2").arg(single->badge, single->powerOfTwo ? tr(", power-of-two scale") : QString());
            for (const Overlay o : {Overlay::ActivationSqnr, Overlay::WeightSqnr, Overlay::Sensitivity, Overlay::Clipping, Overlay::Difference})
                if (!std::isnan(overlayValue(*single, o)))
                    lines << (o == overlay ? QStringLiteral("<b>%1: %2</b>") : QStringLiteral("%1: %2")).arg(overlayName(o), overlayText(*single, o));
            if (single->stale)
                lines << tr("The figures are of older settings.");
        }
    }
    if (box.kind == BoxKind::Block)
        lines << tr("Double click or Shift+Enter opens the block.");
    if (!details.isEmpty())
        lines << details;
    return lines.join(QStringLiteral("<br>"));
}

GraphFonts GraphFonts::make()
{
    GraphFonts fonts;
    const QFont base = QGuiApplication::font();
    const auto sized = [&base](int pixels, bool bold) {
        QFont font = base;
        font.setPixelSize(pixels);
        font.setBold(bold);
        font.setHintingPreference(QFont::PreferNoHinting);
        return font;
    };
    fonts.name = sized(12, true);
    fonts.small = sized(12, false);
    fonts.badge = sized(10, true);
    fonts.large = sized(22, false);
    fonts.compact = sized(13, false);
    fonts.compactLarge = sized(17, false);
    return fonts;
}

} // namespace widgets
