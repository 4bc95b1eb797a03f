// The command line as one value: what to do, on what, with which recipe.
#pragma once

#include "core/session/session.h"

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace app {

enum class Command { Info, Quantize, Calibrate, Evaluate, Export, Sample, Train };

/// Process exit codes, part of the documented interface.
enum ExitCode { Done = 0, InternalError = 1, WrongUsage = 2, GateMissed = 3, Interrupted = 130 };

struct Options {
    Command command = Command::Info;
    std::filesystem::path model;          ///< a file or the name of a built-in network
    std::filesystem::path weights;        ///< put into it by name
    core::DataSource calibration, validation;
    std::filesystem::path out;            ///< folder; for Calibrate the statistics file
    std::filesystem::path statistics;     ///< read instead of calibrating
    std::filesystem::path quarkFile;      ///< the recipe in AMD Quark's form, to be written
    core::Recipe recipe;                  ///< --recipe, then --preset, then the single options
    int threads = 0;                      ///< 0 = all cores
    bool json = false;
    core::Diagnostics remarks;            ///< of the recipe's import
    bool judge = true;                    ///< let ONNX Runtime run the written file
    std::optional<double> minAccuracy;    ///< top-1 in %
    bool torchScript = false;             ///< write a .pt beside the .onnx
    core::DataSource training;
    core::TrainingSpec spec;              ///< for Train
    std::filesystem::path checkpoint;
    bool keepCheckpoint = false, resume = false;

    core::ModelSource source() const { return {model, weights, recipe.seed}; }
};

/// Either what to run, or the exit code of a program that is done (help and version: 0, wrong usage: 2, said on stderr).
/// Throws core::Error for a recipe that cannot be read, or for unknown names of presets, targets, observers, transforms.
std::variant<Options, int> parseCommandLine(int argc, char **argv);

/// The folder of the bundled sample: beside the program, above it in a source tree, or in ../share/quantscope.
/// Throws core::Error{Io} when it is nowhere.
std::filesystem::path sampleFolder();

} // namespace app
