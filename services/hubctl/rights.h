// 'rights': what a person is handed who asks for the own data, and what says that they are erased.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/hub/v1/people.pb.h"
#include "coproduction/membership/v1/rights.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// The same of all services, as JSON and as a page to be read: records by service with what is kept
// of them and why, what was done to them, who read them, what was shared.
std::string PersonalJson(const coproduction::hub::v1::PersonalData& data, const std::string& member,
                         const std::string& made_on);
std::string PersonalPage(const coproduction::hub::v1::PersonalData& data, const std::string& member,
                         const std::string& made_on);
// What was erased where and when, what is kept, until when and why, and who has not said so yet.
std::string ProofText(const coproduction::membership::v1::RightsRequest& request);

// Asks every process, since each answers for its own services, and writes data.json and data.html
// into the folder. As the membership admin, where nobody is said.
Status ExportPerson(const std::string& member, const std::string& folder, Options options);
Status ShowProof(const std::string& request, Options options);

}  // namespace hub::ctl
