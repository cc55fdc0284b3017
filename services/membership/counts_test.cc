// Members as of a date, however many there were: facts are put into the table, then counts are
// asked of the hub and compared with what was put in, and with the time of a bare count of the
// rows. HUB_MEMBERS says how many (tests/bench/counts). Prints milliseconds.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/membership/module.h"

namespace hub::membership {
namespace {

namespace v1 = ::coproduction::membership::v1;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using testing::kForum;
using testing::MiniService;

constexpr int kTimes = 9;
constexpr int kDays = 3650;  // on which members joined, one after another
constexpr int kLeaver = 7;   // every seventh left a year later

int Members() {
  const char* text = std::getenv("HUB_MEMBERS");
  int number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : 1000;
}

template <class Work>
double MedianMilliseconds(const Work& work) {
  std::vector<double> times;
  for (int i = 0; i < kTimes; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(times.begin(), times.end());
  return times[kTimes / 2];
}

class Counts : public ::testing::TestWithParam<db::Engine> {
 protected:
  Counts() : mini_(MakeMembershipModule(), GetParam()) { mini_.SetDate("2022-07-01"); }
  static std::string Joined(int i) { return AddDays("2012-01-01", i % kDays); }

  Status Put(int members) {
    return mini_.runtime().engine().config().store->WriteAndWait([&](db::Conn& conn) -> Status {
      const int days = std::min(kDays, members);
      // All who joined on that day: each kDays-th.
      const auto those = [&](int day) {
        return absl::StrCat(" FROM (WITH RECURSIVE n(i) AS (SELECT ", day, " UNION ALL SELECT i + ",
                            kDays, " FROM n WHERE i + ", kDays, " < ", members,
                            ") SELECT i FROM n) AS those");
      };
      for (int day = 0; day < days; ++day) {
        RETURN_IF_ERROR(
            conn.Exec("INSERT INTO members(forum, id, version, state, given_name, family_name, "
                      "email, phone, postcode_district, residence, reach_by, format, joined_on, "
                      "left_on, source_key) SELECT 'warwickshire', 'm-' || i, 1, 'ACTIVE', '', '', "
                      "'', '', '', '', '', '', $1, '', ''" +
                          those(day),
                      {Joined(day)})
                .status());
      }
      // Else PostgreSQL, which has only seen the table empty, looks for each fact's member from end
      // to end.
      RETURN_IF_ERROR(conn.Exec("ANALYZE members", {}).status());
      for (int day = 0; day < days; ++day) {
        const std::string facts =
            "INSERT INTO history(forum, id, version, member_id, kind, on_date, recorded_time) "
            "SELECT 'warwickshire', $1 || i, 1, 'm-' || i, $2, $3, 1" +
            those(day);
        RETURN_IF_ERROR(
            conn.Exec(facts, {std::string("in-"), std::string("MEMBER_JOINED"), Joined(day)})
                .status());
        RETURN_IF_ERROR(
            conn.Exec(absl::StrCat(facts, " WHERE i % ", kLeaver, " = 0"),
                      {std::string("out-"), std::string("MEMBER_LEFT"), AddDays(Joined(day), 365)})
                .status());
      }
      return Status();
    });
  }

  MiniService mini_;
};

ON_BOTH_DATABASES(Counts);

TEST_P(Counts, AreThoseOfTheFactsAsOfAnyDate) {
  const int members = Members();
  const Status put = Put(members);
  ASSERT_TRUE(put.ok()) << put;
  const std::string admin = mini_.Token(MEMBERSHIP_ADMIN), day = "2018-06-14";
  v1::GetMembershipFiguresRequest request;
  request.set_parent(kForum);
  request.set_from(day);
  request.set_to(day);
  request.set_membership_from("2017-06-14");
  v1::MembershipFigures figures;
  const double asked = MedianMilliseconds([&] {
    auto told = mini_.Call<v1::MembershipFigures>(admin, request);
    ASSERT_TRUE(told.ok()) << told.status();
    figures = *told;
  });
  int64_t rows = 0;
  const double counted = MedianMilliseconds([&] { rows = mini_.Rows("history WHERE kind > ''"); });
  int on_the_day = 0, joined = 0;
  for (int i = 0; i < members; ++i) {
    const bool left = i % kLeaver == 0 && AddDays(Joined(i), 365) <= day;
    if (Joined(i) <= day && !left) ++on_the_day;
    if (Joined(i) > "2017-06-14" && Joined(i) <= day) ++joined;
  }
  EXPECT_EQ(figures.members_end(), on_the_day);
  EXPECT_EQ(figures.members_joined(), joined);
  std::printf(
      "%d members, %lld facts: six counts %.2f ms, a bare count of the rows %.2f ms, ratio %.1f\n",
      members, static_cast<long long>(rows), asked, counted, asked / counted);
}

}  // namespace
}  // namespace hub::membership
