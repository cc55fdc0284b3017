// Who is in a sheet that is taken out for a purpose.
#include "services/hubctl/export.h"

#include <gtest/gtest.h>
// After gtest: it adds to it.
#include <rapidcheck/gtest.h>

#include <set>
#include <vector>

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using Purpose = v1::Consent::Purpose;

const std::vector<Purpose>& Purposes() {
  static const std::vector<Purpose> purposes = {v1::Consent::NEWS, v1::Consent::INVITATIONS,
                                                v1::Consent::SURVEYS};
  return purposes;
}

// Whatever was said in whatever order: only an active member whose last word for the purpose is
// yes, who did not object to it since, and whose data may be used, is contacted.
RC_GTEST_PROP(Export, NobodyIsContactedWithoutConsent, ()) {
  v1::Member member;
  std::set<Purpose> agreed;
  const auto words = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::inRange(0, 3)));
  for (const auto& [which, word] : words) {
    const Purpose purpose = Purposes()[static_cast<size_t>(which)];
    v1::Consent* consent = nullptr;
    for (auto& known : *member.mutable_consents()) {
      if (known.purpose() == purpose) consent = &known;
    }
    if (consent == nullptr) consent = member.add_consents();
    consent->set_purpose(purpose);
    consent->set_given(word == 0);
    auto& objections = *member.mutable_objections();
    for (int i = objections.size() - 1; i >= 0; --i) {
      if (objections[i].purpose() == purpose) objections.DeleteSubrange(i, 1);
    }
    if (word == 2) member.add_objections()->set_purpose(purpose);
    if (word == 0) {
      agreed.insert(purpose);
    } else {
      agreed.erase(purpose);
    }
  }
  member.set_state(*rc::gen::element(v1::Member::APPLIED, v1::Member::ACTIVE, v1::Member::LEFT,
                                     v1::Member::ERASED, v1::Member::MERGED));
  const bool restricted = *rc::gen::inRange(0, 4) == 0;
  if (restricted) member.mutable_restriction()->set_since_on("2022-01-01");
  const bool usable = member.state() == v1::Member::ACTIVE && !restricted;
  for (const Purpose purpose : Purposes()) {
    RC_ASSERT(MayBeContacted(member, purpose) == (usable && agreed.count(purpose) > 0));
  }
}

TEST(Export, AnObjectionStandsAgainstAConsentThatWasForgotten) {
  v1::Member member;
  member.set_state(v1::Member::ACTIVE);
  auto* consent = member.add_consents();
  consent->set_purpose(v1::Consent::NEWS);
  consent->set_given(true);
  EXPECT_TRUE(MayBeContacted(member, v1::Consent::NEWS));
  EXPECT_FALSE(MayBeContacted(member, v1::Consent::SURVEYS));
  member.add_objections()->set_purpose(v1::Consent::NEWS);
  EXPECT_FALSE(MayBeContacted(member, v1::Consent::NEWS));
}

}  // namespace
}  // namespace hub::ctl
