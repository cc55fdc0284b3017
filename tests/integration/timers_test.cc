// Timers, on both databases: each fires once and in its order, whatever happens to processes and
// clocks.
#include <thread>

#include "services/scheduling/module.h"
#include "tests/integration/engine_fixture.h"
#include "tests/integration/machine_clock.h"

namespace hub {
namespace {

using testing::MiniService;

// What happens once, in the middle of the next timer.
std::function<void()>& Meanwhile() {
  static std::function<void()> meanwhile = [] {};
  return meanwhile;
}

// An alarm rings on its day and not before. The bell keeps what rang, and in which order.
Status Ring(Write& write, const std::string& resource) {
  auto meanwhile = std::exchange(Meanwhile(), [] {});
  meanwhile();
  ASSIGN_OR_RETURN(int64_t early,
                   write.Number("SELECT COUNT(*) FROM alarms WHERE id = $1 AND due_on > $2",
                                {IdOf(resource), write.today()}));
  if (early > 0) return Status();
  RETURN_IF_ERROR(write.sql()
                      .Exec("UPDATE alarms SET state = 'RANG' WHERE id = $1", {IdOf(resource)})
                      .status());
  ASSIGN_OR_RETURN(int64_t before, write.Number("SELECT COUNT(*) FROM bell", {}));
  return write.sql()
      .Exec("INSERT INTO bell(n, id) VALUES ($1, $2)", {before, IdOf(resource)})
      .status();
}

// Scheduling with alarms for its only timers.
Module Alarms() {
  Module module = scheduling::MakeSchedulingModule();
  module.migrations.push_back({static_cast<int>(module.migrations.size()) + 1, "alarms.sql",
                               "DROP VIEW due;"
                               "CREATE TABLE alarms(id {text} NOT NULL PRIMARY KEY,"
                               " due_on {text} NOT NULL, state {text} NOT NULL) {strict};"
                               "CREATE TABLE bell(n {int64} NOT NULL, id {text} NOT NULL) {strict};"
                               "CREATE VIEW due(name, forum, resource, due_on) AS"
                               " SELECT 'Alarm', 'warwickshire',"
                               " 'forums/warwickshire/alarms/' || id, due_on"
                               " FROM alarms WHERE state = 'SET';"});
  module.consumers = [](Consumers& consumers) { consumers.OnDue("Alarm", Ring); };
  return module;
}

class Timers : public OneService {
 protected:
  Timers() : OneService(Alarms()) {
    Meanwhile() = [] {};
  }
  void TearDown() override { integration::ResetMachineClock(); }
  void SetAlarm(const std::string& id, const std::string& due_on) {
    Change("INSERT INTO alarms(id, due_on, state) VALUES ($1, $2, 'SET')", {id, due_on});
  }
  std::vector<std::string> Rang() { return Texts("SELECT id FROM bell ORDER BY n"); }
  void Run() {
    Status status = mini_.runtime().RunDueTimers();
    EXPECT_TRUE(status.ok()) << status;
  }
  // Commands of timers in the journal.
  int64_t Commands() { return Number("SELECT COUNT(*) FROM journal WHERE method = 'Alarm'"); }
};
ON_BOTH_DATABASES(Timers);

TEST_P(Timers, AWeekThatTheHubWasStoppedIsMadeUpForOnceAndInOrder) {
  std::vector<std::string> wanted;
  for (int day = 1; day <= 7; ++day) {
    for (int i = 0; i < 40; ++i) {  // more than are looked up at once
      wanted.push_back("d" + std::to_string(day) + "-" + std::to_string(100 + i));
    }
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string& id = wanted[i * 73 % wanted.size()];  // in no order
    SetAlarm(id, AddDays("2021-07-31", id[1] - '0'));
  }
  SetAlarm("later", "2021-08-08");
  Run();
  EXPECT_TRUE(Rang().empty());
  mini_.Restart();
  mini_.SetDate("2021-08-07");
  EXPECT_EQ(Rang(), wanted);
  EXPECT_EQ(Commands(), 280);
  Run();
  mini_.Restart();
  Run();
  EXPECT_EQ(Commands(), 280);
}

TEST_P(Timers, FireOnceIfTheClockGoesBackAnHourOrADay) {
  SetAlarm("a", "2021-08-01");
  integration::SetMachineTime("00:30");
  mini_.SetDate("2021-08-01");                         // 09:00
  integration::StepMachineClock(-8 * 3600'000'000ll);  // 01:00
  EXPECT_EQ(Rang().size(), 1u);
  SetAlarm("b", "2021-08-01");
  Run();
  EXPECT_EQ(Rang().size(), 2u);
  integration::StepMachineClock(-3600'000'000ll * 3 / 2);  // 23:30 of the day before
  Run();
  SetAlarm("c", "2021-08-01");
  Run();
  EXPECT_EQ(Rang().size(), 2u) << "c is not due yet again";
  mini_.Restart();
  Run();
  integration::StepMachineClock(-23 * 3600'000'000ll);
  Run();
  EXPECT_EQ(Rang().size(), 2u);
  integration::StepMachineClock(25 * 3600'000'000ll);
  Run();
  EXPECT_EQ(Rang(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(Commands(), 3);
}

TEST_P(Timers, WhatWasFoundDueFiresThoughTheClockGoesBackOverMidnightMeanwhile) {
  SetAlarm("a", "2021-08-01");
  SetAlarm("b", "2021-08-01");
  Meanwhile() = [] { integration::StepMachineClock(-24 * 3600'000'000ll); };
  mini_.SetDate("2021-08-01");
  integration::ResetMachineClock();
  Run();
  EXPECT_EQ(Rang(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Commands(), 2);
}

class TimersOfReplicas : public Timers {};
INSTANTIATE_TEST_SUITE_P(Engines, TimersOfReplicas, ::testing::Values(db::Engine::kPostgres),
                         testing::EngineName);

TEST_P(TimersOfReplicas, FireOnceThoughAllRunThemAtOnce) {
  MiniService second(&mini_);
  for (int i = 0; i < 200; ++i) SetAlarm("a" + std::to_string(1000 + i), "2021-07-31");
  std::vector<std::thread> runners;
  for (Runtime* runtime : {&mini_.runtime(), &second.runtime()}) {
    runners.emplace_back([runtime] {
      Status status = runtime->RunDueTimers();
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& runner : runners) runner.join();
  EXPECT_EQ(Rang().size(), 200u);
  EXPECT_EQ(Number("SELECT COUNT(DISTINCT id) FROM bell"), 200);
  EXPECT_EQ(Commands(), 200);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM keys WHERE source = 3"), 200);
}

}  // namespace
}  // namespace hub
