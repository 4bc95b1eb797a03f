// The rules behind diagnose(), and what they share.
#pragma once

#include "core/analysis/doctor.h"

#include <string>
#include <utility>
#include <vector>

namespace core {

struct DoctorContext {
    const DoctorInput &in;
    TargetProfile target;
    std::vector<NodeId> producers;                     ///< by ValueId::index, of `prepared`
    std::vector<std::vector<Graph::Use>> uses;
    bool fresh = false;                                ///< the report was made with this very recipe
    std::vector<const LayerRow *> rows;                ///< by point; only where the row was made with the scheme that stands there now
    std::vector<Finding> findings;

    explicit DoctorContext(const DoctorInput &input);

    const std::string &nameOf(ValueId id) const { return in.prepared.value(id).name; }
    const std::string &nameOf(NodeId id) const { return in.prepared.node(id).name; }
    const TensorStatistics *statistics(ValueId id) const;
    /// The specs that decide about a point's scheme, in a recipe's own settings.
    QuantizationSpec &specOf(Recipe &recipe, const Point &point) const;
    /// Adds the remedy when the recipe can be placed, else leaves the finding without one.
    void offer(Finding &finding, std::string fix, Recipe remedy) const;
};

/// A figure about a node; rules list the worst first.
struct Measured {
    double figure = 0;
    NodeId node;
    const Point *point = nullptr;
    std::string text;                                  ///< "Conv_12 23×"
};
void sortWorstFirst(std::vector<Measured> &list);
/// "Conv_12 23×, Conv_3 11× and 12 more".
std::string listed(const std::vector<Measured> &list, std::size_t most = 3);
std::vector<NodeId> nodesOf(const std::vector<Measured> &list);
std::string counted(std::size_t count, const std::string &one, const std::string &many);
/// Three significant digits.
std::string figureText(double value);

void findChannelRanges(DoctorContext &context);
void findDeadChannels(DoctorContext &context);
void findBiasOverflow(DoctorContext &context);
void findJoinedConcats(DoctorContext &context);
void findSaturation(DoctorContext &context);
void findOutliers(DoctorContext &context);
void findLowSqnr(DoctorContext &context);
void findPreprocessing(DoctorContext &context);
void findFewImages(DoctorContext &context);
void findUnusedRules(DoctorContext &context);
void findOtherDiagnostics(DoctorContext &context);

} // namespace core
