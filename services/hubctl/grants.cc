#include "services/hubctl/grants.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/hubctl/output.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;

constexpr int kPatienceSeconds = 30;  // a hub that has just been started

struct NewPartner {
  const char* id;
  const char* display_name;
  v1::Partner::Kind kind;
};
constexpr NewPartner kPartners[] = {
    {kCouncil, "Warwickshire County Council", v1::Partner::COUNCIL},
    {kHealthBody, "Coventry and Warwickshire Clinical Commissioning Group", v1::Partner::HEALTH}};

// Sends a command whose request_id follows from what it makes.
template <class Response, class Request>
Status Make(const Client& client, const std::string& what, Request request) {
  request.set_request_id(DerivedId("dev grants|" + what));
  const Status status = client.Call<Response>(request).status();
  const errors::ErrorReason reason = ReasonOf(status);
  const bool there = reason == errors::ALREADY_DONE || reason == errors::RESOURCE_EXISTS;
  return there ? Status() : status;
}

}  // namespace

Status MakeGrants(Options options) {
  if (options.forum.empty()) options.forum = kDevelopmentForum;
  options.as = "operator";
  const Client client(options, kPatienceSeconds);
  const std::string parent = "forums/" + options.forum;

  v1::CreateForumRequest forum;
  forum.set_forum_id(options.forum);
  forum.mutable_forum()->set_name(parent);
  forum.mutable_forum()->set_display_name(
      options.forum == kDevelopmentForum ? "Warwickshire Parent Carer Voice" : options.forum);
  RETURN_IF_ERROR(Make<v1::Forum>(client, parent, forum));

  for (const NewPartner& entry : kPartners) {
    v1::CreatePartnerRequest partner;
    partner.set_parent(parent);
    partner.set_partner_id(entry.id);
    partner.mutable_partner()->set_display_name(entry.display_name);
    partner.mutable_partner()->set_kind(entry.kind);
    RETURN_IF_ERROR(Make<v1::Partner>(client, absl::StrCat(parent, "/", entry.id), partner));
  }

  int made = 0;
  for (const RoleWord& word : RoleWords()) {
    if (word.role == coproduction::options::v1::OPERATOR) continue;  // by its issuer alone
    v1::CreateGrantRequest request;
    request.set_parent(parent);
    v1::Grant* grant = request.mutable_grant();
    grant->set_issuer(IssuerUrl(word.issuer));
    grant->set_subject(word.word);
    grant->set_role(word.role);
    if (!word.partner.empty()) grant->set_partner(parent + "/partners/" + word.partner);
    grant->set_person(DerivedId("person|" + word.word));
    RETURN_IF_ERROR(Make<v1::Grant>(client, absl::StrCat(parent, "|", word.word), request));
    ++made;
  }
  std::cout << parent << ": " << std::size(kPartners) << " partners and " << made
            << " grants are in place\n";
  return Status();
}

}  // namespace hub::ctl
