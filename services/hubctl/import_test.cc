// What a row means.
#include "services/hubctl/import.h"

#include <memory>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kForum[] = "forums/warwickshire";

// A row under its titles, both parted by '|'.
struct Fed {
  std::vector<Complaint> complaints;
  std::unique_ptr<Mapping> mapping;
  Row row;
  Fed(const std::string& titles, const std::string& cells) {
    Row head;
    head.line = 1;
    head.cells = absl::StrSplit(titles, '|');
    mapping = std::make_unique<Mapping>("members.csv", head, MemberHeadings(), &complaints);
    row.line = 2;
    row.cells = absl::StrSplit(cells, '|');
    row.sheet = mapping.get();
  }
  v1::Member Member() { return MemberOf(row, kForum, &complaints).member(); }
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const Complaint& complaint : complaints) texts.push_back(complaint.Text());
    return texts;
  }
};

TEST(Import, TurnsARowIntoItsRequest) {
  Fed fed(
      "Key|First name|Last name|E-mail|Phone|Postcode|Area|Lives or uses services here|Joined|"
      "Reach by|Format|News|Invitations|Surveys|First name shown",
      "M001|Zoë|Hadley|z@example.com|(07700) 900-013|cv31 1ab|Warwick|lives|4/5/21|"
      "Text message|LARGE_PRINT|Y (May)|no|");
  const v1::Member member = fed.Member();
  EXPECT_THAT(fed.Texts(), IsEmpty());
  EXPECT_EQ(member.source_key(), "M001");
  EXPECT_EQ(member.given_name(), "Zoë");
  EXPECT_EQ(member.phone(), "07700 900 013");
  EXPECT_EQ(member.postcode_district(), "CV31");
  EXPECT_EQ(member.joined_on(), "2021-05-04");
  EXPECT_EQ(member.residence(), v1::Member::LIVES_HERE);
  EXPECT_EQ(member.reach_by(), v1::Member::TEXT_MESSAGE);
  EXPECT_EQ(member.format(), "large print");
  ASSERT_EQ(member.consents_size(), 2);
  EXPECT_TRUE(member.consents(0).given());
  EXPECT_EQ(member.consents(0).wording(), "May");
  EXPECT_FALSE(member.consents(1).given());
}

TEST(Import, NamesABadCellByFileLineColumnAndReason) {
  Fed fed("Key|Forename|Surname|Lives here|Date joined|News|Format",
          "M001|#REF!|Hadley|VISITS|12/31/2021|maybe|in braille");
  fed.Member();
  EXPECT_THAT(
      fed.Texts(),
      ElementsAre(
          "members.csv:2: column 'Forename': '#REF!' is a formula's mistake; write the "
          "value itself",
          "members.csv:2: column 'Lives here': 'VISITS' is none of LIVES, USES_SERVICES, "
          "Lives here, Uses services here",
          "members.csv:2: column 'Date joined': '12/31/2021' has 31 for its month; write "
          "the day before the month, as 31/12/2021, in the whole column",
          "members.csv:2: column 'News': 'maybe' is not yes or no; write one of the two, or "
          "nothing where nobody asked"));
}

TEST(Import, NamesTheColumnThatTheHubRefused) {
  const Fed fed("Surname|Forename|Joined|Mail", "a|b|c|d");
  EXPECT_EQ(ComplaintOf(fed.row, InvalidField("member.email", "is no address")).Text(),
            "members.csv:2: column 'Mail': is no address");
  EXPECT_EQ(ComplaintOf(fed.row, RuleRefused("late", "too late")).Text(),
            "members.csv:2: refused (RULE_REFUSED, rule late): too late");
}

TEST(Import, PutsAZeroBackAndTakesThePostcodesFirstHalf) {
  const auto phone = [](const std::string& cell) {
    return Fed("Last name|Phone", "x|" + cell).Member().phone();
  };
  EXPECT_EQ(phone("7700900123"), "07700900123");
  EXPECT_EQ(phone("+44 (0)7700 900123"), "+44 7700 900123");
  EXPECT_EQ(phone("4477009001"), "4477009001");  // may be anything
  const auto district = [](const std::string& cell) {
    return Fed("Last name|Postcode", "x|" + cell).Member().postcode_district();
  };
  EXPECT_EQ(district("CV311AB"), "CV31");
  EXPECT_EQ(district("b1 1aa"), "B1");
  EXPECT_EQ(district("cv31"), "CV31");
  EXPECT_EQ(district("W1A"), "W1A");
}

TEST(Import, KnowsARowWithoutAKeyByNamesAndWayToBeReached) {
  const auto key = [](const std::string& cells) {
    return SourceKey(Fed("First name|Last name|E-mail|Phone|Joined", cells).row);
  };
  EXPECT_EQ(key("Zoë|Hadley|z@example.com||1/2/2021"), key("zoe|HADLEY|Z@Example.com||3/4/2021"));
  EXPECT_NE(key("Zoë|Hadley|z@example.com||"), key("Jo|Hadley|z@example.com||"));
  EXPECT_EQ(key("Zoë|Hadley||07700 900123|"), key("Zoë|Hadley||7700900123|"));
  EXPECT_NE(key("Zoë|Hadley|||1/2/2021"), key("Zoë|Hadley|||2/2/2021"));
  EXPECT_EQ(key("Zoë|Hadley|||1/2/21"), key("Zoë|Hadley|||01/02/2021"));
}

TEST(Export, IsReadAsTheSameMember) {
  v1::Member member;
  member.set_source_key("M001");
  member.set_given_name("Zoë");
  member.set_family_name("Hadley");
  member.set_email("z@example.com");
  member.set_phone("07700 900013");
  member.set_postcode_district("CV31");
  member.set_residence(v1::Member::USES_SERVICES_HERE);
  member.set_joined_on("2021-05-04");
  member.set_reach_by(v1::Member::TEXT_MESSAGE);
  member.set_format("in sixteen point");
  v1::Consent* consent = member.add_consents();
  consent->set_purpose(v1::Consent::INVITATIONS);
  consent->set_given(true);
  consent->set_wording("leaflet of May");
  const auto read = [](const v1::Member& of) {
    std::string titles, cells;
    for (const std::string& title : MemberTitles()) titles += title + "|";
    for (const std::string& cell : CellsOf(of)) cells += cell + "|";
    return Fed(titles, cells).Member();
  };
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read(member), member))
      << read(member).DebugString();
  member.clear_source_key();
  member.set_name("forums/warwickshire/members/0190a5f2");
  EXPECT_EQ(read(member).source_key(), "0190a5f2");
}

}  // namespace
}  // namespace hub::ctl
