#include "common/journal/context.h"

#include <set>

#include "absl/strings/str_split.h"
#include "common/base/id.h"
#include "common/journal/engine.h"
#include "common/privacy/seal.h"

namespace hub {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using schema::Resource;
namespace options = ::coproduction::options::v1;

constexpr int kPageSize = 50;
constexpr int kMostPageSize = 500;

Status NotFound(const std::string& name) {
  return Refuse(errors::RESOURCE_NOT_FOUND, "there is no '" + name + "' here", name);
}

std::string LastSegment(const std::string& name) { return name.substr(name.rfind('/') + 1); }

// The column of a field, 'name' being the id.
std::string ColumnOf(const Resource& resource, const std::string& field) {
  if (field == "name") return "id";
  const auto* column = db::FindColumn(resource, field);
  return column ? column->name : "";
}

// Which rows of the forum are the caller's business, as SQL: its own where the method's policy says
// OWN, of the partners' only its own, of a partner's what is shared at this moment, and what is for
// the caller's side where the record says `only`. A row that is not is not even read, so it is in
// nothing told from one that is not there.
struct Reach {
  bool none = false;
  std::string where;  // ' AND column = $n', from `values` on
  std::vector<db::Value> values;

  void Only(const std::string& column, db::Value value) {
    values.push_back(std::move(value));
    where += " AND " + column + " = $" + std::to_string(values.size());
  }
};

// `values`: those that stand before in the statement.
StatusOr<Reach> ReachOf(Command& command, const Resource& resource, std::vector<db::Value> values) {
  Reach reach;
  reach.values = std::move(values);
  const journal::Call& call = *command.call;
  if (call.method == nullptr) return reach;
  if (call.principal.side == options::HUB) {
    // An officer for whom another service asks has no more of it than by itself.
    const std::string partner = call.principal.partner(call.forum);
    if (!partner.empty() && !resource.option->partner().empty()) {
      reach.Only(ColumnOf(resource, resource.option->partner()), partner);
    }
    return reach;
  }
  bool any = false, own = false;
  for (const auto& policy : call.method->option->policy()) {
    for (int role : policy.roles()) {
      if (!call.principal.Has(static_cast<options::Role>(role), call.forum)) continue;
      (policy.relation() == options::Policy::OWN ? own : any) = true;
    }
  }
  // Another service acting for this person: the method's policy for services has let it in.
  if (!call.principal.service.empty()) any = true;
  if (call.principal.side == options::PARTNER) {
    ASSIGN_OR_RETURN(const privacy::Viewer* viewer, command.Viewer());
    const std::string& item = schema::DataItemOf(resource.type);
    reach.none |= !item.empty() && viewer->shares.count(item) == 0;
    if (!resource.option->partner().empty() && !viewer->partner.empty()) {
      reach.Only(ColumnOf(resource, resource.option->partner()), viewer->partner);
    }
  }
  for (const auto& only : resource.option->only()) {
    bool all = only.to() != call.principal.side;
    for (int role : only.but()) {
      all |= call.principal.Has(static_cast<options::Role>(role), call.forum);
    }
    if (!all) reach.Only(ColumnOf(resource, only.field()), int64_t{only.is()});
  }
  if (any) return reach;
  reach.none |= !own;
  if (resource.option->own().empty()) return reach;
  const std::string person = call.principal.person(call.forum);
  reach.none |= person.empty();  // who is nobody has nothing
  reach.Only(ColumnOf(resource, resource.option->own()), person);
  return reach;
}

std::string StateOf(const Resource& resource, const Message& record) {
  if (resource.state == nullptr) return "";
  return record.GetReflection()->GetEnum(record, resource.state)->name();
}

// A value like Assent, all of whose fields the server sets.
bool OnlyServerSets(const FieldDescriptor& field) {
  if (!schema::IsClassifiedMessage(&field)) return false;
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    if (!schema::FieldOption(field.message_type()->field(i)).output_only()) return false;
  }
  return true;
}

bool Leads(const options::Method& method, const std::string& from, const std::string* to) {
  for (const auto& transition : method.transitions()) {
    if (to != nullptr && transition.to() != *to) continue;
    if (transition.from().empty() && from.empty()) return true;
    for (const auto& state : transition.from()) {
      if (state == from) return true;
    }
  }
  return false;
}

// The way to a record in the request that brought it, as 'member.'; empty where it brought none.
std::string WayTo(const journal::Call& call, const google::protobuf::Descriptor* type) {
  if (call.method == nullptr) return "";
  const auto* request = call.method->descriptor->input_type();
  for (int i = 0; i < request->field_count(); ++i) {
    if (request->field(i)->message_type() == type) return request->field(i)->name() + ".";
  }
  return "";
}

Status StateNotAllowed(const journal::Call& call, const std::string& from) {
  std::set<std::string> allowed;
  for (const auto& transition : call.method->option->transitions()) {
    allowed.insert(transition.from().begin(), transition.from().end());
  }
  std::string list;
  for (const auto& state : allowed) list += (list.empty() ? "" : " or ") + state;
  return Refuse(
      errors::STATE_NOT_ALLOWED,
      "the record is " + from + "; " + call.method->descriptor->name() + " needs it to be " + list,
      from);
}

}  // namespace

const auth::Principal& Read::principal() const { return command_->call->principal; }
const std::string& Read::forum() const { return command_->call->forum; }
Micros Read::now() const { return command_->now; }
std::string Read::today() const { return LondonDate(command_->now); }
db::Conn& Read::sql() { return *command_->conn; }

Status Read::Load(const std::string& name, const std::string& etag, bool lock, Message* out) {
  const Resource* resource = schema::FindResource(out->GetDescriptor());
  const journal::Call& call = *command_->call;
  std::string forum, id;
  if (!schema::ParseName(*resource, name, &forum, &id)) {
    return InvalidField("name",
                        "'" + name + "' is not a name of the form " + resource->option->pattern());
  }
  if (forum != call.forum && call.principal.side != options::HUB) return NotFound(name);
  ASSIGN_OR_RETURN(const Reach reach, ReachOf(*command_, *resource, {forum, id}));
  bool found = false;
  if (!reach.none) {
    ASSIGN_OR_RETURN(found, db::ReadRecord(*command_->conn, command_->engine->sealer(), *resource,
                                           reach.where, reach.values, lock, out));
  }
  if (!found) return NotFound(name);
  if (!etag.empty() && etag != schema::Etag(schema::VersionOf(*out))) {
    return Refuse(errors::ETAG_MISMATCH,
                  "'" + name + "' was changed meanwhile: your etag is " + etag + ", it is now " +
                      schema::Etag(schema::VersionOf(*out)) + "; read it again, then decide again",
                  "etag");
  }
  const bool own = call.method != nullptr && resource->type == call.own &&
                   !call.method->option->transitions().empty();
  auto* touched = command_->FindTouched(name);
  // Judged against the state that the command found, not one it made itself.
  if (own && touched == nullptr &&
      !Leads(*call.method->option, StateOf(*resource, *out), nullptr)) {
    return StateNotAllowed(call, StateOf(*resource, *out));
  }
  if (lock && touched == nullptr) {
    auto entry = std::make_unique<Command::Touched>();
    entry->resource = resource;
    entry->forum = forum;
    entry->id = id;
    entry->name = name;
    entry->before.reset(out->New());
    entry->before->CopyFrom(*out);
    command_->touched.push_back(std::move(entry));
  }
  return Status();
}

StatusOr<bool> Read::LoadIfThere(const std::string& name, Message* out) {
  const Resource* resource = schema::FindResource(out->GetDescriptor());
  std::string forum, id;
  if (!schema::ParseName(*resource, name, &forum, &id)) return false;
  return db::ReadRecord(*command_->conn, command_->engine->sealer(), *resource, "", {forum, id},
                        false, out);
}

Status Read::SelectEach(const google::protobuf::Descriptor* type, const std::string& where,
                        std::vector<db::Value> values, absl::FunctionRef<Message*()> add) {
  values.insert(values.begin(), db::Value(forum()));
  return db::QueryRecords(*command_->conn, command_->engine->sealer(), *schema::FindResource(type),
                          "WHERE forum = $1 AND " + where, values, add);
}

Status Read::LoadSettings(Message* out) {
  const Resource* resource = schema::FindResource(out->GetDescriptor());
  const std::string name = schema::MakeName(*resource, forum(), "settings");
  RETURN_IF_ERROR(LoadIfThere(name, out).status());
  const Reflection* reflection = out->GetReflection();
  for (const auto& column : resource->columns) {
    const auto& option = schema::FieldOption(column.field);
    if (option.default_value() == 0 || reflection->HasField(*out, column.field)) continue;
    if (column.field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      reflection->SetInt32(out, column.field, static_cast<int32_t>(option.default_value()));
    } else if (column.field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      reflection->SetInt64(out, column.field, option.default_value());
    }
  }
  reflection->SetString(out, resource->name, name);
  return Status();
}

StatusOr<int64_t> Read::Number(const std::string& sql, std::vector<db::Value> values) {
  int64_t number = 0;
  bool first = true;
  RETURN_IF_ERROR(command_->conn->Query(sql, values, [&](const db::Row& row) {
    if (first && !row.IsNull(0)) number = row.Int(0);
    first = false;
    return Status();
  }));
  return number;
}

Status Read::ListPage(const Message& in, Message* out) {
  const journal::Call& call = *command_->call;
  const FieldDescriptor* list = nullptr;
  for (int i = 0; i < out->GetDescriptor()->field_count(); ++i) {
    if (out->GetDescriptor()->field(i)->is_repeated()) list = out->GetDescriptor()->field(i);
  }
  const Resource* resource = list ? schema::FindResource(list->message_type()) : nullptr;
  if (resource == nullptr) return Internal("a list without a repeated resource");
  const Reflection* reflection = in.GetReflection();
  int size = 0;
  if (const auto* field = in.GetDescriptor()->FindFieldByName("page_size")) {
    size = reflection->GetInt32(in, field);
  }
  if (size < 0) return InvalidField("page_size", "page_size is below 0; ask for 1 to 500");
  size = size == 0 ? kPageSize : std::min(size, kMostPageSize);

  ASSIGN_OR_RETURN(Reach reach, ReachOf(*command_, *resource, {forum()}));
  if (reach.none) return Status();
  std::string where = "WHERE forum = $1" + reach.where;
  std::vector<db::Value>& values = reach.values;
  auto equal = [&](const std::string& column, db::Value value) {
    values.push_back(std::move(value));
    where += " AND " + column + " = $" + std::to_string(values.size());
  };
  // AIP-160, equality alone: 'state = "ACTIVE" AND team = "..."'.
  const std::string filter = schema::TextOf(in, "filter");
  ASSIGN_OR_RETURN(const privacy::Viewer* viewer, command_->Viewer());
  if (!filter.empty()) {
    std::vector<std::string> terms = absl::StrSplit(filter, " AND ");
    for (const auto& term : terms) {
      size_t at = term.find('=');
      auto trim = [](std::string text) {
        while (!text.empty() && (text.back() == ' ' || text.back() == '"')) text.pop_back();
        size_t from = text.find_first_not_of(" \"");
        return from == std::string::npos ? "" : text.substr(from);
      };
      const std::string field = trim(term.substr(0, at));
      const auto* column = db::FindColumn(*resource, field);
      // What may not be read may not be asked either: the same refusal as for no such field.
      if (at == std::string::npos || column == nullptr || resource->sealed() ||
          !schema::FieldOption(column->field).indexed() ||
          !privacy::Visible(*column->field, *viewer, {})) {
        return Refuse(errors::FILTER_INVALID,
                      "filter term '" + term +
                          "' is not understood; write field = \"value\" with "
                          "an indexed field, several joined by AND",
                      "filter");
      }
      const std::string value = trim(term.substr(at + 1));
      switch (column->kind) {
        case schema::Column::kInteger:
        case schema::Column::kBool:
          equal(column->name, value == "true" ? int64_t{1} : int64_t{std::atoll(value.c_str())});
          break;
        case schema::Column::kReference:
          equal(column->name, LastSegment(value));
          break;
        default:
          equal(column->name, value);
      }
    }
  }
  // The token is sealed with who asks and what for: it serves nobody and nothing else.
  ASSIGN_OR_RETURN(std::string key, command_->engine->config().keys->NamedKey("hub", "page"));
  const std::string bound =
      call.principal.key() + "\n" + resource->type->full_name() + "\n" + forum() + "\n" + filter;
  const std::string order = resource->option->order();
  if (const std::string token = schema::TextOf(in, "page_token"); !token.empty()) {
    std::string bytes;
    auto opened = FromBase64Url(token, &bytes) ? privacy::Open(key, bytes, bound)
                                               : StatusOr<std::string>(Internal(""));
    if (!opened.ok()) {
      return Refuse(errors::PAGE_TOKEN_INVALID,
                    "page_token is not one that this list with this filter gave you; start again "
                    "without it",
                    "page_token");
    }
    std::vector<std::string> after = absl::StrSplit(*opened, '\n');
    if (order.empty()) {
      values.push_back(after[0]);
      where += " AND id > $" + std::to_string(values.size());
    } else {
      values.push_back(after[1]);
      values.push_back(after[0]);
      const std::string n = std::to_string(values.size() - 1), m = std::to_string(values.size());
      const std::string column = ColumnOf(*resource, order);
      where += " AND (" + column + ", id) > ($" + n + ", $" + m + ")";
    }
  }
  where += " ORDER BY " + (order.empty() ? "" : ColumnOf(*resource, order) + ", ") + "id LIMIT " +
           std::to_string(size + 1);
  const Reflection* out_reflection = out->GetReflection();
  RETURN_IF_ERROR(db::QueryRecords(*command_->conn, command_->engine->sealer(), *resource, where,
                                   values, [&] { return out_reflection->AddMessage(out, list); }));
  if (out_reflection->FieldSize(*out, list) > size) {
    out_reflection->RemoveLast(out, list);
    const Message& last = out_reflection->GetRepeatedMessage(*out, list, size - 1);
    const std::string plain = LastSegment(schema::GetName(last)) + "\n" +
                              (order.empty() ? "" : schema::TextOf(last, order));
    if (const auto* next = out->GetDescriptor()->FindFieldByName("next_page_token")) {
      out_reflection->SetString(out, next, Base64Url(privacy::Seal(key, plain, bound)));
    }
  }
  return Status();
}

Status Write::Insert(Message* record, const std::string& wanted_id) {
  const Resource* resource = schema::FindResource(record->GetDescriptor());
  const journal::Call& call = *command_->call;
  if (call.principal.side == options::PARTNER && resource->type == call.own) {
    ASSIGN_OR_RETURN(const Reach reach, ReachOf(*command_, *resource, {}));
    const std::string& item = schema::DataItemOf(resource->type);
    if (reach.none) {
      return RuleRefused("not_shared",
                         "no entry of the sharing agreement with your organisation "
                         "covers '" +
                             item + "' today; the forum's chair records one");
    }
  }
  std::string id = resource->singleton  ? "settings"
                   : !wanted_id.empty() ? wanted_id
                   : call.anonymous()   ? NewRandomId()
                                        : NewId();
  std::string forum = this->forum();
  if (resource->collection.empty()) forum = id, id = "forum";
  const std::string name = schema::MakeName(*resource, forum, id);
  record->GetReflection()->SetString(record, resource->name, name);
  schema::SetVersion(record, 1);
  RETURN_IF_ERROR(schema::ValidateRecord(*record, WayTo(call, record->GetDescriptor())));
  if (call.method != nullptr && resource->type == call.own &&
      !call.method->option->transitions().empty()) {
    const std::string to = StateOf(*resource, *record);
    if (!Leads(*call.method->option, "", &to)) {
      return Internal(call.method->path + " makes a record in state " + to +
                      ", which its transitions do not name");
    }
  }
  ASSIGN_OR_RETURN(const bool made, db::InsertRecord(*command_->conn, command_->engine->sealer(),
                                                     *resource, forum, id, *record));
  if (!made) return Status();
  auto entry = command_->FindTouched(name);
  if (entry == nullptr) {
    command_->touched.push_back(std::make_unique<Command::Touched>());
    entry = command_->touched.back().get();
  }
  entry->resource = resource;
  entry->forum = forum;
  entry->id = id;
  entry->name = name;
  entry->after.reset(record->New());
  entry->after->CopyFrom(*record);
  std::unique_ptr<Message> empty(record->New());
  entry->paths = db::ChangedPaths(*resource, *empty, *record);
  return Status();
}

Status Write::Store(Message* record) {
  const Resource* resource = schema::FindResource(record->GetDescriptor());
  const journal::Call& call = *command_->call;
  const std::string name = schema::GetName(*record);
  Command::Touched* touched = command_->FindTouched(name);
  if (touched == nullptr) return Internal("'" + name + "' was not read before it was stored");
  RETURN_IF_ERROR(schema::ValidateRecord(*record, WayTo(call, record->GetDescriptor())));
  const Message& last = touched->after ? *touched->after : *touched->before;
  const auto changed = db::ChangedPaths(*resource, last, *record);
  if (call.method != nullptr && resource->type == call.own && touched->before != nullptr &&
      !call.method->option->transitions().empty()) {
    const std::string to = StateOf(*resource, *record);
    if (!Leads(*call.method->option, StateOf(*resource, *touched->before), &to)) {
      return Refuse(errors::STATE_NOT_ALLOWED,
                    call.method->descriptor->name() + " does not lead from " +
                        StateOf(*resource, *touched->before) + " to " + to,
                    StateOf(*resource, *touched->before));
    }
  }
  if (changed.empty() && touched->after == nullptr) {
    // Not even a new version; but an event may stand for what changed elsewhere.
    if (touched->event == nullptr) return Status();
  }
  // One version a command, whatever it stores in between.
  schema::SetVersion(record, touched->after ? schema::VersionOf(*touched->after)
                                            : schema::VersionOf(*touched->before) + 1);
  RETURN_IF_ERROR(db::UpdateRecord(*command_->conn, command_->engine->sealer(), *resource,
                                   touched->forum, touched->id, *record, changed));
  for (const auto& path : changed) {
    bool there = false;
    for (const auto& known : touched->paths) there |= known == path;
    if (!there) touched->paths.push_back(path);
  }
  if (touched->after == nullptr) touched->after.reset(record->New());
  touched->after->CopyFrom(*record);
  return Status();
}

Status Write::ApplyMask(const Message& body, const google::protobuf::FieldMask& mask,
                        Message* record) {
  const Resource* resource = schema::FindResource(record->GetDescriptor());
  if (mask.paths().empty()) {
    return Refuse(errors::FIELD_REQUIRED,
                  "update_mask is required: name the fields that you want to set", "update_mask");
  }
  ASSIGN_OR_RETURN(const privacy::Viewer* viewer, command_->Viewer());
  privacy::Relations relations;
  if (const std::string& own = resource->option->own();
      !own.empty() && LastSegment(schema::TextOf(*record, own)) == viewer->person &&
      !viewer->person.empty()) {
    relations.insert(options::Field::OWN);
  }
  for (const auto& path : mask.paths()) {
    const auto* column = db::FindColumn(*resource, path);
    if (column == nullptr) {
      return InvalidField("update_mask", "update_mask names '" + path + "', which " +
                                             resource->type->name() + " does not store");
    }
    const auto& option = schema::FieldOption(column->field);
    if (schema::IsClassifiedMessage(column->field)
            ? false
            : !privacy::Visible(*column->field, *viewer, relations)) {
      return Refuse(errors::FIELD_NOT_YOURS,
                    "update_mask names '" + path + "', which your role may not read", path);
    }
    if (option.output_only() || option.immutable() || OnlyServerSets(*column->field)) {
      return Refuse(errors::FIELD_READ_ONLY,
                    "update_mask names '" + path + "', which cannot be changed by an update", path);
    }
    const Reflection* reflection = record->GetReflection();
    std::unique_ptr<Message> one(body.New());
    one->CopyFrom(body);
    for (int i = 0; i < body.GetDescriptor()->field_count(); ++i) {
      if (body.GetDescriptor()->field(i) != column->field) {
        reflection->ClearField(one.get(), body.GetDescriptor()->field(i));
      }
    }
    reflection->ClearField(record, column->field);
    record->MergeFrom(*one);
  }
  return Status();
}

Message& Write::AddEvent(std::unique_ptr<Message> event, const Message& record) {
  const auto& option = event->GetDescriptor()->options().GetExtension(options::event);
  const std::string name = schema::GetName(record);
  Command::Touched* touched = command_->FindTouched(name);
  if (touched == nullptr || touched->event != nullptr ||
      option.aggregate() != record.GetDescriptor()->full_name()) {
    // A mistake in the handler, found by its first test: two facts of one record are two commands.
    std::abort();
  }
  for (int i = 0; i < event->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* to = event->GetDescriptor()->field(i);
    const Reflection* reflection = event->GetReflection();
    const FieldDescriptor* from = record.GetDescriptor()->FindFieldByName(to->name());
    if (schema::FieldOption(to).reference() == option.aggregate()) {
      reflection->SetString(event.get(), to, name);
    } else if (from != nullptr && from->cpp_type() == to->cpp_type() && !from->is_repeated() &&
               !to->is_repeated() && record.GetReflection()->HasField(record, from)) {
      switch (from->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          reflection->SetString(event.get(), to, record.GetReflection()->GetString(record, from));
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          reflection->SetInt32(event.get(), to, record.GetReflection()->GetInt32(record, from));
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          reflection->SetInt64(event.get(), to, record.GetReflection()->GetInt64(record, from));
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          reflection->SetBool(event.get(), to, record.GetReflection()->GetBool(record, from));
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          reflection->SetEnumValue(event.get(), to,
                                   record.GetReflection()->GetEnumValue(record, from));
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (from->message_type() == to->message_type()) {
            reflection->MutableMessage(event.get(), to)
                ->CopyFrom(record.GetReflection()->GetMessage(record, from));
          }
          break;
        default:
          break;
      }
    }
  }
  touched->event = std::move(event);
  return *touched->event;
}

Status GiveWord(Write& write, coproduction::type::v1::Assent* assent) {
  const bool forum = write.side() == options::FORUM;
  if (!forum && write.side() != options::PARTNER) {
    return RuleRefused("two_sides", "only the forum or a partner can give its word");
  }
  const std::string person = write.person();
  if (!person.empty() && person == (forum ? assent->partner_person() : assent->forum_person())) {
    return RuleRefused("two_sides",
                       "you gave the other side's word on this; somebody else must give this one");
  }
  if (forum && !assent->has_forum_time()) {
    *assent->mutable_forum_time() = ToTimestamp(write.now());
    assent->set_forum_person(person);
  } else if (!forum && !assent->has_partner_time()) {
    *assent->mutable_partner_time() = ToTimestamp(write.now());
    assent->set_partner_person(person);
  }
  return Status();
}

void TakeBackWord(Write& write, coproduction::type::v1::Assent* assent) {
  if (write.side() == options::FORUM) {
    assent->clear_forum_time();
    assent->clear_forum_person();
  } else {
    assent->clear_partner_time();
    assent->clear_partner_person();
  }
}

bool Both(const coproduction::type::v1::Assent& assent) {
  return assent.has_forum_time() && assent.has_partner_time();
}

std::string IdOf(const std::string& name) { return LastSegment(name); }

std::string ForumOf(const std::string& name) {
  std::vector<std::string> parts = absl::StrSplit(name, '/');
  return parts.size() > 1 ? parts[1] : "";
}

}  // namespace hub
