#include "widgets/charts/chart_panel.h"

#include "widgets/shared/small_widgets.h"

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QMenu>
#include <QMessageBox>
#include <QSaveFile>
#include <QStackedWidget>
#include <QSvgGenerator>
#include <QToolButton>

namespace widgets {
namespace {

constexpr int headingHeight = 26;

bool writeFile(const QString &path, const QByteArray &bytes, QString *why)
{
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit())
        return true;
    if (why)
        *why = ChartPanel::tr("The file %1 could not be written: %2. Choose another folder.").arg(path, file.errorString());
    return false;
}

} // namespace

ChartPanel::ChartPanel(const QString &name, const QString &description, QWidget *parent) : QWidget(parent), m_name(name), m_description(description)
{
    setAccessibleName(name);
    setAccessibleDescription(description);
    setAutoFillBackground(true);

    m_heading = new ElidedLabel(this, Qt::ElideMiddle);
    m_tools = new QHBoxLayout;
    m_tools->setSpacing(4);
    m_tools->setContentsMargins(8, 3, 6, 3);
    m_tools->addWidget(m_heading, 1);

    m_export = new QToolButton(this);
    m_export->setText(tr("Export ▾"));
    m_export->setToolTip(tr("Copy or save the picture, or the data as CSV"));
    m_export->setAccessibleName(tr("Export %1").arg(name));
    m_export->setAutoRaise(true);
    m_export->setPopupMode(QToolButton::InstantPopup);
    auto *menu = new QMenu(m_export);
    fillExportMenu(menu);
    m_export->setMenu(menu);
    m_tools->addWidget(m_export);

    m_plot = new PlotView(this);
    m_plot->setAccessibleName(name);
    m_plot->setAccessibleDescription(description);
    auto *body = new QWidget(this);
    m_body = new QHBoxLayout(body);
    m_body->setContentsMargins(0, 0, 0, 0);
    m_body->setSpacing(0);
    m_body->addWidget(m_plot, 1);

    m_empty = new QLabel(this);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setMargin(24);
    m_empty->setTextFormat(Qt::PlainText);

    m_stack = new QStackedWidget(this);
    m_stack->addWidget(body);
    m_stack->addWidget(m_empty);

    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(m_tools);
    column->addWidget(m_stack, 1);
}

bool ChartPanel::isEmpty() const { return m_stack->currentWidget() == m_empty; }
QString ChartPanel::emptyText() const { return isEmpty() ? m_empty->text() : QString(); }
QString ChartPanel::heading() const { return m_heading->text(); }
void ChartPanel::setHeading(const QString &text) { m_heading->setText(text); }

void ChartPanel::setEmptyText(const QString &sentence)
{
    m_empty->setText(sentence);
    m_stack->setCurrentIndex(sentence.isEmpty() ? 0 : 1);
    m_export->setEnabled(sentence.isEmpty());
}

void ChartPanel::addTool(QWidget *tool) { m_tools->insertWidget(m_tools->count() - 1, tool); }

QToolButton *ChartPanel::addToggle(const QString &text, const QString &toolTip, bool checked)
{
    auto *button = new QToolButton(this);
    button->setText(text);
    button->setToolTip(toolTip);
    button->setAccessibleName(text);
    button->setAccessibleDescription(toolTip);
    button->setCheckable(true);
    button->setChecked(checked);
    button->setAutoRaise(true);
    addTool(button);
    return button;
}

void ChartPanel::addSide(QWidget *side) { m_body->addWidget(side); }

void ChartPanel::setSummary(const QString &text) { m_plot->setAccessibleDescription(m_description + QLatin1Char('\n') + text); }

void ChartPanel::setTheme(const Theme &theme)
{
    m_theme = theme;
    setPalette(theme.palette());
    QPalette muted = theme.palette();
    muted.setColor(QPalette::WindowText, theme.mutedText);
    m_empty->setPalette(muted);
    // A widget with a style sheet no longer follows the palette.
    m_export->setStyleSheet(QStringLiteral("QToolButton { color: %1; } QToolButton:disabled { color: %2; } QToolButton::menu-indicator { image: none; }")
                                .arg(theme.text.name(), theme.mutedText.name()));
    m_plot->setTheme(theme);
}

QSize ChartPanel::exportSize() const { return {m_plot->width(), m_plot->height() + headingHeight}; }

void ChartPanel::paintExport(QPainter &painter) const
{
    const QSize size = exportSize();
    painter.fillRect(QRect({}, size), m_theme.base);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(font());
    painter.setPen(m_theme.text);
    painter.drawText(QRect(10, 0, size.width() - 20, headingHeight), int(Qt::AlignLeft | Qt::AlignVCenter), heading());
    m_plot->render(&painter, QRectF(0, headingHeight, m_plot->width(), m_plot->height()), m_plot->rect());
}

QImage ChartPanel::image() const
{
    QImage picture(exportSize() * 2, QImage::Format_RGB32);
    picture.setDevicePixelRatio(2);
    QPainter painter(&picture);
    paintExport(painter);
    return picture;
}

bool ChartPanel::writePng(const QString &path, QString *why) const
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image().save(&buffer, "PNG");
    return writeFile(path, bytes, why);
}

bool ChartPanel::writeSvg(const QString &path, QString *why) const
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(exportSize());
    generator.setViewBox(QRect({}, exportSize()));
    generator.setTitle(heading().isEmpty() ? m_name : heading());
    generator.setDescription(m_description);
    QPainter painter(&generator);
    paintExport(painter);
    painter.end();
    return writeFile(path, bytes, why);
}

bool ChartPanel::writeCsv(const QString &path, QString *why) const { return writeFile(path, csv().toUtf8(), why); }
void ChartPanel::copyPicture() const { QApplication::clipboard()->setImage(image()); }
void ChartPanel::copyData() const { QApplication::clipboard()->setText(csv()); }

void ChartPanel::fillExportMenu(QMenu *menu)
{
    menu->addAction(tr("&Copy picture"), this, &ChartPanel::copyPicture);
    menu->addAction(tr("Copy &data as CSV"), this, &ChartPanel::copyData);
    menu->addSeparator();
    menu->addAction(tr("Save as &PNG…"), this, [this] { askAndSave(tr("PNG picture (*.png)"), QStringLiteral("png"), &ChartPanel::writePng); });
    menu->addAction(tr("Save as &SVG…"), this, [this] { askAndSave(tr("SVG drawing (*.svg)"), QStringLiteral("svg"), &ChartPanel::writeSvg); });
    menu->addAction(tr("Save data as CS&V…"), this, [this] { askAndSave(tr("Table (*.csv)"), QStringLiteral("csv"), &ChartPanel::writeCsv); });
}

void ChartPanel::askAndSave(const QString &filter, const QString &suffix, bool (ChartPanel::*write)(const QString &, QString *) const)
{
    auto *dialog = new QFileDialog(this, tr("Save %1").arg(m_name), QString(), filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(suffix);
    dialog->selectFile(QString(m_name).replace(QLatin1Char(' '), QLatin1Char('_')).toLower() + QLatin1Char('.') + suffix);
    connect(dialog, &QFileDialog::fileSelected, this, [this, write](const QString &path) {
        QString why;
        if ((this->*write)(path, &why))
            return Q_EMIT fileSaved(path);
        auto *box = new QMessageBox(QMessageBox::Warning, tr("Not saved"), why, QMessageBox::Ok, this);
        box->setAttribute(Qt::WA_DeleteOnClose);
        box->open();
    });
    dialog->open();
}

void ChartPanel::contextMenuEvent(QContextMenuEvent *event)
{
    if (isEmpty())
        return;
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    fillExportMenu(menu);
    if (m_plot->isZoomed()) {
        menu->addSeparator();
        menu->addAction(tr("Show &all"), m_plot, &PlotView::showAll);
    }
    menu->popup(event->globalPos());
}

} // namespace widgets
