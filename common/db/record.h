// The message is the record: maps a resource message to its table by the names of its fields, with
// no converter and no second struct. A sealed resource's table holds (forum, id, version, body),
// the body sealed under the key of the person it is about.
#pragma once

#include <string>
#include <vector>

#include "common/db/db.h"
#include "common/schema/schema.h"

namespace hub::db {

using google::protobuf::Message;

// Seals and opens the bodies of sealed resources; `person` names whose key.
class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual StatusOr<std::string> Seal(const std::string& service, const std::string& person,
                                     const std::string& plain, const std::string& bound_to) = 0;
  virtual StatusOr<std::string> Open(const std::string& service, const std::string& person,
                                     const std::string& sealed, const std::string& bound_to) = 0;
};

// The row of the forum ($1) and id ($2) that `values` begin with. False where there is none for
// which `also` (' AND column = $3') holds. `lock` holds the row until the transaction ends.
StatusOr<bool> ReadRecord(Conn& conn, Sealer* sealer, const schema::Resource& resource,
                          const std::string& also, absl::Span<const Value> values, bool lock,
                          Message* out);
// Rows by `condition` ('WHERE ... ORDER BY ...'), each into what `add` returns.
Status QueryRecords(Conn& conn, Sealer* sealer, const schema::Resource& resource,
                    const std::string& condition, absl::Span<const Value> values,
                    absl::FunctionRef<Message*()> add);
// False where a singleton is there already: another command of the same moment made it.
StatusOr<bool> InsertRecord(Conn& conn, Sealer* sealer, const schema::Resource& resource,
                            const std::string& forum, const std::string& id, const Message& record);
// Writes the columns of `paths` and the version that `record` carries.
Status UpdateRecord(Conn& conn, Sealer* sealer, const schema::Resource& resource,
                    const std::string& forum, const std::string& id, const Message& record,
                    const std::vector<std::string>& paths);
// Empties fields of the rows for which `where` holds, without a new version, and sets `state` where
// one is given; how many rows.
StatusOr<int64_t> EmptyFields(Conn& conn, const schema::Resource& resource,
                              const std::vector<const schema::Column*>& columns,
                              const std::string& state, const std::string& where,
                              const std::vector<Value>& values);
// The stored fields in which the two differ.
std::vector<std::string> ChangedPaths(const schema::Resource& resource, const Message& before,
                                      const Message& after);
// Refuses a table without a column for a field, or with a column that is neither a field's nor
// nullable nor defaulted.
Status CheckTable(Conn& conn, const schema::Resource& resource);
// The column that a stored field stands in; null if it has none.
const schema::Column* FindColumn(const schema::Resource& resource, const std::string& field);

}  // namespace hub::db
