#include "services/hubctl/grants.h"

#include <chrono>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "coproduction/membership/v1/sharing.pb.h"
#include "services/hubctl/output.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
namespace hub_v1 = ::coproduction::hub::v1;

constexpr int kPatienceSeconds = 30;  // a hub that has just been started

struct NewPartner {
  const char* id;
  const char* display_name;
  v1::Partner::Kind kind;
};
constexpr NewPartner kPartners[] = {
    {kCouncil, "Warwickshire County Council", v1::Partner::COUNCIL},
    {kHealthBody, "Coventry and Warwickshire Clinical Commissioning Group", v1::Partner::HEALTH}};

// What the two of them agreed to share, one entry for each data item, so that each may end by
// itself.
struct NewEntry {
  const char* data;
  const char* clause;
  const char* purpose;
};
constexpr NewEntry kEntries[] = {
    {"hub-work", "3.1", "To bring requests to the forum and to plan, hold and prepare sessions."},
    {"attendance", "3.2", "To know by name who attended the items that the partner brought."},
    {"records", "3.3", "To agree the record of an item and to answer what changed because of it."},
    {"funding", "3.4", "To see what the partner's own contributions pay for."},
    {"publication", "3.5",
     "To read what the forum publishes and the figures of both sides' work."}};

// Sends a command whose request_id follows from what it makes.
template <class Response, class Request>
Status Make(const Client& client, const std::string& what, Request request) {
  request.set_request_id(DerivedId("dev grants|" + what));
  const Status status = client.Call<Response>(request).status();
  const errors::ErrorReason reason = ReasonOf(status);
  const bool there = reason == errors::ALREADY_DONE || reason == errors::RESOURCE_EXISTS;
  return there ? Status() : status;
}

// By the chair; then until every service knows it.
Status MakeAgreement(Options options, const Client& as_operator, const std::string& parent) {
  options.as = "chair";
  const Client client(options, kPatienceSeconds);
  for (const NewPartner& partner : kPartners) {
    for (const NewEntry& entry : kEntries) {
      v1::CreateSharingEntryRequest request;
      request.set_parent(parent);
      request.set_sharing_entry_id(absl::StrCat(partner.id, "-", entry.data));
      v1::SharingEntry* made = request.mutable_sharing_entry();
      made->set_partner(absl::StrCat(parent, "/partners/", partner.id));
      made->set_clause(entry.clause);
      made->set_purpose(entry.purpose);
      made->add_data(entry.data);
      RETURN_IF_ERROR(Make<v1::SharingEntry>(
          client, absl::StrCat(parent, "|sharing|", request.sharing_entry_id()), request));
    }
  }
  const Micros until = MachineNow() + kPatienceSeconds * 1000000ll;
  std::string before;
  while (true) {
    ASSIGN_OR_RETURN(const auto each,
                     as_operator.CallEach<hub_v1::HubStatus>(hub_v1::GetStatusRequest()));
    std::string now;
    bool settled = true;
    for (const auto& one : each) {
      now += one.SerializeAsString();
      settled &= one.settled();
    }
    // Of several processes the first may have been told something after it was asked.
    if (settled && (each.size() == 1 || now == before)) return Status();
    before = now;
    if (MachineNow() >= until) {
      return Refuse(
          errors::TEMPORARILY_UNAVAILABLE,
          absl::StrCat("not all services know the sharing agreement after ", kPatienceSeconds,
                       " seconds; see whether the hub's broker runs, "
                       "then try again"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
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
  RETURN_IF_ERROR(MakeAgreement(options, client, parent));
  std::cout << parent << ": " << std::size(kPartners) << " partners, " << made
            << " grants and the sharing agreement are in place\n";
  return Status();
}

}  // namespace hub::ctl
