#include "services/membership/papers.h"

namespace hub::membership {

StatusOr<Papers> PapersOf(Read& read, const std::string& rep) {
  Papers papers;
  ASSIGN_OR_RETURN(papers.documents, read.Select<v1::Document>("1 = 1 ORDER BY number"));
  ASSIGN_OR_RETURN(papers.acceptances, read.Select<v1::Acceptance>("rep_id = $2", {IdOf(rep)}));
  ASSIGN_OR_RETURN(papers.declarations, read.Select<v1::Declaration>(
                                            "rep_id = $2 ORDER BY declared_on, id", {IdOf(rep)}));
  ASSIGN_OR_RETURN(const auto member,
                   read.Find<v1::Member>("forums/" + read.forum() + "/members/" + IdOf(rep)));
  if (member) papers.member = *member;
  ASSIGN_OR_RETURN(papers.settings, read.Settings<v1::MembershipSettings>());
  return papers;
}

StatusOr<std::string> Missing(Read& read, const v1::Rep& rep) {
  ASSIGN_OR_RETURN(auto papers, PapersOf(read, rep.name()));
  return MissingForStanding(rep, papers, read.today());
}

Status RegainStanding(Write& write, const std::string& rep_name) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(rep_name));
  if (rep.standing_lapsed_on().empty()) return Status();
  ASSIGN_OR_RETURN(const std::string missing, Missing(write, rep));
  if (!missing.empty()) return Status();
  rep.clear_standing_lapsed_on();
  return write.Put(std::move(rep)).status();
}

}  // namespace hub::membership
