#include "common/config/flags.h"

#include "absl/flags/flag.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7400", "address and port that gRPC listens on");
ABSL_FLAG(std::string, state, "", "folder that holds everything which no other flag places");
ABSL_FLAG(std::string, database, "",
          "'sqlite:<folder>' or 'postgres:<connection string>'; STATE/data where empty");
ABSL_FLAG(std::string, keys_database, "",
          "the key store, apart from the data: 'sqlite:<file>' or 'postgres:<connection string>'; "
          "STATE/keys/keys.db where empty");
ABSL_FLAG(
    std::string, erasures, "",
    "file that lists whose keys were destroyed, replayed at each start; it must outlive the key "
    "store and its backups; STATE/erasures where empty");
ABSL_FLAG(std::string, receivers, "",
          "file of the receivers of events; STATE/receivers.json where empty, if it is there");
ABSL_FLAG(std::string, issuers, "",
          "file of the token issuers; STATE/issuers/issuers.json where empty");
ABSL_FLAG(std::string, inside_key, "",
          "private key (PEM, P-256) that signs the services' own tokens, named as its file is; "
          "STATE/inside.pem where empty");
ABSL_FLAG(
    std::string, services, "",
    "key set (JWKS) of the services that may call this one, each key's kid the service's name, "
    "as 'scheduling' or 'scheduling.2', or 'hub' for a process of all; who is taken off it is "
    "refused at once; where empty, whoever has the inside key may");
ABSL_FLAG(std::string, tls_certificate, "",
          "certificate chain (PEM) of this process; where empty, connections are plain; like all "
          "files of keys it is read again when it changes");
ABSL_FLAG(std::string, tls_key, "", "private key (PEM) of --tls_certificate");
ABSL_FLAG(std::string, tls_authority, "",
          "certificates (PEM) of the authority that signs the services' own; with them a service "
          "shows its certificate, with its name, to those it calls and to those it answers");
ABSL_FLAG(
    double, calls_per_second, 500,
    "of one caller from outside, who after a rest may have as many as of two seconds at once; "
    "0: as many as come");
ABSL_FLAG(int, calls_at_once, 200, "of one caller from outside; 0: as many as come");
ABSL_FLAG(int, request_bytes, 1 << 20, "the longest request, at most 4194304");
ABSL_FLAG(
    int, call_seconds, 30,
    "the longest that a call may take, also where its caller names no deadline or a later one");
ABSL_FLAG(
    std::string, master_key, "",
    "file of the master key, 64 hexadecimal digits, older ones behind it (hubctl keys rotate); "
    "where empty the variable HUB_MASTER_KEY, or else STATE/master.key");
ABSL_FLAG(std::vector<std::string>, peers, {},
          "where the other services are: membership=dns:///membership:7400,...; one of several "
          "processes once for each, by IPv4 addresses; services of this process need none");
ABSL_FLAG(int, replica, 0, "0 to 7: each process on the same database has its own");
ABSL_FLAG(int, workers, 8, "threads of each service that wait: for other services, for tokens");
ABSL_FLAG(bool, production, false,
          "refuse whatever is for development: its token issuers, a demonstration's state");
ABSL_FLAG(bool, demo, false,
          "mark a new state for ever as a demonstration's, whose date a command sets");
ABSL_FLAG(std::vector<std::string>, failpoints, {},
          "for tests: where the process kills itself, as before-commit@37; see "
          "common/fault/failpoint.cc");
