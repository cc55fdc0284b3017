// What the forums agreed to share with their partners, as every service's engine knows it: a copy
// kept by the agreement's events, judged by the hub's date. And the register of what crossed.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "common/privacy/visible.h"

namespace hub::journal {

// What a partner ('forums/warwickshire/partners/wcc') may be given on that day.
StatusOr<privacy::Shares> SharesOf(db::Conn& conn, const std::string& partner,
                                   const std::string& today);
// The events, by full name, that such a partner is not given.
std::vector<std::string> Withheld(const privacy::Shares& shares);

Status KeepSharing(Write& write, const std::string& entry, const std::string& partner,
                   const std::vector<std::string>& data, const std::string& from_on,
                   const std::string& ends_on);
// An event of the agreement: SharingAgreed or SharingEnded, which say the same.
template <class E>
Status KeepSharing(Write& write, const E& event) {
  return KeepSharing(write, event.sharing_entry(), event.partner(),
                     {event.data().begin(), event.data().end()}, event.from_on(), event.ends_on());
}

// A row of the register.
struct Crossing {
  int64_t id;
  Micros at;            // the hub's time
  std::string partner;  // its name, which is its receiver's
  std::string entry, item, person;
  std::string by;        // an event's type, or a method's name
  std::string resource;  // the event's record, or what the call named
  std::string to;        // the receiver, or the caller's key
};
// By one statement.
Status InsertCrossings(db::Conn& conn, const std::vector<Crossing>& crossings);

}  // namespace hub::journal
