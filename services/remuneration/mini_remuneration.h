// The remuneration service for handler tests, on both databases: a forum's people and the facts
// that other services would tell.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "common/testing/mini_service.h"
#include "coproduction/engagement/events/v1/attendances.pb.h"
#include "coproduction/remuneration/v1/claims.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/entitlements.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/remuneration/v1/rates.pb.h"
#include "coproduction/remuneration/v1/transfers.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "coproduction/scheduling/events/v1/sessions.pb.h"
#include "services/remuneration/module.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;
using Activity = ::coproduction::scheduling::v1::Activity;
namespace options = ::coproduction::options::v1;

inline const char kForum[] = "forums/warwickshire";
inline const char kWcc[] = "forums/warwickshire/partners/wcc";
// Invented people: two reps who claim, the officers who decide.
inline const char kAnn[] = "11111111-1111-7111-8111-111111111111";
inline const char kBob[] = "22222222-2222-7222-8222-222222222222";
inline const char kCat[] = "33333333-3333-7333-8333-333333333333";
inline const char kDan[] = "44444444-4444-7444-8444-444444444444";

inline std::string RepOf(const std::string& person) {
  return std::string(kForum) + "/reps/" + person;
}
inline std::string SessionOf(const std::string& id) {
  return std::string(kForum) + "/sessions/" + id;
}

class MiniRemuneration : public ::testing::TestWithParam<db::Engine> {
 protected:
  MiniRemuneration()
      : mini_(MakeRemunerationModule(), GetParam()),
        ann_(mini_.Token(options::REP, kAnn)),
        bob_(mini_.Token(options::REP, kBob)),
        chair_(mini_.Token(options::CHAIR, kCat)),
        treasurer_(mini_.Token(options::TREASURER, kDan)),
        facilitator_(mini_.Token(options::FACILITATOR)),
        scheduling_(mini_.ServiceToken("scheduling")) {
    mini_.SetDate("2022-05-02");
  }

  // For what must succeed.
  template <class Resp, class Req>
  Resp Done(const std::string& token, const Req& in) {
    auto out = mini_.Call<Resp>(token, in);
    EXPECT_TRUE(out.ok()) << Req::descriptor()->name() << ": " << out.status();
    return out.value_or(Resp());
  }

  // A fund of the forum's own for hub and prep sessions, or a partner's for projects.
  v1::Fund OpenFund(int64_t pence, const std::string& partner = "") {
    v1::CreateFundRequest in;
    in.set_parent(kForum);
    in.mutable_fund()->set_title(partner.empty() ? "Grant" : "Shared contribution");
    in.mutable_fund()->set_giver(partner.empty() ? "Department" : "Council");
    if (!partner.empty()) in.mutable_fund()->set_partner(partner);
    in.mutable_fund()->set_from_date("2021-04-01");
    in.mutable_fund()->set_to_date("2023-03-31");
    in.mutable_fund()->set_amount_pence(pence);
    if (partner.empty()) {
      for (auto kind : {Activity::HUB, Activity::PREP, Activity::BOARD, Activity::PRIORITY}) {
        in.mutable_fund()->add_pays(kind);
      }
    } else {
      in.mutable_fund()->add_pays(Activity::PROJECT);
    }
    return Done<v1::Fund>(treasurer_, in);
  }
  v1::Rate SetRate(v1::Rate::Kind kind, const std::string& from, int64_t tenth_pence) {
    v1::SetRateRequest in;
    in.set_parent(kForum);
    in.mutable_rate()->set_kind(kind);
    in.mutable_rate()->set_from_date(from);
    in.mutable_rate()->set_tenth_pence(tenth_pence);
    return Done<v1::Rate>(treasurer_, in);
  }
  StatusOr<v1::Commitment> Reserve(const std::string& person, const std::string& session,
                                   Activity::Kind kind = Activity::HUB,
                                   const std::string& partner = "") {
    v1::ReserveCommitmentRequest in;
    in.set_parent(kForum);
    in.set_rep(RepOf(person));
    in.set_session(SessionOf(session));
    in.set_session_date("2022-05-06");
    in.set_activity_kind(kind);
    in.set_partner(partner);
    in.set_minutes(120);
    return mini_.Call<v1::Commitment>(scheduling_, in);
  }
  Status Allocated(const std::string& person, const std::string& session) {
    ::coproduction::scheduling::events::v1::RepAllocated event;
    event.set_rep(RepOf(person));
    event.set_session(SessionOf(session));
    return mini_.Deliver(std::string(kForum) + "/allocations/" + NextId(), event);
  }
  Status Ended(const std::string& person, const std::string& session) {
    ::coproduction::scheduling::events::v1::AllocationEnded event;
    event.set_rep(RepOf(person));
    event.set_session(SessionOf(session));
    return mini_.Deliver(std::string(kForum) + "/allocations/" + NextId(), event);
  }
  Status Attended(const std::string& person, const std::string& session,
                  const std::string& date = "2022-05-06", Activity::Kind kind = Activity::HUB,
                  const std::string& partner = "") {
    ::coproduction::engagement::events::v1::AttendanceRecorded event;
    event.set_attendance(std::string(kForum) + "/attendances/" + NextId());
    event.set_rep(RepOf(person));
    event.set_session(SessionOf(session));
    event.set_session_date(date);
    event.set_activity_kind(kind);
    event.set_partner(partner);
    event.set_session_minutes(120);
    return mini_.Deliver(event.attendance(), event);
  }
  v1::Commitment CommitmentNow(const std::string& name) {
    v1::GetCommitmentRequest in;
    in.set_name(name);
    return Done<v1::Commitment>(chair_, in);
  }
  int64_t Balance(const std::string& account) {
    v1::GetAccountRequest in;
    in.set_name(std::string(kForum) + "/accounts/" + account);
    return Done<v1::Account>(treasurer_, in).balance_pence();
  }
  // Every test ends with a ledger that sums to zero.
  void TearDown() override {
    v1::ListAccountsRequest in;
    in.set_parent(kForum);
    in.set_page_size(500);
    const auto all = Done<v1::ListAccountsResponse>(treasurer_, in);
    int64_t sum = 0;
    for (const auto& account : all.accounts()) sum += account.balance_pence();
    EXPECT_EQ(sum, 0);
  }
  Status Sql(const std::string& statement) {
    return mini_.runtime().engine().config().store->WriteAndWait(
        [&](db::Conn& conn) { return conn.Exec(statement, {}).status(); });
  }
  std::string NextId() { return "id-" + std::to_string(++ids_); }

  testing::MiniService mini_;
  const std::string ann_, bob_, chair_, treasurer_, facilitator_, scheduling_;
  int ids_ = 0;
};

}  // namespace hub::remuneration
