// The Images tab: a card for every image whose prediction flipped, float and quantized answer side by side.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/tables/images_model.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QListView;
class QSortFilterProxyModel;
class QStackedWidget;

namespace widgets {

class ImageCardDelegate;

class ImagesView : public QWidget {
    Q_OBJECT
public:
    explicit ImagesView(QWidget *parent = nullptr);

    ImagesModel *model() const { return m_model; }
    QListView *list() const { return m_list; }
    QString csv() const;

public Q_SLOTS:
    /// `evaluated` = how many images were looked at, for the heading.
    void setImages(const std::shared_ptr<const widgets::ImageTable> &images, int evaluated = 0);
    void setTheme(const Theme &theme);

Q_SIGNALS:
    void imageActivated(int index);                ///< row of the table

private:
    void count();

    ImagesModel *m_model;
    QSortFilterProxyModel *m_filter;
    ImageCardDelegate *m_delegate;
    QListView *m_list;
    QComboBox *m_show;
    QLabel *m_heading, *m_empty;
    QStackedWidget *m_stack;
    int m_evaluated = 0;
};

} // namespace widgets
