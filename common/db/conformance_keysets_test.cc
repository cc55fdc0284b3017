#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

// Marks by day and id, walked page by page.
class DbKeysets : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    Script(
        "CREATE TABLE marks(day {text} NOT NULL, id {text} NOT NULL, stays {int64} NOT NULL,"
        " PRIMARY KEY (day, id)) {strict}");
  }
  static std::string Id(int i) {
    char id[16];
    std::snprintf(id, sizeof id, "%c%05d", "aBZb"[i % 4], i);
    return id;
  }
  Status Put(int i, int stays, int days = 5) {
    return Exec("INSERT INTO marks(day, id, stays) VALUES ($1, $2, $3)",
                {"2022-01-0" + std::to_string(1 + i % days), Id(i), stays});
  }
  void Fill(int count) {
    Status status = store().WriteAndWait([&](Conn& conn) {
      for (int i = 0; i < count; ++i) {
        conn.Post("INSERT INTO marks(day, id, stays) VALUES ($1, $2, $3)",
                  {"2022-01-0" + std::to_string(1 + i % 5), Id(i), i % 2});
      }
      return absl::OkStatus();
    });
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> All(const std::string& order) {
    return Rows("SELECT day, id FROM marks ORDER BY " + order, {}, "tt");
  }
  // Page by page, each behind the last row of the one before.
  std::vector<std::string> Walk(
      int size, const std::function<void(int)>& between = [](int) {}) {
    std::vector<std::string> seen;
    std::string day, id;
    for (int page = 0;; ++page) {
      auto rows =
          Rows("SELECT day, id FROM marks WHERE (day, id) > ($1, $2) ORDER BY day, id LIMIT $3",
               {day, id, size}, "tt");
      if (rows.empty()) return seen;
      EXPECT_LE(rows.size(), static_cast<size_t>(size));
      seen.insert(seen.end(), rows.begin(), rows.end());
      day = rows.back().substr(0, 10);
      id = rows.back().substr(11);
      between(page);
    }
  }
};
ON_BOTH(DbKeysets);

TEST_P(DbKeysets, TextsSortByTheirBytes) {
  Script("CREATE TABLE words(word {text} NOT NULL PRIMARY KEY) {strict}");
  for (const char* word : {"b", "a", "Z", "B", "é", "e", "_", "10", "9", "", "aa", "A"}) {
    ASSERT_TRUE(Exec("INSERT INTO words(word) VALUES ($1)", {word}).ok());
  }
  EXPECT_THAT(Rows("SELECT word FROM words ORDER BY word", {}, "t"),
              ElementsAre("", "10", "9", "A", "B", "Z", "_", "a", "aa", "b", "e", "é"));
  EXPECT_THAT(Rows("SELECT word FROM words WHERE word > $1 ORDER BY word", {"B"}, "t"),
              ElementsAre("Z", "_", "a", "aa", "b", "e", "é"));
  EXPECT_THAT(Rows("SELECT max(word) FROM words WHERE word < $1", {"a"}, "t"), ElementsAre("_"));
}

TEST_P(DbKeysets, NullsFirstAsWritten) {
  Script("CREATE TABLE dues(id {int64} NOT NULL PRIMARY KEY, due {text}) {strict}");
  const std::string sql = "INSERT INTO dues(id, due) VALUES ($1, $2)";
  ASSERT_TRUE(Exec(sql, {1, "2022-01-02"}).ok());
  ASSERT_TRUE(Exec(sql, {2, Value()}).ok());
  ASSERT_TRUE(Exec(sql, {3, "2022-01-01"}).ok());
  EXPECT_THAT(Rows("SELECT id FROM dues ORDER BY due NULLS FIRST, id", {}, "i"),
              ElementsAre("2", "3", "1"));
  EXPECT_THAT(Rows("SELECT id FROM dues ORDER BY due DESC NULLS LAST, id", {}, "i"),
              ElementsAre("1", "3", "2"));
}

TEST_P(DbKeysets, PagesReturnWhatStaysOnceWhileRowsComeAndGo) {
  Fill(200);
  std::map<std::string, int> seen;
  for (const auto& row : Walk(7, [&](int page) {  // between two, before and behind the reader
         ASSERT_TRUE(Put(1000 + page, 0).ok());
         ASSERT_TRUE(Exec("DELETE FROM marks WHERE stays = 0 AND (day, id) IN"
                          " (SELECT day, id FROM marks WHERE stays = 0 ORDER BY id LIMIT 3)")
                         .ok());
       })) {
    ++seen[row];
  }
  for (const auto& [row, times] : seen) EXPECT_EQ(times, 1) << row;
  for (const auto& row :
       Rows("SELECT day, id FROM marks WHERE stays = 1 ORDER BY day, id", {}, "tt")) {
    EXPECT_EQ(seen[row], 1) << row;
  }
}

TEST_P(DbKeysets, AWalkIsTheWholeListWhateverTheSizeOfAPage) {
  Fill(60);
  const auto all = All("day, id");
  ASSERT_THAT(all, SizeIs(60));
  for (int size : {1, 2, 7, 59, 60, 61, 1000}) EXPECT_EQ(Walk(size), all) << size;
}

TEST_P(DbKeysets, AnEmptyTableHasNoPage) { EXPECT_THAT(Walk(7), IsEmpty()); }

TEST_P(DbKeysets, ALimitOfNothingIsNothing) {
  Fill(3);
  EXPECT_THAT(Rows("SELECT id FROM marks ORDER BY id LIMIT $1", {0}, "t"), IsEmpty());
  EXPECT_THAT(Rows("SELECT id FROM marks ORDER BY id LIMIT $1", {kMax}, "t"), SizeIs(3));
}

TEST_P(DbKeysets, ABackwardWalkIsTheListFromItsEnd) {
  Fill(40);
  std::vector<std::string> seen;
  std::string day = "9", id;
  while (true) {
    auto rows = Rows(
        "SELECT day, id FROM marks WHERE (day, id) < ($1, $2) ORDER BY day DESC, id DESC LIMIT $3",
        {day, id, 6}, "tt");
    if (rows.empty()) break;
    seen.insert(seen.end(), rows.begin(), rows.end());
    day = rows.back().substr(0, 10);
    id = rows.back().substr(11);
  }
  EXPECT_EQ(seen, All("day DESC, id DESC"));
  EXPECT_THAT(seen, SizeIs(40));
}

TEST_P(DbKeysets, ARowBehindTheReaderIsNotSeenAndOneAheadIsSeenOnce) {
  for (int i = 0; i < 20; i += 2) ASSERT_TRUE(Put(i, 1, 1).ok());  // 'a00000', 'Z00002' ...
  auto seen = Walk(3, [&](int page) {
    if (page != 0) return;
    Status status = Exec(
        "INSERT INTO marks(day, id, stays) VALUES ('2022-01-01', 'A', 0),"
        " ('2022-01-01', 'z', 0), ('2022-01-02', 'A', 0)");
    ASSERT_TRUE(status.ok()) << status;
  });
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "2022-01-01,A"), 0);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "2022-01-01,z"), 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "2022-01-02,A"), 1);
}

TEST_P(DbKeysets, ADeletedRowIsNotSeenAndTakesNoOtherWithIt) {
  Fill(30);
  const auto all = All("day, id");
  auto seen = Walk(4, [&](int page) {
    if (page != 1) return;  // eight rows were seen; the last of them and one ahead go
    for (const auto& gone : {all[7], all[20]}) {
      ASSERT_TRUE(Exec("DELETE FROM marks WHERE day = $1 AND id = $2",
                       {gone.substr(0, 10), gone.substr(11)})
                      .ok());
    }
  });
  auto expected = all;
  expected.erase(expected.begin() + 20);
  EXPECT_EQ(seen, expected);
}

TEST_P(DbKeysets, ARowWhoseKeyMovesAheadMayBeSeenTwiceAndNoOtherIs) {
  Fill(30);
  const auto all = All("day, id");
  auto seen = Walk(5, [&](int page) {
    if (page != 0) return;
    ASSERT_TRUE(Exec("UPDATE marks SET day = '2022-01-09' WHERE day = $1 AND id = $2",
                     {all[0].substr(0, 10), all[0].substr(11)})
                    .ok());
  });
  EXPECT_THAT(seen, SizeIs(31));
  EXPECT_EQ(seen.back(), "2022-01-09," + all[0].substr(11));
  seen.pop_back();
  EXPECT_EQ(seen, all);
}

TEST_P(DbKeysets, WalksBesideAWriterReturnWhatStaysOnce) {
  Fill(120);
  std::atomic<bool> through{false};
  std::thread writer([&] {
    for (int i = 1000; !through; ++i) {
      EXPECT_TRUE(Put(i, 0).ok());
      EXPECT_TRUE(Exec("DELETE FROM marks WHERE stays = 0 AND (day, id) IN"
                       " (SELECT day, id FROM marks WHERE stays = 0 ORDER BY id LIMIT 2)")
                      .ok());
    }
  });
  for (int walk = 0; walk < 5; ++walk) {
    std::map<std::string, int> seen;
    for (const auto& row : Walk(7)) ++seen[row];
    int stayed = 0;
    for (const auto& [row, times] : seen) {
      EXPECT_EQ(times, 1) << row;
      const int number = std::atoi(row.substr(12).c_str());
      if (number < 120 && number % 2 == 1) ++stayed;
    }
    EXPECT_EQ(stayed, 60);
  }
  through = true;
  writer.join();
}

TEST_P(DbKeysets, APageOfOneSnapshotIsOfOneMoment) {
  Fill(40);
  std::latch half(1), changed(1), finished(1);
  std::vector<std::string> seen;
  store().Read(
      [&](Conn& conn) -> Status {
        seen.clear();
        std::string day, id;
        for (int page = 0; page < 5; ++page) {
          RETURN_IF_ERROR(conn.Query(
              "SELECT day, id FROM marks WHERE (day, id) > ($1, $2) ORDER BY day, id LIMIT 10",
              {day, id}, [&](const Row& row) {
                seen.push_back(std::string(row.Text(0)) + "," + std::string(row.Text(1)));
                return absl::OkStatus();
              }));
          day = seen.back().substr(0, 10);
          id = seen.back().substr(11);
          if (page == 1) {
            half.count_down();
            changed.wait();
          }
        }
        return Status();
      },
      0,
      [&](Status status) {
        EXPECT_TRUE(status.ok()) << status;
        finished.count_down();
      });
  half.wait();
  const auto all = All("day, id");
  EXPECT_TRUE(Exec("DELETE FROM marks").ok());
  EXPECT_TRUE(Put(7, 1).ok());
  changed.count_down();
  finished.wait();
  EXPECT_EQ(seen, all);
}

TEST_P(DbKeysets, AWalkByANumberGoesFromEndToEnd) {
  Script("CREATE TABLE log(seq {int64} NOT NULL PRIMARY KEY) {strict}");
  const std::vector<int64_t> numbers = {kMin, -5000000000, -1,         0,        1,
                                        9,    10,          5000000000, kMax - 1, kMax};
  for (int64_t number : numbers) {
    ASSERT_TRUE(Exec("INSERT INTO log(seq) VALUES ($1)", {number}).ok());
  }
  std::vector<int64_t> seen = {Int("SELECT min(seq) FROM log")};
  while (true) {
    auto rows = Rows("SELECT seq FROM log WHERE seq > $1 ORDER BY seq LIMIT 3", {seen.back()}, "i");
    if (rows.empty()) break;
    for (const auto& row : rows) seen.push_back(std::atoll(row.c_str()));
  }
  EXPECT_EQ(seen, numbers);
}

TEST_P(DbKeysets, TextsSortByCodePointBeyondTheFirstPlane) {
  // UTF-16 would put U+1F600 before U+FFFD, and a locale all of them elsewhere.
  Script("CREATE TABLE words(word {text} NOT NULL PRIMARY KEY) {strict}");
  for (const char* word : {"\U0001F600", "\uFFFD", "\u00e9", "e\u0301", "f", "\u007f", "日", "Ω"}) {
    ASSERT_TRUE(Exec("INSERT INTO words(word) VALUES ($1)", {word}).ok());
  }
  EXPECT_THAT(Rows("SELECT word FROM words ORDER BY word", {}, "t"),
              ElementsAre("e\u0301", "f", "\u007f", "\u00e9", "Ω", "日", "\uFFFD", "\U0001F600"));
  EXPECT_THAT(Rows("SELECT word FROM words WHERE word > $1 ORDER BY word LIMIT 2", {"f"}, "t"),
              ElementsAre("\u007f", "\u00e9"));
}

TEST_P(DbKeysets, AnOrderByAnExpressionIsByBytesToo) {
  Script("CREATE TABLE words(word {text} NOT NULL PRIMARY KEY) {strict}");
  for (const char* word : {"b", "B", "a", "A", "ä"}) {
    ASSERT_TRUE(Exec("INSERT INTO words(word) VALUES ($1)", {word}).ok());
  }
  EXPECT_THAT(Rows("SELECT 'x' || word FROM words ORDER BY 'x' || word", {}, "t"),
              ElementsAre("xA", "xB", "xa", "xb", "xä"));
  EXPECT_THAT(Rows("SELECT min(word), max(word) FROM words", {}, "tt"), ElementsAre("A,ä"));
  EXPECT_THAT(Rows("SELECT word FROM words WHERE word BETWEEN 'A' AND 'Z' ORDER BY word", {}, "t"),
              ElementsAre("A", "B"));
}

TEST_P(DbKeysets, RowsOfOneGroupAreCountedByExactText) {
  Script(
      "CREATE TABLE teams(id {int64} NOT NULL PRIMARY KEY, team {text}) {strict};"
      "INSERT INTO teams(id, team) VALUES (1, 'SEND'), (2, 'send'), (3, 'SEND'), (4, NULL), (5, "
      "'')");
  EXPECT_THAT(
      Rows("SELECT team, count(*) FROM teams GROUP BY team ORDER BY team NULLS FIRST", {}, "ti"),
      ElementsAre("null,1", ",1", "SEND,2", "send,1"));
  EXPECT_EQ(Int("SELECT count(DISTINCT team) FROM teams"), 3);
}

}  // namespace
}  // namespace hub::db
