// What charts and inspector show of single tensors: pure functions of the document's values, run in the light lane.
#pragma once

#include "app/document.h"
#include "widgets/charts/histogram_chart.h"
#include "widgets/charts/ranges_chart.h"
#include "widgets/spec/range_tab.h"
#include "widgets/tables/images_model.h"
#include "widgets/tables/run_model.h"

#include <memory>
#include <stop_token>
#include <vector>

namespace app {

/// A snapshot that a lane may keep.
struct Snapshot {
    std::shared_ptr<const core::Prepared> prepared;
    std::shared_ptr<const Layers> layers;
    std::shared_ptr<const core::Calibration> calibration;   ///< may be null
};
Snapshot snapshotOf(const Document &document);

/// A tensor of a node that can be looked at.
struct TensorChoice {
    core::ValueId value;
    core::NodeId owner;                  ///< whose configuration decides its scheme
    core::TensorRole role = core::TensorRole::Output;
    QString title;                       ///< "output 'x12'"
    bool constant = false;
    int channel = -1;                    ///< of a constant, to look at alone; −1 = all
};
/// Output, inputs, weight, bias. The first one has the quantizer that the layer's figures are about.
std::vector<TensorChoice> tensorsOf(const Snapshot &snapshot, core::NodeId node);
/// The node of the prepared graph that a node of the drawing stands for: of a folded BatchNormalization the layer that took it in. Invalid = none.
core::NodeId preparedNode(const Snapshot &snapshot, core::NodeId node);

struct TensorView {
    widgets::HistogramSubject subject;
    std::vector<widgets::ObserverLine> lines;
    QString why;                         ///< sentence when there is nothing to show
};
/// `trained`: of a weight as a training has it now, in place of the model's.
TensorView viewOf(const Snapshot &snapshot, const TensorChoice &choice, std::shared_ptr<const core::TensorStatistics> trained = nullptr);

/// Ranges of every observer for the tensors of one node.
std::vector<widgets::TensorRanges> rangesOf(const Snapshot &snapshot, core::NodeId node);

/// All quantizers, with the figures of a report where there is one.
std::shared_ptr<const widgets::RangeTable> rangeTable(const Snapshot &snapshot, const core::Report *report, bool stale);

std::shared_ptr<const widgets::RunTable> runTable(const Document &document);

/// Names of classes: second word of the labels file's lines, else the class folders; may be empty.
QStringList classNames(const core::DataSource &source);
/// With thumbnails of at most `mostThumbnails` images.
std::shared_ptr<const widgets::ImageTable> imageTable(const std::vector<core::FlippedImage> &flipped, const QStringList &names, std::stop_token stop);

} // namespace app
