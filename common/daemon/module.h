// A service as data: what the daemon needs to serve it, alone or together with others.
#pragma once

#include <string>
#include <vector>

#include "common/db/db.h"
#include "common/events/consumers.h"
#include "common/rpc/door.h"

namespace hub {

struct Module {
  std::string name;  // 'membership'; also its database, its durable and its proto package
  std::vector<db::Migration> migrations;
  std::vector<void (*)(Door&)> binders;
  void (*consumers)(Consumers&) = nullptr;
  bool makes_streams = false;  // of all receivers; one service does, the others wait for it
};

}  // namespace hub
