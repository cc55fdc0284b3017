// When a session can be planned, agreed and held.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "coproduction/scheduling/v1/settings.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// What a session of a series is for whoever pays, where nobody says otherwise. [seed: what the
// grant covers]
v1::Activity::Kind ActivityOf(v1::Session::Series series);

// A new session: what its caller left open as the forum's settings say.
void Complete(const v1::SchedulingSettings& settings, v1::Session* session);

// Whoever acts for `partner` (empty: for the forum) acts for a session that this partner
// facilitates; one that none facilitates is then its own. [seed]
Status Facilitate(const std::string& partner, v1::Session* session);

// A date that is no bank holiday [ours]; a prep session, and only it, names the hub session that it
// prepares, which comes on or after its day. `hub` is the session named, if there is one.
Status MayBePlanned(const v1::Session& session, const std::optional<v1::Session>& hub);

// Neither held nor cancelled: what is planned for it can still change.
bool IsOpen(const v1::Session& session);
Status MustBeOpen(const v1::Session& session);

// A changed agenda needs the words of both sides again. [ours; seed: 'a shared agreement']
void ReopenAgenda(v1::Session* session);

// What the items leave of the session after welcome and close; negative if they do not fit.
int64_t FreeMinutes(const v1::Session& session, const std::vector<v1::Item>& items,
                    const v1::SchedulingSettings& settings);

// Both sides can give their word: items that fit, a link person, a plain-language brief, and the
// preparation held, given in writing, or declined with a reason. `has_prep`: a prep session for it
// is planned or held. [seed: 'a link person', 'a clear structure', 'prep discussion']
Status AgendaMayBeAgreed(const v1::Session& session, const std::vector<v1::Item>& items,
                         bool has_prep, const v1::SchedulingSettings& settings);

// Enough reps for the session to count as coproduced: only hub sessions have a quorum. [seed: 3-5]
bool IsQuorate(const v1::Session& session, const v1::SchedulingSettings& settings);

// On its day or later; a hub session with its agenda agreed, and without quorum only with a reason.
// `session` carries who was there (reps_present, quorate) and the reason.
Status MayBeHeld(const v1::Session& session, const std::string& today,
                 const v1::SchedulingSettings& settings);

}  // namespace hub::scheduling
