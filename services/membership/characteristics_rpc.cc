// What a member tells of the own person for equality monitoring; sealed under the member's own key.
#include "common/rpc/door.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/membership/publications.h"

namespace hub::membership {
namespace {

namespace v1 = ::coproduction::membership::v1;
constexpr char kCharacteristics[] = "coproduction.membership.v1.Characteristics";

StatusOr<v1::MemberCharacteristics> SetCharacteristics(Write& write,
                                                       const v1::SetCharacteristicsRequest& in) {
  // Whose they are follows from the token alone: nobody sets another's.
  const std::string name = "forums/" + write.forum() + "/characteristics/" + write.person();
  const std::string& etag = in.characteristics().etag();
  ASSIGN_OR_RETURN(auto known, write.Find<v1::MemberCharacteristics>(name));
  if (!known && etag.empty()) {
    ASSIGN_OR_RETURN(auto first, Said({}, in.characteristics()));
    return write.Create(std::move(first), write.person());
  }
  ASSIGN_OR_RETURN(auto stored, write.Get<v1::MemberCharacteristics>(name, etag));
  ASSIGN_OR_RETURN(auto next, Said(stored, in.characteristics()));
  next.set_name(stored.name());
  next.set_etag(stored.etag());
  RETURN_IF_ERROR(ChangeAnswers(write, name, stored, next));
  return write.Put(std::move(next));
}

}  // namespace

void BindCharacteristics(Door& door) {
  door.Bind(kCharacteristics, "SetCharacteristics", SetCharacteristics);
}

}  // namespace hub::membership
