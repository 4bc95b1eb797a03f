#include "app/preferences_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QSpinBox>

namespace app {

PreferencesDialog::PreferencesDialog(const Preferences &p, QWidget *parent) : QDialog(parent)
{
    setWindowTitle(tr("Settings"));
    m_theme = new QComboBox;
    m_theme->addItems({tr("As the system"), tr("Light"), tr("Dark")});
    m_theme->setCurrentIndex(int(p.theme));
    m_threads = new QSpinBox;
    m_threads->setRange(0, 1024);
    m_threads->setSpecialValueText(tr("all cores"));
    m_threads->setValue(p.threads);
    m_threads->setToolTip(tr("Takes effect at the next start"));
    m_wheelZooms = new QCheckBox(tr("The wheel zooms, Ctrl + wheel scrolls"));
    m_wheelZooms->setChecked(p.wheelZooms);
    m_judge = new QCheckBox(tr("ONNX Runtime checks exported files, where it is installed"));
    m_judge->setChecked(p.judge);
    auto *form = new QFormLayout(this);
    form->addRow(tr("&Theme"), m_theme);
    form->addRow(tr("T&hreads"), m_threads);
    form->addRow(tr("Canvas"), m_wheelZooms);
    form->addRow(tr("Export"), m_judge);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    form->addRow(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

Preferences PreferencesDialog::preferences() const
{
    Preferences p;
    p.theme = ThemeChoice(m_theme->currentIndex());
    p.threads = m_threads->value();
    p.wheelZooms = m_wheelZooms->isChecked();
    p.judge = m_judge->isChecked();
    return p;
}

} // namespace app
