// The load as a program: prepares a hub whose state is a demonstration's, runs, and prints one line
// of JSON. Exit code 0: no call failed.
#include <cstdio>

#include "CLI/CLI.hpp"
#include "tests/crash/load.h"

int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape): it may end of its faults
  hub::crash::LoadOptions options;
  CLI::App app("Loads a hub with commands of all four services, open loop.");
  app.add_option("--server", options.hub.server, "HOST:PORT, or service=HOST:PORT,...");
  app.add_option("--state", options.hub.state, "the hub's folder, for its tokens")->required();
  app.add_option("--seed", options.seed, "tells this run from others on the state")->required();
  app.add_option("--rate", options.rate, "commands a second that are asked for");
  app.add_option("--commands", options.commands, "no story begins after these");
  app.add_option("--seconds", options.seconds, "or: no story begins after this time");
  app.add_option("--workers", options.workers, "calls under way at most");
  app.add_flag("--plain", options.plain, "without watching the health of the processes");
  app.add_option("--patience", options.patience, "seconds for which a call is sent again");
  CLI11_PARSE(app, argc, argv);
  hub::Status status = hub::crash::Prepare(options);
  if (!status.ok()) {
    std::fprintf(stderr, "the hub cannot be prepared: %s\n", hub::MessageOf(status).c_str());
    return 2;
  }
  const auto report = hub::crash::Load(options);
  if (!report.ok()) {
    std::fprintf(stderr, "the load cannot begin: %s\n", hub::MessageOf(report.status()).c_str());
    return 2;
  }
  std::string codes;
  for (const auto& [code, n] : report->attempts_by_code) {
    codes += (codes.empty() ? "\"" : ", \"") + code + "\": " + std::to_string(n);
  }
  if (!report->first_failure.empty()) std::fprintf(stderr, "%s\n", report->first_failure.c_str());
  std::printf(
      "{\"rate\": %.1f, \"seconds\": %.1f, \"stories\": %lld, \"calls\": %lld, \"commands\": %lld, "
      "\"failed\": %lld, \"retried\": %lld, \"unanswered\": {%s}, \"longest\": %.3f}\n",
      options.rate, report->seconds, static_cast<long long>(report->stories),
      static_cast<long long>(report->calls), static_cast<long long>(report->commands),
      static_cast<long long>(report->failed), static_cast<long long>(report->retried),
      codes.c_str(), report->longest);
  return report->failed == 0 ? 0 : 1;
}
