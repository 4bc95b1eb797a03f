// The inside of layered_layout: elements (boxes and dummies of trunks) in ranks, and the steps that place them.
#pragma once

#include "widgets/graph/layered_layout.h"

#include <cstddef>
#include <stop_token>
#include <utility>
#include <vector>

namespace widgets::layout {

/// A box, or the place where a trunk passes a rank (box = false).
struct Element {
    bool box = false;
    int rank = 0;
    int place = 0;             ///< within the rank
    double width = 0;
    double x = 0;              ///< centre
    std::vector<int> up, down; ///< elements one rank above and below
};

/// What one trunk does between rank k and k + 1.
struct Link {
    int trunk = 0;
    int upper = 0;
    std::vector<int> lowers;
};

struct Layers {
    std::vector<Element> elements;         ///< the first ones are the boxes
    std::vector<std::vector<int>> ranks;   ///< elements from left to right
    std::vector<std::vector<Link>> gaps;   ///< gap k lies below rank k
    std::vector<std::vector<int>> parents; ///< [trunk][consumer] → element above the consumer; −1 = not drawn in layers
};

void checkStop(const std::stop_token &stop);
inline std::size_t at(int index) { return std::size_t(index); }

/// Ranks, dummies and links.
Layers makeLayers(const LayoutProblem &problem, const std::stop_token &stop);
/// Depth-first order, barycentre sweeps, exchanges of neighbours.
void orderLayers(Layers &layers, const std::stop_token &stop);
std::int64_t countCrossings(const Layers &layers);
/// x of all elements in the ranks first … last − 1; the leftmost edge comes to 0. Returns the width.
double placeRanks(Layers &layers, int first, int last, const LayoutProblem &problem, const std::stop_token &stop);
/// Least distance of the centres of two neighbours.
double distanceApart(const Element &left, const Element &right, const LayoutProblem &problem);
/// Width of the fullest rank when packed.
double narrowestWidth(const Layers &layers, int first, int last, const LayoutProblem &problem);
/// Another way to x, never much wider than the fullest rank: every element near its neighbours, up and down in turns.
double relaxRanks(Layers &layers, int first, int last, const LayoutProblem &problem, const std::stop_token &stop);
/// Ranks at which columns begin (the first is 0).
std::vector<int> chooseColumns(const Layers &layers, const LayoutProblem &problem);
/// Ports, tracks, y, and the lines.
LayoutResult routeLayers(const Layers &layers, const LayoutProblem &problem, const std::vector<int> &columns,
                         const std::vector<double> &widths, const std::stop_token &stop);

} // namespace widgets::layout
