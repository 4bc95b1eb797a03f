#include "widgets/tables/diff_model.h"

#include "widgets/charts/plot_scale.h"
#include "widgets/tables/run_model.h"

#include <QFont>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <cmath>
#include <map>

namespace widgets {
namespace {

QString scalarText(const QJsonValue &value)
{
    switch (value.type()) {
    case QJsonValue::Bool: return value.toBool() ? QStringLiteral("true") : QStringLiteral("false");
    case QJsonValue::Double: return QString::number(value.toDouble(), 'g', 12);
    case QJsonValue::String: return value.toString();
    default: return QStringLiteral("null");
    }
}

void flatten(const QJsonValue &value, const QString &path, std::map<QString, QString> &fields)
{
    if (value.isObject()) {
        const QJsonObject object = value.toObject();
        for (auto it = object.begin(); it != object.end(); ++it)
            flatten(it.value(), path.isEmpty() ? it.key() : path + QLatin1Char('.') + it.key(), fields);
    } else if (value.isArray()) {
        const QJsonArray array = value.toArray();
        if (std::none_of(array.begin(), array.end(), [](const QJsonValue &v) { return v.isObject() || v.isArray(); })) {
            QStringList texts;
            for (const QJsonValue &element : array)
                texts << scalarText(element);
            fields[path] = texts.join(QStringLiteral(", "));
            return;
        }
        for (qsizetype i = 0; i < array.size(); ++i)
            flatten(array[i], path + QStringLiteral("[%1]").arg(i), fields);
    } else {
        fields[path] = scalarText(value);
    }
}

std::map<QString, QString> fieldsOf(const QString &json)
{
    std::map<QString, QString> fields;
    const QJsonDocument document = QJsonDocument::fromJson(json.toUtf8());
    if (document.isObject())
        flatten(document.object(), {}, fields);
    return fields;
}

QString changeText(double a, double b, int decimals)
{
    if (std::isnan(a) || std::isnan(b) || a == b)
        return {};
    const QString size = QString::number(std::fabs(b - a), 'f', decimals);
    return QStringLiteral(" (%1%2)").arg(b > a ? QStringLiteral("+") : QStringLiteral("−"), size);
}

} // namespace

DiffRows jsonDifferences(const QString &a, const QString &b)
{
    const std::map<QString, QString> left = fieldsOf(a), right = fieldsOf(b);
    std::map<QString, DiffRow> rows;
    for (const auto &[key, text] : left)
        rows[key] = {key, text, QStringLiteral("–")};
    for (const auto &[key, text] : right) {
        DiffRow &row = rows[key];
        if (row.key.isEmpty())
            row = {key, QStringLiteral("–"), {}};
        row.b = text;
    }
    DiffRows result;
    for (const auto &[key, row] : rows)
        result.push_back(row);
    return result;
}

DiffRows figureDifferences(const RunRow &a, const RunRow &b)
{
    DiffRows rows;
    const auto percent = [&](const QString &key, double x, double y) {
        if (!std::isnan(x) || !std::isnan(y))
            rows.push_back({key, percentText(x), percentText(y) + changeText(x, y, 1)});
    };
    percent(DiffModel::tr("Float top-1"), a.floating.top1, b.floating.top1);
    percent(DiffModel::tr("Quantized top-1"), a.ptq.top1, b.ptq.top1);
    percent(DiffModel::tr("File top-1"), a.exported.top1, b.exported.top1);
    percent(DiffModel::tr("File top-5"), a.exported.top5, b.exported.top5);
    percent(DiffModel::tr("Quantized agreement"), a.ptq.agreement, b.ptq.agreement);
    percent(DiffModel::tr("File agreement"), a.exported.agreement, b.exported.agreement);
    rows.push_back({DiffModel::tr("File size"), bytesText(a.fileBytes), bytesText(b.fileBytes)});
    const auto seconds = [](double s) { return s > 0 ? QString::number(s, 'f', 1) + QStringLiteral(" s") : QStringLiteral("–"); };
    rows.push_back({DiffModel::tr("Time"), seconds(a.seconds), seconds(b.seconds)});
    return rows;
}

void DiffModel::setRows(const DiffRows &rows, const QString &titleA, const QString &titleB)
{
    beginResetModel();
    m_rows = rows;
    m_titleA = titleA;
    m_titleB = titleB;
    endResetModel();
}

int DiffModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_rows.size()); }
int DiffModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : 3; }

QVariant DiffModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const DiffRow &row = m_rows[std::size_t(index.row())];
    if (role == Qt::DisplayRole || role == Qt::ToolTipRole)
        return index.column() == 0 ? row.key : index.column() == 1 ? row.a : row.b;
    if (role == Qt::AccessibleTextRole)
        return row.different() ? tr("%1: %2, then %3").arg(row.key, row.a, row.b) : tr("%1: %2 in both").arg(row.key, row.a);
    if (role == Qt::FontRole && row.different()) {
        QFont font;
        font.setBold(true);
        return font;
    }
    return {};
}

QVariant DiffModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role != Qt::DisplayRole || section < 0)
        return {};
    if (orientation == Qt::Vertical)
        return section + 1;
    return section == 0 ? tr("Field") : section == 1 ? (m_titleA.isEmpty() ? tr("A") : m_titleA) : section == 2 ? (m_titleB.isEmpty() ? tr("B") : m_titleB) : QVariant();
}

} // namespace widgets
