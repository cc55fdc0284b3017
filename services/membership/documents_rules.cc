#include "services/membership/documents_rules.h"

#include <algorithm>
#include <map>

#include "common/base/date.h"

namespace hub::membership {

void SetDays(v1::Document* document, const v1::MembershipSettings& settings) {
  document->set_required_from(AddDays(document->published_on(), settings.acceptance_days() + 1));
  document->set_remind_on(
      std::max(document->published_on(),
               AddDays(document->required_from(), -1 - settings.acceptance_notice_days())));
}

bool Accepted(const std::vector<v1::Acceptance>& acceptances, const v1::Document& document) {
  return std::any_of(acceptances.begin(), acceptances.end(),
                     [&](const auto& one) { return one.document() == document.name(); });
}

std::vector<v1::Document> NotAccepted(const std::vector<v1::Document>& documents,
                                      const std::vector<v1::Acceptance>& acceptances) {
  std::map<v1::Document::Kind, const v1::Document*> current;
  for (const auto& document : documents) {
    const auto*& known = current[document.kind()];
    if (known == nullptr || document.number() > known->number()) known = &document;
  }
  std::vector<v1::Document> missing;
  for (const auto& [kind, document] : current) {
    if (!Accepted(acceptances, *document)) missing.push_back(*document);
  }
  return missing;
}

}  // namespace hub::membership
