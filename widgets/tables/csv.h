// Tables as text (RFC 4180): fields with comma, quote or line break are quoted; numbers keep all digits that tell them apart.
#pragma once

#include <QAbstractItemModel>
#include <QString>
#include <QStringList>

namespace widgets {

QString csvLine(const QStringList &fields);
/// Shortest text that reads back as the same number; empty for NaN.
QString csvNumber(double value);
/// Heading and all rows. A column that has numbers under `numberRole` is written from them, else as displayed.
QString csvOf(const QAbstractItemModel &model, int numberRole = Qt::DisplayRole);

} // namespace widgets
