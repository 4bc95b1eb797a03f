#include "app/document.h"

#include "app/commands.h"

#include <QFileInfo>

namespace app {

Document::Document(QObject *parent) : QObject(parent)
{
    connect(&m_undo, &QUndoStack::cleanChanged, this, [this] { Q_EMIT modifiedChanged(isModified()); });
}

QString Document::displayName() const
{
    return QFileInfo(m_fileName.isEmpty() ? text(m_project.model) : m_fileName).fileName();
}

const Run *Document::run(int index) const
{
    return index >= 0 && std::size_t(index) < m_project.runs.size() ? &m_project.runs[std::size_t(index)] : nullptr;
}

bool Document::isStale(int index) const
{
    const Run *one = run(index);
    return one && !(sameWithoutTraining(one->settings, m_project.settings) && (!one->trained() || sameTraining(one->settings, m_project.settings)));
}

void Document::open(Project project, std::shared_ptr<const core::Prepared> prepared, const QString &fileName)
{
    m_project = std::move(project);
    m_prepared = std::move(prepared);
    m_calibration.reset();
    m_layers.reset();
    m_image.reset();
    m_fileName = fileName;
    m_currentRun = int(m_project.runs.size()) - 1;
    m_comparedRun = -1;
    m_undo.clear();
    m_unsaved = false;
    Q_EMIT opened();
    Q_EMIT settingsChanged();
    Q_EMIT runsChanged();
    Q_EMIT calibrationChanged();
    Q_EMIT modifiedChanged(isModified());
}

void Document::close()
{
    open({}, nullptr, {});
}

void Document::setSaved(const QString &fileName)
{
    m_fileName = fileName;
    m_unsaved = false;
    m_undo.setClean();
    Q_EMIT modifiedChanged(isModified());
}

void Document::setView(const QByteArray &windowState, const QString &canvasMode, int overlay)
{
    m_project.windowState = windowState;
    m_project.canvasMode = canvasMode;
    m_project.overlay = overlay;
}

void Document::change(const Settings &settings, const QString &text)
{
    if (!(settings == m_project.settings))
        m_undo.push(new SettingsCommand(*this, settings, text));
}

void Document::changeRecipe(const core::Recipe &recipe, const QString &text)
{
    Settings settings = m_project.settings;
    settings.recipe = recipe;
    change(settings, text);
}

void Document::apply(const Settings &settings, const QString &what)
{
    m_lastEdit = what;
    m_project.settings = settings;
    setImage(nullptr);
    Q_EMIT settingsChanged();
    Q_EMIT edited();
}

void Document::touch()
{
    const bool was = isModified();
    m_unsaved = true;
    if (!was)
        Q_EMIT modifiedChanged(true);
    Q_EMIT edited();
}

void Document::addRun(Run run)
{
    m_project.runs.push_back(std::move(run));
    m_comparedRun = m_project.runs.size() > 1 ? m_currentRun : -1;
    m_currentRun = int(m_project.runs.size()) - 1;
    setImage(nullptr);
    Q_EMIT runsChanged();
    touch();
}

void Document::renameRun(int index, const QString &name)
{
    if (!run(index) || name.trimmed().isEmpty() || run(index)->name == name)
        return;
    m_project.runs[std::size_t(index)].name = name.trimmed();
    Q_EMIT runsChanged();
    touch();
}

void Document::removeRun(int index)
{
    if (!run(index))
        return;
    m_project.runs.erase(m_project.runs.begin() + index);
    const auto follow = [&](int other) { return other == index ? -1 : other > index ? other - 1 : other; };
    m_currentRun = follow(m_currentRun);
    m_comparedRun = follow(m_comparedRun);
    if (m_currentRun < 0)
        m_currentRun = int(m_project.runs.size()) - 1;
    Q_EMIT runsChanged();
    touch();
}

void Document::setReport(int index, const core::Report &report)
{
    if (!run(index))
        return;
    m_project.runs[std::size_t(index)].report = report;
    Q_EMIT runsChanged();
    touch();
}

void Document::setCurrentRun(int index)
{
    if (index == m_currentRun || !run(index))
        return;
    m_currentRun = index;
    Q_EMIT runsChanged();
}

void Document::setComparedRun(int index)
{
    if (index == m_comparedRun)
        return;
    m_comparedRun = run(index) ? index : -1;
    Q_EMIT runsChanged();
}

void Document::setCalibration(std::shared_ptr<const core::Calibration> calibration)
{
    if (calibration == m_calibration)
        return;
    m_calibration = std::move(calibration);
    Q_EMIT calibrationChanged();
}

void Document::setImage(std::shared_ptr<const core::ImageRun> image)
{
    if (image == m_image)
        return;
    m_image = std::move(image);
    Q_EMIT imageChanged();
}

void Document::setLayers(std::shared_ptr<const Layers> layers)
{
    m_layers = std::move(layers);
    Q_EMIT layersChanged();
}

} // namespace app
