// A raised epoch: the hub was restored, and what it told since the restored moment may be lost. Who
// keeps a copy outside is told so at once, not only by the next event of a record.
#include <map>

#include "absl/strings/str_cat.h"
#include "common/journal/engine.h"
#include "common/journal/tables.h"
#include "coproduction/hub/events/v1/events.pb.h"

namespace hub::journal {

// A command for each forum, as an event is of one.
Status Engine::TellEpoch(const std::string& epoch) {
  std::map<std::string, std::vector<std::string>> receivers;  // by forum
  for (const auto& receiver : options_.receivers) {
    if (receiver != "services") receivers[ForumOf(receiver)].push_back(receiver);
  }
  const coproduction::hub::events::v1::EpochRaised event;
  const std::string type = event.GetDescriptor()->full_name();
  for (const auto& [forum, names] : receivers) {
    auto call = std::make_shared<Call>();
    call->source = kTimer;
    call->principal = auth::ServicePrincipal(options_.service);
    call->forum = forum;
    call->request_id = call->body = absl::StrCat("epoch|", epoch, "|", forum);
    call->method_name = type;
    const std::string subject = absl::StrCat("forums/", forum, "/epochs/", options_.service);
    RETURN_IF_ERROR(ExecuteAndWait(call, [&, &told = names](Write& write) -> Status {
      ASSIGN_OR_RETURN(const int64_t seq,
                       write.Number("SELECT seq FROM keys WHERE source = $1 AND principal = $2 "
                                    "AND request_id = $3",
                                    {int64_t{kTimer}, call->principal.key(), call->request_id}));
      std::vector<Payload> payloads;
      for (const std::string& receiver : told) {
        ASSIGN_OR_RETURN(
            const int64_t n,
            write.Number("INSERT INTO counters(receiver, aggregate, n) VALUES ($1, $2, 1) "
                         "ON CONFLICT (receiver, aggregate) DO UPDATE SET n = counters.n + 1 "
                         "RETURNING n",
                         {receiver, subject}));
        const int64_t part = static_cast<int64_t>(payloads.size()) + 1;
        payloads.push_back({seq * kPartsPerCommand + part, receiver, subject, type, n, n,
                            write.now(), "", event.SerializeAsString()});
      }
      return InsertPayloads(write.sql(), payloads);
    }));
  }
  return Status();
}

}  // namespace hub::journal
