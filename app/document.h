// What the window edits: one project, its model, its runs. Owned by the window's thread. Every edit is a command on the undo stack; results are never
// undone, they become stale.
#pragma once

#include "app/layer_table.h"
#include "app/project.h"

#include <QObject>
#include <QUndoStack>

#include <memory>

namespace app {

class Document : public QObject {
    Q_OBJECT
public:
    explicit Document(QObject *parent = nullptr);

    bool hasModel() const { return bool(m_prepared); }
    /// The project as it would be saved now.
    const Project &project() const { return m_project; }
    const Settings &settings() const { return m_project.settings; }
    const core::Recipe &recipe() const { return m_project.settings.recipe; }
    std::shared_ptr<const core::Prepared> prepared() const { return m_prepared; }
    std::shared_ptr<const core::Calibration> calibration() const { return m_calibration; }
    std::shared_ptr<const Layers> layers() const { return m_layers; }
    QUndoStack &undoStack() { return m_undo; }

    /// "" while the project was never saved.
    QString fileName() const { return m_fileName; }
    /// Name for titles: of the project file, else of the model.
    QString displayName() const;
    /// What the newest edit, undo or redo was about.
    QString lastEdit() const { return m_lastEdit; }
    bool isModified() const { return !m_undo.isClean() || m_unsaved; }

    /// The run whose figures the views show; −1 = none.
    int currentRun() const { return m_currentRun; }
    int comparedRun() const { return m_comparedRun; }
    const Run *run(int index) const;
    const core::Report *report() const { return m_currentRun < 0 ? nullptr : &m_project.runs[std::size_t(m_currentRun)].report; }
    /// Something that the run depends on has changed since; of a post-training run not how it would be trained.
    bool isStale(int index) const;

    /// Replaces everything: another project, and its model as the engine prepared it.
    void open(Project project, std::shared_ptr<const core::Prepared> prepared, const QString &fileName);
    void close();
    void setSaved(const QString &fileName);
    /// Where save() is to write; the project is not saved by that.
    void setFileName(const QString &fileName) { m_fileName = fileName; }
    /// As after an edit: what is open stands in no file.
    void markUnsaved() { touch(); }
    /// What the window looks like; kept in the project, no edit.
    void setView(const QByteArray &windowState, const QString &canvasMode, int overlay);

    /// One undo step. Nothing happens when nothing changes.
    void change(const Settings &settings, const QString &text);
    void changeRecipe(const core::Recipe &recipe, const QString &text);

    void addRun(Run run);
    void renameRun(int index, const QString &name);
    void removeRun(int index);
    /// The run measured anew, as when it was exported.
    void setReport(int index, const core::Report &report);
    void setCurrentRun(int index);
    void setComparedRun(int index);
    void setCalibration(std::shared_ptr<const core::Calibration> calibration);
    void setLayers(std::shared_ptr<const Layers> layers);
    /// An image whose error colours the graph instead of the run's; nullptr = none.
    void setImage(std::shared_ptr<const core::ImageRun> image);
    std::shared_ptr<const core::ImageRun> image() const { return m_image; }

Q_SIGNALS:
    void opened();                     ///< another model, or none
    void settingsChanged();
    void runsChanged();
    void calibrationChanged();
    void layersChanged();
    void imageChanged();
    void modifiedChanged(bool modified);
    void edited();                     ///< something that autosave must keep

private:
    friend class SettingsCommand;
    void apply(const Settings &settings, const QString &what);
    void touch();

    Project m_project;
    QString m_fileName, m_lastEdit;
    std::shared_ptr<const core::Prepared> m_prepared;
    std::shared_ptr<const core::Calibration> m_calibration;
    std::shared_ptr<const Layers> m_layers;
    std::shared_ptr<const core::ImageRun> m_image;
    QUndoStack m_undo;
    int m_currentRun = -1, m_comparedRun = -1;
    bool m_unsaved = false;
};

} // namespace app
