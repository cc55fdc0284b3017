#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "coproduction/engagement/v1/evaluations.pb.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "services/hubctl/api.h"
#include "services/hubctl/commands.h"
#include "services/hubctl/evaluation.h"
#include "services/hubctl/output.h"
#include "services/hubctl/rights.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- commands ----

std::vector<Command> Commands(const std::string& noun) {
  const Api& api = Api::Embedded();
  return CommandsOf(noun, api.Service(api.nouns().at(noun)));
}

Command CommandNamed(const std::string& noun, const std::string& verb) {
  for (Command& command : Commands(noun)) {
    if (command.verb == verb) return command;
  }
  ADD_FAILURE() << noun << " has no " << verb;
  return {};
}

const Flag* FlagNamed(const Command& command, const std::string& name) {
  for (const Flag& flag : command.flags) {
    if (flag.name == name || flag.full == name) return &flag;
  }
  return nullptr;
}

std::vector<std::string> Verbs(const std::string& noun) {
  std::vector<std::string> verbs;
  for (const Command& command : Commands(noun)) verbs.push_back(command.verb);
  return verbs;
}

struct Request {
  Command command;
  std::unique_ptr<google::protobuf::Message> message;
  Request(const std::string& noun, const std::string& verb)
      : command(CommandNamed(noun, verb)),
        message(Api::Embedded().New(command.method->input_type())) {}
  Status Set(const std::string& flag, const std::vector<std::string>& values) {
    return SetField(message.get(), *FlagNamed(command, flag), values, "warwickshire");
  }
  std::string Text() const { return message->ShortDebugString(); }
};

TEST(Commands, AreNamedByNounAndVerb) {
  EXPECT_THAT(Verbs("requests"), Contains("accept"));
  EXPECT_THAT(Verbs("requests"), Contains("ask-for-information"));
  EXPECT_THAT(Verbs("requests"), Contains("list"));
  EXPECT_THAT(Verbs("members"), Contains("get-membership-figures"));
  EXPECT_THAT(Verbs("scheduling-settings"), ElementsAre("get", "update"));
  EXPECT_THAT(Verbs("hub"), ElementsAre("get-status", "set-date", "list-dead-letters",
                                        "redrive-dead-letters", "discard-dead-letter"));
}

TEST(Commands, AreUniqueInTheirNounAndEveryMethodHasOne) {
  for (const auto& [noun, service] : Api::Embedded().nouns()) {
    const std::vector<std::string> verbs = Verbs(noun);
    EXPECT_EQ(std::set<std::string>(verbs.begin(), verbs.end()).size(), verbs.size()) << noun;
    EXPECT_EQ(static_cast<int>(verbs.size()), Api::Embedded().Service(service)->method_count());
  }
}

TEST(Commands, HaveFlagsThatAreUniqueAndNeverHideAGlobalOne) {
  for (const auto& entry : Api::Embedded().nouns()) {
    for (const Command& command : Commands(entry.first)) {
      std::set<std::string> names = GlobalFlags();
      for (const Flag& flag : command.flags) {
        if (!flag.name.empty()) {
          EXPECT_TRUE(names.insert(flag.name).second) << command.method->full_name() << flag.name;
        }
        if (flag.full != flag.name) {
          EXPECT_TRUE(names.insert(flag.full).second) << command.method->full_name() << flag.full;
        }
      }
    }
  }
}

TEST(Commands, FlattenTheFieldsThatACallerMaySet) {
  const Command create = CommandNamed("members", "create");
  EXPECT_EQ(create.positional.field()->name(), "parent");
  ASSERT_NE(FlagNamed(create, "given-name"), nullptr);
  EXPECT_EQ(FlagNamed(create, "given-name")->full, "member.given-name");
  EXPECT_TRUE(FlagNamed(create, "given-name")->required);
  EXPECT_EQ(FlagNamed(create, "left-on"), nullptr) << "only the server sets it";
  EXPECT_EQ(FlagNamed(create, "member.name"), nullptr);
  // Every command has --format: the member's own is written in full.
  ASSERT_NE(FlagNamed(create, "member.format"), nullptr);
  EXPECT_EQ(FlagNamed(create, "member.format")->name, "");

  const Command update = CommandNamed("members", "update");
  ASSERT_EQ(update.positional.path.size(), 2u);
  EXPECT_EQ(update.positional.field()->full_name(), "coproduction.membership.v1.Member.name");
  EXPECT_EQ(FlagNamed(update, "joined-on"), nullptr) << "it is immutable";
  EXPECT_NE(FlagNamed(update, "etag"), nullptr);
}

TEST(Commands, HelpComesFromTheProto) {
  const Command create = CommandNamed("requests", "create");
  EXPECT_EQ(CommentOf(create.method), "A new draft.");
  EXPECT_THAT(HelpOf(*FlagNamed(create, "decision-stage")),
              HasSubstr("IDEA, OPTIONS, DRAFT, DECIDED"));
  EXPECT_THAT(HelpOf(*FlagNamed(create, "needed-by")), HasSubstr("(YYYY-MM-DD)"));
  EXPECT_THAT(PolicyOf(CommandNamed("requests", "waive-lateness").method),
              HasSubstr("May be called by: chair."));
}

TEST(SetField, ReadsWhatPeopleType) {
  Request create("requests", "create");
  EXPECT_TRUE(create.Set("title", {"Home to \"school\" transport"}).ok());
  EXPECT_TRUE(create.Set("purpose", {"co-design"}).ok());
  EXPECT_TRUE(create.Set("minutes-wanted", {"30"}).ok());
  EXPECT_TRUE(create.Set("session", {"sessions/abc"}).ok());
  EXPECT_EQ(create.Text(),
            "request { title: \"Home to \\\"school\\\" transport\" purpose: CO_DESIGN "
            "minutes_wanted: 30 session: \"forums/warwickshire/sessions/abc\" }");

  EXPECT_EQ(MessageOf(create.Set("minutes-wanted", {"half"})),
            "--minutes-wanted is 'half', which is not a whole number");
  EXPECT_EQ(MessageOf(create.Set("purpose", {"chat"})),
            "--purpose is 'chat', which is not one of UPDATE, DISCUSSION, OVERSIGHT, CO_DESIGN");
  EXPECT_FALSE(create.Set("minutes-wanted", {"1\",\"x\":\"1"}).ok());
}

TEST(SetField, TakesRepeatedMessagesAsJsonOneByOneOrAsAList) {
  Request create("members", "create");
  EXPECT_TRUE(create.Set("consents", {R"({"purpose": "NEWS", "given": true})"}).ok());
  EXPECT_TRUE(create.Set("consents", {R"([{"purpose": "SURVEYS"}])"}).ok());
  EXPECT_EQ(create.Text(),
            "member { consents { purpose: NEWS given: true } consents { purpose: SURVEYS } }");
  EXPECT_THAT(MessageOf(create.Set("consents", {"news"})), HasSubstr("JSON of Consent"));
}

TEST(SetField, PutsTheQuotesBackThatTheShellTookFromAnEtag) {
  Request accept("requests", "accept");
  EXPECT_TRUE(accept.Set("etag", {"3"}).ok());
  EXPECT_EQ(accept.Text(), "etag: \"\\\"3\\\"\"");
}

TEST(UpdateMask, IsMadeOfTheFlagsGivenUnlessGivenItself) {
  Request update("members", "update");
  EXPECT_TRUE(update.Set("phone", {"01926 000000"}).ok());
  FillMask(update.message.get(),
           {FlagNamed(update.command, "phone"), FlagNamed(update.command, "etag")});
  EXPECT_THAT(update.Text(), HasSubstr("update_mask { paths: \"phone\" }"));

  Request given("members", "update");
  EXPECT_TRUE(given.Set("update-mask", {"phone,postcode_district"}).ok());
  FillMask(given.message.get(), {FlagNamed(given.command, "phone")});
  EXPECT_EQ(given.Text(), "update_mask { paths: \"phone\" paths: \"postcode_district\" }");
}

TEST(RequestId, IsNewUnlessGiven) {
  Request one("requests", "accept"), other("requests", "accept");
  FillRequestId(one.message.get());
  FillRequestId(other.message.get());
  EXPECT_NE(one.Text(), other.Text());
  Request given("requests", "accept");
  EXPECT_TRUE(given.Set("request-id", {"0190a5f2-7b1c-7e4e-8a43-0242ac120002"}).ok());
  FillRequestId(given.message.get());
  EXPECT_EQ(given.Text(), "request_id: \"0190a5f2-7b1c-7e4e-8a43-0242ac120002\"");
}

TEST(DefaultName, IsTheForumOrTheOneRecordOfItsKind) {
  EXPECT_EQ(DefaultName(CommandNamed("requests", "list"), "warwickshire"), "forums/warwickshire");
  EXPECT_EQ(DefaultName(CommandNamed("scheduling-settings", "update"), "warwickshire"),
            "forums/warwickshire/schedulingSettings");
  EXPECT_EQ(DefaultName(CommandNamed("forums", "get"), "warwickshire"), "forums/warwickshire");
  EXPECT_EQ(DefaultName(CommandNamed("requests", "get"), "warwickshire"), "");
  EXPECT_EQ(DefaultName(CommandNamed("requests", "list"), ""), "");
}

// ---- completion ----

// What a shell itself says, with this hubctl in its path, one line each.
std::vector<std::string> Says(const std::string& shell, const std::string& script) {
  ::setenv("COMPLETION_TEST", script.c_str(), 1);
  const std::string command =
      absl::StrCat("PATH='", HUBCTL_FOLDER, "':$PATH ", shell, " -c \"$COMPLETION_TEST\" 2>&1");
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0) << text;
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

std::vector<std::string> CompletesInBash(const std::vector<std::string>& words) {
  return Says("bash --norc",
              absl::StrCat("source <(hubctl completion bash)\n", "compopt() { echo \"$@\"; }\n",
                           "COMP_WORDS=(hubctl '", absl::StrJoin(words, "' '"), "') COMP_CWORD=",
                           words.size(), "\n_hubctl\nprintf '%s\\n' \"${COMPREPLY[@]}\""));
}

// Outside of its line editor zsh has no compadd: this one says what it is told to add.
std::vector<std::string> CompletesInZsh(const std::vector<std::string>& words) {
  return Says("zsh -f", absl::StrCat("compdef() { [[ $1 == _hubctl && $2 == hubctl ]] }\n",
                                     "compadd() { print -l -- \"$@\" }\n_files() { echo FILES }\n",
                                     "source <(hubctl completion zsh)\nwords=(hubctl '",
                                     absl::StrJoin(words, "' '"), "') CURRENT=$#words PREFIX='",
                                     words.back(), "'\n_hubctl"));
}

std::vector<std::string> CompletesInFish(const std::vector<std::string>& words) {
  return Says("fish --no-config",
              absl::StrCat("hubctl completion fish | source\ncomplete -C \"hubctl ",
                           absl::StrJoin(words, " "), "\""));
}

TEST(Completion, KnowsNounsVerbsAndFlagsInEveryShell) {
  EXPECT_THAT(CompletesInBash({"requ"}), ElementsAre("requests"));
  EXPECT_THAT(CompletesInZsh({"requ"}), ElementsAre("-S", "--", "--", "requests"));
  EXPECT_THAT(CompletesInFish({"requ"}), ElementsAre("requests"));

  EXPECT_THAT(CompletesInBash({"requests", "waive"}), ElementsAre("waive-lateness"));
  EXPECT_THAT(CompletesInZsh({"requests", "waive"}),
              ElementsAre("-S", "--", "--", "waive-lateness"));
  EXPECT_THAT(CompletesInFish({"requests", "waive"}), ElementsAre("waive-lateness"));
}

TEST(Completion, LeavesNoSpaceBehindAFlagThatTakesAValue) {
  EXPECT_THAT(CompletesInBash({"members", "create", "--given"}),
              ElementsAre("-o nospace", "--given-name="));
  EXPECT_THAT(CompletesInZsh({"members", "create", "--given"}),
              ElementsAre("-S", "--", "--given-name=", "--"));
  EXPECT_THAT(CompletesInFish({"members", "create", "--given"}), ElementsAre("--given-name="));
}

TEST(Completion, OffersFilesWhereNothingFits) {
  EXPECT_THAT(CompletesInBash({"import", "/et"}),
              IsEmpty());  // then bash itself does, by -o default
  EXPECT_THAT(CompletesInZsh({"import", "/et"}), ElementsAre("FILES"));
  EXPECT_THAT(CompletesInFish({"import", "/et"}), Contains("/etc/"));
}

TEST(DerivedId, IsTheSameEveryTime) {
  EXPECT_EQ(DerivedId("M001"), DerivedId("M001"));
  EXPECT_NE(DerivedId("M001"), DerivedId("M002"));
  EXPECT_EQ(DerivedId("x")[14], '8');
}

// ---- output ----

TEST(Table, FitsColumnsIntoItsWidth) {
  const std::vector<std::vector<std::string>> rows = {
      {"name", "state", "minutes", "title"},
      {"requests/1", "ACCEPTED", "30", "Local Offer"},
      {"requests/22", "DRAFT", "120", "Zoë's plan\nand more"}};
  EXPECT_EQ(Table(rows, 80),
            "name         state     minutes  title\n"
            "requests/1   ACCEPTED       30  Local Offer\n"
            "requests/22  DRAFT         120  Zoë's plan\n");
  EXPECT_EQ(Table(rows, 40),
            "name         state     minutes  title\n"
            "requests/1   ACCEPTED       30  Local O…\n"
            "requests/22  DRAFT         120  Zoë's p…\n");
  // What would be too narrow to read is left out.
  EXPECT_EQ(Table(rows, 36),
            "name         state     minutes\n"
            "requests/1   ACCEPTED       30\n"
            "requests/22  DRAFT         120\n");
}

TEST(AsTable, ShowsAListByNameStateAndWhatSaysSomething) {
  coproduction::membership::v1::ListMembersResponse answer;
  EXPECT_EQ(AsTable(answer, 80), "nothing\n");
  auto* member = answer.add_members();
  member->set_name("forums/warwickshire/members/m1");
  member->set_etag("\"1\"");
  member->set_given_name("Zoë");
  member->set_state(coproduction::membership::v1::Member::ACTIVE);
  answer.set_next_page_token("abc");
  EXPECT_EQ(AsTable(answer, 80),
            "name        state   given_name\n"
            "members/m1  ACTIVE  Zoë\n"
            "more: --all, or --page-token=abc\n");
}

TEST(AsTable, ShowsWhatWasSetAsideOnOneLineEach) {
  coproduction::hub::v1::ListDeadLettersResponse answer;
  auto* letter = answer.add_dead_letters();
  letter->set_service("membership");
  letter->set_event("scheduling.c7f3a1b2c3d40101");
  letter->set_type("RepAllocated");
  letter->set_reason("RESOURCE_NOT_FOUND");
  letter->set_about("reps");
  letter->set_tries(5);
  letter->set_aggregate("forums/warwickshire/allocations/0190a5f2-7b1c-7e4e-8a43-0242ac120002");
  *answer.add_dead_letters() = *letter;
  answer.mutable_dead_letters(1)->clear_reason();
  answer.mutable_dead_letters(1)->clear_about();
  answer.mutable_dead_letters(1)->set_tries(0);
  EXPECT_EQ(
      AsTable(answer, 120),
      "service     event                        type          reason              about  tries  "
      "aggregate\n"
      "membership  scheduling.c7f3a1b2c3d40101  RepAllocated  RESOURCE_NOT_FOUND  reps       5  "
      "allocations/0190a5f2-7b1c-7e4e…\n"
      "membership  scheduling.c7f3a1b2c3d40101  RepAllocated                                 0  "
      "allocations/0190a5f2-7b1c-7e4e…\n");
}

TEST(AsTable, ShowsARecordFieldByField) {
  coproduction::membership::v1::Member member;
  member.set_name("forums/warwickshire/members/m1");
  auto* consent = member.add_consents();
  consent->set_purpose(coproduction::membership::v1::Consent::NEWS);
  consent->mutable_time()->set_seconds(1638528000);
  EXPECT_EQ(AsTable(member, 80),
            "name                 forums/warwickshire/members/m1\n"
            "consents[0].purpose  NEWS\n"
            "consents[0].given    no\n"
            "consents[0].time     2021-12-03 10:40\n");
}

TEST(Refusals, AreOneLineAndOneExitCode) {
  EXPECT_EQ(Refusal(InvalidField("member.email", "'x' is no address")),
            "refused (INVALID_FIELD, field member.email): 'x' is no address");
  EXPECT_EQ(Refusal(RuleRefused("late", "too late")),
            "refused (RULE_REFUSED, rule late): too late");
  EXPECT_EQ(ExitCodeOf(RuleRefused("late", "too late")), kRefused);
  EXPECT_EQ(Refusal(UsageError("NAME is missing")), "NAME is missing");
  EXPECT_EQ(ExitCodeOf(UsageError("NAME is missing")), kUsage);
  EXPECT_EQ(ExitCodeOf(Refuse(errors::TEMPORARILY_UNAVAILABLE, "away")), kNotReachable);
}

TEST(Rights, APersonIsHandedAPageInPlainWords) {
  coproduction::hub::v1::PersonalData data;
  auto* line = data.add_entries();
  line->set_service("remuneration");
  line->set_kind(coproduction::hub::v1::PersonalEntry::RECORD);
  line->set_type("ClaimLine");
  line->set_name("forums/w/claimLines/l1");
  line->set_data_json(
      R"({"name": "forums/w/claimLines/l1", "date": "2022-05-06", "amount_pence": "350",)"
      R"( "evidence": "<bus> & train", "vehicle": "MOTOR_CYCLE"})");
  line->add_withheld("approver");
  line->add_kept("amount_pence");
  line->set_retention("P6Y");
  line->set_kept_because("records of payments");
  auto* read = data.add_entries();
  read->set_service("remuneration");
  read->set_kind(coproduction::hub::v1::PersonalEntry::READ);
  read->set_type("coproduction.remuneration.v1.Claims.GetClaim");
  read->set_by("chair of the forum");
  read->set_times(2);
  const std::string page = PersonalPage(data, "forums/w/members/m1", "2022-05-09");
  for (const char* said :
       {"As of 9 May 2022", "<td>6 May 2022</td>", "<td>£3.50</td>", "&lt;bus&gt; &amp; train",
        "Motor cycle", "<td>Not shown</td><td>Approver",
        "Amount pence for 6 years: records of payments", "chair of the forum"}) {
    EXPECT_THAT(page, HasSubstr(said));
  }
  const std::string json = PersonalJson(data, "forums/w/members/m1", "2022-05-09");
  EXPECT_THAT(json, HasSubstr("\"evidence\""));
  EXPECT_THAT(json, HasSubstr("\"reads\""));
}

TEST(Rights, AProofSaysWhatIsKeptAndWhoHasNotSaidSo) {
  coproduction::membership::v1::RightsRequest request;
  request.set_member("forums/w/members/m1");
  request.set_received_on("2022-05-09");
  request.set_due_on("2022-05-11");
  request.set_state(coproduction::membership::v1::RightsRequest::ERASING);
  auto* said = request.add_confirmations();
  said->set_service("remuneration");
  said->set_erased_on("2022-05-10");
  auto* kind = said->add_kinds();
  kind->set_type("ClaimLine");
  kind->set_records(2);
  kind->add_blanked("evidence");
  kind->add_kept("amount_pence");
  kind->set_kept_until("2028-05-10");
  kind->set_kept_because("records of payments");
  const std::string text = ProofText(request);
  EXPECT_THAT(text, HasSubstr("Claim line, 2 records: emptied evidence; kept without a name until "
                              "10 May 2028 at most, as records of payments: amount pence."));
  EXPECT_THAT(text,
              HasSubstr("Not said yet by: engagement, membership, scheduling. Due on 11 May"));
  request.set_state(coproduction::membership::v1::RightsRequest::DONE);
  request.set_done_on("2022-05-10");
  EXPECT_THAT(ProofText(request), HasSubstr("done on 10 May 2022"));
  EXPECT_THAT(ProofText(request), ::testing::Not(HasSubstr("Not said")));
}

TEST(Evaluation, IsATableWithAChart) {
  coproduction::engagement::v1::Evaluation evaluation;
  evaluation.set_from("2021-12-03");
  evaluation.set_to("2022-06-14");
  evaluation.set_items_presented(3);
  (*evaluation.mutable_items_by_workstream())["CHANGE_PROGRAMME"] = 2;
  (*evaluation.mutable_items_by_workstream())["BUSINESS_AS_USUAL"] = 1;
  evaluation.mutable_late()->set_count(1);
  evaluation.mutable_late()->set_of(3);
  evaluation.mutable_remuneration()->set_expenses_pence(12305);
  const std::string text = EvaluationText(evaluation, "forums/warwickshire", 60);
  EXPECT_THAT(text, HasSubstr("forums/warwickshire, 3 Dec 2021 to 14 Jun 2022"));
  EXPECT_THAT(text, HasSubstr("1 of 3 (33%)"));
  EXPECT_THAT(text, HasSubstr("£123.05"));
  const size_t most = text.find("Change programme   █"), least = text.find("Business as usual  █");
  EXPECT_LT(most, least);
  EXPECT_NE(least, std::string::npos);
}

}  // namespace
}  // namespace hub::ctl
