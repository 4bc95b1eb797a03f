// How boxes look under an overlay: computed once per change, read by items, minimap, legend and accessibility.
#pragma once

#include "widgets/graph/drawn_graph.h"
#include "widgets/shared/layer_facts.h"
#include "widgets/shared/theme.h"

#include <QColor>
#include <QFont>
#include <QString>

#include <memory>
#include <vector>

namespace widgets {

struct BoxLook {
    QColor fill, outline, text, mutedText;
    QColor badgeFill, badgeOutline, badgeText;
    QString badge;           ///< "i8c"; "mix" of a block with several types
    QString metric;          ///< what the box says on its right: the overlay's number, else the shape
    double goodness = unknown;
    bool worst = false;      ///< among the worst tenth
    bool hatched = false;    ///< power-of-two scale
    bool excluded = false;
    bool overridden = false;
    bool stale = false;
};

/// A quantizer on the line into one operand.
struct QuantizerMark {
    core::ValueId value;
    core::NodeId consumer;   ///< invalid: the graph's output
    int inputIndex = -1;
    DtypeClass dtype = DtypeClass::Int8PerTensor;
    QString badge;           ///< "u8"
    bool on = true;
    bool switchable = true;  ///< false: part of the file, or fixed by the target
    QString toolTip;
};

/// The quantizers that a quantized file holds: read-only, with scale and zero point in the tooltip.
std::vector<QuantizerMark> marksOfFile(const core::Graph &graph, const DrawnGraph &drawing);

/// Facts per box; a block shows its worst child. `table` may be null.
std::vector<BoxLook> boxLooks(const DrawnGraph &drawing, const LayerTable *table, Overlay overlay, const Theme &theme);

/// Index into the table by NodeId::index; −1 = unknown.
std::vector<int> factsByNode(const LayerTable &table);

/// What a tooltip says of a box; `details` are further lines.
QString boxToolTip(const DrawnBox &box, const LayerTable *table, Overlay overlay, const QString &details = {});

enum class DetailLevel { Tiny, Middle, Near };

struct GraphFonts {
    QFont name, small, badge, large, compact, compactLarge;
    static GraphFonts make();
};

} // namespace widgets
