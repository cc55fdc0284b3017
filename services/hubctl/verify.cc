#include "services/hubctl/verify.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/db/db.h"
#include "common/events/nats.h"
#include "common/events/receivers.h"
#include "common/events/relay.h"
#include "common/schema/schema.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/hubctl/audit.h"
#include "services/hubctl/databases.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

using events::Receiver;
using google::protobuf::Message;
using google::protobuf::Struct;

constexpr size_t kShown = 20;  // of what is wrong in one way
constexpr int64_t kRowsAPage = 5000;
constexpr int64_t kNanosAMicro = 1000;

enum Kind {
  kMissing,    // a row that its stream does not have, a version without its row
  kDuplicate,  // twice in a stream, a number twice in the rows
  kReordered,  // in a stream behind a later one of its aggregate
  kStray,      // in a stream or the rows without what it came from
  kAltered,    // in a stream, but not as its row says
  kCommand,    // between keys, journal and events
  kLedger,
  kEngagement,
  kAudit,  // the journal, or what was sealed of it, is not as it was
};
constexpr const char* kKinds[] = {"missing", "duplicate", "reordered",  "stray", "altered",
                                  "command", "ledger",    "engagement", "audit"};

class Findings {
 public:
  void Add(Kind kind, const std::string& what) { found_[kind].push_back(what); }
  void Add(const Findings& others) {
    for (const auto& [kind, list] : others.found_) {
      found_[kind].insert(found_[kind].end(), list.begin(), list.end());
    }
  }
  bool empty() const { return found_.empty(); }
  size_t Count(Kind kind) const { return found_.count(kind) ? found_.at(kind).size() : 0; }
  size_t CountFrom(Kind first) const {
    size_t count = 0;
    for (auto it = found_.lower_bound(first); it != found_.end(); ++it) count += it->second.size();
    return count;
  }
  // 'missing: ...', at most kShown of a kind.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const auto& [kind, list] : found_) {
      for (size_t i = 0; i < std::min(list.size(), kShown); ++i) {
        lines.push_back(absl::StrCat(kKinds[kind], ": ", list[i]));
      }
      if (list.size() > kShown) {
        lines.push_back(absl::StrCat(kKinds[kind], ": ", list.size() - kShown, " more"));
      }
    }
    return lines;
  }

 private:
  std::map<Kind, std::vector<std::string>> found_;
};

// What no row may show. The first column of each row found says which it is.
struct Rule {
  const char* service;  // empty: every service
  Kind kind;
  const char* sentence;
  const char* sql;
};
constexpr Rule kRules[] = {
    {"", kCommand, "a key whose command is not in the journal",
     "SELECT 'seq ' || CAST(k.seq AS TEXT) FROM keys k LEFT JOIN journal j ON j.seq = k.seq "
     "WHERE j.seq IS NULL AND k.principal <> ''"},
    {"", kCommand, "a command in the journal that has not exactly one key",
     "SELECT 'seq ' || CAST(j.seq AS TEXT) || ', ' || j.method FROM journal j LEFT JOIN keys k "
     "ON k.seq = j.seq WHERE j.principal <> '' GROUP BY j.seq, j.method HAVING COUNT(k.seq) <> 1"},
    // Of anonymous ones, nothing says which belong together.
    {"", kCommand, "anonymous commands and their keys that differ in number",
     "SELECT CAST(k.n AS TEXT) || ' keys, ' || CAST(j.n AS TEXT) || ' commands' "
     "FROM (SELECT COUNT(*) AS n FROM keys WHERE principal = '') k, "
     "(SELECT COUNT(*) AS n FROM journal WHERE principal = '') j WHERE k.n <> j.n"},
    {"", kCommand, "more records told of by anonymous commands than there are of those",
     "SELECT CAST(p.n AS TEXT) || ' records, ' || CAST(j.n AS TEXT) || ' commands' "
     "FROM (SELECT COUNT(DISTINCT aggregate) AS n FROM payloads WHERE held_until <> 0) p, "
     "(SELECT COUNT(*) AS n FROM journal WHERE principal = '') j WHERE p.n > j.n"},
    {"", kCommand, "a command whose change has no event",
     "SELECT 'seq ' || CAST(j.seq AS TEXT) || ', ' || j.resource FROM journal j "
     "WHERE j.resource <> '' AND j.seq > COALESCE((SELECT CAST(value AS BIGINT) / 256 FROM meta "
     "WHERE name = 'forgotten'), 0) AND NOT EXISTS (SELECT 1 FROM payloads p WHERE p.receiver = "
     "'services' AND p.aggregate = j.resource AND p.n = j.version AND p.id / 256 = j.seq)"},
    {"", kCommand, "an event whose command is not in the journal",
     "SELECT 'row ' || CAST(p.id AS TEXT) || ', ' || p.aggregate FROM payloads p "
     "LEFT JOIN journal j ON j.seq = p.id / 256 WHERE j.seq IS NULL AND p.held_until = 0 "
     "AND SUBSTR(p.aggregate, 1, 9) <> 'journals/'"},
    {"", kCommand, "a counter that does not count the events of",
     "SELECT c.aggregate || ' to ' || c.receiver FROM counters c WHERE c.n <> COALESCE((SELECT "
     "MAX(n) FROM payloads p WHERE p.receiver = c.receiver AND p.aggregate = c.aggregate), c.n)"},
    {"", kCommand, "an event that is set aside",
     "SELECT event_id || ' of ' || aggregate || ': ' || error FROM dead_letters "
     "WHERE given_up IS NULL"},
    {"remuneration", kLedger, "the balances of a forum do not add up to nothing",
     "SELECT forum || ', ' || CAST(SUM(pence) AS TEXT) || ' pence' FROM ("
     "SELECT t.forum AS forum, t.amount_pence AS pence FROM transfers t "
     "JOIN accounts a ON a.forum = t.forum AND a.id = t.credit_id UNION ALL "
     "SELECT t.forum, -t.amount_pence FROM transfers t "
     "JOIN accounts a ON a.forum = t.forum AND a.id = t.debit_id) moved "
     "GROUP BY forum HAVING SUM(pence) <> 0"},
    {"remuneration", kLedger, "a transfer that moves nothing",
     "SELECT forum || '/' || id FROM transfers WHERE debit_id = credit_id OR amount_pence <= 0"},
    {"remuneration", kLedger, "a promise that ended more than once",
     "SELECT forum || '/' || pending_id FROM transfers WHERE pending_id IS NOT NULL "
     "GROUP BY forum, pending_id HAVING COUNT(*) > 1"},
    {"remuneration", kLedger, "the end of a promise that does not undo it",
     "SELECT e.forum || '/' || e.id FROM transfers e LEFT JOIN transfers p ON p.forum = e.forum "
     "AND p.id = e.pending_id AND p.kind = 'PENDING' AND p.amount_pence = e.amount_pence "
     "AND p.debit_id = e.credit_id AND p.credit_id = e.debit_id "
     "WHERE e.pending_id IS NOT NULL AND p.id IS NULL"},
    {"remuneration", kLedger, "an attendance that was approved for payment more than once",
     "SELECT l.forum || '/' || l.entitlement_id || ', ' || l.kind FROM transfers t "
     "JOIN claim_lines l ON l.forum = t.forum AND l.id = t.claim_line_id "
     "WHERE l.entitlement_id IS NOT NULL GROUP BY l.forum, l.entitlement_id, l.kind "
     "HAVING COUNT(*) > 1"},
    {"remuneration", kLedger, "a rep who earned more than once by a session",
     "SELECT forum || '/' || rep_id || ' by ' || session_id FROM entitlements "
     "GROUP BY forum, rep_id, session_id HAVING COUNT(*) > 1"},
    {"remuneration", kLedger, "a claim that was not paid once, as much as was approved",
     "SELECT t.forum || '/' || t.claim_id FROM transfers t WHERE t.kind = 'PAID' "
     "GROUP BY t.forum, t.claim_id HAVING COUNT(*) > 1 OR MAX(t.amount_pence) <> COALESCE(("
     "SELECT SUM(a.amount_pence) FROM transfers a JOIN claim_lines l ON l.forum = a.forum "
     "AND l.id = a.claim_line_id WHERE a.forum = t.forum AND l.claim_id = t.claim_id), 0)"},
    {"engagement", kEngagement, "an engagement that is counted more than once",
     "SELECT forum || ', rep ' || rep_id || ', session ' || session_id || ', item ' || item_id "
     "FROM attendances GROUP BY forum, session_id, item_id, rep_id HAVING COUNT(*) > 1"},
};

struct EventRow {
  std::string aggregate, type, body;
  int64_t n = 0, version = 0;
  Micros sent_at = 0;     // 0: not acknowledged yet
  Micros held_until = 0;  // not to be sent before
  bool withheld = false;  // from a partner, whose agreement had ended before it was sent
  bool stored = false;
};
using EventRows = std::map<std::string, EventRow>;  // by event id

struct Position {
  std::string service, aggregate;
  int64_t n;
};

// What one service's database holds, and then what all of them do.
struct Rows {
  std::map<std::string, EventRows> events;  // by receiver
  std::map<std::string, int64_t> versions;  // of the records, by name
  std::map<std::string, int64_t> epochs;    // by service
  std::vector<Position> positions;
  int64_t commands = 0, sealed = 0, unsealed = 0;
  bool forgotten = false;  // events as old as their streams keep them were let go
  Findings findings;

  void Add(Rows&& part) {
    for (auto& [receiver, rows] : part.events) events[receiver].merge(rows);
    versions.merge(part.versions);
    epochs.merge(part.epochs);
    positions.insert(positions.end(), part.positions.begin(), part.positions.end());
    commands += part.commands;
    sealed += part.sealed;
    unsealed += part.unsealed;
    forgotten |= part.forgotten;
    findings.Add(part.findings);
  }
};

int64_t NumberOf(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

std::string Of(const EventRow& row, const std::string& id) {
  return absl::StrCat("event ", id, ", number ", row.n, " of ", row.aggregate);
}

// ---- rows ----

Status ReadEvents(db::Conn& conn, const std::string& service, Rows* rows) {
  int64_t last = 0, read = kRowsAPage;
  while (read == kRowsAPage) {
    read = 0;
    RETURN_IF_ERROR(conn.Query(
        "SELECT id, receiver, aggregate, type, version, n, body, sent_at, held_until, stream_seq "
        "FROM payloads "
        "WHERE id > $1 AND receiver <> '' ORDER BY id LIMIT $2",
        {last, kRowsAPage}, [&](const db::Row& row) {
          EventRow& event =
              rows->events[std::string(row.Text(1))][events::EventId(service, row.Int(0))];
          event.aggregate = row.Text(2);
          event.type = row.Text(3);
          event.version = row.Int(4);
          event.n = row.Int(5);
          event.body = row.Blob(6);
          event.sent_at = row.Int(7);
          event.held_until = row.Int(8);
          event.withheld = event.sent_at > 0 && row.IsNull(9);
          last = row.Int(0);
          ++read;
          return Status();
        }));
  }
  return Status();
}

// The journal against its blocks, and the blocks against what the services' stream was told.
Status ReadAudit(db::Conn& conn, const std::string& service, const std::string& key, Rows* rows) {
  ASSIGN_OR_RETURN(const AuditReport report, CheckAudit(conn, key));
  rows->sealed = report.sealed;
  rows->unsealed = report.unsealed;
  for (const auto& finding : report.findings) {
    rows->findings.Add(kAudit, absl::StrCat(service, ": ", finding));
  }
  const std::string name = "journals/" + service;
  if (!report.heads.empty()) rows->versions[name] = report.heads.rbegin()->first;
  for (const auto& [id, event] : rows->events["services"]) {
    if (event.aggregate != name) continue;
    coproduction::hub::events::v1::BlockSealed told;
    const auto head = report.heads.find(event.n);
    if (!told.ParseFromString(event.body) || head == report.heads.end() ||
        head->second != told.head()) {
      rows->findings.Add(kAudit, absl::StrCat(service, ": block ", event.n,
                                              " has another head than was told by ", id));
    }
  }
  return Status();
}

Status ReadService(db::Conn& conn, const std::string& service, const std::string& audit_key,
                   Rows* rows) {
  RETURN_IF_ERROR(ReadEvents(conn, service, rows));
  RETURN_IF_ERROR(ReadAudit(conn, service, audit_key, rows));
  RETURN_IF_ERROR(
      conn.Query("SELECT 1 FROM meta WHERE name = 'forgotten'", {}, [&](const db::Row&) {
        rows->forgotten = true;
        return Status();
      }));
  RETURN_IF_ERROR(
      conn.Query("SELECT value FROM meta WHERE name = 'epoch'", {}, [&](const db::Row& row) {
        rows->epochs[service] = NumberOf(std::string(row.Text(0)));
        return Status();
      }));
  for (const schema::Resource* resource : schema::Resources(service)) {
    RETURN_IF_ERROR(conn.Query(
        "SELECT forum, id, version FROM " + resource->option->table(), {}, [&](const db::Row& row) {
          rows->versions[schema::MakeName(*resource, std::string(row.Text(0)),
                                          std::string(row.Text(1)))] = row.Int(2);
          return Status();
        }));
  }
  RETURN_IF_ERROR(conn.Query("SELECT aggregate, n FROM positions", {}, [&](const db::Row& row) {
    rows->positions.push_back({service, std::string(row.Text(0)), row.Int(1)});
    return Status();
  }));
  RETURN_IF_ERROR(conn.Query("SELECT COUNT(*) FROM journal", {}, [&](const db::Row& row) {
    rows->commands = row.Int(0);
    return Status();
  }));
  for (const Rule& rule : kRules) {
    if (*rule.service != '\0' && rule.service != service) continue;
    RETURN_IF_ERROR(conn.Query(rule.sql, {}, [&](const db::Row& row) {
      rows->findings.Add(
          rule.kind, absl::StrCat(service, ": ", rule.sentence, ": ", std::string(row.Text(0))));
      return Status();
    }));
  }
  return Status();
}

StatusOr<Rows> ReadRows(const Databases& databases) {
  ASSIGN_OR_RETURN(const auto audit_keys, AuditKeys(databases));
  Rows all;
  for (const std::string& service : Services()) {
    db::StoreOptions options = databases.Of(service);
    options.read_only = true;
    ASSIGN_OR_RETURN(const auto store, db::Store::Open(options));
    Rows part;
    const auto key = audit_keys.find(service);
    RETURN_IF_ERROR(store->ReadAndWait([&](db::Conn& conn) {
      part = Rows();
      return ReadService(conn, service, key == audit_keys.end() ? "" : key->second, &part);
    }));
    all.Add(std::move(part));
  }
  return all;
}

// Numbers 1, 2, 3 ... in each aggregate, the first of them perhaps forgotten; the highest of each.
std::map<std::string, int64_t> CheckNumbers(const std::string& receiver, const EventRows& rows,
                                            bool forgotten, Findings* findings) {
  std::map<std::string, std::multiset<int64_t>> numbers;
  for (const auto& [id, row] : rows) numbers[row.aggregate].insert(row.n);
  std::map<std::string, int64_t> highest;
  for (const auto& [aggregate, list] : numbers) {
    int64_t last = forgotten ? *list.begin() - 1 : 0;
    for (const int64_t n : list) {
      if (n == last) {
        findings->Add(kDuplicate, absl::StrCat("two rows for ", receiver, " are number ", n, " of ",
                                               aggregate));
      }
      for (++last; last < n; ++last) {
        findings->Add(kMissing, absl::StrCat("no row for ", receiver, " is number ", last, " of ",
                                             aggregate));
      }
      last = n;
    }
    highest[aggregate] = last;
  }
  return highest;
}

// The services are told of every version of every record, and take what they follow.
void CheckVersions(const Rows& rows, const std::map<std::string, int64_t>& told,
                   Findings* findings) {
  const auto find = [&](const std::map<std::string, int64_t>& numbers, const std::string& name) {
    const auto found = numbers.find(name);
    return found == numbers.end() ? 0 : found->second;
  };
  for (const auto& [name, version] : rows.versions) {
    if (rows.forgotten && told.count(name) == 0) continue;
    if (const int64_t last = find(told, name); last < version) {
      findings->Add(kMissing,
                    absl::StrCat(name, " has version ", version, ", its events end at ", last));
    }
  }
  for (const auto& [name, last] : told) {
    if (const int64_t version = find(rows.versions, name); version < last) {
      findings->Add(kStray,
                    absl::StrCat(name, " has version ", version, ", its events end at ", last));
    }
  }
  for (const Position& position : rows.positions) {
    if (rows.forgotten && told.count(position.aggregate) == 0) continue;
    if (const int64_t last = find(told, position.aggregate); position.n != last) {
      findings->Add(kCommand, absl::StrCat(position.service, ": took ", position.n, " of ", last,
                                           " events of ", position.aggregate));
    }
  }
}

// ---- streams ----

// One receiver's stream and, before the rows are read, where it ended.
struct Stream {
  Receiver receiver;
  std::unique_ptr<events::Connection> connection;
  int64_t known = 0;
};

struct Tally {
  std::string receiver;
  int64_t rows = 0, stored = 0, missing = 0, duplicate = 0, reordered = 0;
  int64_t lost = 0;  // of an earlier epoch, which the restored rows do not know
};

StatusOr<std::vector<Stream>> OpenStreams(const std::string& file) {
  ASSIGN_OR_RETURN(std::vector<Receiver> receivers, events::ReadReceivers(file));
  std::vector<Stream> streams;
  for (Receiver& receiver : receivers) {
    Stream stream{std::move(receiver), nullptr};
    ASSIGN_OR_RETURN(stream.connection,
                     events::Connection::Open(events::EndpointOf(stream.receiver, "verify")));
    ASSIGN_OR_RETURN(const auto span, events::SpanOf(*stream.connection, stream.receiver.stream));
    stream.known = span.last;
    streams.push_back(std::move(stream));
  }
  return streams;
}

bool SameBody(const Receiver& receiver, const EventRow& row, const std::string& data) {
  if (!receiver.json) return data == row.body;
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(row.type);
  if (type == nullptr) return false;
  const Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  const std::unique_ptr<Message> said(prototype->New()), sent(prototype->New());
  return said->ParseFromString(row.body) &&
         google::protobuf::util::JsonStringToMessage(data, sent.get()).ok() &&
         google::protobuf::util::MessageDifferencer::Equals(*said, *sent);
}

// The first part of a message that is not as its row says; empty where all is.
std::string Altered(const Receiver& receiver, const EventRow& row, const std::string& id,
                    std::map<std::string, std::string> headers, const std::string& data) {
  const std::pair<const char*, std::string> wanted[] = {{"Nats-Msg-Id", id},
                                                        {"ce-type", row.type},
                                                        {"ce-subject", row.aggregate},
                                                        {"ce-sequence", absl::StrCat(row.n)},
                                                        {"ce-version", absl::StrCat(row.version)}};
  for (const auto& [name, value] : wanted) {
    if (headers[name] != value) return absl::StrCat(name, " is '", headers[name], "'");
  }
  return SameBody(receiver, row, data) ? "" : "its body differs";
}

StatusOr<Tally> CheckStream(const Stream& stream, const std::map<std::string, int64_t>& epochs,
                            EventRows* rows, Findings* findings) {
  const std::string& receiver = stream.receiver.name;
  events::Connection& connection = *stream.connection;
  Tally tally{receiver, static_cast<int64_t>(rows->size())};
  const auto add = [&](Kind kind, int64_t* count, const std::string& what) {
    if (count != nullptr) ++*count;
    findings->Add(kind, absl::StrCat(receiver, ": ", what));
  };
  ASSIGN_OR_RETURN(const Struct info, connection.Api("STREAM.INFO." + stream.receiver.stream));
  ASSIGN_OR_RETURN(const auto span, events::SpanOf(connection, stream.receiver.stream));
  std::set<std::tuple<std::string, std::string, std::string>> numbers;  // epoch, aggregate, number
  std::map<std::string, int64_t> last;                                  // by aggregate
  for (int64_t seq = span.first; seq <= span.last; ++seq) {
    auto message = events::MessageAt(connection, stream.receiver.stream, seq);
    if (!message.ok() && ReasonOf(message.status()) == errors::RESOURCE_NOT_FOUND) continue;
    RETURN_IF_ERROR(message.status());
    auto& headers = message->headers;
    const std::string id = headers["ce-id"];
    const auto found = rows->find(id);
    if (found == rows->end() && seq > stream.known) continue;  // committed after the rows were read
    const auto epoch = epochs.find(id.substr(0, id.find('.')));
    const int64_t behind =
        epoch == epochs.end() ? 0 : epoch->second - NumberOf(headers["ce-epoch"]);
    if (found == rows->end() && behind > 0) {
      ++tally.lost;
      continue;
    }
    ++tally.stored;
    const std::string what = absl::StrCat("message ", seq, ", event ", id, ", number ",
                                          headers["ce-sequence"], " of ", headers["ce-subject"]);
    const bool first =
        numbers.insert({headers["ce-epoch"], headers["ce-subject"], headers["ce-sequence"]}).second;
    if (!first || (found != rows->end() && found->second.stored)) {
      add(kDuplicate, &tally.duplicate, what);
      continue;
    }
    if (found == rows->end()) {
      add(kStray, nullptr, what + ", has no row");
      continue;
    }
    EventRow& row = found->second;
    row.stored = true;
    const std::string altered = behind < 0
                                    ? "its epoch is later than its service's"
                                    : Altered(stream.receiver, row, id, headers, message->data);
    if (!altered.empty()) {
      add(kAltered, nullptr, absl::StrCat("message ", seq, ", ", Of(row, id), ": ", altered));
    }
    int64_t& before = last[row.aggregate];
    if (row.n <= before) {
      add(kReordered, &tally.reordered,
          absl::StrCat("message ", seq, ", ", Of(row, id), ", comes after number ", before));
    }
    before = std::max(before, row.n);
  }
  const int64_t max_age = events::NumberAt(info, "config.max_age") / kNanosAMicro;
  for (const auto& [id, row] : *rows) {
    const bool aged = max_age > 0 && row.sent_at > 0 && row.sent_at < MachineNow() - max_age;
    if (row.stored || aged || row.withheld || (row.sent_at == 0 && row.held_until > 0)) continue;
    add(kMissing, &tally.missing, Of(row, id) + (row.sent_at == 0 ? ", was not sent yet" : ""));
  }
  return tally;
}

// ---- what is printed ----

void PrintText(const std::vector<Tally>& tallies, const Findings& findings,
               const std::string& sum) {
  std::vector<std::vector<std::string>> table = {
      {"receiver", "rows", "in stream", "missing", "duplicate", "reordered"}};
  for (const Tally& tally : tallies) {
    table.push_back({tally.receiver, absl::StrCat(tally.rows), absl::StrCat(tally.stored),
                     absl::StrCat(tally.missing), absl::StrCat(tally.duplicate),
                     absl::StrCat(tally.reordered)});
  }
  std::cout << Table(table, TerminalWidth());
  for (const std::string& line : findings.Lines()) std::cout << line << "\n";
  std::cout << sum << "\n";
}

void PrintJson(const std::vector<Tally>& tallies, const Findings& findings, int64_t events,
               const Rows& rows, size_t services) {
  Struct json;
  auto& fields = *json.mutable_fields();
  const auto number = [](Struct* to, const std::string& name, int64_t value) {
    (*to->mutable_fields())[name].set_number_value(static_cast<double>(value));
  };
  for (const Tally& tally : tallies) {
    Struct* line = fields["receivers"].mutable_list_value()->add_values()->mutable_struct_value();
    (*line->mutable_fields())["receiver"].set_string_value(tally.receiver);
    number(line, "rows", tally.rows);
    number(line, "inStream", tally.stored);
    number(line, "missing", tally.missing);
    number(line, "duplicate", tally.duplicate);
    number(line, "reordered", tally.reordered);
    number(line, "lost", tally.lost);
  }
  fields["findings"].mutable_list_value();
  for (const std::string& line : findings.Lines()) {
    fields["findings"].mutable_list_value()->add_values()->set_string_value(line);
  }
  for (int kind = kMissing; kind <= kAudit; ++kind) {
    number(&json, kKinds[kind], static_cast<int64_t>(findings.Count(static_cast<Kind>(kind))));
  }
  number(&json, "events", events);
  number(&json, "commands", rows.commands);
  number(&json, "sealed", rows.sealed);
  number(&json, "unsealed", rows.unsealed);
  number(&json, "services", static_cast<int64_t>(services));
  std::cout << AsJson(json);
}

}  // namespace

StatusOr<bool> Verify(const Verification& verification, const Options& options) {
  Databases databases = verification.databases;
  RETURN_IF_ERROR(databases.Complete("verify", options));
  std::string file = verification.receivers;
  if (file.empty() && options.state.empty()) {
    return UsageError("verify needs --receivers, or --state=DIR or HUB_STATE");
  }
  if (file.empty()) file = options.state + "/nats/receivers.json";
  if (verification.receivers.empty() && !std::filesystem::exists(file)) {
    file = options.state + "/receivers.json";
  }

  // The streams' ends first: what is in them by then has its row.
  ASSIGN_OR_RETURN(const std::vector<Stream> streams, OpenStreams(file));
  ASSIGN_OR_RETURN(Rows rows, ReadRows(databases));
  Findings findings = std::move(rows.findings);
  std::vector<Tally> tallies;
  int64_t lost = 0;
  for (const Stream& stream : streams) {
    ASSIGN_OR_RETURN(
        tallies.emplace_back(),
        CheckStream(stream, rows.epochs, &rows.events[stream.receiver.name], &findings));
    lost += tallies.back().lost;
  }
  int64_t events = 0;
  for (const auto& [receiver, list] : rows.events) {
    events += static_cast<int64_t>(list.size());
    const auto highest = CheckNumbers(receiver, list, rows.forgotten, &findings);
    if (receiver == "services") CheckVersions(rows, highest, &findings);
    const bool known = std::any_of(
        streams.begin(), streams.end(),
        [&name = receiver](const Stream& stream) { return stream.receiver.name == name; });
    if (!known) {
      findings.Add(kMissing, absl::StrCat(receiver, ": ", list.size(), " events, and ", file,
                                          " has no such receiver"));
    }
  }

  std::string sum =
      absl::StrCat("verify: ", findings.Count(kMissing), " missing, ", findings.Count(kDuplicate),
                   " duplicate, ", findings.Count(kReordered), " reordered, ", events, " events, ",
                   rows.commands, " commands, ", rows.sealed, " of them sealed, ",
                   Services().size(), " services");
  if (const size_t others = findings.CountFrom(kStray); others > 0) {
    absl::StrAppend(&sum, "; ", others, " wrong otherwise");
  }
  if (lost > 0) absl::StrAppend(&sum, "; ", lost, " in streams that a restore lost");
  if (options.format == "json") {
    PrintJson(tallies, findings, events, rows, Services().size());
  } else {
    PrintText(tallies, findings, sum);
  }
  return findings.empty();
}

}  // namespace hub::ctl
