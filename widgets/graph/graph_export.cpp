#include "widgets/graph/graph_export.h"

#include "widgets/graph/graph_scene.h"

#include <QBuffer>
#include <QClipboard>
#include <QCoreApplication>
#include <QGuiApplication>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("GraphExport", text); }

QRectF sourceOf(const GraphScene &scene)
{
    return scene.state().drawing->bounds.adjusted(-24, -28, 24, 24);
}

void render(GraphScene &scene, QPainter &painter, const QRectF &target)
{
    scene.setForceNear(true);
    painter.fillRect(target, scene.state().theme.canvas);
    scene.render(&painter, target, sourceOf(scene), Qt::KeepAspectRatio);
    scene.setForceNear(false);
}

QByteArray svgOf(GraphScene &scene)
{
    QBuffer buffer;
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    const QSizeF size = sourceOf(scene).size();
    generator.setSize(size.toSize());
    generator.setViewBox(QRectF(QPointF(), size));
    generator.setTitle(tr("Graph"));
    QPainter painter(&generator);
    render(scene, painter, QRectF(QPointF(), size));
    painter.end();
    return buffer.data();
}

} // namespace

QImage graphImage(GraphScene &scene, double scale)
{
    const QSizeF size = sourceOf(scene).size();
    scale = std::min({scale, 30'000 / size.width(), 30'000 / size.height(), std::sqrt(1e8 / (size.width() * size.height()))});
    QImage image((size * scale).toSize().expandedTo(QSize(1, 1)), QImage::Format_RGB32);
    QPainter painter(&image);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    render(scene, painter, QRectF(QPointF(), QSizeF(image.size())));
    return image;
}

QString saveGraph(GraphScene &scene, const QString &file, double scale)
{
    QSaveFile out(file);
    const auto failed = [&] { return tr("The graph could not be written to %1: %2").arg(file, out.errorString()); };
    if (!out.open(QIODevice::WriteOnly))
        return failed();
    if (file.endsWith(QStringLiteral(".svg"), Qt::CaseInsensitive)) {
        out.write(svgOf(scene));
    } else {
        const QByteArray format = QFileInfo(file).suffix().toLatin1();
        if (!graphImage(scene, scale).save(&out, format.isEmpty() ? "PNG" : format.constData()))
            return tr("The graph could not be written to %1: pictures of the kind .%2 cannot be made. Choose .png or .svg.")
                .arg(file, QString::fromLatin1(format));
    }
    return out.commit() ? QString() : failed();
}

void copyGraph(GraphScene &scene)
{
    QGuiApplication::clipboard()->setImage(graphImage(scene, 1));
}

} // namespace widgets
