#include "core/session/foreign_exceptions.h"

#include "core/base/progress.h"

#include <c10/util/Exception.h>
#include <opencv2/core.hpp>

#include <filesystem>
#include <new>

namespace core {
namespace {

std::string sentence(std::string text)
{
    text = text.substr(0, text.find("\nException raised from"));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return text.empty() ? "Something unknown went wrong." : text.ends_with('.') ? text : text + ".";
}

} // namespace

void rethrowAsError(const std::string &operation)
{
    try {
        throw;
    } catch (const Cancelled &) {
        throw;
    } catch (const Error &) {
        throw;
    } catch (const c10::Error &error) {
        const std::string text = error.what_without_backtrace();
        if (text.find("allocate") != std::string::npos && text.find("memory") != std::string::npos)
            throw Error(ErrorKind::InvalidInput, operation, "There is not enough memory: " + sentence(text) + " Try a smaller --batch.");
        throw Error(ErrorKind::Internal, operation, "LibTorch reports: " + sentence(text));
    } catch (const cv::Exception &error) {
        throw Error(ErrorKind::Internal, operation, "OpenCV reports: " + sentence(error.err));
    } catch (const std::bad_alloc &) {
        throw Error(ErrorKind::InvalidInput, operation, "There is not enough memory. Try a smaller --batch.");
    } catch (const std::filesystem::filesystem_error &error) {
        throw Error(ErrorKind::Io, operation, sentence(error.what()));
    } catch (const std::exception &error) {
        throw Error(ErrorKind::Internal, operation, sentence(error.what()));
    } catch (...) {
        throw Error(ErrorKind::Internal, operation, "Something unknown was thrown.");
    }
}

} // namespace core
