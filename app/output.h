// What the program prints on stdout: tables for people, JSON for machines.
#pragma once

#include "core/session/session.h"

#include <filesystem>
#include <string>

namespace app {

std::string infoToText(const std::filesystem::path &file, const core::ModelInfo &info);
std::string infoToJson(const std::filesystem::path &file, const core::ModelInfo &info);
std::string evaluationToText(const core::Evaluation &evaluation);
std::string evaluationToJson(const core::Evaluation &evaluation);
/// One evaluation of a training.
std::string pointToText(const core::TrainingUpdate &update);
/// Accuracy before and after, speed, size, judges and the files in `directory`.
std::string reportToText(const core::Report &report, const std::filesystem::path &directory);

std::string withThousands(std::int64_t number);   ///< "4,652,008"

} // namespace app
