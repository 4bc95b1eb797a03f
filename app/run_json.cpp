#include "app/run_json.h"

#include "core/report/training_json.h"

#include <QJsonArray>

namespace app {
namespace {

QString text(const std::string &s) { return QString::fromStdString(s); }
std::string string(const QJsonValue &value) { return value.toString().toStdString(); }

QJsonObject toJson(const core::Evaluation &e)
{
    QJsonObject json{{"images", qint64(e.images)}, {"skipped", qint64(e.skipped)}, {"images_per_second", e.imagesPerSecond}};
    if (e.top1)
        json["top1"] = *e.top1;
    if (e.top5)
        json["top5"] = *e.top5;
    if (e.agreement)
        json["agreement"] = QJsonObject{{"top1", e.agreement->top1}, {"cosine", e.agreement->cosine}, {"sqnr_db", e.agreement->sqnrDb}};
    return json;
}

core::Evaluation evaluationFrom(const QJsonObject &json)
{
    core::Evaluation e;
    e.images = json["images"].toInteger();
    e.skipped = json["skipped"].toInteger();
    e.imagesPerSecond = json["images_per_second"].toDouble();
    if (json.contains("top1"))
        e.top1 = json["top1"].toDouble();
    if (json.contains("top5"))
        e.top5 = json["top5"].toDouble();
    if (const QJsonObject a = json["agreement"].toObject(); !a.isEmpty())
        e.agreement = core::AgreementFigures{a["top1"].toDouble(), a["cosine"].toDouble(), a["sqnr_db"].toDouble()};
    return e;
}

QJsonObject toJson(const core::LayerRow &row)
{
    QJsonArray scales, zeroPoints;
    for (const float scale : row.scales)
        scales.append(double(scale));
    for (const std::int64_t zero : row.zeroPoints)
        zeroPoints.append(qint64(zero));
    return {{"node", text(row.node)}, {"op", text(row.opType)}, {"tensor", text(row.tensor)}, {"kind", text(row.kind)}, {"badge", text(row.badge)},
            {"observer", text(row.observer)}, {"reason", text(row.reason)}, {"provenance", text(row.provenance)}, {"scales", scales}, {"zero_points", zeroPoints},
            {"range", QJsonArray{row.rangeMin, row.rangeMax}}, {"seen", QJsonArray{row.seenMin, row.seenMax}}, {"sqnr_db", row.sqnrDb}, {"clipped", row.clippedShare}};
}

core::LayerRow rowFrom(const QJsonObject &json)
{
    core::LayerRow row;
    row.node = string(json["node"]);
    row.opType = string(json["op"]);
    row.tensor = string(json["tensor"]);
    row.kind = string(json["kind"]);
    row.badge = string(json["badge"]);
    row.observer = string(json["observer"]);
    row.reason = string(json["reason"]);
    row.provenance = string(json["provenance"]);
    for (const QJsonValue &scale : json["scales"].toArray())
        row.scales.push_back(float(scale.toDouble()));
    for (const QJsonValue &zero : json["zero_points"].toArray())
        row.zeroPoints.push_back(zero.toInteger());
    row.rangeMin = json["range"][0].toDouble();
    row.rangeMax = json["range"][1].toDouble();
    row.seenMin = json["seen"][0].toDouble();
    row.seenMax = json["seen"][1].toDouble();
    row.sqnrDb = json["sqnr_db"].toDouble();
    row.clippedShare = json["clipped"].toDouble();
    return row;
}

QJsonObject toJson(const core::FlippedImage &image)
{
    return {{"index", qint64(image.index)}, {"path", text(image.path)}, {"label", qint64(image.label)}, {"float_class", qint64(image.floatClass)},
            {"quantized_class", qint64(image.quantizedClass)}, {"float_score", image.floatScore}, {"quantized_score", image.quantizedScore}};
}

core::FlippedImage flippedFrom(const QJsonObject &json)
{
    return {std::size_t(std::max<qint64>(json["index"].toInteger(), 0)), string(json["path"]), json["label"].toInteger(-1), json["float_class"].toInteger(),
            json["quantized_class"].toInteger(), json["float_score"].toDouble(), json["quantized_score"].toDouble()};
}

QJsonObject toJson(const core::Judge &judge)
{
    QJsonObject json{{"name", text(judge.name)}, {"ran", judge.ran}, {"note", text(judge.note)}, {"largest_difference", judge.largestDifference},
                     {"mean_difference", judge.meanDifference}};
    if (judge.top1)
        json["top1"] = *judge.top1;
    if (judge.top5)
        json["top5"] = *judge.top5;
    return json;
}

core::Judge judgeFrom(const QJsonObject &json)
{
    core::Judge judge;
    judge.name = string(json["name"]);
    judge.ran = json["ran"].toBool();
    judge.note = string(json["note"]);
    judge.largestDifference = json["largest_difference"].toDouble();
    judge.meanDifference = json["mean_difference"].toDouble();
    if (json.contains("top1"))
        judge.top1 = json["top1"].toDouble();
    if (json.contains("top5"))
        judge.top5 = json["top5"].toDouble();
    return judge;
}

QJsonObject toJson(const core::Diagnostic &diagnostic)
{
    return {{"severity", int(diagnostic.severity)}, {"code", text(diagnostic.code)}, {"node", text(diagnostic.node)}, {"sentence", text(diagnostic.sentence)}};
}

core::Diagnostic diagnosticFrom(const QJsonObject &json)
{
    return {core::Severity(std::clamp(json["severity"].toInt(1), 0, 2)), string(json["code"]), string(json["node"]), string(json["sentence"])};
}

template <class T>
QJsonArray list(const std::vector<T> &values)
{
    QJsonArray json;
    for (const T &value : values)
        json.append(toJson(value));
    return json;
}

template <class T>
std::vector<T> read(const QJsonValue &json, T (*one)(const QJsonObject &))
{
    std::vector<T> values;
    for (const QJsonValue &value : json.toArray())
        values.push_back(one(value.toObject()));
    return values;
}

} // namespace

QJsonObject reportToRunJson(const core::Report &r)
{
    QJsonObject json{{"program", text(r.program)}, {"source", text(r.sourceFile)}, {"file", text(r.file)}, {"preset", text(r.preset)}, {"target", text(r.target)},
            {"source_bytes", qint64(r.sourceBytes)}, {"file_bytes", qint64(r.fileBytes)}, {"opset", r.opset}, {"frozen_equal", r.frozenEqual},
            {"float", toJson(r.floating)}, {"quantized", toJson(r.quantized)}, {"exported", toJson(r.exported)},
            {"calibrate_images_per_second", r.calibrateImagesPerSecond}, {"calibration_images", qint64(r.calibrationImages)}, {"seconds", r.seconds},
            {"layers", list(r.layers)}, {"flipped", list(r.flipped)}, {"judges", list(r.judges)}, {"diagnostics", list(r.diagnostics)}};
    if (r.training)
        json["training"] = text(core::recordToJson(*r.training)); // text, because numbers of a QJsonObject lose bits of a seed
    return json;
}

core::Report reportFromRunJson(const QJsonObject &json)
{
    core::Report r;
    r.program = string(json["program"]);
    r.sourceFile = string(json["source"]);
    r.file = string(json["file"]);
    r.preset = string(json["preset"]);
    r.target = string(json["target"]);
    r.sourceBytes = json["source_bytes"].toInteger();
    r.fileBytes = json["file_bytes"].toInteger();
    r.opset = json["opset"].toInt();
    r.frozenEqual = json["frozen_equal"].toBool();
    r.floating = evaluationFrom(json["float"].toObject());
    r.quantized = evaluationFrom(json["quantized"].toObject());
    r.exported = evaluationFrom(json["exported"].toObject());
    r.calibrateImagesPerSecond = json["calibrate_images_per_second"].toDouble();
    r.calibrationImages = json["calibration_images"].toInteger();
    r.seconds = json["seconds"].toDouble();
    r.layers = read<core::LayerRow>(json["layers"], rowFrom);
    r.flipped = read<core::FlippedImage>(json["flipped"], flippedFrom);
    r.judges = read<core::Judge>(json["judges"], judgeFrom);
    r.diagnostics = read<core::Diagnostic>(json["diagnostics"], diagnosticFrom);
    if (const QString training = json["training"].toString(); !training.isEmpty())
        r.training = core::recordFromJson(string(training));
    return r;
}

} // namespace app
