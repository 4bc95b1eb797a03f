// Minimum and maximum of every tensor, or of every channel of one, with the range that was chosen for it.
#pragma once

#include "core/stats/statistics.h"
#include "widgets/charts/indexed_chart.h"
#include "widgets/tables/range_model.h"

#include <memory>

class QComboBox;

namespace widgets {

class RangesChart : public IndexedChart {
    Q_OBJECT
public:
    enum Show { Tensors, Activations, Weights, Channels };

    explicit RangesChart(QWidget *parent = nullptr);
    QString csv() const override;

public Q_SLOTS:
    void setTable(const std::shared_ptr<const widgets::RangeTable> &table);
    /// Channels of one tensor; an empty list takes the choice away.
    void setChannels(const QString &tensor, const std::vector<core::ChannelStatistics> &channels);
    void setShown(widgets::RangesChart::Show show);
    void setSortedByWidth(bool sorted);
    /// Marks a tensor.
    void setCurrent(core::ValueId value);

Q_SIGNALS:
    void tensorChosen(core::ValueId value, core::NodeId node);
    void channelChosen(int channel);

protected:
    int slotCount() const override { return int(m_bars.size()); }
    QString slotName(int slot) const override { return m_bars[std::size_t(slot)].name; }
    QString slotToolTip(int slot) const override;
    void paintSlots(QPainter &painter) override;
    void slotChosen(int slot, bool add) override;

private:
    struct Bar {
        QString name;
        int source;                                ///< row of the table, or channel
        double min, max;
        core::Range chosen;
        double width() const { return max - min; }
    };
    Show shown() const;
    void rebuild();

    std::shared_ptr<const RangeTable> m_table = std::make_shared<RangeTable>();
    QString m_channelTensor;
    std::vector<core::ChannelStatistics> m_channels;
    std::vector<Bar> m_bars;
    core::ValueId m_marked;
    QComboBox *m_show = nullptr, *m_sort = nullptr;
    QToolButton *m_log = nullptr;
};

} // namespace widgets
