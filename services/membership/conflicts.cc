#include "services/membership/conflicts.h"

#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {

namespace events = ::coproduction::membership::events::v1;

Status KeepPlace(Write& write, const ::coproduction::scheduling::events::v1::RepAllocated& place) {
  RETURN_IF_ERROR(
      write.sql()
          .Exec("DELETE FROM places WHERE forum = $1 AND rep_id = $2 AND session_date < $3",
                {write.forum(), IdOf(place.rep()), write.today()})
          .status());
  for (const auto& party : place.parties()) {  // five at most
    RETURN_IF_ERROR(write.sql()
                        .Exec("INSERT INTO places(forum, allocation, party, rep_id, session_date) "
                              "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                              {write.forum(), place.allocation(), party, IdOf(place.rep()),
                               place.session_date()})
                        .status());
  }
  return Status();
}

Status TellConflicts(Write& write, const v1::Declaration& declaration) {
  std::vector<PlaceParty> parties;
  RETURN_IF_ERROR(write.sql().Query(
      "SELECT allocation, party FROM places WHERE forum = $1 AND rep_id = $2 AND "
      "session_date >= $3",
      {write.forum(), IdOf(declaration.rep()), write.today()}, [&](const db::Row& row) {
        parties.push_back({std::string(row.Text(0)), std::string(row.Text(1))});
        return Status();
      }));
  for (const auto& allocation : Contradicted(declaration, parties, write.today())) {
    v1::Conflict conflict;
    conflict.set_rep(declaration.rep());
    conflict.set_allocation(allocation);
    conflict.set_found_on(write.today());
    ASSIGN_OR_RETURN(conflict, write.Create(std::move(conflict)));
    write.Emit<events::ConflictFound>(conflict);
    RETURN_IF_ERROR(write.sql()
                        .Exec("DELETE FROM places WHERE forum = $1 AND allocation = $2",
                              {write.forum(), allocation})
                        .status());
  }
  return Status();
}

}  // namespace hub::membership
