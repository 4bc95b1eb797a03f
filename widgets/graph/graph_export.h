// The drawing as a picture, complete and at full size whatever the window shows.
#pragma once

#include <QImage>
#include <QString>

namespace widgets {

class GraphScene;

/// `scale` is lowered where the picture would exceed 100 megapixels or 30,000 pixels a side.
QImage graphImage(GraphScene &scene, double scale = 1);
/// By the ending: .svg, else a bitmap format. Returns an empty string, or a sentence that says what went wrong.
QString saveGraph(GraphScene &scene, const QString &file, double scale = 2);
void copyGraph(GraphScene &scene);

} // namespace widgets
