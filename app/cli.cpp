#include "app/cli.h"

#include "app/interrupt.h"
#include "app/options.h"
#include "app/output.h"
#include "app/progress_bar.h"
#include "app/recipe_options.h"

#include "core/base/atomic_file.h"
#include "core/report/training_json.h"
#include "core/spec/quark_config.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace app {

namespace {

void print(const std::string &text)
{
    std::cout << text << (text.ends_with('\n') ? "" : "\n") << std::flush;
}

int gate(const Options &options, const core::Evaluation &evaluation)
{
    if (!options.minAccuracy)
        return Done;
    if (!evaluation.top1)
        throw core::Error(core::ErrorKind::InvalidInput, usageOperation, "--min-accuracy needs labelled images; these have no labels.");
    if (*evaluation.top1 >= *options.minAccuracy)
        return Done;
    std::fprintf(stderr, "quantscope: top-1 is %.3f %%, below --min-accuracy %g.\n", *evaluation.top1, *options.minAccuracy);
    return GateMissed;
}

void say(const core::Diagnostics &remarks)
{
    for (const core::Diagnostic &remark : remarks)
        std::cerr << "quantscope: " << (remark.severity == core::Severity::Problem ? "" : "note: ") << remark.sentence << '\n';
}

void writeQuark(core::Session &session, const Options &options)
{
    const core::QuarkExport quark = core::recipeToQuark(options.recipe, session.load(options.source()).graph);
    say(quark.diagnostics);
    core::writeFileAtomically(options.quarkFile, quark.json);
}

/// Evaluations are printed as they come, as a line of JSON or of text. A checkpoint that nobody asked for is removed when the files are written.
core::Report train(core::Session &session, const Options &options, core::QuantizeRequest request, core::Progress &progress, ProgressBar &bar)
{
    core::TrainingControl control;
    const auto tell = [&](const core::TrainingUpdate &update) {
        if (!options.json && !update.point.evaluation)
            return;
        bar.clear();
        print(options.json ? core::pointToJson(update.point) : pointToText(update));
    };
    const core::TrainRequest wanted{std::move(request), options.training, options.spec, options.checkpoint, options.resume};
    core::Report report;
    try {
        report = session.train(wanted, control, tell, progress);
    } catch (const core::Cancelled &) {
        bar.clear();
        if (std::filesystem::exists(options.checkpoint))
            std::cerr << "quantscope: the same command with --resume goes on from " << options.checkpoint.string() << ".\n";
        throw;
    }
    if (!options.keepCheckpoint) {
        std::error_code ignored;
        std::filesystem::remove(options.checkpoint, ignored);
    }
    return report;
}

int runJob(const Options &options, core::Progress &progress, ProgressBar &bar)
{
    core::Session session(options.threads);
    core::QuantizeRequest request;
    request.model = options.model;
    request.weights = options.weights;
    request.calibration = options.calibration;
    request.validation = options.validation;
    request.recipe = options.recipe;
    request.outputDirectory = options.out;
    request.statistics = options.statistics;
    request.judge = options.judge;
    request.torchScript = options.torchScript;
    say(options.remarks);
    if (!options.quarkFile.empty())
        writeQuark(session, options);

    switch (options.command) {
    case Command::Info: {
        const core::ModelInfo info = session.info(options.source());
        print(options.json ? infoToJson(options.model, info) : infoToText(options.model, info));
        return Done;
    }
    case Command::Evaluate: {
        const core::Evaluation evaluation = session.evaluate(options.source(), options.validation, options.recipe, progress);
        bar.clear();
        print(options.json ? evaluationToJson(evaluation) : evaluationToText(evaluation));
        return gate(options, evaluation);
    }
    case Command::Calibrate: {
        session.calibrate(request, options.out, progress);
        bar.clear();
        print(options.json ? nlohmann::json{{"statistics", options.out.string()}}.dump(2) : "Statistics written to " + options.out.string() + ".");
        return Done;
    }
    case Command::Quantize:
    case Command::Export:
    case Command::Sample: {
        const core::Report report = session.quantize(request, progress);
        bar.clear();
        print(options.json ? core::reportToJson(report, false) : reportToText(report, options.out));
        return gate(options, report.exported);
    }
    case Command::Train: {
        const core::Report report = train(session, options, std::move(request), progress, bar);
        bar.clear();
        print(options.json ? nlohmann::ordered_json::parse(core::reportToJson(report, false)).dump() : reportToText(report, options.out));
        return gate(options, report.exported);
    }
    }
    return InternalError;
}

/// Says the sentence on stderr, and as JSON on stdout where a machine reads it.
int fail(bool json, int code, const char *kind, const std::string &sentence)
{
    std::cerr << "quantscope: " << sentence << std::endl;
    if (json)
        print(nlohmann::json{{"error", {{"kind", kind}, {"sentence", sentence}}}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return code;
}

const char *kindName(core::ErrorKind kind)
{
    switch (kind) {
    case core::ErrorKind::InvalidInput: return "invalid-input";
    case core::ErrorKind::Unsupported: return "unsupported";
    case core::ErrorKind::Io: return "io";
    case core::ErrorKind::Numeric: return "numeric";
    case core::ErrorKind::Internal: break;
    }
    return "internal";
}

} // namespace

int runCommandLine(int argc, char **argv)
{
    bool json = false;
    ProgressBar bar(isatty(STDERR_FILENO) == 1);
    try {
        const auto parsed = parseCommandLine(argc, argv);
        if (const int *code = std::get_if<int>(&parsed))
            return *code;
        const Options &options = std::get<Options>(parsed);
        json = options.json;

        InterruptWatch interrupt;
        core::Progress progress([&bar](const core::ProgressReport &report) { bar.show(report); }, interrupt.token());
        return runJob(options, progress, bar);
    } catch (const core::Cancelled &) {
        bar.clear();
        return fail(json, Interrupted, "interrupted", "Interrupted; no file was left half-written.");
    } catch (const core::Error &e) {
        bar.clear();
        return fail(json, e.kind() == core::ErrorKind::Internal ? InternalError : WrongUsage, kindName(e.kind()), e.operation() == usageOperation ? e.sentence() : e.what());
    } catch (const std::exception &e) {
        bar.clear();
        return fail(json, InternalError, "internal", e.what());
    }
}

} // namespace app
