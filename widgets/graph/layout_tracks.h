// Horizontal parts of the lines between two ranks: each gets a track, so that lines cross seldom and never lie on each other.
#pragma once

#include <vector>

namespace widgets::layout {

struct Horizontal {
    double upper = 0;            ///< x where the line comes from above
    std::vector<double> lowers;  ///< x where it goes on below
    double left = 0, right = 0;
    int track = 0;               ///< 0 = nearest to the rank above
};

/// Sets the tracks; returns how many there are.
int assignTracks(std::vector<Horizontal> &lines);

} // namespace widgets::layout
