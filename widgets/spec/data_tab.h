// The tensors a layer reads and writes, and the range of its weight, as a whole and for each channel.
#pragma once

#include "widgets/spec/node_facts.h"

#include <QWidget>

class QLabel;
class QTableView;

namespace widgets {

class ValueTableModel;

class DataTab : public QWidget {
    Q_OBJECT
public:
    explicit DataTab(QWidget *parent = nullptr);
    void showNode(const SpecContext &context, core::NodeId node);

private:
    ValueTableModel *m_tensors, *m_channels;
    QTableView *m_tensorTable, *m_channelTable;
    QLabel *m_weight;
};

} // namespace widgets
