// An evaluation as reports and curves write it.
#pragma once

#include "core/report/report.h"

namespace core {

template <class Json>
Json agreementFields(const AgreementFigures &agreement)
{
    return {{"top1", agreement.top1}, {"cosine", agreement.cosine}, {"sqnr_db", agreement.sqnrDb}};
}

/// Adds top1, top5 and agreement where there are any, images and skipped. `Json`: nlohmann's, ordered.
template <class Json>
void putEvaluation(Json &json, const Evaluation &evaluation)
{
    if (evaluation.top1)
        json["top1"] = *evaluation.top1;
    if (evaluation.top5)
        json["top5"] = *evaluation.top5;
    if (evaluation.agreement)
        json["agreement"] = agreementFields<Json>(*evaluation.agreement);
    json["images"] = evaluation.images;
    json["skipped"] = evaluation.skipped;
}

} // namespace core
