// The sharing agreement: rules, and the handlers on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/mini_service.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "coproduction/membership/v1/sharing.pb.h"
#include "services/membership/module.h"
#include "services/membership/sharing_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::hub::events::v1;
using coproduction::options::v1::CASE_SYSTEM;
using coproduction::options::v1::CHAIR;
using coproduction::options::v1::FACILITATOR;
using ::testing::ElementsAre;
using testing::kForum;
using testing::MiniService;
using testing::Refused;

v1::SharingEntry Entry() {
  v1::SharingEntry entry;
  entry.set_partner("forums/warwickshire/partners/wcc");
  entry.set_clause("3.3");
  entry.set_purpose("To agree records.");
  entry.add_data("records");
  return entry;
}

TEST(SharingRules, NamesDataItemsThatThereAreAndEndsAfterItBegan) {
  const std::set<std::string> known = {"hub-work", "records"};
  v1::SharingEntry entry = Entry();
  entry.set_from_on("2021-08-01");
  EXPECT_TRUE(CheckSharing(entry, known, "2021-07-31").ok());
  entry.set_ends_on("2021-07-30");
  EXPECT_TRUE(Refused(CheckSharing(entry, known, "2021-07-31"), errors::INVALID_FIELD, "ends_on"));
  entry.set_ends_on("2021-07-31");
  EXPECT_TRUE(Refused(CheckSharing(entry, known, "2021-07-31"), errors::INVALID_FIELD, "ends_on"));
  entry.set_ends_on("2021-08-01");
  EXPECT_TRUE(CheckSharing(entry, known, "2021-07-31").ok());
  entry.add_data("health");
  EXPECT_TRUE(Refused(CheckSharing(entry, known, "2021-07-31"), errors::INVALID_FIELD,
                      "sharing_entry.data"));
}

class Sharing : public ::testing::TestWithParam<db::Engine> {
 protected:
  Sharing() : mini_(MakeMembershipModule(), GetParam()) {
    mini_.SetDate("2021-07-31");
    chair_ = mini_.Token(CHAIR);
    v1::CreatePartnerRequest partner;
    partner.set_parent(kForum);
    partner.set_partner_id("wcc");
    partner.mutable_partner()->set_display_name("The County Council");
    partner.mutable_partner()->set_kind(v1::Partner::COUNCIL);
    EXPECT_TRUE(mini_.Call<v1::Partner>(chair_, partner).ok());
  }
  StatusOr<v1::SharingEntry> Agree(const v1::SharingEntry& entry,
                                   const std::string& id = "wcc-records") {
    v1::CreateSharingEntryRequest request;
    request.set_parent(kForum);
    request.set_sharing_entry_id(id);
    *request.mutable_sharing_entry() = entry;
    return mini_.Call<v1::SharingEntry>(chair_, request);
  }
  StatusOr<v1::SharingEntry> End(const std::string& name, const std::string& on = "") {
    v1::EndSharingEntryRequest request;
    request.set_name(name);
    request.set_ends_on(on);
    return mini_.Call<v1::SharingEntry>(chair_, request);
  }

  MiniService mini_;
  std::string chair_;
};

TEST_P(Sharing, AnEntryIsToldWithWhatItCovers) {
  auto entry = Agree(Entry());
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->name(), "forums/warwickshire/sharingEntries/wcc-records");
  EXPECT_EQ(entry->from_on(), "2021-07-31");
  EXPECT_EQ(entry->state(), v1::SharingEntry::AGREED);
  for (const char* receiver :
       {"services", "forums/warwickshire", "forums/warwickshire/partners/wcc"}) {
    const auto told = mini_.Published<events::SharingAgreed>(receiver);
    ASSERT_EQ(told.size(), 1u) << receiver;
    EXPECT_EQ(told[0].sharing_entry(), entry->name());
    EXPECT_EQ(told[0].partner(), entry->partner());
    EXPECT_THAT(told[0].data(), ElementsAre("records"));
  }
}

TEST_P(Sharing, OnlyTheForumAgreesAndTheKindOfDataMustBeOne) {
  v1::CreateSharingEntryRequest request;
  request.set_parent(kForum);
  request.set_sharing_entry_id("wcc-all");
  *request.mutable_sharing_entry() = Entry();
  EXPECT_TRUE(Refused(mini_.Call<v1::SharingEntry>(mini_.Token(FACILITATOR), request).status(),
                      errors::ROLE_NOT_ALLOWED));
  v1::SharingEntry entry = Entry();
  entry.add_data("health");
  EXPECT_TRUE(Refused(Agree(entry).status(), errors::INVALID_FIELD, "sharing_entry.data"));
  entry = Entry();
  entry.set_partner("forums/warwickshire/partners/nobody");
  EXPECT_TRUE(Refused(Agree(entry).status(), errors::INVALID_FIELD, "sharing_entry.partner"));
}

TEST_P(Sharing, ThePartnerReadsItsOwnEntriesWhateverIsShared) {
  const auto entry = Agree(Entry());
  ASSERT_TRUE(entry.ok());
  v1::GetSharingEntryRequest get;
  get.set_name(entry->name());
  auto read = mini_.Call<v1::SharingEntry>(mini_.Token(CASE_SYSTEM), get);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->purpose(), "To agree records.");
}

TEST_P(Sharing, AnEndAtOnceIsToldToAllOnce) {
  const auto entry = Agree(Entry());
  ASSERT_TRUE(entry.ok());
  auto ended = End(entry->name());
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->state(), v1::SharingEntry::ENDED);
  EXPECT_EQ(ended->ends_on(), "2021-07-31");
  EXPECT_EQ(mini_.Published<events::SharingEnded>().size(), 1u);
  EXPECT_EQ(mini_.Published<events::SharingEnded>("forums/warwickshire/partners/wcc").size(), 1u);
  EXPECT_TRUE(Refused(End(entry->name()).status(), errors::STATE_NOT_ALLOWED));
}

TEST_P(Sharing, AnEndOnADayToComeIsToldAndComesByItself) {
  const auto entry = Agree(Entry());
  ASSERT_TRUE(entry.ok());
  EXPECT_TRUE(Refused(End(entry->name(), "2021-07-30").status(), errors::INVALID_FIELD, "ends_on"));
  auto ends = End(entry->name(), "2021-09-01");
  ASSERT_TRUE(ends.ok()) << ends.status();
  EXPECT_EQ(ends->state(), v1::SharingEntry::AGREED);
  const auto told = mini_.Published<events::SharingAgreed>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].ends_on(), "2021-09-01");
  mini_.SetDate("2021-08-31");
  EXPECT_TRUE(mini_.Published<events::SharingEnded>().empty());
  mini_.SetDate("2021-09-01");
  EXPECT_EQ(mini_.Published<events::SharingEnded>().size(), 1u);
}

TEST_P(Sharing, ASecondEntryOfThatIdIsRefusedInPlainWords) {
  ASSERT_TRUE(Agree(Entry()).ok());
  const Status again = Agree(Entry()).status();
  EXPECT_TRUE(Refused(again, errors::RESOURCE_EXISTS));
  EXPECT_THAT(MessageOf(again), ::testing::HasSubstr("sharing entry with this id"));
  EXPECT_THAT(MessageOf(again), ::testing::Not(::testing::HasSubstr("UNIQUE")));
}

INSTANTIATE_TEST_SUITE_P(Engines, Sharing,
                         ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         [](const auto& info) {
                           return info.param == db::Engine::kSqlite ? "Sqlite" : "Postgres";
                         });

}  // namespace
}  // namespace hub::membership
