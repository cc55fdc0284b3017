// Reach: outside figures with their date and source.
#include <utility>

#include "common/rpc/door.h"
#include "services/membership/reach_rules.h"

namespace hub::membership {
namespace {

constexpr char kReach[] = "coproduction.membership.v1.Reach";

StatusOr<v1::ReachSeries> CreateReachSeries(Write& write, const v1::CreateReachSeriesRequest& in) {
  return write.Create(in.reach_series());
}

StatusOr<v1::ReachSeries> UpdateReachSeries(Write& write, const v1::UpdateReachSeriesRequest& in) {
  ASSIGN_OR_RETURN(auto series, write.Merge(in.reach_series(), in.update_mask()));
  return write.Put(std::move(series));
}

StatusOr<v1::ReachSeries> RecordReach(Write& write, const v1::RecordReachRequest& in) {
  ASSIGN_OR_RETURN(auto series, write.Get<v1::ReachSeries>(in.name(), in.etag()));
  RETURN_IF_ERROR(AddFigure(&series, in.figure(), write.today()));
  return write.Put(std::move(series));
}

}  // namespace

void BindReach(Door& door) {
  door.Bind(kReach, "CreateReachSeries", CreateReachSeries);
  door.Bind(kReach, "UpdateReachSeries", UpdateReachSeries);
  door.Bind(kReach, "RecordReach", RecordReach);
}

}  // namespace hub::membership
