#include "coproduction/remuneration/events/v1/rates.pb.h"
#include "services/remuneration/mini_remuneration.h"
#include "services/remuneration/rates_rules.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hub::remuneration {
namespace {

v1::Rate Rate(v1::Rate::Kind kind, const std::string& from, int64_t tenth_pence) {
  v1::Rate rate;
  rate.set_kind(kind);
  rate.set_from_date(from);
  rate.set_tenth_pence(tenth_pence);
  return rate;
}

// 30p until 24 April 2022 (invented), 45p from 25 April [seed]; after the threshold 25p [HMRC].
std::vector<v1::Rate> SomeRates() {
  return {Rate(v1::Rate::MILEAGE_CAR, "2021-01-01", 300),
          Rate(v1::Rate::MILEAGE_CAR, "2022-04-25", 450),
          Rate(v1::Rate::MILEAGE_CAR_AFTER_THRESHOLD, "2021-01-01", 250),
          Rate(v1::Rate::PASSENGER, "2021-01-01", 50),
          Rate(v1::Rate::MOTORCYCLE, "2021-01-01", 240),
          Rate(v1::Rate::CYCLE, "2021-01-01", 200),
          Rate(v1::Rate::FEE_TWO_HOURS, "2022-05-01", 50000)};
}

v1::ClaimLine Journey(const std::string& date, int64_t tenths, int64_t passengers = 0,
                      v1::ClaimLine::Vehicle vehicle = v1::ClaimLine::CAR) {
  v1::ClaimLine line;
  line.set_date(date);
  line.set_vehicle(vehicle);
  line.set_tenths_of_miles(tenths);
  line.set_passengers(passengers);
  return line;
}

constexpr int64_t kThreshold = 10000;

int64_t Pence(const v1::ClaimLine& journey, int64_t before = 0,
              const std::vector<v1::Rate>& rates = SomeRates()) {
  auto pence = MileagePence(rates, journey, kThreshold, before);
  EXPECT_TRUE(pence.ok()) << pence.status();
  return pence.value_or(-1);
}

TEST(RateOn, TheDayOfTravelDecides) {
  EXPECT_EQ(Pence(Journey("2022-04-24", 100)), 300);
  EXPECT_EQ(Pence(Journey("2022-04-25", 100)), 450);
}

TEST(RateOn, NoneBeforeTheFirst) {
  EXPECT_EQ(RateOn(SomeRates(), v1::Rate::MILEAGE_CAR, "2020-12-31"), std::nullopt);
  EXPECT_EQ(RateOn({}, v1::Rate::CYCLE, "2022-01-01"), std::nullopt);
}

TEST(RateOn, OfOneDayTheOneRecordedLastCounts) {
  auto rates = SomeRates();
  rates.push_back(Rate(v1::Rate::MILEAGE_CAR, "2022-04-25", 520));
  EXPECT_EQ(RateOn(rates, v1::Rate::MILEAGE_CAR, "2022-06-01"), 520);
  // A rate backdated to before a later one leaves that one alone.
  rates.push_back(Rate(v1::Rate::MILEAGE_CAR, "2022-01-01", 310));
  EXPECT_EQ(RateOn(rates, v1::Rate::MILEAGE_CAR, "2022-04-24"), 310);
  EXPECT_EQ(RateOn(rates, v1::Rate::MILEAGE_CAR, "2022-06-01"), 520);
}

TEST(FeePence, InProportionToTwoHoursAndNothingBeforeTheForumPays) {
  EXPECT_EQ(FeePence(SomeRates(), "2022-04-30", 120), 0);
  EXPECT_EQ(FeePence(SomeRates(), "2022-05-01", 120), 5000);
  EXPECT_EQ(FeePence(SomeRates(), "2022-05-01", 60), 2500);
  EXPECT_EQ(FeePence(SomeRates(), "2022-05-01", 30), 1250);
  EXPECT_EQ(FeePence(SomeRates(), "2022-05-01", 1), 42);     // 41.67
  EXPECT_EQ(FeePence(SomeRates(), "2022-05-01", 7), 292);    // 291.67
  EXPECT_EQ(FeePence(SomeRates(), "2022-05-01", 65), 2708);  // 2708.33
}

TEST(FeePence, HalfAPennyGoesUp) {
  // 1.2 pounds for two hours: a minute is a penny; half of it is made by 600 tenths for 120
  // minutes.
  std::vector<v1::Rate> rates = {Rate(v1::Rate::FEE_TWO_HOURS, "2022-01-01", 600)};
  EXPECT_EQ(FeePence(rates, "2022-01-01", 1), 1);  // 0.5
  EXPECT_EQ(FeePence(rates, "2022-01-01", 2), 1);  // 1.0
  EXPECT_EQ(FeePence(rates, "2022-01-01", 3), 2);  // 1.5
}

TEST(MileagePence, TenthsOfAMileAndHalfPenniesUp) {
  EXPECT_EQ(Pence(Journey("2022-05-01", 1)), 5);      // 4.5
  EXPECT_EQ(Pence(Journey("2022-05-01", 2)), 9);      // 9.0
  EXPECT_EQ(Pence(Journey("2022-05-01", 3)), 14);     // 13.5
  EXPECT_EQ(Pence(Journey("2022-05-01", 124)), 558);  // 12.4 miles
  std::vector<v1::Rate> rates = {Rate(v1::Rate::MILEAGE_CAR, "2022-01-01", 449)};
  EXPECT_EQ(Pence(Journey("2022-05-01", 1), 0, rates), 4);  // 4.49
}

TEST(MileagePence, PassengersAddToTheCarAndTheLineIsRoundedOnce) {
  EXPECT_EQ(Pence(Journey("2022-05-01", 100, 2)), 550);
  // A tenth of a mile: 4.5 + 0.5 = 5.0; rounded apart it would be 5 + 1.
  EXPECT_EQ(Pence(Journey("2022-05-01", 1, 1)), 5);
}

TEST(MileagePence, MotorcycleAndCycleHaveNoThreshold) {
  EXPECT_EQ(Pence(Journey("2022-05-01", 100, 0, v1::ClaimLine::MOTORCYCLE), 200000), 240);
  EXPECT_EQ(Pence(Journey("2022-05-01", 100, 0, v1::ClaimLine::CYCLE), 200000), 200);
}

TEST(MileagePence, AJourneyOverTheThresholdIsSplit) {
  EXPECT_EQ(Pence(Journey("2022-05-01", 100), 99900), 450);        // the last ten miles
  EXPECT_EQ(Pence(Journey("2022-05-01", 100), 99950), 225 + 125);  // five and five
  EXPECT_EQ(Pence(Journey("2022-05-01", 100), 100000), 250);       // all after
  EXPECT_EQ(Pence(Journey("2022-05-01", 100), 123456), 250);
  EXPECT_EQ(Pence(Journey("2022-05-01", 2), 99999), 7);  // 4.5 + 2.5, rounded once
}

TEST(MileagePence, NoRateIsRefusedWithTheDayAndTheKind) {
  auto pence = MileagePence({}, Journey("2022-05-01", 100), kThreshold, 0);
  EXPECT_EQ(ReasonOf(pence.status()), errors::RULE_REFUSED);
  EXPECT_NE(MessageOf(pence.status()).find("MILEAGE_CAR is set for 2022-05-01"), std::string::npos);
}

TEST(TaxYear, FromSixthToFifthOfApril) {
  EXPECT_EQ(TaxYearStart("2022-04-05"), "2021-04-06");
  EXPECT_EQ(TaxYearEnd("2022-04-05"), "2022-04-05");
  EXPECT_EQ(TaxYearStart("2022-04-06"), "2022-04-06");
  EXPECT_EQ(TaxYearEnd("2022-04-06"), "2023-04-05");
  EXPECT_EQ(TaxYearStart("2022-01-01"), "2021-04-06");
  EXPECT_EQ(TaxYearEnd("2021-12-31"), "2022-04-05");
}

// Claimed in two parts it is worth the same, but for the penny of the second rounding.
RC_GTEST_PROP(MileagePence, TwoPartsAreTheWhole, ()) {
  int64_t before = *rc::gen::inRange<int64_t>(0, 200000);
  int64_t first = *rc::gen::inRange<int64_t>(0, 50000);
  int64_t second = *rc::gen::inRange<int64_t>(0, 50000);
  int64_t whole = Pence(Journey("2022-05-01", first + second), before);
  int64_t halves = Pence(Journey("2022-05-01", first), before) +
                   Pence(Journey("2022-05-01", second), before + first);
  RC_ASSERT(halves - whole >= -1 && halves - whole <= 1);
}

class Rates : public MiniRemuneration {};
ON_BOTH_DATABASES(Rates);

TEST_P(Rates, ASetRateIsToldListedAndNeverChanged) {
  v1::Rate rate = SetRate(v1::Rate::MILEAGE_CAR, "2022-04-25", 450);
  SetRate(v1::Rate::MILEAGE_CAR, "2022-04-25", 520);  // a correction is a rate of its own
  auto told = mini_.Published<::coproduction::remuneration::events::v1::RateChanged>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].rate(), rate.name());
  EXPECT_EQ(told[0].kind(), v1::Rate::MILEAGE_CAR);
  EXPECT_EQ(told[1].tenth_pence(), 520);
  v1::ListRatesRequest in;
  in.set_parent(kForum);
  in.set_filter("kind = \"MILEAGE_CAR\"");
  EXPECT_EQ(Done<v1::ListRatesResponse>(ann_, in).rates_size(), 2);
  EXPECT_FALSE(Sql("UPDATE rates SET tenth_pence = 1").ok());
  EXPECT_FALSE(Sql("DELETE FROM rates").ok());
}

}  // namespace
}  // namespace hub::remuneration
