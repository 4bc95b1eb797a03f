// Times of the graph canvas, painted into an image: widgets_bench [--json] [--quick]
// Layout of the three modes, first showing, a frame with everything in it, a frame while panning, a change of the overlay.
#include "core/graph/graph.h"
#include "widgets/graph/graph_view.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>
#include <QScrollBar>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

using namespace widgets;

namespace {

constexpr QSize window(1600, 1000);

/// Residual blocks (Conv, Relu, Conv, Add, Relu), every tenth one with a side branch that is joined far below.
core::Graph network(int nodes)
{
    core::Graph graph;
    core::ValueId at = graph.addValue("input", core::DataType::Float32, core::Shape{{1, ""}, {64, ""}, {56, ""}, {56, ""}});
    graph.inputs = {at};
    core::ValueId side;
    const auto add = [&](const char *type, std::vector<core::ValueId> inputs) {
        const std::string name = std::string("stage/") + type + "_" + std::to_string(graph.nodeCount());
        const core::ValueId out = graph.addValue(name + "_out", core::DataType::Float32, core::Shape{{1, ""}, {64, ""}, {56, ""}, {56, ""}});
        core::Node node;
        node.name = name;
        node.opType = type;
        node.inputs = std::move(inputs);
        node.outputs = {out};
        graph.addNode(std::move(node));
        return out;
    };
    for (int block = 0; int(graph.nodeCount()) + 6 <= nodes; ++block) {
        const core::ValueId a = add("Relu", {add("Conv", {at})});
        at = add("Relu", {add("Add", {add("Conv", {a}), at})});
        if (block % 10 == 0)
            side = add("Conv", {at});
        else if (block % 10 == 7)
            at = add("Concat", {at, side});
    }
    graph.outputs = {at};
    return graph;
}

std::shared_ptr<const LayerTable> factsOf(const core::Graph &graph)
{
    auto table = std::make_shared<LayerTable>();
    for (const core::NodeId id : graph.order()) {
        LayerFacts f;
        f.node = id;
        f.name = QString::fromStdString(graph.node(id).name);
        f.opType = QString::fromStdString(graph.node(id).opType);
        f.shape = QStringLiteral("1×64×56×56");
        f.activationSqnr = 10 + id.index * 37 % 300 / 10.0;
        f.dtype = DtypeClass::Int8PerChannel;
        f.badge = QStringLiteral("i8c");
        table->push_back(f);
    }
    return table;
}

std::vector<QuantizerMark> marksOf(const core::Graph &graph)
{
    std::vector<QuantizerMark> marks;
    for (const core::NodeId id : graph.order())
        if (graph.node(id).is("Conv"))
            marks.push_back({graph.node(id).input(0), id, 0, DtypeClass::UInt8, QStringLiteral("u8"), true, true, {}});
    return marks;
}

double median(int rounds, const std::function<void()> &work, const std::function<void()> &before = {})
{
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        if (before)
            before();
        QElapsedTimer timer;
        timer.start();
        work();
        times.push_back(double(timer.nsecsElapsed()) / 1e6);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

struct Row {
    const char *name;
    double goal; ///< ms at 5,000 nodes; 0 = none
    std::vector<double> values;
};

} // namespace

int main(int argc, char **argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    const bool json = application.arguments().contains(QStringLiteral("--json"));
    const bool quick = application.arguments().contains(QStringLiteral("--quick"));
    const std::vector<int> sizes = quick ? std::vector<int>{100} : std::vector<int>{100, 1000, 5000};
    const int rounds = quick ? 3 : 9;
    std::vector<Row> rows = {{"layout_blocks", 300, {}}, {"layout_layers", 300, {}}, {"layout_overview", 300, {}}, {"show", 0, {}},
                             {"fit_all_layers", 33, {}}, {"fit_all_overview", 33, {}}, {"pan", 16, {}}, {"overlay_change", 50, {}},
                             {"overlay_change_fit", 50, {}}, {"select_all", 50, {}}};
    for (const int size : sizes) {
        const core::Graph graph = network(size);
        const std::shared_ptr<const LayerTable> facts = factsOf(graph);
        std::shared_ptr<const DrawnGraph> layers, overview;
        std::size_t row = 0;
        const auto note = [&](double value) { rows[row++].values.push_back(value); };
        note(median(rounds, [&] { drawGraph(graph, {GraphMode::Blocks, {}}); }));
        note(median(rounds, [&] { layers = std::make_shared<const DrawnGraph>(drawGraph(graph)); }));
        note(median(rounds, [&] { overview = std::make_shared<const DrawnGraph>(drawGraph(graph, {GraphMode::Overview, {}})); }));

        GraphScene scene;
        NodeSelection selection;
        GraphView view(scene);
        scene.setSelection(&selection);
        scene.setFacts(facts);
        scene.setMarks(marksOf(graph));
        view.resize(window);
        view.show();
        QImage image(window, QImage::Format_RGB32);
        const auto frame = [&] { view.viewport()->render(&image); };
        note(median(3, [&] {
            view.setDrawing(layers);
            frame();
        }));
        view.fitAll();
        note(median(rounds, frame));
        view.setDrawing(overview);
        view.fitAll();
        note(median(rounds, frame));
        view.setDrawing(layers);
        view.showActualSize();
        view.centerOn(layers->bounds.center());
        note(median(rounds * 3, [&] {
            view.verticalScrollBar()->setValue(view.verticalScrollBar()->value() + 40);
            frame();
        }));
        int turn = 0;
        const auto change = [&] {
            scene.setOverlay(++turn % 2 ? Overlay::ActivationSqnr : Overlay::Dtype);
            frame();
        };
        note(median(rounds, change));
        view.fitAll();
        note(median(rounds, change));
        note(median(rounds, [&] {
            view.selectAll();
            frame();
        }, [&] { selection.clear(); }));
    }
    if (json) {
        std::printf("{\n");
        for (std::size_t r = 0; r < rows.size(); ++r)
            for (std::size_t s = 0; s < sizes.size(); ++s)
                std::printf("  \"%s_%d\": %.3f%s\n", rows[r].name, sizes[s], rows[r].values[s],
                            r + 1 < rows.size() || s + 1 < sizes.size() ? "," : "");
        std::printf("}\n");
        return 0;
    }
    std::printf("%-20s", "milliseconds");
    for (const int size : sizes)
        std::printf("%12d", size);
    std::printf("%12s\n", "goal");
    for (const Row &row : rows) {
        std::printf("%-20s", row.name);
        for (const double value : row.values)
            std::printf("%12.2f", value);
        row.goal > 0 ? std::printf("%12.0f\n", row.goal) : std::printf("\n");
    }
    return 0;
}
