// Image folders; tensor files are tested in tst_tensor_dataset.
#include "core/data/dataset.h"
#include "core/data/label_file.h"
#include "core/data/selection.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <opencv2/imgcodecs.hpp>

#include <fstream>
#include <sys/stat.h>

using namespace core;
namespace fs = std::filesystem;

namespace {

class TestDataset : public QObject {
    Q_OBJECT

    QTemporaryDir m_temporary;
    fs::path m_root;

    void picture(const std::string &name, int grey = 0) const
    {
        fs::create_directories((m_root / name).parent_path());
        QVERIFY(cv::imwrite((m_root / name).string(), cv::Mat(2, 2, CV_8UC1, cv::Scalar(grey))));
    }

    void text(const std::string &name, const std::string &content) const
    {
        fs::create_directories((m_root / name).parent_path());
        std::ofstream(m_root / name, std::ios::binary) << content;
    }

    DatasetOptions options(const std::string &labels = {}, std::size_t limit = 0) const
    {
        DatasetOptions o;
        o.path = m_root;
        if (!labels.empty())
            o.labels = m_root / labels;
        o.limit = limit;
        o.transform = transformPreset("byte");
        o.transform.resize = ResizeMode::Stretch;
        o.geometry = {1, 2, 2, false};
        return o;
    }

    std::string content(const Dataset &data) const
    {
        std::string all;
        for (std::size_t i = 0; i < data.size(); ++i)
            all += (i ? " " : "") + fs::path(data.describe(i)).lexically_relative(m_root).generic_string() + "=" + std::to_string(data.load(i).label);
        return all;
    }

    std::string problem(const DatasetOptions &o) const
    {
        try {
            openDataset(o);
        } catch (const Error &error) {
            return error.sentence();
        }
        return {};
    }

    static bool has(const std::string &whole, const std::string &part) { return whole.find(part) != std::string::npos; }

private Q_SLOTS:
    void init()
    {
        m_root = m_temporary.filePath(QTest::currentTestFunction()).toStdString();
        fs::create_directories(m_root);
    }

    void classesBySortedFolders()
    {
        for (const char *name : {"b/2.png", "b/10.PNG", "a/deep/er/1.jpg", "a-b/1.bmp", "C/1.png"})
            picture(name);
        fs::create_directories(m_root / "empty");
        text("a/notes.txt", "x");
        text("a/Thumbs.db", "x");
        text("b/.hidden.png", "x");
        text(".cache/1.png", "x");
        const auto data = openDataset(options());
        QVERIFY(data->hasLabels());
        QCOMPARE(content(*data), std::string("C/1.png=0 a-b/1.bmp=2 a/deep/er/1.jpg=1 b/10.PNG=3 b/2.png=3"));
    }

    void pixelsArrive()
    {
        picture("1.png", 77);
        const auto data = openDataset(options());
        const Sample sample = data->load(0);
        QCOMPARE(sample.inputs.size(), std::size_t(1));
        QCOMPARE(sample.inputs[0].sizes().vec(), (std::vector<std::int64_t>{1, 2, 2}));
        QVERIFY((sample.inputs[0] == 77).all().item<bool>());
        DatasetOptions one = options();
        one.path = m_root / "1.png";                               // a single file is a data set too
        QCOMPARE(openDataset(one)->size(), std::size_t(1));
        QVERIFY((openDataset(one)->load(0).inputs[0] == 77).all().item<bool>());
    }

    void flatFoldersHaveNoLabels()
    {
        picture("2.png");
        picture("1.png");
        QCOMPARE(content(*openDataset(options())), std::string("1.png=-1 2.png=-1"));
        QVERIFY(!openDataset(options())->hasLabels());
        picture("sub/3.png");                                      // beside folders: still unlabelled, nothing is left out
        QCOMPARE(content(*openDataset(options())), std::string("1.png=-1 2.png=-1 sub/3.png=-1"));
    }

    void aSingleFolderIsNoClass()
    {
        picture("images/1.png");
        QVERIFY(!openDataset(options())->hasLabels());
        text("list.txt", "other\nimages\n");
        QCOMPARE(content(*openDataset(options("list.txt"))), std::string("images/1.png=1"));
    }

    void synsetList()
    {
        picture("n02/1.png");
        picture("n01/1.png");
        picture("ice cream/1.png");
        text("synsets.txt", "\xEF\xBB\xBFn00 nothing\r\nn01 tench, Tinca tinca\r\n\r\nn02 goldfish\r\nice cream\r\nice hockey\r\n\r\n");
        QCOMPARE(content(*openDataset(options("synsets.txt"))), std::string("ice cream/1.png=4 n01/1.png=1 n02/1.png=3"));
        picture("n09/1.png");
        QVERIFY(has(problem(options("synsets.txt")), "'n09'"));
        fs::remove_all(m_root / "n09");
        picture("ice/1.png");
        QVERIFY(has(problem(options("synsets.txt")), "begin with 'ice'"));
        fs::remove_all(m_root / "ice");
        picture("loose.png");
        QVERIFY(has(problem(options("synsets.txt")), "outside of class folders"));
    }

    void fileList()
    {
        picture("1.png");
        picture("sub/2.png");
        picture("a,b.png");
        text("numbers.csv", "file,label\n./1.png,7\nsub/2.png , 3\n\"a,b.png\",0\nabsent.png,9\n");
        QCOMPARE(content(*openDataset(options("numbers.csv"))), std::string("1.png=7 a,b.png=0 sub/2.png=3"));
        text("names.csv", "name;class\n1.png;dog\n2.png;cat\na,b.png;x\n");   // a comma in the name
        QVERIFY(!problem(options("names.csv")).empty());
        text("names.csv", "1.png,dog\n2.png,cat\n\"a,b.png\",dog\n");
        QCOMPARE(content(*openDataset(options("names.csv"))), std::string("1.png=1 a,b.png=1 sub/2.png=0"));
        text("val.txt", "1.png 7\n2.png 3\n");                    // no .csv, but files with labels all the same
        QVERIFY(has(problem(options("val.txt")), "'a,b.png'"));
        text("mixed.csv", "1.png,dog\n2.png,3\n");
        QVERIFY(has(problem(options("mixed.csv")), "Line 2"));
        text("twice.csv", "1.png,1\n1.png,2\n");
        QVERIFY(has(problem(options("twice.csv")), "second label"));
        text("no-label.csv", "1.png,1\n2.png\n");
        QVERIFY(has(problem(options("no-label.csv")), "Line 2"));
        text("empty.csv", "\n\n");
        QVERIFY(has(problem(options("empty.csv")), "empty"));
        text("binary.csv", std::string("1.png,1\n\0", 9));
        QVERIFY(has(problem(options("binary.csv")), "text"));
        QVERIFY(has(problem(options("nowhere.csv")), "nowhere.csv"));
    }

    void bareNamesMatchOnlyWhereFoldersDoNotContradict()
    {
        text("l.csv", "x/1.png,1\n2.png,2\n");
        const LabelFile labels(m_root / "l.csv");
        QCOMPARE(labels.labelOf("1.png").value_or(-1), std::int64_t(1));
        QCOMPARE(labels.labelOf("y/2.png").value_or(-1), std::int64_t(2));
        QCOMPARE(labels.labelOf("y/1.png").value_or(-1), std::int64_t(-1));
    }

    void limitIsSpread()
    {
        QCOMPARE(spreadEvenly(std::vector<std::int64_t>(10, -1), 4), (std::vector<std::size_t>{0, 2, 5, 7}));
        QCOMPARE(spreadEvenly(std::vector<std::int64_t>{0, 0, 0, 0, 1, 2, 2, 2, 2}, 5), (std::vector<std::size_t>{0, 2, 4, 5, 7}));
        QCOMPARE(spreadEvenly(std::vector<std::int64_t>{3, 1, 2, 0}, 2), (std::vector<std::size_t>{2, 3}));   // classes 0 and 2
        QCOMPARE(spreadEvenly(std::vector<std::int64_t>{1, 1}, 5).size(), std::size_t(2));
        for (std::size_t limit = 1; limit <= 9; ++limit)
            QCOMPARE(spreadEvenly(std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 1, 2, 2}, limit).size(), limit);
        for (int i = 0; i < 4; ++i) {
            picture("a/" + std::to_string(i) + ".png");
            picture("b/" + std::to_string(i) + ".png");
        }
        QCOMPARE(content(*openDataset(options({}, 4))), std::string("a/0.png=0 a/2.png=0 b/0.png=1 b/2.png=1"));
    }

    void linksAreFollowedOnce()
    {
        picture("a/1.png");
        picture("outside/2.png");
        fs::create_directory_symlink(m_root / "a", m_root / "a" / "loop");
        fs::create_directory_symlink("..", m_root / "a" / "up");
        fs::create_directories(m_root / "b");
        fs::create_symlink(m_root / "a" / "1.png", m_root / "b" / "linked.png");
        fs::create_symlink(m_root / "nowhere.png", m_root / "b" / "dangling.png");
        QCOMPARE(::mkfifo((m_root / "b" / "pipe.png").c_str(), 0600), 0);
        const auto data = openDataset(options());
        QCOMPARE(data->size(), std::size_t(4));
        QCOMPARE(data->load(2).label, std::int64_t(1));            // linked.png
        QVERIFY_EXCEPTION_THROWN(data->load(1), Error);            // dangling.png
    }

    void unreadableImagesNameTheFile()
    {
        text("a.png", "this is no image");
        picture("b.png");
        const auto data = openDataset(options());
        try {
            data->load(0);
            QFAIL("no error");
        } catch (const Error &error) {
            QCOMPARE(error.kind(), ErrorKind::InvalidInput);
            QVERIFY(has(error.sentence(), "a.png"));
        }
        QCOMPARE(data->load(1).inputs.size(), std::size_t(1));
    }

    void whatCannotBeOpened()
    {
        QVERIFY(has(problem(options()), "no images"));
        DatasetOptions o = options();
        o.path = m_root / "nowhere";
        QVERIFY(has(problem(o), "does not exist"));
        text("notes.txt", "some words");
        o.path = m_root / "notes.txt";
        QVERIFY(has(problem(o), "notes.txt"));
        o.path = "/dev/null";
        QVERIFY(!problem(o).empty());
        picture("1.png");
        o = options();
        o.geometry.channels = 5;
        QVERIFY(has(problem(o), "5 channels"));                    // once, not for every image
    }

    void fingerprintFollowsTheData()
    {
        picture("a/1.png", 1);
        picture("b/1.png", 2);
        const std::string before = openDataset(options())->fingerprint();
        QCOMPARE(before.size(), std::size_t(16));
        QCOMPARE(openDataset(options())->fingerprint(), before);
        QVERIFY(openDataset(options({}, 1))->fingerprint() != before);
        text("l.txt", "b\na\n");
        QVERIFY(openDataset(options("l.txt"))->fingerprint() != before);
        fs::remove(m_root / "l.txt");
        fs::rename(m_root / "a/1.png", m_root / "a/2.png");
        QVERIFY(openDataset(options())->fingerprint() != before);
        fs::rename(m_root / "a/2.png", m_root / "a/1.png");
        QCOMPARE(openDataset(options())->fingerprint(), before);
        std::ofstream(m_root / "a/1.png", std::ios::app) << "x";
        QVERIFY(openDataset(options())->fingerprint() != before);
    }
};

} // namespace

QTEST_APPLESS_MAIN(TestDataset)
#include "tst_dataset.moc"
