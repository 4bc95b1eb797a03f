// One command from start to exit code: the only place of the program that catches exceptions.
#pragma once

namespace app {

int runCommandLine(int argc, char **argv);

} // namespace app
