#include "core/data/image_folder.h"

#include "core/base/atomic_file.h"
#include "core/data/fingerprint.h"
#include "core/data/label_file.h"
#include "core/data/selection.h"
#include "core/data/transform.h"

#include <algorithm>
#include <map>
#include <set>

namespace core {
namespace {

namespace fs = std::filesystem;

struct ImageFile {
    std::string path;                    ///< relative to the root, with '/'
    std::uint64_t bytes = 0;
    std::int64_t label = -1;
};

struct Scan {
    std::vector<std::string> folders;    ///< first level, sorted, hidden ones left out
    std::vector<ImageFile> images;       ///< sorted
};

bool isHidden(const fs::path &path) { return path.filename().string().starts_with('.'); }

class Scanner {
public:
    explicit Scanner(const fs::path &root) : m_root(root) {}

    Scan scan()
    {
        for (const fs::directory_entry &entry : entriesOf(m_root)) {
            std::error_code ignored;
            if (entry.is_directory(ignored)) {
                m_result.folders.push_back(entry.path().filename().string());
                m_seen = {fs::weakly_canonical(m_root, ignored)};
                walk(entry.path());
            } else {
                addFile(entry);
            }
        }
        std::sort(m_result.folders.begin(), m_result.folders.end());
        std::sort(m_result.images.begin(), m_result.images.end(), [](const ImageFile &a, const ImageFile &b) { return a.path < b.path; });
        return std::move(m_result);
    }

private:
    /// Bytewise sorted, so that of two names of one folder always the same is followed.
    static std::vector<fs::directory_entry> entriesOf(const fs::path &folder)
    {
        std::vector<fs::directory_entry> entries;
        std::error_code error;
        fs::directory_iterator it(folder, error);
        for (; !error && it != fs::directory_iterator(); it.increment(error))
            if (!isHidden(it->path()))
                entries.push_back(*it);
        if (error)
            throw Error(ErrorKind::Io, "data", "The folder '" + folder.string() + "' cannot be read: " + error.message() + ".");
        std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) { return a.path().native() < b.path().native(); });
        return entries;
    }

    /// Links are followed; a folder that was seen below the same top folder is not entered again, which ends all loops.
    void walk(const fs::path &folder)
    {
        std::error_code error;
        const fs::path canonical = fs::canonical(folder, error);
        if (error || !m_seen.insert(canonical).second)
            return;
        for (const fs::directory_entry &entry : entriesOf(folder)) {
            if (entry.is_directory(error))
                walk(entry.path());
            else
                addFile(entry);
        }
    }

    void addFile(const fs::directory_entry &entry)
    {
        std::error_code error;
        const fs::file_type type = entry.status(error).type();                 // devices and pipes would block the reader
        if (!looksLikeImage(entry.path()) || (type != fs::file_type::regular && type != fs::file_type::not_found))
            return;
        const std::uintmax_t bytes = fs::file_size(entry.path(), error);       // a dangling link is listed, and found unreadable later
        m_result.images.push_back({entry.path().lexically_relative(m_root).generic_string(), error ? 0 : bytes, -1});
    }

    fs::path m_root;
    Scan m_result;
    std::set<fs::path> m_seen;
};

std::string topFolder(const std::string &path)
{
    const std::size_t slash = path.find('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string andOthers(std::size_t others)
{
    return others == 0 ? "" : others == 1 ? " and 1 other" : " and " + std::to_string(others) + " others";
}

/// True when the images have labels.
bool assignFromFileList(Scan &scan, const LabelFile &labels, const DatasetOptions &options)
{
    std::size_t missing = 0;
    std::string firstMissing;
    for (ImageFile &image : scan.images) {
        if (const auto label = labels.labelOf(image.path))
            image.label = *label;
        else if (missing++ == 0)
            firstMissing = image.path;
    }
    if (missing > 0)
        throw Error(ErrorKind::InvalidInput, "labels",
                    "The labels file '" + options.labels.string() + "' has no line for '" + firstMissing + "'" + andOthers(missing - 1) + " of the images in '"
                        + options.path.string() + "'.");
    return true;
}

bool assignFromFolders(Scan &scan, const std::optional<LabelFile> &labels, const DatasetOptions &options)
{
    const bool loose = std::any_of(scan.images.begin(), scan.images.end(), [](const ImageFile &image) { return topFolder(image.path).empty(); });
    if (labels && (loose || scan.folders.empty()))
        throw Error(ErrorKind::InvalidInput, "labels",
                    "The labels file '" + options.labels.string() + "' is a list of classes, but '" + options.path.string()
                        + "' has images outside of class folders; give a file with \"file,label\" lines or one folder per class.");
    if (loose || (!labels && scan.folders.size() < 2))
        return false;
    std::map<std::string, std::int64_t> classes;
    for (std::size_t i = 0; i < scan.folders.size(); ++i)
        classes[scan.folders[i]] = labels ? labels->classOf(scan.folders[i]).value_or(-1) : std::int64_t(i);
    std::set<std::string> missing;
    for (ImageFile &image : scan.images) {
        image.label = classes.at(topFolder(image.path));
        if (image.label < 0)
            missing.insert(topFolder(image.path));
    }
    if (!missing.empty())
        throw Error(ErrorKind::InvalidInput, "labels",
                    "The labels file '" + options.labels.string() + "' has no line for the folder '" + *missing.begin() + "'" + andOthers(missing.size() - 1)
                        + " of '" + options.path.string() + "'.");
    return true;
}

class ImageFolder : public Dataset {
public:
    explicit ImageFolder(const DatasetOptions &options)
        : m_transform(options.transform)
        , m_geometry(options.geometry)
    {
        checkTransform(m_transform, m_geometry);
        std::error_code error;
        Scan scan;
        if (fs::is_directory(options.path, error)) {
            m_root = options.path;
            scan = Scanner(m_root).scan();
        } else {
            m_root = options.path.parent_path();
            scan.images.push_back({options.path.filename().string(), fs::file_size(options.path, error), -1});
        }
        if (scan.images.empty())
            throw Error(ErrorKind::InvalidInput, "data",
                        "There are no images in '" + options.path.string() + "'. Accepted are folders of JPEG, PNG, BMP, WebP, TIFF or PNM files, .npy, .npz and IDX files.");
        std::optional<LabelFile> labels;
        if (!options.labels.empty())
            labels.emplace(options.labels);
        m_labelled = labels && labels->listsFiles() ? assignFromFileList(scan, *labels, options) : assignFromFolders(scan, labels, options);

        std::vector<std::int64_t> classes;
        for (const ImageFile &image : scan.images)
            classes.push_back(image.label);
        for (const std::size_t index : spreadEvenly(classes, options.limit))
            m_images.push_back(std::move(scan.images[index]));
    }

    std::size_t size() const override { return m_images.size(); }
    bool hasLabels() const override { return m_labelled; }
    std::string describe(std::size_t index) const override { return (m_root / m_images.at(index).path).string(); }

    Sample load(std::size_t index) const override { return sample(index, nullptr); }
    Sample loadChanged(std::size_t index, const ImageChange &change) const override { return sample(index, &change); }

    std::string fingerprint() const override
    {
        Fingerprint hash;
        hash.add("images");
        for (const ImageFile &image : m_images) {
            hash.add(image.path);
            hash.add(image.bytes);
            hash.add(std::uint64_t(image.label));
        }
        return hash.text();
    }

private:
    Sample sample(std::size_t index, const ImageChange *change) const
    {
        const std::string bytes = readFile(m_root / m_images.at(index).path);
        try {
            return {{imageToTensor(std::as_bytes(std::span(bytes)), m_transform, m_geometry, change)}, m_images[index].label};
        } catch (const Error &error) {
            throw Error(error.kind(), error.operation(), "'" + describe(index) + "': " + error.sentence());
        }
    }

    fs::path m_root;
    TransformSpec m_transform;
    InputGeometry m_geometry;
    std::vector<ImageFile> m_images;
    bool m_labelled = false;
};

} // namespace

std::unique_ptr<Dataset> openImageFolder(const DatasetOptions &options)
{
    return std::make_unique<ImageFolder>(options);
}

} // namespace core
