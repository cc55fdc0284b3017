// What a service does after a restore, on both databases: it tells its epoch outside, asks the
// other services for what they have told, and takes nothing from before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/testing/mini_service.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/scheduling/module.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::hub::v1;
namespace events = ::coproduction::membership::events::v1;
using coproduction::hub::events::v1::EpochRaised;
using coproduction::options::v1::OPERATOR;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kForum;
using testing::MiniService;

constexpr char kOld[] = "1", kNew[] = "1900000000";

// Notes what was done, and in which order.
Status OnRepPaused(Write& write, const events::RepPaused& event, const Envelope& envelope) {
  ASSIGN_OR_RETURN(int64_t before, write.Number("SELECT COUNT(*) FROM overdue_feedback", {}));
  return write.sql()
      .Exec(
          "INSERT INTO overdue_feedback(forum, influence_account, partner, team) "
          "VALUES ($1, $2, $3, $4)",
          {write.forum(), envelope.id, event.rep(), std::to_string(1000 + before)})
      .status();
}

Module Noting() {
  Module module = scheduling::MakeSchedulingModule();
  module.consumers = [](Consumers& consumers) { consumers.On<events::RepPaused>(OnRepPaused); };
  return module;
}

class Epoch : public ::testing::TestWithParam<db::Engine> {
 protected:
  Epoch() : mini_(Noting(), GetParam()) {
    mini_.Answer<v1::ListEventsRequest, v1::ListEventsResponse>(
        [this](const v1::ListEventsRequest& in) -> StatusOr<v1::ListEventsResponse> {
          if (membership_is_away_) return Refuse(errors::TEMPORARILY_UNAVAILABLE, "away");
          v1::ListEventsResponse out;
          for (const auto& event : told_) {
            if (!in.aggregate().empty() &&
                (event.subject() != in.aggregate() || event.sequence() <= in.after_sequence())) {
              continue;
            }
            // A page of one.
            if (!in.page_token().empty() && event.id() <= in.page_token()) continue;
            *out.add_events() = event;
            if (!in.aggregate().empty()) continue;
            out.set_next_page_token(event.id());
            break;
          }
          return out;
        });
  }

  // As membership has it after the restore.
  void Told(const std::string& id, const std::string& rep, int64_t sequence) {
    events::RepPaused body;
    body.set_rep(std::string(kForum) + "/reps/" + rep);
    v1::Event& event = told_.emplace_back();
    event.set_id(id);
    event.set_type(body.GetDescriptor()->full_name());
    event.set_subject(body.rep());
    event.set_version(sequence);
    event.set_sequence(sequence);
    event.set_epoch(kNew);
    event.set_data(body.SerializeAsString());
  }
  // As the stream brings it.
  Status Bring(const std::string& id, const std::string& rep, int64_t sequence,
               const std::string& epoch) {
    events::RepPaused event;
    event.set_rep(std::string(kForum) + "/reps/" + rep);
    return mini_.runtime().Apply(
        {id, event.GetDescriptor()->full_name(), event.rep(), sequence, sequence, epoch, 1},
        event.SerializeAsString());
  }
  void Raise() {
    Status status = mini_.runtime().engine().config().store->WriteAndWait([](db::Conn& conn) {
      return conn.Exec("UPDATE meta SET value = $1 WHERE name = 'epoch'", {std::string(kNew)})
          .status();
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> Done() {
    std::vector<std::string> ids;
    Status status = mini_.runtime().engine().config().store->ReadAndWait([&](db::Conn& conn) {
      ids.clear();
      return conn.Query("SELECT influence_account FROM overdue_feedback ORDER BY team", {},
                        [&](const db::Row& row) {
                          ids.emplace_back(row.Text(0));
                          return Status();
                        });
    });
    EXPECT_TRUE(status.ok()) << status;
    return ids;
  }
  v1::HubStatus Condition() {
    auto status = mini_.Call<v1::HubStatus>(mini_.Token(OPERATOR), v1::GetStatusRequest());
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(v1::HubStatus());
  }

  MiniService mini_;
  std::vector<v1::Event> told_;
  bool membership_is_away_ = false;
};

TEST_P(Epoch, WhatTheStreamCountsAsTakenIsAskedOfItsOwnerOnce) {
  ASSERT_TRUE(Bring("a1", "a", 1, kOld).ok());
  Told("a1", "a", 1);
  Told("a2", "a", 2);
  Told("b1", "b", 1);
  Raise();
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  EXPECT_THAT(Done(), ElementsAre("a1", "a2", "b1"));
  Told("c1", "c", 1);  // whatever is told from now on comes by the stream
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  EXPECT_THAT(Done(), ElementsAre("a1", "a2", "b1"));
}

TEST_P(Epoch, UntilAllHaveBeenAskedTheHubHasNotSettled) {
  Told("a1", "a", 1);
  membership_is_away_ = true;
  Raise();
  EXPECT_FALSE(mini_.runtime().FollowEpoch().ok());
  EXPECT_EQ(Condition().services(0).untaken_events(), -1);
  EXPECT_FALSE(Condition().settled());
  membership_is_away_ = false;
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  EXPECT_EQ(Condition().services(0).untaken_events(), 0);
  EXPECT_THAT(Done(), ElementsAre("a1"));
}

TEST_P(Epoch, WhatWasToldBeforeIsNotTaken) {
  Raise();
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  EXPECT_TRUE(Bring("lost", "a", 1, kOld).ok());  // acknowledged, and that is all
  EXPECT_THAT(Done(), IsEmpty());
  EXPECT_TRUE(Bring("a1", "a", 1, kNew).ok());
  EXPECT_THAT(Done(), ElementsAre("a1"));
}

TEST_P(Epoch, ANumberThatIsToldAnewIsAnotherEvent) {
  ASSERT_TRUE(Bring("a1", "a", 1, kOld).ok());
  ASSERT_TRUE(Bring("lost", "a", 2, kOld).ok());
  Raise();
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  EXPECT_TRUE(Bring("a2", "a", 2, kNew).ok());
  EXPECT_TRUE(Bring("a2", "a", 2, kNew).ok());  // the same again
  Told("a3", "a", 3);
  EXPECT_TRUE(Bring("a4", "a", 4, kNew).ok());  // the gap is filled
  EXPECT_THAT(Done(), ElementsAre("a1", "lost", "a2", "a3", "a4"));
}

TEST_P(Epoch, AGapOverTheRestoreIsFilled) {
  ASSERT_TRUE(Bring("a1", "a", 1, kOld).ok());
  Raise();
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  Told("a2", "a", 2);
  EXPECT_TRUE(Bring("a3", "a", 3, kNew).ok());
  EXPECT_THAT(Done(), ElementsAre("a1", "a2", "a3"));
}

TEST_P(Epoch, WhoIsOutsideIsToldOnce) {
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  const std::string partner = std::string(kForum) + "/partners/wcc";
  EXPECT_THAT(mini_.Published<EpochRaised>(kForum), IsEmpty());
  Raise();
  ASSERT_TRUE(mini_.runtime().FollowEpoch().ok());
  ASSERT_TRUE(mini_.runtime().engine().TellEpoch(kNew).ok());
  for (const std::string& receiver : {std::string(kForum), partner}) {
    const auto told = mini_.Events(receiver);
    ASSERT_EQ(told.size(), 1u) << receiver;
    EXPECT_EQ(told[0].type(), EpochRaised::descriptor()->full_name());
    EXPECT_EQ(told[0].subject(), std::string(kForum) + "/epochs/scheduling");
    EXPECT_EQ(told[0].epoch(), kNew);
    EXPECT_EQ(told[0].sequence(), 1);
  }
  EXPECT_THAT(mini_.Events("services"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, Epoch,
                         ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         [](const auto& info) {
                           return info.param == db::Engine::kSqlite ? "Sqlite" : "Postgres";
                         });

}  // namespace
}  // namespace hub
