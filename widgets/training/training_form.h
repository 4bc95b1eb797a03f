// The settings of a training: method, images, length, rates and loss; what is rarely changed is folded away.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/training/training_settings.h"

#include <QWidget>

#include <functional>
#include <vector>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QToolButton;

namespace widgets {

class NumberBox;
class PathEdit;

class TrainingForm : public QWidget {
    Q_OBJECT
public:
    explicit TrainingForm(QWidget *parent = nullptr);

    const TrainingSettings &settings() const { return m_settings; }
    void setStartFolder(const QString &folder);

public Q_SLOTS:
    /// Emits nothing.
    void setSettings(const widgets::TrainingSettings &settings);
    void setContext(const widgets::TrainingContext &context);
    void setTheme(const widgets::Theme &theme);
    void showMore(bool shown);

Q_SIGNALS:
    void edited(const widgets::TrainingSettings &settings);

private:
    template <class Access> NumberBox *addNumber(QFormLayout *lines, const char *objectName, const QString &name, const QString &toolTip, double least, double most, double step, Access field);
    template <class Access> void addRate(QFormLayout *lines, const char *objectName, const QString &name, const QString &toolTip, Access field);
    template <class Access, class E> QComboBox *addChoice(QFormLayout *lines, const char *objectName, const QString &name, Access field, std::initializer_list<std::tuple<E, QString, QString>> choices);
    template <class Access> QCheckBox *addSwitch(QFormLayout *lines, const char *objectName, const QString &name, const QString &toolTip, Access field);
    void makeMain(QFormLayout *lines);
    void makeLossAndImages(QFormLayout *lines);
    void makeOptimizer(QFormLayout *lines);
    void makeRest(QFormLayout *lines);
    void makeFeatures(QFormLayout *lines);
    void commit(const TrainingSettings &settings);
    void commitSpec(const core::TrainingSpec &spec);
    void refuse(const QString &sentence);
    void fillIn();
    void limitChoices();
    /// Disabled, with the reason as tooltip, unless `why` is empty.
    void allow(QWidget *editor, const QString &why);

    TrainingSettings m_settings;
    TrainingContext m_context;
    Theme m_theme = Theme::light();
    std::vector<std::function<void()>> m_shows;          ///< one editor each
    QComboBox *m_method = nullptr, *m_loss = nullptr;
    QLabel *m_methodText = nullptr, *m_lossText = nullptr, *m_refused = nullptr;
    PathEdit *m_images = nullptr, *m_labels = nullptr;
    QToolButton *m_more = nullptr, *m_takeTensors = nullptr;
    QWidget *m_advanced = nullptr;
    QLineEdit *m_tensors = nullptr;
};

} // namespace widgets
