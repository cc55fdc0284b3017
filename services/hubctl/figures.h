// 'figures': what may be printed of what members say of themselves, for everybody who asks the
// same.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/publications.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// The figures of all dates as a page: for each question what is printed now, and for each answer a
// chart with its description, and the same numbers as a table.
std::string FiguresPage(const coproduction::membership::v1::ListPublicationsResponse& all,
                        const std::string& forum);

// In words, as JSON of all dates, or into `page` as HTML.
Status ShowFigures(const std::string& page, Options options);

}  // namespace hub::ctl
