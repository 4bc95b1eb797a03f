#include "widgets/tables/compare_view.h"

#include "widgets/tables/csv.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace widgets {
namespace {

void dress(QTableView *table, const QString &name)
{
    table->setAccessibleName(name);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setAlternatingRowColors(true);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->setFrameShape(QFrame::NoFrame);
    table->setTextElideMode(Qt::ElideMiddle);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(table->fontMetrics().height() + 6);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->horizontalHeader()->setTextElideMode(Qt::ElideRight);
}

} // namespace

CompareView::CompareView(QWidget *parent)
    : QWidget(parent), m_runs(new RunModel(this)), m_differences(new DiffModel(this)), m_table(new QTableView(this)), m_diffTable(new QTableView(this)),
      m_a(new QComboBox(this)), m_b(new QComboBox(this)), m_all(new QCheckBox(tr("Equal fields too"), this)), m_empty(new QLabel(this)), m_stack(new QStackedWidget(this))
{
    m_table->setModel(m_runs);
    dress(m_table, tr("Runs"));
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setEditTriggers(QAbstractItemView::EditKeyPressed | QAbstractItemView::SelectedClicked);
    m_table->setToolTip(tr("Select two runs to compare them; F2 renames one"));
    m_diffTable->setModel(m_differences);
    dress(m_diffTable, tr("Differences"));
    m_diffTable->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_a->setAccessibleName(tr("First run"));
    m_b->setAccessibleName(tr("Second run"));
    for (QComboBox *box : {m_a, m_b}) {
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(8);
    }
    m_all->setToolTip(tr("Shows the fields of the recipe that both runs share as well"));
    m_empty->setText(tr("Every run of this project is listed here, to compare any two. Run (F5) to make the first."));
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setMargin(24);

    auto *right = new QWidget(this);
    auto *column = new QVBoxLayout(right);
    column->setContentsMargins(6, 2, 4, 2);
    column->setSpacing(3);
    auto *row = new QHBoxLayout;
    row->addWidget(m_a, 1);
    row->addWidget(new QLabel(tr("against"), right));
    row->addWidget(m_b, 1);
    row->addWidget(m_all);
    column->addLayout(row);
    column->addWidget(m_diffTable, 1);

    auto *splitter = new QSplitter(Qt::Horizontal, this);
    splitter->addWidget(m_table);
    splitter->addWidget(right);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    splitter->setChildrenCollapsible(false);
    m_stack->addWidget(splitter);
    m_stack->addWidget(m_empty);
    auto *all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->addWidget(m_stack);

    connect(m_runs, &RunModel::runRenamed, this, &CompareView::runRenamed);
    connect(m_table, &QTableView::activated, this, [this](const QModelIndex &index) { Q_EMIT runActivated(index.row()); });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        QModelIndexList rows = m_table->selectionModel()->selectedRows();
        if (m_filling || rows.size() != 2)
            return;
        std::sort(rows.begin(), rows.end());
        compare(rows[0].row(), rows[1].row());
    });
    for (QComboBox *box : {m_a, m_b})
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            if (m_filling)
                return;
            refresh();
            Q_EMIT pairChosen(runA(), runB());
        });
    connect(m_all, &QCheckBox::toggled, this, &CompareView::refresh);
    setRuns(nullptr);
}

int CompareView::runA() const { return m_a->currentIndex(); }
int CompareView::runB() const { return m_b->currentIndex(); }

void CompareView::setRuns(const std::shared_ptr<const RunTable> &runs)
{
    const int a = runA(), b = runB(), before = m_runs->rowCount();
    {
        const QScopedValueRollback quiet(m_filling, true);
        m_runs->setTable(runs);
        const int count = m_runs->rowCount();
        for (QComboBox *box : {m_a, m_b}) {
            box->clear();
            for (const RunRow &run : *m_runs->table())
                box->addItem(run.name);
        }
        const bool keep = before >= 2 && before == count && a >= 0 && b >= 0;
        m_a->setCurrentIndex(keep ? a : std::max(count - 2, count > 0 ? 0 : -1));
        m_b->setCurrentIndex(keep ? b : count - 1);
        m_stack->setCurrentIndex(count > 0 ? 0 : 1);
    }
    m_table->resizeColumnsToContents();
    for (const int column : {int(RunModel::Name), int(RunModel::Recipe)})
        m_table->setColumnWidth(column, std::min(m_table->columnWidth(column), 190));
    refresh();
}

void CompareView::compare(int a, int b)
{
    if (a < 0 || b < 0 || a >= m_runs->rowCount() || b >= m_runs->rowCount() || (a == runA() && b == runB()))
        return;
    {
        const QScopedValueRollback quiet(m_filling, true);
        m_a->setCurrentIndex(a);
        m_b->setCurrentIndex(b);
    }
    refresh();
    Q_EMIT pairChosen(a, b);
}

void CompareView::refresh()
{
    DiffRows rows;
    QString titleA, titleB;
    if (runA() >= 0 && runB() >= 0) {
        const RunRow &a = (*m_runs->table())[std::size_t(runA())], &b = (*m_runs->table())[std::size_t(runB())];
        titleA = a.name;
        titleB = b.name;
        rows = figureDifferences(a, b);
        for (const DiffRow &row : jsonDifferences(a.recipeJson, b.recipeJson))
            if (row.different() || m_all->isChecked())
                rows.push_back(row);
    }
    m_differences->setRows(rows, titleA, titleB);
}

QString CompareView::csv() const { return csvOf(*m_runs, RunModel::SortRole); }

void CompareView::setTheme(const Theme &theme)
{
    setPalette(theme.palette());
    QPalette muted = theme.palette();
    muted.setColor(QPalette::WindowText, theme.mutedText);
    m_empty->setPalette(muted);
}

} // namespace widgets
