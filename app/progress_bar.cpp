#include "app/progress_bar.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace app {

namespace {

int terminalColumns()
{
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

std::string progressLine(const core::ProgressReport &r, int columns)
{
    char text[96];
    std::snprintf(text, sizeof text, "%-16.40s ", r.stage.c_str());
    std::string line = text;
    if (r.total > 0) {
        constexpr int cells = 24;
        const int filled = int(cells * std::min(r.done, r.total) / r.total);
        line += '[' + std::string(std::size_t(filled), '#') + std::string(std::size_t(cells - filled), '.') + ']';
        std::snprintf(text, sizeof text, " %lld/%lld", static_cast<long long>(r.done), static_cast<long long>(r.total));
        line += text;
    } else if (r.done > 0) {
        line += std::to_string(r.done);
    }
    if (r.itemsPerSecond > 0) {
        std::snprintf(text, sizeof text, "  %.*f/s", r.itemsPerSecond < 100 ? 1 : 0, r.itemsPerSecond);
        line += text;
    }
    if (r.secondsLeft > 0) {
        const auto seconds = static_cast<long long>(std::ceil(std::min(r.secondsLeft, 3.6e8)));
        std::snprintf(text, sizeof text, "  %lld:%02lld left", seconds / 60, seconds % 60);
        line += text;
    }
    return line.substr(0, std::size_t(std::max(columns - 1, 1)));
}

void ProgressBar::show(const core::ProgressReport &report)
{
    if (!m_visible)
        return;
    std::fprintf(stderr, "\r\033[K%s", progressLine(report, terminalColumns()).c_str());
    std::fflush(stderr);
    m_drawn = true;
}

void ProgressBar::clear()
{
    if (!m_drawn)
        return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    m_drawn = false;
}

} // namespace app
