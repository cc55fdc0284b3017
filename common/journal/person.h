// One person through the rows of a service, by what the schema says of records: whom they are about
// (`own`, `through`), which fields name a person (their classes), and which a law keeps
// (`retention`). What is held, Engine::PersonalData tells; here it is erased.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "common/schema/schema.h"

namespace hub::journal {

// Empties the personal fields of all records about the person, sealed ones as a whole, deletes the
// answers that are kept for resends, and keeps what became of them in the table `erasures`, from
// where the runtime goes on: keys, files, and the word to `request` (empty: nobody waits for it).
// Versions do not change, since nothing that events tell does: the rows of a ledger stay, and lead
// to nobody. Done again it finds what a restore brought back.
Status ErasePerson(Write& write, const std::string& service, const std::string& person,
                   const std::string& request);

// Whether something that was kept of who was erased that day is kept no longer, or nothing was.
bool RetentionEnds(const std::string& service, const std::string& erased_on,
                   const std::string& today);
// Empties what was kept of an erased person for a time that is over; whether that is all of it.
StatusOr<bool> EndRetention(db::Conn& conn, const std::string& service, const std::string& person,
                            const std::string& erased_on, const std::string& today);
// Empties what is kept for so many years in the rows for which `where` holds, of $1 = `value`; they
// are not sealed. Versions do not change.
Status EndRetention(db::Conn& conn, const schema::Resource& resource, int years,
                    const std::string& where, const std::string& value);

}  // namespace hub::journal
