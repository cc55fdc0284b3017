// What a handler sees: a transaction, the caller, the time, and its records by type. A handler is a
// function; taking Write makes it a command, which is idempotent, audited and published without a
// word in it:
//
//   StatusOr<Member> GetMember(Read& read, const GetMemberRequest& in) {
//     return read.Get<Member>(in.name());
//   }
//   StatusOr<EngagementRequest> AcceptRequest(Write& write, const AcceptRequestRequest& in) {
//     ASSIGN_OR_RETURN(auto request, write.Get<EngagementRequest>(in.name(), in.etag()));
//     RETURN_IF_ERROR(GiveWord(write, request.mutable_acceptance()));
//     if (Both(request.acceptance())) {
//       request.set_state(EngagementRequest::ACCEPTED);
//       write.Emit<RequestAccepted>(request);
//     }
//     return write.Put(std::move(request));
//   }
//
// Nothing calls out from here: what another service knows comes as the answer of an Ask function
// (common/rpc/door.h). A handler may run more than once, so it keeps nothing outside its arguments.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/auth/principal.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/db/db.h"
#include "coproduction/type/v1/type.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

namespace hub {

using google::protobuf::Message;
struct Command;  // the engine's side of a call (journal.h)

class Read {
 public:
  explicit Read(Command* command) : command_(command) {}
  Read(const Read&) = delete;

  const auth::Principal& principal() const;
  // The forum the call is in (its id), from the request's name or parent.
  const std::string& forum() const;
  Micros now() const;         // the hub's time
  std::string today() const;  // its civil date in London
  // The caller's side, and its person and partner in this forum (ids; empty where there is none).
  auth::Side side() const { return principal().side; }
  std::string person() const { return principal().person(forum()); }
  std::string partner() const { return principal().partner(forum()); }

  // The record of that name. RESOURCE_NOT_FOUND where there is none, or none that is the caller's
  // business (another forum, another partner, another person where the policy says OWN).
  template <class T>
  StatusOr<T> Get(const std::string& name) {
    T record;
    RETURN_IF_ERROR(Load(name, "", false, &record));
    return record;
  }
  // For rules within the service, without a question of whose it is: the record, if there is one.
  template <class T>
  StatusOr<std::optional<T>> Find(const std::string& name) {
    T record;
    ASSIGN_OR_RETURN(bool found, LoadIfThere(name, &record));
    return found ? std::optional<T>(std::move(record)) : std::nullopt;
  }
  // Records of this forum for rules: `where` is SQL over the table's columns from $2 on ($1 is the
  // forum), and may end in ORDER BY. A reference's column is '<field>_id'.
  template <class T>
  StatusOr<std::vector<T>> Select(const std::string& where, std::vector<db::Value> values = {}) {
    std::vector<T> records;
    RETURN_IF_ERROR(SelectEach(T::descriptor(), where, std::move(values), [&] {
      records.emplace_back();
      return static_cast<Message*>(&records.back());
    }));
    return records;
  }
  // The forum's settings of that type; what the forum has not set has the schema's default_value.
  template <class T>
  StatusOr<T> Settings() {
    T settings;
    RETURN_IF_ERROR(LoadSettings(&settings));
    return settings;
  }
  // A page for a List method (AIP-132, 158, 160): parent, page_size, page_token, filter of `in`;
  // only rows that are the caller's business.
  template <class Resp, class Req>
  StatusOr<Resp> List(const Req& in) {
    Resp out;
    RETURN_IF_ERROR(ListPage(in, &out));
    return out;
  }
  // The first column of the first row, for counts and sums. 0 where there is no row or it is NULL.
  StatusOr<int64_t> Number(const std::string& sql, std::vector<db::Value> values);
  db::Conn& sql();

 protected:
  Status Load(const std::string& name, const std::string& etag, bool lock, Message* out);
  StatusOr<bool> LoadIfThere(const std::string& name, Message* out);
  Status SelectEach(const google::protobuf::Descriptor* type, const std::string& where,
                    std::vector<db::Value> values, absl::FunctionRef<Message*()> add);
  Status LoadSettings(Message* out);
  Status ListPage(const Message& in, Message* out);

  Command* command_;
};

class Write : public Read {
 public:
  using Read::Read;

  // Locks the record. Checks the etag if one is given (ETAG_MISMATCH) and, on the method's own
  // resource, that a transition leads from its state (STATE_NOT_ALLOWED).
  template <class T>
  StatusOr<T> Get(const std::string& name, const std::string& etag = "") {
    T record;
    RETURN_IF_ERROR(Load(name, etag, true, &record));
    return record;
  }
  // A new record. Its name is 'forums/<forum>/<collection>/<id>', with a new UUIDv7 where `id` is
  // empty. RESOURCE_EXISTS if it is there.
  template <class T>
  StatusOr<T> Create(T record, const std::string& id = "") {
    RETURN_IF_ERROR(Insert(&record, id));
    return record;
  }
  // Stores a loaded record: required fields, the transition's `to`, its version, only what changed.
  // The etag is the new version. Nothing changed is no error and no event.
  template <class T>
  StatusOr<T> Put(T record) {
    RETURN_IF_ERROR(Store(&record));
    return record;
  }
  // A standard Update method (AIP-134): the record named in `body`, the masked fields of `body`
  // set. Refuses a mask with fields that are unknown, immutable, set by the server or not the
  // caller's.
  template <class T>
  StatusOr<T> Merge(const T& body, const google::protobuf::FieldMask& mask) {
    ASSIGN_OR_RETURN(T record, Get<T>(body.name(), body.etag()));
    RETURN_IF_ERROR(ApplyMask(body, mask, &record));
    return record;
  }
  // The event that stands for this command's change of `record` (stored before or after). Its
  // fields are filled from the record by name, the one that refers to the record with its name; set
  // more on what is returned, which lives until the command ends.
  template <class E>
  E& Emit(const Message& record) {
    return static_cast<E&>(AddEvent(std::make_unique<E>(), record));
  }

 protected:
  Status Insert(Message* record, const std::string& id);
  Status Store(Message* record);
  Status ApplyMask(const Message& body, const google::protobuf::FieldMask& mask, Message* record);

 private:
  Message& AddEvent(std::unique_ptr<Message> event, const Message& record);
};

// The caller's side gives its word on a two-sided act. Refused for a person who gave the other
// side's word; giving it twice changes nothing.
Status GiveWord(Write& write, coproduction::type::v1::Assent* assent);
void TakeBackWord(Write& write, coproduction::type::v1::Assent* assent);
bool Both(const coproduction::type::v1::Assent& assent);

// The last segment of a resource name ('forums/w/reps/x' -> 'x'), and the forum's id.
std::string IdOf(const std::string& name);
std::string ForumOf(const std::string& name);

}  // namespace hub
