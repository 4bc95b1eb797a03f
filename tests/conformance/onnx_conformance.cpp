// onnx_conformance [--skips FILE] [--filter TEXT] [--verbose] DIR…
//
// Runs every ONNX backend case below the folders. Cases run in child processes, so that a crash or an endless loop is one
// failed case. Ends with "N passed, N failed, N skipped"; exit code 1 when something failed, 2 for wrong usage.
#include "tests/conformance/conformance_case.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr unsigned secondsPerCase = 120;

struct Skip {
    std::string pattern, reason;
};

// '*' stands for any text.
bool matches(std::string_view text, std::string_view pattern)
{
    if (pattern.empty())
        return text.empty();
    if (pattern.front() == '*') {
        for (std::size_t i = 0; i <= text.size(); ++i)
            if (matches(text.substr(i), pattern.substr(1)))
                return true;
        return false;
    }
    return !text.empty() && text.front() == pattern.front() && matches(text.substr(1), pattern.substr(1));
}

// "pattern  reason" a line; '#' begins a comment line.
std::vector<Skip> readSkips(const fs::path &file)
{
    std::ifstream stream(file);
    if (!stream)
        throw std::runtime_error("Cannot read " + file.string() + ".");
    std::vector<Skip> skips;
    std::string line;
    while (std::getline(stream, line)) {
        std::istringstream words(line);
        Skip skip;
        words >> skip.pattern >> std::ws;
        std::getline(words, skip.reason);
        if (skip.pattern.empty() || skip.pattern.front() == '#')
            continue;
        if (skip.reason.empty())
            throw std::runtime_error(file.string() + ": '" + skip.pattern + "' has no reason.");
        skips.push_back(skip);
    }
    return skips;
}

std::vector<fs::path> findCases(const std::vector<fs::path> &folders, const std::string &filter)
{
    std::vector<fs::path> cases;
    for (const auto &folder : folders) {
        if (!fs::is_directory(folder))
            throw std::runtime_error("There is no folder " + folder.string() + ".");
        if (fs::exists(folder / "model.onnx"))
            cases.push_back(folder);
        for (const auto &entry : fs::recursive_directory_iterator(folder))
            if (entry.path().filename() == "model.onnx" && entry.path().parent_path() != folder)
                cases.push_back(entry.path().parent_path());
    }
    std::erase_if(cases, [&](const fs::path &path) { return path.filename().string().find(filter) == std::string::npos; });
    std::sort(cases.begin(), cases.end());
    return cases;
}

// The child writes one line a case: empty when it passed.
void runChild(const std::vector<fs::path> &cases, std::size_t first, int pipe)
{
    for (std::size_t i = first; i < cases.size(); ++i) {
        alarm(secondsPerCase);
        std::string result;
        try {
            result = runCase(cases[i]);
        } catch (const std::exception &error) {
            result = error.what();
            result = result.substr(0, result.find('\n'));
            if (result.empty())
                result = "an exception without text";
        }
        result += '\n';
        if (write(pipe, result.data(), result.size()) != ssize_t(result.size()))
            break;
    }
    _exit(0);
}

std::string ending(int status)
{
    if (!WIFSIGNALED(status))
        return "the process ended";
    if (WTERMSIG(status) == SIGALRM)
        return "it took more than " + std::to_string(secondsPerCase) + " s";
    return std::string("crash: ") + strsignal(WTERMSIG(status));
}

std::vector<std::string> runAll(const std::vector<fs::path> &cases)
{
    std::vector<std::string> results;
    while (results.size() < cases.size()) {
        int ends[2];
        std::fflush(nullptr);
        if (pipe(ends) != 0)
            throw std::runtime_error("Cannot make a pipe.");
        const pid_t child = fork();
        if (child < 0)
            throw std::runtime_error("Cannot start a process.");
        if (child == 0) {
            close(ends[0]);
            runChild(cases, results.size(), ends[1]);
        }
        close(ends[1]);
        FILE *stream = fdopen(ends[0], "r");
        char *line = nullptr;
        std::size_t capacity = 0;
        for (ssize_t length = getline(&line, &capacity, stream); length > 0 && results.size() < cases.size(); length = getline(&line, &capacity, stream))
            results.emplace_back(line, std::size_t(length) - 1);
        std::free(line);
        std::fclose(stream);
        int status = 0;
        waitpid(child, &status, 0);
        if (results.size() < cases.size())
            results.push_back(ending(status));
    }
    return results;
}

struct Options {
    std::vector<fs::path> folders;
    std::vector<Skip> skips;
    std::string filter;
    bool verbose = false;
};

Options parse(int argc, char **argv)
{
    Options options;
    const auto value = [&](int &i) {
        if (i + 1 >= argc)
            throw std::runtime_error(std::string(argv[i]) + " needs a value.");
        return std::string(argv[++i]);
    };
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--skips")
            options.skips = readSkips(value(i));
        else if (argument == "--filter")
            options.filter = value(i);
        else if (argument == "--verbose")
            options.verbose = true;
        else if (argument.starts_with("--"))
            throw std::runtime_error("Unknown option " + argument + ".");
        else
            options.folders.push_back(argument);
    }
    if (options.folders.empty())
        throw std::runtime_error("Usage: onnx_conformance [--skips FILE] [--filter TEXT] [--verbose] DIR…");
    return options;
}

int run(Options options)
{
    std::size_t passed = 0, failed = 0, skipped = 0;
    std::vector<fs::path> cases;
    for (const auto &path : findCases(options.folders, options.filter)) {
        const auto skip = std::find_if(options.skips.begin(), options.skips.end(),
                                       [&](const Skip &candidate) {
                                           const bool whole = candidate.pattern.find('/') != std::string::npos;
                                           return matches(whole ? path.string() : path.filename().string(), candidate.pattern);
                                       });
        if (skip == options.skips.end()) {
            cases.push_back(path);
            continue;
        }
        ++skipped;
        if (options.verbose)
            std::cout << "skip " << path.filename().string() << ": " << skip->reason << '\n';
    }
    const auto results = runAll(cases);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        ++(results[i].empty() ? passed : failed);
        if (!results[i].empty())
            std::cout << "FAIL " << cases[i].filename().string() << ": " << results[i] << '\n';
        else if (options.verbose)
            std::cout << "pass " << cases[i].filename().string() << '\n';
    }
    if (passed + failed + skipped == 0)
        throw std::runtime_error("There is no case below the given folders.");
    std::cout << passed << " passed, " << failed << " failed, " << skipped << " skipped" << std::endl;
    return failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    try {
        return run(parse(argc, argv));
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 2;
    }
}
