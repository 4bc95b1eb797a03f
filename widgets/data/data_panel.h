// The Data step: calibration and validation data, labels, and how an image becomes the model's input.
#pragma once

#include "widgets/data/data_settings.h"
#include "widgets/shared/theme.h"

#include <QWidget>

#include <array>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;

namespace widgets {

class PathEdit;

class DataPanel : public QWidget {
    Q_OBJECT
public:
    enum Path { Calibration, Validation, Labels };
    static constexpr int pathCount = 3;

    explicit DataPanel(QWidget *parent = nullptr);

    /// Emits nothing.
    void setSettings(const DataSettings &settings);
    const DataSettings &settings() const { return m_settings; }
    /// What the caller found there ("512 images in 10 classes", "no image in it"); until the path changes.
    void setVerdict(Path which, const QString &text, bool problem = false);
    /// Where the browse dialogs start when a line is empty.
    void setStartFolder(const QString &folder);

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void edited(const widgets::DataSettings &settings);

private:
    void addPath(Path which, const QString &name, const QString &hint, QFormLayout *form);
    QWidget *makeTransform();
    void takeTransform();
    void takeTriples();
    void fillIn();
    void remarkValidation();
    void commit(const DataSettings &settings);
    QString &pathOf(DataSettings &settings, Path which) const;

    DataSettings m_settings;
    Theme m_theme = Theme::light();
    std::array<PathEdit *, pathCount> m_paths{};
    QSpinBox *m_calibrationImages, *m_validationImages, *m_resizeTo, *m_width, *m_height;
    QComboBox *m_preset, *m_resize, *m_resampling, *m_order;
    QCheckBox *m_crop, *m_exif;
    QLineEdit *m_mean, *m_std, *m_divisor;
    QLabel *m_summary, *m_tripleVerdict;
};

} // namespace widgets
