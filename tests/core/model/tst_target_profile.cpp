#include "core/base/error.h"
#include "core/spec/target_profile.h"

#include <QtTest/QtTest>

using namespace core;

class TestTargetProfile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void namesAndErrors()
    {
        for (const std::string &name : targetProfileNames()) {
            QCOMPARE(targetProfile(name).name, name);
            QVERIFY(!targetProfile(name).description.empty());
        }
        QVERIFY(targetProfile("").name.empty());
        try {
            targetProfile("tpu");
            QFAIL("accepted");
        } catch (const Error &error) {
            QCOMPARE(error.sentence(), std::string("There is no target 'tpu'; the targets are onnxruntime-cpu, tensorrt, openvino, qnn, xint8."));
        }
    }

    void fusions_data()
    {
        QTest::addColumn<QString>("producer");
        QTest::addColumn<QString>("activation");
        QTest::addColumn<QStringList>("targets");
        QTest::newRow("Conv Relu") << "Conv" << "Relu" << QStringList{"", "onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8"};
        QTest::newRow("Conv Silu") << "Conv" << "Silu" << QStringList{"", "tensorrt", "openvino"};
        QTest::newRow("Conv HardSwish") << "Conv" << "HardSwish" << QStringList{"", "tensorrt", "openvino", "xint8"};
        QTest::newRow("Conv LeakyRelu") << "Conv" << "LeakyRelu" << QStringList{"", "tensorrt", "openvino", "xint8"};
        QTest::newRow("Conv BatchNormalization") << "Conv" << "BatchNormalization" << QStringList{"", "onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8"};
        QTest::newRow("Add Relu") << "Add" << "Relu" << QStringList{"", "onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8"};
        QTest::newRow("MaxPool Relu") << "MaxPool" << "Relu" << QStringList{};
    }
    void fusions()
    {
        QFETCH(QString, producer);
        QFETCH(QString, activation);
        QFETCH(QStringList, targets);
        QStringList found;
        for (std::string name : {"", "onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8"})
            if (targetProfile(name).fusions.contains({producer.toStdString(), activation.toStdString()}))
                found << QString::fromStdString(name);
        QCOMPARE(found, targets);
    }

    void constraints()
    {
        QVERIFY(!targetProfile("tensorrt").quantizeBias);
        QVERIFY(targetProfile("tensorrt").requiresSymmetricActivations);
        QVERIFY(targetProfile("xint8").requiresPowerOfTwo && targetProfile("xint8").requiresPerTensorWeights && targetProfile("xint8").allowsInt8Bias);
        QVERIFY(targetProfile("onnxruntime-cpu").activationFusionNeedsRange && targetProfile("onnxruntime-cpu").siluQuantizesSigmoid);
    }
};

QTEST_APPLESS_MAIN(TestTargetProfile)
#include "tst_target_profile.moc"
