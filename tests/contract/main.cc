// contract_print WHAT: prints a table of the contract, as golden/WHAT.txt keeps it.
#include <cstdio>

#include "tests/contract/tables.h"

int main(int argc, char** argv) {
  const auto& tables = hub::contract::Tables();
  const auto found = argc == 2 ? tables.find(argv[1]) : tables.end();
  if (found == tables.end()) {
    std::fprintf(stderr, "usage: contract_print ");
    for (const auto& [name, table] : tables) std::fprintf(stderr, "%s ", name.c_str());
    std::fprintf(stderr, "(one of these)\n");
    return 2;
  }
  std::fputs(found->second().c_str(), stdout);
}
