// How the demonstration is told: an act is a function of a Turn, done on the day that a column of
// its row names. Whatever it sends has a request_id derived from sheet, row and act, so that it may
// be sent again at any time:
//
//   Status Decline(Turn& turn) {
//     v1::DeclineRequestRequest decline;
//     decline.set_name(turn.Name(turn["Key"]));
//     decline.set_reason(turn["Decline reason"]);
//     return turn.Do(turn.Holder("CHAIR"), decline);
//   }
//   plan.On(row, "Declined on", Step::kRequests, Decline);
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "google/protobuf/message.h"
#include "services/hubctl/demo_book.h"
#include "services/hubctl/demo_player.h"

namespace hub::ctl {

class Turn {
 public:
  Turn(Player* player, const Row& row, const std::string& column)
      : player_(player), row_(row), column_(column) {}

  const Row& row() const { return row_; }
  const std::string& operator[](const std::string& column) const { return row_[column]; }
  const Book& book() const { return player_->book(); }
  const std::string& forum() const { return player_->forum(); }

  // The resource that a key stands for, once it was made.
  std::string Name(const std::string& key) const { return player_->Name(key); }
  void Remember(const std::string& key, const std::string& name) { player_->Remember(key, name); }

  // Sends a command as `who`. `what` tells it from the act's others.
  Status Do(const std::string& who, const google::protobuf::Message& command,
            const std::string& what = "");
  // The same; what it makes is what the row's key, or `key`, stands for.
  Status Make(const std::string& who, const google::protobuf::Message& command);
  Status Make(const std::string& who, const google::protobuf::Message& command,
              const std::string& key);
  // The hub must refuse it by this rule. Tried on its day only: later the hub has moved on.
  Status Refused(const std::string& who, const google::protobuf::Message& command,
                 const std::string& rule);
  template <class Answer, class Request>
  StatusOr<Answer> Read(const std::string& who, const Request& request) {
    ASSIGN_OR_RETURN(const Client* client, player_->As(who));
    StatusOr<Answer> answer = client->Call<Answer>(request);
    if (!answer.ok()) return Told(answer.status(), who);
    return answer;
  }

  // Who speaks: a member with a role of the forum, the first who holds one, an officer in one of
  // his roles, a partner's facilitator, a rep.
  std::string Member(const std::string& key) const;
  std::string Holder(const std::string& forum_role) const;
  std::string Officer(const std::string& key, const std::string& role) const;
  std::string Facilitator(const std::string& partner) const;
  static std::string Rep(const std::string& key) { return "rep:" + key; }

 private:
  Status Send(const std::string& who, const google::protobuf::Message& command,
              const std::string& what, google::protobuf::Message* answer);
  // With the place in the sheets.
  Status Told(const Status& status, const std::string& who) const;

  Player* player_;
  const Row& row_;
  const std::string column_;
};

// Where members join and live feedback is given: the forum's own system.
inline constexpr char kPlatform[] = "membership_platform";

// The order of things on one day (tests/data/README.md).
enum class Step {
  kMembers,
  kReps,
  kSessions,
  kRequests,
  kItems,
  kInvitations,
  kReplies,
  kAllocations,
  kPreps,
  kAgendas,
  kHeld,
  kRecords,
  kFurtherInvolvement,
  kFeedback,
  kLiveFeedback,
  kMoney
};

// What is to be done, by day, step and the order in which it was planned.
class Plan {
 public:
  struct Act {
    std::string day;
    Step step;
    const Row* row;
    std::string column;
    Status (*deed)(Turn&);
  };

  // What happened before `first_day` is entered on it.
  Plan(const Book& book, const std::string& first_day) : book_(book), first_day_(first_day) {}

  const Book& book() const { return book_; }
  // Nothing where the cell is empty.
  void On(const Row& row, const std::string& column, Step step, Status (*deed)(Turn&));
  StatusOr<std::vector<Act>> InOrder();

 private:
  const Book& book_;
  const std::string first_day_;
  std::vector<Act> acts_;
  std::vector<Complaint> complaints_;
};

// By subject: which columns are acts, and what is done.
void PlanMembership(Plan* plan);
void PlanSessions(Plan* plan);
void PlanRequests(Plan* plan);
void PlanRecords(Plan* plan);
void PlanLiveFeedback(Plan* plan);
void PlanMoney(Plan* plan);

}  // namespace hub::ctl
