// Reach: series of outside figures, on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/reach.pb.h"
#include "services/membership/module.h"
#include "services/membership/reach_rules.h"

namespace hub::membership {
namespace {

using coproduction::options::v1::CHAIR;
using coproduction::options::v1::FACILITATOR;
using coproduction::options::v1::REQUESTOR;
using testing::kForum;
using testing::MiniService;
using testing::Refused;

v1::ReachFigure Of(const std::string& date, int64_t value, int corrects = 0) {
  v1::ReachFigure figure;
  figure.set_date(date);
  figure.set_value(value);
  figure.set_corrects(corrects);
  return figure;
}

TEST(ReachRules, OfEachDateOneFigureStands) {
  v1::ReachSeries series;
  ASSERT_TRUE(AddFigure(&series, Of("2022-06-06", 1271), "2022-06-13").ok());
  ASSERT_TRUE(AddFigure(&series, Of("2022-06-13", 1823), "2022-06-13").ok());
  EXPECT_TRUE(Refused(AddFigure(&series, Of("2022-06-13", 1283), "2022-06-14"),
                      errors::RULE_REFUSED, "figure_stands"));
  EXPECT_TRUE(Refused(AddFigure(&series, Of("2022-06-13", 1283, 3), "2022-06-14"),
                      errors::RULE_REFUSED, "figure_stands"));
  ASSERT_TRUE(AddFigure(&series, Of("2022-06-13", 1283, 2), "2022-06-14").ok());
  EXPECT_TRUE(Refused(AddFigure(&series, Of("2022-06-13", 1284, 2), "2022-06-14"),
                      errors::RULE_REFUSED, "figure_stands"));
  EXPECT_TRUE(Refused(AddFigure(&series, Of("2022-06-12", 1284, 2), "2022-06-14"),
                      errors::INVALID_FIELD, "figure.corrects"));
  ASSERT_TRUE(AddFigure(&series, Of("2022-06-12", 1283, 3), "2022-06-14").ok());  // another date
  ASSERT_TRUE(AddFigure(&series, Of("2022-06-13", 1290), "2022-06-14").ok());
  EXPECT_TRUE(Refused(AddFigure(&series, Of("2022-06-15", 1), "2022-06-14"), errors::INVALID_FIELD,
                      "figure.date"));
  EXPECT_EQ(series.figures_size(), 5);
  EXPECT_EQ(series.figures(1).value(), 1823);  // what was wrong stays to be seen
  EXPECT_EQ(series.figures(2).number(), 3);
  EXPECT_EQ(series.figures(2).entered_on(), "2022-06-14");
}

class ReachSeries : public ::testing::TestWithParam<db::Engine> {
 protected:
  ReachSeries() : mini_(MakeMembershipModule(), GetParam()) { mini_.SetDate("2022-06-14"); }
  MiniService mini_;
};

ON_BOTH_DATABASES(ReachSeries);

TEST_P(ReachSeries, APartnerSeesItOnceItIsPublished) {
  const std::string chair = mini_.Token(CHAIR), partner = mini_.Token(FACILITATOR);
  v1::CreateReachSeriesRequest create;
  create.set_parent(kForum);
  create.mutable_reach_series()->set_display_name("Followers on Facebook");
  create.mutable_reach_series()->set_source("Facebook");
  create.mutable_reach_series()->set_unit("followers");
  *create.mutable_reach_series()->add_figures() = Of("2022-06-13", 1);  // not the caller's to set
  auto series = mini_.Call<v1::ReachSeries>(chair, create);
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_EQ(series->figures_size(), 0);
  v1::RecordReachRequest record;
  record.set_name(series->name());
  *record.mutable_figure() = Of("2022-06-13", 1283);
  series = mini_.Call<v1::ReachSeries>(chair, record);
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_TRUE(
      Refused(mini_.Call<v1::ReachSeries>(partner, record).status(), errors::ROLE_NOT_ALLOWED));

  v1::GetReachSeriesRequest get;
  get.set_name(series->name());
  v1::ListReachSeriesRequest list;
  list.set_parent(kForum);
  EXPECT_TRUE(
      Refused(mini_.Call<v1::ReachSeries>(partner, get).status(), errors::RESOURCE_NOT_FOUND));
  EXPECT_EQ(mini_.Call<v1::ListReachSeriesResponse>(partner, list)->reach_series_size(), 0);
  v1::UpdateReachSeriesRequest publish;
  publish.mutable_reach_series()->set_name(series->name());
  publish.mutable_reach_series()->set_published(true);
  publish.mutable_update_mask()->add_paths("published");
  ASSERT_TRUE(mini_.Call<v1::ReachSeries>(chair, publish).ok());
  const auto seen = mini_.Call<v1::ReachSeries>(mini_.Token(REQUESTOR), get);
  ASSERT_TRUE(seen.ok()) << seen.status();
  ASSERT_EQ(seen->figures_size(), 1);
  EXPECT_EQ(seen->figures(0).value(), 1283);
  EXPECT_EQ(mini_.Call<v1::ListReachSeriesResponse>(partner, list)->reach_series_size(), 1);

  publish.mutable_update_mask()->add_paths("figures");
  EXPECT_TRUE(Refused(mini_.Call<v1::ReachSeries>(chair, publish).status(), errors::FIELD_READ_ONLY,
                      "figures"));
}

}  // namespace
}  // namespace hub::membership
