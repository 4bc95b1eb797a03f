#include "core/session/child_process.h"

#include "core/base/error.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace core {
namespace {

constexpr std::size_t longestLine = 1 << 20;

[[noreturn]] void fail(const std::string &what)
{
    throw Error(ErrorKind::Io, "judge", what);
}

/// Only calls that are allowed between fork and exec.
[[noreturn]] void becomeChild(char *const *arguments, const char *directory, int socket, int errors, int failure)
{
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::dup2(socket, 0) >= 0 && ::dup2(socket, 1) >= 0 && ::dup2(errors, 2) >= 0 && ::dup2(failure, 3) >= 0 && ::chdir(directory) == 0) {
        ::fcntl(3, F_SETFD, FD_CLOEXEC);
        ::close_range(4, ~0u, 0);
        ::execvp(arguments[0], arguments);
    }
    const int error = errno;
    [[maybe_unused]] const auto ignored = ::write(3, &error, sizeof error);
    ::_exit(127);
}

} // namespace

ChildProcess::ChildProcess(const std::vector<std::string> &arguments, const std::filesystem::path &workingDirectory, const std::filesystem::path &errors)
{
    std::vector<char *> raw;
    for (const std::string &argument : arguments)
        raw.push_back(const_cast<char *>(argument.c_str()));
    raw.push_back(nullptr);
    const std::string directory = workingDirectory.string();
    int sockets[2], failure[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        fail(std::string("Cannot make a socket: ") + std::strerror(errno) + ".");
    const int errorFile = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int reason = errorFile < 0 || ::pipe2(failure, O_CLOEXEC) != 0 ? errno : 0;
    if (reason == 0) {
        // The descriptors are moved above 3, so that the child can put each in its place.
        const int childSocket = ::fcntl(sockets[1], F_DUPFD_CLOEXEC, 10), childErrors = ::fcntl(errorFile, F_DUPFD_CLOEXEC, 10),
                  childFailure = ::fcntl(failure[1], F_DUPFD_CLOEXEC, 10);
        m_process = ::fork();
        if (m_process == 0)
            becomeChild(raw.data(), directory.c_str(), childSocket, childErrors, childFailure);
        reason = m_process < 0 ? errno : 0;
        for (const int descriptor : {childSocket, childErrors, childFailure, failure[1]})
            ::close(descriptor);
        int error = 0;
        ssize_t got;
        while ((got = ::read(failure[0], &error, sizeof error)) < 0 && errno == EINTR) {}
        if (got == ssize_t(sizeof error))
            reason = error;
        ::close(failure[0]);
    }
    ::close(sockets[1]);
    if (errorFile >= 0)
        ::close(errorFile);
    m_socket = sockets[0];
    if (reason == 0)
        return;
    if (m_process > 0)
        ::waitpid(m_process, nullptr, 0);
    ::close(m_socket);
    fail("'" + arguments[0] + "' cannot be started: " + std::strerror(reason) + ".");
}

ChildProcess::~ChildProcess()
{
    ::close(m_socket);
    ::kill(-m_process, SIGKILL);
    ::kill(m_process, SIGKILL);
    while (::waitpid(m_process, nullptr, 0) < 0 && errno == EINTR) {}
}

void ChildProcess::wait(short events, std::chrono::steady_clock::time_point end, const Progress &progress)
{
    while (true) {
        progress.checkpoint();
        if (std::chrono::steady_clock::now() >= end)
            fail("The helper program took too long and was stopped.");
        pollfd descriptor{m_socket, events, 0};
        const int ready = ::poll(&descriptor, 1, 50);
        if (ready > 0)
            return;
        if (ready < 0 && errno != EINTR)
            fail(std::string("Cannot wait for the helper program: ") + std::strerror(errno) + ".");
    }
}

void ChildProcess::send(const std::string &line, std::chrono::milliseconds limit, const Progress &progress)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    const std::string text = line + "\n";
    for (std::size_t at = 0; at < text.size();) {
        wait(POLLOUT, end, progress);
        const ssize_t sent = ::send(m_socket, text.data() + at, text.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            at += std::size_t(sent);
        else if (errno != EINTR && errno != EAGAIN)
            fail("The helper program has ended.");
    }
}

std::string ChildProcess::receive(std::chrono::milliseconds limit, const Progress &progress)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
        if (const auto newline = m_received.find('\n'); newline != std::string::npos) {
            std::string line = m_received.substr(0, newline);
            m_received.erase(0, newline + 1);
            return line;
        }
        if (m_received.size() > longestLine)
            fail("The helper program answers nonsense.");
        wait(POLLIN, end, progress);
        char buffer[4096];
        const ssize_t got = ::recv(m_socket, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got > 0)
            m_received.append(buffer, std::size_t(got));
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            fail("The helper program has ended.");
    }
}

} // namespace core
