// Draws the type badge of a layer in its colour (with a hatch for power-of-two scales) and the swatch of the current overlay.
#pragma once

#include "widgets/shared/theme.h"

#include <QStyledItemDelegate>

namespace widgets {

class LayerDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void setTheme(const Theme &theme) { m_theme = theme; }

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;

private:
    Theme m_theme = Theme::light();
};

} // namespace widgets
