// Events that a handler refused too often. They stand in the table dead_letters, and so do the
// later ones of the same record, which wait: each has its effect once and in its order, or, given
// up by an operator, never. An operator sees why, and nothing of what an event or a refusal says.
#include <cstdio>

#include "common/daemon/runtime.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::hub::v1;

constexpr char kShown[] =
    "SELECT event_id, type, error, about, tries, at, aggregate FROM dead_letters WHERE ";

// The rule, the state, the field. Of a record only what kind it is: which one the event speaks of
// is nobody's business but the services'.
std::string About(const errors::ErrorInfo& info) {
  for (const auto& [key, value] : info.metadata()) {
    if (key != "resource") return value;
    const auto* resource = schema::ResourceOfName(value);
    return resource == nullptr ? "" : resource->collection;
  }
  return "";
}

v1::DeadLetter Shown(const std::string& service, const db::Row& row) {
  v1::DeadLetter letter;
  letter.set_service(service);
  letter.set_event(std::string(row.Text(0)));
  const std::string type(row.Text(1));
  letter.set_type(type.substr(type.rfind('.') + 1));
  // An earlier version kept the sentence of the refusal here, which is not shown.
  const std::string reason(row.Text(2));
  errors::ErrorReason known;
  const bool is_reason = reason.empty() || errors::ErrorReason_Parse(reason, &known);
  letter.set_reason(is_reason ? reason : errors::ErrorReason_Name(errors::INTERNAL_FAULT));
  letter.set_about(std::string(row.Text(3)));
  letter.set_tries(static_cast<int32_t>(row.Int(4)));
  *letter.mutable_time() = ToTimestamp(row.Int(5));
  letter.set_aggregate(std::string(row.Text(6)));
  return letter;
}

Status NoLetter(const std::string& service, const std::string& event) {
  return Refuse(errors::RESOURCE_NOT_FOUND,
                "no event '" + event + "' is set aside by " + service + "; list them first", event);
}

}  // namespace

std::string Runtime::Why(const Status& status) {
  const auto info = ErrorInfoOf(status);
  const std::string about = About(info);
  return info.reason() + (about.empty() ? "" : " about " + about);
}

StatusOr<bool> Runtime::WaitsBefore(Write& write, const std::string& aggregate, int64_t sequence) {
  ASSIGN_OR_RETURN(int64_t waiting,
                   write.Number("SELECT COUNT(*) FROM dead_letters WHERE aggregate = $1 AND n < $2 "
                                "AND given_up IS NULL",
                                {aggregate, sequence}));
  return waiting > 0;
}

Status Runtime::SetAside(Write& write, const Envelope& envelope, const std::string& body, int tries,
                         const Status& why) {
  const auto info = ErrorInfoOf(why);
  std::fprintf(stderr, "event %s of %s is set aside by %s: %s\n", envelope.id.c_str(),
               envelope.aggregate.c_str(), module_.name.c_str(),
               why.ok() ? "it waits behind another" : Why(why).c_str());
  return write.sql()
      .Exec(
          "INSERT INTO dead_letters(event_id, at, type, aggregate, error, about, tries, version, "
          "n, epoch, changed_at, body) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
          {envelope.id, write.now(), envelope.type, envelope.aggregate,
           why.ok() ? "" : info.reason(), why.ok() ? "" : About(info), int64_t{tries},
           envelope.version, envelope.sequence, envelope.epoch, envelope.time, db::Bytes{body}})
      .status();
}

Status Runtime::ListDeadLetters(const std::string& forum, const std::string& after, bool with_it,
                                int limit, std::vector<v1::DeadLetter>* out) {
  const std::string prefix = "forums/" + forum + "/";
  std::string where = std::string("given_up IS NULL AND event_id ") + (with_it ? ">= $1" : "> $1");
  std::vector<db::Value> values = {after};
  if (forum != "-") {
    where += " AND SUBSTR(aggregate, 1, " + std::to_string(prefix.size()) + ") = $2";
    values.emplace_back(prefix);
  }
  return store_->ReadAndWait([&](db::Conn& conn) {
    out->clear();
    return conn.Query(kShown + where + " ORDER BY event_id LIMIT " + std::to_string(limit), values,
                      [&](const db::Row& row) {
                        out->push_back(Shown(module_.name, row));
                        return Status();
                      });
  });
}

// A command whose key is the event's, but another than the one under which it was set aside.
Status Runtime::RedriveOne(const Envelope& envelope, const std::string& body, bool* done) {
  bool tried = false;
  auto call = InsideCall(journal::kEvent, ForumOf(envelope.aggregate), "redrive|" + envelope.id,
                         envelope.type, body);
  Status status = engine_->ExecuteAndWait(call, [&](Write& write) -> Status {
    // What arrives of this record meanwhile comes after this, and finds nothing that waits.
    RETURN_IF_ERROR(LastOf(write, envelope.aggregate).status());
    ASSIGN_OR_RETURN(bool waits, WaitsBefore(write, envelope.aggregate, envelope.sequence));
    ASSIGN_OR_RETURN(int64_t rows, write.sql().Exec("DELETE FROM dead_letters WHERE event_id = $1 "
                                                    "AND given_up IS NULL",
                                                    {envelope.id}));
    tried = !waits && rows == 1;
    if (!tried) return NoLetter(module_.name, envelope.id);
    return Handle(write, envelope, body);
  });
  *done = tried && status.ok();
  if (*done || !tried) return Status();  // or somebody else did it, or gave it up, meanwhile
  if (ReasonOf(status) == errors::TEMPORARILY_UNAVAILABLE) return status;
  const auto info = ErrorInfoOf(status);
  return store_->WriteAndWait([&](db::Conn& conn) {
    return conn
        .Exec(
            "UPDATE dead_letters SET error = $1, about = $2, tries = tries + 1 "
            "WHERE event_id = $3 AND given_up IS NULL",
            {info.reason(), About(info), envelope.id})
        .status();
  });
}

Status Runtime::Redrive(const std::string& aggregate, v1::RedriveDeadLettersResponse* out) {
  out->Clear();
  const std::string of = aggregate.empty() ? "aggregate >= $1" : "aggregate = $1";
  Envelope envelope;
  envelope.aggregate = aggregate;
  envelope.sequence = -1;
  std::string body, stuck;
  while (true) {
    bool found = false;
    // The next in the order of records and their events, past a record whose event was refused.
    RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) {
      found = false;
      return conn.Query(
          "SELECT event_id, type, aggregate, version, n, epoch, changed_at, body FROM dead_letters "
          "WHERE given_up IS NULL AND " +
              of +
              " AND (aggregate > $2 OR (aggregate = $2 AND n > $3)) AND aggregate <> $4 "
              "ORDER BY aggregate, n LIMIT 1",
          {aggregate, envelope.aggregate, envelope.sequence, stuck}, [&](const db::Row& row) {
            found = true;
            envelope = {std::string(row.Text(0)),
                        std::string(row.Text(1)),
                        std::string(row.Text(2)),
                        row.Int(3),
                        row.Int(4),
                        std::string(row.Text(5)),
                        row.Int(6)};
            body = std::string(row.Blob(7));
            return Status();
          });
    }));
    if (!found) break;
    bool done = false;
    RETURN_IF_ERROR(RedriveOne(envelope, body, &done));
    if (done) {
      out->set_done(out->done() + 1);
    } else {
      stuck = envelope.aggregate;
    }
  }
  return store_->ReadAndWait([&](db::Conn& conn) {
    return conn.Query("SELECT COUNT(*) FROM dead_letters WHERE given_up IS NULL AND " + of,
                      {aggregate}, [&](const db::Row& row) {
                        out->set_left(static_cast<int32_t>(row.Int(0)));
                        return Status();
                      });
  });
}

StatusOr<v1::DeadLetter> Runtime::Discard(const std::string& event, const std::string& reason) {
  v1::DeadLetter letter;
  bool found = false;
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
    found = false;
    // Given up for the same reason: this was asked before, and the answer was lost.
    RETURN_IF_ERROR(conn.Query(std::string(kShown) +
                                   "event_id = $1 AND (given_up IS NULL OR given_up = $2)" +
                                   db::ForUpdate(conn),
                               {event, reason}, [&](const db::Row& row) {
                                 found = true;
                                 letter = Shown(module_.name, row);
                                 return Status();
                               }));
    if (!found) return NoLetter(module_.name, event);
    return conn
        .Exec("UPDATE dead_letters SET given_up = $1, body = $2 WHERE event_id = $3",
              {reason, db::Bytes{}, event})
        .status();
  }));
  return letter;
}

}  // namespace hub
