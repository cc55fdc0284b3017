// The figures of a quarter, for many forums and for all of them together: members' answers and
// forums' rows are put into the tables, then the hub's date is moved. How many is HUB_FORUMS,
// HUB_MEMBERS (of each) and HUB_QUARTERS (tests/bench/figures). Prints seconds.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/db/record.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/membership/module.h"
#include "services/membership/publications_rules.h"

namespace hub::membership {
namespace {

namespace options = ::coproduction::options::v1;
using testing::MiniService;
using v1::Publication;

constexpr int64_t kMillion = 1000000;
constexpr double kPatience = 2;  // seconds for what a reader or the hub waits for

int Setting(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  int number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

template <class Work>
double Seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Must(const Status& status) { ASSERT_TRUE(status.ok()) << status; }

class Quarter : public ::testing::Test {
 protected:
  static std::string Id(int i) { return absl::StrCat("example-", i); }
  journal::Engine& engine() { return mini_.runtime().engine(); }

  void Answers() {
    Must(engine().config().store->WriteAndWait([&](db::Conn& conn) -> Status {
      const auto& resource = *schema::FindResource(v1::MemberCharacteristics::descriptor());
      for (int i = 0; i < forums_ * members_; ++i) {
        const std::string forum = Id(i % forums_), id = absl::StrCat("member-", i);
        RETURN_IF_ERROR(conn.Exec("INSERT INTO members(forum, id, version, state, given_name, "
                                  "family_name, email, phone, postcode_district, residence, "
                                  "reach_by, format, joined_on, left_on, source_key) VALUES ($1, "
                                  "$2, 1, 'ACTIVE', '', '', '', '', '', '', '', '', "
                                  "'2011-12-01', '', '')",
                                  {forum, id})
                            .status());
        v1::MemberCharacteristics said;
        said.set_disability(i % 4 == 0 ? v1::YES : v1::NO);
        said.set_lone_parent(i % 5 == 0 ? v1::YES : v1::NO);
        said.set_free_school_meals(i % 4 == 1 ? v1::YES : v1::NO);
        said.set_gender(i % 20 == 0 ? v1::MALE : v1::FEMALE);
        said.set_ethnicity(i % 11 == 0 ? v1::ASIAN_OR_ASIAN_BRITISH : v1::WHITE_BRITISH);
        said.set_carer(i % 7 == 0 ? v1::YES : v1::NO);
        said.set_age_band(i % 3 == 0 ? v1::FROM_45_TO_54 : v1::FROM_35_TO_44);
        said.set_name(schema::MakeName(resource, forum, id));
        schema::SetVersion(&said, 1);
        RETURN_IF_ERROR(
            db::InsertRecord(conn, engine().sealer(), resource, forum, id, said).status());
      }
      return Status();
    }));
  }

  void ReadAnswers() {
    Must(engine().config().store->ReadAndWait([&](db::Conn& conn) {
      std::vector<v1::MemberCharacteristics> all;
      return db::QueryRecords(conn, engine().sealer(),
                              *schema::FindResource(v1::MemberCharacteristics::descriptor()), "",
                              {}, [&] { return &all.emplace_back(); });
    }));
  }

  // Of a million members in all, two of each hundred come and one goes in a quarter.
  void Rows() {
    Must(engine().config().store->WriteAndWait([&](db::Conn& conn) -> Status {
      for (const char* table : {"publications", "unprinted"}) {
        RETURN_IF_ERROR(conn.Exec(absl::StrCat("DELETE FROM ", table), {}).status());
      }
      const auto& resource = *schema::FindResource(Publication::descriptor());
      for (int i = 0; i < forums_; ++i) {
        for (const Question question : Questions()) {
          std::vector<int64_t> since = {kMillion / forums_};
          for (int n = 1; n <= quarters_; ++n) {
            Row row;
            row.date = absl::StrCat(2012 + (n - 1) / 4, "-",
                                    n % 4 == 1   ? "01"
                                    : n % 4 == 2 ? "04"
                                    : n % 4 == 3 ? "07"
                                                 : "10",
                                    "-01");
            row.since = since;
            row.count = Turnout{0, since}.count();
            row.members = row.count;
            row.figures.resize(FiguresOf(kForumPrinter, question).size());
            auto publication =
                PublicationOf(kForumPrinter, question, row, static_cast<size_t>(n), "");
            const std::string id =
                absl::StrCat(row.date, "-", Publication::Question_Name(question));
            publication.set_name(schema::MakeName(resource, Id(i), id));
            schema::SetVersion(&publication, 1);
            RETURN_IF_ERROR(
                row.figures.empty()
                    ? conn.Exec(
                              "INSERT INTO unprinted(forum, question, number, date, answered, "
                              "members, record) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                              {Id(i), Publication::Question_Name(question), int64_t{n}, row.date,
                               row.count, row.members, db::Bytes{publication.SerializeAsString()}})
                          .status()
                    : db::InsertRecord(conn, engine().sealer(), resource, Id(i), id, publication)
                          .status());
            for (int64_t& people : since) people -= people / 100;
            since.push_back(since[0]);
            since[0] = row.count / 50;
          }
        }
      }
      return Status();
    }));
  }

  // The forums have done their part.
  void Turn(const std::string& date) {
    Must(engine().config().store->WriteAndWait([&](db::Conn& conn) {
      return conn.Exec("UPDATE counting SET next_on = '2100-01-01' WHERE forum <> 'national'", {})
          .status();
    }));
    mini_.SetDate(date);
  }

  const int forums_ = Setting("HUB_FORUMS", 12);
  const int members_ = Setting("HUB_MEMBERS", 40);
  const int quarters_ = Setting("HUB_QUARTERS", 8);
  MiniService mini_{MakeMembershipModule(), db::Engine::kSqlite};
};

TEST_F(Quarter, OfManyForums) {
  mini_.SetDate("2011-12-20");
  for (int i = 0; i < forums_; ++i) {
    v1::CreateForumRequest request;
    request.set_forum_id(Id(i));
    request.mutable_forum()->set_display_name("Example");
    Must(mini_.Call<v1::Forum>(mini_.Token(options::OPERATOR), request).status());
  }
  mini_.SetDate("2011-12-21");  // the first day is to come
  Answers();
  const double pass = Seconds([&] { ReadAnswers(); });
  std::printf("one pass over %d sealed answers: %.2f s\n", forums_ * members_, pass);
  const double quarter = Seconds([&] { mini_.SetDate("2012-01-01"); });
  std::printf(
      "a quarter's figures of %d forums, %ld of them, %ld rows of two questions, and of all "
      "together: %.2f s\n",
      forums_, static_cast<long>(mini_.Rows("publications")),
      static_cast<long>(mini_.Rows("unprinted")), quarter);
  EXPECT_GT(mini_.Rows("publications WHERE forum = 'national'"), 0);
  Rows();
  const double all = Seconds([&] { Turn("2022-04-01"); });
  EXPECT_GT(mini_.Rows("publications WHERE forum = 'national'"), 0);
  v1::ListPublicationsRequest list;
  list.set_parent("forums/national");
  const double read = Seconds([&] {
    Must(mini_.Call<v1::ListPublicationsResponse>(mini_.Token(options::NATIONAL_READER), list)
             .status());
  });
  EXPECT_LT(all, kPatience);
  EXPECT_LT(read, kPatience);
  std::printf(
      "figures of all %d forums, of %d quarters' rows of a million members: %.2f s; read "
      "in %.3f s\n",
      forums_, quarters_, all, read);
}

}  // namespace
}  // namespace hub::membership
