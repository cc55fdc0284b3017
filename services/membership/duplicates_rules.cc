#include "services/membership/duplicates_rules.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/letters.h"
#include "phonenumbers/phonenumberutil.h"

namespace hub::membership {
namespace {

using v1::Likeness;
using v1::Member;

constexpr char kCountry[] = "GB";
constexpr size_t kNearLetters = 2;
constexpr size_t kShortName = 6;  // two letters of fewer make another name

// What a merge takes over where the kept one has said nothing.
constexpr const char* kFilled[] = {"email",    "phone",  "postcode_district", "residence",
                                   "reach_by", "format", "reach_when"};

bool IsNear(const Member& one, const Member& other) {
  if (Folded(one.given_name()) == Folded(other.given_name())) return true;
  return std::min(one.name_key().size(), other.name_key().size()) >= kShortName &&
         Distance(one.name_key(), other.name_key(), kNearLetters) <= kNearLetters;
}

bool Same(const std::string& one, const std::string& other) {
  return !one.empty() && absl::EqualsIgnoreCase(one, other);
}

bool Has(const std::vector<Likeness::Reason>& reasons, Likeness::Reason reason) {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

template <class Value>
Value* OfPurpose(google::protobuf::RepeatedPtrField<Value>* values, v1::Consent::Purpose purpose) {
  const auto known = std::find_if(values->begin(), values->end(),
                                  [&](const Value& one) { return one.purpose() == purpose; });
  return known == values->end() ? nullptr : &*known;
}

bool Later(const v1::Consent& one, const v1::Consent& other) {
  return std::make_pair(one.time().seconds(), one.time().nanos()) >
         std::make_pair(other.time().seconds(), other.time().nanos());
}

bool Equal(const google::protobuf::Message& one, const google::protobuf::Message& other) {
  return one.SerializeAsString() == other.SerializeAsString();
}

const google::protobuf::FieldDescriptor* FieldOf(const std::string& name) {
  return Member::descriptor()->FindFieldByName(name);
}

std::string ValueOf(const Member& member, const google::protobuf::FieldDescriptor* field) {
  if (field->enum_type() != nullptr) {
    return std::to_string(member.GetReflection()->GetEnumValue(member, field));
  }
  return member.GetReflection()->GetString(member, field);
}

}  // namespace

std::string NameKey(const Member& member) {
  return Folded(absl::StrCat(member.given_name(), member.family_name()));
}

std::string PhoneKey(const std::string& phone) {
  using i18n::phonenumbers::PhoneNumberUtil;
  const PhoneNumberUtil& numbers = *PhoneNumberUtil::GetInstance();
  i18n::phonenumbers::PhoneNumber number;
  if (phone.empty() ||
      numbers.Parse(phone, kCountry, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
      !numbers.IsPossibleNumber(number)) {
    return "";
  }
  std::string key;
  numbers.Format(number, PhoneNumberUtil::E164, &key);
  return key;
}

void SetKeys(Member* member) {
  member->set_name_key(NameKey(*member));
  member->set_phone_key(PhoneKey(member->phone()));
}

std::vector<Likeness::Reason> LikenessOf(const Member& one, const Member& other) {
  std::vector<Likeness::Reason> reasons;
  if (Same(one.name_key(), other.name_key())) {
    reasons.push_back(Likeness::SAME_NAME);
  } else if (IsNear(one, other)) {
    reasons.push_back(Likeness::NEAR_NAME);
  }
  if (Same(one.email(), other.email())) reasons.push_back(Likeness::SAME_EMAIL);
  if (Same(one.phone_key(), other.phone_key())) reasons.push_back(Likeness::SAME_PHONE);
  if (Same(one.postcode_district(), other.postcode_district())) {
    reasons.push_back(Likeness::SAME_DISTRICT);
  }
  return reasons;
}

int Likelihood(const std::vector<Likeness::Reason>& reasons) {
  const int contacts = static_cast<int>(Has(reasons, Likeness::SAME_EMAIL)) +
                       static_cast<int>(Has(reasons, Likeness::SAME_PHONE));
  const int here = Has(reasons, Likeness::SAME_DISTRICT) ? 1 : 0;
  if (Has(reasons, Likeness::SAME_NAME)) return 3 + 2 * contacts + here;
  return Has(reasons, Likeness::NEAR_NAME) && contacts > 0 ? contacts + here : 0;
}

Status CheckMerge(const Member& kept, const Member& member, const MergeFacts& facts) {
  if (kept.name() == member.name()) {
    return InvalidField("member", "member is the one who is kept, '" + kept.name() +
                                      "'; name the other entry of the same person");
  }
  if (kept.state() != Member::ACTIVE && kept.state() != Member::LEFT) {
    return RuleRefused("merge", "the one who is kept is " + Member::State_Name(kept.state()) +
                                    "; keep one who is a member or was one");
  }
  if (member.state() == Member::MERGED || member.state() == Member::ERASED) {
    return RuleRefused("merge", "the other one is " + Member::State_Name(member.state()) +
                                    ", so there is nothing to merge");
  }
  if (kept.has_restriction() || member.has_restriction()) {
    return RuleRefused("restriction",
                       "the data of one of the two may only be stored; lift that first");
  }
  if (facts.member_is_rep) {
    return RuleRefused("merge_rep",
                       "the other one is or was a rep, whose sessions and claims stand under its "
                       "name: keep that one");
  }
  if (facts.member_has_open_right) {
    return RuleRefused("merge_right",
                       "the other one asked for something over the own data; answer that first");
  }
  return Status();
}

v1::MergeRecord Merge(Member* kept, Member* member, const std::vector<Span>& spans) {
  v1::MergeRecord merge;
  merge.set_kept_state(kept->state());
  merge.set_kept_joined_on(kept->joined_on());
  merge.set_kept_left_on(kept->left_on());
  merge.set_member_state(member->state());
  *merge.mutable_kept_consents() = kept->consents();
  *merge.mutable_kept_objections() = kept->objections();
  const auto* reflection = kept->GetReflection();
  for (const char* name : kFilled) {
    const auto* field = FieldOf(name);
    if (reflection->HasField(*kept, field) || !reflection->HasField(*member, field)) continue;
    merge.add_filled(name);
    if (field->enum_type() != nullptr) {
      reflection->SetEnumValue(kept, field, reflection->GetEnumValue(*member, field));
    } else {
      reflection->SetString(kept, field, reflection->GetString(*member, field));
    }
  }
  for (const auto& objection : member->objections()) {
    if (OfPurpose(kept->mutable_objections(), objection.purpose()) == nullptr) {
      *kept->add_objections() = objection;
    }
  }
  for (const auto& consent : member->consents()) {
    auto* known = OfPurpose(kept->mutable_consents(), consent.purpose());
    if (known == nullptr) known = kept->add_consents();
    if (!Later(*known, consent)) *known = consent;
  }
  for (auto& consent : *kept->mutable_consents()) {
    if (OfPurpose(kept->mutable_objections(), consent.purpose()) != nullptr) {
      consent.set_given(false);
    }
  }
  if (!spans.empty()) {
    kept->set_joined_on(spans.back().from);
    kept->set_left_on(spans.back().until);
    kept->set_state(spans.back().until.empty() ? Member::ACTIVE : Member::LEFT);
  }
  SetKeys(kept);
  member->set_merged_into(kept->name());
  member->set_state(Member::MERGED);
  return merge;
}

Status CheckUndo(const v1::Duplicate& duplicate, const Member& kept, const Member& member,
                 int64_t steps, bool later_merge, const std::string& today) {
  if (member.state() != Member::MERGED) {
    return RuleRefused("merge_final", "the other one is " + Member::State_Name(member.state()) +
                                          " since, so there is nobody to bring back");
  }
  if (today >= duplicate.final_on()) {
    return RuleRefused("merge_final", "a merge can be undone until the day before " +
                                          duplicate.final_on() + "; today is " + today);
  }
  if (later_merge) {
    return RuleRefused("merge_order",
                       "another member was merged into the same one since; undo that first");
  }
  if (kept.state() == Member::MERGED || kept.state() == Member::ERASED) {
    return RuleRefused("merge_order", "the one who was kept is " +
                                          Member::State_Name(kept.state()) + " itself since");
  }
  if (steps != duplicate.merge().steps()) {
    return RuleRefused("merge_order",
                       "the one who was kept has left or come back since, and nobody knows which "
                       "of the two did; enter the other one anew");
  }
  return Status();
}

void Undo(const v1::MergeRecord& merge, Member* kept, Member* member) {
  kept->set_state(merge.kept_state());
  kept->set_joined_on(merge.kept_joined_on());
  kept->set_left_on(merge.kept_left_on());
  for (const auto& name : merge.filled()) {
    const auto* field = FieldOf(name);
    // What was changed since is the kept one's own.
    if (field == nullptr || ValueOf(*kept, field) != ValueOf(*member, field)) continue;
    kept->GetReflection()->ClearField(kept, field);
  }
  // What was said since is the kept one's own; what was taken over goes, what stood before comes
  // back.
  v1::MergeRecord before = merge;
  Member now = *kept;
  kept->clear_consents();
  for (const auto& consent : now.consents()) {
    const auto* own = OfPurpose(before.mutable_kept_consents(), consent.purpose());
    const auto* taken = OfPurpose(member->mutable_consents(), consent.purpose());
    const bool said_since = (own == nullptr || !Equal(own->time(), consent.time())) &&
                            (taken == nullptr || !Equal(taken->time(), consent.time()));
    if (said_since) {
      *kept->add_consents() = consent;
    } else if (own != nullptr) {
      *kept->add_consents() = *own;
    }
  }
  kept->clear_objections();
  for (const auto& objection : now.objections()) {
    const auto* taken = OfPurpose(member->mutable_objections(), objection.purpose());
    if (OfPurpose(before.mutable_kept_objections(), objection.purpose()) != nullptr ||
        taken == nullptr || !Equal(*taken, objection)) {
      *kept->add_objections() = objection;
    }
  }
  SetKeys(kept);
  member->set_state(merge.member_state());
  member->clear_merged_into();
}

}  // namespace hub::membership
