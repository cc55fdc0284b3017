// The one door: every RPC of a module enters here and passes, in this order, size, deadline, token
// and principal, the caller's limits, role, limits of the fields, the Ask (if it has one), and one
// transaction with claim of the request_id, relation, handler, computed fields, redaction and
// journal. A handler is bound by the method's name; its policy, transitions and limits stand in the
// schema.
//
//   void BindMembers(Door& door) {
//     door.Bind("coproduction.membership.v1.Members", "CreateMember", CreateMember);
//     door.Bind(..., "AllocateRep", AskAllocateRep, AllocateRep);   // asks others first
//     door.Computed<Member>(FillMember);
//   }
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/auth/authenticator.h"
#include "common/base/executor.h"
#include "common/journal/engine.h"

namespace grpc {
class ServerBuilder;
}

namespace hub {

class Gate;
class Limits;
class Peers;

// The stage before the transaction: fetches another service's word over gRPC and hands it to the
// handler as a value. Relation, state and etag were checked on a snapshot; they are again in the
// transaction. A word that an event may have overtaken decides nothing: where one of a record that
// the call names was consumed in between, the others are asked again.
class Ask {
 public:
  virtual ~Ask() = default;
  virtual const auth::Principal& principal() const = 0;
  virtual const std::string& forum() const = 0;
  virtual Micros now() const = 0;
  virtual std::string today() const = 0;
  // Calls the method whose request this is, of whichever service, for the acting person.
  template <class Resp, class Req>
  StatusOr<Resp> Call(const Req& request) {
    Resp response;
    RETURN_IF_ERROR(Send(request, &response));
    return response;
  }
  // Reads of one's own service on a snapshot.
  virtual Status Snapshot(const std::function<Status(Read&)>& read) = 0;
  // Run if the command fails afterwards: cancels a reservation made by Call().
  virtual void IfItFails(std::function<void(Ask&)> undo) = 0;

 protected:
  virtual Status Send(const Message& request, Message* response) = 0;
};

class Door {
 public:
  struct Options {
    journal::Engine* engine = nullptr;
    auth::Authenticator* authenticator = nullptr;
    const Peers* peers = nullptr;
    Executor* executor = nullptr;  // the module's own, for what waits: tokens, Asks
    Gate* gate = nullptr;          // the process's; without one nobody is refused
    Limits* limits = nullptr;      // the process's; without them only requests and times have some
    // Whether a service must show its certificate, from another process.
    bool certificates = false;
    bool demo = false;
    // Whether the events of the record of that name are consumed here.
    std::function<bool(const std::string&)> follows = [](const std::string&) { return false; };
  };
  explicit Door(Options options);
  ~Door();

  template <class Ctx, class Req, class Resp>
  void Bind(const char* service, const char* method, StatusOr<Resp> (*handler)(Ctx&, const Req&)) {
    Entry* entry =
        Declare(service, method, Req::descriptor(), Resp::descriptor(), std::is_same_v<Ctx, Write>);
    entry->run = [handler](Read& context, const Message& in, const void*, Message* out) -> Status {
      ASSIGN_OR_RETURN(*static_cast<Resp*>(out),
                       handler(static_cast<Ctx&>(context), static_cast<const Req&>(in)));
      return Status();
    };
  }
  template <class Ctx, class Req, class Resp, class Word>
  void Bind(const char* service, const char* method, StatusOr<Word> (*ask)(Ask&, const Req&),
            StatusOr<Resp> (*handler)(Ctx&, const Req&, const Word&)) {
    Entry* entry =
        Declare(service, method, Req::descriptor(), Resp::descriptor(), std::is_same_v<Ctx, Write>);
    entry->ask = [ask](Ask& context, const Message& in) -> StatusOr<std::shared_ptr<const void>> {
      ASSIGN_OR_RETURN(Word word, ask(context, static_cast<const Req&>(in)));
      return std::static_pointer_cast<const void>(std::make_shared<const Word>(std::move(word)));
    };
    entry->run = [handler](Read& context, const Message& in, const void* word,
                           Message* out) -> Status {
      ASSIGN_OR_RETURN(*static_cast<Resp*>(out),
                       handler(static_cast<Ctx&>(context), static_cast<const Req&>(in),
                               *static_cast<const Word*>(word)));
      return Status();
    };
  }

  // A method that only gathers what others say: no transaction of its own. One with a request_id
  // has its effect there, which it must not have twice, and its answer is kept for a resend.
  template <class Req, class Resp>
  void Serve(const char* service, const char* method,
             std::function<StatusOr<Resp>(Ask&, const Req&)> answer) {
    Entry* entry = Declare(service, method, Req::descriptor(), Resp::descriptor(),
                           Req::descriptor()->FindFieldByName("request_id") != nullptr);
    entry->ask = [answer](Ask& context,
                          const Message& in) -> StatusOr<std::shared_ptr<const void>> {
      ASSIGN_OR_RETURN(Resp word, answer(context, static_cast<const Req&>(in)));
      return std::static_pointer_cast<const void>(std::make_shared<const Resp>(std::move(word)));
    };
    entry->run = [](Read&, const Message&, const void* word, Message* out) -> Status {
      static_cast<Resp*>(out)->CopyFrom(*static_cast<const Resp*>(word));
      return Status();
    };
  }

  // Fills the computed fields of a record on its way out.
  template <class T>
  void Computed(Status (*fill)(Read&, T*)) {
    options_.engine->computed[T::descriptor()] = [fill](Read& read, Message* record) {
      return fill(read, static_cast<T*>(record));
    };
  }
  // Says whether the caller attends, for fields with `readers: ATTENDEE` of this type.
  template <class T>
  void Attends(bool (*attends)(Read&, const T&)) {
    options_.engine->attends[T::descriptor()] = [attends](Read& read, const Message& record) {
      return attends(read, static_cast<const T&>(record));
    };
  }

  // Binds the standard methods of `service` that nobody bound (common/journal/standard.h); those
  // that are left have no handler.
  std::vector<std::string> BindStandard(const std::string& service);
  // Adds the bound services to the server. The door outlives it.
  void Register(grpc::ServerBuilder* builder);

 private:
  friend struct Flight;
  struct Entry {
    const schema::Method* method = nullptr;
    bool write = false;
    const google::protobuf::Descriptor* own = nullptr;  // resource of the answer
    std::function<StatusOr<std::shared_ptr<const void>>(Ask&, const Message&)> ask;
    std::function<Status(Read&, const Message&, const void*, Message*)> run;
  };
  class Service;

  Entry* Declare(const char* service, const char* method,
                 const google::protobuf::Descriptor* request,
                 const google::protobuf::Descriptor* response, bool write);

  Options options_;
  std::unique_ptr<Limits> own_limits_;
  std::map<std::string, std::unique_ptr<Service>> services_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;  // by full method name
};

}  // namespace hub
