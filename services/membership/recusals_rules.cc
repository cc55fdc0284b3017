#include "services/membership/recusals_rules.h"

namespace hub::membership {

Status CheckRecusal(const v1::Recusal& recusal, const std::string& today) {
  if (recusal.ends_on().empty() || recusal.ends_on() > today) return Status();
  return InvalidField("recusal.ends_on", "ends_on is " + recusal.ends_on() +
                                             "; it must be after today, " + today +
                                             ", or empty while nobody knows");
}

}  // namespace hub::membership
