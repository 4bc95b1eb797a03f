// Layered drawing of a directed graph: a pure function, deterministic, cancellable, made for a light thread.
//
// Ranks are longest paths. A tensor is one trunk, however many consumers it has: long trunks get one dummy a rank, shared by all
// consumers further down. The order within ranks starts depth first and is improved by barycentre sweeps (Sugiyama, Tagawa and Toda
// 1981), whose number depends on the size only. Coordinates are Brandes and Köpf's (2001), with the compaction as two longest
// paths over blocks; where several could stand straight under one, the longest chain of boxes wins, so that the main path of a
// residual network is a straight column. Tangles that get far too wide that way are relaxed rank by rank instead. Lines are
// orthogonal; horizontal parts get tracks of their own between the ranks.
#pragma once

#include <QPointF>
#include <QRectF>

#include <stop_token>
#include <vector>

namespace widgets {

struct LayoutProblem {
    struct Box {
        double width = 0, height = 0;
    };
    struct Trunk {
        int source = 0;
        std::vector<int> consumers; ///< boxes, each at most once
    };
    std::vector<Box> boxes;
    std::vector<Trunk> trunks;
    double boxGap = 28;     ///< between neighbours of one rank
    double rankGap = 30;    ///< between ranks, without tracks for horizontal parts
    double lineGap = 9;     ///< between parallel lines
    double portGap = 28;    ///< between lines that end at one box, where its width allows
    double wrapAspect = 0;  ///< > 0: ranks are wrapped into columns for a window of width : height
};

struct LayoutResult {
    using Line = std::vector<QPointF>;
    struct Route {
        std::vector<Line> strokes;  ///< together the drawing of the trunk, shared parts once
        std::vector<Line> branches; ///< one a consumer, from the source's lower edge to the consumer's upper edge
    };
    std::vector<QPointF> centres; ///< of the boxes
    std::vector<int> ranks;
    std::vector<int> columns;
    std::vector<Route> routes;    ///< one a trunk
    QRectF bounds;
    int columnCount = 1;
};

/// Boxes of a cycle are drawn too; the line that closes it goes straight. Throws core::Cancelled.
LayoutResult layeredLayout(const LayoutProblem &problem, std::stop_token stop = {});

} // namespace widgets
