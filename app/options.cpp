#include "app/options.h"

#include "app/recipe_options.h"
#include "app/training_options.h"
#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/spec/config_json.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>

namespace fs = std::filesystem;

namespace app {

namespace {

constexpr const char *description =
    "quantscope - quantizes vision models: ONNX in, calibrated, measured and verified QDQ ONNX out.";

struct CommandLine {
    Options options;
    RecipeOptions recipe;
    TrainingOptions training;
    CLI::App program{description, "quantscope"};
    std::size_t limit = 0;

    CLI::App &add(Command command, const std::string &name, const std::string &what)
    {
        CLI::App *c = program.add_subcommand(name, what);
        c->callback([this, command] { options.command = command; });
        c->add_option("--threads", options.threads, "Number of threads, 0 = all cores")->check(CLI::Range(0, 1024));
        c->add_flag("--json", options.json, "Print one JSON object");
        return *c;
    }
    void addModel(CLI::App &c)
    {
        c.add_option("--model,model", options.model, "The ONNX file, or a built-in network: resnet18, mobilenet_v2")->required()->type_name("MODEL");
        c.add_option("--weights", options.weights, "Put into the network by name: PyTorch's state_dict or safetensors")->type_name("FILE");
    }
    void addCalibration(CLI::App &c, bool required)
    {
        c.add_option("--calib", options.calibration.path, "Images to calibrate with")->required(required)->type_name("DIR");
    }
    void addValidation(CLI::App &c, bool required)
    {
        c.add_option("--val", options.validation.path, "Images to measure with; one folder per class, or without labels")
            ->required(required)->type_name("DIR");
        c.add_option("--labels", options.validation.labels, "Line number = class index of the folder named in its first word")->type_name("FILE");
        c.add_option("--limit", limit, "At most so many validation images")->check(CLI::PositiveNumber);
        addGate(c);
    }
    void addGate(CLI::App &c)
    {
        c.add_option("--min-accuracy", options.minAccuracy, "Exit with 3 when top-1 in % is lower")->check(CLI::Range(0.0, 100.0));
    }
    void addOut(CLI::App &c, bool required)
    {
        c.add_option("--out", options.out, "Folder for the .onnx file, recipe, encodings and report")->required(required)->type_name("DIR");
        c.add_flag("!--no-judge", options.judge, "Do not let ONNX Runtime run the file too");
        c.add_flag("--torchscript", options.torchScript, "Also write the frozen model as TorchScript (.pt)");
    }

    CommandLine()
    {
        program.set_version_flag("--version", QUANTSCOPE_VERSION);
        program.require_subcommand(1);
        program.footer("Exit codes: 0 done, 1 internal error, 2 wrong usage or input, 3 accuracy below --min-accuracy, 130 interrupted.");

        addModel(add(Command::Info, "info", "Say what a model holds and what is unsupported"));

        CLI::App &quantize = add(Command::Quantize, "quantize", "Calibrate, quantize, export and verify a model");
        addModel(quantize);
        addCalibration(quantize, false);
        addValidation(quantize, false);
        addOut(quantize, true);
        quantize.add_option("--statistics", options.statistics, "Saved statistics, instead of --calib")->type_name("FILE");
        recipe.addQuantizationOptions(quantize);
        recipe.addInputOptions(quantize);

        CLI::App &calibrate = add(Command::Calibrate, "calibrate", "Collect the statistics of a model and save them");
        addModel(calibrate);
        addCalibration(calibrate, true);
        calibrate.add_option("--statistics", options.out, "File to write")->required()->type_name("FILE");
        recipe.addQuantizationOptions(calibrate);
        recipe.addInputOptions(calibrate);

        CLI::App &evaluate = add(Command::Evaluate, "evaluate", "Measure the accuracy of a model, float or quantized");
        addModel(evaluate);
        addValidation(evaluate, true);
        recipe.addInputOptions(evaluate);

        CLI::App &exported = add(Command::Export, "export", "Write the quantized file from saved statistics, without data");
        addModel(exported);
        exported.add_option("--statistics", options.statistics, "Statistics that calibrate has saved")->required()->type_name("FILE");
        addValidation(exported, false);
        addOut(exported, true);
        recipe.addQuantizationOptions(exported);
        recipe.addInputOptions(exported);

        CLI::App &train = add(Command::Train, "train", "Fine-tune with quantizers in place (or without), then export and verify");
        addModel(train);
        addCalibration(train, false);
        addValidation(train, false);
        addOut(train, true);
        train.add_option("--statistics", options.statistics, "Saved statistics, instead of --calib")->type_name("FILE");
        training.addOptions(train);
        recipe.addQuantizationOptions(train);
        recipe.addInputOptions(train);

        CLI::App &sample = add(Command::Sample, "sample", "Quantize the bundled sample");
        options.out = "quantscope-sample";
        sample.add_option("--limit", limit, "At most so many validation images")->check(CLI::PositiveNumber);
        addGate(sample);
        addOut(sample, false);
        recipe.addQuantizationOptions(sample);
        recipe.addInputOptions(sample);
    }

    void complete()
    {
        Options &o = options;
        o.validation.limit = limit;
        core::Recipe base = core::presetRecipe("best");
        if (o.command == Command::Sample) {
            const fs::path folder = sampleFolder();
            o.model = folder / "sample.onnx";
            o.calibration.path = folder / "calib";
            o.validation.path = folder / "val";
            base = core::recipeFromJson(core::readFile(folder / "recipe.json"));
        }
        if (o.source().builtin())
            base.transform = core::transformPreset("imagenet");          // as torchvision trained them
        o.recipe = recipe.build(base, o.remarks);
        o.quarkFile = recipe.quarkFile;
        if (o.command == Command::Train) {
            o.spec = training.build(recipe.batch, recipe.seed);
            o.training = training.data;
            o.resume = training.resume;
            o.keepCheckpoint = !training.checkpoint.empty();
            o.checkpoint = o.keepCheckpoint ? training.checkpoint : o.out / (o.model.stem().string() + "_" + core::trainMethodName(o.spec.method) + ".checkpoint");
        }
        const auto wrong = [](const std::string &sentence) { throw core::Error(core::ErrorKind::InvalidInput, usageOperation, sentence); };
        if (o.command == Command::Quantize && o.calibration.path.empty() == o.statistics.empty())
            wrong("quantize needs either --calib DIR or --statistics FILE.");
        if (o.minAccuracy && o.validation.path.empty())
            wrong("--min-accuracy needs --val DIR to measure with.");
        if (!o.validation.labels.empty() && o.validation.path.empty())
            wrong("--labels belongs to --val DIR, which is missing.");
    }
};

std::string usageSentence(const CLI::App &program, std::string what, const std::string &firstArgument)
{
    const auto chosen = program.get_subcommands();
    const std::string name = chosen.empty() ? "quantscope" : "quantscope " + chosen.front()->get_name();
    if (chosen.empty() && !firstArgument.empty() && firstArgument.front() != '-') {
        what = "There is no command '" + firstArgument + "'; the commands are ";
        const auto commands = program.get_subcommands([](const CLI::App *) { return true; });
        for (std::size_t i = 0; i < commands.size(); ++i)
            what += (i ? ", " : "") + commands[i]->get_name();
    }
    return name + ": " + what + (what.ends_with('.') ? "" : ".") + " See " + name + " --help.";
}

} // namespace

std::variant<Options, int> parseCommandLine(int argc, char **argv)
{
    CommandLine line;
    try {
        line.program.parse(argc, argv);
    } catch (const CLI::ParseError &e) {
        if (e.get_exit_code() == int(CLI::ExitCodes::Success))
            return line.program.exit(e, std::cout, std::cerr); // help, version
        std::cerr << usageSentence(line.program, e.what(), argc > 1 ? argv[1] : "") << '\n';
        return int(WrongUsage);
    }
    line.complete();
    return std::move(line.options);
}

fs::path sampleFolder()
{
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    std::vector<fs::path> places{program.parent_path().parent_path() / "share/quantscope/sample"};
    for (fs::path up = program.parent_path(); up.has_relative_path(); up = up.parent_path())
        places.push_back(up / "resources/sample");
    for (const fs::path &place : places)
        if (fs::exists(place / "sample.onnx", ignored))
            return place;
    throw core::Error(core::ErrorKind::Io, "sample", "The bundled sample was found neither in ../share/quantscope/sample nor in resources/sample above " + program.string() + ".");
}

} // namespace app
