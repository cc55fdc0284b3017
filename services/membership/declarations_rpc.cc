// Declarations of interests.
#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/conflicts.h"
#include "services/membership/module.h"
#include "services/membership/papers.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
constexpr char kDeclarations[] = "coproduction.membership.v1.Declarations";

StatusOr<v1::Declaration> MakeDeclaration(Write& write, const v1::MakeDeclarationRequest& in) {
  v1::Declaration declaration = in.declaration();
  RETURN_IF_ERROR(CheckDeclaration(declaration));
  ASSIGN_OR_RETURN(const auto rep, write.Get<v1::Rep>(declaration.rep()));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::MembershipSettings>());
  declaration.set_declared_on(write.today());
  declaration.set_lapses_on(LapsesOn(write.today(), settings));
  ASSIGN_OR_RETURN(declaration, write.Create(std::move(declaration)));
  write.Emit<events::DeclarationMade>(declaration);
  RETURN_IF_ERROR(TellConflicts(write, declaration));
  RETURN_IF_ERROR(RegainStanding(write, rep.name()));
  return declaration;
}

}  // namespace

void BindDeclarations(Door& door) { door.Bind(kDeclarations, "MakeDeclaration", MakeDeclaration); }

}  // namespace hub::membership
