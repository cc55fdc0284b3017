// 'figures': what may be printed of what members say of themselves, for everybody who asks the
// same.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/publications.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// The figures of all dates as a page: for each question the last one in words, a chart with its
// description, and the same numbers as a table.
std::string FiguresPage(const std::vector<coproduction::membership::v1::Publication>& publications,
                        const std::string& forum, const std::string& today);

// As a table of the last figure of each question, as JSON of all, or into `page` as HTML.
Status ShowFigures(const std::string& page, Options options);

}  // namespace hub::ctl
