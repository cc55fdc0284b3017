// What membership does when scheduling gives a rep a place, and when time has passed.
#include "common/events/consumers.h"

#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/conflicts.h"
#include "services/membership/declarations_rpc.h"
#include "services/membership/documents_rules.h"
#include "services/membership/duplicates_rpc.h"
#include "services/membership/groups_rpc.h"
#include "services/membership/members_rpc.h"
#include "services/membership/national.h"
#include "services/membership/papers.h"
#include "services/membership/publications.h"
#include "services/membership/recusals_rpc.h"
#include "services/membership/rights_rpc.h"
#include "services/membership/sharing_rpc.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
namespace scheduling = ::coproduction::scheduling::events::v1;

// The rep is locked first, so that no declaration or recusal comes between.
Status OnRepAllocated(Write& write, const scheduling::RepAllocated& place, const Envelope&) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(place.rep()));
  RETURN_IF_ERROR(KeepPlace(write, place));
  return TellConflicts(write, rep.name());
}

Status LapseStanding(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(resource));
  ASSIGN_OR_RETURN(const std::string missing, Missing(write, rep));
  if (missing.empty() || !rep.standing_lapsed_on().empty()) return Status();
  rep.set_standing_lapsed_on(write.today());
  write.Emit<events::GoodStandingLapsed>(rep);
  return write.Put(std::move(rep)).status();
}

Status RemindOfDocuments(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(resource));
  ASSIGN_OR_RETURN(const auto papers, PapersOf(write, rep.name()));
  rep.set_reminded_on(write.today());
  auto& due = write.Emit<events::AcceptanceDue>(rep);
  for (const auto& document : NotAccepted(papers.documents, papers.acceptances)) {
    if (document.remind_on() > write.today()) continue;
    due.add_documents(document.name());
    if (due.required_from().empty() || document.required_from() < due.required_from()) {
      due.set_required_from(document.required_from());
    }
  }
  return write.Put(std::move(rep)).status();
}

}  // namespace

void BindConsumers(Consumers& consumers) {
  consumers.On<scheduling::RepAllocated>(OnRepAllocated);
  consumers.OnDue("GoodStandingLapsed", LapseStanding);
  consumers.OnDue("AcceptanceDue", RemindOfDocuments);
  consumers.OnDue("SharingEnded", TellSharingEnded);
  consumers.OnDue("RightsDueSoon", TellRightsDueSoon);
  consumers.OnDue("RightsOverdue", TellRightsOverdue);
  consumers.OnDue("FiguresDue", PublishFigures);
  consumers.OnDue("NationalFiguresDue", PublishNationalFigures);
  consumers.OnDue("DeclarationDue", TellDeclarationDue);
  consumers.OnDue("RecusalEnded", TellRecusalEnded);
  consumers.OnDue("GroupMembershipEnds", EndGroupMembership);
  consumers.OnDue("GroupCheckDue", CheckGroup);
  consumers.OnDue("ApplicationLapsed", LapseApplication);
  consumers.OnDue("MergeFinal", MakeMergeFinal);
  consumers.OnDue("RetentionEnded", EndRetention);
}

}  // namespace hub::membership
