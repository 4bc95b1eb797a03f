// What the items of a scene share; the scene owns it and is the only one to change it.
#pragma once

#include "widgets/graph/graph_style.h"

#include <map>
#include <vector>

namespace widgets {

struct SceneState {
    std::shared_ptr<const DrawnGraph> drawing;
    std::shared_ptr<const LayerTable> facts;
    std::vector<BoxLook> looks;                       ///< by box
    std::vector<bool> selected;                       ///< by box
    int current = -1;                                 ///< box
    Theme theme = Theme::light();
    Overlay overlay = Overlay::Operator;
    GraphFonts fonts = GraphFonts::make();
    int textGeneration = 0;                           ///< texts prepared under an older one are out of date
    std::vector<QuantizerMark> marks;
    std::map<std::pair<core::NodeId, int>, std::size_t> markOf; ///< (consumer, input); outputs: (none, −1 − value)
    bool forceNear = false;                           ///< exports show everything

    DetailLevel level(double scale, bool compact) const
    {
        if (forceNear)
            return DetailLevel::Near;
        const double height = scale * (compact ? 28 : 46);
        return height < 9 ? DetailLevel::Tiny : height < (compact ? 17 : 25) ? DetailLevel::Middle : DetailLevel::Near;
    }
};

} // namespace widgets
