// The figures on what members say of themselves, by the calendar, and what is kept for them: who
// was counted in which row of a question, and how many of those who are gone were, but nothing of
// what anybody said.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "services/membership/publications_rules.h"

namespace hub::membership {

// A day of the calendar has come for one question ('forums/warwickshire/questions/DISABILITY').
Status PublishFigure(Write& write, const std::string& resource);

// A person's answers become others: who was counted with the old one goes, and comes anew with the
// next figure.
Status ChangeAnswers(Write& write, const std::string& member,
                     const v1::MemberCharacteristics& before,
                     const v1::MemberCharacteristics& after);
// A member leaves, is erased, or may have the own data stored alone.
Status LeaveFigures(Write& write, const std::string& member);

}  // namespace hub::membership
