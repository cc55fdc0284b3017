// The figures of all forums together: of ten forums with new rows at least, of what was frozen with
// them, and nothing of any one forum for whoever reads them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/db/record.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/membership/module.h"
#include "services/membership/publications_rules.h"

namespace hub::membership {
namespace {

using coproduction::options::v1::CHAIR;
using coproduction::options::v1::NATIONAL_READER;
using coproduction::options::v1::OPERATOR;
using ::testing::ElementsAre;
using testing::MiniService;
using testing::Refused;
using v1::Publication;

constexpr char kAll[] = "forums/national";

class National : public ::testing::TestWithParam<db::Engine> {
 protected:
  National() : mini_(MakeMembershipModule(), GetParam()) {}
  void SetUp() override {
    mini_.SetDate("2022-06-20");
    for (int i = 0; i < 12; ++i) {
      v1::CreateForumRequest request;
      request.set_forum_id(ForumId(i));
      request.mutable_forum()->set_display_name("Example Parent Carer Voice");
      ASSERT_TRUE(mini_.Call<v1::Forum>(mini_.Token(OPERATOR), request).ok());
    }
    mini_.SetDate("2022-06-21");
  }
  static std::string ForumId(int i) { return absl::StrCat("example-", i); }

  // A row of one forum, as its own publication makes it: so many came since the one before, and all
  // of these stay.
  void ForumRow(int forum, const std::string& date, int64_t come, const Counts& by_answer) {
    auto& rows = rows_[forum];
    std::vector<int64_t> since = rows.empty() ? std::vector<int64_t>() : rows.back().since;
    if (!since.empty()) {
      since.push_back(since[0]);
      since.erase(since.begin());
    }
    since.insert(since.begin(), come);
    const auto counts = CountsOf(Publication::GENDER, by_answer);
    auto row =
        NextRow(kForumMeasure, rows, date, TurnoutAfter(rows, since, come), {counts.at(v1::MALE)});
    ASSERT_TRUE(row.has_value());
    rows.push_back(*row);
    auto publication =
        PublicationOf(kForumPrinter, Publication::GENDER, rows.back(), rows.size(), "");
    auto& engine = mini_.runtime().engine();
    const Status status = engine.config().store->WriteAndWait([&](db::Conn& conn) -> Status {
      const auto& resource = *schema::FindResource(Publication::descriptor());
      const std::string id = absl::StrCat(date, "-gender");
      publication.set_name(schema::MakeName(resource, ForumId(forum), id));
      schema::SetVersion(&publication, 1);
      RETURN_IF_ERROR(
          db::InsertRecord(conn, engine.sealer(), resource, ForumId(forum), id, publication)
              .status());
      for (const auto& [answers, people] : counts) {
        RETURN_IF_ERROR(conn.Exec("INSERT INTO frozen(forum, question, answer, people) VALUES "
                                  "($1, 'GENDER', $2, $3) ON CONFLICT (forum, question, answer) "
                                  "DO UPDATE SET people = EXCLUDED.people",
                                  {ForumId(forum), TextOf(answers), people})
                            .status());
      }
      return Status();
    });
    ASSERT_TRUE(status.ok()) << status;
  }
  // Members of a forum say so much of themselves.
  void Say(int forum, const std::vector<std::pair<int, v1::MemberCharacteristics>>& people) {
    auto& engine = mini_.runtime().engine();
    const Status status = engine.config().store->WriteAndWait([&](db::Conn& conn) -> Status {
      const auto& resource = *schema::FindResource(v1::MemberCharacteristics::descriptor());
      int number = 0;
      for (auto [count, said] : people) {
        for (; count > 0; --count) {
          const std::string id = absl::StrCat("member-", forum, "-", ++number);
          RETURN_IF_ERROR(conn.Exec("INSERT INTO members(forum, id, version, state, given_name, "
                                    "family_name, email, phone, postcode_district, residence, "
                                    "reach_by, format, joined_on, left_on, source_key) VALUES ($1, "
                                    "$2, 1, 'ACTIVE', '', '', '', '', '', '', '', '', "
                                    "'2022-06-01', '', '')",
                                    {ForumId(forum), id})
                              .status());
          said.set_name(schema::MakeName(resource, ForumId(forum), id));
          schema::SetVersion(&said, 1);
          RETURN_IF_ERROR(
              db::InsertRecord(conn, engine.sealer(), resource, ForumId(forum), id, said).status());
        }
      }
      return Status();
    });
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<Publication> Published(const std::string& parent = kAll) {
    v1::ListPublicationsRequest request;
    request.set_parent(parent);
    auto list = mini_.Call<v1::ListPublicationsResponse>(mini_.Token(NATIONAL_READER), request);
    EXPECT_TRUE(list.ok()) << list.status();
    if (!list.ok()) return {};
    return {list->publications().begin(), list->publications().end()};
  }
  static Counts Genders(int64_t all, int64_t men, int64_t transgender) {
    return {{v1::FEMALE, all - men - transgender}, {v1::MALE, men}, {v1::TRANSGENDER, transgender}};
  }

  MiniService mini_;
  std::map<int, std::vector<Row>> rows_;
};
INSTANTIATE_TEST_SUITE_P(Engines, National,
                         ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres));

TEST_P(National, FiguresAreOfTenForumsAtLeast) {
  for (int i = 0; i < 9; ++i) ForumRow(i, "2022-07-01", 200, Genders(200, 20, 9));
  mini_.SetDate("2022-07-01");
  EXPECT_TRUE(Published().empty());
  ForumRow(9, "2022-07-01", 200, Genders(200, 20, 9));
  const auto before = mini_.Rows("publications WHERE forum <> 'national'");
  mini_.SetDate("2022-10-01");
  const auto figures = Published();
  ASSERT_EQ(figures.size(), 1u);
  EXPECT_EQ(mini_.Rows("publications WHERE forum <> 'national'"), before)
      << "the forums' own rows are as they were";
  EXPECT_EQ(figures[0].name(), "forums/national/publications/2022-10-01-gender");
  EXPECT_EQ(figures[0].base(), 2000);
  ASSERT_EQ(figures[0].figures_size(), 4);
  EXPECT_EQ(figures[0].figures(0).answer(), v1::MALE);
  EXPECT_EQ(figures[0].figures(0).figure(), 200);
  EXPECT_EQ(figures[0].figures(0).percent(), "10%");
  EXPECT_EQ(figures[0].figures(1).answer(), v1::TRANSGENDER);
  EXPECT_EQ(figures[0].figures(1).figure(), 100) << "90 are in the band from 75 to 124";
  EXPECT_EQ(figures[0].figures(2).figure(), 0) << "fewer than 75";
  // What holds later figures is not the reader's.
  EXPECT_EQ(figures[0].answered(), 0);
  EXPECT_EQ(figures[0].since_size(), 0);
  EXPECT_EQ(figures[0].figures(0).high(), 0);
  EXPECT_EQ(figures[0].hash(), "");
}

TEST_P(National, FiguresAreMadeAnewOfTenNewRowsAndAHundredPeople) {
  for (int i = 0; i < 10; ++i) ForumRow(i, "2022-07-01", 200, Genders(200, 20, 9));
  mini_.SetDate("2022-07-01");
  ASSERT_EQ(Published().size(), 1u);
  for (int i = 0; i < 9; ++i) ForumRow(i, "2022-10-01", 50, Genders(250, 30, 9));
  mini_.SetDate("2022-10-01");
  EXPECT_EQ(Published().size(), 1u) << "nine have new rows";
  ForumRow(9, "2023-01-01", 50, Genders(250, 30, 9));
  mini_.SetDate("2023-01-01");
  const auto figures = Published();
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].base(), 2500);
  EXPECT_EQ(figures[1].figures(0).figure(), 300);
  const auto kept = mini_.runtime().engine().config().store->ReadAndWait([](db::Conn& conn) {
    return conn.Query(
        "SELECT since, number FROM publications WHERE forum = 'national' ORDER BY number", {},
        [](const db::Row& row) {
          Publication since;
          EXPECT_TRUE(since.ParseFromString(std::string(row.Blob(0))));
          if (row.Int(1) == 2) {
            EXPECT_THAT(since.since(), ElementsAre(500, 2000));
          }
          return Status();
        });
  });
  EXPECT_TRUE(kept.ok()) << kept;
  // Ten new rows of ten people each are too few by one.
  for (int i = 0; i < 9; ++i) ForumRow(i, "2023-04-01", 10, Genders(260, 30, 9));
  ForumRow(9, "2023-04-01", 10, Genders(260, 30, 9));
  mini_.SetDate("2023-04-01");
  EXPECT_EQ(Published().size(), 3u) << "100 people are enough";
}

TEST_P(National, TwoQuestionsAreCountedTogetherByCellsAndMargins) {
  auto saying = [](v1::Answer disability, v1::Answer gender) {
    v1::MemberCharacteristics said;
    said.set_disability(disability);
    said.set_gender(gender);
    return said;
  };
  auto people = [&](int disabled_men) -> std::vector<std::pair<int, v1::MemberCharacteristics>> {
    return {{disabled_men, saying(v1::YES, v1::MALE)},
            {9, saying(v1::YES, v1::FEMALE)},
            {8, saying(v1::NO, v1::MALE)},
            {12, saying(v1::NO, v1::FEMALE)},
            {3, saying(v1::NO, v1::NON_BINARY)},
            {10, saying(v1::YES, v1::PREFER_NOT_TO_SAY)}};
  };
  for (int i = 0; i < 10; ++i) Say(i, people(i == 0 ? 7 : 11));
  mini_.SetDate("2022-07-01");
  EXPECT_EQ(mini_.Rows("unprinted"), 10);
  EXPECT_EQ(mini_.Rows("publications WHERE question = 'DISABILITY_BY_GENDER' AND forum <> "
                       "'national'"),
            0)
      << "no forum prints it";
  v1::GetPublicationRequest get;
  get.set_name(absl::StrCat(kAll, "/publications/2022-07-01-disability_by_gender"));
  const auto printed = mini_.Call<Publication>(mini_.Token(NATIONAL_READER), get);
  ASSERT_TRUE(printed.ok()) << printed.status();
  EXPECT_EQ(printed->base(), 450) << "426 who answered both";
  std::map<Answers, int64_t> figures;
  for (const auto& one : printed->figures()) figures[{one.answer(), one.also()}] = one.figure();
  EXPECT_EQ(figures.size(), 9u);
  EXPECT_EQ(figures.at(v1::YES), 200) << "196";
  EXPECT_EQ(figures.at({v1::YES, v1::MALE}), 100) << "106";
  EXPECT_EQ(figures.at({{}, v1::MALE}), 200) << "186";
  EXPECT_EQ(figures.at({{}, v1::NON_BINARY}), 0) << "30 are fewer than 75";
  EXPECT_EQ(figures.count({v1::NO, v1::MALE}), 0u) << "no answer of reference has a figure";
  v1::ListPublicationsRequest list;
  list.set_parent(kAll);
  list.set_filter("question = \"DISABILITY_BY_GENDER\"");
  const auto listed = mini_.Call<v1::ListPublicationsResponse>(mini_.Token(NATIONAL_READER), list);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->publications_size(), 1);
  EXPECT_EQ(listed->publications(0).SerializeAsString(), printed->SerializeAsString());
  mini_.SetDate("2022-10-01");
  EXPECT_EQ(mini_.Rows("unprinted"), 10) << "nobody moved";
}

TEST_P(National, ReadersSeeNoForumAndForumsNoMoreThanTheirOwn) {
  v1::ListPublicationsRequest request;
  for (const std::string& forum : {ForumId(0), std::string("warwickshire"), std::string("-")}) {
    request.set_parent("forums/" + forum);
    EXPECT_FALSE(
        mini_.Call<v1::ListPublicationsResponse>(mini_.Token(NATIONAL_READER), request).ok());
  }
  request.set_parent(kAll);
  EXPECT_TRUE(
      Refused(mini_.Call<v1::ListPublicationsResponse>(mini_.Token(CHAIR), request).status(),
              errors::ROLE_NOT_ALLOWED));
  for (const auto* method : schema::Methods()) {
    for (const auto& policy : method->option->policy()) {
      for (const int role : policy.roles()) {
        if (role != NATIONAL_READER) continue;
        EXPECT_EQ(method->descriptor->service()->name(), "Publications") << method->path;
      }
    }
  }
}

TEST_P(National, NoForumIsNamedAfterAll) {
  v1::CreateForumRequest request;
  request.set_forum_id("national");
  request.mutable_forum()->set_display_name("Nation");
  EXPECT_TRUE(Refused(mini_.Call<v1::Forum>(mini_.Token(OPERATOR), request).status(),
                      errors::INVALID_FIELD, "forum_id"));
}

TEST_P(National, ItsReadersAreGrantedByTheOperatorAlone) {
  v1::CreateGrantRequest request;
  request.set_parent(kAll);
  auto* grant = request.mutable_grant();
  grant->set_issuer("https://national.test");
  grant->set_subject("reader");
  grant->set_role(NATIONAL_READER);
  EXPECT_TRUE(Refused(mini_.Call<v1::Grant>(mini_.Token(CHAIR), request).status(),
                      errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(mini_.Call<v1::Grant>(mini_.Token(OPERATOR), request).ok());
  grant->set_role(CHAIR);
  EXPECT_TRUE(Refused(mini_.Call<v1::Grant>(mini_.Token(OPERATOR), request).status(),
                      errors::INVALID_FIELD, "grant.role"));
}

}  // namespace
}  // namespace hub::membership
