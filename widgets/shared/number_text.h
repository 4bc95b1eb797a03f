// Numbers as text, the same in every panel and without the locale's separators.
#pragma once

#include <QString>

namespace widgets {

/// As short as it can be said: "0.0039", "-1.5", "1e-07".
inline QString shortNumber(double value, int digits = 4) { return QString::number(value, 'g', digits); }

} // namespace widgets
