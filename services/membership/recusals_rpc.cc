// Recusals: from which matters a rep steps back.
#include "services/membership/recusals_rpc.h"

#include <utility>

#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/membership/conflicts.h"
#include "services/membership/recusals_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using v1::Recusal;
constexpr char kRecusals[] = "coproduction.membership.v1.Recusals";

StatusOr<Recusal> MakeRecusal(Write& write, const v1::MakeRecusalRequest& in) {
  Recusal recusal = in.recusal();
  RETURN_IF_ERROR(CheckRecusal(recusal, write.today()));
  RETURN_IF_ERROR(write.Get<v1::Rep>(recusal.rep()).status());
  recusal.set_state(Recusal::ACTIVE);
  recusal.set_made_on(write.today());
  ASSIGN_OR_RETURN(recusal, write.Create(std::move(recusal)));
  write.Emit<events::RecusalMade>(recusal);
  RETURN_IF_ERROR(TellConflicts(write, recusal.rep()));
  return recusal;
}

StatusOr<Recusal> End(Write& write, Recusal recusal) {
  recusal.set_state(Recusal::ENDED);
  write.Emit<events::RecusalEnded>(recusal);
  return write.Put(std::move(recusal));
}

StatusOr<Recusal> EndRecusal(Write& write, const v1::EndRecusalRequest& in) {
  ASSIGN_OR_RETURN(auto recusal, write.Get<Recusal>(in.name(), in.etag()));
  recusal.set_ends_on(write.today());
  return End(write, std::move(recusal));
}

}  // namespace

Status TellRecusalEnded(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto recusal, write.Get<Recusal>(resource));
  if (recusal.state() != Recusal::ACTIVE) return Status();
  return End(write, std::move(recusal)).status();
}

void BindRecusals(Door& door) {
  door.Bind(kRecusals, "MakeRecusal", MakeRecusal);
  door.Bind(kRecusals, "EndRecusal", EndRecusal);
}

}  // namespace hub::membership
