#include "widgets/training/training_form.h"

#include "widgets/shared/path_edit.h"
#include "widgets/shared/small_widgets.h"
#include "widgets/training/training_fields.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QStandardItemModel>
#include <QToolButton>
#include <QVBoxLayout>

namespace widgets {
namespace {

void heading(QFormLayout *lines, const QString &text)
{
    lines->addRow(boldLabel(text, lines->parentWidget()));
}

} // namespace

TrainingForm::TrainingForm(QWidget *parent) : QWidget(parent)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    auto *main = new QWidget(this);
    makeMain(panelForm(main));
    column->addWidget(main);
    auto *line = new QHBoxLayout;
    m_more = new QToolButton(this);
    m_more->setObjectName(QStringLiteral("more"));
    m_more->setText(tr("More settings"));
    m_more->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_more->setArrowType(Qt::RightArrow);
    m_more->setAutoRaise(true);
    auto *defaults = new QToolButton(this);
    defaults->setObjectName(QStringLiteral("defaults"));
    defaults->setText(tr("Defaults"));
    defaults->setToolTip(tr("All settings of this method back to what suits it; can be undone"));
    line->addWidget(m_more);
    line->addStretch(1);
    line->addWidget(defaults);
    column->addLayout(line);
    m_advanced = new QWidget(this);
    QFormLayout *rest = panelForm(m_advanced);
    makeLossAndImages(rest);
    makeOptimizer(rest);
    makeRest(rest);
    m_advanced->hide();
    column->addWidget(m_advanced);
    m_refused = remarkLabel(this);
    m_refused->setObjectName(QStringLiteral("refused"));
    m_refused->hide();
    column->addWidget(m_refused);
    column->addStretch(1);
    for (QWidget *editor : findChildren<QWidget *>())
        if (qobject_cast<QAbstractSpinBox *>(editor) || qobject_cast<QComboBox *>(editor))
            guardWheel(editor);
    connect(m_more, &QToolButton::clicked, this, [this] { showMore(m_advanced->isHidden()); });
    connect(defaults, &QToolButton::clicked, this,
            [this] { commitSpec(core::defaultTraining(m_settings.spec.method, mayHaveLabels(m_settings.images, m_settings.labels))); });
    fillIn();
}

void TrainingForm::makeMain(QFormLayout *lines)
{
    QWidget *parent = lines->parentWidget();
    m_method = new QComboBox(parent);
    m_method->setObjectName(QStringLiteral("method"));
    m_method->setAccessibleName(tr("Method"));
    for (const core::TrainMethod method : {core::TrainMethod::Qat, core::TrainMethod::Lsq, core::TrainMethod::Tqt, core::TrainMethod::Float}) {
        m_method->addItem(method == core::TrainMethod::Float ? tr("Float fine-tuning") : methodName(method), int(method));
        m_method->setItemData(m_method->count() - 1, methodText(method), Qt::ToolTipRole);
    }
    connect(m_method, &QComboBox::activated, this,
            [this] { commitSpec(withMethod(m_settings.spec, core::TrainMethod(m_method->currentData().toInt()), mayHaveLabels(m_settings.images, m_settings.labels))); });
    lines->addRow(tr("Method"), m_method);
    m_methodText = remarkLabel(parent);
    lines->addRow(m_methodText);

    m_images = new PathEdit(PathEdit::Images, tr("Training images"), tr("folder of images"), parent);
    m_images->line()->setObjectName(QStringLiteral("images"));
    connect(m_images, &PathEdit::edited, this, [this](const QString &path) {
        TrainingSettings next = m_settings;
        next.images = path;
        commit(next);
    });
    lines->addRow(tr("Images"), m_images);
    auto *limit = new NumberBox(parent);
    limit->setObjectName(QStringLiteral("limit"));
    limit->setDecimals(0);
    limit->setRange(0, 1e8);
    limit->setSpecialValueText(tr("all"));
    limit->setAccessibleName(tr("Number of training images"));
    limit->setToolTip(tr("At most so many images are used to train, spread over the classes"));
    connect(limit, &NumberBox::committed, this, [this](double value) {
        TrainingSettings next = m_settings;
        next.limit = int(value);
        commit(next);
    });
    m_shows.push_back([this, limit] { limit->showNumber(m_settings.limit); });
    lines->addRow(tr("at most"), limit);
    m_labels = new PathEdit(PathEdit::Labels, tr("Labels of the training images"), tr("list of classes, may be empty"), parent);
    m_labels->line()->setObjectName(QStringLiteral("labels"));
    connect(m_labels, &PathEdit::edited, this, [this](const QString &path) {
        TrainingSettings next = m_settings;
        next.labels = path;
        commit(next);
    });
    lines->addRow(tr("Labels"), m_labels);

    addNumber(lines, "epochs", tr("Epochs"), tr("How often every image is seen"), 1, 1e6, 1, [](auto &s) -> auto & { return s.epochs; });
    addNumber(lines, "batch", tr("Batch"), tr("Images for one step of the optimizer; more make steadier but fewer steps"), 1, 65536, 1, [](auto &s) -> auto & { return s.batchSize; });
    addRate(lines, "rate", tr("Learning rate"), tr("How far the weights move in a step. Too high diverges, too low learns nothing."), [](auto &s) -> auto & { return s.learningRate; });
    addRate(lines, "quantizer_rate", tr("… of quantizers"), tr("How far step sizes and thresholds move in a step, in parts of their start"), [](auto &s) -> auto & { return s.quantizerLearningRate; });

    m_loss = new QComboBox(parent);
    m_loss->setObjectName(QStringLiteral("loss"));
    m_loss->setAccessibleName(tr("Loss"));
    const std::tuple<LossChoice, QString, QString> losses[] = {
        {LossChoice::Distillation, tr("distillation"), tr("Outputs are to be those of the float model; needs no labels and fits every model.")},
        {LossChoice::CrossEntropy, tr("cross-entropy"), tr("The right class is to win; needs labels.")},
        {LossChoice::Both, tr("cross-entropy + distillation"), tr("Both, weighted as below; needs labels.")},
        {LossChoice::Features, tr("features"), tr("Chosen tensors inside are to be those of the float model; needs no labels.")}};
    for (const auto &[choice, text, toolTip] : losses) {
        m_loss->addItem(text, int(choice));
        m_loss->setItemData(m_loss->count() - 1, toolTip, Qt::ToolTipRole);
    }
    connect(m_loss, &QComboBox::activated, this, [this] {
        core::TrainingSpec next = m_settings.spec;
        next.loss = withLoss(next.loss, LossChoice(m_loss->currentData().toInt()));
        commitSpec(next);
    });
    lines->addRow(tr("Loss"), m_loss);
    m_lossText = remarkLabel(parent);
    lines->addRow(m_lossText);
}

void TrainingForm::makeLossAndImages(QFormLayout *lines)
{
    heading(lines, tr("Loss"));
    addNumber(lines, "temperature", tr("Temperature"), tr("Of the distillation: above 1 the less likely classes count more"), 0.05, 1000, 0.5, [](auto &s) -> auto & { return s.loss.temperature; });
    addNumber(lines, "smoothing", tr("Label smoothing"), tr("Of the cross-entropy: so much of the certainty goes to the other classes"), 0, 0.99, 0.05, [](auto &s) -> auto & { return s.loss.labelSmoothing; });
    addNumber(lines, "weight_ce", tr("Weight of CE"), tr("How much the cross-entropy counts"), 0, 1e6, 0.1, [](auto &s) -> auto & { return s.loss.crossEntropy; });
    addNumber(lines, "weight_distillation", tr("… of distillation"), tr("How much the likeness to the float model's outputs counts"), 0, 1e6, 0.1, [](auto &s) -> auto & { return s.loss.distillation; });
    makeFeatures(lines);
    heading(lines, tr("Change of images"));
    addSwitch(lines, "crop", tr("Random crop"), tr("A part of the image in place of the whole, another one each time"), [](auto &s) -> auto & { return s.augment.randomResizedCrop; });
    addNumber(lines, "crop_area", tr("Least part"), tr("Smallest share of the image that a crop may be"), 0.01, 1, 0.05, [](auto &s) -> auto & { return s.augment.minArea; });
    addSwitch(lines, "flip", tr("Flip sideways"), tr("Every second time. Not where left and right mean something, as with letters."), [](auto &s) -> auto & { return s.augment.flip; });
    addNumber(lines, "brightness", tr("Brightness ±"), tr("0.2 means factors between 0.8 and 1.2"), 0, 1, 0.05, [](auto &s) -> auto & { return s.augment.brightness; });
    addNumber(lines, "contrast", tr("Contrast ±"), tr("0.2 means factors between 0.8 and 1.2"), 0, 1, 0.05, [](auto &s) -> auto & { return s.augment.contrast; });
    addNumber(lines, "saturation", tr("Saturation ±"), tr("0.2 means factors between 0.8 and 1.2"), 0, 1, 0.05, [](auto &s) -> auto & { return s.augment.saturation; });
    addNumber(lines, "shift", tr("Shift ± px"), tr("Pixels of the model's input that the image may move up, down and sideways"), 0, 4096, 1, [](auto &s) -> auto & { return s.augment.shift; });
}

void TrainingForm::makeFeatures(QFormLayout *lines)
{
    auto *holder = new QWidget(lines->parentWidget());
    auto *row = new QHBoxLayout(holder);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    m_tensors = new QLineEdit(holder);
    m_tensors->setObjectName(QStringLiteral("tensors"));
    m_tensors->setReadOnly(true);
    m_tensors->setPlaceholderText(tr("none"));
    m_tensors->setAccessibleName(tr("Tensors of the loss on features"));
    m_takeTensors = new QToolButton(holder);
    m_takeTensors->setObjectName(QStringLiteral("take_tensors"));
    m_takeTensors->setText(tr("From selection"));
    connect(m_takeTensors, &QToolButton::clicked, this, [this] {
        core::TrainingSpec next = m_settings.spec;
        next.loss.tensors.clear();
        for (const QString &name : m_context.selectedTensors)
            next.loss.tensors.push_back(name.toStdString());
        next.loss = withLoss(next.loss, LossChoice::Features);
        commitSpec(next);
    });
    row->addWidget(m_tensors, 1);
    row->addWidget(m_takeTensors);
    lines->addRow(tr("Features"), holder);
    m_shows.push_back([this] {
        QStringList names;
        for (const std::string &name : m_settings.spec.loss.tensors)
            names << QString::fromStdString(name);
        m_tensors->setText(names.join(QStringLiteral(", ")));
        m_tensors->setToolTip(names.isEmpty() ? tr("No tensor is chosen") : names.join(QLatin1Char('\n')));
    });
}

void TrainingForm::makeOptimizer(QFormLayout *lines)
{
    using core::OptimizerKind, core::ScheduleKind;
    heading(lines, tr("Optimizer"));
    addChoice(lines, "optimizer", tr("Optimizer"), [](auto &s) -> auto & { return s.optimizer; },
              std::initializer_list<std::tuple<OptimizerKind, QString, QString>>{{OptimizerKind::Adam, QStringLiteral("Adam"), tr("A step size for each weight; forgiving")},
                                                                                {OptimizerKind::Sgd, tr("SGD with momentum"), tr("One step size for all; ends a little better where the rate is right")}});
    addNumber(lines, "momentum", tr("Momentum"), tr("How much of the former step goes on, with Nesterov's look-ahead"), 0, 0.9999, 0.05, [](auto &s) -> auto & { return s.momentum; });
    addRate(lines, "decay", tr("Weight decay"), tr("Pull of the weights towards 0; never of biases, BatchNormalization and quantizers"), [](auto &s) -> auto & { return s.weightDecay; });
    addNumber(lines, "clip", tr("Gradient clip"), tr("Largest norm of the whole gradient; 0 = none"), 0, 1e9, 1, [](auto &s) -> auto & { return s.gradientClip; })->setSpecialValueText(tr("none"));
    addChoice(lines, "schedule", tr("Schedule"), [](auto &s) -> auto & { return s.schedule; },
              std::initializer_list<std::tuple<ScheduleKind, QString, QString>>{{ScheduleKind::Cosine, tr("cosine"), tr("The rate falls to 0 along half a wave")},
                                                                                {ScheduleKind::Constant, tr("constant"), tr("The rate stays")},
                                                                                {ScheduleKind::Step, tr("steps"), tr("The rate falls by a factor every so many epochs")},
                                                                                {ScheduleKind::Plateau, tr("plateau"), tr("The rate falls by a factor after so many evaluations without progress")}});
    addNumber(lines, "step_epochs", tr("Fall after"), tr("Epochs, with a plateau evaluations"), 1, 1e6, 1, [](auto &s) -> auto & { return s.stepEpochs; });
    addNumber(lines, "step_factor", tr("by factor"), tr("The rate is multiplied by it"), 0.0001, 1, 0.1, [](auto &s) -> auto & { return s.stepFactor; });
    addNumber(lines, "warmup", tr("Warm-up steps"), tr("The rate rises from 0 over so many steps"), 0, 1e9, 10, [](auto &s) -> auto & { return s.warmupSteps; })->setSpecialValueText(tr("none"));
}

void TrainingForm::makeRest(QFormLayout *lines)
{
    using core::BatchNormMode;
    heading(lines, tr("BatchNormalization and ranges"));
    addChoice(lines, "batch_norm", tr("Statistics"), [](auto &s) -> auto & { return s.batchNorm; },
              std::initializer_list<std::tuple<BatchNormMode, QString, QString>>{{BatchNormMode::Fixed, tr("as in the model"), tr("They stay; right for few images and for short trainings")},
                                                                                {BatchNormMode::Running, tr("follow the batches"), tr("They are averaged over the batches; the forward pass uses the averages")},
                                                                                {BatchNormMode::Batch, tr("of each batch"), tr("The forward pass normalizes with the batch itself; needs batches of 16 and more")}});
    addNumber(lines, "freeze_bn", tr("Frozen after"), tr("Share of all steps after which the statistics stay"), 0, 1, 0.1, [](auto &s) -> auto & { return s.freezeBatchNormAt; });
    addNumber(lines, "freeze_observers", tr("Ranges frozen after"), tr("Of QAT: share of all steps after which the ranges stay"), 0, 1, 0.1, [](auto &s) -> auto & { return s.freezeObserversAt; });
    heading(lines, tr("Course"));
    addNumber(lines, "evaluate_every", tr("Evaluate every"), tr("Steps between two evaluations; the best of them is kept"), 0, 1e12, 10, [](auto &s) -> auto & { return s.evaluateEvery; })->setSpecialValueText(tr("epoch"));
    addNumber(lines, "patience", tr("Patience"), tr("Ends after so many evaluations without a new best"), 0, 1e6, 1, [](auto &s) -> auto & { return s.patience; })->setSpecialValueText(tr("no end"));
    addNumber(lines, "max_steps", tr("At most steps"), tr("Ends after so many steps, whatever the epochs"), 0, 1e12, 100, [](auto &s) -> auto & { return s.maxSteps; })->setSpecialValueText(tr("epochs decide"));
    auto *seed = new QLineEdit(lines->parentWidget());
    seed->setObjectName(QStringLiteral("seed"));
    seed->setAccessibleName(tr("Seed"));
    seed->setToolTip(tr("Equal seeds, settings and threads give equal curves"));
    connect(seed, &QLineEdit::editingFinished, this, [this, seed] {
        bool number = false;
        core::TrainingSpec next = m_settings.spec;
        next.seed = seed->text().toULongLong(&number);
        number ? commitSpec(next) : refuse(tr("'%1' is no whole number.").arg(seed->text()));
    });
    m_shows.push_back([this, seed] { seed->setText(QString::number(m_settings.spec.seed)); });
    lines->addRow(tr("Seed"), seed);
}

void TrainingForm::commitSpec(const core::TrainingSpec &spec)
{
    TrainingSettings next = m_settings;
    next.spec = spec;
    commit(next);
}

void TrainingForm::commit(const TrainingSettings &settings)
{
    try {
        core::checkTraining(settings.spec);
    } catch (const core::Error &error) {
        return refuse(QString::fromStdString(error.sentence()));
    }
    const bool changed = !(settings == m_settings);
    setSettings(settings);
    if (changed)
        Q_EMIT edited(m_settings);
}

void TrainingForm::refuse(const QString &sentence)
{
    fillIn();
    m_refused->setText(QStringLiteral("⚠ ") + sentence);
    m_refused->show();
}

void TrainingForm::setSettings(const TrainingSettings &settings)
{
    m_settings = settings;
    m_refused->hide();
    fillIn();
}

void TrainingForm::setContext(const TrainingContext &context)
{
    m_context = context;
    limitChoices();
}

void TrainingForm::fillIn()
{
    m_images->setPath(m_settings.images);
    m_labels->setPath(m_settings.labels);
    m_method->setCurrentIndex(m_method->findData(int(m_settings.spec.method)));
    m_methodText->setText(methodText(m_settings.spec.method));
    m_method->setToolTip(m_methodText->text());
    m_loss->setCurrentIndex(m_loss->findData(int(lossChoiceOf(m_settings.spec.loss))));
    m_lossText->setText(m_loss->currentData(Qt::ToolTipRole).toString());
    for (const auto &show : m_shows)
        show();
    limitChoices();
}

void TrainingForm::allow(QWidget *editor, const QString &why)
{
    if (!editor->property("usual_tip").isValid())
        editor->setProperty("usual_tip", editor->toolTip());
    editor->setEnabled(why.isEmpty());
    editor->setToolTip(why.isEmpty() ? editor->property("usual_tip").toString() : why);
}

void TrainingForm::limitChoices()
{
    const core::TrainingSpec &spec = m_settings.spec;
    const bool labelled = mayHaveLabels(m_settings.images, m_settings.labels);
    const auto allowLoss = [&](LossChoice choice, const QString &why) {
        auto *item = static_cast<QStandardItemModel *>(m_loss->model())->item(m_loss->findData(int(choice)));
        if (!item->data(Qt::UserRole + 1).isValid())
            item->setData(item->toolTip(), Qt::UserRole + 1);
        item->setEnabled(why.isEmpty());
        item->setToolTip(why.isEmpty() ? item->data(Qt::UserRole + 1).toString() : why);
    };
    const QString noLabels = labelled ? QString() : tr("These images have no labels: name a labels file, or put the images of each class in a folder of its own.");
    allowLoss(LossChoice::CrossEntropy, noLabels);
    allowLoss(LossChoice::Both, noLabels);
    allowLoss(LossChoice::Features, spec.loss.tensors.empty() ? tr("Choose tensors first: select layers, then More settings, Features, From selection.") : QString());
    const auto find = [this](const char *name) { return findChild<QWidget *>(QString::fromLatin1(name)); };
    const bool learned = spec.method == core::TrainMethod::Lsq || spec.method == core::TrainMethod::Tqt;
    allow(find("quantizer_rate"), learned ? QString() : spec.method == core::TrainMethod::Qat ? tr("QAT follows ranges, it does not learn them.") : tr("The float model has no quantizers."));
    allow(find("freeze_observers"), spec.method == core::TrainMethod::Qat ? QString() : tr("Only QAT follows ranges."));
    allow(find("temperature"), spec.loss.distillation > 0 ? QString() : tr("Only for the distillation."));
    allow(find("smoothing"), spec.loss.crossEntropy > 0 ? QString() : tr("Only for the cross-entropy."));
    allow(find("weight_ce"), lossChoiceOf(spec.loss) == LossChoice::Both || spec.loss.crossEntropy > 0 ? QString() : noLabels);
    allow(find("crop_area"), spec.augment.randomResizedCrop ? QString() : tr("Only for random crops."));
    allow(find("momentum"), spec.optimizer == core::OptimizerKind::Sgd ? QString() : tr("Adam has a momentum of its own."));
    const bool falls = spec.schedule == core::ScheduleKind::Step || spec.schedule == core::ScheduleKind::Plateau;
    for (const char *name : {"step_epochs", "step_factor"})
        allow(find(name), falls ? QString() : tr("Only for the schedules steps and plateau."));
    const QString none = m_context.normalizes ? QString() : tr("This model has no BatchNormalization.");
    allow(find("batch_norm"), none);
    allow(find("freeze_bn"), !none.isEmpty() ? none : spec.batchNorm == core::BatchNormMode::Fixed ? tr("The statistics stay from the start.") : QString());
    m_takeTensors->setEnabled(!m_context.selectedTensors.isEmpty());
    m_takeTensors->setToolTip(m_context.selectedTensors.isEmpty() ? tr("Select layers on the canvas or in the table first.") : tr("What the selected layers give becomes the loss on features"));
}

void TrainingForm::showMore(bool shown)
{
    m_advanced->setVisible(shown);
    m_more->setArrowType(shown ? Qt::DownArrow : Qt::RightArrow);
}

void TrainingForm::setStartFolder(const QString &folder)
{
    m_images->setStartFolder(folder);
    m_labels->setStartFolder(folder);
}

void TrainingForm::setTheme(const Theme &theme)
{
    m_theme = theme;
    m_images->setTheme(theme);
    m_labels->setTheme(theme);
    setOwnColour(m_refused, QPalette::PlaceholderText, theme.problem);
}

} // namespace widgets
