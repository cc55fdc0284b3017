#include "services/hubctl/demo_player.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/schema/schema.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/hubctl/grants.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::hub::v1;
namespace options = ::coproduction::options::v1;
using google::protobuf::Message;

constexpr char kOperator[] = "operator";
constexpr int kPatienceSeconds = 60;
constexpr Micros kMicrosASecond = 1000000;

void SetText(Message* message, const std::string& field, const std::string& text) {
  const auto* found = message->GetDescriptor()->FindFieldByName(field);
  if (found != nullptr) message->GetReflection()->SetString(message, found, text);
}

std::string WhatWaits(const v1::HubStatus& status) {
  std::vector<std::string> parts;
  for (const auto& service : status.services()) {
    parts.push_back(absl::StrCat(service.service(), ": ", service.unsent_events(), " unsent, ",
                                 service.untaken_events(), " untaken, ", service.due_timers(),
                                 " timers due, ", service.dead_letters(), " given up"));
  }
  return absl::StrJoin(parts, "; ");
}

bool HasGivenUp(const v1::HubStatus& status) {
  return std::any_of(status.services().begin(), status.services().end(),
                     [](const auto& service) { return service.dead_letters() > 0; });
}

}  // namespace

Status Player::Begin(const std::string& day) {
  const Status set = SetDate(day);
  // Refused where the demonstration has begun: time goes one way.
  if (!set.ok() && ReasonOf(set) != errors::INVALID_FIELD) return set;
  ASSIGN_OR_RETURN(const v1::HubStatus status, GetStatus());
  hub_date_ = status.date();
  day_ = day;
  return MakeGrants(options_);
}

Status Player::MoveTo(const std::string& day) {
  day_ = day;
  if (day <= hub_date_) return Status();
  RETURN_IF_ERROR(Settle());
  RETURN_IF_ERROR(SetDate(day));
  hub_date_ = day;
  return Status();
}

Status Player::SetDate(const std::string& day) {
  ASSIGN_OR_RETURN(const Client* client, As(kOperator));
  v1::SetDateRequest request;
  request.set_date(day);
  return client->CallEach<v1::HubStatus>(request).status();
}

StatusOr<v1::HubStatus> Player::GetStatus() {
  ASSIGN_OR_RETURN(const Client* client, As(kOperator));
  ASSIGN_OR_RETURN(const auto each, client->CallEach<v1::HubStatus>(v1::GetStatusRequest()));
  v1::HubStatus all;
  for (const v1::HubStatus& one : each) all.MergeFrom(one);
  all.set_settled(std::all_of(each.begin(), each.end(), [](const auto& s) { return s.settled(); }));
  return all;
}

Status Player::Settle() {
  const Micros until = MachineNow() + kPatienceSeconds * kMicrosASecond;
  std::string before;
  for (auto pause = std::chrono::milliseconds(1);;) {
    ASSIGN_OR_RETURN(const v1::HubStatus status, GetStatus());
    if (HasGivenUp(status)) {
      return Refuse(errors::INTERNAL_FAULT,
                    "a service could not take an event and gave it up, so the half year cannot go "
                    "on; the hub's log says which (" +
                        WhatWaits(status) + ")");
    }
    // Of several processes, what one had taken when it was asked may have been told to another that
    // had been asked before. If nothing has happened since all were asked, all had settled.
    const std::string now = status.SerializeAsString();
    if (status.settled() && (servers_->each().size() == 1 || now == before)) return Status();
    before = now;
    if (MachineNow() >= until) {
      return Refuse(
          errors::TEMPORARILY_UNAVAILABLE,
          absl::StrCat("on ", hub_date_, " the hub has not settled within ", kPatienceSeconds,
                       " seconds; see whether its broker runs, then "
                       "play again (",
                       WhatWaits(status), ")"));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(20));
  }
}

StatusOr<const Client*> Player::As(const std::string& who) {
  std::unique_ptr<Client>& client = clients_[who];
  if (client != nullptr) return client.get();
  Options options = options_;
  options.as = who;
  const size_t colon = who.find(':');
  if (colon != std::string::npos) {
    for (const RoleWord& word : RoleWords()) {
      if (word.word != who.substr(0, colon)) continue;
      RETURN_IF_ERROR(Grant(who, who.substr(colon + 1), word));
    }
  }
  client = std::make_unique<Client>(servers_, Kept(TokensOf(options)), kPatienceSeconds);
  return client.get();
}

// The human behind a member's or rep's grant is the member.
Status Player::Grant(const std::string& who, const std::string& key, const RoleWord& word) {
  coproduction::membership::v1::CreateGrantRequest request;
  request.set_parent(forum_);
  auto* grant = request.mutable_grant();
  grant->set_issuer(IssuerUrl(word.issuer));
  grant->set_subject(who);
  grant->set_role(word.role);
  if (!word.partner.empty()) grant->set_partner(forum_ + "/partners/" + word.partner);
  const auto human = names_.find(key);
  grant->set_person(human == names_.end() ? DerivedId("person|" + key)
                                          : human->second.substr(human->second.rfind('/') + 1));
  coproduction::membership::v1::Grant made;
  return Send(GranterOf(word), DerivedId("demo|grant|" + who), request, &made);
}

// The operator gives each side its first; the sides then give their own.
std::string Player::GranterOf(const RoleWord& word) const {
  if (word.role == options::REP) return HolderOf(book_, "CHAIR");
  if (word.partner == kCouncil && word.role != options::PARTICIPATION_LEAD) {
    return OfficerOf(book_, kCouncil, "PARTICIPATION_LEAD");
  }
  return kOperator;
}

Status Player::Send(const std::string& who, const std::string& request_id, const Message& command,
                    Message* answer) {
  ASSIGN_OR_RETURN(const Client* client, As(who));
  const std::unique_ptr<Message> request(command.New());
  request->CopyFrom(command);
  SetText(request.get(), "request_id", request_id);
  ++calls_;
  const Status status =
      client->Call(schema::MethodOfRequest(command.GetDescriptor())->path, *request, answer);
  if (ReasonOf(status) != errors::ALREADY_DONE) return status;
  const errors::ErrorInfo info = ErrorInfoOf(status);
  const auto resource = info.metadata().find("resource");
  SetText(answer, "name", resource == info.metadata().end() ? "" : resource->second);
  return Status();
}

std::string Player::Name(const std::string& key) const {
  const auto name = names_.find(key);
  return name == names_.end() ? forum_ + "/not-yet/" + key : name->second;
}

std::string HolderOf(const Book& book, const std::string& forum_role) {
  for (const Row& member : book.rows("members")) {
    if (member["Forum role"] == forum_role) return WordOf(forum_role, "") + ":" + member["Key"];
  }
  return WordOf(forum_role, "");
}

std::string OfficerOf(const Book& book, const std::string& partner, const std::string& role) {
  for (const Row& officer : book.rows("officers")) {
    const std::vector<std::string> roles = ListOf(officer["Roles"]);
    if (book.row("partners", officer["Partner"])["Id"] == partner &&
        std::count(roles.begin(), roles.end(), role) > 0) {
      return WordOf(role, partner) + ":" + officer["Key"];
    }
  }
  return WordOf(role, partner);
}

std::string WordOf(const std::string& role, const std::string& partner) {
  for (const RoleWord& word : RoleWords()) {
    if (options::Role_Name(word.role) == role && word.partner == partner) return word.word;
  }
  return role;
}

}  // namespace hub::ctl
