#include "widgets/shared/app_style.h"

#include <QPainter>
#include <QStyleOption>

namespace widgets {

AppStyle::AppStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

void AppStyle::drawPrimitive(PrimitiveElement element, const QStyleOption *option, QPainter *painter, const QWidget *widget) const
{
    QProxyStyle::drawPrimitive(element, option, painter, widget);
    const bool box = element == PE_IndicatorCheckBox || element == PE_IndicatorItemViewItemCheck, circle = element == PE_IndicatorRadioButton;
    if ((!box && !circle) || option->palette.color(QPalette::Window).lightness() > 127)
        return;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing, circle);
    painter->setBrush(Qt::NoBrush);
    painter->setPen(option->palette.color(option->state & State_Enabled ? QPalette::Active : QPalette::Disabled, QPalette::PlaceholderText));
    const QRect outline = option->rect.adjusted(0, 0, -1, -1);
    if (circle)
        painter->drawEllipse(QRectF(outline).adjusted(0.5, 0.5, -0.5, -0.5));
    else
        painter->drawRect(outline);
    painter->restore();
}

} // namespace widgets
