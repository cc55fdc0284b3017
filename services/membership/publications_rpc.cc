// Figures on what members say of themselves: what is asked for, and what is taken over from before.
#include "common/auth/principal.h"
#include "common/rpc/door.h"
#include "services/membership/publications.h"

namespace hub::membership {
namespace {

constexpr char kPublications[] = "coproduction.membership.v1.Publications";

const Printer& PrinterOf(const Read& read) {
  return read.forum() == auth::kNational ? kNationalPrinter : kForumPrinter;
}

StatusOr<v1::Publication> GetPublication(Read& read, const v1::GetPublicationRequest& in) {
  RETURN_IF_ERROR(CheckPublicationId(PrinterOf(read), IdOf(in.name())));
  return read.Get<v1::Publication>(in.name());
}

StatusOr<v1::ListPublicationsResponse> ListPublications(Read& read,
                                                        const v1::ListPublicationsRequest& in) {
  RETURN_IF_ERROR(CheckFilter(PrinterOf(read), in.filter()));
  ASSIGN_OR_RETURN(auto page, read.List<v1::ListPublicationsResponse>(in));
  page.set_latest_date(LastOnCalendar(read.today()));
  return page;
}

StatusOr<v1::Publication> ImportPublication(Write& write, const v1::ImportPublicationRequest& in) {
  RETURN_IF_ERROR(LockFigures(write).status());
  ASSIGN_OR_RETURN(Register published, RegisterOf(write));
  const auto question = in.publication().question();
  const auto& before = published[question];
  ASSIGN_OR_RETURN(const Row row,
                   ImportedRow(in.publication(), RowsOf(kForumPrinter, before), write.today()));
  return Append(write, kForumPrinter, question, before, row);
}

}  // namespace

void BindPublications(Door& door) {
  door.Bind(kPublications, "GetPublication", GetPublication);
  door.Bind(kPublications, "ListPublications", ListPublications);
  door.Bind(kPublications, "ImportPublication", ImportPublication);
}

}  // namespace hub::membership
