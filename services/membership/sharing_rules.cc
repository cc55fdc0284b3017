#include "services/membership/sharing_rules.h"

#include "absl/strings/str_join.h"

namespace hub::membership {

Status CheckSharing(const v1::SharingEntry& entry, const std::set<std::string>& known,
                    const std::string& today) {
  for (const std::string& item : entry.data()) {
    if (known.count(item) > 0) continue;
    return InvalidField("sharing_entry.data", "data names '" + item + "', which is no data item; " +
                                                  "there are " + absl::StrJoin(known, ", "));
  }
  if (entry.ends_on().empty()) return Status();
  return CheckSharingEnd(entry, entry.ends_on(), today);
}

Status CheckSharingEnd(const v1::SharingEntry& entry, const std::string& ends_on,
                       const std::string& today) {
  if (ends_on < today) {
    return InvalidField("ends_on", "ends_on is " + ends_on +
                                       ", which is over; what crossed until "
                                       "today, " +
                                       today + ", cannot be taken back");
  }
  if (ends_on < entry.from_on()) {
    return InvalidField("ends_on",
                        "ends_on is " + ends_on + ", before it begins, " + entry.from_on());
  }
  return Status();
}

}  // namespace hub::membership
