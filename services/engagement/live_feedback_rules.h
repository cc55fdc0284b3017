// What families tell without a name: read within 5 working days, and by whom.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/engagement/v1/live_feedback.pb.h"
#include "coproduction/engagement/v1/settings.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;

// Nothing is taken while the forum has not said where to turn in danger, and when that was checked:
// who writes may think that somebody reads it at once. [domain]
Status MayBeTaken(const v1::EngagementSettings& settings);

// What is stored of it. The sender's flag routes it at once.
v1::LiveFeedback Received(const v1::GiveLiveFeedbackRequest& in,
                          const v1::EngagementSettings& settings, const std::string& today);

// What the forum found. What is flagged as safeguarding is cleared for nobody; all else says which
// demand it is. [seed: Vanguard]
Status Triage(const v1::TriageLiveFeedbackRequest& in, const std::string& today,
              v1::LiveFeedback* feedback);

}  // namespace hub::engagement
