#include "common/daemon/daemon.h"
#include "services/membership/module.h"

int main(int argc, char** argv) {
  return hub::RunDaemon(argc, argv, "The membership service of a coproduction hub.",
                        {hub::membership::MakeMembershipModule()});
}
