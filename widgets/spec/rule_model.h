// The rules of a recipe as a table: query (editable), how many layers match, what the rule sets. Later rules win over earlier ones.
#pragma once

#include "widgets/spec/spec_context.h"

#include <QAbstractTableModel>

#include <memory>
#include <vector>

namespace widgets {

class RuleModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Query, Layers, Sets, ColumnCount };

    explicit RuleModel(QObject *parent = nullptr);
    void setContext(std::shared_ptr<const SpecContext> context);
    /// Sentence of what is wrong with a rule; empty = it works.
    QString errorOf(int row) const { return m_rows.at(std::size_t(row)).error; }
    void setProblemColour(const QColor &colour);

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;
    /// Changes nothing itself: it asks.
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;

Q_SIGNALS:
    void queryEdited(std::size_t rule, const QString &query);

private:
    struct Row {
        QString query, sets, error;
        std::size_t layers = 0;
        bool exclude = false;
    };
    std::vector<Row> m_rows;
    QColor m_problem;
};

/// What a configuration sets, short: "weights int4 per_channel, outputs percentile".
QString configText(const core::QuantizationConfig &config);

} // namespace widgets
