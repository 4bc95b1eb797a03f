// The window: canvas in the middle, docks around it, one document, one selection. It only connects; what it connects is elsewhere.
#pragma once

#include "app/controller.h"
#include "app/document.h"
#include "app/recovery.h"
#include "app/settings.h"
#include "widgets/graph/drawn_graph.h"
#include "widgets/shared/node_selection.h"
#include "widgets/shared/theme.h"
#include "widgets/spec/spec_change.h"
#include "widgets/training/training_settings.h"

#include <QMainWindow>

#include <memory>
#include <optional>

class QLabel;
class QStackedWidget;
class QUndoView;

namespace widgets {
class DataPanel;
class GraphCanvas;
class Inspector;
class LayerTableView;
class ProblemsPanel;
class RecipePanel;
class RunLogPanel;
class StartPage;
class TrainingPanel;
struct DataSettings;
}

namespace app {

class AnalysisPanel;
class ExportDialog;
class PredictionBar;
class StatusPanel;
class StepBar;
enum class Step;

struct WindowOptions {
    int threads = -1;                ///< −1 = the preference
    QString autosaveFolder;          ///< empty = the user's own
    QString trainingFolder;          ///< of checkpoints; empty = the user's own
};

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(const WindowOptions &options = {}, QWidget *parent = nullptr);
    ~MainWindow() override;

    Document &document() { return m_document; }
    Controller &controller() { return m_controller; }
    widgets::NodeSelection &selection() { return m_selection; }
    widgets::GraphCanvas *canvas() const { return m_canvas; }
    widgets::Inspector *inspector() const { return m_inspector; }
    widgets::LayerTableView *layerTable() const { return m_layers; }
    widgets::ProblemsPanel *problems() const { return m_problems; }
    AnalysisPanel *analysis() const { return m_analysis; }
    PredictionBar *predictionBar() const { return m_prediction; }
    StatusPanel *statusPanel() const { return m_status; }
    StepBar *stepBar() const { return m_steps; }
    widgets::TrainingPanel *trainingPanel() const { return m_training; }
    /// The open export dialog, or null.
    ExportDialog *exportDialog() const { return m_export; }
    /// By its name ("run", "export", "undo", …); null when there is none.
    QAction *action(const QString &name) const;
    QDockWidget *dock(const QString &name) const;

public Q_SLOTS:
    void open(const QString &path);
    void openSample();
    /// Asks about what a crash left, if anything.
    void offerRecovery();
    bool save();
    bool saveAs();
    void setThemeChoice(app::ThemeChoice choice);
    void setOverlay(int index);
    /// "explore", "diagnose", "train".
    void applyLayout(const QString &name);
    void resetLayout();
    void run();
    void train();
    /// Asks before what was learned is lost.
    void discardTraining();
    void showExport();
    void applyEdits(const widgets::SpecEdits &edits);

protected:
    void closeEvent(QCloseEvent *event) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dropEvent(QDropEvent *event) override;

private:
    friend class WindowActions;
    void buildCenter();
    void buildDocks();
    void buildBars();
    void connectDocument();
    void connectPanels();
    void connectController();
    void connectTraining();
    QDockWidget *addDock(const QString &name, const QString &title, QWidget *content, Qt::DockWidgetArea area);

    /// Canvas and docks, or the start page alone.
    void showDocks(bool shown);
    void showDockTitles(bool shown);
    QString rangesText(core::NodeId node) const;
    void draw();
    void showLayers();
    void showFindings();
    void showSteps();
    void showStep(Step step);
    void showData();
    void takeData(const widgets::DataSettings &data);
    void takePaths(const QStringList &paths);
    void showTraining();
    void showTrainingState();
    void takeTraining(const widgets::TrainingSettings &training);
    /// False when the user wants the training to go on.
    bool mayInterruptTraining();
    void showRanges(core::NodeId node);
    void toggleQuantization(const std::vector<core::NodeId> &nodes);
    void predict();
    void takeBack();
    void showImage();
    void reportFailure(const QString &title, const Failure &failure);
    void askForModel(const Project &project, const QString &fileName, bool changed);
    void updateTitle();
    void updateRecent();
    void applyTheme();
    bool mayDiscard();
    void showPreferences();
    void selectByRule();
    void saveDrawing(bool svg);
    std::set<core::NodeId> editable(const std::set<core::NodeId> &nodes) const;

    Preferences m_preferences;
    Document m_document;
    Controller m_controller;
    Recovery m_recovery;
    widgets::NodeSelection m_selection;
    widgets::Theme m_theme;
    widgets::DrawRequest m_drawRequest;
    std::optional<Settings> m_baseline;   ///< before the edits that are predicted and not kept yet
    Settings m_lastSettings;
    widgets::TrainingPhase m_trainingPhase = widgets::TrainingPhase::Idle;   ///< as the actions know it
    QString m_trainingLeft;
    std::optional<Recovery::Found> m_recovered;   ///< removed once it is open

    QStackedWidget *m_center = nullptr;
    widgets::StartPage *m_start = nullptr;
    widgets::GraphCanvas *m_canvas = nullptr;
    PredictionBar *m_prediction = nullptr;
    QWidget *m_imageBar = nullptr;
    QLabel *m_imageText = nullptr;
    widgets::LayerTableView *m_layers = nullptr;
    widgets::Inspector *m_inspector = nullptr;
    widgets::RecipePanel *m_recipe = nullptr;
    widgets::DataPanel *m_data = nullptr;
    widgets::TrainingPanel *m_training = nullptr;
    AnalysisPanel *m_analysis = nullptr;
    widgets::ProblemsPanel *m_problems = nullptr;
    widgets::RunLogPanel *m_log = nullptr;
    QUndoView *m_history = nullptr;
    StepBar *m_steps = nullptr;
    StatusPanel *m_status = nullptr;
    ExportDialog *m_export = nullptr;
    std::unique_ptr<class WindowActions> m_actions;
};

} // namespace app
