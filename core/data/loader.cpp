#include "core/data/loader.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

namespace core {
namespace {

bool isUnreadable(const Error &error) { return error.kind() == ErrorKind::Io || error.kind() == ErrorKind::InvalidInput; }

/// N samples of one input → N×…; C×H×W becomes channels_last. Plain copies: at::stack would start threads of its own.
at::Tensor stack(const std::vector<Sample> &samples, std::size_t input)
{
    const at::Tensor &first = samples.front().inputs[input];
    std::vector<std::int64_t> sizes = first.sizes().vec();
    sizes.insert(sizes.begin(), std::int64_t(samples.size()));
    const bool image = first.dim() == 3 && first.is_floating_point();
    const at::Tensor batch = at::empty(sizes, first.options().memory_format(image ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
    const std::size_t bytes = std::size_t(first.numel()) * std::size_t(first.element_size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const at::Tensor &sample = samples[i].inputs[input];
        at::Tensor place = batch.select(0, std::int64_t(i));
        if (sample.strides() == place.strides() || (sample.is_contiguous() && place.is_contiguous()))
            std::memcpy(place.data_ptr(), sample.data_ptr(), bytes);
        else
            place.copy_(sample);
    }
    return batch;
}

struct Work {
    std::vector<std::optional<Sample>> samples;
    std::vector<std::string> failures;   ///< empty = read
    std::size_t open = 0;                ///< samples not finished
    Batch batch;
    bool ready = false;
};

} // namespace

struct Loader::State {
    State(const Dataset &data, int size, int threads, int ahead)
        : dataset(data)
        , batchSize(std::size_t(size))
        , prefetch(std::size_t(std::max(ahead, 1)))
        , batches((data.size() + batchSize - 1) / batchSize)
    {
        const std::size_t wish = threads > 0 ? std::size_t(threads) : std::max(1u, std::thread::hardware_concurrency());
        const std::size_t useful = std::min({wish, data.size(), batchSize * prefetch, std::size_t(256)});
        for (std::size_t i = 0; i < useful; ++i)
            workers.emplace_back([this] { work(); });
    }

    ~State()
    {
        {
            const std::lock_guard lock(mutex);
            stopped = true;
        }
        mayWork.notify_all();
        workers.clear();
    }

    std::size_t countOf(std::size_t number) const { return std::min(batchSize, dataset.size() - number * batchSize); }

    void work()
    {
        at::NoGradGuard noGrad;
        std::unique_lock lock(mutex);
        for (;;) {
            mayWork.wait(lock, [this] { return stopped || nextSample == dataset.size() || nextSample / batchSize < delivered + prefetch; });
            if (stopped || nextSample == dataset.size())
                return;
            const std::size_t index = nextSample++, number = index / batchSize;
            if (number == firstWaiting + waiting.size()) {
                waiting.emplace_back();
                waiting.back().open = countOf(number);
                waiting.back().samples.resize(countOf(number));
                waiting.back().failures.resize(countOf(number));
            }
            Work &mine = waiting[number - firstWaiting];           // a deque keeps references while its ends change
            const std::size_t place = index % batchSize;
            lock.unlock();
            std::exception_ptr problem = loadOne(mine, index, place);
            lock.lock();
            if (!problem && --mine.open == 0) {
                lock.unlock();
                problem = assemble(mine, number);
                lock.lock();
                mine.ready = !problem;
                mayTake.notify_all();
            }
            if (problem) {
                if (!failure)
                    failure = problem;
                stopped = true;
                mayWork.notify_all();
                mayTake.notify_all();
                return;
            }
        }
    }

    std::exception_ptr loadOne(Work &mine, std::size_t index, std::size_t place) const
    {
        try {
            mine.samples[place] = dataset.load(index);
        } catch (const Error &error) {
            if (!isUnreadable(error))
                return std::current_exception();
            mine.failures[place] = error.sentence();
        } catch (...) {
            return std::current_exception();
        }
        return nullptr;
    }

    std::exception_ptr assemble(Work &mine, std::size_t number) const
    try {
        std::vector<Sample> good;
        for (std::size_t i = 0; i < mine.samples.size(); ++i) {
            if (!mine.samples[i])
                continue;
            mine.batch.indices.push_back(number * batchSize + i);
            mine.batch.labels.push_back(mine.samples[i]->label);
            good.push_back(std::move(*mine.samples[i]));
            const std::vector<at::Tensor> &first = good.front().inputs, &inputs = good.back().inputs;
            for (std::size_t k = 0; k < inputs.size() || k < first.size(); ++k)
                if (k >= inputs.size() || k >= first.size() || inputs[k].sizes() != first[k].sizes() || inputs[k].dtype() != first[k].dtype())
                    throw Error(ErrorKind::InvalidInput, "data",
                                "'" + dataset.describe(mine.batch.indices.front()) + "' and '" + dataset.describe(mine.batch.indices.back())
                                    + "' give inputs of different shape; all samples must have one shape.");
        }
        mine.samples.clear();
        for (std::size_t k = 0; !good.empty() && k < good.front().inputs.size(); ++k)
            mine.batch.inputs.push_back(stack(good, k));
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }

    std::optional<Batch> next()
    {
        std::unique_lock lock(mutex);
        while (delivered < batches) {
            mayTake.wait(lock, [this] { return failure || (!waiting.empty() && waiting.front().ready); });
            if (waiting.empty() || !waiting.front().ready)
                std::rethrow_exception(failure);
            Work done = std::move(waiting.front());
            waiting.pop_front();
            ++firstWaiting;
            const std::size_t first = delivered++ * batchSize;
            mayWork.notify_all();
            for (std::size_t i = 0; i < done.failures.size(); ++i)
                if (!done.failures[i].empty())
                    skipped.push_back({Severity::Warning, "unreadable-sample", dataset.describe(first + i), done.failures[i]});
            if (!done.batch.indices.empty())
                return std::move(done.batch);
        }
        if (!skipped.empty() && skipped.size() == dataset.size())
            throw Error(ErrorKind::Io, "data",
                        "None of the " + std::to_string(skipped.size()) + " samples can be read. The first: " + skipped.front().sentence);
        return {};
    }

    const Dataset &dataset;
    const std::size_t batchSize, prefetch, batches;
    std::mutex mutex;
    std::condition_variable mayWork, mayTake;
    std::deque<Work> waiting;            ///< batches begun and not delivered
    std::size_t firstWaiting = 0;        ///< number of waiting.front()
    std::size_t nextSample = 0, delivered = 0;
    bool stopped = false;
    std::exception_ptr failure;
    Diagnostics skipped;
    std::vector<std::jthread> workers;   ///< last: joined before anything above is gone
};

Loader::Loader(const Dataset &dataset, int batchSize, int threads, int prefetch)
{
    if (batchSize < 1)
        throw Error(ErrorKind::InvalidInput, "data", "A batch of " + std::to_string(batchSize) + " images is not possible; it must be 1 or more.");
    m_state = std::make_unique<State>(dataset, batchSize, threads, prefetch);
}

Loader::~Loader() = default;

std::optional<Batch> Loader::next() { return m_state->next(); }

const Diagnostics &Loader::skipped() const { return m_state->skipped; }

at::Tensor filledBatch(const at::Tensor &tensor, std::int64_t size)
{
    if (tensor.dim() == 0 || tensor.size(0) >= size)
        return tensor;
    std::vector<std::int64_t> repeat(std::size_t(tensor.dim()), 1);
    repeat[0] = size - tensor.size(0);
    return at::cat({tensor, tensor.slice(0, tensor.size(0) - 1).repeat(repeat)});
}

} // namespace core
