// 'verify': holds what the services' rows say against what their receivers' streams hold, by SQL
// and by a NATS client of its own, with nothing of the code that wrote either. It asks no running
// hub and changes nothing. On a hub that works, what is still on its way counts as missing: stop it
// or let it settle first; nats-server must run.
//
//   streams      every event once in its receiver's stream, as its row says, in the order of its
//                aggregate; nothing that has no row, but of an epoch before the rows' own, which a
//                restore lost and which is only counted; what has passed the stream's age is let go
//   events       numbered 1, 2, 3 ... per receiver and aggregate; as many as the record has
//   versions
//   commands     keys and journal rows one to one; no event without its command, none set aside,
//   all
//                taken by the services that follow them
//   ledger       balances add up to nothing; a promise ends once; an attendance is paid once
//   engagements  one rep in one item or prep session is counted once
//   audit        sealed rows of the journal are as they were, and their heads as they were told
#pragma once

#include <string>

#include "common/base/status.h"
#include "services/hubctl/databases.h"

namespace hub::ctl {

struct Verification {
  Databases databases;
  std::string receivers;  // as hubd's; STATE/nats/receivers.json or STATE/receivers.json if empty
};

// Prints a line for each receiver, what is wrong, and last the sum of it. Whether all is well.
StatusOr<bool> Verify(const Verification& verification, const Options& options);

}  // namespace hub::ctl
