#include "widgets/spec/range_tab.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/table_setup.h"
#include "widgets/spec/value_table_model.h"

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace widgets {

QString observerText(const FieldValue &observer, double percentile)
{
    const QString name = valueText(SpecField::Observer, observer);
    return observer == FieldValue(core::ObserverKind::Percentile) ? name + QLatin1Char(' ') + shortNumber(percentile, 8) : name;
}

RangeTab::RangeTab(QWidget *parent) : QWidget(parent)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(6, 6, 6, 6);
    m_tensors = new QComboBox(this);
    m_tensors->setAccessibleName(tr("Tensor"));
    m_tensors->setToolTip(tr("Tensor of this layer whose ranges are shown"));
    m_tensors->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_tensors->setMinimumContentsLength(10);
    guardWheel(m_tensors);
    column->addWidget(m_tensors);
    m_model = new ValueTableModel({tr("Observer"), tr("SQNR"), tr("Min"), tr("Max"), tr("Scale"), tr("Z")}, this);
    m_table = makeTable(m_model, tr("Observers and their ranges"), this);
    m_sorted = sortedModel(m_table);
    m_table->setToolTip(tr("Range that each observer would choose, and the signal-to-noise ratio to expect in dB. Double-click to use one."));
    column->addWidget(m_table, 1);
    m_choose = new QPushButton(tr("Use this observer"), this);
    m_choose->setToolTip(tr("Sets the observer of this tensor for this layer; can be undone."));
    column->addWidget(m_choose);
    m_empty = emptyLabel({}, this);
    column->addWidget(m_empty, 1);
    connect(m_tensors, &QComboBox::activated, this, [this](int index) {
        showTensor(index);
        m_lastRole = m_ranges[std::size_t(index)].role;
    });
    connect(m_table, &QTableView::doubleClicked, this, &RangeTab::choose);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] { m_choose->setEnabled(m_table->selectionModel()->hasSelection()); });
    connect(m_choose, &QPushButton::clicked, this, &RangeTab::choose);
    setRanges({}, {});
}

void RangeTab::setRanges(std::vector<TensorRanges> ranges, const QString &whyEmpty)
{
    m_ranges = std::move(ranges);
    m_tensors->clear();
    int wanted = 0;
    for (std::size_t i = 0; i < m_ranges.size(); ++i) {
        m_tensors->addItem(QStringLiteral("%1 · %2").arg(roleLabel(m_ranges[i].role), m_ranges[i].tensor));
        if (m_ranges[i].role == m_lastRole)
            wanted = int(i);
    }
    const bool any = !m_ranges.empty();
    for (QWidget *widget : {static_cast<QWidget *>(m_tensors), static_cast<QWidget *>(m_table), static_cast<QWidget *>(m_choose)})
        widget->setVisible(any);
    m_empty->setVisible(!any);
    m_empty->setText(whyEmpty);
    m_shown = -1;
    if (any) {
        m_tensors->setCurrentIndex(wanted);
        showTensor(wanted);
    } else {
        m_model->setRows({});
    }
}

void RangeTab::showTensor(int index)
{
    m_shown = index;
    const TensorRanges &ranges = m_ranges[std::size_t(index)];
    double best = -std::numeric_limits<double>::infinity();
    for (const ObserverRow &row : ranges.rows)
        if (!std::isnan(row.sqnr) && row.observer != FieldValue(BestObserver{}))
            best = std::max(best, row.sqnr);
    ValueTableModel::Rows rows;
    for (const ObserverRow &row : ranges.rows) {
        const QString full = observerText(row.observer, row.percentile);
        Cell name{(row.inUse ? QStringLiteral("✓ ") : QString()) + QString(full).replace(QLatin1String("moving_average_min_max"), QLatin1String("moving_average")), {}, full, row.inUse, false};
        if (row.inUse)
            name.toolTip = tr("%1, in use").arg(full);
        Cell sqnr = numberCell(row.sqnr, 4);
        if (std::isfinite(row.sqnr))
            sqnr.text = QString::number(row.sqnr, 'f', 1);
        sqnr.strong = row.sqnr == best;
        sqnr.toolTip = sqnr.strong ? tr("Highest of these; in dB") : tr("Expected signal-to-noise ratio, dB");
        Cell zero = numberCell(row.zeroPoint ? double(*row.zeroPoint) : std::numeric_limits<double>::quiet_NaN());
        rows.push_back({name, sqnr, numberCell(row.min, 3), numberCell(row.max, 3), numberCell(row.scale, 3), zero});
    }
    m_model->setRows(std::move(rows));
    m_table->resizeColumnsToContents();
    m_choose->setEnabled(false);
}

void RangeTab::choose()
{
    const QModelIndex current = m_table->currentIndex();
    if (!current.isValid() || m_shown < 0)
        return;
    const TensorRanges &ranges = m_ranges[std::size_t(m_shown)];
    const ObserverRow row = ranges.rows[std::size_t(m_sorted->mapToSource(current).row())];
    Q_EMIT observerChosen(ranges.node, ranges.role, row.observer, row.percentile);
}

} // namespace widgets
