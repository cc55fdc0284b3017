#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

class DbTypes : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    Script(
        "CREATE TABLE kinds(id {int64} NOT NULL PRIMARY KEY, i {int64}, t {text}, b {bytes})"
        " {strict}");
  }
  Status Put(int64_t id, Value i, Value t, Value b) {
    return Exec("INSERT INTO kinds(id, i, t, b) VALUES ($1, $2, $3, $4)", {id, i, t, b});
  }
  // What column `column` of row `id` gives back, as the value of its type.
  Value Get(int64_t id, char column) {
    Value value;
    std::string sql = std::string("SELECT ") + column + " FROM kinds WHERE id = $1";
    Status status = store().ReadAndWait([&](Conn& conn) {
      return conn.Query(sql, {id}, [&](const Row& row) {
        if (row.IsNull(0)) {
          // NULL reads as nothing, of whatever type.
          EXPECT_EQ(column == 'i' ? row.Int(0) : 0, 0);
          EXPECT_TRUE(column != 't' || row.Text(0).empty());
          EXPECT_TRUE(column != 'b' || row.Blob(0).empty());
          return absl::OkStatus();
        }
        if (column == 'i') value = row.Int(0);
        if (column == 't') value = std::string(row.Text(0));
        if (column == 'b') value = Bytes{std::string(row.Blob(0))};
        return absl::OkStatus();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    return value;
  }
};
ON_BOTH(DbTypes);

TEST_P(DbTypes, IntegersToTheirEnds) {
  const std::vector<int64_t> numbers = {kMin, kMin + 1,   -5000000000, -1,         0,
                                        1,    2147483647, 2147483648,  5000000000, kMax};
  for (size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_TRUE(Put(i, numbers[i], {}, {}).ok());
    EXPECT_EQ(Get(i, 'i'), Value(numbers[i]));
    EXPECT_EQ(Int("SELECT id FROM kinds WHERE i = $1", {numbers[i]}), static_cast<int64_t>(i));
  }
}

TEST_P(DbTypes, TextsAsTheyAre) {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "Siân O'Brien, £5 <x> \"q\" \\ $1",
                                          "日本語",
                                          "😀 e\u0301",
                                          "line\nbreak\ttab",
                                          "\x01\x7f",
                                          std::string(100000, 'x')};
  for (size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(Put(i, {}, texts[i], {}).ok());
    EXPECT_EQ(Get(i, 't'), Value(texts[i]));
  }
}

TEST_P(DbTypes, BytesAsTheyAre) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  std::string megabyte;
  while (megabyte.size() < (1 << 20)) megabyte += all;
  const std::vector<std::string> blobs = {"", std::string(1, '\0'), std::string("a\0b\0", 4), all,
                                          megabyte};
  for (size_t i = 0; i < blobs.size(); ++i) {
    ASSERT_TRUE(Put(i, {}, {}, Bytes{blobs[i]}).ok());
    EXPECT_EQ(Get(i, 'b'), Value(Bytes{blobs[i]}));
  }
}

TEST_P(DbTypes, NullIsNotEmpty) {
  ASSERT_TRUE(Put(1, {}, {}, {}).ok());
  ASSERT_TRUE(Put(2, 0, "", Bytes{}).ok());
  EXPECT_THAT(Rows("SELECT i, t, b FROM kinds ORDER BY id", {}, "itb"),
              ElementsAre("null,null,null", "0,,<0>"));
  for (char column : {'i', 't', 'b'}) EXPECT_EQ(Get(1, column), Value());
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i IS NULL AND t IS NULL AND b IS NULL"), 1);
}

TEST_P(DbTypes, OneStatementWithNullsAndValuesInTurn) {
  const std::string sql = "UPDATE kinds SET i = $1, t = $2, b = $3 WHERE id = $4";
  ASSERT_TRUE(Put(1, {}, {}, {}).ok());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(Exec(sql, {Value(), Value(), Value(), 1}).ok());
    EXPECT_EQ(Get(1, 'i'), Value());
    ASSERT_TRUE(Exec(sql, {5000000000, Value(), Bytes{"b"}, 1}).ok());
    EXPECT_EQ(Get(1, 'i'), Value(int64_t{5000000000}));
    ASSERT_TRUE(Exec(sql, {Value(), "text", Value(), 1}).ok());
    EXPECT_THAT(Rows("SELECT i, t, b FROM kinds", {}, "itb"), ElementsAre("null,text,null"));
  }
}

TEST_P(DbTypes, ParametersAreSixtyFourBitsWide) {
  // PostgreSQL would infer int4 for a parameter beside a small literal.
  EXPECT_EQ(Int("SELECT $1 + 1", {5000000000}), 5000000001);
  EXPECT_EQ(Int("SELECT 16 * $1", {kMax / 16}), kMax / 16 * 16);
  ASSERT_TRUE(Put(1, kMax, {}, {}).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i > $1 + 1", {kMax - 2}), 1);
}

TEST_P(DbTypes, SumsAreIntegers) {
  EXPECT_THAT(Rows("SELECT sum(i) FROM kinds", {}, "i"), ElementsAre("null"));
  const std::vector<int64_t> numbers = {kMax - 30000, 10000, 10000, 10000, -1};
  int64_t sum = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_TRUE(Put(i, numbers[i], {}, {}).ok());
    sum += numbers[i];
    EXPECT_EQ(Int("SELECT sum(i) FROM kinds"), sum);
    EXPECT_EQ(Int("SELECT sum(-i) FROM kinds"), -sum);
  }
  for (int64_t number : {int64_t{0}, int64_t{10000}, int64_t{100000000}, kMin, kMax}) {
    ASSERT_TRUE(Exec("DELETE FROM kinds").ok());
    ASSERT_TRUE(Put(1, number, {}, {}).ok());
    EXPECT_EQ(Int("SELECT sum(i) FROM kinds"), number);
  }
}

TEST_P(DbTypes, ASumThatFitsNoIntegerIsAnError) {
  ASSERT_TRUE(Put(1, kMax, {}, {}).ok());
  ASSERT_TRUE(Put(2, 1, {}, {}).ok());
  Status status = store().ReadAndWait([](Conn& conn) {
    return conn.Query("SELECT sum(i) FROM kinds", {}, [](const Row& row) {
      (void)row.Int(0);
      return absl::OkStatus();
    });
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
}

TEST_P(DbTypes, AColumnReadAsAnotherTypeIsAnError) {
  ASSERT_TRUE(Put(1, 1, "text", Bytes{"bytes"}).ok());
  auto read = [&](const std::string& sql, std::function<void(const Row&)> get) {
    return RefusalOf(store().ReadAndWait([&](Conn& conn) {
      return conn.Query(sql, {}, [&](const Row& row) {
        get(row);
        return absl::OkStatus();
      });
    }));
  };
  auto as_int = [](const Row& row) { (void)row.Int(0); };
  auto as_text = [](const Row& row) { (void)row.Text(0); };
  auto as_blob = [](const Row& row) { (void)row.Blob(0); };
  EXPECT_EQ(read("SELECT i FROM kinds", as_text), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT i FROM kinds", as_blob), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT t FROM kinds", as_int), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT t FROM kinds", as_blob), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT b FROM kinds", as_int), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT b FROM kinds", as_text), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT i / 2.0 FROM kinds", as_int), errors::INTERNAL_FAULT);
  EXPECT_EQ(Int("SELECT i = 1 FROM kinds"), 1);  // a truth is an integer
}

TEST_P(DbTypes, OnlyUtf8WithoutNulIsText) {
  for (const std::string& bad :
       {std::string("a\0b", 3), std::string("\xff"), std::string("\xc3"), std::string("\xc0\x80"),
        std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xe2\x82")}) {
    Status status = Put(1, {}, bad, {});
    EXPECT_EQ(RefusalOf(status), errors::INVALID_FIELD) << status;
  }
  EXPECT_EQ(Int("SELECT count(*) FROM kinds"), 0);
}

TEST_P(DbTypes, ParametersByNumber) {
  EXPECT_THAT(Rows("SELECT $1 + 0, $2 + 0, $1 + $2, '$3' || \"t\" FROM kinds", {1, 2}, "iiit"),
              IsEmpty());
  EXPECT_EQ(Int("SELECT $1 * 100 + $2 * 10 + $1 -- as $1, not $9", {1, 2}), 121);
  for (const auto& [sql, count] :
       std::vector<std::pair<std::string, int>>{{"SELECT $2 + $1", 2},
                                                {"SELECT $1 + $3", 3},
                                                {"SELECT $1 + $2", 1},
                                                {"SELECT $1 + $2", 3},
                                                {"SELECT $ + 1", 0},
                                                {"SELECT 1; SELECT 2", 0}}) {
    Status status = store().ReadAndWait([&sql = sql, &count = count](Conn& conn) {
      return conn.Query(sql, std::vector<Value>(count, Value(int64_t{1})),
                        [](const Row&) { return absl::OkStatus(); });
    });
    EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << sql << status;
  }
}

TEST_P(DbTypes, WhatADoubleCannotHoldIsExact) {
  // 2^53 + 1 and its neighbours, which a floating point number makes one.
  const int64_t edge = int64_t{1} << 53;
  for (int64_t number : {edge - 1, edge, edge + 1, -edge - 1, edge * 2 + 1, kMax - 1}) {
    ASSERT_TRUE(Exec("DELETE FROM kinds").ok());
    ASSERT_TRUE(Put(1, number, {}, {}).ok());
    EXPECT_EQ(Get(1, 'i'), Value(number));
    EXPECT_EQ(Int("SELECT i - 1 FROM kinds"), number - 1);
    EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i = $1", {number + 1}), 0);
  }
}

TEST_P(DbTypes, FiveThousandMillionSurvivesEveryWay) {
  const int64_t five = 5000000000;
  ASSERT_TRUE(Put(five, five, {}, {}).ok());
  EXPECT_EQ(Int("SELECT id FROM kinds"), five);
  EXPECT_EQ(Int("SELECT max(i) FROM kinds WHERE id = $1", {five}), five);
  EXPECT_EQ(Int("SELECT i * 2 FROM kinds"), 2 * five);
  EXPECT_EQ(Int("SELECT -$1", {five}), -five);
  EXPECT_EQ(Int("SELECT coalesce(NULL, $1)", {five}), five);
  EXPECT_EQ(Changed("UPDATE kinds SET i = i + $1 WHERE i = $2", {1, five}), 1);
  EXPECT_EQ(Int("SELECT i FROM kinds"), five + 1);
}

TEST_P(DbTypes, IntegersSortByTheirValue) {
  const std::vector<int64_t> numbers = {kMax, -1,         kMin,        10,        9,
                                        0,    5000000000, -5000000000, 2147483648};
  for (size_t i = 0; i < numbers.size(); ++i) ASSERT_TRUE(Put(i, numbers[i], {}, {}).ok());
  EXPECT_THAT(Rows("SELECT i FROM kinds ORDER BY i", {}, "i"),
              ElementsAre(std::to_string(kMin), "-5000000000", "-1", "0", "9", "10", "2147483648",
                          "5000000000", std::to_string(kMax)));
  EXPECT_EQ(Int("SELECT min(i) FROM kinds"), kMin);
  EXPECT_EQ(Int("SELECT max(i) FROM kinds"), kMax);
}

TEST_P(DbTypes, AnOverflowIsAnErrorAndNoOtherNumber) {
  ASSERT_TRUE(Put(1, kMax, {}, {}).ok());
  auto read = [&](const std::string& sql) {
    return RefusalOf(store().ReadAndWait([&](Conn& conn) { return IntOf(conn, sql).status(); }));
  };
  EXPECT_EQ(read("SELECT i + 1 FROM kinds"), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT i * 2 FROM kinds"), errors::INTERNAL_FAULT);
  EXPECT_EQ(read("SELECT -i - 2 FROM kinds"), errors::INTERNAL_FAULT);
  EXPECT_EQ(RefusalOf(Exec("UPDATE kinds SET i = i + 1")), errors::INTERNAL_FAULT);
  EXPECT_EQ(Get(1, 'i'), Value(kMax));
}

TEST_P(DbTypes, DivisionCutsTowardsZero) {
  for (const auto& [a, b, quotient, rest] :
       std::vector<std::array<int64_t, 4>>{{7, 2, 3, 1},
                                           {-7, 2, -3, -1},
                                           {7, -2, -3, 1},
                                           {-7, -2, 3, -1},
                                           {kMin, 10, kMin / 10, kMin % 10}}) {
    EXPECT_EQ(Int("SELECT $1 / $2", {a, b}), quotient);
    EXPECT_EQ(Int("SELECT $1 % $2", {a, b}), rest);
  }
}

TEST_P(DbTypes, AYesIsOneAndANoIsZero) {
  ASSERT_TRUE(Put(1, int64_t{true}, {}, {}).ok());
  ASSERT_TRUE(Put(2, int64_t{false}, {}, {}).ok());
  ASSERT_TRUE(Put(3, {}, {}, {}).ok());
  EXPECT_THAT(Rows("SELECT i FROM kinds ORDER BY id", {}, "i"), ElementsAre("1", "0", "null"));
  EXPECT_EQ(Int("SELECT id FROM kinds WHERE i = $1", {1}), 1);
  // And so are the answers to questions.
  EXPECT_THAT(Rows("SELECT i = 1, i IS NULL, i > 0 OR i IS NULL FROM kinds ORDER BY id", {}, "iii"),
              ElementsAre("1,0,1", "0,0,0", "null,1,1"));
  EXPECT_THAT(Rows("SELECT EXISTS (SELECT 1 FROM kinds WHERE id = 3)", {}, "i"), ElementsAre("1"));
}

TEST_P(DbTypes, DatesAreTextsInTheOrderOfTime) {
  const std::vector<std::string> days = {"2022-02-28", "0001-01-01", "9999-12-31", "2022-03-01",
                                         "1999-12-31", "2020-02-29", "2022-10-02", "2022-09-30"};
  for (size_t i = 0; i < days.size(); ++i) ASSERT_TRUE(Put(i, {}, days[i], {}).ok());
  EXPECT_THAT(Rows("SELECT t FROM kinds ORDER BY t", {}, "t"),
              ElementsAre("0001-01-01", "1999-12-31", "2020-02-29", "2022-02-28", "2022-03-01",
                          "2022-09-30", "2022-10-02", "9999-12-31"));
  EXPECT_THAT(Rows("SELECT t FROM kinds WHERE t BETWEEN $1 AND $2 ORDER BY t",
                   {"2022-02-28", "2022-09-30"}, "t"),
              ElementsAre("2022-02-28", "2022-03-01", "2022-09-30"));
  EXPECT_THAT(Rows("SELECT max(t) FROM kinds WHERE t < $1", {"2022-02-28"}, "t"),
              ElementsAre("2020-02-29"));
}

TEST_P(DbTypes, InstantsToTheMicrosecond) {
  // Year 1, a microsecond before 1970, 1970, half a second of 2021, the last microsecond of 9999.
  const std::vector<Micros> instants = {-62135596800000000, -1, 0, 1627731000500001,
                                        253402300799999999};
  for (size_t i = 0; i < instants.size(); ++i) {
    ASSERT_TRUE(Put(i, instants[i], {}, {}).ok());
    EXPECT_EQ(Get(i, 'i'), Value(instants[i]));
    EXPECT_EQ(ToMicros(ToTimestamp(instants[i])), instants[i]);
    EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i > $1", {instants[i] - 1}), 1);
  }
}

TEST_P(DbTypes, AnEmptyTextIsAValue) {
  ASSERT_TRUE(Put(1, {}, "", {}).ok());
  ASSERT_TRUE(Put(2, {}, Value(), {}).ok());
  EXPECT_EQ(Get(1, 't'), Value(""));
  EXPECT_EQ(Get(2, 't'), Value());
  EXPECT_EQ(Int("SELECT id FROM kinds WHERE t = $1", {""}), 1);
  EXPECT_EQ(Int("SELECT id FROM kinds WHERE t IS NULL"), 2);
  EXPECT_EQ(Int("SELECT count(t) FROM kinds"), 1);
  EXPECT_EQ(Int("SELECT length(t) FROM kinds WHERE id = 1"), 0);
}

TEST_P(DbTypes, EmptyBytesAreAValue) {
  ASSERT_TRUE(Put(1, {}, {}, Bytes{}).ok());
  ASSERT_TRUE(Put(2, {}, {}, Value()).ok());
  EXPECT_EQ(Get(1, 'b'), Value(Bytes{}));
  EXPECT_EQ(Get(2, 'b'), Value());
  EXPECT_EQ(Int("SELECT id FROM kinds WHERE b = $1", {Bytes{}}), 1);
  EXPECT_EQ(Int("SELECT count(b) FROM kinds"), 1);
}

TEST_P(DbTypes, ZeroIsAValue) {
  ASSERT_TRUE(Put(1, 0, {}, {}).ok());
  ASSERT_TRUE(Put(2, Value(), {}, {}).ok());
  EXPECT_EQ(Get(1, 'i'), Value(int64_t{0}));
  EXPECT_EQ(Int("SELECT id FROM kinds WHERE i = 0"), 1);
  EXPECT_EQ(Int("SELECT count(i) FROM kinds"), 1);
}

TEST_P(DbTypes, ANullEqualsNothing) {
  ASSERT_TRUE(Put(1, {}, {}, {}).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i = $1", {Value()}), 0);
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i <> $1", {1}), 0);
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE t = $1", {Value()}), 0);
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i IS NOT DISTINCT FROM $1", {Value()}), 1);
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i IS DISTINCT FROM $1", {1}), 1);
}

TEST_P(DbTypes, ANullSwallowsWhatIsJoinedToIt) {
  ASSERT_TRUE(Put(1, {}, {}, {}).ok());
  EXPECT_THAT(Rows("SELECT 'forums/' || t, i + 1, coalesce(t, 'none') FROM kinds", {}, "tit"),
              ElementsAre("null,null,none"));
}

TEST_P(DbTypes, FiguresOfNothing) {
  EXPECT_THAT(Rows("SELECT count(*), count(i), sum(i), min(i), max(t) FROM kinds", {}, "iiiit"),
              ElementsAre("0,0,null,null,null"));
  EXPECT_THAT(Rows("SELECT coalesce(sum(i), 0) FROM kinds", {}, "i"), ElementsAre("0"));
  EXPECT_THAT(Rows("SELECT i, count(*) FROM kinds GROUP BY i", {}, "ii"), IsEmpty());
}

TEST_P(DbTypes, TextsAreEqualByteByByte) {
  int id = 0;
  const std::vector<std::string> texts = {"a", "A", "a ", " a", "á", "a\u0301", "aa"};
  for (const auto& text : texts) ASSERT_TRUE(Put(++id, {}, text, {}).ok());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_THAT(Rows("SELECT id FROM kinds WHERE t = $1", {texts[i]}, "i"),
                ElementsAre(std::to_string(i + 1)));
  }
}

TEST_P(DbTypes, LengthCountsCharacters) {
  for (const auto& [text, length] : std::vector<std::pair<std::string, int>>{
           {"", 0}, {"abc", 3}, {"Siân", 4}, {"日本語", 3}, {"😀", 1}, {"e\u0301", 2}}) {
    ASSERT_TRUE(Exec("DELETE FROM kinds").ok());
    ASSERT_TRUE(Put(1, {}, text, {}).ok());
    EXPECT_EQ(Int("SELECT length(t) FROM kinds"), length) << text;
  }
}

TEST_P(DbTypes, BytesSortByTheirUnsignedValue) {
  const std::vector<std::string> blobs = {
      "b", std::string("\xff"), std::string(1, '\0'), "", "ab", std::string("a\0", 2),
      "a", std::string("\x80")};
  for (size_t i = 0; i < blobs.size(); ++i) ASSERT_TRUE(Put(i, {}, {}, Bytes{blobs[i]}).ok());
  EXPECT_THAT(Rows("SELECT id FROM kinds ORDER BY b", {}, "i"),
              ElementsAre("3", "2", "6", "5", "4", "0", "7", "1"));
}

TEST_P(DbTypes, BytesAreFoundByAllOfThem) {
  ASSERT_TRUE(Put(1, {}, {}, Bytes{std::string("key\0one", 7)}).ok());
  ASSERT_TRUE(Put(2, {}, {}, Bytes{std::string("key\0two", 7)}).ok());
  EXPECT_THAT(Rows("SELECT id FROM kinds WHERE b = $1", {Bytes{std::string("key\0two", 7)}}, "i"),
              ElementsAre("2"));
  EXPECT_THAT(Rows("SELECT id FROM kinds WHERE b = $1", {Bytes{"key"}}, "i"), IsEmpty());
  EXPECT_EQ(Get(1, 'b'), Value(Bytes{std::string("key\0one", 7)}));
}

TEST_P(DbTypes, WhatIsInAValueIsNeverSql) {
  const std::string text = "x'); DROP TABLE kinds; --";
  ASSERT_TRUE(Put(1, {}, text, Bytes{text}).ok());
  ASSERT_TRUE(Put(2, {}, "$1 $2 ? :a @b {int64}", {}).ok());
  EXPECT_EQ(Get(1, 't'), Value(text));
  EXPECT_EQ(Get(2, 't'), Value("$1 $2 ? :a @b {int64}"));
  EXPECT_EQ(Int("SELECT id FROM kinds WHERE t = $1", {text}), 1);
}

TEST_P(DbTypes, AValueOfManyMegabytes) {
  const std::string text(8 << 20, 'x');
  ASSERT_TRUE(Put(1, {}, text, Bytes{text}).ok());
  EXPECT_TRUE(Get(1, 't') == Value(text));
  EXPECT_TRUE(Get(1, 'b') == Value(Bytes{text}));
}

TEST_P(DbTypes, AsManyParametersAsBothTakeAndNotOneMore) {
  auto insert = [&](int rows) {
    std::string sql = "INSERT INTO kinds(id, i) VALUES ";
    std::vector<Value> values;
    for (int i = 1; i <= rows; ++i) {
      sql += i > 1 ? ", ($" : "($";
      sql += std::to_string(2 * i - 1) + ", $" + std::to_string(2 * i) + ")";
      values.insert(values.end(), {i, 5000000000 + i});
    }
    return Exec(sql, values);
  };
  Status status = insert(16383);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM kinds WHERE i = 5000000000 + id"), 16383);
  ASSERT_TRUE(Exec("DELETE FROM kinds").ok());
  EXPECT_EQ(RefusalOf(insert(16384)), errors::INTERNAL_FAULT);
  EXPECT_EQ(Int("SELECT count(*) FROM kinds"), 0);
}

TEST_P(DbTypes, AListOfValues) {
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(Put(i, i * 10, std::to_string(i), {}).ok());
  EXPECT_THAT(
      Rows("SELECT id FROM kinds WHERE t IN ($1, $2, $3) ORDER BY id", {"5", "2", "9"}, "i"),
      ElementsAre("2", "5"));
  EXPECT_THAT(Rows("SELECT id FROM kinds WHERE i NOT IN ($1, $2) ORDER BY id", {10, 30}, "i"),
              ElementsAre("2", "4", "5"));
}

TEST_P(DbTypes, ColumnsAreReadInAnyOrderAndAsOftenAsOneLikes) {
  ASSERT_TRUE(Put(1, 7, "seven", Bytes{"7"}).ok());
  Status status = store().ReadAndWait([](Conn& conn) {
    return conn.Query("SELECT i, t, b FROM kinds", {}, [](const Row& row) {
      for (int again = 0; again < 3; ++again) {
        EXPECT_EQ(row.Blob(2), "7");
        EXPECT_EQ(row.Text(1), "seven");
        EXPECT_FALSE(row.IsNull(0));
        EXPECT_EQ(row.Int(0), 7);
      }
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbTypes, AColumnThatTheResultLacksIsAnErrorAndNoNull) {
  ASSERT_TRUE(Put(1, 7, "seven", Bytes{"7"}).ok());
  auto read = [&](const std::function<void(const Row&)>& get) {
    return RefusalOf(store().ReadAndWait([&](Conn& conn) {
      return conn.Query("SELECT i FROM kinds", {}, [&](const Row& row) {
        get(row);
        return absl::OkStatus();
      });
    }));
  };
  EXPECT_EQ(read([](const Row& row) { (void)row.IsNull(1); }), errors::INTERNAL_FAULT);
  EXPECT_EQ(read([](const Row& row) { (void)row.Int(1); }), errors::INTERNAL_FAULT);
  EXPECT_EQ(read([](const Row& row) { (void)row.Text(1); }), errors::INTERNAL_FAULT);
  EXPECT_EQ(read([](const Row& row) { (void)row.Blob(1); }), errors::INTERNAL_FAULT);
  EXPECT_EQ(read([](const Row& row) { (void)row.Int(0); }), errors::ERROR_REASON_UNSPECIFIED);
}

TEST_P(DbTypes, TwoStatementsKeepTheirParametersApart) {
  // Each prepared once, then with other values in turn, and one within the other.
  const std::string by_number = "SELECT t FROM kinds WHERE i = $1";
  const std::string by_text = "SELECT i FROM kinds WHERE t = $1";
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(Put(i, i, std::to_string(i), {}).ok());
  for (int round = 0; round < 3; ++round) {
    for (int i = 1; i <= 4; ++i) {
      EXPECT_THAT(Rows(by_number, {i}, "t"), ElementsAre(std::to_string(i)));
      EXPECT_THAT(Rows(by_text, {std::to_string(5 - i)}, "i"), ElementsAre(std::to_string(5 - i)));
    }
  }
  std::string seen;
  Status status = store().ReadAndWait([&](Conn& conn) {
    seen.clear();
    return conn.Query(by_number, {3}, [&](const Row& outer) {
      RETURN_IF_ERROR(conn.Query(by_number, {4}, [&](const Row& inner) {
        seen += std::string(inner.Text(0));
        return absl::OkStatus();
      }));
      seen += std::string(outer.Text(0));  // still the outer's
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen, "43");
}

TEST_P(DbTypes, AParameterThatIsLeftFromTheLastTimeIsNotUsed) {
  const std::string sql = "INSERT INTO kinds(id, i, t, b) VALUES ($1, $2, $3, $4)";
  ASSERT_TRUE(Exec(sql, {1, 7, "seven", Bytes{"7"}}).ok());
  ASSERT_TRUE(Exec(sql, {2, Value(), Value(), Value()}).ok());
  ASSERT_TRUE(Exec(sql, {3, Value(), "", Bytes{}}).ok());
  EXPECT_THAT(Rows("SELECT i, t, b FROM kinds ORDER BY id", {}, "itb"),
              ElementsAre("7,seven,<1>", "null,null,null", "null,,<0>"));
}

}  // namespace
}  // namespace hub::db
