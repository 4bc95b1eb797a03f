// Built-in networks. tests/golden/*_state_dict.txt list torchvision's keys and shapes; the counts of parameters are those torchvision publishes.
#include "core/exec/executor.h"
#include "core/onnx/reader.h"
#include "core/onnx/writer.h"
#include "core/graph/node_cost.h"
#include "core/weights/builtin_models.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <cmath>
#include <fstream>

using namespace core;

namespace {

/// "conv1.weight 64x3x7x7", without num_batches_tracked.
std::vector<std::string> golden(const std::string &name)
{
    std::ifstream in(QUANTSCOPE_SOURCE_DIR "/tests/golden/" + name + "_state_dict.txt");
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (line.find("num_batches_tracked") == std::string::npos)
            lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::vector<std::string> keys(const Graph &graph)
{
    std::vector<std::string> lines;
    for (const auto &[id, data] : graph.constants()) {
        if (graph.value(id).name.starts_with("relu6."))
            continue;
        std::string line = graph.value(id).name + " ";
        for (const std::int64_t dim : data.dims)
            line.append(line.back() == ' ' ? "" : "x").append(std::to_string(dim));
        lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::int64_t parameters(const Graph &graph)
{
    std::int64_t count = 0;
    for (const auto &[id, data] : graph.constants())
        if (const std::string &name = graph.value(id).name; name.ends_with(".weight") || name.ends_with(".bias"))
            count += data.count();
    return count;
}

std::map<std::string, TensorData> tensors(const Graph &graph)
{
    std::map<std::string, TensorData> byName;
    for (const auto &[id, data] : graph.constants())
        byName.emplace(graph.value(id).name, data);
    return byName;
}

} // namespace

class TestBuiltinModels : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void names()
    {
        QCOMPARE(builtinModelNames(), (std::vector<std::string>{"resnet18", "mobilenet_v2"}));
        QVERIFY(isBuiltinModel("resnet18"));
        QVERIFY(!isBuiltinModel("resnet19"));
        try {
            builtinModel("resnet19", 0);
            QFAIL("made");
        } catch (const Error &error) {
            QVERIFY2(error.sentence().find("mobilenet_v2") != std::string::npos, error.what());
        }
    }

    void asTorchvision_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<qint64>("count");
        QTest::addColumn<int>("keyCount");
        QTest::addColumn<qint64>("macs");        // convolutions and the classifier, by hand: 1.814 and 0.301 G
        QTest::newRow("resnet18") << "resnet18" << qint64(11'689'512) << 102 << qint64(1'814'073'344);
        QTest::newRow("mobilenet_v2") << "mobilenet_v2" << qint64(3'504'872) << 262 << qint64(300'774'272);
    }

    void asTorchvision()
    {
        QFETCH(QString, name);
        QFETCH(qint64, count);
        QFETCH(int, keyCount);
        QFETCH(qint64, macs);
        const Model model = builtinModel(name.toStdString(), 7);
        const Graph &graph = model.graph;
        QCOMPARE(int(keys(graph).size()), keyCount);
        QCOMPARE(keys(graph), golden(name.toStdString()));
        QCOMPARE(qint64(parameters(graph)), count);
        QCOMPARE(graph.inputs.size(), std::size_t(1));
        QCOMPARE(graph.value(graph.inputs[0]).name, std::string("input"));
        const Value &logits = graph.value(graph.outputs[0]);
        QCOMPARE(logits.name, std::string("logits"));
        QCOMPARE(*logits.shape, (Shape{{-1, "N"}, {1000, ""}}));
        QCOMPARE(qint64(multiplyAccumulates(graph)), macs);
        for (const NodeId id : graph.order())
            if (graph.node(id).is("BatchNormalization"))
                QCOMPARE(graph.node(id).floatAttribute("epsilon", 0), 1e-5f);

        at::manual_seed(1);
        at::NoGradGuard noGrad;
        const at::Tensor image = at::randn({2, 3, 224, 224});
        const auto run = [&](const Graph &g) { return Executor(std::make_shared<const Graph>(g)).run(std::vector<at::Tensor>{image}).front(); };
        const at::Tensor out = run(graph);
        QCOMPARE(out.sizes().vec(), (std::vector<std::int64_t>{2, 1000}));
        QVERIFY(at::isfinite(out).all().item<bool>());
        QVERIFY(out.std().item<double>() > 0);      // MobileNetV2's are tiny: its depthwise weights are drawn for the way back
        QVERIFY(!at::equal(out[0], out[1]));

        // As a file: the same tensors under the same names, the same outputs.
        const std::string bytes = serializeModel(model, 13);
        const Model again = readModel(std::as_bytes(std::span(bytes.data(), bytes.size())));
        QCOMPARE(keys(again.graph), golden(name.toStdString()));
        QVERIFY(at::equal(run(again.graph), out));
    }

    void seedDecides()
    {
        const auto a = tensors(builtinModel("mobilenet_v2", 3).graph), b = tensors(builtinModel("mobilenet_v2", 3).graph), c = tensors(builtinModel("mobilenet_v2", 4).graph);
        const std::string w = "features.2.conv.0.0.weight";
        for (const auto &[name, data] : a)
            QVERIFY(data.sameAs(b.at(name)));
        QVERIFY(!a.at(w).sameAs(c.at(w)));
    }

    /// Mean and deviation of what torchvision draws: He's fan-out for convolutions; Linear uniform ±1/√512 (ResNet), N(0, 0.01²) (MobileNetV2).
    void initialisation()
    {
        const auto close = [](const TensorData &data, double deviation, double largest) {
            double sum = 0, squares = 0, most = 0;
            for (const double v : data.toDoubles()) {
                sum += v;
                squares += v * v;
                most = std::max(most, std::fabs(v));
            }
            const double n = double(data.count());
            return std::fabs(sum / n) < 5 * deviation / std::sqrt(n) && std::fabs(std::sqrt(squares / n) / deviation - 1) < 5 / std::sqrt(n) && most < largest;
        };
        const auto resnet = tensors(builtinModel("resnet18", 0).graph), mobile = tensors(builtinModel("mobilenet_v2", 0).graph);
        QVERIFY(close(resnet.at("conv1.weight"), std::sqrt(2.0 / (64 * 49)), 0.15));
        QVERIFY(close(resnet.at("layer4.0.downsample.0.weight"), std::sqrt(2.0 / 512), 0.5));
        QVERIFY(close(resnet.at("fc.weight"), 1 / std::sqrt(512.0) / std::sqrt(3.0), 1 / std::sqrt(512.0)));
        QVERIFY(close(mobile.at("features.5.conv.1.0.weight"), std::sqrt(2.0 / (192 * 9)), 0.2));   // depthwise: outputs · kernel²
        QVERIFY(close(mobile.at("classifier.1.weight"), 0.01, 0.07));
        QCOMPARE(mobile.at("classifier.1.bias").toFloats(), std::vector<float>(1000));
        QCOMPARE(resnet.at("bn1.running_var").toFloats(), std::vector<float>(64, 1));
        QCOMPARE(resnet.at("bn1.running_mean").toFloats(), std::vector<float>(64));
        QCOMPARE(resnet.at("layer2.1.bn2.weight").toFloats(), std::vector<float>(128, 1));
        QCOMPARE(resnet.at("layer2.1.bn2.bias").toFloats(), std::vector<float>(128));
    }
};

QTEST_APPLESS_MAIN(TestBuiltinModels)
#include "tst_builtin_models.moc"
