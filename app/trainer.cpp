#include "app/trainer.h"

#include <QFileInfo>

namespace app {
namespace {

using widgets::TrainingPhase;

constexpr int drainInterval = 50; // ms
constexpr std::size_t mostPoints = 4000;

struct TrainResult {
    core::Report report;
};

/// Of an evaluation the figure that the panel follows, with its name.
std::optional<double> figureOf(const core::Evaluation &e, QString *name = nullptr)
{
    if (name)
        *name = e.top1 ? Trainer::tr("top-1") : Trainer::tr("same top-1 as float");
    return e.top1 ? e.top1 : e.agreement ? std::optional<double>(e.agreement->top1) : std::nullopt;
}

/// Leaves every second point out; evaluations stay.
void thin(std::vector<core::CurvePoint> &curve)
{
    std::size_t index = 0;
    std::erase_if(curve, [&](const core::CurvePoint &point) { return index++ % 2 == 1 && !point.evaluation; });
}

} // namespace

Trainer::Trainer(Document &document, Lane &lane, std::function<core::Session &()> session, const QString &folder, QObject *parent)
    : QObject(parent), m_document(document), m_lane(lane), m_session(std::move(session)), m_store(folder)
{
    m_drain.setSingleShot(true);
    connect(&m_drain, &QTimer::timeout, this, &Trainer::drain);
    m_sinceDrain.start();
    connect(&document, &Document::opened, this, [this] {
        forgetUnsaved();
        look();
    });
    connect(&document, &Document::modifiedChanged, this, [this](bool modified) {
        if (!modified)
            m_unsaved.clear();
    });
    for (void (Document::*const signal)() : {&Document::settingsChanged, &Document::layersChanged})
        connect(&document, signal, this, &Trainer::changed);
    connect(&lane, &Lane::busyChanged, this, &Trainer::changed);
}

Trainer::~Trainer()
{
    forgetUnsaved();
}

void Trainer::forgetUnsaved()
{
    for (const auto &checkpoint : std::exchange(m_unsaved, {}))
        m_store.remove(checkpoint);
}

QString Trainer::obstacle() const
{
    if (!m_document.hasModel())
        return tr("Open a model first.");
    if (m_document.prepared()->quantized)
        return tr("This file is quantized already; open the float model to train it.");
    if (m_document.settings().training.method != core::TrainMethod::Float && m_document.layers() && !m_document.layers()->error.isEmpty())
        return m_document.layers()->error;
    if (!active() && m_lane.busy())
        return tr("Something runs already; wait for it, or stop it.");
    return {};
}

void Trainer::setPhase(TrainingPhase phase)
{
    m_status.phase = phase;
    Q_EMIT changed();
}

void Trainer::look()
{
    m_unfinished = m_document.hasModel() ? m_store.find(m_document.project().modelHash) : std::nullopt;
    Q_EMIT changed();
}

QString Trainer::nextName(core::TrainMethod method) const
{
    for (int i = 1;; ++i) {
        const QString name = QStringLiteral("%1 %2").arg(widgets::methodName(method)).arg(i);
        const auto &runs = m_document.project().runs;
        if (std::none_of(runs.begin(), runs.end(), [&](const Run &run) { return run.name == name; }))
            return name;
    }
}

std::optional<double> Trainer::knownFloat(const Settings &settings) const
{
    const auto same = [&](const Run &run) {
        const core::DataSource &a = run.settings.validation, &b = settings.validation;
        return a.path == b.path && a.labels == b.labels && a.limit == b.limit && run.settings.recipe.transform == settings.recipe.transform;
    };
    for (const Run &run : m_document.project().runs)
        if (run.report.floating.top1 && same(run))
            return run.report.floating.top1;
    return {};
}

core::TrainRequest Trainer::request(const Settings &settings) const
{
    core::TrainRequest wanted;
    wanted.quantize.model = m_document.project().model;
    wanted.quantize.calibration = settings.calibration;
    wanted.quantize.validation = settings.validation;
    wanted.quantize.recipe = settings.recipe;
    wanted.quantize.calibrated = m_document.calibration();
    wanted.training = settings.trainingData;
    wanted.spec = settings.training;
    return wanted;
}

void Trainer::train()
{
    const Settings &settings = m_document.settings();
    if (active() || !obstacle().isEmpty() || settings.trainingData.path.empty())
        return;
    UnfinishedTraining training;
    training.checkpoint = m_store.begin(m_document.project().modelHash);
    training.name = nextName(settings.training.method);
    training.settings = settings;
    start(std::move(training), false);
}

void Trainer::resume()
{
    if (m_status.phase == TrainingPhase::Paused) {
        m_control->resume();
        return setPhase(TrainingPhase::Running);
    }
    if (active() || !m_unfinished || m_lane.busy() || !m_store.take(*m_unfinished))
        return;
    UnfinishedTraining training = *m_unfinished;
    const auto &runs = m_document.project().runs;
    if (std::any_of(runs.begin(), runs.end(), [&](const Run &run) { return run.name == training.name; }))
        training.name = nextName(training.settings.training.method);
    m_document.change(training.settings, tr("Settings of %1").arg(training.name));
    start(std::move(training), true);
}

void Trainer::start(UnfinishedTraining training, bool resume)
{
    m_running = std::move(training);
    m_running.when = QDateTime::currentDateTime();
    m_unfinished.reset();
    m_discarding = false;
    m_status = {};
    m_status.name = m_running.name;
    m_status.phase = TrainingPhase::Starting;
    m_status.step = m_running.step;
    m_status.steps = m_running.steps;
    m_status.epochs = m_running.settings.training.epochs;
    const bool quantized = method() != core::TrainMethod::Float;
    for (const core::CurvePoint &point : m_running.curve)
        if (point.evaluation) {
            const std::optional<double> figure = figureOf(*point.evaluation, &m_status.figure);
            if (point.step == 0)
                m_status.ptq = figure;
            if (point.step == m_running.bestStep) {
                m_status.best = figure;
                m_status.bestStep = point.step;
            }
        }
    m_status.floating = quantized ? knownFloat(m_running.settings) : std::nullopt;
    m_store.note(m_running);
    m_control = std::make_shared<core::TrainingControl>();
    m_control->watch(m_watched);
    m_feed = std::make_shared<TrainingFeed>([this] {
        QMetaObject::invokeMethod(this, [this] {
            if (!m_drain.isActive())
                m_drain.start(std::max(0, drainInterval - int(std::min<qint64>(m_sinceDrain.elapsed(), drainInterval))));
        }, Qt::QueuedConnection);
    });
    core::TrainRequest wanted = request(m_running.settings);
    wanted.checkpoint = m_running.checkpoint;
    wanted.resume = resume;
    m_lane.stop(QStringLiteral("diagnose"));
    m_lane.start<TrainResult>(
        QStringLiteral("train"), tr("Training %1").arg(m_running.name),
        [this, wanted, quantized, measure = quantized && !m_status.floating && !wanted.quantize.validation.path.empty(), control = m_control, feed = m_feed,
         prepared = m_document.prepared()](core::Progress &progress) mutable {
            core::Session &session = m_session();
            if (quantized && !wanted.quantize.calibration.path.empty()) {
                wanted.quantize.calibrated = session.calibrate(wanted.quantize, progress);
                QMetaObject::invokeMethod(this, [this, prepared, calibrated = wanted.quantize.calibrated] {
                    if (prepared == m_document.prepared())
                        m_document.setCalibration(calibrated);
                }, Qt::QueuedConnection);
            }
            if (measure)
                if (const auto top1 = session.evaluate(wanted.quantize.model, wanted.quantize.validation, wanted.quantize.recipe, progress).top1)
                    QMetaObject::invokeMethod(this, [this, feed, top1] {
                        if (feed == m_feed)
                            m_status.floating = top1;
                    }, Qt::QueuedConnection);
            auto result = std::make_shared<TrainResult>();
            result->report = session.train(wanted, *control, [&feed](const core::TrainingUpdate &update) { feed->push(update); }, progress);
            return std::shared_ptr<const TrainResult>(std::move(result));
        },
        [this](std::shared_ptr<const TrainResult> result) { finish(result->report); }, [this](const Failure &failure) { fail(failure); });
    Q_EMIT started();
    Q_EMIT changed();
}

void Trainer::drain()
{
    m_sinceDrain.restart();
    if (!m_feed || !active())
        return;
    const std::vector<core::TrainingUpdate> updates = m_feed->take();
    if (updates.empty())
        return;
    const TrainingPhase before = m_status.phase;
    bool told = false;
    for (const core::TrainingUpdate &update : updates) {
        take(update);
        told |= update.point.evaluation || update.paused;
    }
    if (told)
        note();
    Q_EMIT updated(updates);
    if (m_status.phase != before)
        Q_EMIT changed();
}

void Trainer::take(const core::TrainingUpdate &update)
{
    const core::CurvePoint &point = update.point;
    std::vector<core::CurvePoint> &curve = m_running.curve;
    while (!curve.empty() && curve.back().step > point.step) // the checkpoint was older than what was noted
        curve.pop_back();
    if (curve.empty() || curve.back().step < point.step)
        curve.push_back(point);
    else if (point.evaluation)
        curve.back() = point;
    if (curve.size() > mostPoints)
        thin(curve);
    m_running.step = m_status.step = point.step;
    m_running.steps = m_status.steps = update.steps;
    m_status.epoch = point.epoch;
    m_status.imagesPerSecond = update.imagesPerSecond;
    m_status.secondsLeft = update.imagesPerSecond > 0 ? double(update.steps - point.step) * m_running.settings.training.batchSize / update.imagesPerSecond : 0;
    if (point.evaluation) {
        const std::optional<double> figure = figureOf(*point.evaluation, &m_status.figure);
        if (point.step == 0)
            m_status.ptq = figure;
        if (update.best || (point.step == 0 && !m_status.best)) {
            m_status.best = figure;
            m_running.bestStep = m_status.bestStep = point.step;
        }
        if (!point.evaluation->top1)
            m_status.floating.reset();
    }
    if (m_status.phase == TrainingPhase::Stopping || m_status.phase == TrainingPhase::Discarding)
        return;
    if (update.paused)
        m_status.phase = TrainingPhase::Paused;
    else if (m_status.phase != TrainingPhase::Pausing)
        m_status.phase = TrainingPhase::Running;
}

void Trainer::note()
{
    m_running.when = QDateTime::currentDateTime();
    m_store.note(m_running);
}

void Trainer::pause()
{
    if (m_status.phase != TrainingPhase::Running)
        return;
    m_control->pause();
    setPhase(TrainingPhase::Pausing);
}

void Trainer::stopAndKeepBest()
{
    if (m_status.phase != TrainingPhase::Running && m_status.phase != TrainingPhase::Paused)
        return;
    m_control->stopAndKeepBest();
    setPhase(TrainingPhase::Stopping);
}

void Trainer::discard()
{
    if (!active()) {
        if (m_unfinished)
            m_store.remove(m_unfinished->checkpoint);
        return look();
    }
    m_discarding = true;
    setPhase(TrainingPhase::Discarding);
    m_lane.stop(QStringLiteral("train"));
}

void Trainer::suspend()
{
    if (!active())
        return;
    note();
    setPhase(TrainingPhase::Discarding);
    m_lane.stop(QStringLiteral("train"));
}

void Trainer::watch(const std::string &node)
{
    if (node == m_watched)
        return;
    m_watched = node;
    if (m_control)
        m_control->watch(node);
}

void Trainer::finish(const core::Report &report)
{
    drain();
    m_store.finish(m_running.checkpoint);
    Run run;
    run.name = m_running.name;
    run.when = QDateTime::currentDateTime();
    run.settings = m_running.settings;
    run.report = report;
    run.checkpoint = m_running.checkpoint;
    end();
    m_document.addRun(run);
    m_unsaved.push_back(run.checkpoint);
    Q_EMIT finished(report);
    look();
}

void Trainer::fail(const Failure &failure)
{
    if (m_discarding || !QFileInfo::exists(text(m_running.checkpoint)))
        m_store.remove(m_running.checkpoint);
    else if (failure.cancelled)
        note();
    end();
    look();
}

void Trainer::end()
{
    m_status = {};
    m_store.release();
    m_control.reset();
    m_feed.reset();
}

void Trainer::exportRun(const ExportWish &wish)
{
    const int index = wish.trainedRun;
    const Run *run = m_document.run(index);
    if (!run || active())
        return;
    core::TrainRequest wanted = request(run->settings);
    wanted.checkpoint = run->checkpoint;
    wanted.resume = true;
    setWish(wanted.quantize, wish);
    m_lane.stop(QStringLiteral("diagnose"));
    m_lane.start<TrainResult>(
        QStringLiteral("run"), tr("Exporting"),
        [this, wanted, name = run->name](core::Progress &progress) {
            if (!std::filesystem::exists(wanted.checkpoint))
                throw core::Error(core::ErrorKind::Io, "export", tr("What %1 learned is not there any more: '%2' is missing. Train it again.").arg(name, text(wanted.checkpoint)).toStdString());
            core::TrainingControl control;
            auto result = std::make_shared<TrainResult>();
            result->report = m_session().train(wanted, control, {}, progress);
            return std::shared_ptr<const TrainResult>(std::move(result));
        },
        [this, checkpoint = run->checkpoint, prepared = m_document.prepared()](std::shared_ptr<const TrainResult> result) {
            const auto &runs = m_document.project().runs;
            for (std::size_t i = 0; i < runs.size() && prepared == m_document.prepared(); ++i)
                if (runs[i].checkpoint == checkpoint) {
                    core::Report report = result->report;
                    report.training = runs[i].report.training;
                    m_document.setReport(int(i), report);
                    break;
                }
            Q_EMIT exported(result->report);
        });
}

} // namespace app
