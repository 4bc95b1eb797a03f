#include "widgets/tables/csv.h"

#include <QLocale>

#include <cmath>

namespace widgets {

QString csvLine(const QStringList &fields)
{
    QString line;
    for (qsizetype i = 0; i < fields.size(); ++i) {
        QString field = fields[i];
        if (field.contains(QLatin1Char(',')) || field.contains(QLatin1Char('"')) || field.contains(QLatin1Char('\n')) || field.contains(QLatin1Char('\r')))
            field = QLatin1Char('"') + field.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
        line += (i > 0 ? QStringLiteral(",") : QString()) + field;
    }
    return line + QLatin1Char('\n');
}

QString csvNumber(double value)
{
    if (std::isnan(value))
        return {};
    if (std::fabs(value) < 1e15 && value == std::floor(value))
        return QString::number(qint64(value));
    return QString::number(value, 'g', QLocale::FloatingPointShortest);
}

QString csvOf(const QAbstractItemModel &model, int numberRole)
{
    QString text;
    QStringList fields;
    for (int column = 0; column < model.columnCount(); ++column)
        fields << model.headerData(column, Qt::Horizontal).toString();
    text += csvLine(fields);
    for (int row = 0; row < model.rowCount(); ++row) {
        fields.clear();
        for (int column = 0; column < model.columnCount(); ++column) {
            const QModelIndex index = model.index(row, column);
            const QVariant number = index.data(numberRole);
            fields << (number.typeId() == QMetaType::Double ? csvNumber(number.toDouble()) : index.data().toString());
        }
        text += csvLine(fields);
    }
    return text;
}

} // namespace widgets
