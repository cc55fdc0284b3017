#include "common/daemon/daemon.h"
#include "services/remuneration/module.h"

int main(int argc, char** argv) {
  return hub::RunDaemon(argc, argv, "The remuneration service of a coproduction hub.",
                        {hub::remuneration::MakeRemunerationModule()});
}
