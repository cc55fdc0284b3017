#include "services/hubctl/token.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/auth/authenticator.h"
#include "common/auth/token.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;
namespace options = ::coproduction::options::v1;

constexpr char kForumIssuer[] = "forum";
constexpr char kCouncilIssuer[] = "wcc";
constexpr char kHealthIssuer[] = "health";
constexpr char kOperatorIssuer[] = "operator";
constexpr char kServiceWord[] = "service";
constexpr char kInsideKey[] = "inside";  // its kid, and inside.pem

std::string ForState(const std::string& state, const std::string& file) {
  return (fs::path(state) / file).string();
}
std::string ForIssuer(const std::string& state, const std::string& file) {
  return (fs::path(state) / "issuers" / file).string();
}

Status CannotWrite(const std::string& path) {
  return UsageError("'" + path + "' cannot be written: " + std::strerror(errno) +
                    "; give --state a folder that you may write to");
}

// The whole file or none, and none where one is: two first starts at once are harmless.
Status WriteOnce(const std::string& path, const std::string& content, mode_t mode) {
  if (fs::exists(path)) return Status();
  const std::string draft = absl::StrCat(path, ".", getpid());
  const Fd file(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file.is_open()) return CannotWrite(path);
  const bool written =
      write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      fsync(file.get()) == 0;
  const bool linked = written && (link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const Status status = linked ? Status() : CannotWrite(path);
  unlink(draft.c_str());
  return status;
}

StatusOr<std::unique_ptr<auth::Signer>> ReadKey(const std::string& path, const std::string& kid) {
  ASSIGN_OR_RETURN(std::string pem, ReadFile(path));
  return auth::Signer::FromPem(pem, kid);
}

// The key at `path`, made if it is not there.
StatusOr<std::unique_ptr<auth::Signer>> KeyAt(const std::string& path, const std::string& kid) {
  if (!fs::exists(path)) {
    ASSIGN_OR_RETURN(std::unique_ptr<auth::Signer> key, auth::Signer::Generate(kid));
    RETURN_IF_ERROR(WriteOnce(path, key->Pem(), 0600));
  }
  return ReadKey(path, kid);
}

Status UnknownWord(const std::string& word) {
  return UsageError("'" + word + "' is no role here; there are " +
                    absl::StrJoin(RoleWords(), ", ", [](std::string* out, const RoleWord& role) {
                      out->append(role.word);
                    }));
}

}  // namespace

const std::vector<RoleWord>& RoleWords() {
  static const std::vector<RoleWord> words = {
      {"chair", options::CHAIR, kForumIssuer, ""},
      {"vice_chair", options::VICE_CHAIR, kForumIssuer, ""},
      {"membership_admin", options::MEMBERSHIP_ADMIN, kForumIssuer, ""},
      {"treasurer", options::TREASURER, kForumIssuer, ""},
      {"safeguarding_lead", options::SAFEGUARDING_LEAD, kForumIssuer, ""},
      {"membership_platform", options::MEMBERSHIP_PLATFORM, kForumIssuer, ""},
      {"member", options::MEMBER, kForumIssuer, ""},
      {"rep", options::REP, kForumIssuer, ""},
      {"facilitator", options::FACILITATOR, kCouncilIssuer, kCouncil},
      {"participation_lead", options::PARTICIPATION_LEAD, kCouncilIssuer, kCouncil},
      {"requestor", options::REQUESTOR, kCouncilIssuer, kCouncil},
      {"funder", options::FUNDER, kCouncilIssuer, kCouncil},
      {"case_system", options::CASE_SYSTEM, kCouncilIssuer, kCouncil},
      {"health_facilitator", options::FACILITATOR, kHealthIssuer, kHealthBody},
      {"health_requestor", options::REQUESTOR, kHealthIssuer, kHealthBody},
      {"operator", options::OPERATOR, kOperatorIssuer, ""}};
  return words;
}

Status InitState(const std::string& state, const std::string& forum) {
  std::error_code error;
  fs::create_directories(fs::path(state) / "issuers", error);
  if (error) {
    return UsageError("the folder '" + state + "' cannot be made: " + error.message());
  }
  const std::string at_forum = "forums/" + forum;
  const std::vector<std::pair<std::string, std::string>> organisations = {
      {kForumIssuer, at_forum},
      {kCouncilIssuer, at_forum + "/partners/" + kCouncil},
      {kHealthIssuer, at_forum + "/partners/" + kHealthBody},
      {kOperatorIssuer, "operator"}};
  std::vector<std::string> entries;
  for (const auto& [issuer, organisation] : organisations) {
    ASSIGN_OR_RETURN(std::unique_ptr<auth::Signer> key,
                     KeyAt(ForIssuer(state, issuer + ".pem"), issuer));
    RETURN_IF_ERROR(WriteOnce(ForIssuer(state, issuer + ".jwks"), key->Jwks(), 0644));
    entries.push_back(absl::StrCat("  {\"issuer\": \"", IssuerUrl(issuer),
                                   "\", \"organisation\": \"", organisation, "\", \"jwks\": \"",
                                   issuer, ".jwks\", \"development\": true}"));
  }
  RETURN_IF_ERROR(WriteOnce(ForIssuer(state, "issuers.json"),
                            "{\"issuers\": [\n" + absl::StrJoin(entries, ",\n") + "\n]}\n", 0644));
  RETURN_IF_ERROR(KeyAt(ForState(state, "inside.pem"), kInsideKey).status());
  return WriteOnce(ForState(state, "master.key"), Hex(RandomBytes(privacy::kKeyBytes)) + "\n",
                   0600);
}

std::string SubjectOf(const std::string& word, const std::string& key) {
  return key.empty() ? word : word + ":" + key;
}

std::string IssuerUrl(const std::string& issuer) { return "https://" + issuer + ".dev.example"; }

StatusOr<std::string> DevelopmentToken(const std::string& state, const std::string& as,
                                       int seconds) {
  if (state.empty()) {
    return UsageError(
        "--as needs the state folder with the development issuers: --state=DIR or "
        "HUB_STATE");
  }
  const std::string word = as.substr(0, as.find(':'));
  if (word == kServiceWord) {
    ASSIGN_OR_RETURN(std::unique_ptr<auth::Signer> key,
                     ReadKey(ForState(state, "inside.pem"), kInsideKey));
    return key->Sign(auth::kInsideIssuer, "hubctl", MachineNow(), 60,
                     {{"act_iss", auth::kInsideIssuer}, {"act_sub", "hubctl"}});
  }
  for (const RoleWord& role : RoleWords()) {
    if (role.word != word) continue;
    ASSIGN_OR_RETURN(std::unique_ptr<auth::Signer> key,
                     ReadKey(ForIssuer(state, role.issuer + ".pem"), role.issuer));
    return key->Sign(IssuerUrl(role.issuer), as, MachineNow(), seconds);
  }
  return UnknownWord(word);
}

StatusOr<std::string> KeySetOf(const std::vector<std::string>& paths) {
  google::protobuf::Struct set;
  auto* keys = (*set.mutable_fields())["keys"].mutable_list_value();
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(std::unique_ptr<auth::Signer> key,
                     ReadKey(path, fs::path(path).stem().string()));
    google::protobuf::Struct one;
    if (!google::protobuf::util::JsonStringToMessage(key->Jwks(), &one).ok()) {
      return Internal("the key in '" + path + "' cannot be said");
    }
    keys->MergeFrom(one.fields().at("keys").list_value());
  }
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(set, &json).ok()) {
    return Internal("the key set cannot be said");
  }
  return json;
}

std::string DerivedId(const std::string& what) {
  std::string hex = Hex(privacy::Sha256("hubctl|" + what)).substr(0, 32);
  hex[12] = '8';
  hex[16] = "89ab"[hex[16] % 4];
  for (size_t at : {8, 13, 18, 23}) hex.insert(at, "-");
  return hex;
}

StatusOr<std::string> ReadFile(const std::string& path) {
  auto contents = Contents(path);
  if (contents) return *std::move(contents);
  return UsageError("'" + path + "' cannot be read: " + std::strerror(errno));
}

}  // namespace hub::ctl
