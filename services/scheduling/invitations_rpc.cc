#include "common/rpc/door.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "services/scheduling/allocations_rules.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {

namespace events = ::coproduction::scheduling::events::v1;
using v1::Invitation;
using v1::Session;

using coproduction::membership::v1::CheckAllocationResponse;

static StatusOr<CheckAllocationResponse> AskInviteRep(Ask& ask, const v1::InviteRepRequest& in) {
  coproduction::membership::v1::CheckAllocationRequest check;
  check.set_parent(in.parent());
  check.set_rep(in.rep());
  return ask.Call<CheckAllocationResponse>(check);
}

static StatusOr<Invitation> InviteRep(Write& write, const v1::InviteRepRequest& in,
                                      const CheckAllocationResponse& word) {
  RETURN_IF_ERROR(MayBeInvited(word));
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(in.session()));
  RETURN_IF_ERROR(MustBeOpen(session));
  Invitation invitation;
  invitation.set_rep(in.rep());
  invitation.set_session(in.session());
  ASSIGN_OR_RETURN(invitation, write.Create(std::move(invitation)));
  write.Emit<events::RepInvited>(invitation);
  return invitation;
}

static StatusOr<Invitation> ReplyToInvitation(Write& write,
                                              const v1::ReplyToInvitationRequest& in) {
  ASSIGN_OR_RETURN(Invitation invitation, write.Get<Invitation>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(invitation.session()));
  RETURN_IF_ERROR(MustBeOpen(session));
  invitation.set_reply(in.reply());
  invitation.set_own_reply(write.person() == IdOf(invitation.rep()));
  write.Emit<events::RepReplied>(invitation);
  return write.Put(std::move(invitation));
}

void BindInvitations(Door& door) {
  const char service[] = "coproduction.scheduling.v1.Invitations";
  door.Bind(service, "InviteRep", AskInviteRep, InviteRep);
  door.Bind(service, "ReplyToInvitation", ReplyToInvitation);
}

}  // namespace hub::scheduling
