#include "services/remuneration/commitments_rules.h"

#include <algorithm>

#include "common/base/date.h"

namespace hub::remuneration {

v1::Commitment TermsOf(const v1::ReserveCommitmentRequest& in) {
  v1::Commitment commitment;
  commitment.set_state(v1::Commitment::RESERVED);
  commitment.set_rep(in.rep());
  commitment.set_session(in.session());
  commitment.set_session_date(in.session_date());
  commitment.set_activity_kind(in.activity_kind());
  if (!in.partner().empty()) commitment.set_partner(in.partner());
  commitment.set_minutes(in.minutes());
  return commitment;
}

std::string ExpiresOn(const v1::Commitment& commitment, const v1::RemunerationSettings& settings,
                      const std::string& today) {
  if (commitment.state() == v1::Commitment::RESERVED) {
    return AddDays(today, settings.reservation_days());
  }
  return AddDays(std::max(today, commitment.session_date()),
                 commitment.state() == v1::Commitment::CONFIRMED ? settings.attendance_wait_days()
                                                                 : settings.claim_wait_days());
}

void AddPlace(v1::Commitment* commitment) {
  if (commitment->state() == v1::Commitment::RESERVED) {
    commitment->set_places(1);
  } else if (commitment->has_places()) {
    commitment->set_places(commitment->places() + 1);
  }
}

bool TakePlace(v1::Commitment* commitment) {
  if (!commitment->has_places() || (commitment->state() != v1::Commitment::RESERVED &&
                                    commitment->state() != v1::Commitment::CONFIRMED)) {
    return false;
  }
  commitment->set_places(std::max<int64_t>(commitment->places() - 1, 0));
  return commitment->places() == 0;
}

bool Lapsed(const v1::Commitment& commitment, const std::string& today) {
  return (commitment.state() == v1::Commitment::RESERVED ||
          commitment.state() == v1::Commitment::CONFIRMED ||
          commitment.state() == v1::Commitment::EARNED) &&
         commitment.expires_on() <= today;
}

}  // namespace hub::remuneration
