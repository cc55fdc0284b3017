// The contract against its reviewed goldens, and the sentences of the domain as predicates on it: a
// golden tells that something changed, a predicate that it must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "common/privacy/visible.h"
#include "tests/contract/tables.h"

namespace hub::contract {
namespace {

using google::protobuf::FieldDescriptor;
using ::testing::IsEmpty;

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, IsWhatTheContractSays) {
  std::ifstream file(std::string(HUB_GOLDEN) + "/" + GetParam() + ".txt");
  std::stringstream reviewed;
  reviewed << file.rdbuf();
  EXPECT_EQ(reviewed.str(), Tables().at(GetParam())())
      << "the contract changed; review it, then accept it by tests/accept";
}

INSTANTIATE_TEST_SUITE_P(Tables, Golden,
                         ::testing::Values("visibility", "methods", "states", "events"),
                         [](const auto& info) { return info.param; });

TEST(Contract, HasNoMistake) { EXPECT_THAT(schema::Mistakes(), IsEmpty()); }

// --- Predicates on the matrix of methods and roles (domain.md, 'Who may do what').

// Names of the methods that are open to a role for which `asked` holds, among those of `service`
// (any where empty).
std::set<std::string> OpenTo(const std::function<bool(options::Role)>& asked,
                             const std::string& service = "") {
  std::set<std::string> open;
  for (const auto* method : schema::Methods()) {
    if (!service.empty() && method->service != service) continue;
    for (const auto& policy : method->option->policy()) {
      for (int role : policy.roles()) {
        if (asked(static_cast<options::Role>(role))) open.insert(ShortName(*method->descriptor));
      }
    }
  }
  return open;
}

bool OfPartner(options::Role role) { return SideOf(role) == options::PARTNER; }

TEST(Roles, OfAPartnerSeeNothingOfMembershipThatIsNotForThem) {
  EXPECT_THAT(OpenTo(OfPartner, "membership"),
              ::testing::IsSubsetOf(
                  {"Forums.GetForum", "Partners.GetPartner", "Partners.ListPartners",
                   "Grants.CreateGrant", "Grants.EndGrant", "Grants.ListGrants",
                   "SharingEntries.GetSharingEntry", "SharingEntries.ListSharingEntries",
                   "Publications.GetPublication", "Publications.ListPublications",
                   "Reach.GetReachSeries", "Reach.ListReachSeries", "Declarations.GetRegister"}));
}

TEST(Roles, OfAPartnerNeverSeeClaimsEntitlementsOrTheLedger) {
  EXPECT_THAT(OpenTo(OfPartner, "remuneration"),
              ::testing::IsSubsetOf({"Funds.CreateFund", "Funds.GetFund", "Funds.ListFunds"}));
}

TEST(Roles, OfTheOperatorMeetNoContent) {
  // Setting up, and the process itself.
  EXPECT_THAT(OpenTo([](options::Role role) { return role == options::OPERATOR; }),
              ::testing::IsSubsetOf(
                  {"Forums.CreateForum", "Forums.GetForum", "Partners.CreatePartner",
                   "Partners.GetPartner", "Partners.ListPartners", "Grants.CreateGrant",
                   "Grants.EndGrant", "Grants.ListGrants", "Hub.GetStatus", "Hub.SetDate",
                   "Hub.ListDeadLetters", "Hub.RedriveDeadLetters", "Hub.DiscardDeadLetter"}));
}

TEST(Roles, ClaimsAreApprovedByTheChairsPaidByTheTreasurerAndMadeByTheRep) {
  auto who = [](const std::string& method) {
    std::set<std::string> roles;
    const auto* found = schema::FindMethod("coproduction.remuneration.v1.Claims." + method);
    for (int i = options::Role_MIN; found != nullptr && i <= options::Role_MAX; ++i) {
      if (!options::Role_IsValid(i)) continue;
      const auto role = static_cast<options::Role>(i);
      if (AccessOf(*found, role) != Access::kNo) roles.insert(options::Role_Name(role));
    }
    return roles;
  };
  EXPECT_EQ(who("ApproveClaim"), (std::set<std::string>{"CHAIR", "VICE_CHAIR"}));
  EXPECT_EQ(who("PayClaim"), (std::set<std::string>{"TREASURER"}));
  EXPECT_EQ(who("SubmitClaim"), (std::set<std::string>{"REP"}));
}

TEST(Roles, OnlyThePersonMeetsCharacteristics) {
  for (const auto* method : schema::Methods()) {
    const auto* resource = schema::FindResource(method->descriptor->output_type());
    if (resource == nullptr || !resource->sealed()) continue;
    for (const auto& policy : method->option->policy()) {
      EXPECT_EQ(policy.relation(), options::Policy::OWN) << method->path;
    }
  }
}

// --- Predicates on the shape of methods (AIPs 131 to 136, 154, 155).

bool Begins(const std::string& name, std::initializer_list<const char*> verbs) {
  for (const char* verb : verbs) {
    if (name.rfind(verb, 0) == 0) return true;
  }
  return false;
}
bool Reads(const std::string& name) {
  return Begins(name, {"Get", "List", "Find", "Check", "Resolve"});
}

TEST(Methods, HaveAPolicyWithRoles) {
  for (const auto* method : schema::Methods()) {
    EXPECT_FALSE(method->option->policy().empty()) << method->path;
    for (const auto& policy : method->option->policy()) {
      EXPECT_FALSE(policy.roles().empty()) << method->path << " has a policy without a role";
    }
  }
}

TEST(Methods, ThatChangeSomethingHaveARequestIdAndOthersNone) {
  // Driving the date of a demonstration changes no record.
  const std::set<std::string> excepted = {"Hub.SetDate"};
  for (const auto* method : schema::Methods()) {
    const bool there = method->descriptor->input_type()->FindFieldByName("request_id") != nullptr;
    const bool wanted =
        !Reads(method->descriptor->name()) && excepted.count(ShortName(*method->descriptor)) == 0;
    EXPECT_EQ(there, wanted) << method->path;
  }
}

TEST(Methods, ThatUpdateHaveAMaskAndARecordWithAnEtag) {
  for (const auto* method : schema::Methods()) {
    if (!Begins(method->descriptor->name(), {"Update"})) continue;
    const auto* request = method->descriptor->input_type();
    const auto* mask = request->FindFieldByName("update_mask");
    ASSERT_NE(mask, nullptr) << method->path;
    EXPECT_EQ(mask->message_type()->full_name(), "google.protobuf.FieldMask") << method->path;
    bool record = false;
    for (int i = 0; i < request->field_count(); ++i) {
      record |= request->field(i)->message_type() == method->descriptor->output_type();
    }
    EXPECT_TRUE(record) << method->path << " takes the record that it returns";
  }
}

TEST(Methods, ThatListHavePagesAndAFilter) {
  for (const auto* method : schema::Methods()) {
    if (!Begins(method->descriptor->name(), {"List"})) continue;
    const auto* request = method->descriptor->input_type();
    for (const char* field : {"parent", "page_size", "page_token"}) {
      EXPECT_NE(request->FindFieldByName(field), nullptr) << method->path << " has no " << field;
    }
    EXPECT_NE(method->descriptor->output_type()->FindFieldByName("next_page_token"), nullptr)
        << method->path;
  }
}

TEST(Methods, ThatListAreOrderedByWhatEachCallerSees) {
  privacy::Viewer viewer;
  for (const auto& item : schema::DataItems()) viewer.shares[item] = "an entry";
  for (const auto* method : schema::Methods()) {
    const auto* out = method->descriptor->output_type();
    const auto* list = out->field_count() > 0 ? out->field(0)->message_type() : nullptr;
    const auto* resource = list == nullptr ? nullptr : schema::FindResource(list);
    if (!out->FindFieldByName("next_page_token") || resource == nullptr) continue;
    const std::string& order = resource->option->order();
    if (order.empty()) continue;
    const FieldDescriptor* field = list->FindFieldByName(order);
    ASSERT_NE(field, nullptr) << list->full_name() << " is ordered by '" << order << "'";
    for (int i = options::Role_MIN; i <= options::Role_MAX; ++i) {
      const auto role = static_cast<options::Role>(i);
      if (!options::Role_IsValid(i) || AccessOf(*method, role) == Access::kNo) continue;
      viewer.side = SideOf(role);
      viewer.roles = {role};
      EXPECT_TRUE(privacy::Visible(*field, viewer, {}))
          << method->path << " shows a " << options::Role_Name(role) << " the order by " << order;
    }
  }
}

TEST(Methods, ThatLeadFromStateToStateNameStatesOfWhatTheyReturn) {
  for (const auto* method : schema::Methods()) {
    if (method->option->transitions().empty()) continue;
    const auto* resource = schema::FindResource(method->descriptor->output_type());
    ASSERT_TRUE(resource != nullptr && resource->state != nullptr) << method->path;
    for (const auto& transition : method->option->transitions()) {
      std::set<std::string> states(transition.from().begin(), transition.from().end());
      states.insert(transition.to());
      for (const auto& state : states) {
        EXPECT_NE(resource->state->enum_type()->FindValueByName(state), nullptr)
            << method->path << " names the state '" << state << "'";
      }
    }
  }
}

bool NamesAPerson(const google::protobuf::Descriptor* type) {
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (schema::FieldOption(field).sensitivity() >= options::Field::PERSONAL) return true;
    if (schema::IsClassifiedMessage(field) && NamesAPerson(field->message_type())) return true;
  }
  return false;
}

TEST(Methods, ThatReadPersonalRecordsAboutPersonsAreInTheAccessLog) {
  int held = 0;
  for (const auto* method : schema::Methods()) {
    if (!Reads(method->descriptor->name())) continue;
    const auto* answer = method->descriptor->output_type();
    bool personal = false;
    for (int i = -1; i < answer->field_count(); ++i) {
      const auto* type = i < 0 ? answer : answer->field(i)->message_type();
      const auto* resource = type == nullptr ? nullptr : schema::FindResource(type);
      personal |= resource != nullptr && resource->about_person() && NamesAPerson(type);
    }
    bool by_service_alone = true;
    for (const auto& policy : method->option->policy()) {
      for (int role : policy.roles()) by_service_alone &= role == options::SERVICE;
    }
    if (!personal || by_service_alone) continue;
    ++held;
    EXPECT_TRUE(method->option->read_logged()) << method->path;
  }
  EXPECT_GT(held, 20);
}

// --- Predicates on events and crossings.

TEST(Events, CarryNothingOfAPersonAndNoMemberToAPartner) {
  const std::set<std::string> people = {"coproduction.membership.v1.Member",
                                        "coproduction.membership.v1.Rep"};
  for (const auto* event : schema::Events()) {
    const auto& option = event->options().GetExtension(options::event);
    bool to_partner = false;
    for (int audience : option.audiences()) to_partner |= audience == options::TO_PARTNER;
    for (int i = 0; i < event->field_count(); ++i) {
      const auto& field = schema::FieldOption(event->field(i));
      EXPECT_LE(field.sensitivity(), options::Field::INTERNAL) << event->field(i)->full_name();
      if (!to_partner || people.count(field.reference()) == 0) continue;
      EXPECT_EQ(field.controller(), options::Field::OF_FORUM)
          << event->field(i)->full_name() << " would tell a partner who it was";
      EXPECT_EQ(field.sensitivity(), options::Field::INTERNAL) << event->field(i)->full_name();
    }
  }
}

// What the field is of, by its class, as a partner sees it with that agreement.
bool Shown(const FieldDescriptor& field, const privacy::Shares& shares) {
  privacy::Viewer viewer;
  viewer.side = options::PARTNER;
  viewer.shares = shares;
  for (int i = options::Role_MIN; i <= options::Role_MAX; ++i) {
    if (options::Role_IsValid(i) && OfPartner(static_cast<options::Role>(i))) {
      viewer.roles.insert(i);
    }
  }
  return privacy::Visible(field, viewer, {options::Field::OWN, options::Field::ATTENDEE});
}

TEST(Crossings, AreUnderADataItemOfTheSharingAgreement) {
  EXPECT_EQ(schema::DataItems(),
            (std::set<std::string>{"attendance", "funding", "hub-work", "publication", "records"}));
  std::set<const google::protobuf::Descriptor*> seen;
  std::set<std::string> shown;
  std::function<void(const google::protobuf::Descriptor*)> walk =
      [&](const google::protobuf::Descriptor* type) {
        if (type->full_name().rfind("coproduction.", 0) != 0 || !seen.insert(type).second) return;
        for (int i = 0; i < type->field_count(); ++i) {
          const FieldDescriptor* field = type->field(i);
          const auto& option = schema::FieldOption(field);
          if (option.controller() == options::Field::SHARED) {
            privacy::Shares others;
            for (const auto& item : schema::DataItems()) {
              if (item != option.agreement()) others[item] = "an entry";
            }
            // Neither its class nor a relation shows it where its own item is not shared.
            EXPECT_FALSE(Shown(*field, others)) << field->full_name();
            if (Shown(*field, {{option.agreement(), "an entry"}})) shown.insert(option.agreement());
          }
          if (field->message_type() != nullptr) walk(field->message_type());
        }
      };
  for (const auto* method : schema::Methods()) walk(method->descriptor->output_type());
  for (const auto* event : schema::Events()) walk(event);
  EXPECT_EQ(shown, schema::DataItems()) << "each item has something that it shows";
}

}  // namespace
}  // namespace hub::contract
