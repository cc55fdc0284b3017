#include "common/daemon/daemon.h"
#include "services/engagement/module.h"
#include "services/membership/module.h"
#include "services/remuneration/module.h"
#include "services/scheduling/module.h"

int main(int argc, char** argv) {
  return hub::RunDaemon(
      argc, argv, "A coproduction hub: all four services in one process.",
      {hub::membership::MakeMembershipModule(), hub::scheduling::MakeSchedulingModule(),
       hub::engagement::MakeEngagementModule(), hub::remuneration::MakeRemunerationModule()});
}
