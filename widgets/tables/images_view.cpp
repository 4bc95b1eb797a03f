#include "widgets/tables/images_view.h"

#include "widgets/tables/csv.h"

#include <QApplication>
#include <QComboBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QPainter>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

namespace widgets {

class ImageCardDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    Theme theme = Theme::light();
    const ImagesModel *model = nullptr;
    const QSortFilterProxyModel *filter = nullptr;

    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &) const override
    {
        return {option.fontMetrics.averageCharWidth() * 48, option.fontMetrics.height() * 4 + 22};
    }

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        const ImageRow &image = model->table()[std::size_t(filter->mapToSource(index).row())];
        const QRect card = option.rect.adjusted(3, 3, -3, -3);
        const bool selected = option.state & QStyle::State_Selected;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(selected ? theme.selection : theme.grid, selected ? 2 : 1));
        painter->setBrush(theme.base);
        painter->drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
        if (option.state & QStyle::State_HasFocus) {
            painter->setPen(QPen(theme.selection, 1, Qt::DotLine));
            painter->drawRoundedRect(QRectF(card).adjusted(3, 3, -3, -3), 3, 3);
        }
        const int side = card.height() - 10;
        const QRect picture(card.left() + 5, card.top() + 5, side, side);
        if (image.thumbnail.isNull()) {
            painter->fillRect(picture, theme.grid);
        } else {
            const QSize fitted = image.thumbnail.size().scaled(picture.size(), Qt::KeepAspectRatio);
            QRect place({}, fitted);
            place.moveCenter(picture.center());
            painter->setRenderHint(QPainter::SmoothPixmapTransform);
            painter->drawImage(place, image.thumbnail);
        }
        const QFontMetrics &metrics = option.fontMetrics;
        const int left = picture.right() + 9, width = card.right() - left - 6, line = metrics.height() + 2;
        int y = card.top() + 6;
        const auto write = [&](const QString &text, const QColor &color, bool bold = false) {
            QFont font = option.font;
            font.setBold(bold);
            painter->setFont(font);
            painter->setPen(color);
            painter->drawText(QRect(left, y, width, line), Qt::AlignLeft | Qt::AlignVCenter, QFontMetrics(font).elidedText(text, Qt::ElideMiddle, width));
            y += line;
        };
        const auto answer = [&](const QString &who, const QString &name, double score) {
            const bool known = !image.label.isEmpty(), right = name == image.label;
            write(QStringLiteral("%1%2 %3 · %4").arg(known ? (right ? QStringLiteral("✓ ") : QStringLiteral("✗ ")) : QString(), who, name, model->scoreText(score)), known ? (right ? theme.good : theme.problem) : theme.text);
        };
        write(QFileInfo(image.path).fileName(), theme.text, true);
        answer(ImagesView::tr("float:"), image.floatClass, image.floatScore);
        answer(ImagesView::tr("quantized:"), image.quantizedClass, image.quantizedScore);
        write(image.label.isEmpty() ? changeOf(image) : ImagesView::tr("%1 · is %2").arg(changeOf(image), image.label), theme.mutedText);
        painter->restore();
    }
};

ImagesView::ImagesView(QWidget *parent)
    : QWidget(parent), m_model(new ImagesModel(this)), m_filter(new QSortFilterProxyModel(this)), m_delegate(new ImageCardDelegate(this)),
      m_list(new QListView(this)), m_show(new QComboBox(this)), m_heading(new QLabel(this)), m_empty(new QLabel(this)), m_stack(new QStackedWidget(this))
{
    m_filter->setSourceModel(m_model);
    m_filter->setFilterKeyColumn(ImagesModel::Change);
    m_delegate->model = m_model;
    m_delegate->filter = m_filter;
    m_list->setModel(m_filter);
    m_list->setItemDelegate(m_delegate);
    m_list->setViewMode(QListView::IconMode);
    m_list->setMovement(QListView::Static);
    m_list->setResizeMode(QListView::Adjust);
    m_list->setUniformItemSizes(true);
    m_list->setSelectionMode(QAbstractItemView::SingleSelection);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setAccessibleName(tr("Images whose prediction changed"));
    m_show->addItem(tr("All changes"));
    for (const QString &change : {tr("became wrong"), tr("became right"), tr("wrong in both")})
        m_show->addItem(change, change);
    m_show->setAccessibleName(tr("Which changes are shown"));
    m_show->setToolTip(tr("Which changes are shown; needs true classes"));
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setMargin(24);
    auto *top = new QHBoxLayout;
    top->setContentsMargins(8, 3, 6, 3);
    top->addWidget(m_heading, 1);
    top->addWidget(m_show);
    m_stack->addWidget(m_list);
    m_stack->addWidget(m_empty);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(top);
    column->addWidget(m_stack, 1);
    connect(m_list, &QListView::activated, this, [this](const QModelIndex &index) { Q_EMIT imageActivated(m_filter->mapToSource(index).row()); });
    connect(m_show, &QComboBox::currentIndexChanged, this, [this] {
        m_filter->setFilterFixedString(m_show->currentData().toString());
        count();
    });
    setImages(nullptr);
}

void ImagesView::setImages(const std::shared_ptr<const ImageTable> &images, int evaluated)
{
    m_evaluated = evaluated;
    m_model->setTable(images);
    count();
}

void ImagesView::count()
{
    const int all = m_model->rowCount(), shown = m_filter->rowCount();
    m_heading->setText(m_evaluated > 0 ? tr("%1 of %2 images changed their class").arg(all).arg(m_evaluated) : tr("%1 images changed their class").arg(all));
    m_heading->setVisible(all > 0);
    m_show->setVisible(all > 0);
    m_empty->setText(all > 0 ? tr("None of the %1 changes is of this kind.").arg(all)
                     : m_evaluated > 0 ? tr("No prediction changed: float and quantized model agree on all %1 images.").arg(m_evaluated)
                                       : tr("After an evaluation (F5) the images whose prediction changed stand here."));
    m_stack->setCurrentIndex(shown > 0 ? 0 : 1);
}

QString ImagesView::csv() const { return csvOf(*m_filter, ImagesModel::SortRole); }

void ImagesView::setTheme(const Theme &theme)
{
    m_delegate->theme = theme;
    setPalette(theme.palette());
    QPalette colors = theme.palette();
    colors.setColor(QPalette::Base, theme.window);
    m_list->setPalette(colors);
    colors.setColor(QPalette::WindowText, theme.mutedText);
    m_empty->setPalette(colors);
    m_list->viewport()->update();
}

} // namespace widgets
