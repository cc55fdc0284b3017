#include "common/daemon/daemon.h"
#include "services/engagement/module.h"

int main(int argc, char** argv) {
  return hub::RunDaemon(argc, argv, "The engagement service of a coproduction hub.",
                        {hub::engagement::MakeEngagementModule()});
}
