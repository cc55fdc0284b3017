#include "services/hubctl/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/version.h"
#include "google/protobuf/util/json_util.h"
#include "services/hubctl/api.h"
#include "services/hubctl/backup.h"
#include "services/hubctl/call.h"
#include "services/hubctl/commands.h"
#include "services/hubctl/completion.h"
#include "services/hubctl/crossings.h"
#include "services/hubctl/demo.h"
#include "services/hubctl/evaluation.h"
#include "services/hubctl/events.h"
#include "services/hubctl/export.h"
#include "services/hubctl/figures.h"
#include "services/hubctl/grants.h"
#include "services/hubctl/import.h"
#include "services/hubctl/keys.h"
#include "services/hubctl/output.h"
#include "services/hubctl/reach.h"
#include "services/hubctl/rights.h"
#include "services/hubctl/roster.h"
#include "services/hubctl/token.h"
#include "services/hubctl/verify.h"

namespace hub::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kHelpColumn = 28;
constexpr size_t kWidestHelp = 100;

// Sentences broken into lines that begin at `column`; the first line is already `at` letters long.
std::string Wrapped(const std::string& text, size_t at, size_t column) {
  const size_t width = std::min(TerminalWidth(), kWidestHelp);
  std::string out;
  for (const std::string& word :
       std::vector<std::string>(absl::StrSplit(text, ' ', absl::SkipEmpty()))) {
    if (at > column && at + 1 + Letters(word) > width) out += "\n", at = 0;
    const size_t gap = at < column ? column - at : at == column ? 0 : 1;
    out += std::string(gap, ' ') + word;
    at += gap + Letters(word);
  }
  return out + "\n";
}

// A name, and what it is beside it.
std::string Entry(const std::string& name, const std::string& text) {
  std::string out = "  " + name;
  const bool beside = out.size() < kHelpColumn;
  if (!beside && !text.empty()) out += "\n";
  return out + Wrapped(text, beside ? out.size() : 0, kHelpColumn);
}

class HelpText : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    return app->get_description().empty() ? "" : Wrapped(app->get_description(), 0, 0) + "\n";
  }
  std::string make_option(const CLI::Option* option, bool positional) const override {
    const bool takes_value = option->get_expected_max() > 0;
    return Entry(positional ? option->get_name(true)
                            : "--" + option->get_lnames().front() + (takes_value ? "=..." : ""),
                 option->get_description());
  }
  std::string make_subcommand(const CLI::App* app) const override {
    return Entry(app->get_name(), app->get_description());
  }
  std::string make_footer(const CLI::App* app) const override {
    std::string out;
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(app->get_footer(), '\n'))) {
      out += Wrapped(line, 0, 0);
    }
    return out;
  }
};

// The tree of commands unfolds as it is parsed: only the noun and the verb that are asked for are
// built.
class Program {
 public:
  Program() {
    app_.name("hubctl");
    app_.description("hubctl speaks to a Coproduction Hub: every method of its API is a command.");
    app_.formatter(std::make_shared<HelpText>());
    app_.set_version_flag("--version", "hubctl " + HubVersion());
    app_.fallthrough();
    app_.require_subcommand(1);
    app_.footer(
        "Names may be written within the forum, as requests/0190..., where --forum is given. A "
        "field "
        "of a record may be written in full, as --request.title=...; it must be where two fields "
        "or "
        "an option above have its name.\n"
        "Exit codes: 0 done, 1 refused by the hub, 2 wrong use, 3 the hub cannot be reached.");
    AddGlobals();
    AddOwn();
    for (const auto& [name, noun] : Api::Embedded().nouns()) AddNoun(name, noun);
  }

  int Run(const std::vector<std::string>& words) {
    if (words.size() >= 2 && words[0] == "completion" && words[1] == "words") {
      return PrintContinuations({words.begin() + 2, words.end()});
    }
    std::vector<std::string> arguments;  // last first, as CLI11 wants it
    for (const std::string& word : words) {
      if (word.starts_with("--") && word.size() > 3 && word.ends_with("=") &&
          word.find('=') == word.size() - 1) {
        arguments.insert(arguments.begin(), word.substr(0, word.size() - 1));
        arguments.insert(arguments.begin(), "");  // an empty value, not the next word
      } else {
        arguments.insert(arguments.begin(), word);
      }
    }
    try {
      app_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      const std::vector<std::string> unknown = app_.remaining(true);
      if (error.get_exit_code() == 0 || unknown.empty()) {
        return app_.exit(error) == 0 ? kDone : kUsage;
      }
      std::cerr << "hubctl: '" << unknown.front() << "' is not known here; --help lists what is\n";
      return kUsage;
    }
    const Status status = run_();
    std::cout << std::flush;
    if (!status.ok()) {
      std::cerr << (ExitCodeOf(status) == kUsage ? "hubctl: " : "") << Refusal(status) << "\n";
    }
    return status.ok() ? verdict_ : ExitCodeOf(status);
  }

 private:
  void AddGlobals() {
    app_.add_option("--server", options_.server,
                    "The hub, as host:port; 127.0.0.1:7400 if not said (HUB_SERVER). Where its "
                    "services run apart: service=host:port for each process, parted by commas.")
        ->envname("HUB_SERVER");
    app_.add_option("--authority", options_.authority,
                    "A PEM file: who signed the server's certificate; without it the connection is "
                    "plain (HUB_AUTHORITY).")
        ->envname("HUB_AUTHORITY");
    app_.add_option("--token", options_.token, "The token to call with (HUB_TOKEN).")
        ->envname("HUB_TOKEN");
    app_.add_option("--token-file", options_.token_file, "A file with the token (HUB_TOKEN_FILE).")
        ->envname("HUB_TOKEN_FILE");
    app_.add_option("--as", options_.as,
                    "The role to call as, on a local hub: chair, or rep:R03 for a certain person; "
                    "signed by the development issuer in --state.");
    app_.add_option("--state", options_.state, "The local hub's folder (HUB_STATE).")
        ->envname("HUB_STATE");
    app_.add_option("--forum", options_.forum, "The forum, as warwickshire (HUB_FORUM).")
        ->envname("HUB_FORUM");
    app_.add_option("--format", options_.format,
                    "table or json; a table on a terminal if not said.")
        ->check(CLI::IsMember({"table", "json"}));
  }

  // ---- commands from the descriptors ----

  void AddNoun(const std::string& name, const Api::Noun& noun) {
    CLI::App* group = Find(&app_, name);  // 'events' has a command of its own beside the API's
    if (group == nullptr) group = app_.add_subcommand(name, noun.comment);
    group->group("Nouns of the API");
    group->require_subcommand(1);
    Unfolds(group, [this, group, name, &noun] {
      commands_ = CommandsOf(name, Api::Embedded().Service(noun));
      for (const Command& command : commands_) AddVerb(group, command);
    });
  }

  void AddVerb(CLI::App* group, const Command& command) {
    CLI::App* verb = group->add_subcommand(command.verb, CommentOf(command.method));
    verb->group("Commands");
    verb->footer(PolicyOf(command.method) +
                 "\nhubctl --help lists the options that every command takes.");
    Unfolds(verb, [this, verb, &command] { AddFlags(verb, command); });
  }

  void AddFlags(CLI::App* verb, const Command& command) {
    struct Given {
      std::vector<std::pair<const Flag*, CLI::Option*>> flags;
      std::string name;
      std::string json;
      bool all = false;
    };
    auto given = std::make_shared<Given>();
    if (!command.positional.path.empty()) {
      const std::string what = command.positional.field()->name();
      verb->add_option(what == "parent" ? "PARENT" : "NAME", given->name,
                       what == "parent" ? "The forum, as forums/warwickshire; --forum if not said."
                                        : "The record's name.");
    }
    for (const Flag& flag : command.flags) {
      std::string names = "--" + (flag.name.empty() ? flag.full : flag.name);
      if (!flag.name.empty() && flag.full != flag.name) names += ",--" + flag.full;
      const bool is_switch =
          flag.field()->cpp_type() == FieldDescriptor::CPPTYPE_BOOL && !flag.field()->is_repeated();
      const std::string help = HelpOf(flag);
      CLI::Option* option = is_switch ? verb->add_flag(names, help) : verb->add_option(names, help);
      if (!is_switch) {
        option->type_size(1)->expected(1);
        if (flag.field()->is_repeated()) {
          option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
        }
      }
      given->flags.emplace_back(&flag, option);
    }
    verb->add_option("--json", given->json,
                     "The whole request as JSON; flags are set on top of it.");
    const bool pages = command.method->output_type()->FindFieldByName("next_page_token") != nullptr;
    if (pages) verb->add_flag("--all", given->all, "All pages.");
    verb->final_callback([this, given, &command] {
      run_ = [this, given, &command]() -> Status {
        std::unique_ptr<Message> request = Api::Embedded().New(command.method->input_type());
        if (!given->json.empty()) RETURN_IF_ERROR(FromJson(given->json, request.get()));
        std::vector<const Flag*> set;
        for (const auto& [flag, option] : given->flags) {
          if (option->count() == 0) continue;
          RETURN_IF_ERROR(SetField(request.get(), *flag, option->results(), options_.forum));
          set.push_back(flag);
        }
        RETURN_IF_ERROR(SetName(command, given->name, !given->json.empty(), request.get()));
        FillMask(request.get(), set);
        FillRequestId(request.get());
        return Send(command, request.get(), given->all);
      };
    });
  }

  static Status FromJson(const std::string& json, Message* request) {
    const auto parsed = google::protobuf::util::JsonStringToMessage(json, request);
    if (parsed.ok()) return Status();
    return UsageError(absl::StrCat("--json is no ", request->GetDescriptor()->name(), ": ",
                                   std::string(parsed.message())));
  }

  Status SetName(const Command& command, const std::string& given, bool has_json,
                 Message* request) const {
    if (command.positional.path.empty()) return Status();
    const std::string name = given.empty() ? DefaultName(command, options_.forum) : given;
    if (!name.empty()) return SetField(request, command.positional, {name}, options_.forum);
    if (has_json) return Status();
    const bool parent = command.positional.field()->name() == "parent";
    return UsageError(parent ? "PARENT is missing: forums/warwickshire, or --forum=warwickshire"
                             : "NAME is missing: the name of the record that it is about");
  }

  // One call, or as many as there are pages.
  Status Send(const Command& command, Message* request, bool all) const {
    const std::string path =
        absl::StrCat("/", command.method->service()->full_name(), "/", command.method->name());
    const Client client(options_);
    std::unique_ptr<Message> answer = Api::Embedded().New(command.method->output_type());
    const FieldDescriptor* next = answer->GetDescriptor()->FindFieldByName("next_page_token");
    while (true) {
      std::unique_ptr<Message> page(answer->New());
      RETURN_IF_ERROR(client.Call(path, *request, page.get()));
      if (next != nullptr) answer->GetReflection()->ClearField(answer.get(), next);
      answer->MergeFrom(*page);
      if (!all) break;
      const std::string token = page->GetReflection()->GetString(*page, next);
      if (token.empty()) break;
      request->GetReflection()->SetString(
          request, request->GetDescriptor()->FindFieldByName("page_token"), token);
    }
    Print(*answer, options_.format);
    return Status();
  }

  // ---- commands of its own ----

  CLI::App* Own(CLI::App* parent, const std::string& name, const std::string& description,
                std::function<Status()> run) {
    CLI::App* command = parent->add_subcommand(name, description);
    if (parent == &app_) command->group("Commands of its own");
    command->final_callback([this, run = std::move(run)] { run_ = run; });
    return command;
  }

  CLI::App* Group(const std::string& name, const std::string& description) {
    CLI::App* group = app_.add_subcommand(name, description)->require_subcommand(1);
    return group->group("Commands of its own");
  }

  void AddOwn() {
    CLI::App* token = Own(&app_, "token", "Prints a token of a local hub's development issuer.",
                          [this] { return PrintToken(); });
    token->add_option("--key,--person", key_, "A certain person with that role, as R03.");
    token->add_option("--minutes", minutes_, "How long it holds; 60 if not said.")
        ->check(CLI::Range(1, 24 * 60));

    CLI::App* key_set = Own(&app_, "key-set",
                            "Prints the public halves of services' private keys as hubd's "
                            "--services lists them.",
                            [this]() -> Status {
                              ASSIGN_OR_RETURN(const std::string set, KeySetOf(key_files_));
                              std::cout << set << "\n";
                              return Status();
                            });
    key_set->add_option("PEM", key_files_, "Files; each key is named as its file is.")->required();

    CLI::App* dev = Group("dev", "Makes a local hub's folder and its first grants.");
    Own(dev, "init", "Makes the keys and issuers that --state does not have yet.", [this] {
      if (options_.state.empty()) return UsageError("dev init needs --state=DIR or HUB_STATE");
      return InitState(options_.state, options_.forum.empty() ? kDevelopmentForum : options_.forum);
    });
    Own(dev, "grants", "Makes the forum, its partners and a grant for each role, as the operator.",
        [this] { return MakeGrants(options_); });

    CLI::App* demo = Group("demo", "A forum's half year, played on a demonstration's hub.");
    CLI::App* play = Own(demo, "play",
                         "Plays the sheets of a folder through the API; may be stopped and begun "
                         "again.",
                         [this] { return PlayDemo(folder_, options_); });
    play->add_option("DIR", folder_, "The folder with the sheets.")->required();

    CLI::App* import =
        Own(&app_, "import",
            "Brings sheets of members and reps in, today: all rows, or none where one is wrong.",
            [this] { return Import(import_, options_); });
    import
        ->add_option("PATH", import_.path,
                     "A sheet of members (.xlsx or CSV), or a folder with the sheets members and "
                     "reps.")
        ->required();
    import->add_flag("--dry-run", import_.dry_run,
                     "Only says how the columns are read and what would be refused.");
    import->add_option("--result", import_.result,
                       "Writes the rows as they are, with what is to be mended in each, as a sheet "
                       "(.xlsx or .csv) to be mended and brought in again.");

    CLI::App* exported = Group("export", "Sheets of what the forum keeps.");
    CLI::App* members =
        Own(exported, "members", "Writes the members as the sheet that import reads.",
            [this] { return ExportMembers(folder_, contact_for_, options_); });
    members->add_option("FILE", folder_, "The sheet to write: .xlsx or .csv.")->required();
    members->add_option("--for", contact_for_,
                        "Only who may be contacted for this: news, invitations or surveys.");

    CLI::App* evaluation = Group("evaluation", "The joint evaluation of a period.");
    CLI::App* show = Own(evaluation, "show", "Makes it from the records and shows it.",
                         [this] { return ShowEvaluation(options_, from_, to_, membership_from_); });
    show->add_option("--from", from_, "First day (YYYY-MM-DD).")->required();
    show->add_option("--to", to_, "Last day (YYYY-MM-DD).")->required();
    show->add_option("--membership-from", membership_from_,
                     "Day from which growth of membership counts; --from if not said.");

    CLI::App* events = app_.add_subcommand("events", "Events as their receivers get them.");
    CLI::App* tail =
        Own(events, "tail", "Prints a receiver's events, oldest first, and their count.",
            [this] { return TailEvents(tail_, options_); });
    tail->add_option("--receiver", tail_.receiver,
                     "wpcv (the forum's platform), services, or a partner as wcc.")
        ->required();
    tail->add_flag("--follow", tail_.follow, "Waits for more.");
    tail->add_flag("--count", tail_.count, "Only how many of each type.");

    CLI::App* crossings = Own(
        &app_, "crossings",
        "What crossed from the forum to a partner in a period, under which entry of the sharing "
        "agreement, and of whom.",
        [this] { return ShowCrossings(crossings_, options_); });
    crossings->add_option("--partner", crossings_.partner, "The partner, as wcc.")->required();
    crossings->add_option("--from", crossings_.from, "First day (YYYY-MM-DD).");
    crossings->add_option("--to", crossings_.to, "Last day (YYYY-MM-DD).");
    crossings->add_option("--person", crossings_.person,
                          "Only what was about this member or rep: the record's name, or its last "
                          "part.");
    crossings->add_flag("--count", crossings_.count, "Only how many of each kind.");

    CLI::App* rights = Group("rights", "What a person may ask of the forum about the own data.");
    CLI::App* handed =
        Own(rights, "export",
            "Writes all that is held about a member in the four services, as JSON and "
            "as a page to be read. What only the person may see is in it where --as "
            "or --token is the person's.",
            [this] { return ExportPerson(person_, folder_, options_); });
    handed->add_option("MEMBER", person_, "The member's name, or its last part.")->required();
    handed->add_option("--to", folder_, "The folder for data.json and data.html.")->required();
    CLI::App* proof = Own(rights, "proof",
                          "Says of an erasure what each service erased and when, and what is kept, "
                          "until when and why.",
                          [this] { return ShowProof(person_, options_); });
    proof->add_option("REQUEST", person_, "The request's name, or its last part.")->required();

    CLI::App* figures = Own(&app_, "figures",
                            "What may be printed of what members say of themselves, by the "
                            "calendar.",
                            [this] { return ShowFigures(figures_page_, options_); });
    figures->add_option("--page", figures_page_, "Writes them as a page (HTML) into this file.");

    CLI::App* compare =
        Own(app_.add_subcommand("groups", "Panels and project groups."), "compare",
            "Holds the sheet of an outside system's group against the forum's: whom to add there, "
            "whom to remove, and of whom it cannot be told who it is.",
            [this] { return CompareRoster(compare_, options_); });
    compare->add_option("GROUP", compare_.group, "The group's name, or its last part.")->required();
    compare
        ->add_option("SHEET", compare_.sheet,
                     "All accounts there (.xlsx or CSV), by a column Account or E-mail.")
        ->required();
    compare->add_option("--result", compare_.result, "Writes it as a sheet too (.xlsx or .csv).");

    CLI::App* reach = Own(app_.add_subcommand("reach", "Series of outside figures."), "show",
                          "Shows the last figure of each series, its growth, and how it stands "
                          "beside the number of members.",
                          [this] { return ShowReach(reach_page_, options_); });
    reach->add_option("--page", reach_page_, "Writes all as a page (HTML) into this file.");

    CLI::App* verify =
        Own(&app_, "verify",
            "Holds rows and streams of a hub in --state against each other; stop it first.",
            [this]() -> Status {
              ASSIGN_OR_RETURN(const bool well, Verify(verification_, options_));
              if (!well) verdict_ = kRefused;
              return Status();
            });
    verify->add_option("--receivers", verification_.receivers,
                       "As given to hubd; the state's own if not said.");
    AddDatabases(verify, &verification_.databases);

    CLI::App* taken = Own(&app_, "backup", "Copies a hub's databases and keys, while it serves.",
                          [this] { return TakeBackup(backup_, options_); });
    taken->add_option("DIR", backup_.folder, "The folder to make, for the data.")->required();
    taken
        ->add_option("--keys-to", backup_.keys,
                     "The folder to make, for the keys: to be kept elsewhere, and for days only.")
        ->required();
    AddDatabases(taken, &backup_.databases);

    CLI::App* restore = Own(&app_, "restore", "Brings a backup back; stop the hub first.",
                            [this] { return Restore(backup_, options_); });
    restore->add_option("DIR", backup_.folder, "The folder of the data.")->required();
    restore->add_option("--keys-from", backup_.keys,
                        "The folder of the keys; not said where the key store has survived.");
    restore->add_option(
        "--erasures", backup_.databases.erasures,
        "As given to hubd, the list of keys that must not come back; the state's own "
        "if not said.");
    restore->add_flag("--replace", backup_.replace, "What is there goes.");
    AddDatabases(restore, &backup_.databases);

    CLI::App* keys = Group("keys", "The key store, without which nothing sealed is read.");
    CLI::App* erase = Own(keys, "erase",
                          "Destroys a person's keys for ever, and so all that is sealed of that "
                          "person, in every backup too.",
                          [this] { return EraseKeys(person_, backup_.databases, options_); });
    erase->add_option("PERSON", person_, "The record's name, or its last part.")->required();
    erase->add_option("--erasures", backup_.databases.erasures,
                      "As given to hubd, the list that outlives backups; the state's own if not "
                      "said.");
    AddDatabases(erase, &backup_.databases);
    CLI::App* rotate =
        Own(keys, "rotate",
            "Wraps every key under the first of the master keys, so that the older ones behind it "
            "can go; deploy/README.md has the steps.",
            [this] { return RotateKeys(backup_.databases, options_); });
    rotate->add_option("--erasures", backup_.databases.erasures,
                       "As given to hubd; the state's own if not said.");
    AddDatabases(rotate, &backup_.databases);
    CLI::App* erasures = Own(keys, "erasures", "Prints whose keys were destroyed, as that list.",
                             [this] { return PrintErasures(backup_.databases, options_); });
    AddDatabases(erasures, &backup_.databases);

    CLI::App* completion = Group("completion", "Completes commands in a shell.");
    for (const Completion& shell : kCompletions) {
      Own(completion, shell.shell, absl::StrCat("Prints the script: ", shell.use), [&shell] {
        std::cout << "# " << shell.use << shell.script;
        return Status();
      });
    }
  }

  static void AddDatabases(CLI::App* command, Databases* databases) {
    command
        ->add_option("--database", databases->data,
                     "As given to hubd; the state's own if not said (HUB_DATABASE).")
        ->envname("HUB_DATABASE");
    command
        ->add_option("--keys-database", databases->keys,
                     "As given to hubd; the state's own if not said (HUB_KEYS_DATABASE).")
        ->envname("HUB_KEYS_DATABASE");
    command->add_option("--master-key", databases->master,
                        "As given to hubd; HUB_MASTER_KEY or the state's own if not said.");
  }

  Status PrintToken() const {
    if (options_.as.empty()) return UsageError("token needs --as=ROLE, as --as=chair");
    ASSIGN_OR_RETURN(const std::string token,
                     DevelopmentToken(options_.state, SubjectOf(options_.as, key_), minutes_ * 60));
    std::cout << token << "\n";
    return Status();
  }

  // ---- the tree ----

  // What stands under `app` is added when it is first asked for.
  void Unfolds(CLI::App* app, std::function<void()> add) {
    unfold_[app] = std::move(add);
    app->preparse_callback([this, app](size_t) { Unfold(app); });
  }
  void Unfold(CLI::App* app) {
    if (auto node = unfold_.extract(app)) node.mapped()();
  }

  static CLI::App* Find(CLI::App* under, const std::string& name) {
    const auto found =
        under->get_subcommands([&](const CLI::App* app) { return app->get_name() == name; });
    return found.empty() ? nullptr : found.front();
  }

  // For the shell: the names of commands that may follow, or the flags.
  int PrintContinuations(const std::vector<std::string>& words) {
    CLI::App* at = &app_;
    for (const std::string& word : words) {
      if (CLI::App* next = Find(at, word)) Unfold(at = next);
    }
    for (const CLI::App* next : at->get_subcommands([](const CLI::App*) { return true; })) {
      std::cout << next->get_name() << "\n";
    }
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        std::cout << "--" << name << (option->get_expected_max() > 0 ? "=\n" : "\n");
      }
    }
    return kDone;
  }

  CLI::App app_;
  Options options_;
  std::map<CLI::App*, std::function<void()>> unfold_;
  std::vector<Command> commands_;  // of the noun that was asked for
  std::function<Status()> run_ = [] { return Status(); };

  std::string key_, folder_, from_, to_, membership_from_;
  std::string contact_for_;
  int minutes_ = 60;
  std::vector<std::string> key_files_;
  ImportOf import_;
  Tail tail_;
  CrossingsOf crossings_;
  std::string figures_page_, reach_page_;
  CompareOf compare_;
  Verification verification_;
  Backup backup_;
  std::string person_;
  int verdict_ = kDone;  // of a command that judges
};

}  // namespace

int Run(const std::vector<std::string>& words) { return Program().Run(words); }

}  // namespace hub::ctl
