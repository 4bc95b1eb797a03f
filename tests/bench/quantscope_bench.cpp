// quantscope_bench [MODEL.onnx] [--images DIR] [--json] [--threads N] [--quick]: speed and memory as ratios inside one run.
#include "core/base/error.h"
#include "tests/bench/training_steps.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <iostream>

namespace {

double rounded(double value)
{
    return std::round(value * 1e4) / 1e4;
}

void printJson(const std::optional<bench::Result> &r, const bench::TrainingResult &t)
{
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (r)
        json = {{"float_vs_onnxruntime", r->floatVsOnnxRuntime ? nlohmann::ordered_json(rounded(*r->floatVsOnnxRuntime)) : nlohmann::ordered_json()},
                {"calibrate_minmax", rounded(r->calibrateMinMax)},
                {"calibrate_histogram", rounded(r->calibrateHistogram)},
                {"fake_quant_per_tensor", rounded(r->fakeQuantPerTensor)},
                {"fake_quant_per_channel", rounded(r->fakeQuantPerChannel)},
                {"memory_10x", rounded(r->memory10x)},
                {"observers_seconds", rounded(r->observersSeconds)}};
    json["qat_step"] = rounded(t.qatStep);
    json["lsq_step"] = rounded(t.lsqStep);
    json["tqt_step"] = rounded(t.tqtStep);
    json["float_step_seconds"] = rounded(t.floatStepSeconds);
    std::cout << json.dump(2) << '\n';
}

void printTable(const std::optional<bench::Result> &measured, const bench::TrainingResult &t)
{
    const auto row = [](const char *what, const std::optional<double> &value, const char *goal) {
        if (value)
            std::printf("  %-62s %8.3f   %s\n", what, *value, goal);
        else
            std::printf("  %-62s %8s   %s\n", what, "-", goal);
    };
    if (measured) {
        const bench::Result &r = *measured;
        std::printf("own float forward: %.1f images/s; %zu tensors observed; %s\n\n", r.floatImagesPerSecond, r.tensors, r.judge.c_str());
        std::printf("  %-62s %8s   goal\n", "", "measured");
        row("float forward / ONNX Runtime", r.floatVsOnnxRuntime, ">= 0.65");
        row("calibration, min/max statistics / own float forward", r.calibrateMinMax, ">= 0.90");
        row("calibration, full statistics / own float forward", r.calibrateHistogram, ">= 0.70");
        row("fake-quantized, one scale a weight tensor / own float forward", r.fakeQuantPerTensor, ">= 0.85");
        row("fake-quantized, one scale a channel / own float forward", r.fakeQuantPerChannel, ">= 0.85");
        row("peak memory, ten times the calibration images", r.memory10x, "<= 1.02");
        row("all observers of all tensors, seconds", r.observersSeconds, "<  1");
    }
    std::printf("\nfloat training step: %.0f ms\n", 1000 * t.floatStepSeconds);
    row("QAT step / float training step", t.qatStep, "<= 1.25");
    row("LSQ step / float training step", t.lsqStep, "<= 1.4");
    row("TQT step / float training step", t.tqtStep, "<= 1.4");
}

} // namespace

int main(int argc, char **argv)
{
    bench::Options options;
    bool json = false, quick = false, trainingOnly = false;
    std::size_t peakOf = 0;
    CLI::App program("Speed and memory as ratios inside one run", "quantscope_bench");
    program.add_option("model", options.model, "An ONNX file; without it a network in the shape of EfficientNet-Lite0")->type_name("MODEL.onnx");
    program.add_option("--images", options.images, "Images instead of noise")->type_name("DIR");
    program.add_option("--threads", options.threads, "0 = all cores")->check(CLI::Range(0, 1024));
    program.add_option("--batch", options.batch, "Images in one run")->check(CLI::Range(1, 1024));
    program.add_option("--rounds", options.rounds, "Turns of which the median counts")->check(CLI::Range(1, 1000));
    program.add_option("--input-size", options.inputSize, "Of the network without a file")->check(CLI::Range(32, 1024));
    program.add_flag("--json", json, "One JSON object");
    program.add_flag("--training-only", trainingOnly, "Measure the training steps alone");
    program.add_flag("--quick", quick, "A small network and few turns: shows that it works, not how fast");
    program.add_option("--peak-memory-of", peakOf, "Calibrate with so many images and print the peak memory in bytes")->group("");
    CLI11_PARSE(program, argc, argv);
    if (quick) {
        options.inputSize = 64;
        options.batch = 2;
        options.rounds = 3;
        options.calibrationImages = 8;
    }
    try {
        if (peakOf > 0) {
            bench::calibrateAndPrintPeak(options, peakOf);
            return 0;
        }
        const std::optional<bench::Result> result = trainingOnly ? std::nullopt : std::optional(bench::measure(options));
        const bench::TrainingResult training = bench::measureTraining(options);
        json ? printJson(result, training) : printTable(result, training);
        return 0;
    } catch (const std::exception &error) {
        std::cerr << "quantscope_bench: " << error.what() << '\n';
        return 1;
    }
}
