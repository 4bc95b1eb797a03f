#include "app/cli.h"
#include "app/gui.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <unistd.h>

namespace {

/// GCC's OpenMP lets a thread that waits for another one spin for about 15 ms before it sleeps. Where something else wants the core too, training with
/// small batches, a few hundred waits a step, takes twenty times as long. The setting is read before main(), so the program starts itself anew with a
/// shorter one, unless the user has chosen; where that fails it goes on as it is.
void spinShortly(char **argv)
{
    for (const char *chosen : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"})
        if (std::getenv(chosen))
            return;
    if (setenv("GOMP_SPINCOUNT", "10000", 1) == 0)
        execv("/proc/self/exe", argv);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && std::strcmp(argv[1], "train") == 0)
        spinShortly(argv);
    return app::wantsWindow(argc, argv) ? app::runWindow(argc, argv) : app::runCommandLine(argc, argv);
}
