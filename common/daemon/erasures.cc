// Persons who are erased: the runtime's part, after their rows (common/journal/person.h). Keys and
// files follow, and the word to membership; and whom a restored backup brings back is erased anew.
#include <set>
#include <utility>
#include <vector>

#include "common/base/id.h"
#include "common/daemon/runtime.h"
#include "common/journal/person.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/hub/v1/people.pb.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::hub::v1;
using coproduction::hub::events::v1::MemberErased;

// The word for a service in the list of erasures, where the person is meant and not a key.
constexpr char kWholePerson[] = "person";

}  // namespace

Status Runtime::EraseListed() {
  std::set<std::string> known;
  RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) {
    known.clear();
    return conn.Query("SELECT person FROM erasures", {}, [&](const db::Row& row) {
      known.emplace(row.Text(0));
      return Status();
    });
  }));
  ASSIGN_OR_RETURN(const auto erasures, options_.keys->Erasures());
  for (const auto& erasure : erasures) {
    if (erasure.service != kWholePerson || !known.insert(erasure.person).second) continue;
    const std::string id = "erased|" + erasure.person;
    auto call = InsideCall(journal::kTimer, "", id, MemberErased::descriptor()->full_name(), id);
    RETURN_IF_ERROR(engine_->ExecuteAndWait(call, [&](Write& write) {
      return journal::ErasePerson(write, module_.name, erasure.person, "");
    }));
  }
  return Status();
}

Status Runtime::FinishErasures() {
  std::vector<Erasing> left;
  RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) {
    left.clear();
    return conn.Query("SELECT person, request, confirmation, step FROM erasures WHERE step < 2", {},
                      [&](const db::Row& row) {
                        left.push_back({std::string(row.Text(0)), std::string(row.Text(1)),
                                        std::string(row.Blob(2)), row.Int(3)});
                        return Status();
                      });
  }));
  // Membership may be away; no other's keys wait for that.
  Status failure;
  for (const Erasing& erasing : left) {
    Status status;
    if (erasing.step == 0) status = DestroyKeys(erasing);
    if (status.ok()) status = ConfirmErasure(erasing);
    if (failure.ok()) failure = status;
  }
  return failure;
}

Status Runtime::DestroyKeys(const Erasing& erasing) {
  ASSIGN_OR_RETURN(const auto erasures, options_.keys->Erasures());
  std::set<std::pair<std::string, std::string>> done;
  for (const auto& erasure : erasures) done.insert({erasure.service, erasure.person});
  for (const std::string& what : {module_.name, std::string(kWholePerson)}) {
    if (done.count({what, erasing.person}) > 0) continue;
    RETURN_IF_ERROR(options_.keys->EraseSubjectKey(what, erasing.person));
  }
  RETURN_IF_ERROR(engine_->Scrub());
  return KeepErasureStep(erasing, 1);
}

Status Runtime::ConfirmErasure(const Erasing& erasing) {
  if (!erasing.request.empty()) {
    v1::ConfirmErasureRequest word;
    word.set_parent("forums/" + ForumOf(erasing.request));
    word.set_rights_request(erasing.request);
    word.mutable_confirmation()->ParseFromString(erasing.confirmation);
    word.set_request_id(NewRandomId());  // a command each time: what it does, it does once
    v1::ConfirmErasureResponse heard;
    ASSIGN_OR_RETURN(std::string token, options_.authenticator->InsideToken(
                                            module_.name, auth::ServicePrincipal(module_.name)));
    RETURN_IF_ERROR(
        options_.peers->CallService("membership", token, MachineNow() + 10'000'000, word, &heard));
  }
  return KeepErasureStep(erasing, 2);
}

Status Runtime::KeepErasureStep(const Erasing& erasing, int64_t step) {
  return store_->WriteAndWait([&](db::Conn& conn) {
    return conn
        .Exec("UPDATE erasures SET step = $1 WHERE person = $2 AND request = $3",
              {step, erasing.person, erasing.request})
        .status();
  });
}

}  // namespace hub
