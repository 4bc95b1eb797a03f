#include "widgets/tables/layer_delegate.h"

#include "widgets/tables/layer_model.h"

#include <QApplication>
#include <QPainter>

namespace widgets {

void LayerDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const int column = index.column();
    if (column == LayerModel::Type) {
        QStyleOptionViewItem item = option;
        initStyleOption(&item, index);
        const QString text = item.text;
        item.text.clear();
        const QStyle *style = option.widget ? option.widget->style() : QApplication::style();
        style->drawControl(QStyle::CE_ItemViewItem, &item, painter, option.widget);
        const auto type = DtypeClass(index.data(LayerModel::BadgeClassRole).toInt());
        const int width = std::min(option.rect.width() - 4, item.fontMetrics.horizontalAdvance(text) + 12);
        const QRect badge(option.rect.center().x() - width / 2, option.rect.top() + 2, width, option.rect.height() - 4);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(m_theme.outlineOf(type), 1));
        painter->setBrush(m_theme.fill(type));
        painter->drawRoundedRect(QRectF(badge).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
        if (index.data(LayerModel::PowerOfTwoRole).toBool()) {
            QColor hatch = m_theme.textOn(m_theme.fill(type));
            hatch.setAlpha(70);
            painter->setPen(Qt::NoPen);
            painter->setBrush(QBrush(hatch, Qt::BDiagPattern));
            painter->drawRoundedRect(QRectF(badge), 3, 3);
        }
        painter->setPen(m_theme.textOn(m_theme.fill(type)));
        painter->setFont(item.font);
        painter->drawText(badge, Qt::AlignCenter, text);
        painter->restore();
        return;
    }
    QStyledItemDelegate::paint(painter, option, index);
    if (column != LayerModel::Current)
        return;
    const QVariant swatch = index.data(LayerModel::SwatchRole);
    if (!swatch.isValid())
        return;
    painter->fillRect(QRect(option.rect.left() + 1, option.rect.top() + 3, 5, option.rect.height() - 6), swatch.value<QColor>());
}

} // namespace widgets
