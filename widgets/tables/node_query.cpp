#include "widgets/tables/node_query.h"

#include "core/spec/rule_query.h"

#include <QCoreApplication>
#include <QHash>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>
#include <functional>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("NodeQuery", text); }

using Figure = double (*)(const LayerFacts &);
using Flag = bool (*)(const LayerFacts &);

const QHash<QString, Figure> &figures()
{
    static const QHash<QString, Figure> keys = {
        {"sqnr", [](const LayerFacts &f) { return f.activationSqnr; }},
        {"weight_sqnr", [](const LayerFacts &f) { return f.weightSqnr; }},
        {"clipped", [](const LayerFacts &f) { return f.clipped; }},
        {"sensitivity", [](const LayerFacts &f) { return f.sensitivity; }},
        {"difference", [](const LayerFacts &f) { return f.difference; }},
        {"image_error", [](const LayerFacts &f) { return f.imageError; }},
        {"macs", [](const LayerFacts &f) { return f.macs; }},
        {"bytes", [](const LayerFacts &f) { return f.bytes; }}};
    return keys;
}

const QHash<QString, Flag> &flags()
{
    static const QHash<QString, Flag> keys = {
        {"overridden", [](const LayerFacts &f) { return f.overridden; }},
        {"excluded", [](const LayerFacts &f) { return f.excluded; }},
        {"stale", [](const LayerFacts &f) { return f.stale; }}};
    return keys;
}

QString keyList()
{
    QStringList names = figures().keys() + flags().keys() + QStringList{"dtype", "worst"};
    names.sort();
    return names.join(QStringLiteral(", "));
}

/// "20", "1%", "10M".
std::optional<double> numberOf(QString text)
{
    double factor = 1;
    if (!text.isEmpty()) {
        const QChar last = text.back();
        factor = last == '%' ? 0.01 : last == 'k' ? 1e3 : last == 'M' ? 1e6 : last == 'G' ? 1e9 : 1;
        if (factor != 1)
            text.chop(1);
    }
    bool ok = false;
    const double number = text.toDouble(&ok);
    return ok ? std::optional<double>(number * factor) : std::nullopt;
}

using Test = std::function<bool(std::size_t)>;

class Parser {
public:
    Parser(const core::Graph *graph, const LayerTable &facts) : m_graph(graph), m_facts(facts) {}

    std::vector<bool> alternative(const QString &text)
    {
        std::vector<Test> tests;
        QStringList graphWords;
        for (const QString &word : text.split(QLatin1Char(' '), Qt::SkipEmptyParts))
            if (!ownTerm(word, tests))
                graphWords << word;
        std::vector<bool> holds(m_facts.size(), error.isEmpty());
        if (!graphWords.isEmpty() && error.isEmpty())
            askGraph(graphWords, holds);
        for (std::size_t row = 0; row < holds.size(); ++row)
            holds[row] = holds[row] && std::all_of(tests.begin(), tests.end(), [row](const Test &test) { return test(row); });
        return holds;
    }

    QString error;

private:
    void askGraph(const QStringList &words, std::vector<bool> &holds)
    {
        if (!m_graph) {
            error = tr("“%1” asks about the graph, and no model is open.").arg(words.first());
            return;
        }
        try {
            std::vector<bool> chosen(std::size_t(m_graph->nodeIdLimit()), false);
            for (const core::NodeId node : core::RuleQuery(words.join(QLatin1Char(' ')).toStdString()).select(*m_graph))
                chosen[std::size_t(node.index)] = true;
            for (std::size_t row = 0; row < holds.size(); ++row) {
                const std::int32_t node = m_facts[row].node.index;
                holds[row] = node >= 0 && std::size_t(node) < chosen.size() && chosen[std::size_t(node)];
            }
        } catch (const core::Error &problem) {
            // "In the query '…': there is no key …": the line it is about stands right above.
            error = QString::fromStdString(problem.sentence());
            if (const qsizetype colon = error.indexOf(QStringLiteral("': ")); error.startsWith(QStringLiteral("In the query")) && colon > 0)
                error.remove(0, colon + 3);
            if (!error.isEmpty())
                error[0] = error[0].toUpper();
            if (error.contains(QStringLiteral("here is no key")))
                error += QLatin1Char(' ') + tr("Figures are: %1.").arg(keyList());
        }
    }

    /// Whether the word is no business of the graph. Adds a test or sets `error`.
    bool ownTerm(QString word, std::vector<Test> &tests)
    {
        static const QRegularExpression relations(QStringLiteral("[:=!<>]"));
        const bool negated = word.startsWith(QLatin1Char('!')) || word.startsWith(QLatin1Char('-'));
        const QString whole = word;
        if (negated)
            word.remove(0, 1);
        const qsizetype at = word.indexOf(relations);
        if (at < 0) {
            if (!word.isEmpty())
                tests.push_back([this, word, negated](std::size_t row) { return m_facts[row].name.contains(word, Qt::CaseInsensitive) != negated; });
            return true;
        }
        const QString key = word.left(at);
        const qsizetype end = at + 1 < word.size() && word[at] != ':' && word[at + 1] == '=' ? at + 2 : at + 1;
        const QString relation = word.mid(at, end - at), value = word.mid(end);
        if (const auto figure = figures().value(key)) {
            const std::optional<double> number = numberOf(value);
            if (!number || relation == "!")
                error = tr("“%1” needs a number, such as %2<20.").arg(whole, key);
            else
                tests.push_back([this, figure, relation = relation.toStdString(), negated, number = *number](std::size_t row) {
                    const double known = figure(m_facts[row]);
                    return !std::isnan(known) && core::relationHolds(known, relation, number) != negated;
                });
            return true;
        }
        const auto flag = flags().value(key);
        if (flag || key == "worst") {
            const bool equal = relation == ":" || relation == "=", wanted = value == "true";
            if ((!equal && relation != "!=") || (value != "true" && value != "false"))
                error = tr("“%1” needs true or false, such as %2:true.").arg(whole, key);
            else if (const bool expected = (wanted == equal) != negated; flag)
                tests.push_back([this, flag, expected](std::size_t row) { return flag(m_facts[row]) == expected; });
            else
                tests.push_back([worst = goodnessOf(m_facts, Overlay::ActivationSqnr).worstTenth, expected](std::size_t row) { return worst[row] == expected; });
            return true;
        }
        if (key == "dtype") {
            if ((relation != ":" && relation != "=" && relation != "!=") || value.isEmpty()) {
                error = tr("“%1” needs a type, such as dtype:i8* or dtype:f32.").arg(whole);
            } else {
                const QStringList patterns = value.split(QLatin1Char(','), Qt::SkipEmptyParts);
                tests.push_back([this, patterns, wanted = (relation != "!=") != negated](std::size_t row) {
                    const std::string badge = m_facts[row].badge.toStdString();
                    return std::any_of(patterns.begin(), patterns.end(), [&](const QString &p) { return core::globMatches(p.toStdString(), badge); }) == wanted;
                });
            }
            return true;
        }
        return false;
    }

    const core::Graph *m_graph;
    const LayerTable &m_facts;
};

} // namespace

NodeQueryResult selectNodes(const core::Graph *graph, const LayerTable &facts, const QString &text)
{
    NodeQueryResult result;
    const QStringList alternatives = text.simplified().split(QLatin1Char('|'), Qt::SkipEmptyParts);
    std::vector<bool> chosen(facts.size(), alternatives.isEmpty());
    Parser parser(graph, facts);
    for (const QString &alternative : alternatives) {
        const std::vector<bool> holds = parser.alternative(alternative);
        if (!parser.error.isEmpty()) {
            result.error = parser.error;
            return result;
        }
        for (std::size_t row = 0; row < facts.size(); ++row)
            chosen[row] = chosen[row] || holds[row];
    }
    for (std::size_t row = 0; row < facts.size(); ++row)
        if (chosen[row])
            result.nodes.push_back(facts[row].node);
    return result;
}

QString nodeQueryHelp()
{
    return tr("A word is looked for in the names. Terms can be combined:\n"
              "op:Conv  group>1  depthwise:true  kernel=3  shape:1x64*  position:first\n"
              "sqnr<20  weight_sqnr<30  clipped>1%  macs>10M  dtype:i8*  overridden:true  worst:true\n"
              "!term turns one round, | separates alternatives.");
}

} // namespace widgets
