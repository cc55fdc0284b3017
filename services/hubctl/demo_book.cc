#include "services/hubctl/demo_book.h"

#include <filesystem>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "services/hubctl/import.h"
#include "services/hubctl/output.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

// A column, the sheet whose keys stand in it, and whether it may be empty: 'Follows item>items?'.
struct Column {
  explicit Column(std::string spec) {
    optional = spec.ends_with('?');
    if (optional) spec.pop_back();
    const std::vector<std::string> parts = absl::StrSplit(spec, '>');
    name = parts[0];
    if (parts.size() > 1) refers_to = parts[1];
  }
  std::string name;
  std::string refers_to;
  bool optional;
};

// The sheets that `import` does not know as well.
const std::map<std::string, std::string>& Specs() {
  static const std::map<std::string, std::string> specs = {
      {"partners", "Key|Id|Kind|Name|From"},
      {"officers", "Key|Name|Partner>partners|Team|Job|Roles|E-mail"},
      {"interests",
       "Key|Rep>reps|Declared|Kind|Party kind|Partner>partners?|Party|Since|Until|What it is"},
      {"sessions",
       "Key|Series|Title|Date|Start|Minutes|Place|For session>sessions?|Chair>members|"
       "Facilitator>officers|Fewest reps|Most reps|Planned on|Link person>officers?|Brief|"
       "Preparation|About the preparation|Agenda proposed|Agenda agreed by forum|"
       "Agenda agreed by partner|Face to face agreed by forum|Face to face agreed by partner|"
       "Ends as|Why held without a quorum|Cancelled on|Why cancelled"},
      {"requests",
       "Key|Partner>partners|Team|Requestor>officers|Title|Matter|Supplier|Workstream|Purpose|"
       "Decision stage|What it is about|What can still change|What cannot change|Who decides|"
       "Minutes wanted|Needed by|Session asked for>sessions|Papers|Who will attend>officers|"
       "Follows item>items?|Submitted|Late|Waived by>members?|Waived on|Waiver reason|"
       "More information asked on|What was asked|Information given on|Accepted by forum|"
       "Accepted by partner|Declined on|Decline reason|Withdrawn on|Withdrawal reason|Ends as"},
      {"items",
       "Key|Request>requests|Session>sessions|Position|Put on the agenda|Minutes planned|"
       "Minutes actual|Why not the session asked for|Stage felt|Stage felt on|"
       "Further involvement|Further involvement decided on"},
      {"invitations", "Session>sessions|Rep>reps|Invited|Reply|Replied"},
      {"attendance", "Session>sessions|Item>items?|Rep>reps|Allocated|Came|Note"},
      {"records",
       "Key|Item>items|Drafted|Proposed|Agreed by forum|Agreed by partner|Sealed as|Sealed on|"
       "Shared"},
      {"entries", "Key|Record>records|Kind|Text|Written|Corrects>entries?"},
      {"feedback",
       "Key|Item>items|Given by>officers|Given|Answer|What changed|Why not, or not all|Link|"
       "New date"},
      {"feedback-points", "Feedback>feedback|Entry>entries|Answer to the point"},
      {"live-feedback",
       "Key|Received|Theme|Text|In danger|Triaged|Triaged by>members?|Demand|Cleared text"},
      {"funds", "Key|Name|Giver|From|Until|Pounds|Kinds of activity|Opened"},
      {"rates", "Key|Kind|Mode|Pounds|Per|From|Until|Set on|Invented|Note"},
      {"projects",
       "Key|Title|Kind|Partner>partners|Team|Requestor>officers|Workstream|Purpose|"
       "Decision stage|What can still change|What cannot change|Who decides|Minutes wanted|"
       "Needed by|Papers|Asked on|Rep hours|Pounds|Fund tried>funds|Answer|"
       "Funds that could pay>funds|Fund agreed>funds|Agreed on"},
      {"journeys", "Key|Rep>reps|Session>sessions|Date|Mode|Miles|Purpose|Claim>claims"},
      {"claims",
       "Key|Rep>reps|Session>sessions|Fund>funds|Fee pounds|Mileage pounds|Total pounds|Submitted|"
       "Returned|Why returned|Submitted again|Approved|Approved by>members?|Paid|"
       "Paid by>members?|Ends as"}};
  return specs;
}

std::map<std::string, std::vector<Column>> Columns() {
  std::map<std::string, std::vector<Column>> columns;
  for (const Heading& heading : MemberHeadings()) columns["members"].emplace_back(heading.title);
  for (const Heading& heading : RepHeadings()) {
    columns["reps"].emplace_back(heading.title == "Member" ? "Member>members" : heading.title);
  }
  for (const auto& [sheet, spec] : Specs()) {
    for (const std::string& column : std::vector<std::string>(absl::StrSplit(spec, '|'))) {
      columns[sheet].emplace_back(column);
    }
  }
  return columns;
}

}  // namespace

StatusOr<std::unique_ptr<Book>> Book::Open(const std::string& folder) {
  auto book = std::make_unique<Book>();
  std::vector<Complaint> complaints;
  const auto read = [&](const std::string& file) {
    return ReadFile((std::filesystem::path(folder) / file).string());
  };
  for (const char* name : {"code of conduct", "terms of reference", "danger notice"}) {
    ASSIGN_OR_RETURN(book->documents_[name],
                     read(absl::StrReplaceAll(name, {{" ", "-"}}) + ".txt"));
  }
  const auto sheets = Columns();
  for (const auto& [name, columns] : sheets) {
    const std::string file = name + ".csv";
    std::vector<Heading> headings;
    for (const Column& column : columns) headings.push_back({column.name, true});
    book->sheets_[name] = std::make_unique<Sheet>((std::filesystem::path(folder) / file).string(),
                                                  headings, &complaints);
    for (const Row& row : book->rows(name)) {
      if (!book->by_key_[name].emplace(KeyOf(row), &row).second) {
        complaints.push_back({file, row.line, "", "'" + KeyOf(row) + "' stands there twice"});
      }
    }
  }
  for (const auto& [name, columns] : sheets) {
    for (const Column& column : columns) {
      if (column.refers_to.empty()) continue;
      for (const Row& row : book->rows(name)) {
        if (column.optional && row[column.name].empty()) continue;
        book->Check(column.refers_to, row, column.name, &complaints);
      }
    }
  }
  if (complaints.empty()) return book;
  for (const Complaint& complaint : complaints) std::cerr << complaint.Text() << "\n";
  return UsageError(absl::StrCat("the sheets in '", folder, "' cannot be played: ",
                                 complaints.size(), " mistakes, named above"));
}

void Book::Check(const std::string& name, const Row& row, const std::string& column,
                 std::vector<Complaint>* complaints) const {
  for (const std::string& key : ListOf(row[column])) {
    const auto keys = by_key_.find(name);
    if (keys != by_key_.end() && keys->second.count(key) > 0) continue;
    complaints->push_back(
        {row.sheet->file(), row.line, column, "'" + key + "' is no key of " + name + ".csv"});
  }
}

std::string KeyOf(const Row& row) {
  const std::string& file = row.sheet->file();
  if (file == "invitations.csv") return row["Session"] + "|" + row["Rep"];
  if (file == "attendance.csv") return row["Session"] + "|" + row["Item"] + "|" + row["Rep"];
  if (file == "feedback-points.csv") return row["Feedback"] + "|" + row["Entry"];
  return row["Key"];
}

std::vector<std::string> ListOf(const std::string& cell) { return absl::StrSplit(cell, "; "); }

std::string DayOf(const std::string& cell) { return ReadDay(cell).value_or(""); }

int64_t DigitsOf(const std::string& cell) {
  int64_t number = 0;
  return absl::SimpleAtoi(absl::StrReplaceAll(cell, {{".", ""}}), &number) ? number : 0;
}

}  // namespace hub::ctl
