// Every colour of the program, light and dark. The dtype colours are told apart with the common colour-vision deficiencies
// (Okabe and Ito's set); metrics use cividis (Nuñez, Anderton and Renslow 2018). Meaning is never carried by colour alone.
#pragma once

#include "core/spec/quantization_spec.h"

#include <QColor>
#include <QPalette>
#include <QString>

namespace widgets {

/// What the colour and the badge of a layer say of its type.
enum class DtypeClass { Float32, Int8PerChannel, Int8PerTensor, UInt8, Int16, Int4, SmallFloat, Int32 };

DtypeClass dtypeClassOf(const core::Scheme &scheme);

class Theme {
public:
    static Theme light();
    static Theme dark();

    bool isDark = false;
    QColor canvas, window, base, alternate, text, mutedText, outline, edge, grid, selection, button;
    QColor good, warning, problem;
    QColor notice;                                     ///< behind a message that is neither
    QColor floatLine, quantizedLine, clipLine;         ///< charts

    QColor fill(DtypeClass type) const;                ///< of node and badge; Float32 is drawn as outline on the canvas colour
    QColor outlineOf(DtypeClass type) const;
    QColor textOn(const QColor &fill) const;           ///< black or white, whichever has more contrast
    /// goodness 0 = worst … 1 = best. The worst end is the one that stands out from the canvas.
    QColor metric(double goodness) const;
    /// A quiet fill that tells operator families apart (convolution, matrix product, normalisation, activation, pooling, arithmetic, shape, other).
    QColor operatorFill(const QString &opType) const;
    /// Series `index` of a chart with several.
    QColor series(int index) const;
    QPalette palette() const;
};

} // namespace widgets
