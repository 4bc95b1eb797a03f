#include "widgets/spec/data_tab.h"

#include "widgets/shared/small_widgets.h"
#include "widgets/spec/table_setup.h"
#include "widgets/spec/value_table_model.h"

#include <QHeaderView>
#include <QLabel>
#include <QTableView>
#include <QVBoxLayout>

#include <cmath>

namespace widgets {

DataTab::DataTab(QWidget *parent) : QWidget(parent)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(6, 6, 6, 6);
    m_tensors = new ValueTableModel({tr("Tensor"), tr("Shape"), tr("Type")}, this);
    m_tensorTable = makeTable(m_tensors, tr("Tensors of the layer"), this);
    m_tensorTable->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_tensorTable->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    column->addWidget(m_tensorTable);
    m_weight = new QLabel(this);
    m_weight->setWordWrap(true);
    m_weight->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(m_weight);
    m_channels = new ValueTableModel({tr("Channel"), tr("Min"), tr("Max"), tr("Largest"), tr("Of all")}, this);
    m_channelTable = makeTable(m_channels, tr("Range of the weight in each output channel"), this);
    m_channelTable->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_channelTable->setToolTip(tr("Largest: the greatest magnitude in the channel. Of all: its share of the greatest in the tensor; "
                                  "small shares lose most when all channels have one scale."));
    column->addWidget(m_channelTable, 1);
    column->addStretch(0);
}

void DataTab::showNode(const SpecContext &context, core::NodeId node)
{
    ValueTableModel::Rows rows;
    for (const TensorRow &tensor : tensorRows(context, node)) {
        const QString quantized = tensor.badge.isEmpty() || tensor.badge == QLatin1String("f32") ? tr("%1, not quantized").arg(tensor.type) : tr("%1, quantized to %2").arg(tensor.type, tensor.badge);
        const QString why = tensor.reason.isEmpty() ? tensor.type : QStringLiteral("%1. %2").arg(quantized, tensor.reason);
        rows.push_back({{(tensor.output ? QStringLiteral("→ ") : QStringLiteral("← ")) + tensor.name, tensor.name, tensor.name, false, false},
                        {tensor.shape, {}, {}, false, false},
                        {tensor.badge.isEmpty() ? tensor.type : tensor.badge, {}, why, !tensor.badge.isEmpty(), false}});
    }
    const int shown = std::clamp(int(rows.size()), 2, 8);
    m_tensors->setRows(std::move(rows));
    m_tensorTable->setFixedHeight(m_tensorTable->horizontalHeader()->sizeHint().height() + shown * m_tensorTable->verticalHeader()->defaultSectionSize() + 4);

    const auto weight = weightFacts(context, node);
    ValueTableModel::Rows channels;
    if (!weight) {
        m_weight->setText(tr("This layer has no weights."));
    } else if (weight->tooLarge) {
        m_weight->setText(tr("Weight %1, %2: too large to be read here.").arg(weight->name, weight->shape));
    } else {
        m_weight->setText(tr("Weight %1, %2, from %3 to %4").arg(weight->name, weight->shape, shortNumber(weight->min), shortNumber(weight->max)));
        const double most = std::max(std::abs(weight->min), std::abs(weight->max));
        for (std::size_t i = 0; weight->channelAxis >= 0 && i < weight->channels.size(); ++i) {
            const core::Range &range = weight->channels[i];
            const double largest = std::max(std::abs(range.min), std::abs(range.max));
            Cell share = numberCell(most > 0 ? largest / most : 0);
            share.text = QString::number(most > 0 ? 100 * largest / most : 0, 'f', 1) + QStringLiteral(" %");
            channels.push_back({numberCell(double(i), 8), numberCell(range.min, 3), numberCell(range.max, 3), numberCell(largest, 3), share});
        }
    }
    m_channelTable->setVisible(!channels.empty());
    m_channels->setRows(std::move(channels));
    makeMuted(m_weight);
    m_weight->setForegroundRole(weight ? QPalette::WindowText : QPalette::PlaceholderText);
}

} // namespace widgets
