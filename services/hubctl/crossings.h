// 'crossings': the register of what a partner was told or shown, for whoever has to answer for it.
#pragma once

#include <string>

#include "common/base/status.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

struct CrossingsOf {
  std::string partner;   // 'wcc'
  std::string from, to;  // days, or empty
  std::string person;    // or empty
  bool count = false;    // only how many of each kind
};

// Asks every process, since each answers for its own services. As the chair, where nobody is said.
Status ShowCrossings(const CrossingsOf& what, Options options);

}  // namespace hub::ctl
