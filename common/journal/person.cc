#include "common/journal/person.h"

#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/journal/engine.h"
#include "common/journal/tables.h"
#include "google/protobuf/util/json_util.h"

namespace hub::journal {
namespace {

namespace v1 = ::coproduction::hub::v1;
namespace options = ::coproduction::options::v1;
using schema::Resource;
using v1::PersonalEntry;

// The state in which a record that is the person ends, where it has one.
constexpr char kErased[] = "ERASED";

std::string ColumnOf(const Resource& resource, const std::string& field) {
  const auto* column = field == "name" ? nullptr : db::FindColumn(resource, field);
  return column == nullptr ? "id" : column->name;
}

// The rows about the person $1.
std::string RowsAbout(const Resource& resource) {
  const std::string& table = resource.option->table();
  std::string where;
  if (!resource.option->own().empty()) {
    where = absl::StrCat(table, ".", ColumnOf(resource, resource.option->own()), " = $1");
  }
  for (const std::string& name : resource.option->through()) {
    const auto* column = db::FindColumn(resource, name);
    const auto* target = schema::FindResource(schema::FieldOption(column->field).reference());
    const std::string& other = target->option->table();
    absl::StrAppend(&where, where.empty() ? "" : " OR ", table, ".", column->name,
                    " IN (SELECT id FROM ", other, " WHERE ", other, ".forum = ", table,
                    ".forum AND ", ColumnOf(*target, target->option->own()), " = $1)");
  }
  return "(" + where + ")";
}

// What a partner says of its own officers is another controller's.
std::string OfForum(const Resource& resource, const std::string& rows) {
  if (resource.option->partner().empty()) return rows;
  return absl::StrCat(rows, " AND COALESCE(", ColumnOf(resource, resource.option->partner()),
                      ", '') = ''");
}

// The day on which so many years after a day are over.
std::string YearsAfter(const std::string& date, int years) {
  const auto day = ToDay(date);
  return ToText(absl::CivilDay(day.year() + years, day.month(), day.day()));
}

// The name of a row's record, in SQL.
std::string NameInSql(const Resource& resource) {
  const std::string& table = resource.option->table();
  return absl::StrCat("'forums/' || ", table, ".forum || '/", resource.collection, "/' || ", table,
                      ".id");
}

Status EraseRecords(Write& write, const Resource& resource, const std::string& person,
                    v1::ErasureConfirmation* said) {
  const std::string& table = resource.option->table();
  const std::string rows = RowsAbout(resource);
  ASSIGN_OR_RETURN(const int64_t count,
                   write.Number("SELECT COUNT(*) FROM " + table + " WHERE " + rows, {person}));
  if (count == 0) return Status();
  auto* kind = said->add_kinds();
  kind->set_type(resource.type->name());
  kind->set_records(count);
  RETURN_IF_ERROR(
      write.sql()
          .Exec(
              absl::StrCat("DELETE FROM payloads WHERE receiver = '' AND aggregate = '' AND id IN "
                           "(SELECT j.seq * ",
                           kPartsPerCommand, " FROM journal j JOIN ", table,
                           " ON j.resource = ", NameInSql(resource), " WHERE ", rows, ")"),
              {person})
          .status());
  RETURN_IF_ERROR(NoteScrub(write.sql(), "payloads"));
  if (resource.sealed()) {
    kind->set_removed(true);
    RETURN_IF_ERROR(write.sql()
                        .Exec("UPDATE " + table + " SET body = substr(body, 1, 0) WHERE " + rows +
                                  " AND LENGTH(body) > 0",
                              {person})
                        .status());
    return NoteScrub(write.sql(), table);
  }
  std::vector<const schema::Column*> emptied;
  for (const auto& column : resource.columns) {
    const auto& retention = schema::FieldOption(column.field).retention();
    if (schema::IsErased(resource, column.field)) {
      emptied.push_back(&column);
      kind->add_blanked(column.field->name());
    } else if (!retention.empty()) {
      kind->add_kept(column.field->name());
      kind->set_kept_until(YearsAfter(write.today(), schema::YearsOf(retention)));
      kind->set_kept_because(resource.option->kept_because());
    }
  }
  std::string state;
  if (resource.option->own() == "name" && resource.state != nullptr &&
      resource.state->enum_type()->FindValueByName(kErased) != nullptr) {
    state = kErased;
  }
  if (emptied.empty() && state.empty()) return Status();
  RETURN_IF_ERROR(
      db::EmptyFields(write.sql(), resource, emptied, state, OfForum(resource, rows), {person})
          .status());
  return NoteScrub(write.sql(), table);
}

// What an export is made for: the person, whatever roles the person has.
std::shared_ptr<Call> CallOf(const std::string& forum, const std::string& person) {
  auto call = std::make_shared<Call>();
  call->forum = forum;
  call->principal.side = options::FORUM;
  for (auto role : {options::MEMBER, options::REP}) {
    call->principal.grants.push_back({role, forum, "", person});
  }
  return call;
}

void SayWithheld(const Message& whole, const Message& shown, PersonalEntry* entry) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  whole.GetReflection()->ListFields(whole, &fields);
  for (const auto* field : fields) {
    const auto* reflection = shown.GetReflection();
    const bool there = field->is_repeated() ? reflection->FieldSize(shown, field) > 0
                                            : reflection->HasField(shown, field);
    if (!there) entry->add_withheld(field->name());
  }
}

PersonalEntry EntryOf(const std::string& service, PersonalEntry::Kind kind) {
  PersonalEntry entry;
  entry.set_service(service);
  entry.set_kind(kind);
  return entry;
}

// Rows (time, method or event, name, who, how often) as entries.
Status Happened(db::Conn& conn, PersonalEntry entry, const std::string& sql,
                std::initializer_list<db::Value> values, std::vector<PersonalEntry>* out) {
  return conn.Query(sql, values, [&](const db::Row& row) {
    *entry.mutable_time() = ToTimestamp(row.Int(0));
    entry.set_type(std::string(row.Text(1)));
    entry.set_name(std::string(row.Text(2)));
    entry.set_by(std::string(row.Text(3)));
    entry.set_times(row.Int(4));
    out->push_back(entry);
    return Status();
  });
}

// The lists of this service in which a record about a person may have stood.
std::string ListsInSql(const std::string& service) {
  std::string names;
  for (const auto* method : schema::Methods()) {
    if (method->service != service || !method->option->read_logged()) continue;
    if (schema::FindResource(method->descriptor->output_type()) != nullptr) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", "'", method->descriptor->full_name(), "'");
  }
  return names.empty() ? "''" : names;
}

}  // namespace

Status ErasePerson(Write& write, const std::string& service, const std::string& person,
                   const std::string& request) {
  v1::ErasureConfirmation said;
  said.set_service(service);
  said.set_erased_on(write.today());
  for (const Resource* resource : schema::Resources(service)) {
    if (!resource->about_person()) continue;
    RETURN_IF_ERROR(EraseRecords(write, *resource, person, &said));
  }
  return write.sql()
      .Exec(
          "INSERT INTO erasures(person, request, confirmation, step) "
          "VALUES ($1, $2, $3, 0) ON CONFLICT (person) DO UPDATE SET "
          "request = excluded.request, confirmation = excluded.confirmation, step = 0",
          {person, request, db::Bytes{said.SerializeAsString()}})
      .status();
}

bool RetentionEnds(const std::string& service, const std::string& erased_on,
                   const std::string& today) {
  std::set<int> kept;
  for (const Resource* resource : schema::Resources(service)) {
    if (resource->about_person()) kept.merge(schema::RetentionsOf(resource->type));
  }
  return kept.empty() || YearsAfter(erased_on, *kept.begin()) <= today;
}

StatusOr<bool> EndRetention(db::Conn& conn, const std::string& service, const std::string& person,
                            const std::string& erased_on, const std::string& today) {
  bool all = true;
  for (const Resource* resource : schema::Resources(service)) {
    if (!resource->about_person()) continue;
    for (const int years : schema::RetentionsOf(resource->type)) {
      if (today < YearsAfter(erased_on, years)) {
        all = false;
        continue;
      }
      RETURN_IF_ERROR(
          EndRetention(conn, *resource, years, OfForum(*resource, RowsAbout(*resource)), person));
    }
  }
  return all;
}

Status EndRetention(db::Conn& conn, const Resource& resource, int years, const std::string& where,
                    const std::string& value) {
  const auto* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(resource.type);
  std::vector<std::unique_ptr<Message>> records;
  RETURN_IF_ERROR(
      db::QueryRecords(conn, nullptr, resource, "WHERE " + where + " ORDER BY id", {value}, [&] {
        records.emplace_back(prototype->New());
        return records.back().get();
      }));
  bool any = false;
  for (const auto& record : records) {
    std::unique_ptr<Message> before(record->New());
    before->CopyFrom(*record);
    schema::EndRetention(years, record.get());
    const auto paths = db::ChangedPaths(resource, *before, *record);
    if (paths.empty()) continue;
    any = true;
    const std::string name = schema::GetName(*record);
    RETURN_IF_ERROR(
        db::UpdateRecord(conn, nullptr, resource, ForumOf(name), IdOf(name), *record, paths));
  }
  return any ? NoteScrub(conn, resource.option->table()) : Status();
}

StatusOr<std::vector<PersonalEntry>> Engine::PersonalData(const std::string& forum,
                                                          const std::string& person, bool own) {
  const auto call = CallOf(forum, person);
  const privacy::Viewer viewer = auth::ViewerOf(call->principal, forum);
  const std::string& service = options_.service;
  std::vector<PersonalEntry> out;
  RETURN_IF_ERROR(options_.store->ReadAndWait([&](db::Conn& conn) -> Status {
    out.clear();
    Command command{this, call.get(), &conn, Now(), {}};
    Read read(&command);
    for (const Resource* resource : schema::Resources(service)) {
      if (!resource->about_person()) continue;
      const std::string& table = resource->option->table();
      const std::string rows = absl::StrCat(RowsAbout(*resource), " AND ", table, ".forum = $2");
      PersonalEntry entry = EntryOf(service, PersonalEntry::RECORD);
      entry.set_type(resource->type->name());
      for (const auto& column : resource->columns) {
        const auto& option = schema::FieldOption(column.field);
        if (option.retention().empty()) continue;
        entry.add_kept(column.field->name());
        entry.set_retention(option.retention());
        entry.set_kept_because(resource->option->kept_because());
      }
      std::vector<std::unique_ptr<Message>> records;
      Status opened;
      if (!resource->sealed() || own) {
        const auto* prototype =
            google::protobuf::MessageFactory::generated_factory()->GetPrototype(resource->type);
        opened = db::QueryRecords(conn, sealer(), *resource, "WHERE " + rows + " ORDER BY id",
                                  {person, forum}, [&] {
                                    records.emplace_back(prototype->New());
                                    return records.back().get();
                                  });
      }
      const bool shut = ReasonOf(opened) == errors::RESOURCE_NOT_FOUND;  // its key was destroyed
      if (resource->sealed() && (shut || !own)) {
        records.clear();
        entry.add_withheld(shut ? "all: its key was destroyed" : "all: only the person reads it");
        RETURN_IF_ERROR(conn.Query("SELECT " + NameInSql(*resource) + " FROM " + table + " WHERE " +
                                       rows + " AND LENGTH(body) > 0",
                                   {person, forum}, [&](const db::Row& row) {
                                     out.push_back(entry);
                                     out.back().set_name(std::string(row.Text(0)));
                                     return Status();
                                   }));
      } else {
        RETURN_IF_ERROR(opened);
      }
      for (auto& record : records) {
        if (auto hook = computed.find(resource->type); hook != computed.end()) {
          RETURN_IF_ERROR(hook->second(read, record.get()));
        }
        std::unique_ptr<Message> whole(record->New());
        whole->CopyFrom(*record);
        privacy::Redact(record.get(), viewer, nullptr, nullptr, {options::Field::OWN});
        out.push_back(entry);
        out.back().set_name(schema::GetName(*record));
        SayWithheld(*whole, *record, &out.back());
        google::protobuf::util::JsonPrintOptions print;
        print.preserve_proto_field_names = true;
        google::protobuf::util::MessageToJsonString(*record, out.back().mutable_data_json(), print);
      }
      const std::string of_record = absl::StrCat(
          " JOIN ", table, " ON log.resource = ", NameInSql(*resource), " WHERE ", rows);
      RETURN_IF_ERROR(Happened(
          conn, EntryOf(service, PersonalEntry::DONE),
          "SELECT log.at, log.method, log.resource, log.principal, 1 FROM journal log" + of_record,
          {person, forum}, &out));
      RETURN_IF_ERROR(Happened(
          conn, EntryOf(service, PersonalEntry::READ),
          absl::StrCat("SELECT MIN(log.at), log.method, log.resource, log.principal, COUNT(*) "
                       "FROM access_log log",
                       of_record, " AND log.outcome = 'OK' GROUP BY log.at / ", kDay,
                       ", log.method, log.resource, log.principal"),
          {person, forum}, &out));
    }
    RETURN_IF_ERROR(Happened(
        conn, EntryOf(service, PersonalEntry::READ),
        absl::StrCat("SELECT MIN(at), method, resource, principal, COUNT(*) FROM access_log "
                     "WHERE resource = $1 AND outcome = 'OK' AND method IN (",
                     ListsInSql(service), ") GROUP BY at / ", kDay,
                     ", method, resource, principal"),
        {"forums/" + forum}, &out));
    return Happened(conn, EntryOf(service, PersonalEntry::SHARED),
                    absl::StrCat("SELECT MIN(at), via, partner, item, COUNT(*) FROM crossings "
                                 "WHERE person = $1 GROUP BY at / ",
                                 kDay, ", via, partner, item"),
                    {person}, &out);
  }));
  return out;
}

}  // namespace hub::journal
