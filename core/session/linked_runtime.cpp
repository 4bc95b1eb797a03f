#include "core/session/foreign_runtime.h"

#include "core/base/error.h"

#ifdef QUANTSCOPE_HAVE_ONNXRUNTIME

#include <ATen/ATen.h>

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <onnxruntime_c_api.h>
#include <unistd.h>

namespace core {
namespace {

const OrtApi *api()
{
    static const OrtApi *const made = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    return made;
}

void check(OrtStatus *status)
{
    if (!status)
        return;
    const std::string message = api()->GetErrorMessage(status);
    api()->ReleaseStatus(status);
    throw Error(ErrorKind::Io, "judge", message);
}

/// Owns one object of the C interface.
template <class T>
struct Handle {
    T *object = nullptr;
    void (*release)(T *);
    explicit Handle(void (*with)(T *)) : release(with) {}
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle()
    {
        if (object)
            release(object);
    }
};

struct ElementType { ONNXTensorElementDataType code; at::ScalarType type; };
constexpr ElementType elementTypes[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, at::kFloat}, {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, at::kDouble},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, at::kHalf}, {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, at::kLong},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, at::kInt}, {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, at::kShort},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, at::kChar}, {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, at::kByte},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, at::kBool}};

at::ScalarType scalarType(ONNXTensorElementDataType code)
{
    for (const ElementType &known : elementTypes)
        if (known.code == code)
            return known.type;
    throw Error(ErrorKind::Unsupported, "judge", "ONNX Runtime uses elements of type " + std::to_string(int(code)) + ", which is not handed over.");
}

ONNXTensorElementDataType elementType(at::ScalarType type)
{
    for (const ElementType &known : elementTypes)
        if (known.type == type)
            return known.code;
    throw Error(ErrorKind::Unsupported, "judge", std::string("A tensor of type ") + toString(type) + " cannot be handed over.");
}

/// Debian 13's package prints hundreds of lines about its own schemas ("already registered") when it loads the first model.
class SilencedErrors {
public:
    SilencedErrors() : m_kept(::dup(STDERR_FILENO))
    {
        std::fflush(stderr);
        if (const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) {
            ::dup2(nowhere, STDERR_FILENO);
            ::close(nowhere);
        }
    }
    SilencedErrors(const SilencedErrors &) = delete;
    SilencedErrors &operator=(const SilencedErrors &) = delete;
    ~SilencedErrors()
    {
        if (m_kept >= 0) {
            ::dup2(m_kept, STDERR_FILENO);
            ::close(m_kept);
        }
    }

private:
    int m_kept;
};

class LinkedRuntime : public ForeignRuntime {
public:
    LinkedRuntime(const std::filesystem::path &file, const ForeignRuntimeOptions &options)
    {
        check(api()->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "quantscope", &m_env.object));
        Handle<OrtSessionOptions> session(api()->ReleaseSessionOptions);
        check(api()->CreateSessionOptions(&session.object));
        check(api()->SetIntraOpNumThreads(session.object, options.threads));
        std::string disabled;
        for (const std::string &name : options.disabledOptimizers)
            disabled += (disabled.empty() ? "" : ";") + name;
        if (!disabled.empty())
            check(api()->AddSessionConfigEntry(session.object, "optimization.disable_specified_optimizers", disabled.c_str()));
        {
            const SilencedErrors silence;
            check(api()->CreateSession(m_env.object, file.c_str(), session.object, &m_session.object));
        }
        check(api()->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m_memory.object));
        OrtAllocator *allocator = nullptr;
        check(api()->GetAllocatorWithDefaultOptions(&allocator));
        const auto take = [&](std::vector<std::string> &names, auto count, auto name) {
            std::size_t total = 0;
            check(count(m_session.object, &total));
            for (std::size_t i = 0; i < total; ++i) {
                char *text = nullptr;
                check(name(m_session.object, i, allocator, &text));
                names.emplace_back(text);
                check(api()->AllocatorFree(allocator, text));
            }
        };
        take(m_inputs, api()->SessionGetInputCount, api()->SessionGetInputName);
        take(m_outputs, api()->SessionGetOutputCount, api()->SessionGetOutputName);
        for (std::size_t i = 0; i < m_inputs.size(); ++i) {
            Handle<OrtTypeInfo> info(api()->ReleaseTypeInfo);
            check(api()->SessionGetInputTypeInfo(m_session.object, i, &info.object));
            const OrtTensorTypeAndShapeInfo *tensor = nullptr;
            ONNXTensorElementDataType code = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
            check(api()->CastTypeInfoToTensorInfo(info.object, &tensor));
            if (tensor)
                check(api()->GetTensorElementType(tensor, &code));
            m_types.push_back(scalarType(code));
        }
    }

    std::string name() const override { return std::string("ONNX Runtime ") + OrtGetApiBase()->GetVersionString(); }

    std::vector<at::Tensor> run(std::span<const at::Tensor> inputs, const Progress &progress) override
    {
        progress.checkpoint();
        if (inputs.size() != m_inputs.size())
            throw Error(ErrorKind::Io, "judge", "The file has " + std::to_string(m_inputs.size()) + " inputs, not " + std::to_string(inputs.size()) + ".");
        std::vector<at::Tensor> kept;
        std::vector<std::unique_ptr<Handle<OrtValue>>> owned;
        std::vector<const OrtValue *> feeds;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            kept.push_back(inputs[i].to(m_types[i]).contiguous());
            owned.push_back(std::make_unique<Handle<OrtValue>>(api()->ReleaseValue));
            check(api()->CreateTensorWithDataAsOrtValue(m_memory.object, kept[i].data_ptr(), kept[i].nbytes(), kept[i].sizes().data(), std::size_t(kept[i].dim()),
                                                        elementType(m_types[i]), &owned[i]->object));
            feeds.push_back(owned[i]->object);
        }
        std::vector<OrtValue *> results(m_outputs.size(), nullptr);
        const std::vector<const char *> in = pointers(m_inputs), out = pointers(m_outputs);
        check(api()->Run(m_session.object, nullptr, in.data(), feeds.data(), feeds.size(), out.data(), out.size(), results.data()));
        for (OrtValue *result : results) {
            owned.push_back(std::make_unique<Handle<OrtValue>>(api()->ReleaseValue));
            owned.back()->object = result;
        }
        std::vector<at::Tensor> outputs;
        for (OrtValue *result : results)
            outputs.push_back(copied(result));
        return outputs;
    }

private:
    static std::vector<const char *> pointers(const std::vector<std::string> &names)
    {
        std::vector<const char *> raw;
        for (const std::string &name : names)
            raw.push_back(name.c_str());
        return raw;
    }

    static at::Tensor copied(OrtValue *value)
    {
        Handle<OrtTensorTypeAndShapeInfo> info(api()->ReleaseTensorTypeAndShapeInfo);
        check(api()->GetTensorTypeAndShape(value, &info.object));
        ONNXTensorElementDataType code;
        std::size_t rank = 0;
        check(api()->GetTensorElementType(info.object, &code));
        check(api()->GetDimensionsCount(info.object, &rank));
        std::vector<std::int64_t> dims(rank);
        check(api()->GetDimensions(info.object, dims.data(), rank));
        const at::ScalarType type = scalarType(code);
        at::Tensor tensor = at::empty(dims, type);
        void *data = nullptr;
        check(api()->GetTensorMutableData(value, &data));
        if (tensor.nbytes() > 0)
            std::memcpy(tensor.data_ptr(), data, tensor.nbytes());
        return type == at::kHalf ? tensor.to(at::kFloat) : tensor;
    }

    Handle<OrtEnv> m_env{api()->ReleaseEnv};
    Handle<OrtSession> m_session{api()->ReleaseSession};
    Handle<OrtMemoryInfo> m_memory{api()->ReleaseMemoryInfo};
    std::vector<std::string> m_inputs, m_outputs;
    std::vector<at::ScalarType> m_types;
};

} // namespace

bool hasLinkedRuntime() { return true; }

std::unique_ptr<ForeignRuntime> openLinkedRuntime(const std::filesystem::path &file, const ForeignRuntimeOptions &options, NoRuntime &why)
{
    if (!api()) {
        why = {"The ONNX Runtime library is older than the one this program was built with.", false};
        return {};
    }
    try {
        return std::make_unique<LinkedRuntime>(file, options);
    } catch (const Error &error) {
        why = {"ONNX Runtime refuses the file: " + error.sentence(), true};
        return {};
    }
}

} // namespace core

#else

namespace core {

bool hasLinkedRuntime() { return false; }

std::unique_ptr<ForeignRuntime> openLinkedRuntime(const std::filesystem::path &, const ForeignRuntimeOptions &, NoRuntime &why)
{
    why = {"This program was built without ONNX Runtime.", false};
    return {};
}

} // namespace core

#endif
