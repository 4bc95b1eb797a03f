// What every chart of the Analysis dock has: a heading, its tools, the plot, a place for figures beside it, one sentence when there is nothing
// to show, and export of picture and data.
#pragma once

#include "widgets/charts/plot_view.h"

#include <QWidget>

class QHBoxLayout;
class QLabel;
class QMenu;
class QStackedWidget;
class QToolButton;

namespace widgets {

class ElidedLabel;

class ChartPanel : public QWidget {
    Q_OBJECT
public:
    /// `name` is spoken by screen readers and proposed as file name; `description` says what the chart shows.
    ChartPanel(const QString &name, const QString &description, QWidget *parent = nullptr);

    /// The data that the chart shows, with a heading line.
    virtual QString csv() const = 0;

    bool isEmpty() const;
    QString emptyText() const;
    QString heading() const;
    PlotView *plot() const { return m_plot; }
    const Theme &theme() const { return m_theme; }

    /// Heading and plot, twice as fine as on the screen.
    QImage image() const;
    /// Written whole or not at all; false with a sentence in `why`.
    bool writePng(const QString &path, QString *why = nullptr) const;
    bool writeSvg(const QString &path, QString *why = nullptr) const;
    bool writeCsv(const QString &path, QString *why = nullptr) const;

public Q_SLOTS:
    virtual void setTheme(const Theme &theme);
    void copyPicture() const;
    void copyData() const;

Q_SIGNALS:
    void fileSaved(const QString &path);

protected:
    void setHeading(const QString &text);
    /// An empty sentence shows the plot.
    void setEmptyText(const QString &sentence);
    void addTool(QWidget *tool);
    QToolButton *addToggle(const QString &text, const QString &toolTip, bool checked);
    void addSide(QWidget *side);
    /// What a screen reader should say of the data as shown now.
    void setSummary(const QString &text);
    void contextMenuEvent(QContextMenuEvent *event) override;

private:
    void paintExport(QPainter &painter) const;
    QSize exportSize() const;
    void fillExportMenu(QMenu *menu);
    void askAndSave(const QString &filter, const QString &suffix, bool (ChartPanel::*write)(const QString &, QString *) const);

    QString m_name, m_description;
    Theme m_theme = Theme::light();
    PlotView *m_plot = nullptr;
    ElidedLabel *m_heading = nullptr;
    QLabel *m_empty = nullptr;
    QStackedWidget *m_stack = nullptr;
    QHBoxLayout *m_tools = nullptr, *m_body = nullptr;
    QToolButton *m_export = nullptr;
};

} // namespace widgets
