// A line of text that gives way: what does not fit ends in "…", and the tooltip shows all of it.
#pragma once

#include <QLabel>
#include <QPainter>

namespace widgets {

class HeadingLabel : public QLabel {
public:
    explicit HeadingLabel(QWidget *parent = nullptr) : QLabel(parent)
    {
        setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        setTextFormat(Qt::PlainText);
    }

    void setLine(const QString &text)
    {
        setText(text);
        setToolTip(text);
    }

    QSize minimumSizeHint() const override { return {40, QLabel::minimumSizeHint().height()}; }

protected:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.setPen(palette().color(foregroundRole()));
        painter.drawText(contentsRect(), int(alignment()) | Qt::TextSingleLine, fontMetrics().elidedText(text(), Qt::ElideMiddle, contentsRect().width()));
    }
};

} // namespace widgets
