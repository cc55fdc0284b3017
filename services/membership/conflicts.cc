#include "services/membership/conflicts.h"

#include "coproduction/membership/events/v1/events.pb.h"

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

StatusOr<std::vector<Tie>> TiesOf(Read& read, const std::string& rep) {
  ASSIGN_OR_RETURN(const auto declarations,
                   read.Select<v1::Declaration>("rep_id = $2", {IdOf(rep)}));
  ASSIGN_OR_RETURN(const auto recusals,
                   read.Select<v1::Recusal>("rep_id = $2 AND state = 'ACTIVE'", {IdOf(rep)}));
  return TiesOn(declarations, recusals, read.today());
}

Status TellConflicts(Write& write, const std::string& rep) {
  ASSIGN_OR_RETURN(const auto ties, TiesOf(write, rep));
  std::vector<PlaceParty> parties;
  RETURN_IF_ERROR(
      write.sql().Query("SELECT allocation, party FROM places WHERE forum = $1 AND rep_id = $2 AND "
                        "session_date >= $3",
                        {write.forum(), IdOf(rep), write.today()}, [&](const db::Row& row) {
                          parties.push_back({std::string(row.Text(0)), std::string(row.Text(1))});
                          return Status();
                        }));
  for (const auto& allocation : Contradicted(ties, parties)) {
    v1::Conflict conflict;
    conflict.set_rep(rep);
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
