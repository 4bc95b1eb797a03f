// The boxes of a GraphView for screen readers: each is a child of the view with name, state and place.
#pragma once

#include "widgets/graph/scene_state.h"

#include <QString>

namespace widgets {

class GraphView;

void installGraphAccessibility();
/// "Conv_12, Conv, i8t, Activation SQNR 9.6 dB, among the worst tenth, selected".
QString boxDescription(const SceneState &state, int box);
/// Tells assistive technology that this box has the focus.
void announceBox(GraphView &view, int box);

} // namespace widgets
