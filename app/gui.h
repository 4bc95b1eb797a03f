// The program with a window.
#pragma once

namespace app {

/// `quantscope window …`; and, where there is a display, no argument at all or a model or project to open.
bool wantsWindow(int argc, char **argv);
/// quantscope [window] [--sample] [--new] [FILE]. --new: without the question about what a crash left.
int runWindow(int argc, char **argv);

} // namespace app
