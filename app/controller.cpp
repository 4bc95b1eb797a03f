#include "app/controller.h"

#include "app/options.h"
#include "core/base/atomic_file.h"
#include "core/spec/config_json.h"

#include <QFileInfo>
#include <QTimer>

namespace app {

namespace fs = std::filesystem;

namespace {

constexpr int pinnedImages = 64;
constexpr int diagnosisDelay = 400; // ms after the last edit

struct Opened {
    Project project;
    std::shared_ptr<const core::Prepared> prepared;
    bool missing = false, changed = false;
};

struct RunResult {
    std::shared_ptr<const core::Calibration> calibration;
    core::Report report;
};

} // namespace

Controller::Controller(Document &document, int threads, const QString &trainingFolder, QObject *parent)
    : QObject(parent), m_document(document), m_threads(threads), m_diagnosis(new QTimer(this))
{
    m_diagnosis->setSingleShot(true);
    m_diagnosis->setInterval(diagnosisDelay);
    connect(m_diagnosis, &QTimer::timeout, this, &Controller::diagnose);
    connect(&m_document, &Document::settingsChanged, this, &Controller::describe);
    connect(&m_document, &Document::runsChanged, this, &Controller::describe);
    connect(&m_document, &Document::imageChanged, this, &Controller::describe);
    for (Lane *lane : {&m_light, &m_heavy})
        connect(lane, &Lane::failed, this, &Controller::failed);
    m_trainer = std::make_unique<Trainer>(m_document, m_heavy, [this]() -> core::Session & { return session(); }, trainingFolder.isEmpty() ? TrainingStore::defaultFolder() : trainingFolder);
    connect(m_trainer.get(), &Trainer::finished, this, &Controller::runFinished);
    connect(m_trainer.get(), &Trainer::exported, this, &Controller::exported);
}

Controller::~Controller() = default;

core::Session &Controller::session()
{
    if (!m_session)
        m_session = std::make_unique<core::Session>(m_threads);
    return *m_session;
}

core::QuantizeRequest Controller::request() const
{
    core::QuantizeRequest request;
    request.model = m_document.project().model;
    request.calibration = m_document.settings().calibration;
    request.validation = m_document.settings().validation;
    request.recipe = m_document.recipe();
    request.calibrated = m_document.calibration();
    return request;
}

QString Controller::obstacle() const
{
    if (!m_document.hasModel())
        return tr("Open a model first.");
    if (m_document.settings().calibration.path.empty())
        return tr("Choose the images to calibrate with (Data).");
    if (m_document.layers() && !m_document.layers()->error.isEmpty())
        return m_document.layers()->error;
    return {};
}

void Controller::openSample()
{
    Project project;
    try {
        const fs::path folder = sampleFolder();
        project.model = folder / "sample.onnx";
        project.settings.recipe = core::recipeFromJson(core::readFile(folder / "recipe.json"));
        project.settings.calibration.path = folder / "calib";
        project.settings.validation.path = folder / "val";
        project.settings.trainingData.path = folder / "calib";
    } catch (const core::Error &error) {
        Q_EMIT failed(tr("Open the sample"), {false, error.kind(), QString::fromStdString(error.operation()), QString::fromStdString(error.sentence())});
        return;
    }
    openProject(project, {});
}

void Controller::open(const QString &name)
{
    if (!name.endsWith(QStringLiteral(".qsproj"), Qt::CaseInsensitive)) {
        Project project;
        project.model = path(name);
        project.settings.recipe = core::presetRecipe("best");
        project.settings.recipe.transform = core::transformPreset("imagenet");
        openProject(project, {});
        return;
    }
    try {
        openProject(loadProject(path(name)), name);
    } catch (const core::Error &error) {
        Q_EMIT failed(tr("Open"), {false, error.kind(), QString::fromStdString(error.operation()), QString::fromStdString(error.sentence())});
    }
}

void Controller::openProject(const Project &project, const QString &fileName)
{
    stop();
    m_heavy.start<Opened>(
        "open", tr("Opening %1").arg(QFileInfo(text(project.model)).fileName()),
        [this, project](core::Progress &) {
            auto opened = std::make_shared<Opened>();
            opened->project = project;
            if (!fs::exists(project.model)) {
                if (project.modelHash.isEmpty())
                    throw core::Error(core::ErrorKind::Io, "open", "'" + project.model.string() + "' does not exist.");
                opened->missing = true;
                return opened;
            }
            const QByteArray hash = hashOfFile(project.model);
            opened->changed = !project.modelHash.isEmpty() && hash != project.modelHash;
            opened->project.modelHash = hash;
            opened->prepared = std::make_shared<core::Prepared>(session().prepare(project.model, core::presetRecipe("best")));
            return opened;
        },
        [this, fileName](std::shared_ptr<const Opened> opened) {
            if (opened->missing || opened->changed) {
                Project asked = opened->project;
                Q_EMIT modelMissing(asked, fileName, opened->changed);
                return;
            }
            m_findings.clear();
            Q_EMIT findingsChanged();
            m_document.open(opened->project, opened->prepared, fileName);
            Q_EMIT modelOpened(fileName.isEmpty() ? text(opened->project.model) : fileName);
        });
}

void Controller::describe()
{
    if (!m_document.hasModel())
        return;
    const Run *shown = m_document.run(m_document.currentRun()), *other = m_document.run(m_document.comparedRun());
    FigureSources sources;
    sources.report = shown ? std::make_shared<const core::Report>(shown->report) : nullptr;
    sources.other = other ? std::make_shared<const core::Report>(other->report) : nullptr;
    sources.stale = m_document.isStale(m_document.currentRun());
    sources.image = m_document.image();
    m_light.start<Layers>(
        "layers", tr("Placing quantizers"),
        [prepared = m_document.prepared(), recipe = m_document.recipe(), sources](core::Progress &) { return describeLayers(*prepared, recipe, sources); },
        ofThisModel<Layers>([this](std::shared_ptr<const Layers> layers) { m_document.setLayers(std::move(layers)); }), {}, true);
    m_diagnosis->start();
}

void Controller::diagnose()
{
    if (!m_document.hasModel() || m_heavy.busy()) {
        if (m_document.hasModel())
            m_diagnosis->start();
        return;
    }
    const Run *shown = m_document.run(m_document.currentRun());
    const auto report = shown && !m_document.isStale(m_document.currentRun()) ? std::make_shared<const core::Report>(shown->report) : nullptr;
    m_heavy.start<std::vector<core::Finding>>(
        "diagnose", tr("Looking for problems"),
        [this, request = request(), report](core::Progress &) {
            return std::make_shared<const std::vector<core::Finding>>(session().diagnose(request, report.get()));
        },
        ofThisModel<std::vector<core::Finding>>([this](std::shared_ptr<const std::vector<core::Finding>> findings) {
            m_findings = *findings;
            Q_EMIT findingsChanged();
        }),
        [this](const Failure &failure) {
            if (failure.cancelled)
                return;
            core::Finding finding;
            finding.severity = core::Severity::Problem;
            finding.code = "settings";
            finding.title = tr("These settings cannot be used").toStdString();
            finding.evidence = failure.sentence.toStdString();
            m_findings = {finding};
            Q_EMIT findingsChanged();
        },
        true);
}

void Controller::calibrate()
{
    m_heavy.start<core::Calibration>(
        "run", tr("Calibrating"), [this, request = request()](core::Progress &progress) { return session().calibrate(request, progress); },
        ofThisModel<core::Calibration>([this](std::shared_ptr<const core::Calibration> calibration) {
            m_document.setCalibration(std::move(calibration));
            m_diagnosis->start();
        }));
}

void Controller::run()
{
    if (obstacle().isEmpty())
        start(tr("Running"), request());
}

void Controller::exportTo(const ExportWish &wish)
{
    if (wish.trainedRun >= 0)
        return m_trainer->exportRun(wish);
    core::QuantizeRequest wanted = request();
    setWish(wanted, wish);
    start(tr("Exporting"), std::move(wanted));
}

void Controller::start(const QString &title, core::QuantizeRequest wanted)
{
    m_heavy.stop("diagnose");
    const bool isExport = !wanted.outputDirectory.empty();
    m_heavy.start<RunResult>(
        "run", title,
        [this, wanted = std::move(wanted)](core::Progress &progress) mutable {
            auto result = std::make_shared<RunResult>();
            result->calibration = session().calibrate(wanted, progress);
            wanted.calibrated = result->calibration;
            result->report = session().quantize(wanted, progress);
            return std::shared_ptr<const RunResult>(std::move(result));
        },
        ofThisModel<RunResult>([this, settings = m_document.settings(), isExport](std::shared_ptr<const RunResult> result) {
            finishRun(result->calibration, result->report, settings, isExport);
        }));
}

void Controller::finishRun(std::shared_ptr<const core::Calibration> calibration, const core::Report &report, const Settings &settings, bool isExport)
{
    m_document.setCalibration(std::move(calibration));
    Run run;
    run.name = nextRunName(settings.recipe);
    run.when = QDateTime::currentDateTime();
    run.settings = settings;
    run.report = report;
    m_document.addRun(std::move(run));
    if (isExport)
        Q_EMIT exported(report);
    Q_EMIT runFinished(report);
}

QString Controller::nextRunName(const core::Recipe &recipe) const
{
    QString base = QString::fromStdString(recipe.preset);
    if (!recipe.target.empty())
        base += QStringLiteral(" · ") + QString::fromStdString(recipe.target);
    const core::Recipe plain = core::presetRecipe(recipe.preset);
    if (!(recipe.config == plain.config) || recipe.equalize != plain.equalize || recipe.biasCorrection != plain.biasCorrection)
        base += tr(", edited");
    QString name = base;
    const auto taken = [&] {
        for (const Run &run : m_document.project().runs)
            if (run.name == name)
                return true;
        return false;
    };
    for (int i = 2; taken(); ++i)
        name = QStringLiteral("%1 (%2)").arg(base).arg(i);
    return name;
}

void Controller::predict(const core::Recipe &before, const core::Recipe &after, const QString &what)
{
    if (!m_document.calibration())
        return;
    core::QuantizeRequest asked = request();
    asked.recipe = before;
    m_heavy.start<core::WhatIf>(
        "what-if", tr("Predicting"),
        [this, asked, after](core::Progress &progress) { return std::make_shared<const core::WhatIf>(session().whatIf(asked, after, pinnedImages, progress)); },
        [this, what](std::shared_ptr<const core::WhatIf> prediction) { Q_EMIT whatIfReady(*prediction, what); },
        [this](const Failure &failure) {
            if (!failure.cancelled)
                Q_EMIT whatIfFailed(failure.sentence);
        },
        true);
}

void Controller::dropPrediction()
{
    m_heavy.stop("what-if");
}

void Controller::runImage(std::size_t index)
{
    if (m_trainer->active())
        return Q_EMIT refused(tr("Images are run when the training has ended."));
    if (const Run *shown = m_document.run(m_document.currentRun()); shown && shown->trained())
        return Q_EMIT refused(tr("Single images are run with post-training settings only; choose such a run in Compare."));
    m_heavy.start<core::ImageRun>(
        "image", tr("Running the image"),
        [this, request = request(), index](core::Progress &progress) {
            return std::make_shared<const core::ImageRun>(session().runImage(request, index, progress));
        },
        ofThisModel<core::ImageRun>([this](std::shared_ptr<const core::ImageRun> run) { m_document.setImage(std::move(run)); }));
}

void Controller::stop()
{
    m_trainer->suspend();
    m_heavy.stop();
}

} // namespace app
