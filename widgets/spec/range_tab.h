// The observers of a layer's tensors side by side, as the caller worked them out from the statistics, to choose one from.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_field.h"

#include <QWidget>

#include <limits>
#include <optional>
#include <vector>

class QComboBox;
class QLabel;
class QPushButton;
class QSortFilterProxyModel;
class QTableView;

namespace widgets {

class ValueTableModel;

struct ObserverRow {
    FieldValue observer = core::ObserverKind::MinMax;   ///< ObserverKind or BestObserver
    double percentile = 0;                              ///< of the observer percentile
    double min = std::numeric_limits<double>::quiet_NaN(), max = min, scale = min; ///< NaN: not one number, because each channel has its own
    std::optional<int> zeroPoint;
    double sqnr = min;                                  ///< expected, dB
    bool inUse = false;
};

/// Of one tensor of a layer.
struct TensorRanges {
    core::NodeId node;
    core::TensorRole role = core::TensorRole::Output;
    QString tensor;
    std::vector<ObserverRow> rows;
};

class RangeTab : public QWidget {
    Q_OBJECT
public:
    explicit RangeTab(QWidget *parent = nullptr);

    /// `whyEmpty` is shown when there are none.
    void setRanges(std::vector<TensorRanges> ranges, const QString &whyEmpty);

Q_SIGNALS:
    void observerChosen(core::NodeId node, core::TensorRole role, const widgets::FieldValue &observer, double percentile);

private:
    void showTensor(int index);
    void choose();

    std::vector<TensorRanges> m_ranges;
    int m_shown = -1;
    core::TensorRole m_lastRole = core::TensorRole::Output;
    QComboBox *m_tensors;
    QTableView *m_table;
    ValueTableModel *m_model;
    QSortFilterProxyModel *m_sorted;
    QPushButton *m_choose;
    QLabel *m_empty;
};

/// "percentile 99.9", "best"
QString observerText(const FieldValue &observer, double percentile);

} // namespace widgets
