#include "widgets/graph/graph_accessible.h"

#include "widgets/graph/graph_view.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QCoreApplication>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("GraphAccessible", text); }

class BoxAccessible : public QAccessibleInterface {
public:
    BoxAccessible(GraphView &view, int box) : m_view(&view), m_box(box) {}

    bool isValid() const override { return m_view && m_box < int(state_().drawing->boxes.size()); }
    QObject *object() const override { return nullptr; }
    QAccessibleInterface *parent() const override { return m_view ? QAccessible::queryAccessibleInterface(m_view) : nullptr; }
    QAccessibleInterface *child(int) const override { return nullptr; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface *) const override { return -1; }
    QAccessible::Role role() const override { return QAccessible::ListItem; }
    void setText(QAccessible::Text, const QString &) override {}

    QString text(QAccessible::Text kind) const override
    {
        if (!isValid())
            return {};
        return kind == QAccessible::Name ? state_().drawing->boxes[std::size_t(m_box)].title
            : kind == QAccessible::Description ? boxDescription(state_(), m_box)
                                               : QString();
    }
    QRect rect() const override
    {
        if (!isValid())
            return {};
        const QRect inside = m_view->boxRectInViewport(m_box).toRect();
        return QRect(m_view->viewport()->mapToGlobal(inside.topLeft()), inside.size());
    }
    QAccessible::State state() const override
    {
        QAccessible::State s;
        if (!isValid()) {
            s.invalid = true;
            return s;
        }
        s.selectable = s.focusable = s.multiSelectable = !state_().drawing->boxes[std::size_t(m_box)].nodes.empty();
        s.selected = state_().selected[std::size_t(m_box)];
        s.focused = m_box == state_().current && m_view->hasFocus();
        s.offscreen = !m_view->viewport()->rect().intersects(m_view->boxRectInViewport(m_box).toRect());
        return s;
    }

private:
    const SceneState &state_() const { return m_view->graphScene().state(); }

    QPointer<GraphView> m_view;
    const int m_box;
};

class ViewAccessible : public QAccessibleWidget {
public:
    explicit ViewAccessible(GraphView *view) : QAccessibleWidget(view, QAccessible::List), m_view(view) {}
    ~ViewAccessible() override
    {
        for (const auto &[box, id] : m_ids)
            QAccessible::deleteAccessibleInterface(id);
    }

    int childCount() const override { return int(m_view->graphScene().state().drawing->boxes.size()); }
    QAccessibleInterface *child(int index) const override
    {
        if (index < 0 || index >= childCount())
            return nullptr;
        const auto known = m_ids.find(index);
        if (known != m_ids.end())
            return QAccessible::accessibleInterface(known->second);
        auto *box = new BoxAccessible(*m_view, index);
        m_ids[index] = QAccessible::registerAccessibleInterface(box);
        return box;
    }
    int indexOfChild(const QAccessibleInterface *wanted) const override
    {
        for (const auto &[box, id] : m_ids)
            if (QAccessible::accessibleInterface(id) == wanted)
                return box;
        return -1;
    }
    QAccessibleInterface *childAt(int x, int y) const override
    {
        const QPoint inside = m_view->viewport()->mapFromGlobal(QPoint(x, y));
        return child(m_view->graphScene().hit(m_view->mapToScene(inside), 1).box);
    }
    QAccessibleInterface *focusChild() const override { return m_view->hasFocus() ? child(m_view->graphScene().state().current) : nullptr; }

private:
    GraphView *m_view;
    mutable std::map<int, QAccessible::Id> m_ids;
};

QAccessibleInterface *makeInterface(const QString &, QObject *object)
{
    auto *view = qobject_cast<GraphView *>(object);
    return view ? new ViewAccessible(view) : nullptr;
}

} // namespace

void installGraphAccessibility()
{
    static const bool once = (QAccessible::installFactory(makeInterface), true);
    Q_UNUSED(once);
}

QString boxDescription(const SceneState &state, int box)
{
    const DrawnBox &drawn = state.drawing->boxes[std::size_t(box)];
    const BoxLook &look = state.looks[std::size_t(box)];
    QStringList parts{drawn.title, drawn.subtitle};
    if (!look.badge.isEmpty())
        parts << look.badge;
    if (!look.metric.isEmpty())
        parts << (isMetric(state.overlay) ? overlayName(state.overlay) + QLatin1Char(' ') + look.metric : look.metric);
    if (look.worst)
        parts << tr("among the worst tenth");
    if (look.excluded)
        parts << tr("not quantized");
    if (state.selected[std::size_t(box)])
        parts << tr("selected");
    return parts.join(QStringLiteral(", "));
}

void announceBox(GraphView &view, int box)
{
    if (!QAccessible::isActive())
        return;
    QAccessibleEvent event(&view, QAccessible::Focus);
    event.setChild(box);
    QAccessible::updateAccessibility(&event);
}

} // namespace widgets
