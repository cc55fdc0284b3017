#include "services/hubctl/export.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/ascii.h"
#include "coproduction/membership/v1/members.pb.h"
#include "google/protobuf/struct.pb.h"
#include "services/hubctl/import.h"
#include "services/hubctl/output.h"
#include "services/hubctl/sheets_writer.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
// Neither who is gone, nor who is somebody else's second entry or has not confirmed.
bool IsKept(const v1::Member& member) {
  return member.state() == v1::Member::ACTIVE || member.state() == v1::Member::LEFT;
}

StatusOr<v1::Consent::Purpose> PurposeOf(const std::string& word) {
  v1::Consent::Purpose purpose = v1::Consent::PURPOSE_UNSPECIFIED;
  if (word.empty()) return purpose;
  if (!v1::Consent::Purpose_Parse(absl::AsciiStrToUpper(word), &purpose) ||
      purpose == v1::Consent::PURPOSE_UNSPECIFIED || purpose == v1::Consent::FIRST_NAME) {
    return UsageError("--for is '" + word + "'; it is one of news, invitations, surveys");
  }
  return purpose;
}

}  // namespace

bool MayBeContacted(const v1::Member& member, v1::Consent::Purpose purpose) {
  if (member.state() != v1::Member::ACTIVE || member.has_restriction()) return false;
  const auto objected = [&](const auto& one) { return one.purpose() == purpose; };
  const auto agreed = [&](const auto& one) { return one.purpose() == purpose && one.given(); };
  return std::none_of(member.objections().begin(), member.objections().end(), objected) &&
         std::any_of(member.consents().begin(), member.consents().end(), agreed);
}

Status ExportMembers(const std::string& path, const std::string& contact_for,
                     const Options& options) {
  v1::ListMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), ForumFor("export", options));
  ASSIGN_OR_RETURN(const v1::Consent::Purpose purpose, PurposeOf(contact_for));
  const Client client(options);
  std::vector<bool> days;
  for (const std::string& title : MemberTitles()) days.push_back(IsDay(title));
  ASSIGN_OR_RETURN(const auto sheet, SheetWriter::Open(path, MemberTitles(), days));
  int written = 0, only_stored = 0;
  const auto write = [&](const v1::ListMembersResponse& page) -> Status {
    for (const v1::Member& member : page.members()) {
      if (!IsKept(member)) continue;
      if (member.has_restriction()) {
        ++only_stored;
        continue;
      }
      if (!contact_for.empty() && !MayBeContacted(member, purpose)) continue;
      RETURN_IF_ERROR(sheet->Add(CellsOf(member)));
      ++written;
    }
    return Status();
  };
  RETURN_IF_ERROR(EachPage<v1::ListMembersResponse>(client, request, write));
  RETURN_IF_ERROR(sheet->Close());
  if (!WantsJson(options.format)) {
    std::cout << path << ": " << written << " members";
    if (only_stored > 0) {
      std::cout << "; " << only_stored << " left out, whose data may only be stored";
    }
    std::cout << "\n";
    return Status();
  }
  google::protobuf::Struct told;
  (*told.mutable_fields())["members"].set_number_value(written);
  (*told.mutable_fields())["only_stored"].set_number_value(only_stored);
  std::cout << AsJson(told);
  return Status();
}

}  // namespace hub::ctl
