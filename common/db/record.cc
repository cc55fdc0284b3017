#include "common/db/record.h"

#include <memory>

#include "common/db/engine.h"

namespace hub::db {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using schema::Column;
using schema::Resource;

Value ToValue(const Column& column, const Message& record) {
  const Reflection* reflection = record.GetReflection();
  const FieldDescriptor* field = column.field;
  if (column.kind == Column::kValue) {
    // A message of the record's type with only this field: unknown fields of a newer version
    // inside it survive, and one encoding serves single and repeated values.
    bool there = field->is_repeated() ? reflection->FieldSize(record, field) > 0
                                      : reflection->HasField(record, field);
    if (!there) return std::monostate();
    std::unique_ptr<Message> only(record.New());
    only->CopyFrom(record);
    for (int i = 0; i < record.GetDescriptor()->field_count(); ++i) {
      if (record.GetDescriptor()->field(i) != field) {
        reflection->ClearField(only.get(), record.GetDescriptor()->field(i));
      }
    }
    reflection->MutableUnknownFields(only.get())->Clear();
    return Bytes{only->SerializeAsString()};
  }
  if (field->has_presence() && !reflection->HasField(record, field)) return std::monostate();
  switch (column.kind) {
    case Column::kText:
      return reflection->GetString(record, field);
    case Column::kReference: {
      std::string name = reflection->GetString(record, field);
      return name.substr(name.rfind('/') + 1);
    }
    case Column::kBool:
      return int64_t{reflection->GetBool(record, field)};
    case Column::kEnum:
      return reflection->GetEnum(record, field)->name();
    case Column::kTime: {
      google::protobuf::Timestamp stamp;
      stamp.CopyFrom(reflection->GetMessage(record, field));
      return ToMicros(stamp);
    }
    default:
      return field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
                 ? int64_t{reflection->GetInt32(record, field)}
                 : reflection->GetInt64(record, field);
  }
}

Status FromRow(const Row& row, int at, const Column& column, const std::string& forum,
               Message* record) {
  if (row.IsNull(at)) return Status();
  const Reflection* reflection = record->GetReflection();
  const FieldDescriptor* field = column.field;
  switch (column.kind) {
    case Column::kValue: {
      std::string_view bytes = row.Blob(at);
      if (!record->MergeFromString(std::string(bytes))) {
        return Internal("column " + column.name + " holds bytes that are no " + field->name());
      }
      break;
    }
    case Column::kText:
      reflection->SetString(record, field, std::string(row.Text(at)));
      break;
    case Column::kReference: {
      std::string id(row.Text(at));
      if (id.empty()) break;
      const Resource* target = schema::FindResource(schema::FieldOption(field).reference());
      reflection->SetString(record, field,
                            schema::MakeName(*target, target->collection.empty() ? id : forum, id));
      break;
    }
    case Column::kBool:
      reflection->SetBool(record, field, row.Int(at) != 0);
      break;
    case Column::kEnum: {
      const auto* value = field->enum_type()->FindValueByName(std::string(row.Text(at)));
      if (value == nullptr) {
        return Internal("column " + column.name + " holds a value that this version cannot read");
      }
      reflection->SetEnum(record, field, value);
      break;
    }
    case Column::kTime:
      reflection->MutableMessage(record, field)->CopyFrom(ToTimestamp(row.Int(at)));
      break;
    default:
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
        reflection->SetInt32(record, field, static_cast<int32_t>(row.Int(at)));
      } else {
        reflection->SetInt64(record, field, row.Int(at));
      }
  }
  return Status();
}

std::string Bound(const Resource& resource, const std::string& forum, const std::string& id) {
  return resource.option->table() + "|" + forum + "/" + id + "|body";
}

// Whose key seals: the last segment of the subject's name, or the record's own id.
std::string Subject(const Resource& resource, const std::string& id, const Message& record) {
  if (resource.option->subject_key() == "name") return id;
  std::string name = schema::TextOf(record, resource.option->subject_key());
  return name.substr(name.rfind('/') + 1);
}

// 'SELECT forum, id, version, <columns> FROM <table> '
std::string SelectText(const Resource& resource) {
  std::string sql = "SELECT forum, id, version";
  if (resource.sealed()) {
    sql += ", body, subject";
  } else {
    for (const auto& column : resource.columns) sql += ", " + column.name;
  }
  return sql + " FROM " + resource.option->table() + " ";
}

StatusOr<Value> SealedBody(Sealer* sealer, const Resource& resource, const std::string& forum,
                           const std::string& id, const Message& record) {
  std::unique_ptr<Message> plain(record.New());
  plain->CopyFrom(record);
  plain->GetReflection()->ClearField(plain.get(), resource.name);
  plain->GetReflection()->ClearField(plain.get(), resource.etag);
  ASSIGN_OR_RETURN(std::string sealed,
                   sealer->Seal(resource.service, Subject(resource, id, record),
                                plain->SerializeAsString(), Bound(resource, forum, id)));
  return Value(Bytes{std::move(sealed)});
}

}  // namespace

Status QueryRecords(Conn& conn, Sealer* sealer, const Resource& resource,
                    const std::string& condition, absl::Span<const Value> values,
                    absl::FunctionRef<Message*()> add) {
  return conn.Query(SelectText(resource) + condition, values, [&](const Row& row) -> Status {
    Message* record = add();
    std::string forum(row.Text(0)), id(row.Text(1));
    if (resource.sealed()) {
      ASSIGN_OR_RETURN(std::string plain,
                       sealer->Open(resource.service, std::string(row.Text(4)),
                                    std::string(row.Blob(3)), Bound(resource, forum, id)));
      if (!record->ParseFromString(plain)) return Internal("a sealed record cannot be read");
    } else {
      int at = 3;
      for (const auto& column : resource.columns) {
        RETURN_IF_ERROR(FromRow(row, at++, column, forum, record));
      }
    }
    record->GetReflection()->SetString(record, resource.name,
                                       schema::MakeName(resource, forum, id));
    schema::SetVersion(record, row.Int(2));
    return Status();
  });
}

StatusOr<bool> ReadRecord(Conn& conn, Sealer* sealer, const Resource& resource,
                          const std::string& also, absl::Span<const Value> values, bool lock,
                          Message* out) {
  bool found = false;
  RETURN_IF_ERROR(QueryRecords(
      conn, sealer, resource, "WHERE forum = $1 AND id = $2" + also + (lock ? ForUpdate(conn) : ""),
      values, [&] {
        found = true;
        return out;
      }));
  return found;
}

StatusOr<bool> InsertRecord(Conn& conn, Sealer* sealer, const Resource& resource,
                            const std::string& forum, const std::string& id,
                            const Message& record) {
  std::vector<Value> values = {forum, id, schema::VersionOf(record)};
  std::string names = "forum, id, version", marks = "$1, $2, $3";
  auto add = [&](const std::string& name, Value value) {
    values.push_back(std::move(value));
    names += ", " + name;
    marks += ", $" + std::to_string(values.size());
  };
  if (resource.sealed()) {
    add("subject", Subject(resource, id, record));
    ASSIGN_OR_RETURN(Value body, SealedBody(sealer, resource, forum, id, record));
    add("body", std::move(body));
  } else {
    for (const auto& column : resource.columns) add(column.name, ToValue(column, record));
  }
  ASSIGN_OR_RETURN(
      int64_t rows,
      conn.Exec("INSERT INTO " + resource.option->table() + "(" + names + ") VALUES (" + marks +
                    ")" + (resource.singleton ? " ON CONFLICT DO NOTHING" : ""),
                values));
  return rows == 1;
}

Status UpdateRecord(Conn& conn, Sealer* sealer, const Resource& resource, const std::string& forum,
                    const std::string& id, const Message& record,
                    const std::vector<std::string>& paths) {
  std::vector<Value> values = {schema::VersionOf(record)};
  std::string sets = "version = $1";
  auto add = [&](const std::string& name, Value value) {
    values.push_back(std::move(value));
    sets += ", " + name + " = $" + std::to_string(values.size());
  };
  if (resource.sealed()) {
    ASSIGN_OR_RETURN(Value body, SealedBody(sealer, resource, forum, id, record));
    add("body", std::move(body));
  } else {
    for (const auto& path : paths) {
      const Column* column = FindColumn(resource, path);
      add(column->name, ToValue(*column, record));
    }
  }
  values.push_back(forum);
  values.push_back(id);
  const std::string n = std::to_string(values.size() - 1), m = std::to_string(values.size());
  ASSIGN_OR_RETURN(int64_t changed, conn.Exec("UPDATE " + resource.option->table() + " SET " +
                                                  sets + " WHERE forum = $" + n + " AND id = $" + m,
                                              values));
  return changed == 1 ? Status() : Internal("the record to store is gone");
}

StatusOr<int64_t> EmptyFields(Conn& conn, const Resource& resource,
                              const std::vector<const Column*>& columns, const std::string& state,
                              const std::string& where, const std::vector<Value>& values) {
  const Message& empty =
      *google::protobuf::MessageFactory::generated_factory()->GetPrototype(resource.type);
  std::string sets;
  auto set = [&](const std::string& name, const std::string& literal) {
    sets += (sets.empty() ? "" : ", ") + name + " = " + literal;
  };
  for (const Column* column : columns) {
    // Nothing, 0, false, '' or the name of an enum's first value.
    const Value value = ToValue(*column, empty);
    const auto* text = std::get_if<std::string>(&value);
    set(column->name, text != nullptr                          ? "'" + *text + "'"
                      : std::holds_alternative<int64_t>(value) ? "0"
                                                               : "NULL");
  }
  if (!state.empty()) set(resource.state->name(), "'" + state + "'");
  return conn.Exec("UPDATE " + resource.option->table() + " SET " + sets + " WHERE " + where,
                   values);
}

std::vector<std::string> ChangedPaths(const Resource& resource, const Message& before,
                                      const Message& after) {
  std::vector<std::string> paths;
  for (const auto& column : resource.columns) {
    if (ToValue(column, before) != ToValue(column, after)) paths.push_back(column.field->name());
  }
  return paths;
}

const Column* FindColumn(const Resource& resource, const std::string& field) {
  for (const auto& column : resource.columns) {
    if (column.field->name() == field) return &column;
  }
  return nullptr;
}

Status CheckTable(Conn& conn, const Resource& resource) {
  const std::string& table = resource.option->table();
  ASSIGN_OR_RETURN(auto there, ColumnsOf(conn, table));
  const std::string& type = resource.type->name();
  if (there.empty()) return Internal(type + " has no table '" + table + "'");
  std::vector<std::string> wanted = {"forum", "id", "version"};
  if (resource.sealed()) {
    wanted.insert(wanted.end(), {"subject", "body"});
  } else {
    for (const auto& column : resource.columns) wanted.push_back(column.name);
  }
  for (const auto& name : wanted) {
    if (there.erase(name) == 0) {
      return Internal(type + " does not fit its table: column \"" + name +
                      "\" does not exist in '" + table + "'; add it by a migration");
    }
  }
  for (const auto& [name, optional] : there) {
    if (!optional) {
      return Internal(type + " does not fit its table: column \"" + name + "\" of '" + table +
                      "' is no field and has neither NULL nor a default");
    }
  }
  return Status();
}

}  // namespace hub::db
