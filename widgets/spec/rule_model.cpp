#include "widgets/spec/rule_model.h"

#include <QCoreApplication>

namespace widgets {

QString configText(const core::QuantizationConfig &config)
{
    QStringList parts;
    for (const core::TensorRole role : {core::TensorRole::Weight, core::TensorRole::Output, core::TensorRole::Input, core::TensorRole::Bias}) {
        QStringList values;
        for (const SpecField field : allSpecFields)
            if (const auto value = fieldOf(specOf(config, role), field))
                values << valueText(field, *value);
        if (!values.isEmpty())
            parts << roleLabel(role).toLower() + QLatin1Char(' ') + values.join(QLatin1Char(' '));
    }
    return parts.join(QStringLiteral(", "));
}

RuleModel::RuleModel(QObject *parent) : QAbstractTableModel(parent) {}

void RuleModel::setContext(std::shared_ptr<const SpecContext> context)
{
    std::vector<Row> rows;
    if (context)
        for (const core::Rule &rule : context->recipe().config.rules) {
            Row row;
            row.query = QString::fromStdString(rule.query);
            row.exclude = rule.exclude;
            row.sets = rule.exclude ? tr("stays float") : configText(rule.config);
            if (row.sets.isEmpty())
                row.sets = tr("nothing yet");
            if (context->graph().nodeCount() > 0) {
                const QueryResult result = runQuery(rule.query, context->graph());
                row.layers = result.nodes.size();
                row.error = result.error;
            }
            rows.push_back(std::move(row));
        }
    if (rows.size() == m_rows.size()) { // keeps the selection of the view
        m_rows = std::move(rows);
        if (!m_rows.empty())
            Q_EMIT dataChanged(index(0, 0), index(int(m_rows.size()) - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

void RuleModel::setProblemColour(const QColor &colour)
{
    m_problem = colour;
    if (!m_rows.empty())
        Q_EMIT dataChanged(index(0, 0), index(int(m_rows.size()) - 1, ColumnCount - 1));
}

int RuleModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_rows.size()); }
int RuleModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(ColumnCount); }

QVariant RuleModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Row &row = m_rows[std::size_t(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
        if (index.column() == Query)
            return role == Qt::DisplayRole && !row.error.isEmpty() ? QStringLiteral("⚠ ") + row.query : row.query;
        return index.column() == Layers ? QVariant(QString::number(row.layers)) : QVariant(row.sets);
    case Qt::ToolTipRole:
        return QStringLiteral("<p>%1</p><p>%2</p>").arg((index.column() == Sets ? row.sets : row.query).toHtmlEscaped(), row.error.toHtmlEscaped());
    case Qt::TextAlignmentRole: return int((index.column() == Layers ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ForegroundRole: return !row.error.isEmpty() && m_problem.isValid() ? QVariant(m_problem) : QVariant();
    default: return {};
    }
}

QVariant RuleModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Query: return tr("Rule");
    case Layers: return tr("Layers");
    case Sets: return tr("Sets");
    default: return {};
    }
}

Qt::ItemFlags RuleModel::flags(const QModelIndex &index) const
{
    const Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    return index.isValid() && index.column() == Query ? flags | Qt::ItemIsEditable : flags;
}

bool RuleModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    if (role != Qt::EditRole || !checkIndex(index, CheckIndexOption::IndexIsValid) || index.column() != Query)
        return false;
    const QString query = value.toString().trimmed();
    if (query.isEmpty() || query == m_rows[std::size_t(index.row())].query)
        return false;
    Q_EMIT queryEdited(std::size_t(index.row()), query);
    return true;
}

} // namespace widgets
