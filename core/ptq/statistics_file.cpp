#include "core/ptq/calibrator.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <type_traits>

namespace core {
namespace {

constexpr char magic[8] = {'Q', 'S', 'S', 'T', 'A', 'T', '0', '1'};

/// FNV-1a, 64 bits.
class Hash {
public:
    void bytes(const void *data, std::size_t size)
    {
        const auto *p = static_cast<const unsigned char *>(data);
        for (std::size_t i = 0; i < size; ++i)
            m_state = (m_state ^ p[i]) * 0x100000001b3ull;
    }
    void text(const std::string &value)
    {
        number(std::int64_t(value.size()));
        bytes(value.data(), value.size());
    }
    void number(std::int64_t value) { bytes(&value, sizeof value); }
    std::string hex() const
    {
        char buffer[17];
        std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(m_state));
        return buffer;
    }

private:
    std::uint64_t m_state = 0xcbf29ce484222325ull;
};

void hashTensor(Hash &hash, const TensorData &data)
{
    hash.number(std::int64_t(data.type));
    for (std::int64_t dim : data.dims)
        hash.number(dim);
    if (data.bytes)
        hash.bytes(data.bytes->data(), data.bytes->size());
    if (data.strings)
        for (const std::string &value : *data.strings)
            hash.text(value);
}

void hashAttribute(Hash &hash, const AttributeValue &attribute)
{
    hash.number(std::int64_t(attribute.index()));
    std::visit(
        [&hash](const auto &value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::int64_t>)
                hash.number(value);
            else if constexpr (std::is_same_v<T, float>)
                hash.bytes(&value, sizeof value);
            else if constexpr (std::is_same_v<T, std::string>)
                hash.text(value);
            else if constexpr (std::is_same_v<T, std::vector<std::int64_t>> || std::is_same_v<T, std::vector<float>>)
                hash.bytes(value.data(), value.size() * sizeof(value[0]));
            else if constexpr (std::is_same_v<T, std::vector<std::string>>)
                for (const std::string &item : value)
                    hash.text(item);
            else if constexpr (std::is_same_v<T, TensorData>)
                hashTensor(hash, value);
            else if constexpr (std::is_same_v<T, OpaqueProto>)
                hash.text(value.serialized);
            else if (value)
                for (NodeId id : value->order())
                    hash.text(value->node(id).opType);
        },
        attribute);
}

class Writer {
public:
    template <class T>
    void put(const T &value)
    {
        static_assert(std::is_trivially_copyable_v<T>);
        m_bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
    }
    void text(const std::string &value)
    {
        put(std::uint64_t(value.size()));
        m_bytes += value;
    }
    std::string take() { return std::move(m_bytes); }

private:
    std::string m_bytes;
};

[[noreturn]] void broken()
{
    throw Error(ErrorKind::InvalidInput, "statistics", "The statistics file is truncated or damaged; calibrate again.");
}

class Reader {
public:
    explicit Reader(const std::string &bytes) : m_bytes(bytes) {}
    template <class T>
    T get()
    {
        T value;
        if (m_bytes.size() - m_at < sizeof value)
            broken();
        std::memcpy(&value, m_bytes.data() + m_at, sizeof value);
        m_at += sizeof value;
        return value;
    }
    std::uint64_t count(std::size_t bytesEach)
    {
        const auto value = get<std::uint64_t>();
        if (value > (m_bytes.size() - m_at) / bytesEach)
            broken();
        return value;
    }
    std::string text()
    {
        const std::uint64_t size = count(1);
        std::string value = m_bytes.substr(m_at, size);
        m_at += size;
        return value;
    }
    bool atEnd() const { return m_at == m_bytes.size(); }

private:
    const std::string &m_bytes;
    std::size_t m_at = 0;
};

void put(Writer &out, const TensorStatistics &s)
{
    out.put(std::int32_t(s.histogram.exponent));
    std::size_t first = 0, last = s.histogram.counts.size();
    while (first < last && s.histogram.counts[first] == 0)
        ++first;
    while (last > first && s.histogram.counts[last - 1] == 0)
        --last;
    out.put(std::uint64_t(s.histogram.counts.size()));
    out.put(std::uint64_t(first));
    out.put(std::uint64_t(last - first));
    for (std::size_t i = first; i < last; ++i)
        out.put(s.histogram.counts[i]);
    out.put(s.min);
    out.put(s.max);
    for (const ExactSum *sum : {&s.sum, &s.sumOfSquares, &s.sumOfImageMin, &s.sumOfImageMax})
        out.put(sum->limbs);
    for (std::uint64_t number : {s.count, s.zeros, s.images, s.notFinite})
        out.put(number);
    out.put(std::int32_t(s.channelAxis));
    out.put(std::uint64_t(s.channels.size()));
    for (const ChannelStatistics &channel : s.channels) {
        out.put(channel.min);
        out.put(channel.max);
        out.put(channel.sum.limbs);
        out.put(channel.count);
    }
}

void getSum(Reader &in, ExactSum &sum)
{
    for (std::int64_t &limb : sum.limbs)
        limb = in.get<std::int64_t>();
}

TensorStatistics getStatistics(Reader &in)
{
    TensorStatistics s;
    s.histogram.exponent = in.get<std::int32_t>();
    const auto size = in.get<std::uint64_t>(), first = in.get<std::uint64_t>(), used = in.count(sizeof(std::uint64_t));
    if ((size != 0 && size != std::uint64_t(2 * Histogram::halfBins)) || first > size || used > size - first)
        broken();
    s.histogram.counts.resize(size);
    for (std::uint64_t i = 0; i < used; ++i)
        s.histogram.counts[first + i] = in.get<std::uint64_t>();
    s.min = in.get<float>();
    s.max = in.get<float>();
    for (ExactSum *sum : {&s.sum, &s.sumOfSquares, &s.sumOfImageMin, &s.sumOfImageMax})
        getSum(in, *sum);
    for (std::uint64_t *number : {&s.count, &s.zeros, &s.images, &s.notFinite})
        *number = in.get<std::uint64_t>();
    s.channelAxis = in.get<std::int32_t>();
    s.channels.resize(in.count(2 * sizeof(float) + sizeof(ExactSum::limbs) + sizeof(std::uint64_t)));
    for (ChannelStatistics &channel : s.channels) {
        channel.min = in.get<float>();
        channel.max = in.get<float>();
        getSum(in, channel.sum);
        channel.count = in.get<std::uint64_t>();
    }
    return s;
}

} // namespace

StatisticsKey statisticsKey(const Graph &graph, const TransformSpec &transform, const std::string &dataFingerprint)
{
    Hash structure, weights, image;
    const auto name = [&](ValueId id) { return id.valid() ? graph.value(id).name : std::string(); };
    for (ValueId id : graph.inputs)
        structure.text(name(id));
    for (ValueId id : graph.outputs)
        structure.text(name(id));
    for (NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        structure.text(node.domain + "." + node.opType);
        for (ValueId input : node.inputs)
            structure.text(name(input));
        for (ValueId output : node.outputs)
            structure.text(name(output));
        for (const auto &[key, value] : node.attributes) {
            structure.text(key);
            hashAttribute(structure, value);
        }
    }
    std::map<std::string, const TensorData *> sorted;
    for (const auto &[id, data] : graph.constants())
        sorted.emplace(name(id), &data);
    for (const auto &[key, data] : sorted) {
        weights.text(key);
        hashTensor(weights, *data);
    }
    for (int number : {int(transform.resize), transform.resizeTo, transform.width, transform.height, int(transform.centerCrop), int(transform.order),
                       int(transform.resampling), int(transform.exifRotation), transform.padColor[0], transform.padColor[1], transform.padColor[2]})
        image.number(number);
    image.bytes(transform.mean.data(), sizeof transform.mean);
    image.bytes(transform.stddev.data(), sizeof transform.stddev);
    image.bytes(&transform.divisor, sizeof transform.divisor);
    return {structure.hex(), weights.hex(), image.hex(), dataFingerprint};
}

std::string serializeStatistics(const StatisticsKey &key, const Graph &graph, const CalibrationResult &result)
{
    Writer out;
    out.put(magic);
    for (const std::string *part : {&key.graph, &key.weights, &key.transform, &key.data})
        out.text(*part);
    out.put(result.images);
    std::map<std::string, const TensorStatistics *> sorted;
    for (const auto &[value, statistics] : result.statistics)
        sorted.emplace(graph.value(value).name, &statistics);
    out.put(std::uint64_t(sorted.size()));
    for (const auto &[name, statistics] : sorted) {
        out.text(name);
        put(out, *statistics);
    }
    return out.take();
}

CalibrationResult parseStatistics(const std::string &bytes, const StatisticsKey &expected, const Graph &graph)
{
    Reader in(bytes);
    char found[8];
    for (char &c : found)
        c = in.get<char>();
    if (std::memcmp(found, magic, sizeof magic) != 0)
        throw Error(ErrorKind::InvalidInput, "statistics", "The file does not hold calibration statistics of this program.");
    StatisticsKey key;
    for (std::string *part : {&key.graph, &key.weights, &key.transform, &key.data})
        *part = in.text();
    std::string differs;
    const auto compare = [&differs](const std::string &a, const std::string &b, const char *what) {
        if (a != b)
            differs += (differs.empty() ? "" : ", ") + std::string(what);
    };
    compare(key.graph, expected.graph, "the graph");
    compare(key.weights, expected.weights, "the weights");
    compare(key.transform, expected.transform, "the image transform");
    if (!expected.data.empty())
        compare(key.data, expected.data, "the calibration images");
    if (!differs.empty())
        throw Error(ErrorKind::InvalidInput, "statistics", "The saved statistics are stale: " + differs + " changed since they were made; calibrate again.");
    CalibrationResult result;
    result.images = in.get<std::int64_t>();
    const std::uint64_t tensors = in.count(16);
    for (std::uint64_t i = 0; i < tensors; ++i) {
        const std::string name = in.text();
        TensorStatistics statistics = getStatistics(in);
        if (const ValueId value = graph.findValue(name); value.valid())
            result.statistics.emplace(value, std::move(statistics));
    }
    if (!in.atEnd())
        broken();
    return result;
}

} // namespace core
