#include "core/data/tensor_dataset.h"

#include "core/base/atomic_file.h"
#include "core/data/fingerprint.h"
#include "core/data/image_change.h"
#include "core/data/image_decode.h"
#include "core/data/label_file.h"
#include "core/data/selection.h"
#include "core/data/stored_array.h"
#include "core/data/transform.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace core {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, "data", sentence);
}

/// nullopt when the content is none of the three formats.
std::optional<std::vector<StoredArray>> readArrays(const fs::path &path)
{
    const auto file = std::make_shared<const RandomAccessFile>(path);
    std::string described = "'";
    described += path.string() + "'";
    std::byte start[6] = {};
    file->read(0, std::span(start).first(std::min<std::uint64_t>(file->size(), sizeof start)));
    if (std::memcmp(start, "\x93NUMPY", 6) == 0 || path.extension() == ".npy")
        return std::vector{readNpy(file, 0, file->size(), described)};
    if (std::memcmp(start, "PK\3\4", 4) == 0 || path.extension() == ".npz")
        return readNpz(path);
    if (std::memcmp(start, "\x1F\x8B", 2) == 0) {
        if (auto idx = readGzippedIdx(path))
            return std::vector{std::move(*idx)};
        refuse("The gzip file " + described + " holds no IDX array; unpack it first.");
    }
    if (auto idx = readIdx(path))
        return std::vector{std::move(*idx)};
    return {};
}

struct Chosen {
    std::vector<StoredArray> inputs;
    std::optional<StoredArray> labels;
};

std::string listed(const std::vector<StoredArray> &arrays)
{
    std::string text;
    for (const StoredArray &array : arrays)
        text += (text.empty() ? "'" : ", '") + array.name + "'";
    return text;
}

Chosen chooseArrays(std::vector<StoredArray> arrays, const DatasetOptions &options)
{
    Chosen chosen;
    const auto named = [&](const std::string &name) {
        return std::find_if(arrays.begin(), arrays.end(), [&](const StoredArray &array) { return array.name == name; });
    };
    const auto take = [&](std::vector<StoredArray>::iterator it) {
        StoredArray array = std::move(*it);
        arrays.erase(it);
        return array;
    };
    const std::string all = listed(arrays);
    std::string missing;
    for (const std::string &input : options.inputNames)
        if (named(input) == arrays.end())
            missing += (missing.empty() ? "'" : ", '") + input + "'";
    if (!options.inputNames.empty() && missing.empty())
        for (const std::string &input : options.inputNames)
            chosen.inputs.push_back(take(named(input)));
    if (arrays.size() + chosen.inputs.size() > 1)
        for (const char *name : {"labels", "label", "targets", "target", "y"})
            if (const auto it = named(name); it != arrays.end() && !chosen.labels)
                chosen.labels = take(it);
    if (!chosen.inputs.empty())
        return chosen;

    const std::size_t wanted = std::max<std::size_t>(options.inputNames.size(), 1);
    bool positional = arrays.size() == wanted && wanted > 1;                  // numpy.savez(file, a, b)
    for (std::size_t i = 0; positional && i < wanted; ++i)
        positional = named("arr_" + std::to_string(i)) != arrays.end();
    if (positional) {
        for (std::size_t i = 0; i < wanted; ++i)
            chosen.inputs.push_back(*named("arr_" + std::to_string(i)));
        return chosen;
    }
    if (arrays.size() != 1 || wanted != 1)
        refuse("'" + options.path.string() + "' holds the arrays " + all + "; " + (missing.empty() ? "one is wanted" : "the model's inputs " + missing + " are not among them") + ".");
    chosen.inputs = std::move(arrays);
    return chosen;
}

fs::path siblingLabels(const fs::path &images)
{
    std::string name = images.filename().string();
    for (const auto &[from, to] : {std::pair<std::string, std::string>{"images", "labels"}, {"idx3", "idx1"}}) {
        const std::size_t at = name.rfind(from);
        if (at == std::string::npos)
            return {};
        name.replace(at, from.size(), to);
    }
    const std::string other = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz";
    for (const std::string &candidate : {name, other}) {
        std::error_code error;
        const fs::path labels = images.parent_path() / candidate;
        if (fs::is_regular_file(labels, error))
            return labels;
    }
    return {};
}

std::vector<std::int64_t> readLabelLines(const fs::path &path)
{
    const std::string text = readFile(path, std::int64_t(1) << 30);
    std::vector<std::int64_t> labels;
    std::size_t line = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++line;
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view word = std::string_view(text).substr(at, end - at);
        at = end + 1;
        while (!word.empty() && std::strchr(" \t\r", word.back()))
            word.remove_suffix(1);
        if (word.empty() && at >= text.size())
            break;
        const auto label = parseLabel(word);
        if (!label)
            throw Error(ErrorKind::InvalidInput, "labels",
                        "Line " + std::to_string(line) + " of '" + path.string() + "' is '" + std::string(word.substr(0, 40)) + "'; for arrays, labels are one integer a line, .npy or IDX.");
        labels.push_back(*label);
    }
    return labels;
}

std::vector<std::int64_t> labelsFor(const DatasetOptions &options, const std::optional<StoredArray> &inFile)
{
    const fs::path path = options.labels.empty() && !inFile ? siblingLabels(options.path) : options.labels;
    if (path.empty())
        return inFile ? inFile->labels() : std::vector<std::int64_t>();
    const auto arrays = readArrays(path);
    if (!arrays)
        return readLabelLines(path);
    if (arrays->size() != 1)
        throw Error(ErrorKind::InvalidInput, "labels", "'" + path.string() + "' holds the arrays " + listed(*arrays) + "; labels are one array.");
    return arrays->front().labels();
}

/// How the rows of the first array become an image input.
struct PixelLayout {
    int height = 0, width = 0, channels = 0;
    bool planar = false;
};

PixelLayout pixelLayout(const StoredArray &array)
{
    const auto side = [](std::int64_t n) { return n <= 1 << 20; };
    const auto colours = [](std::int64_t n) { return n == 1 || n == 3; };
    const std::vector<std::int64_t> row(array.dims.begin() + 1, array.dims.end());
    if (std::all_of(row.begin(), row.end(), side)) {
        if (row.size() == 2)
            return {int(row[0]), int(row[1]), 1, false};
        if (row.size() == 3 && colours(row[2]))
            return {int(row[0]), int(row[1]), int(row[2]), false};
        if (row.size() == 3 && colours(row[0]))
            return {int(row[1]), int(row[2]), int(row[0]), true};
    }
    refuse(array.described + " holds bytes of shape " + shapeText(array.dims) + "; pixels are NxHxW, NxHxWxC or NxCxHxW with 1 or 3 channels.");
}

class TensorDataset : public Dataset {
public:
    TensorDataset(const DatasetOptions &options, Chosen chosen)
        : m_path(options.path)
        , m_transform(options.transform)
        , m_geometry(options.geometry)
        , m_arrays(std::move(chosen.inputs))
        , m_labels(labelsFor(options, chosen.labels))
    {
        const StoredArray &first = m_arrays.front();
        for (const StoredArray &array : m_arrays) {
            if (array.dims.empty())
                refuse(array.described + " is a single number; the first dimension of an array counts the samples.");
            if (array.rows() != first.rows())
                refuse(first.described + " has " + std::to_string(first.rows()) + " samples, " + array.described + " has " + std::to_string(array.rows()) + ".");
        }
        if (!m_labels.empty() && std::int64_t(m_labels.size()) != first.rows())
            throw Error(ErrorKind::InvalidInput, "labels",
                        first.described + " has " + std::to_string(first.rows()) + " samples, but there are " + std::to_string(m_labels.size()) + " labels.");
        if (m_geometry.channels > 0) {
            if (first.type == DataType::UInt8) {
                checkTransform(m_transform, m_geometry);
                m_pixels = pixelLayout(first);
                if (std::int64_t(m_pixels->height) * m_pixels->width > maxImagePixels)
                    refuse(first.described + " holds images of " + std::to_string(m_pixels->width) + "x" + std::to_string(m_pixels->height) + " pixels, more than are accepted.");
            } else {
                checkShape(first);
            }
        }
        const std::vector<std::int64_t> classes = m_labels.empty() ? std::vector<std::int64_t>(std::size_t(first.rows()), -1) : m_labels;
        m_rows = spreadEvenly(classes, options.limit);
    }

    std::size_t size() const override { return m_rows.size(); }
    bool hasLabels() const override { return !m_labels.empty(); }
    std::string describe(std::size_t index) const override { return m_path.string() + "[" + std::to_string(m_rows.at(index)) + "]"; }

    Sample load(std::size_t index) const override { return sample(index, nullptr); }
    Sample loadChanged(std::size_t index, const ImageChange &change) const override { return sample(index, &change); }

    /// Names, shapes and labels, and of the content a few rows.
    std::string fingerprint() const override
    {
        Fingerprint hash;
        hash.add("tensors");
        for (const StoredArray &array : m_arrays) {
            hash.add(array.name);
            hash.add(std::uint64_t(array.type));
            for (const std::int64_t d : array.dims)
                hash.add(std::uint64_t(d));
            for (std::int64_t i = 0; i < std::min<std::int64_t>(array.rows(), 16); ++i) {
                const at::Tensor row = array.row(i * array.rows() / std::min<std::int64_t>(array.rows(), 16));
                const std::size_t bytes = std::size_t(row.numel()) * std::size_t(row.element_size());
                hash.add(std::string_view(static_cast<const char *>(row.data_ptr()), std::min<std::size_t>(bytes, 65'536)));
            }
        }
        for (const std::size_t row : m_rows) {
            hash.add(std::uint64_t(row));
            hash.add(std::uint64_t(m_labels.empty() ? -1 : m_labels[row]));
        }
        return hash.text();
    }

private:
    Sample sample(std::size_t index, const ImageChange *change) const
    {
        const std::size_t row = m_rows.at(index);
        Sample sample;
        sample.label = m_labels.empty() ? -1 : m_labels[row];
        for (std::size_t i = 0; i < m_arrays.size(); ++i) {
            at::Tensor tensor = m_arrays[i].row(std::int64_t(row));
            if (i == 0 && m_geometry.channels > 0)
                tensor = m_pixels ? fromPixels(tensor, change) : fromValues(tensor, change);
            sample.inputs.push_back(std::move(tensor));
        }
        return sample;
    }

    std::vector<std::int64_t> inputShape() const
    {
        const auto &[channels, height, width, last] = m_geometry;
        return last ? std::vector<std::int64_t>{height, width, channels} : std::vector<std::int64_t>{channels, height, width};
    }

    /// The row is the input itself; dimensions of 1 may be left out.
    void checkShape(const StoredArray &array) const
    {
        const std::vector<std::int64_t> wanted = inputShape();
        const auto essential = [](std::vector<std::int64_t> dims) {
            std::erase(dims, 1);
            return dims;
        };
        if (essential({array.dims.begin() + 1, array.dims.end()}) != essential(wanted))
            refuse(array.described + " has the shape " + shapeText(array.dims) + ", but the model's input is " + shapeText(wanted) + " an image; "
                   + "only arrays of uint8 are taken for pixels and resized.");
    }

    at::Tensor fromPixels(const at::Tensor &row, const ImageChange *change) const
    {
        const at::Tensor interleaved = m_pixels->planar ? row.permute({1, 2, 0}).contiguous() : row;
        const cv::Mat pixels(m_pixels->height, m_pixels->width, CV_8UC(m_pixels->channels), interleaved.data_ptr());
        return pictureToTensor({pixels, false}, m_transform, m_geometry, change);
    }

    at::Tensor fromValues(const at::Tensor &row, const ImageChange *change) const
    {
        const at::Tensor tensor = row.to(at::kFloat).reshape(inputShape());
        return change ? changedTensor(tensor, *change, m_geometry.channelsLastLayout) : tensor;
    }

    fs::path m_path;
    TransformSpec m_transform;
    InputGeometry m_geometry;
    std::vector<StoredArray> m_arrays;
    std::vector<std::int64_t> m_labels;  ///< of all rows; empty = none
    std::optional<PixelLayout> m_pixels;
    std::vector<std::size_t> m_rows;
};

} // namespace

std::unique_ptr<Dataset> openTensorFile(const DatasetOptions &options)
{
    auto arrays = readArrays(options.path);
    return arrays ? std::make_unique<TensorDataset>(options, chooseArrays(std::move(*arrays), options)) : nullptr;
}

} // namespace core
