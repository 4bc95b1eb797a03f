#include "widgets/data/data_panel.h"

#include "widgets/shared/path_edit.h"
#include "widgets/shared/small_widgets.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QSpinBox>
#include <QVBoxLayout>

namespace widgets {
namespace {

QSpinBox *spin(int most, const QString &zero, const QString &toolTip, const QString &name, QWidget *parent)
{
    auto *box = new QSpinBox(parent);
    box->setRange(0, most);
    box->setSpecialValueText(zero);
    box->setKeyboardTracking(false);
    box->setToolTip(toolTip);
    box->setAccessibleName(name);
    box->setFocusPolicy(Qt::StrongFocus);
    return box;
}

template <class E> void addChoice(QComboBox *box, const QString &text, E value, const QString &toolTip = {})
{
    box->addItem(text, int(value));
    if (!toolTip.isEmpty())
        box->setItemData(box->count() - 1, toolTip, Qt::ToolTipRole);
}

} // namespace

DataPanel::DataPanel(QWidget *parent) : QWidget(parent)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto *scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto *content = new QWidget(scroll);
    auto *column = new QVBoxLayout(content);
    column->setContentsMargins(8, 8, 8, 8);
    column->addWidget(boldLabel(tr("Images"), content));
    auto *paths = new QWidget(content);
    QFormLayout *lines = panelForm(paths);
    addPath(Calibration, tr("Calibration"), tr("folder of typical images"), lines);
    m_calibrationImages = spin(10'000'000, tr("all"), tr("At most so many images are used for calibration, spread over the classes"), tr("Number of calibration images"), paths);
    lines->addRow(tr("at most"), m_calibrationImages);
    addPath(Validation, tr("Validation"), tr("folder of images, may be empty"), lines);
    m_validationImages = spin(10'000'000, tr("all"), tr("At most so many images are used to measure accuracy"), tr("Number of validation images"), paths);
    lines->addRow(tr("at most"), m_validationImages);
    addPath(Labels, tr("Labels"), tr("list of classes, may be empty"), lines);
    column->addWidget(paths);
    column->addWidget(boldLabel(tr("From image to tensor"), content));
    column->addWidget(makeTransform());
    m_summary = remarkLabel(content);
    m_summary->setObjectName(QStringLiteral("summary"));
    column->addWidget(m_summary);
    column->addStretch(1);
    scroll->setWidget(content);
    scroll->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    outer->addWidget(scroll);

    for (QWidget *editor : content->findChildren<QWidget *>())
        if (qobject_cast<QAbstractSpinBox *>(editor) || qobject_cast<QComboBox *>(editor))
            guardWheel(editor);
    const auto takeLimits = [this] {
        DataSettings next = m_settings;
        next.calibrationImages = m_calibrationImages->value();
        next.validationImages = m_validationImages->value();
        commit(next);
    };
    connect(m_calibrationImages, &QSpinBox::valueChanged, this, takeLimits);
    connect(m_validationImages, &QSpinBox::valueChanged, this, takeLimits);
    fillIn();
}

void DataPanel::addPath(Path which, const QString &name, const QString &hint, QFormLayout *layout)
{
    PathEdit *edit = m_paths[std::size_t(which)] = new PathEdit(which == Labels ? PathEdit::Labels : PathEdit::Images, name, hint, layout->parentWidget());
    edit->line()->setObjectName(QStringLiteral("path%1").arg(int(which)));
    edit->verdict()->setObjectName(QStringLiteral("verdict%1").arg(int(which)));
    layout->addRow(name, edit);
    connect(edit, &PathEdit::edited, this, [this, which](const QString &path) {
        DataSettings next = m_settings;
        pathOf(next, which) = path;
        commit(next);
    });
}

QWidget *DataPanel::makeTransform()
{
    auto *box = new QWidget(this);
    QFormLayout *lines = panelForm(box);
    m_preset = new QComboBox(box);
    m_preset->setObjectName(QStringLiteral("preset"));
    m_preset->setAccessibleName(tr("Numbers"));
    const std::array<std::pair<const char *, QString>, 4> presets = {{{"imagenet", tr("imagenet: mean and std of ImageNet")}, {"tf", tr("tf: −1 … 1")}, {"unit", tr("unit: 0 … 1")}, {"byte", tr("byte: 0 … 255")}}};
    for (const auto &[name, text] : presets)
        m_preset->addItem(text, QString::fromLatin1(name));
    m_preset->addItem(tr("own numbers"), QString());
    m_preset->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_preset->setMinimumContentsLength(10);
    m_preset->setToolTip(tr("How the model was trained to see pixels. Wrong numbers cost accuracy even before quantization."));
    lines->addRow(tr("Numbers"), m_preset);
    const auto numbers = [&](const QString &name, const QString &toolTip, const char *objectName) {
        auto *edit = new QLineEdit(box);
        edit->setAccessibleName(name);
        edit->setToolTip(toolTip);
        edit->setObjectName(QString::fromLatin1(objectName));
        lines->addRow(name, edit);
        connect(edit, &QLineEdit::editingFinished, this, &DataPanel::takeTriples);
        return edit;
    };
    m_divisor = numbers(tr("Divide by"), tr("255 brings pixels to 0 … 1, 1 leaves them at 0 … 255"), "divisor");
    m_mean = numbers(tr("Mean"), tr("Subtracted after the division: three numbers in the order of the channels, or one for all"), "mean");
    m_std = numbers(tr("Std"), tr("Divided by at the end: three numbers in the order of the channels, or one for all"), "std");
    m_tripleVerdict = remarkLabel(box);
    m_tripleVerdict->setObjectName(QStringLiteral("triple_verdict"));
    m_tripleVerdict->hide();
    lines->addRow(m_tripleVerdict);

    m_resize = new QComboBox(box);
    m_resize->setObjectName(QStringLiteral("resize"));
    addChoice(m_resize, tr("short side"), core::ResizeMode::ShortSide, tr("The shorter side gets the given length, the proportions stay"));
    addChoice(m_resize, tr("stretch"), core::ResizeMode::Stretch, tr("To the size of the tensor, proportions change"));
    addChoice(m_resize, tr("letterbox"), core::ResizeMode::Letterbox, tr("Fitted into the tensor, the rest is grey; detectors do this"));
    addChoice(m_resize, tr("none"), core::ResizeMode::None, tr("Images must have the size of the tensor"));
    m_resize->setAccessibleName(tr("Resize"));
    lines->addRow(tr("Resize"), m_resize);
    m_resizeTo = spin(65536, tr("crop ÷ 0.875"), tr("Length of the short side in pixels; 256 for a crop of 224"), tr("Length of the short side"), box);
    m_resizeTo->setObjectName(QStringLiteral("resize_to"));
    m_resizeTo->setSuffix(QStringLiteral(" px"));
    lines->addRow(tr("Short side"), m_resizeTo);
    m_crop = new QCheckBox(tr("Crop the centre"), box);
    m_crop->setObjectName(QStringLiteral("crop"));
    lines->addRow(QString(), m_crop);
    auto *size = new QWidget(box);
    auto *pair = new QHBoxLayout(size);
    pair->setContentsMargins(0, 0, 0, 0);
    pair->setSpacing(4);
    m_width = spin(65536, tr("model's"), tr("Width of the tensor in pixels"), tr("Width"), size);
    m_height = spin(65536, tr("model's"), tr("Height of the tensor in pixels"), tr("Height"), size);
    pair->addWidget(m_width, 1);
    pair->addWidget(new QLabel(QStringLiteral("×"), size));
    pair->addWidget(m_height, 1);
    lines->addRow(tr("Tensor"), size);
    m_resampling = new QComboBox(box);
    m_resampling->setObjectName(QStringLiteral("resampling"));
    m_resampling->setAccessibleName(tr("Resampling"));
    m_resampling->setToolTip(tr("As the training pipeline did it; Pillow smooths before it shrinks, OpenCV's linear does not."));
    addChoice(m_resampling, tr("Pillow bilinear"), core::Resampling::PilBilinear);
    addChoice(m_resampling, tr("Pillow bicubic"), core::Resampling::PilBicubic);
    addChoice(m_resampling, tr("OpenCV linear"), core::Resampling::OpenCvLinear);
    addChoice(m_resampling, tr("OpenCV area"), core::Resampling::OpenCvArea);
    lines->addRow(tr("Resampling"), m_resampling);
    m_order = new QComboBox(box);
    m_order->setObjectName(QStringLiteral("order"));
    m_order->setAccessibleName(tr("Channels"));
    addChoice(m_order, QStringLiteral("RGB"), core::ChannelOrder::Rgb);
    addChoice(m_order, QStringLiteral("BGR"), core::ChannelOrder::Bgr);
    lines->addRow(tr("Channels"), m_order);
    m_exif = new QCheckBox(tr("Rotate as the camera says"), box);
    m_exif->setToolTip(tr("Follow the EXIF orientation of photographs. Most training pipelines do not."));
    lines->addRow(QString(), m_exif);

    connect(m_preset, &QComboBox::activated, this, [this](int index) {
        DataSettings next = m_settings;
        const std::string name = m_preset->itemData(index).toString().toStdString();
        if (name.empty())
            next.transform.preset.clear();
        else
            next.transform = withPreset(next.transform, name);
        commit(next);
        if (name.empty())
            m_mean->setFocus();
    });
    for (QComboBox *combo : {m_resize, m_resampling, m_order})
        connect(combo, &QComboBox::activated, this, &DataPanel::takeTransform);
    for (QSpinBox *number : {m_resizeTo, m_width, m_height})
        connect(number, &QSpinBox::valueChanged, this, &DataPanel::takeTransform);
    for (QCheckBox *check : {m_crop, m_exif})
        connect(check, &QCheckBox::clicked, this, &DataPanel::takeTransform);
    return box;
}

QString &DataPanel::pathOf(DataSettings &settings, Path which) const
{
    return which == Calibration ? settings.calibration : which == Validation ? settings.validation : settings.labels;
}

void DataPanel::takeTransform()
{
    DataSettings next = m_settings;
    next.transform.resize = core::ResizeMode(m_resize->currentData().toInt());
    next.transform.resampling = core::Resampling(m_resampling->currentData().toInt());
    next.transform.order = core::ChannelOrder(m_order->currentData().toInt());
    next.transform.resizeTo = m_resizeTo->value();
    next.transform.width = m_width->value();
    next.transform.height = m_height->value();
    next.transform.centerCrop = m_crop->isChecked();
    next.transform.exifRotation = m_exif->isChecked();
    commit(next);
}

void DataPanel::takeTriples()
{
    const auto mean = parseTriple(m_mean->text()), deviation = parseTriple(m_std->text());
    bool divides = false;
    const double divisor = m_divisor->text().toDouble(&divides);
    QString wrong;
    if (!divides || !(divisor > 0))
        wrong = tr("Divide by a number above 0.");
    else if (!mean)
        wrong = tr("The mean is one number or three, such as 0.485 0.456 0.406.");
    else if (!deviation || !((*deviation)[0] > 0 && (*deviation)[1] > 0 && (*deviation)[2] > 0))
        wrong = tr("The std is one number or three, each above 0.");
    m_tripleVerdict->setText(wrong);
    m_tripleVerdict->setVisible(!wrong.isEmpty());
    if (!wrong.isEmpty())
        return;
    DataSettings next = m_settings;
    next.transform.divisor = divisor;
    if (tripleText(*mean) != tripleText(next.transform.mean))
        next.transform.mean = *mean;
    if (tripleText(*deviation) != tripleText(next.transform.stddev))
        next.transform.stddev = *deviation;
    if (next.transform != m_settings.transform)
        next.transform.preset = transformPresetOf(next.transform);
    commit(next);
}

void DataPanel::commit(const DataSettings &settings)
{
    if (settings == m_settings)
        return;
    setSettings(settings);
    Q_EMIT edited(m_settings);
}

void DataPanel::setSettings(const DataSettings &settings)
{
    m_settings = settings;
    fillIn();
}

void DataPanel::setStartFolder(const QString &folder)
{
    for (PathEdit *edit : m_paths)
        edit->setStartFolder(folder);
}

void DataPanel::setVerdict(Path which, const QString &text, bool problem)
{
    m_paths[std::size_t(which)]->setVerdict(text, problem);
}

void DataPanel::remarkValidation()
{
    if (m_settings.validation.isEmpty())
        setVerdict(Validation, tr("Without validation images the agreement with the float model is measured."));
}

void DataPanel::fillIn()
{
    const core::TransformSpec &transform = m_settings.transform;
    const QSignalBlocker blocks[] = {QSignalBlocker(m_calibrationImages), QSignalBlocker(m_validationImages), QSignalBlocker(m_resizeTo), QSignalBlocker(m_width), QSignalBlocker(m_height)};
    for (int i = 0; i < pathCount; ++i)
        m_paths[std::size_t(i)]->setPath(pathOf(m_settings, Path(i)));
    remarkValidation();
    m_calibrationImages->setValue(m_settings.calibrationImages);
    m_validationImages->setValue(m_settings.validationImages);
    const std::string named = transform.preset.empty() ? std::string() : transformPresetOf(transform);
    m_preset->setCurrentIndex(m_preset->findData(QString::fromStdString(named)));
    m_divisor->setText(QString::number(transform.divisor, 'g', 6));
    m_mean->setText(tripleText(transform.mean));
    m_std->setText(tripleText(transform.stddev));
    m_tripleVerdict->hide();
    m_resize->setCurrentIndex(m_resize->findData(int(transform.resize)));
    m_resampling->setCurrentIndex(m_resampling->findData(int(transform.resampling)));
    m_order->setCurrentIndex(m_order->findData(int(transform.order)));
    m_resizeTo->setValue(transform.resizeTo);
    m_width->setValue(transform.width);
    m_height->setValue(transform.height);
    m_crop->setChecked(transform.centerCrop);
    m_exif->setChecked(transform.exifRotation);
    const bool shortSide = transform.resize == core::ResizeMode::ShortSide, resized = transform.resize != core::ResizeMode::None;
    m_resizeTo->setEnabled(shortSide);
    m_crop->setEnabled(shortSide);
    m_crop->setToolTip(shortSide ? tr("The centre of the resized image becomes the tensor") : tr("Only after resizing the short side is there something to crop."));
    m_resampling->setEnabled(resized);
    m_summary->setText(transformText(transform));
}

void DataPanel::setTheme(const Theme &theme)
{
    m_theme = theme;
    setOwnColour(m_tripleVerdict, QPalette::PlaceholderText, theme.problem);
    for (PathEdit *edit : m_paths)
        edit->setTheme(theme);
}

} // namespace widgets
