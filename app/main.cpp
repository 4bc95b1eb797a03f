#include "app/cli.h"
#include "app/gui.h"

int main(int argc, char **argv)
{
    return app::wantsWindow(argc, argv) ? app::runWindow(argc, argv) : app::runCommandLine(argc, argv);
}
