// The demonstration's way to the hub: it moves the hub's date, gives everyone who speaks a grant
// and a token, and knows what the keys of the sheets became.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/base/status.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "google/protobuf/message.h"
#include "services/hubctl/call.h"
#include "services/hubctl/demo_book.h"
#include "services/hubctl/token.h"

namespace hub::ctl {

class Player {
 public:
  Player(const Book& book, const Options& options)
      : book_(book),
        options_(options),
        servers_(std::make_shared<Servers>(options.server)),
        forum_("forums/" + options.forum) {}

  // A new demonstration begins on `day`; one that has begun goes on at its date.
  Status Begin(const std::string& day);
  // Settles, then moves the hub's date. Nothing where the hub is at `day` or past it.
  Status MoveTo(const std::string& day);
  // Waits until every service has taken what was told so far.
  Status Settle();
  // The hub's date is the day that is played, not past it.
  bool live() const { return day_ == hub_date_; }

  // The client of who speaks: 'chair:M001' by a grant of its own, made now where it is the first
  // time; 'operator' by the issuer alone, 'membership_platform' by the grant of `dev grants`.
  StatusOr<const Client*> As(const std::string& who);
  // A command that was done before has the answer of then, or of it the name alone.
  Status Send(const std::string& who, const std::string& request_id,
              const google::protobuf::Message& command, google::protobuf::Message* answer);

  const Book& book() const { return book_; }
  const std::string& forum() const { return forum_; }
  std::string Name(const std::string& key) const;
  void Remember(const std::string& key, const std::string& name) { names_[key] = name; }
  int calls() const { return calls_; }

 private:
  // Every process has a clock of its own to set, and its own to say about what waits.
  Status SetDate(const std::string& day);
  StatusOr<coproduction::hub::v1::HubStatus> GetStatus();
  Status Grant(const std::string& who, const std::string& key, const RoleWord& word);
  std::string GranterOf(const RoleWord& word) const;

  const Book& book_;
  const Options options_;
  const std::shared_ptr<const Servers> servers_;
  const std::string forum_;
  std::string day_, hub_date_;
  std::map<std::string, std::unique_ptr<Client>> clients_;
  std::map<std::string, std::string> names_;
  int calls_ = 0;
};

// Who holds a role of the forum, as 'chair:M001', and which officer of a partner has one of its
// roles, as 'facilitator:O01'.
std::string HolderOf(const Book& book, const std::string& forum_role);
std::string OfficerOf(const Book& book, const std::string& partner, const std::string& role);
// The word for a role on a side: 'health_requestor'. `partner` is an id.
std::string WordOf(const std::string& role, const std::string& partner);

}  // namespace hub::ctl
