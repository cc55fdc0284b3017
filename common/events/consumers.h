// What a module does when another service's fact arrives, and when a timer falls due. Both are
// commands like any other: claimed by the event's id or the timer's (name, resource, due), done in
// one transaction, then acknowledged. A handler that refuses is tried again and ends in the
// dead letters, never in silence.
//
//   void BindConsumers(Consumers& consumers) {
//     consumers.On<scheduling::events::v1::ItemPresented>(OnItemPresented);
//     consumers.OnDue("InfluenceFeedbackOverdue", MarkOverdue);   // rows of a view `due...`
//   }
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/journal/context.h"

namespace hub {

// Where an event came from, beside its body.
struct Envelope {
  std::string id;
  std::string type;       // full message name
  std::string aggregate;  // resource name
  int64_t version = 0;
  int64_t sequence = 0;  // dense per (receiver, aggregate)
  std::string epoch;
  Micros time = 0;  // the hub's time of the change
};

class Consumers {
 public:
  using EventHandler = std::function<Status(Write&, const Message&, const Envelope&)>;
  using DueHandler = std::function<Status(Write&, const std::string& resource)>;

  template <class E>
  void On(Status (*handler)(Write&, const E&, const Envelope&)) {
    events[E::descriptor()->full_name()] = {
        [] { return std::unique_ptr<Message>(std::make_unique<E>()); },
        [handler](Write& write, const Message& event, const Envelope& envelope) {
          return handler(write, static_cast<const E&>(event), envelope);
        }};
  }
  // A row of one of the service's views due...(name, forum, resource, due_on) is due from the start
  // of its civil date `due_on` in London. The handler must make its row leave the view.
  void OnDue(const std::string& name, DueHandler handler) { due[name] = std::move(handler); }

  struct Event {
    std::function<std::unique_ptr<Message>()> make;
    EventHandler handle;
  };
  std::map<std::string, Event> events;  // by full message name
  std::map<std::string, DueHandler> due;
};

}  // namespace hub
