#include <string>
#include <utility>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

CATEGORY(DbConstraints);

constexpr char kSecret[] = "s3cret-value";

// The refusal of one statement, checked to hold no value.
#define EXPECT_REFUSED(status_expr, reason, part)                         \
  do {                                                                    \
    Status refused = (status_expr);                                       \
    EXPECT_EQ(RefusalOf(refused), reason) << refused;                     \
    EXPECT_THAT(MessageOf(refused), HasSubstr(part));                     \
    EXPECT_THAT(MessageOf(refused), Not(HasSubstr(kSecret))) << refused;  \
    EXPECT_THAT(MessageOf(refused), Not(HasSubstr("777777"))) << refused; \
  } while (false)

TEST_P(DbConstraints, UniqueAndPrimaryKey) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {777777, kSecret, 0}).ok());
  EXPECT_REFUSED(Exec(kInsert, {777777, "other", 0}), errors::RESOURCE_EXISTS, "items");
  EXPECT_REFUSED(Exec(kInsert, {1, kSecret, 0}), errors::RESOURCE_EXISTS, "name");
  ASSERT_TRUE(Exec(kInsert, {1, "other", 0}).ok());
  EXPECT_REFUSED(Exec("UPDATE items SET name = $1 WHERE id = $2", {kSecret, 1}),
                 errors::RESOURCE_EXISTS, "name");
}

TEST_P(DbConstraints, Check) {
  Script(kItems);
  EXPECT_REFUSED(Exec(kInsert, {1, kSecret, 7777777}), errors::CONFLICT, "items_small");
}

TEST_P(DbConstraints, NotNull) {
  Script(kItems);
  EXPECT_REFUSED(Exec("INSERT INTO items(id, name) VALUES ($1, $2)", {777777, Value()}),
                 errors::CONFLICT, "items.name");
}

TEST_P(DbConstraints, ForeignKey) {
  Script(kItems);
  Script(
      "CREATE TABLE parts(id {int64} NOT NULL PRIMARY KEY, item {int64} NOT NULL,"
      " note {text} NOT NULL, FOREIGN KEY (item) REFERENCES items(id)) {strict}");
  const std::string insert = "INSERT INTO parts(id, item, note) VALUES ($1, $2, $3)";
  EXPECT_REFUSED(Exec(insert, {1, 777777, kSecret}), errors::CONFLICT, "");
  ASSERT_TRUE(Exec(kInsert, {777777, "parent", 0}).ok());
  ASSERT_TRUE(Exec(insert, {1, 777777, kSecret}).ok());
  EXPECT_REFUSED(Exec("DELETE FROM items"), errors::CONFLICT, "");
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbConstraints, ATriggersRefusal) {
  Script(kItems);
  Script(is_sqlite() ? "CREATE TRIGGER fixed BEFORE DELETE ON items BEGIN"
                       " SELECT RAISE(ABORT, 'items stay for ever'); END"
                     : "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                       " 'BEGIN RAISE EXCEPTION ''items stay for ever''; END';"
                       "CREATE TRIGGER fixed BEFORE DELETE ON items FOR EACH ROW"
                       " EXECUTE FUNCTION refuse()");
  ASSERT_TRUE(Exec(kInsert, {1, kSecret, 0}).ok());
  EXPECT_REFUSED(Exec("DELETE FROM items"), errors::CONFLICT, "items stay for ever");
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbConstraints, AppendOnly) {
  Script(
      "CREATE TABLE log(id {int64} NOT NULL PRIMARY KEY, body {text} NOT NULL) {strict};"
      "{append_only:log} CREATE TABLE notes(id {int64}) {strict}; {append_only:notes}");
  ASSERT_TRUE(Exec("INSERT INTO log(id, body) VALUES ($1, $2)", {777777, kSecret}).ok());
  EXPECT_REFUSED(Exec("UPDATE log SET body = ''"), errors::CONFLICT, "log is append-only");
  EXPECT_REFUSED(Exec("DELETE FROM log"), errors::CONFLICT, "log is append-only");
  EXPECT_EQ(Int("SELECT count(*) FROM log"), 1);
}

TEST_P(DbConstraints, ATextIsNoInteger) {
  Script(kItems);
  EXPECT_REFUSED(Exec(kInsert, {kSecret, "one", 0}), errors::INTERNAL_FAULT, "");
  // PostgreSQL writes bytes into a text column as hexadecimal digits: known to SQLite's tests only.
  if (!is_sqlite()) return;
  EXPECT_REFUSED(Exec(kInsert, {1, Bytes{kSecret}, 0}), errors::INTERNAL_FAULT, "");
}

TEST_P(DbConstraints, DoNothingGoesOn) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  Status status = store().WriteAndWait([&](Conn& conn) {
    const std::string sql = std::string(kInsert) + " ON CONFLICT DO NOTHING";
    EXPECT_EQ(conn.Exec(sql, {1, "uno", 0}).value(), 0);
    EXPECT_EQ(conn.Exec(sql, {2, "one", 0}).value(), 0);
    EXPECT_EQ(conn.Exec(sql, {2, "two", 0}).value(), 1);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 2);
}

TEST_P(DbConstraints, UniqueOverSeveralColumns) {
  Script(
      "CREATE TABLE pairs(a {text} NOT NULL, b {int64} NOT NULL, note {text},"
      " PRIMARY KEY (a, b)) {strict}");
  const std::string insert = "INSERT INTO pairs(a, b) VALUES ($1, $2)";
  ASSERT_TRUE(Exec(insert, {kSecret, 1}).ok());
  ASSERT_TRUE(Exec(insert, {kSecret, 2}).ok());
  ASSERT_TRUE(Exec(insert, {"other", 1}).ok());
  EXPECT_REFUSED(Exec(insert, {kSecret, 2}), errors::RESOURCE_EXISTS, "pairs");
  EXPECT_REFUSED(Exec("UPDATE pairs SET b = 1 WHERE b = 2"), errors::RESOURCE_EXISTS, "pairs");
  EXPECT_EQ(Int("SELECT count(*) FROM pairs"), 3);
}

TEST_P(DbConstraints, UniqueLetsSeveralNullsPass) {
  Script("CREATE TABLE loose(id {int64} NOT NULL PRIMARY KEY, code {text} UNIQUE) {strict}");
  const std::string insert = "INSERT INTO loose(id, code) VALUES ($1, $2)";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Exec(insert, {i, Value()}).ok());
  ASSERT_TRUE(Exec(insert, {3, ""}).ok());  // empty is a value
  EXPECT_REFUSED(Exec(insert, {4, ""}), errors::RESOURCE_EXISTS, "loose");
}

TEST_P(DbConstraints, AUniqueIndexOfSomeRows) {
  Script(kItems);
  Script("CREATE UNIQUE INDEX items_leader ON items(n) WHERE n > 0");
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  ASSERT_TRUE(Exec(kInsert, {2, "two", 0}).ok());
  ASSERT_TRUE(Exec(kInsert, {3, "three", 5}).ok());
  EXPECT_REFUSED(Exec(kInsert, {4, "four", 5}), errors::RESOURCE_EXISTS, "");
  EXPECT_REFUSED(Exec("UPDATE items SET n = 5 WHERE id = 1"), errors::RESOURCE_EXISTS, "");
  EXPECT_TRUE(Exec("UPDATE items SET n = 0 WHERE id = 3").ok());
  EXPECT_TRUE(Exec("UPDATE items SET n = 5 WHERE id = 1").ok());
}

TEST_P(DbConstraints, UniqueIsByTheBytesOfATextAndNothingElse) {
  Script(kItems);
  int id = 0;
  // Case, spaces, and the two ways to write an accent.
  for (const char* name : {"sian", "Sian", "SIAN", "sian ", " sian", "siân", "sia\u0302n", ""}) {
    EXPECT_TRUE(Exec(kInsert, {++id, name, 0}).ok()) << "'" << name << "'";
  }
  EXPECT_REFUSED(Exec(kInsert, {99, "sian ", 0}), errors::RESOURCE_EXISTS, "name");
}

TEST_P(DbConstraints, UniqueOverBytesReadsBehindANul) {
  Script("CREATE TABLE hashes(h {bytes} NOT NULL PRIMARY KEY) {strict}");
  auto put = [&](std::string bytes) {
    return Exec("INSERT INTO hashes(h) VALUES ($1)", {Bytes{std::move(bytes)}});
  };
  EXPECT_TRUE(put(std::string("a\0b", 3)).ok());
  EXPECT_TRUE(put(std::string("a\0c", 3)).ok());
  EXPECT_TRUE(put("a").ok());
  EXPECT_TRUE(put("").ok());
  EXPECT_REFUSED(put(std::string("a\0b", 3)), errors::RESOURCE_EXISTS, "hashes");
}

TEST_P(DbConstraints, ANullInAKeyIsRefused) {
  Script("CREATE TABLE keyed(k {text} NOT NULL PRIMARY KEY, v {text}) {strict}");
  EXPECT_REFUSED(Exec("INSERT INTO keyed(k, v) VALUES ($1, $2)", {Value(), kSecret}),
                 errors::CONFLICT, "keyed.k");
}

TEST_P(DbConstraints, ACheckJudgesUpdatesToo) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, kSecret, 0}).ok());
  EXPECT_REFUSED(Exec("UPDATE items SET n = 7777770"), errors::CONFLICT, "items_small");
  EXPECT_EQ(Int("SELECT n FROM items"), 0);
}

TEST_P(DbConstraints, ACheckOfNothingPasses) {
  Script(
      "CREATE TABLE spans(id {int64} NOT NULL PRIMARY KEY, a {text}, b {text},"
      " CONSTRAINT spans_order CHECK (a <= b)) {strict}");
  const std::string insert = "INSERT INTO spans(id, a, b) VALUES ($1, $2, $3)";
  EXPECT_TRUE(Exec(insert, {1, "2022-01-01", Value()}).ok());
  EXPECT_TRUE(Exec(insert, {2, Value(), Value()}).ok());
  EXPECT_TRUE(Exec(insert, {3, "2022-01-01", "2022-01-01"}).ok());
  EXPECT_REFUSED(Exec(insert, {4, "2022-01-02", "2022-01-01"}), errors::CONFLICT, "spans_order");
}

TEST_P(DbConstraints, ACheckOverSeveralColumnsHoldsWhicheverChanges) {
  Script(
      "CREATE TABLE states(id {int64} NOT NULL PRIMARY KEY, state {text} NOT NULL, reason {text},"
      " CONSTRAINT states_reason CHECK (state <> 'DECLINED' OR reason <> '')) {strict}");
  const std::string insert = "INSERT INTO states(id, state, reason) VALUES ($1, $2, $3)";
  ASSERT_TRUE(Exec(insert, {1, "DECLINED", "late"}).ok());
  ASSERT_TRUE(Exec(insert, {2, "OPEN", ""}).ok());
  EXPECT_REFUSED(Exec("UPDATE states SET reason = '' WHERE id = 1"), errors::CONFLICT, "");
  EXPECT_REFUSED(Exec("UPDATE states SET state = 'DECLINED' WHERE id = 2"), errors::CONFLICT, "");
}

TEST_P(DbConstraints, NotNullJudgesUpdatesToo) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {777777, kSecret, 0}).ok());
  EXPECT_REFUSED(Exec("UPDATE items SET name = NULL"), errors::CONFLICT, "items.name");
}

TEST_P(DbConstraints, ADefaultFillsWhatIsLeftOutAndNoNull) {
  Script(kItems);
  ASSERT_TRUE(Exec("INSERT INTO items(id, name) VALUES (1, 'one')").ok());
  EXPECT_EQ(Int("SELECT n FROM items"), 0);
  EXPECT_REFUSED(Exec(kInsert, {2, "two", Value()}), errors::CONFLICT, "items.n");
}

// Boxes in shelves, by a key of two columns; a box may stand on another.
constexpr char kShelves[] =
    "CREATE TABLE shelves(forum {text} NOT NULL, id {text} NOT NULL, PRIMARY KEY (forum, id))"
    " {strict};"
    "CREATE TABLE boxes(forum {text} NOT NULL, id {text} NOT NULL, shelf {text}, on_box {text},"
    " PRIMARY KEY (forum, id), FOREIGN KEY (forum, shelf) REFERENCES shelves(forum, id),"
    " FOREIGN KEY (forum, on_box) REFERENCES boxes(forum, id)) {strict};"
    "INSERT INTO shelves(forum, id) VALUES ('w', 's'), ('x', 'other')";
constexpr char kBox[] = "INSERT INTO boxes(forum, id, shelf, on_box) VALUES ($1, $2, $3, $4)";

TEST_P(DbConstraints, AForeignKeyOfTwoColumnsFitsInBoth) {
  Script(kShelves);
  EXPECT_TRUE(Exec(kBox, {"w", "b", "s", Value()}).ok());
  EXPECT_REFUSED(Exec(kBox, {"w", "c", "other", Value()}), errors::CONFLICT, "");
  EXPECT_REFUSED(Exec(kBox, {"x", "c", "s", Value()}), errors::CONFLICT, "");
}

TEST_P(DbConstraints, AForeignKeyWithANullRefersToNothing) {
  Script(kShelves);
  EXPECT_TRUE(Exec(kBox, {"nowhere", "b", Value(), Value()}).ok());
}

TEST_P(DbConstraints, AForeignKeyJudgesUpdatesOfTheReference) {
  Script(kShelves);
  ASSERT_TRUE(Exec(kBox, {"w", "b", "s", Value()}).ok());
  EXPECT_REFUSED(Exec("UPDATE boxes SET shelf = 'gone'"), errors::CONFLICT, "");
  EXPECT_TRUE(Exec("UPDATE boxes SET shelf = NULL").ok());
}

TEST_P(DbConstraints, AKeyThatIsReferredToCannotChange) {
  Script(kShelves);
  ASSERT_TRUE(Exec(kBox, {"w", "b", "s", Value()}).ok());
  EXPECT_REFUSED(Exec("UPDATE shelves SET id = 't' WHERE id = 's'"), errors::CONFLICT, "");
  EXPECT_TRUE(Exec("UPDATE shelves SET id = 't' WHERE id = 'other'").ok());
  ASSERT_TRUE(Exec("DELETE FROM boxes").ok());
  EXPECT_TRUE(Exec("DELETE FROM shelves").ok());
}

TEST_P(DbConstraints, AForeignKeyToItsOwnTable) {
  Script(kShelves);
  EXPECT_REFUSED(Exec(kBox, {"w", "b", Value(), "a"}), errors::CONFLICT, "");
  ASSERT_TRUE(Exec(kBox, {"w", "a", Value(), "a"}).ok());  // on itself
  ASSERT_TRUE(Exec(kBox, {"w", "b", Value(), "a"}).ok());
  EXPECT_REFUSED(Exec("DELETE FROM boxes WHERE id = 'a'"), errors::CONFLICT, "");
  EXPECT_TRUE(Exec("DELETE FROM boxes").ok());  // all at once
}

TEST_P(DbConstraints, AConstraintIsJudgedWhereTheStatementStandsAndNotAtTheEnd) {
  Script(kShelves);
  Status status = store().WriteAndWait([](Conn& conn) {
    Status early = conn.Exec(kBox, {"w", "b", "later", Value()}).status();
    EXPECT_EQ(RefusalOf(early), errors::CONFLICT) << early;
    return conn.Exec("INSERT INTO shelves(forum, id) VALUES ('w', 'later')", {}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::CONFLICT) << status;
}

TEST_P(DbConstraints, OneBadRowOfAnInsertLeavesNoneOfThem) {
  Script(kItems);
  EXPECT_REFUSED(Exec("INSERT INTO items(id, name) VALUES (1, 'a'), (2, 'b'), (3, 'a')"),
                 errors::RESOURCE_EXISTS, "name");
  EXPECT_REFUSED(Exec("INSERT INTO items(id, name, n) VALUES (1, 'a', 1), (2, 'b', 2000000)"),
                 errors::CONFLICT, "items_small");
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbConstraints, OneBadRowOfAnUpdateLeavesAllAsTheyWere) {
  Script(kItems);
  FillItems(3);
  ASSERT_TRUE(Exec("UPDATE items SET n = 999998 WHERE id = 3").ok());
  EXPECT_REFUSED(Exec("UPDATE items SET n = n + 2"), errors::CONFLICT, "items_small");
  EXPECT_THAT(Rows("SELECT n FROM items ORDER BY id", {}, "i"), ElementsAre("0", "0", "999998"));
}

TEST_P(DbConstraints, DoNothingForOneKeyIsRefusedForAnother) {
  Script(kItems);
  FillItems(1);
  const std::string insert = std::string(kInsert) + " ON CONFLICT (id) DO NOTHING";
  EXPECT_EQ(Changed(insert, {1, "new", 0}), 0);
  EXPECT_REFUSED(Exec(insert, {2, "a", 0}), errors::RESOURCE_EXISTS, "name");
}

TEST_P(DbConstraints, DoNothingIsNoExcuseForAnotherConstraint) {
  Script(kItems);
  const std::string insert = std::string(kInsert) + " ON CONFLICT DO NOTHING";
  EXPECT_REFUSED(Exec(insert, {1, "a", 7777770}), errors::CONFLICT, "items_small");
  EXPECT_REFUSED(Exec(insert, {1, Value(), 0}), errors::CONFLICT, "items.name");
}

TEST_P(DbConstraints, AppendOnlyLetsRowsIn) {
  Script("CREATE TABLE log(id {int64} NOT NULL PRIMARY KEY) {strict}; {append_only:log}");
  EXPECT_EQ(Changed("INSERT INTO log(id) VALUES (1), (2)"), 2);
  EXPECT_EQ(Changed("INSERT INTO log(id) VALUES (2), (3) ON CONFLICT DO NOTHING"), 1);
  // Nothing to change is no change.
  EXPECT_EQ(Changed("UPDATE log SET id = 9 WHERE id = 77"), 0);
  EXPECT_EQ(Changed("DELETE FROM log WHERE id = 77"), 0);
  // An insert that turns into an update is one.
  EXPECT_REFUSED(Exec("INSERT INTO log(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 9"),
                 errors::CONFLICT, "log is append-only");
}

TEST_P(DbConstraints, ARefusalNamesTheTableAndTheColumn) {
  Script(kItems);
  FillItems(2);
  EXPECT_REFUSED(Exec("UPDATE items SET name = 'a' WHERE id = 2"), errors::RESOURCE_EXISTS,
                 "items");
  EXPECT_REFUSED(Exec("UPDATE items SET name = NULL"), errors::CONFLICT, "items.name");
  EXPECT_REFUSED(Exec("UPDATE items SET n = 7777770"), errors::CONFLICT, "items_small");
}

}  // namespace
}  // namespace hub::db
