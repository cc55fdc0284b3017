// Says every mistake in the schema and fails, so that a wrong one does not build.
#include <cstdio>

#include "common/schema/schema.h"

int main() {
  const auto mistakes = hub::schema::Mistakes();
  for (const auto& mistake : mistakes) std::fprintf(stderr, "schema: %s\n", mistake.c_str());
  if (mistakes.empty()) return 0;
  std::fprintf(stderr, "schema: %zu to mend in proto/; see proto/coproduction/options/v1\n",
               mistakes.size());
  return 1;
}
