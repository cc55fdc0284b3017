// The joint evaluation on the screen: its figures as a table, with a small chart in text.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/engagement/v1/evaluations.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// 'evaluation show': asks for it and prints it.
Status ShowEvaluation(const Options& options, const std::string& from, const std::string& to,
                      const std::string& membership_from);

std::string EvaluationText(const coproduction::engagement::v1::Evaluation& evaluation,
                           const std::string& forum, size_t width);

}  // namespace hub::ctl
