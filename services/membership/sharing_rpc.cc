// The sharing agreement. Membership owns it, as it owns the partners and who may do what; the
// engine of every service goes by its events (common/journal/sharing.h).
#include "services/membership/sharing_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/membership/sharing_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::hub::events::v1;

constexpr char kSharingEntries[] = "coproduction.membership.v1.SharingEntries";

StatusOr<v1::SharingEntry> CreateSharingEntry(Write& write,
                                              const v1::CreateSharingEntryRequest& in) {
  v1::SharingEntry entry = in.sharing_entry();
  if (entry.from_on().empty()) entry.set_from_on(write.today());
  RETURN_IF_ERROR(CheckSharing(entry, schema::DataItems(), write.today()));
  ASSIGN_OR_RETURN(auto partner, write.Find<v1::Partner>(entry.partner()));
  if (!partner) {
    return InvalidField("sharing_entry.partner", "there is no partner '" + entry.partner() + "'");
  }
  entry.set_state(v1::SharingEntry::AGREED);
  ASSIGN_OR_RETURN(entry, write.Create(std::move(entry), in.sharing_entry_id()));
  *write.Emit<events::SharingAgreed>(entry).mutable_data() = entry.data();
  return entry;
}

StatusOr<v1::SharingEntry> End(Write& write, v1::SharingEntry entry) {
  if (entry.ends_on() > write.today()) {
    *write.Emit<events::SharingAgreed>(entry).mutable_data() = entry.data();
  } else {
    entry.set_state(v1::SharingEntry::ENDED);
    *write.Emit<events::SharingEnded>(entry).mutable_data() = entry.data();
  }
  return write.Put(std::move(entry));
}

StatusOr<v1::SharingEntry> EndSharingEntry(Write& write, const v1::EndSharingEntryRequest& in) {
  ASSIGN_OR_RETURN(auto entry, write.Get<v1::SharingEntry>(in.name(), in.etag()));
  const std::string ends_on = DateOr(in.ends_on(), write.today());
  if (!in.ends_on().empty()) RETURN_IF_ERROR(CheckSharingEnd(entry, ends_on, write.today()));
  entry.set_ends_on(ends_on);
  return End(write, std::move(entry));
}

}  // namespace

Status TellSharingEnded(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto entry, write.Get<v1::SharingEntry>(resource));
  return End(write, std::move(entry)).status();
}

void BindSharing(Door& door) {
  door.Bind(kSharingEntries, "CreateSharingEntry", CreateSharingEntry);
  door.Bind(kSharingEntries, "EndSharingEntry", EndSharingEntry);
}

}  // namespace hub::membership
