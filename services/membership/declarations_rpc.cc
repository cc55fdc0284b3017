// Declarations of interests, and their register.
#include "services/membership/declarations_rpc.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/conflicts.h"
#include "services/membership/declarations_rules.h"
#include "services/membership/papers.h"

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
  declaration.set_notice_on(NoticeOn(declaration.lapses_on(), settings));
  ASSIGN_OR_RETURN(declaration, write.Create(std::move(declaration)));
  write.Emit<events::DeclarationMade>(declaration);
  RETURN_IF_ERROR(TellConflicts(write, rep.name()));
  RETURN_IF_ERROR(RegainStanding(write, rep.name()));
  return declaration;
}

// The last declaration of each rep of the pool, as far as the rep's data may be used.
StatusOr<std::vector<v1::Declaration>> LastOfPool(Read& read) {
  ASSIGN_OR_RETURN(const auto all,
                   read.Select<v1::Declaration>(
                       "rep_id IN (SELECT r.id FROM reps r JOIN members m ON m.forum = r.forum AND "
                       "m.id = r.member_id WHERE r.forum = $1 AND r.state IN ('ACTIVE', 'PAUSED') "
                       "AND m.state = 'ACTIVE' AND LENGTH(COALESCE(m.restriction, '')) = 0)"));
  std::map<std::string, std::vector<v1::Declaration>> of;  // by rep
  for (const auto& one : all) of[one.rep()].push_back(one);
  std::vector<v1::Declaration> last;
  for (const auto& [rep, declarations] : of) last.push_back(*LastDeclaration(declarations));
  return last;
}

StatusOr<v1::Register> GetRegister(Read& read, const v1::GetRegisterRequest&) {
  ASSIGN_OR_RETURN(const auto last, LastOfPool(read));
  return RegisterOf(last, read.today());
}

StatusOr<v1::OverdueDeclarations> GetOverdueDeclarations(Read& read,
                                                         const v1::GetOverdueDeclarationsRequest&) {
  ASSIGN_OR_RETURN(const auto last, LastOfPool(read));
  return OverdueOf(last, read.today());
}

}  // namespace

Status TellDeclarationDue(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto declaration, write.Get<v1::Declaration>(resource));
  declaration.clear_notice_on();
  write.Emit<events::DeclarationDue>(declaration);
  return write.Put(std::move(declaration)).status();
}

void BindDeclarations(Door& door) {
  door.Bind(kDeclarations, "MakeDeclaration", MakeDeclaration);
  door.Bind(kDeclarations, "GetRegister", GetRegister);
  door.Bind(kDeclarations, "GetOverdueDeclarations", GetOverdueDeclarations);
}

}  // namespace hub::membership
