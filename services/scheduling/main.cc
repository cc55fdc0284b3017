#include "common/daemon/daemon.h"
#include "services/scheduling/module.h"

int main(int argc, char** argv) {
  return hub::RunDaemon(argc, argv, "The scheduling service of a coproduction hub.",
                        {hub::scheduling::MakeSchedulingModule()});
}
