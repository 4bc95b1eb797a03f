// Fusion, with check boxes whose outline can be seen in the dark theme too (Fusion darkens the window colour for it).
#pragma once

#include <QProxyStyle>

namespace widgets {

class AppStyle : public QProxyStyle {
    Q_OBJECT
public:
    AppStyle();
    void drawPrimitive(PrimitiveElement element, const QStyleOption *option, QPainter *painter, const QWidget *widget) const override;
};

} // namespace widgets
