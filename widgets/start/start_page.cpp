#include "widgets/start/start_page.h"

#include <QDragEnterEvent>
#include <QFileInfo>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QMimeData>
#include <QPainter>
#include <QPushButton>
#include <QUrl>
#include <QVBoxLayout>

namespace widgets {

QStringList droppablePaths(const QMimeData *data)
{
    QStringList paths;
    if (data && data->hasUrls())
        for (const QUrl &url : data->urls()) {
            if (!url.isLocalFile())
                continue;
            const QFileInfo info(url.toLocalFile());
            const QString suffix = info.suffix().toLower();
            if (info.isDir() || suffix == QLatin1String("onnx") || suffix == QLatin1String("qsproj"))
                paths << info.absoluteFilePath();
        }
    return paths;
}

StartPage::StartPage(QWidget *parent) : QWidget(parent)
{
    setAcceptDrops(true);
    setAutoFillBackground(true);
    auto *outer = new QHBoxLayout(this);
    outer->addStretch(1);
    auto *middle = new QWidget(this);
    middle->setMinimumWidth(300);
    middle->setMaximumWidth(560);
    outer->addWidget(middle, 4);
    outer->addStretch(1);
    auto *column = new QVBoxLayout(middle);
    column->setSpacing(10);
    column->addStretch(1);
    auto *title = new QLabel(QStringLiteral("Quantscope"), middle);
    QFont large = title->font();
    large.setPointSizeF(large.pointSizeF() * 2);
    large.setBold(true);
    title->setFont(large);
    column->addWidget(title);
    auto *subtitle = new QLabel(tr("Quantize a vision network, see what it costs, and export a file that was measured."), middle);
    subtitle->setWordWrap(true);
    subtitle->setForegroundRole(QPalette::PlaceholderText);
    column->addWidget(subtitle);
    column->addSpacing(8);

    m_sample = new QPushButton(tr("Open the bundled sample"), middle);
    m_sample->setObjectName(QStringLiteral("open_sample"));
    m_sample->setToolTip(tr("A small network with images and labels: everything that the program does can be tried on it."));
    m_sample->setDefault(true);
    m_sample->setAutoDefault(true);
    m_open = new QPushButton(tr("Open a model or project…"), middle);
    m_open->setObjectName(QStringLiteral("open_file"));
    m_open->setToolTip(tr("An ONNX model (*.onnx) or a project of this program (*.qsproj)"));
    m_open->setAutoDefault(true);
    for (QPushButton *button : {m_sample, m_open}) {
        button->setMinimumHeight(button->fontMetrics().height() * 2 + 6);
        column->addWidget(button);
    }
    QFont bold = m_sample->font();
    bold.setBold(true);
    m_sample->setFont(bold);

    m_dropArea = new QWidget(middle);
    auto *drop = new QVBoxLayout(m_dropArea);
    drop->setContentsMargins(14, 14, 14, 14);
    m_hint = new QLabel(tr("or drop a model, a project or a folder of images here"), m_dropArea);
    m_hint->setWordWrap(true);
    m_hint->setAlignment(Qt::AlignCenter);
    m_hint->setForegroundRole(QPalette::PlaceholderText);
    drop->addWidget(m_hint);
    column->addWidget(m_dropArea);

    m_recentTitle = new QLabel(tr("Recent"), middle);
    m_recentTitle->setFont(bold);
    column->addSpacing(6);
    column->addWidget(m_recentTitle);
    m_model = new RecentModel(this);
    m_recent = new QListView(middle);
    m_recent->setObjectName(QStringLiteral("recent"));
    m_recent->setModel(m_model);
    m_recent->setAccessibleName(tr("Recent models and projects"));
    m_recent->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_recent->setTextElideMode(Qt::ElideMiddle);
    m_recent->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_recent->setUniformItemSizes(true);
    m_recent->setSpacing(2);
    m_recent->setAlternatingRowColors(true);
    m_recent->setMinimumHeight(120);
    m_recent->installEventFilter(this);
    column->addWidget(m_recent, 4);
    column->addStretch(1);

    connect(m_sample, &QPushButton::clicked, this, &StartPage::sampleRequested);
    connect(m_open, &QPushButton::clicked, this, &StartPage::openRequested);
    connect(m_recent, &QListView::activated, this, [this](const QModelIndex &index) {
        if (!m_model->file(index.row()).missing)
            Q_EMIT recentChosen(m_model->file(index.row()).path);
    });
    setFocusProxy(m_sample);
    setRecent({});
    setTheme(Theme::light());
}

void StartPage::setRecent(std::vector<RecentFile> files)
{
    m_recentTitle->setVisible(!files.empty());
    m_recent->setVisible(!files.empty());
    m_recent->setMaximumHeight(std::max(120, int(files.size()) * (2 * fontMetrics().height() + 8) + 8)); // no taller than its rows
    m_model->setFiles(std::move(files));
}

void StartPage::setSampleAvailable(bool available, const QString &why)
{
    m_sample->setEnabled(available);
    if (!available)
        m_sample->setToolTip(why.isEmpty() ? tr("The sample is not installed.") : why);
    m_open->setDefault(!available);
    setFocusProxy(available ? m_sample : m_open);
}

void StartPage::dragEnterEvent(QDragEnterEvent *event)
{
    if (droppablePaths(event->mimeData()).isEmpty())
        return event->ignore();
    event->acceptProposedAction();
    setDragging(true);
}

void StartPage::dragLeaveEvent(QDragLeaveEvent *) { setDragging(false); }

void StartPage::dropEvent(QDropEvent *event)
{
    setDragging(false);
    const QStringList paths = droppablePaths(event->mimeData());
    if (paths.isEmpty())
        return;
    event->acceptProposedAction();
    Q_EMIT pathsDropped(paths);
}

void StartPage::setDragging(bool dragging)
{
    m_dragging = dragging;
    m_hint->setText(dragging ? tr("Let go to open it") : tr("or drop a model, a project or a folder of images here"));
    update();
}

void StartPage::paintEvent(QPaintEvent *event)
{
    QWidget::paintEvent(event);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_dragging ? m_accent : m_grid, m_dragging ? 2 : 1.5, Qt::DashLine));
    painter.drawRoundedRect(QRectF(m_dropArea->mapTo(this, QPoint(0, 0)), m_dropArea->size()).adjusted(1, 1, -1, -1), 6, 6);
}

bool StartPage::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_recent && event->type() == QEvent::KeyPress && static_cast<QKeyEvent *>(event)->matches(QKeySequence::Delete) && m_recent->currentIndex().isValid()) {
        Q_EMIT recentRemoved(m_model->file(m_recent->currentIndex().row()).path);
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

void StartPage::setTheme(const Theme &theme)
{
    m_accent = theme.quantizedLine;
    m_grid = theme.edge;
    update();
}

} // namespace widgets
