// A helper program with a line protocol over its stdin and stdout. No shell; killed with its owner.
#pragma once

#include "core/base/progress.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace core {

class ChildProcess {
public:
    /// arguments[0] is looked up in PATH. stderr goes to `errors`. Throws Error{Io} when it cannot be started.
    ChildProcess(const std::vector<std::string> &arguments, const std::filesystem::path &workingDirectory, const std::filesystem::path &errors);
    /// Kills it if it still runs.
    ~ChildProcess();
    ChildProcess(const ChildProcess &) = delete;
    ChildProcess &operator=(const ChildProcess &) = delete;

    /// Both throw Error{Io} when the child has ended or `limit` is over, and Cancelled when stop is requested meanwhile.
    void send(const std::string &line, std::chrono::milliseconds limit, const Progress &progress);
    std::string receive(std::chrono::milliseconds limit, const Progress &progress);

private:
    void wait(short events, std::chrono::steady_clock::time_point end, const Progress &progress);

    int m_process = -1, m_socket = -1;
    std::string m_received;
};

} // namespace core
