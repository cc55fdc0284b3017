#include "common/journal/sharing.h"

#include "common/journal/engine.h"
#include "common/journal/tables.h"

namespace hub::journal {

StatusOr<privacy::Shares> SharesOf(db::Conn& conn, const std::string& partner,
                                   const std::string& today) {
  privacy::Shares shares;
  RETURN_IF_ERROR(
      conn.Query("SELECT item, entry FROM sharing WHERE partner = $1 AND from_on <= $2 "
                 "AND (ends_on = '' OR ends_on > $2) ORDER BY item, entry",
                 {partner, today}, [&](const db::Row& row) {
                   shares.emplace(std::string(row.Text(0)), std::string(row.Text(1)));
                   return Status();
                 }));
  return shares;
}

std::vector<std::string> Withheld(const privacy::Shares& shares) {
  std::vector<std::string> types;
  for (const auto* event : schema::Events()) {
    const std::string& item = schema::DataItemOf(event);
    if (!item.empty() && shares.count(item) == 0) types.push_back(event->full_name());
  }
  return types;
}

Status KeepSharing(Write& write, const std::string& entry, const std::string& partner,
                   const std::vector<std::string>& data, const std::string& from_on,
                   const std::string& ends_on) {
  for (const std::string& item : data) {
    RETURN_IF_ERROR(write.sql()
                        .Exec("INSERT INTO sharing(entry, item, partner, from_on, ends_on) "
                              "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (entry, item) "
                              "DO UPDATE SET ends_on = excluded.ends_on",
                              {entry, item, partner, from_on, ends_on})
                        .status());
  }
  return Status();
}

Status InsertCrossings(db::Conn& conn, const std::vector<Crossing>& crossings) {
  return InsertRows(
      conn, "INSERT INTO crossings(id, at, partner, entry, item, person, via, resource, receiver) ",
      crossings, [](const Crossing& row) {
        return std::vector<db::Value>{row.id,     row.at, row.partner,  row.entry, row.item,
                                      row.person, row.by, row.resource, row.to};
      });
}

}  // namespace hub::journal
