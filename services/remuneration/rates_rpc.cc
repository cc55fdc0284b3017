#include "services/remuneration/rates_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/remuneration/events/v1/rates.pb.h"

namespace hub::remuneration {

namespace events = ::coproduction::remuneration::events::v1;

StatusOr<std::vector<v1::Rate>> RatesFor(Read& read, const std::string& day) {
  return read.Select<v1::Rate>("from_date <= $2 ORDER BY id", {day});
}

static StatusOr<v1::Rate> SetRate(Write& write, const v1::SetRateRequest& in) {
  ASSIGN_OR_RETURN(v1::Rate rate, write.Create(in.rate()));
  write.Emit<events::RateChanged>(rate);
  return rate;
}

void BindRates(Door& door) {
  const char service[] = "coproduction.remuneration.v1.Rates";
  door.Bind(service, "SetRate", SetRate);
}

}  // namespace hub::remuneration
