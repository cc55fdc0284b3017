// The two passes over a sheet: all rows judged, then all rows brought in.
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/id.h"
#include "common/base/letters.h"
#include "common/base/words.h"
#include "coproduction/membership/v1/duplicates.pb.h"
#include "google/protobuf/struct.pb.h"
#include "services/hubctl/import.h"
#include "services/hubctl/output.h"
#include "services/hubctl/sheets_writer.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;
namespace v1 = ::coproduction::membership::v1;

constexpr int kPatienceSeconds = 60;
constexpr size_t kCallsAtOnce = 16;  // what the hub commits together
constexpr size_t kRowsAtOnce = 512;
constexpr char kResult[] = "Result";
constexpr char kToMend[] = "What to mend";
// Says of a row that is likely to be about a member, who that is; or that it is about nobody there.
constexpr char kSameAs[] = "Same as";
constexpr char kNobody[] = "nobody";
constexpr int kMostOffered = 3;

enum State : uint8_t { kNew, kThere, kHasLeft, kRefused };

struct Verdict {
  State state = kNew;
  std::vector<Complaint> complaints;
  Status ends;  // not OK: the hub said what is not about the row, and the run ends
};

bool IsDone(const Status& status) {
  const errors::ErrorReason reason = ReasonOf(status);
  return status.ok() || reason == errors::ALREADY_DONE || reason == errors::RESOURCE_EXISTS;
}

// The hub's word on one row; anything else ends the run.
bool IsAboutTheRow(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

void Judge(const Row& row, const Status& status, Verdict* verdict) {
  if (IsDone(status)) return;
  if (IsAboutTheRow(status)) {
    verdict->complaints.push_back(ComplaintOf(row, status));
  } else {
    verdict->ends = status;
  }
}

void EachAtOnce(size_t count, const std::function<void(size_t)>& each) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(kCallsAtOnce, count); ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < count; at = next++) each(at);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Rows that were met before, a few bytes each.
class Seen {
 public:
  // The line in which it was met first; none where this is the first time.
  std::optional<int> Add(const std::string& key, int line) {
    const auto [first, is_new] = lines_.emplace(HashOf(key), line);
    return is_new ? std::nullopt : std::optional<int>(first->second);
  }
  bool Has(const std::string& key) const { return lines_.contains(HashOf(key)); }

 private:
  static uint64_t HashOf(const std::string& key) { return absl::Hash<std::string>()(key); }
  absl::flat_hash_map<uint64_t, int> lines_;
};

// What is done with the rows of one kind of sheet, by many threads at once.
class Kind {
 public:
  Kind(const Client& client, std::string parent) : client_(client), parent_(std::move(parent)) {}
  virtual ~Kind() = default;
  virtual const std::vector<Heading>& headings() const = 0;
  // What must be in one row only, and the heading that it stands under.
  virtual std::string IdentityOf(const Row& row) const = 0;
  virtual const char* identity() const = 0;
  virtual Verdict Check(const Row& row) const = 0;
  virtual Verdict Bring(const Row& row, State state) const = 0;
  virtual bool offers() const { return false; }  // of whom is there, who may be the same

 protected:
  // The forum's member of that name's last part, or who came with that key, whenever that was.
  StatusOr<std::optional<v1::Member>> Find(const std::string& who) const {
    ASSIGN_OR_RETURN(auto member, Get(who));
    if (member.has_value()) return member;
    v1::ListMembersRequest list;
    list.set_parent(parent_);
    list.set_page_size(1);
    list.set_filter(absl::StrCat("source_key = \"", who, "\""));
    ASSIGN_OR_RETURN(const auto page, client_.Call<v1::ListMembersResponse>(list));
    if (page.members_size() > 0) member = page.members(0);
    return member;
  }

  StatusOr<std::optional<v1::Member>> Get(const std::string& id) const {
    if (!IsUuid(id)) return std::optional<v1::Member>();
    v1::GetMemberRequest get;
    get.set_name(absl::StrCat(parent_, "/members/", id));
    auto member = client_.Call<v1::Member>(get);
    if (ReasonOf(member.status()) == errors::RESOURCE_NOT_FOUND) {
      return std::optional<v1::Member>();
    }
    RETURN_IF_ERROR(member.status());
    return std::optional<v1::Member>(*std::move(member));
  }

  // Only says whether the hub would refuse it.
  template <class Response, class Request>
  Status Try(Request request) const {
    request.set_validate_only(true);
    request.set_request_id(NewRandomId());
    return client_.Call<Response>(request).status();
  }

  // The same step of the same row has the same request_id.
  template <class Response, class Request>
  StatusOr<Response> Do(const Row& row, const std::string& step, Request request) const {
    request.set_request_id(
        DerivedId(absl::StrJoin({IdentityOf(row), step, request.SerializeAsString()}, "|")));
    return client_.Call<Response>(request);
  }

  const Client& client_;
  const std::string parent_;
};

class MemberRows : public Kind {
 public:
  using Kind::Kind;
  const std::vector<Heading>& headings() const override { return MemberHeadings(); }
  std::string IdentityOf(const Row& row) const override { return SourceKey(row); }
  const char* identity() const override { return "Key"; }

  Verdict Check(const Row& row) const override {
    Verdict verdict;
    const std::string key = SourceKey(row);
    if (key.find('"') != std::string::npos || key.find(" AND ") != std::string::npos) {
      verdict.complaints.push_back({row.sheet->file(), row.line, row.sheet->TitleOf("Key"),
                                    "'" + key +
                                        "' has a quotation mark or AND in it; write it "
                                        "without"});
    }
    v1::CreateMemberRequest request = MemberOf(row, parent_, &verdict.complaints);
    const std::string left_on = DayIn(row, "Left", &verdict.complaints);
    const auto left_wrongly = [&](const char* why) {
      verdict.complaints.push_back({row.sheet->file(), row.line, row.sheet->TitleOf("Left"),
                                    absl::StrCat("'", row["Left"], "' ", why)});
    };
    if (!left_on.empty() && left_on < request.member().joined_on()) {
      left_wrongly(
          "is before the day of joining; write the day from which the member left, or "
          "mend that of joining");
    }
    if (!verdict.complaints.empty()) return verdict;
    // The forum has each key once: it is refused even months after, and without reading anybody.
    const Status tried = Try<v1::Member>(request);
    const bool known = ReasonOf(tried) == errors::RESOURCE_EXISTS;
    if (known && left_on.empty()) return {kThere, {}, {}};
    const auto member = known ? Find(key) : Get(WhoIs(row));
    verdict.ends = member.status();
    if (!member.ok()) return verdict;
    if (member->has_value()) {
      const bool leaves = !left_on.empty() && (*member)->state() == v1::Member::ACTIVE;
      verdict.state = leaves ? kHasLeft : kThere;
      return verdict;
    }
    if (WhoIs(row) != key) {
      verdict.complaints.push_back({row.sheet->file(), row.line, kSameAs,
                                    absl::StrCat("'", row[kSameAs],
                                                 "' is no member; write the id "
                                                 "of one, or '",
                                                 kNobody, "'")});
      return verdict;
    }
    Judge(row, tried, &verdict);
    if (verdict.complaints.empty() && verdict.ends.ok() && row[kSameAs].empty()) {
      verdict.ends = Offer(row, request.member(), &verdict.complaints);
    }
    if (left_on.empty() || !verdict.complaints.empty()) return verdict;
    // Nobody leaves on a day on which nobody could join yet.
    request.mutable_member()->set_joined_on(left_on);
    const Status leaves = Try<v1::Member>(request);
    if (ErrorInfoOf(leaves).metadata().count("field") > 0) {
      left_wrongly("is in the future; leave it empty until then");
    }
    return verdict;
  }

  Verdict Bring(const Row& row, State state) const override {
    Verdict verdict{state, {}, {}};
    if (state == kThere) return verdict;
    const v1::CreateMemberRequest request = MemberOf(row, parent_, &verdict.complaints);
    v1::LeaveMemberRequest leave;
    leave.set_left_on(DayIn(row, "Left", &verdict.complaints));
    if (state == kNew) {
      const auto member = Do<v1::Member>(row, "create", request);
      Judge(row, member.status(), &verdict);
      if (!member.ok()) return verdict;
      leave.set_name(member->name());
    } else {
      const auto member = Find(WhoIs(row));
      verdict.ends = member.status();
      if (!member.ok() || !member->has_value()) return verdict;
      leave.set_name((*member)->name());
    }
    if (!leave.left_on().empty()) {
      Judge(row, Do<v1::Member>(row, "leave", leave).status(), &verdict);
    }
    return verdict;
  }
  bool offers() const override { return true; }

 private:
  // The key or the id of the member whom the row is about.
  static std::string WhoIs(const Row& row) {
    const std::string& same_as = row[kSameAs];
    return same_as.empty() || Folded(same_as) == kNobody ? SourceKey(row) : LastPart(same_as, '/');
  }

  // Who is likely to be the same is for a person to say.
  Status Offer(const Row& row, const v1::Member& entered,
               std::vector<Complaint>* complaints) const {
    v1::FindDuplicatesRequest find;
    find.set_parent(parent_);
    *find.mutable_member() = entered;
    find.set_most(kMostOffered);
    ASSIGN_OR_RETURN(const auto found, client_.Call<v1::FindDuplicatesResponse>(find));
    std::vector<std::string> offered;
    for (const v1::Likeness& likeness : found.likenesses()) {
      std::vector<std::string> reasons;
      for (int reason : likeness.reasons()) {
        reasons.push_back(
            Words(v1::Likeness::Reason_Name(static_cast<v1::Likeness::Reason>(reason))));
      }
      offered.push_back(absl::StrCat(
          LastPart(likeness.member(), '/'), " (", likeness.member_called(), ", joined on ",
          WriteDay(likeness.member_since()), ": ", absl::StrJoin(reasons, ", "), ")"));
    }
    if (offered.empty()) return Status();
    complaints->push_back(
        {row.sheet->file(), row.line, kSameAs,
         absl::StrCat("may be about a member who is there: write ", absl::StrJoin(offered, " or "),
                      ", or '", kNobody, "' where it is somebody new")});
    return Status();
  }
};

class RepRows : public Kind {
 public:
  // `members`: the keys of the sheet of members beside it.
  RepRows(const Client& client, const std::string& parent, const Seen* members)
      : Kind(client, parent), members_(members) {}
  const std::vector<Heading>& headings() const override { return RepHeadings(); }
  std::string IdentityOf(const Row& row) const override { return row["Member"]; }
  const char* identity() const override { return "Member"; }

  // Reps are few.
  Status LearnWhoIsThere() {
    v1::ListRepsRequest request;
    request.set_parent(parent_);
    ASSIGN_OR_RETURN(const auto all, AllPages<v1::ListRepsResponse>(client_, request));
    for (const v1::Rep& rep : all.reps()) there_.insert(rep.member());
    return Status();
  }

  Verdict Check(const Row& row) const override {
    Verdict verdict;
    const std::string& key = row["Member"];
    const auto member = Find(key);
    verdict.ends = member.status();
    if (!member.ok()) return verdict;
    const std::string name = member->has_value() ? (*member)->name() : "";
    const v1::CreateRepRequest request = RepOf(row, parent_, name, &verdict.complaints);
    if (there_.count(name) > 0) {
      verdict.state = kThere;
    } else if (!name.empty() && verdict.complaints.empty()) {
      Judge(row, Try<v1::Rep>(request), &verdict);
    } else if (name.empty() && !members_->Has(key)) {
      verdict.complaints.push_back(
          {row.sheet->file(), row.line, row.sheet->TitleOf("Member"),
           "'" + key + "' is no member of the forum, nor of the sheet of members"});
    }
    return verdict;
  }

  Verdict Bring(const Row& row, State state) const override {
    Verdict verdict{state, {}, {}};
    if (state == kThere) return verdict;
    const auto member = Find(row["Member"]);
    verdict.ends = member.status();
    if (!member.ok()) return verdict;
    const std::string name = member->has_value() ? (*member)->name() : "";
    const v1::CreateRepRequest request = RepOf(row, parent_, name, &verdict.complaints);
    Judge(row, Do<v1::Rep>(row, "create", request).status(), &verdict);
    return verdict;
  }

 private:
  const Seen* members_;
  std::set<std::string> there_;  // names of the members who are reps
};

// One sheet.
class Run {
 public:
  Run(std::string path, const ImportOf& what, const Kind& kind, const Options& options)
      : path_(std::move(path)),
        file_(fs::path(path_).filename().string()),
        what_(what),
        kind_(kind),
        json_(WantsJson(options.format)) {}

  // Says of every row whether it can be brought in.
  Status Check() {
    stamp_ = StampOf(path_);
    return Pass("checked", [this](const Row& row, size_t) { return kind_.Check(row); });
  }
  Status Bring() {
    if (StampOf(path_) != stamp_) {
      return UsageError("'" + path_ + "' was changed while it was read; run it again");
    }
    return Pass("brought in",
                [this](const Row& row, size_t at) { return kind_.Bring(row, states_[at]); });
  }

  bool well() const { return wrong_ == 0 && !broken_; }
  // Of the sheet, as one line.
  std::string Wrong() const {
    return broken_ ? absl::StrCat(file_, " cannot be read to its end")
                   : absl::StrCat(wrong_, " of ", rows_, " rows of ", file_,
                                  wrong_ == 1 ? " is wrong" : " are wrong");
  }
  const Seen& seen() const { return seen_; }

  void Tell(google::protobuf::ListValue* sheets) const {
    if (!json_) {
      std::cout << file_ << ": " << rows_ << " rows, " << new_
                << (done_ ? " brought in, " : " to be brought in, ") << there_ << " there already, "
                << wrong_ << " to be mended\n";
      return;
    }
    auto& fields = *sheets->add_values()->mutable_struct_value()->mutable_fields();
    fields["file"].set_string_value(file_);
    fields["form"].set_string_value(form_);
    fields["rows"].set_number_value(static_cast<double>(rows_));
    fields[done_ ? "brought_in" : "to_be_brought_in"].set_number_value(static_cast<double>(new_));
    fields["there_already"].set_number_value(static_cast<double>(there_));
    fields["to_be_mended"].set_number_value(static_cast<double>(wrong_));
    for (const Mapping::Line& line : lines_) {
      auto& column = *fields["columns"]
                          .mutable_list_value()
                          ->add_values()
                          ->mutable_struct_value()
                          ->mutable_fields();
      column["title"].set_string_value(line.title);
      column["read_as"].set_string_value(line.heading);
      column["note"].set_string_value(line.note);
    }
  }

 private:
  using Step = std::function<Verdict(const Row& row, size_t at)>;

  static std::pair<uintmax_t, fs::file_time_type> StampOf(const std::string& path) {
    std::error_code error;
    return {fs::file_size(path, error), fs::last_write_time(path, error)};
  }

  // Reads the sheet once, some rows at a time: those are stepped through at once, and told in their
  // order.
  Status Pass(const char* word, const Step& step) {
    const bool first = lines_.empty();
    done_ = !first;
    rows_ = new_ = there_ = wrong_ = 0;
    auto reader = SheetReader::Open(path_);
    if (!reader.ok()) return Broken({file_, 0, "", MessageOf(reader.status())});
    std::vector<Complaint> complaints;
    std::vector<Heading> headings = kind_.headings();
    headings.push_back({kResult});
    headings.push_back({kToMend});
    if (kind_.offers()) headings.push_back({kSameAs});
    const auto mapping = ReadTitles(reader->get(), file_, headings, &complaints);
    if (mapping != nullptr && first) Show(**reader, *mapping);
    if (!complaints.empty() || mapping == nullptr) return Broken(complaints);
    ASSIGN_OR_RETURN(const auto result, OpenResult(*mapping));
    for (bool more = true; more;) {
      std::vector<Row> rows;
      while (more && rows.size() < kRowsAtOnce) {
        Row row;
        const StatusOr<bool> read = (*reader)->Next(&row);
        if (!read.ok()) return Broken({file_, row.line, "", MessageOf(read.status())});
        more = *read;
        row.sheet = mapping.get();
        if (more) rows.push_back(std::move(row));
      }
      RETURN_IF_ERROR(Take(rows, first, step, result.get()));
      Progress(word, more);
    }
    return result == nullptr ? Status() : result->Close();
  }

  Status Take(const std::vector<Row>& rows, bool first, const Step& step, SheetWriter* result) {
    std::vector<Verdict> verdicts(rows.size());
    const size_t before = rows_;
    EachAtOnce(rows.size(), [&](size_t i) {
      const size_t at = before + i;
      if (first || states_[at] != kRefused) verdicts[i] = step(rows[i], at);
    });
    for (size_t i = 0; i < rows.size(); ++i) {
      Verdict& verdict = verdicts[i];
      RETURN_IF_ERROR(verdict.ends);
      if (first) {
        rows[i].sheet->Check(rows[i], &verdict.complaints);
        CheckIdentity(rows[i], &verdict.complaints);
      }
      if (!verdict.complaints.empty()) verdict.state = kRefused;
      for (const Complaint& complaint : verdict.complaints) std::cerr << complaint.Text() << "\n";
      if (first) states_.push_back(verdict.state);
      ++rows_;
      ++(verdict.state == kRefused ? wrong_ : verdict.state == kThere ? there_ : new_);
      if (result != nullptr) RETURN_IF_ERROR(result->Add(ResultOf(rows[i], verdict)));
    }
    return Status();
  }

  void CheckIdentity(const Row& row, std::vector<Complaint>* complaints) {
    const std::string identity = kind_.IdentityOf(row);
    const std::string column = row.sheet->TitleOf(kind_.identity());
    if (identity.empty()) {
      complaints->push_back({file_, row.line, column, "is empty; write whom the row is about"});
    } else if (const auto line = seen_.Add(identity, row.line); line.has_value()) {
      complaints->push_back(
          {file_, row.line, row[kind_.identity()].empty() ? "" : column,
           row[kind_.identity()].empty()
               ? absl::StrCat("has the names and the way to be reached of line ", *line,
                              "; delete one, or tell the two apart by a column 'Key'")
               : absl::StrCat("'", identity, "' is in line ", *line,
                              " too; delete one of the two")});
    }
  }

  Status Broken(std::vector<Complaint> complaints) {
    for (const Complaint& complaint : complaints) std::cerr << complaint.Text() << "\n";
    broken_ = true;
    return Status();
  }
  Status Broken(const Complaint& complaint) { return Broken(std::vector<Complaint>{complaint}); }

  // How the columns are read.
  void Show(const SheetReader& reader, const Mapping& mapping) {
    form_ = reader.form();
    lines_ = mapping.lines();
    for (Mapping::Line& line : lines_) {
      if (line.heading == kResult || line.heading == kToMend) {
        line = {line.title, "", "of an earlier result"};
      } else if (line.heading != kSameAs && !line.heading.empty() && !IsKept(line.heading)) {
        line = {line.title, "", "not kept by the hub"};
      } else if (line.heading == "Postcode district") {
        line.note += line.note.empty() ? "its first half" : "; its first half";
      }
    }
    if (!mapping.Column(kind_.identity()).has_value()) {
      lines_.push_back({"", kind_.identity(), "made of names and way to be reached"});
    }
    if (json_) return;
    std::cout << file_ << ": " << form_ << "\n";
    std::vector<std::vector<std::string>> table = {{"column", "read as", ""}};
    for (const Mapping::Line& line : lines_) {
      table.push_back({line.title, line.heading.empty() ? "-" : line.heading, line.note});
    }
    std::cout << Table(table, TerminalWidth()) << std::flush;
  }

  // ---- the result as a sheet ----

  StatusOr<std::unique_ptr<SheetWriter>> OpenResult(const Mapping& mapping) {
    if (what_.result.empty()) return std::unique_ptr<SheetWriter>();
    std::vector<std::string> titles;
    std::vector<bool> days;
    shown_.clear();
    for (size_t i = 0; i < mapping.titles().size(); ++i) {
      const std::string& heading = mapping.lines()[i].heading;
      if (heading == kResult || heading == kToMend || heading == kSameAs) continue;
      shown_.push_back(i);
      titles.push_back(mapping.titles()[i]);
      days.push_back(IsDay(heading));
    }
    if (kind_.offers()) titles.push_back(kSameAs);
    titles.insert(titles.end(), {kResult, kToMend});
    return SheetWriter::Open(what_.result, titles, days);
  }

  std::vector<std::string> ResultOf(const Row& row, const Verdict& verdict) const {
    std::vector<std::string> cells;
    for (size_t i : shown_) cells.push_back(i < row.cells.size() ? row.cells[i] : "");
    if (kind_.offers()) cells.push_back(row[kSameAs]);
    cells.push_back(verdict.state == kRefused ? "to be mended"
                    : verdict.state == kThere ? "there already"
                    : done_                   ? "brought in"
                                              : "right; not brought in yet");
    cells.push_back(
        absl::StrJoin(verdict.complaints, "; ", [](std::string* out, const Complaint& complaint) {
          absl::StrAppend(out, complaint.column, complaint.column.empty() ? "" : ": ",
                          complaint.reason);
        }));
    return cells;
  }

  // On a terminal, how far it has come.
  void Progress(const char* word, bool more) const {
    if (isatty(STDERR_FILENO) == 0) return;
    std::cerr << "\r" << file_ << ": " << word << " " << rows_;
    if (done_) std::cerr << " of " << states_.size();
    std::cerr << " rows" << (more ? "" : "\r\033[K") << std::flush;
  }

  const std::string path_, file_;
  const ImportOf& what_;
  const Kind& kind_;
  const bool json_;
  std::pair<uintmax_t, fs::file_time_type> stamp_;
  std::string form_;
  std::vector<Mapping::Line> lines_;
  std::vector<State> states_;  // by row, as it was checked
  Seen seen_;
  std::vector<size_t> shown_;  // columns of the result
  size_t rows_ = 0, new_ = 0, there_ = 0, wrong_ = 0;
  bool done_ = false, broken_ = false;
};

// The sheet of that name in the folder; empty where there is none.
std::string SheetIn(const std::string& folder, const std::string& name) {
  for (const char* end : {".xlsx", ".csv"}) {
    const std::string path = (fs::path(folder) / (name + end)).string();
    if (fs::exists(path)) return path;
  }
  return "";
}

Status Wrong(const std::vector<Run*>& runs, const std::string& outcome) {
  std::vector<std::string> wrong;
  for (const Run* run : runs) {
    if (!run->well()) wrong.push_back(run->Wrong());
  }
  if (wrong.empty()) return Status();
  return Refuse(errors::INVALID_FIELD, absl::StrJoin(wrong, ", ") + "; " + outcome);
}

}  // namespace

Status Import(const ImportOf& what, const Options& options) {
  ASSIGN_OR_RETURN(const std::string parent, ForumFor("import", options));
  if (!fs::exists(what.path)) return UsageError("'" + what.path + "' is not there");
  const bool folder = fs::is_directory(what.path);
  const bool of_reps = !folder && fs::path(what.path).stem() == "reps";
  const std::string members = folder ? SheetIn(what.path, "members") : of_reps ? "" : what.path;
  const std::string reps = folder ? SheetIn(what.path, "reps") : of_reps ? what.path : "";
  if (members.empty() && reps.empty()) {
    return UsageError("'" + what.path +
                      "' has no members.xlsx, members.csv, reps.xlsx or reps.csv");
  }
  if (!what.result.empty() && !members.empty() && !reps.empty()) {
    return UsageError("--result is of one sheet: name the sheet instead of its folder");
  }
  std::error_code error;
  if (fs::equivalent(what.path, what.result, error)) {
    return UsageError("--result is the sheet itself; name another file");
  }
  const auto servers = std::make_shared<Servers>(options.server, false, options.authority);
  const Client client(servers, Kept(TokensOf(options)), kPatienceSeconds);
  const MemberRows member_rows(client, parent);
  Run member_run(members, what, member_rows, options);
  RepRows rep_rows(client, parent, &member_run.seen());
  Run rep_run(reps, what, rep_rows, options);
  std::vector<Run*> runs;
  if (!members.empty()) runs.push_back(&member_run);
  if (!reps.empty()) {
    RETURN_IF_ERROR(rep_rows.LearnWhoIsThere());
    runs.push_back(&rep_run);
  }
  for (Run* run : runs) RETURN_IF_ERROR(run->Check());
  Status status = Wrong(runs, "nothing was brought in");
  if (status.ok() && !what.dry_run) {
    for (Run* run : runs) RETURN_IF_ERROR(run->Bring());
    status = Wrong(runs, "the others were brought in");
  }
  google::protobuf::Struct told;
  auto* sheets = (*told.mutable_fields())["sheets"].mutable_list_value();
  for (const Run* run : runs) run->Tell(sheets);
  if (WantsJson(options.format)) std::cout << AsJson(told);
  return status;
}

}  // namespace hub::ctl
