// The versioned documents that reps accept.
#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/documents_rules.h"
#include "services/membership/papers.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
constexpr char kDocuments[] = "coproduction.membership.v1.Documents";

StatusOr<v1::Document> PublishDocument(Write& write, const v1::PublishDocumentRequest& in) {
  v1::Document document = in.document();
  ASSIGN_OR_RETURN(int64_t last,
                   write.Number("SELECT MAX(number) FROM documents WHERE forum = $1 AND kind = $2",
                                {write.forum(), v1::Document::Kind_Name(document.kind())}));
  document.set_number(static_cast<int32_t>(last + 1));
  document.set_text_hash(Hex(privacy::Sha256(document.text())));
  document.set_published_on(write.today());
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  SetDays(&document, settings);
  return write.Create(std::move(document));
}

StatusOr<v1::Acceptance> AcceptDocument(Write& write, const v1::AcceptDocumentRequest& in) {
  ASSIGN_OR_RETURN(auto document, write.Get<v1::Document>(in.name()));
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.rep()));
  if (in.text_hash() != document.text_hash()) {
    return RuleRefused("accept_what_was_read",
                       "text_hash is not that of this version; read it again, then accept it");
  }
  v1::Acceptance acceptance;
  acceptance.set_rep(rep.name());
  acceptance.set_document(document.name());
  acceptance.set_accepted_on(write.today());
  ASSIGN_OR_RETURN(acceptance, write.Create(std::move(acceptance)));
  write.Emit<events::CodeAccepted>(acceptance);
  RETURN_IF_ERROR(RegainStanding(write, rep.name()));
  return acceptance;
}

StatusOr<v1::FindMissingAcceptancesResponse> FindMissingAcceptances(
    Read& read, const v1::FindMissingAcceptancesRequest& in) {
  ASSIGN_OR_RETURN(const auto document, read.Get<v1::Document>(in.name()));
  ASSIGN_OR_RETURN(
      const auto reps,
      read.Select<v1::Rep>("state IN ('IN_INDUCTION', 'ACTIVE', 'PAUSED') AND id NOT IN (SELECT "
                           "rep_id FROM acceptances WHERE forum = $1 AND document_id = $2) "
                           "ORDER BY id",
                           {IdOf(document.name())}));
  v1::FindMissingAcceptancesResponse out;
  for (const auto& rep : reps) out.add_reps(rep.name());
  return out;
}

}  // namespace

void BindDocuments(Door& door) {
  door.Bind(kDocuments, "PublishDocument", PublishDocument);
  door.Bind(kDocuments, "AcceptDocument", AcceptDocument);
  door.Bind(kDocuments, "FindMissingAcceptances", FindMissingAcceptances);
}

}  // namespace hub::membership
