// The services' own migrations: killed in whichever step, each ends at its head when it is run
// again.
#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "common/fault/failpoint.h"
#include "common/journal/engine.h"
#include "services/engagement/module.h"
#include "services/membership/module.h"
#include "services/remuneration/module.h"
#include "services/scheduling/module.h"
#include "tests/conformance/engine_case.h"

namespace hub::db {
namespace {

Module ModuleOf(const std::string& service) {
  if (service == "engagement") return engagement::MakeEngagementModule();
  if (service == "membership") return membership::MakeMembershipModule();
  if (service == "remuneration") return remuneration::MakeRemunerationModule();
  return scheduling::MakeSchedulingModule();
}

// Opens the database as the service does, which brings it to its head and holds the schema against
// the tables.
Status OpenAs(const std::string& service, const StoreOptions& options) {
  ASSIGN_OR_RETURN(auto store, Store::Open(options));
  journal::Engine::Options engine;
  engine.service = service;
  engine.store = store.get();
  return journal::Engine::Open(std::move(engine), ModuleOf(service).migrations).status();
}

class Steps : public Conformance {
 protected:
  void KillInEach(const std::string& service) {
    int64_t steps = 1;
    for (int64_t step = 1; step <= steps; ++step) {
      store_.reset();
      SetUp();  // a database that is new
      store_.reset();
      const int end = RunChild("OpensAsAService", options_, service + "@" + std::to_string(step));
      ASSERT_TRUE(Killed(end)) << "step " << step;
      Status status = OpenAs(service, options_);
      EXPECT_TRUE(status.ok()) << "step " << step << ": " << status;
      Use(options_);
      const int64_t own = Int("SELECT count(*) FROM schema_migrations");
      EXPECT_EQ(own, static_cast<int64_t>(ModuleOf(service).migrations.size()));
      steps = own + Int("SELECT count(*) FROM engine_migrations");
      store_.reset();
      std::filesystem::remove(file());
    }
    // There is no step more to be killed in.
    SetUp();
    store_.reset();
    const int end =
        RunChild("OpensAsAService", options_, service + "@" + std::to_string(steps + 1));
    EXPECT_TRUE(WIFEXITED(end) && WEXITSTATUS(end) == 0) << end;
  }
};
ON_BOTH(Steps);

TEST_F(Child, DISABLED_OpensAsAService) {
  const size_t at = word_.find('@');
  ASSERT_TRUE(fault::Arm({"mid-migration" + word_.substr(at)}).ok());
  Status status = OpenAs(word_.substr(0, at), options_);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(Steps, AProgramOfTheVersionBeforeServesOnTheNewSchema) {
  auto newer = ModuleOf("scheduling").migrations;
  const int head = static_cast<int>(newer.size());
  newer.push_back({head + 1, "next.sql",
                   "-- readable since: " + std::to_string(head) +
                       "\nALTER TABLE requests ADD COLUMN colour {text};"
                       "ALTER TABLE requests ADD COLUMN places {int64} NOT NULL DEFAULT 5"});
  store_.reset();
  {
    EngineCase older(options_, folder_.path() + "/keys.db");
    const std::string name = older.NewRequest();
    Status status = older.store().Migrate(newer);  // by the version after, while it serves
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(older.Do(EngineCase::Change(name, true)).ok());
  }
  // And it starts there, and makes, reads and changes records.
  EngineCase older(options_, folder_.path() + "/keys.db");
  const std::string name = older.NewRequest();
  EXPECT_TRUE(older.Do(EngineCase::Change(name, true)).ok());
  int64_t untouched = 0;
  Status status = older.store().ReadAndWait([&](Conn& conn) -> Status {
    ASSIGN_OR_RETURN(
        untouched,
        IntOf(conn, "SELECT count(*) FROM requests WHERE places = 5 AND colour IS NULL"));
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(untouched, 2);
}

TEST_P(Steps, OfEngagementEndAtTheirHeadWhereverTheyAreKilled) { KillInEach("engagement"); }
TEST_P(Steps, OfMembershipEndAtTheirHeadWhereverTheyAreKilled) { KillInEach("membership"); }
TEST_P(Steps, OfRemunerationEndAtTheirHeadWhereverTheyAreKilled) { KillInEach("remuneration"); }
TEST_P(Steps, OfSchedulingEndAtTheirHeadWhereverTheyAreKilled) { KillInEach("scheduling"); }

}  // namespace
}  // namespace hub::db
