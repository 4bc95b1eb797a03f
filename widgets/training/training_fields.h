// Editors of single fields of a TrainingSpec, for training_form.cpp alone. `field` gives a reference to the field of a spec.
#pragma once

#include "widgets/shared/number_text.h"
#include "widgets/shared/small_widgets.h"
#include "widgets/training/training_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QLineEdit>

namespace widgets {

template <class Access>
NumberBox *TrainingForm::addNumber(QFormLayout *lines, const char *objectName, const QString &name, const QString &toolTip, double least, double most, double step, Access field)
{
    using Field = std::decay_t<decltype(field(m_settings.spec))>;
    auto *box = new NumberBox(lines->parentWidget());
    box->setObjectName(QString::fromLatin1(objectName));
    box->setDecimals(std::is_floating_point_v<Field> ? 6 : 0);
    box->setRange(least, most);
    box->setSingleStep(step);
    box->setAccessibleName(name);
    box->setToolTip(toolTip);
    connect(box, &NumberBox::committed, this, [this, field](double value) {
        core::TrainingSpec next = m_settings.spec;
        field(next) = Field(value);
        commitSpec(next);
    });
    m_shows.push_back([this, box, field] { box->showNumber(double(field(m_settings.spec))); });
    lines->addRow(name, box);
    return box;
}

template <class Access>
void TrainingForm::addRate(QFormLayout *lines, const char *objectName, const QString &name, const QString &toolTip, Access field)
{
    auto *edit = new QLineEdit(lines->parentWidget());
    edit->setObjectName(QString::fromLatin1(objectName));
    edit->setAccessibleName(name);
    edit->setToolTip(toolTip);
    connect(edit, &QLineEdit::editingFinished, this, [this, edit, field] {
        bool number = false;
        core::TrainingSpec next = m_settings.spec;
        const double value = QLocale::c().toDouble(edit->text().trimmed(), &number);
        if (!number)
            return refuse(tr("'%1' is no number; write it like 0.001 or 1e-3.").arg(edit->text()));
        if (shortNumber(value, 8) == shortNumber(field(next), 8))
            return;
        field(next) = value;
        commitSpec(next);
    });
    m_shows.push_back([this, edit, field] { edit->setText(shortNumber(field(m_settings.spec), 8)); });
    lines->addRow(name, edit);
}

template <class Access, class E>
QComboBox *TrainingForm::addChoice(QFormLayout *lines, const char *objectName, const QString &name, Access field, std::initializer_list<std::tuple<E, QString, QString>> choices)
{
    auto *box = new QComboBox(lines->parentWidget());
    box->setObjectName(QString::fromLatin1(objectName));
    box->setAccessibleName(name);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(8);
    for (const auto &[value, text, toolTip] : choices) {
        box->addItem(text, int(value));
        box->setItemData(box->count() - 1, toolTip, Qt::ToolTipRole);
    }
    connect(box, &QComboBox::activated, this, [this, box, field] {
        core::TrainingSpec next = m_settings.spec;
        field(next) = E(box->currentData().toInt());
        commitSpec(next);
    });
    m_shows.push_back([this, box, field] { box->setCurrentIndex(box->findData(int(field(m_settings.spec)))); });
    lines->addRow(name, box);
    return box;
}

template <class Access>
QCheckBox *TrainingForm::addSwitch(QFormLayout *lines, const char *objectName, const QString &name, const QString &toolTip, Access field)
{
    auto *box = new QCheckBox(name, lines->parentWidget());
    box->setObjectName(QString::fromLatin1(objectName));
    box->setToolTip(toolTip);
    connect(box, &QCheckBox::clicked, this, [this, field](bool on) {
        core::TrainingSpec next = m_settings.spec;
        field(next) = on;
        commitSpec(next);
    });
    m_shows.push_back([this, box, field] { box->setChecked(field(m_settings.spec)); });
    lines->addRow(QString(), box);
    return box;
}

} // namespace widgets
