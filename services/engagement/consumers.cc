// What engagement does when scheduling says that an item was presented, and when time has passed.
#include "common/events/consumers.h"

#include "coproduction/engagement/events/v1/influence.pb.h"
#include "coproduction/scheduling/events/v1/items.pb.h"
#include "services/engagement/influence_rules.h"
#include "services/engagement/records_rpc.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;

// From now on a record and influence feedback are owed, both under the item's id.
static Status OnItemPresented(Write& write,
                              const coproduction::scheduling::events::v1::ItemPresented& item,
                              const Envelope&) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::EngagementSettings>());
  const std::string id = IdOf(item.item());
  RETURN_IF_ERROR(write.Create(NewRecord(item, settings), id).status());
  ASSIGN_OR_RETURN(auto account, write.Create(NewAccount(item, settings), id));
  write.Emit<events::InfluenceFeedbackDue>(account);
  return Status();
}

// Sealed as of the day that was announced, however late the timer runs.
static Status SealSilent(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto record, write.Get<v1::Record>(resource));
  if (!IsSilent(record, write.today())) return Status();
  record.set_not_disputed(true);
  const std::string seals_on = record.seals_on();
  return Seal(write, std::move(record), seals_on).status();
}

static Status TellOverdue(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto account, write.Get<v1::InfluenceAccount>(resource));
  if (!IsOverdue(account, write.today())) return Status();
  account.set_overdue_told(true);
  write.Emit<events::InfluenceFeedbackOverdue>(account);
  return write.Put(std::move(account)).status();
}

void BindConsumers(Consumers& consumers) {
  consumers.On<coproduction::scheduling::events::v1::ItemPresented>(OnItemPresented);
  consumers.OnDue("RecordSilence", SealSilent);
  consumers.OnDue("InfluenceFeedbackOverdue", TellOverdue);
}

}  // namespace hub::engagement
