#include "widgets/tables/layer_model.h"

#include "widgets/tables/node_query.h"

#include <QFont>
#include <QPainter>
#include <QPixmap>

#include <cmath>

namespace widgets {
namespace {

QString countText(double value)
{
    LayerFacts facts;
    facts.macs = value;
    return value > 0 ? overlayText(facts, Overlay::Size) : QStringLiteral("–");
}

QPixmap triangle(const QColor &color)
{
    QPixmap pixmap(24, 24);
    pixmap.setDevicePixelRatio(2);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawPolygon(QPolygonF({{6, 1}, {11.5, 11}, {0.5, 11}}));
    return pixmap;
}

bool isQuantized(const LayerFacts &facts) { return !facts.excluded && facts.dtype != DtypeClass::Float32; }

} // namespace

LayerModel::LayerModel(QObject *parent) : QAbstractTableModel(parent) {}

core::NodeId LayerModel::nodeAt(int row) const
{
    return row >= 0 && row < rowCount() ? (*m_table)[std::size_t(row)].node : core::NodeId();
}

int LayerModel::rowOf(core::NodeId node) const
{
    const auto found = m_rows.find(node);
    return found == m_rows.end() ? -1 : found->second;
}

void LayerModel::setTable(const std::shared_ptr<const LayerTable> &table)
{
    const auto next = table ? table : std::make_shared<const LayerTable>();
    const bool sameNodes = std::equal(m_table->begin(), m_table->end(), next->begin(), next->end(),
                                      [](const LayerFacts &a, const LayerFacts &b) { return a.node == b.node; });
    if (!sameNodes)
        beginResetModel();
    m_table = next;
    if (!sameNodes) {
        m_rows.clear();
        for (std::size_t row = 0; row < next->size(); ++row)
            m_rows.emplace((*next)[row].node, int(row));
    }
    rank();
    if (!sameNodes)
        endResetModel();
    else if (!next->empty())
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

void LayerModel::rank()
{
    m_activation = goodnessOf(*m_table, Overlay::ActivationSqnr);
    m_weight = goodnessOf(*m_table, Overlay::WeightSqnr);
    m_clipped = goodnessOf(*m_table, Overlay::Clipping);
    m_current = goodnessOf(*m_table, m_overlay);
}

void LayerModel::setOverlay(Overlay overlay)
{
    if (overlay == m_overlay)
        return;
    m_overlay = overlay;
    m_current = goodnessOf(*m_table, overlay);
    Q_EMIT headerDataChanged(Qt::Horizontal, Current, Current);
    if (rowCount() > 0)
        Q_EMIT dataChanged(index(0, Current), index(rowCount() - 1, Current));
}

void LayerModel::setTheme(const Theme &theme)
{
    m_theme = theme;
    if (rowCount() > 0)
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1), {Qt::ForegroundRole, Qt::DecorationRole, SwatchRole});
}

int LayerModel::rowCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(m_table->size()); }
int LayerModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : int(ColumnCount); }

QString LayerModel::textOf(const LayerFacts &facts, int column) const
{
    switch (column) {
    case Name: return facts.name;
    case Operator: return facts.opType;
    case Type: return facts.overridden ? facts.badge + QLatin1Char('*') : facts.badge;
    case ActivationSqnr: return overlayText(facts, Overlay::ActivationSqnr);
    case WeightSqnr: return overlayText(facts, Overlay::WeightSqnr);
    case Clipped: return overlayText(facts, Overlay::Clipping);
    case Macs: return countText(facts.macs);
    case Parameters: return countText(facts.parameters);
    case Shape: return facts.shape;
    case Current: return overlayText(facts, m_overlay);
    default: return {};
    }
}

QVariant LayerModel::sortKey(const LayerFacts &facts, int column) const
{
    switch (column) {
    case Quantized: return isQuantized(facts) ? 1.0 : 0.0;
    case ActivationSqnr: return facts.activationSqnr;
    case WeightSqnr: return facts.weightSqnr;
    case Clipped: return facts.clipped;
    case Macs: return facts.macs;
    case Parameters: return facts.parameters;
    case Current: return isMetric(m_overlay) ? QVariant(overlayValue(facts, m_overlay)) : QVariant(textOf(facts, column));
    default: return textOf(facts, column);
    }
}

bool LayerModel::isWorst(std::size_t row, int column) const
{
    const Goodness *goodness = column == ActivationSqnr ? &m_activation : column == WeightSqnr ? &m_weight : column == Clipped ? &m_clipped
        : column == Current ? &m_current : nullptr;
    return goodness && goodness->worstTenth[row];
}

QString LayerModel::toolTipOf(const LayerFacts &facts, std::size_t row, int column) const
{
    QStringList lines;
    if (column == Quantized)
        lines << (isQuantized(facts) ? tr("Quantized. Untick to keep this layer in float.") : facts.excluded ? tr("Excluded: stays in float. Tick to quantize it.")
                                                                                             : tr("Stays in float. Tick to quantize it."));
    else
        lines << tr("%1 (%2)").arg(facts.name, facts.opType);
    if (isWorst(row, column))
        lines << tr("Among the worst tenth of all layers.");
    if (facts.overridden)
        lines << tr("Has settings of its own (rule or node).");
    if (facts.stale)
        lines << tr("The figures are of older settings; run again to renew them.");
    return lines.join(QLatin1Char('\n'));
}

QVariant LayerModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const std::size_t row = std::size_t(index.row());
    const LayerFacts &facts = (*m_table)[row];
    const int column = index.column();
    const bool figure = (column >= ActivationSqnr && column <= Clipped) || column == Current;
    switch (role) {
    case Qt::DisplayRole: return column == Quantized ? QVariant() : textOf(facts, column);
    case Qt::CheckStateRole: return column == Quantized ? QVariant(int(isQuantized(facts) ? Qt::Checked : Qt::Unchecked)) : QVariant();
    case Qt::ToolTipRole: return toolTipOf(facts, row, column);
    case Qt::AccessibleTextRole:
        return column == Quantized ? tr("%1, %2").arg(facts.name, isQuantized(facts) ? tr("quantized") : tr("float")) : textOf(facts, column);
    case Qt::TextAlignmentRole:
        return int((figure || column == Macs || column == Parameters ? Qt::AlignRight : column == Type ? Qt::AlignHCenter : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::FontRole:
        if (facts.overridden) {
            QFont font;
            font.setItalic(true);
            return font;
        }
        return {};
    case Qt::ForegroundRole: return facts.stale && figure ? QVariant(m_theme.mutedText) : QVariant();
    case Qt::DecorationRole: return isWorst(row, column) ? QVariant(triangle(m_theme.problem)) : QVariant();
    case SortRole: return sortKey(facts, column);
    case BadgeClassRole: return int(facts.dtype);
    case PowerOfTwoRole: return facts.powerOfTwo;
    case SwatchRole:
        if (column != Current)
            return {};
        if (m_overlay == Overlay::Operator)
            return m_theme.operatorFill(facts.opType);
        return isMetric(m_overlay) && !std::isnan(m_current.values[row]) ? QVariant(m_theme.metric(m_current.values[row])) : QVariant();
    default: return {};
    }
}

QVariant LayerModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Vertical)
        return role == Qt::DisplayRole ? QVariant(section + 1) : QVariant();
    static const char *const titles[] = {QT_TR_NOOP("Q"), QT_TR_NOOP("Name"), QT_TR_NOOP("Operator"), QT_TR_NOOP("Type"), QT_TR_NOOP("SQNR act."),
        QT_TR_NOOP("SQNR weight"), QT_TR_NOOP("Clipped"), QT_TR_NOOP("MACs"), QT_TR_NOOP("Params"), QT_TR_NOOP("Shape")};
    static const char *const tips[] = {QT_TR_NOOP("Quantized: untick to keep a layer in float"), QT_TR_NOOP("Name of the node in the model"),
        QT_TR_NOOP("Operator type"), QT_TR_NOOP("Type of the weights, else of the output; * = has settings of its own"),
        QT_TR_NOOP("Signal-to-noise ratio of the output, quantized against float; higher is better"), QT_TR_NOOP("Signal-to-noise ratio of the weights; higher is better"),
        QT_TR_NOOP("Share of values outside the range"), QT_TR_NOOP("Multiply-adds for one image"), QT_TR_NOOP("Elements of the constants it reads"), QT_TR_NOOP("Shape of the first output")};
    if (section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::DisplayRole)
        return section == Current ? overlayName(m_overlay) : tr(titles[section]);
    if (role == Qt::ToolTipRole)
        return section == Current ? tr("The colour of the graph: %1").arg(overlayName(m_overlay)) : tr(tips[section]);
    return {};
}

Qt::ItemFlags LayerModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren | (index.column() == Quantized ? Qt::ItemIsUserCheckable : Qt::NoItemFlags);
}

bool LayerModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    if (role == Qt::CheckStateRole && index.isValid() && index.column() == Quantized)
        Q_EMIT quantizationToggled(nodeAt(index.row()), value.toInt() == Qt::Checked);
    return false;
}

LayerFilter::LayerFilter(LayerModel *layers, QObject *parent) : QSortFilterProxyModel(parent), m_layers(layers)
{
    // Before the proxy hears of a new table, the rows it may show must be known.
    const auto renew = [this] { evaluate(); };
    connect(layers, &QAbstractItemModel::modelReset, this, renew);
    connect(layers, &QAbstractItemModel::dataChanged, this, renew);
    setSourceModel(layers);
    setSortRole(LayerModel::SortRole);
    evaluate();
}

void LayerFilter::setGraph(std::shared_ptr<const core::Graph> graph)
{
    m_graph = std::move(graph);
    evaluate();
    invalidateFilter();
}

bool LayerFilter::setQuery(const QString &text)
{
    m_query = text;
    if (!evaluate())
        return false;
    invalidateFilter();
    return true;
}

bool LayerFilter::evaluate()
{
    const LayerTable &table = *m_layers->table();
    const NodeQueryResult result = selectNodes(m_graph.get(), table, m_query);
    m_error = result.error;
    if (!m_error.isEmpty()) {
        if (m_accepted.size() != table.size())
            m_accepted.assign(table.size(), true);
        return false;
    }
    m_accepted.assign(table.size(), false);
    for (const core::NodeId node : result.nodes)
        if (const int row = m_layers->rowOf(node); row >= 0)
            m_accepted[std::size_t(row)] = true;
    return true;
}

bool LayerFilter::filterAcceptsRow(int row, const QModelIndex &) const
{
    return std::size_t(row) >= m_accepted.size() || m_accepted[std::size_t(row)];
}

bool LayerFilter::lessThan(const QModelIndex &left, const QModelIndex &right) const
{
    const QVariant a = left.data(LayerModel::SortRole), b = right.data(LayerModel::SortRole);
    if (a.typeId() == QMetaType::Double && b.typeId() == QMetaType::Double) {
        const double x = a.toDouble(), y = b.toDouble();
        if (std::isnan(x) || std::isnan(y))
            return std::isnan(x) == std::isnan(y) ? left.row() < right.row() : std::isnan(y) == (sortOrder() == Qt::AscendingOrder);
        return x != y ? x < y : left.row() < right.row();
    }
    const int order = QString::compare(a.toString(), b.toString(), Qt::CaseInsensitive);
    return order != 0 ? order < 0 : left.row() < right.row();
}

} // namespace widgets
