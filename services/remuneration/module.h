// Remuneration: what parent carers are owed for their involvement, from which money, and what was
// paid. It asks nobody; scheduling reserves with it, engagement tells it of attendances.
#pragma once

#include "common/daemon/module.h"

namespace hub::remuneration {

Module MakeRemunerationModule();

}  // namespace hub::remuneration
