#include "services/scheduling/items_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/scheduling/events/v1/items.pb.h"
#include "services/scheduling/allocations_rpc.h"
#include "services/scheduling/items_rules.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {

namespace events = ::coproduction::scheduling::events::v1;
using v1::EngagementRequest;
using v1::Item;
using v1::Session;

StatusOr<std::vector<Item>> ItemsOf(Read& read, const std::string& session) {
  return read.Select<Item>("session_id = $2 AND state <> 'DROPPED' ORDER BY position, id",
                           {IdOf(session)});
}

// The request is what its items are; called after an item was stored.
static StatusOr<EngagementRequest> Follow(Write& write, const std::string& name) {
  ASSIGN_OR_RETURN(auto request, write.Get<EngagementRequest>(name));
  ASSIGN_OR_RETURN(auto items, write.Select<Item>("request_id = $2", {IdOf(name)}));
  request.set_state(StateBy(request, items));
  return write.Put(std::move(request));
}

static Status Reopen(Write& write, Session session) {
  ReopenAgenda(&session);
  return write.Put(std::move(session)).status();
}

StatusOr<Item> Drop(Write& write, Item item) {
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(item.session()));
  RETURN_IF_ERROR(Reopen(write, std::move(session)));
  RETURN_IF_ERROR(EndPlaces(write, "item_id = $2", {IdOf(item.name())}, "the item is dropped"));
  item.set_state(Item::DROPPED);
  ASSIGN_OR_RETURN(item, write.Put(std::move(item)));
  RETURN_IF_ERROR(Follow(write, item.request()).status());
  return item;
}

// The session is locked first, so that two items cannot take the same last minutes.
static StatusOr<Item> CreateItem(Write& write, const v1::CreateItemRequest& in) {
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(in.item().session()));
  ASSIGN_OR_RETURN(auto request, write.Get<EngagementRequest>(in.item().request()));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::SchedulingSettings>());
  ASSIGN_OR_RETURN(auto others, ItemsOf(write, session.name()));
  Item item = ItemOf(request, others, in.item());
  RETURN_IF_ERROR(MayBePlaced(item, request, session, FreeMinutes(session, others, settings)));
  ASSIGN_OR_RETURN(item, write.Create(std::move(item)));
  write.Emit<events::ItemScheduled>(item).set_session_date(session.date());
  RETURN_IF_ERROR(Follow(write, item.request()).status());
  RETURN_IF_ERROR(Reopen(write, std::move(session)));
  return item;
}

static StatusOr<Item> UpdateItem(Write& write, const v1::UpdateItemRequest& in) {
  ASSIGN_OR_RETURN(Item item, write.Merge(in.item(), in.update_mask()));
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(item.session()));
  ASSIGN_OR_RETURN(auto request, write.Get<EngagementRequest>(item.request()));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::SchedulingSettings>());
  ASSIGN_OR_RETURN(auto others, ItemsOf(write, session.name()));
  std::erase_if(others, [&](const Item& other) { return other.name() == item.name(); });
  RETURN_IF_ERROR(MayBePlaced(item, request, session, FreeMinutes(session, others, settings)));
  RETURN_IF_ERROR(Reopen(write, std::move(session)));
  return write.Put(std::move(item));
}

static StatusOr<Item> DropItem(Write& write, const v1::DropItemRequest& in) {
  ASSIGN_OR_RETURN(Item item, write.Get<Item>(in.name(), in.etag()));
  return Drop(write, std::move(item));
}

static StatusOr<Item> PresentItem(Write& write, const v1::PresentItemRequest& in) {
  ASSIGN_OR_RETURN(Item item, write.Get<Item>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(item.session()));
  RETURN_IF_ERROR(MayBePresented(session, write.today()));
  item.set_state(Item::PRESENTED);
  item.set_minutes_actual(in.minutes_actual());
  ASSIGN_OR_RETURN(item, write.Put(std::move(item)));
  ASSIGN_OR_RETURN(auto request, Follow(write, item.request()));
  auto& event = write.Emit<events::ItemPresented>(item);
  event.set_session_date(session.date());
  event.set_requestor_person(request.requestor_person());
  return item;
}

static StatusOr<Item> SetStageFelt(Write& write, const v1::SetStageFeltRequest& in) {
  ASSIGN_OR_RETURN(Item item, write.Get<Item>(in.name(), in.etag()));
  item.set_stage_felt(in.stage_felt());
  return write.Put(std::move(item));
}

static StatusOr<v1::ItemFacts> GetItemFacts(Read& read, const v1::GetItemFactsRequest& in) {
  ASSIGN_OR_RETURN(Item item, read.Get<Item>(in.name()));
  ASSIGN_OR_RETURN(Session session, read.Get<Session>(item.session()));
  ASSIGN_OR_RETURN(auto request, read.Get<EngagementRequest>(item.request()));
  v1::ItemFacts facts;
  facts.set_item(item.name());
  facts.set_request(item.request());
  facts.set_session(item.session());
  facts.set_partner(item.partner());
  facts.set_session_date(session.date());
  facts.set_session_minutes(session.minutes());
  facts.set_series(session.series());
  facts.set_activity_kind(session.activity_kind());
  facts.set_state(item.state());
  facts.set_requestor_person(request.requestor_person());
  facts.set_title(item.title());
  facts.set_team(item.team());
  ASSIGN_OR_RETURN(auto reps, RepsOfItem(read, item.name()));
  for (const auto& rep : reps) facts.add_reps(rep);
  return facts;
}

static Status FillItem(Read& read, Item* item) {
  ASSIGN_OR_RETURN(auto session, read.Find<Session>(item->session()));
  item->set_quorate(session && session->state() == Session::HELD && session->quorate());
  return Status();
}

void BindItems(Door& door) {
  const char service[] = "coproduction.scheduling.v1.Items";
  door.Bind(service, "CreateItem", CreateItem);
  door.Bind(service, "UpdateItem", UpdateItem);
  door.Bind(service, "DropItem", DropItem);
  door.Bind(service, "PresentItem", PresentItem);
  door.Bind(service, "SetStageFelt", SetStageFelt);
  door.Bind(service, "GetItemFacts", GetItemFacts);
  door.Computed<Item>(FillItem);
}

}  // namespace hub::scheduling
