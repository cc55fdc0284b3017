#!/usr/bin/env python3
"""Who may include whom (ARCHITECTURE.md). Prints every breach and fails if there is one.

  include_rules.py [ROOT]

What a file may include of ours follows from where it stands (`allowed`); of libraries, from who
keeps their door (`DOORS`).
"""
import re
import sys
from pathlib import Path

SERVICES = ["membership", "scheduling", "engagement", "remuneration"]
# The contract that common may know: no service's.
CONTRACT = r"coproduction/(options|type|errors|hub)/"
# Headers of our own, as against those of libraries and the system.
OURS = r"(common|services|tests|coproduction)/"
# library -> its headers, and who may include them.
DOORS = {
    # hubctl verify reads rows and streams by clients of its own, so that it believes nobody.
    "NATS": (r"nats(/nats)?\.h$", r"common/events/|services/hubctl/verify\.cc$"),
    "a database": (r"(sqlite3|libpq-fe)\.h$", r"common/db/|services/hubctl/verify\.cc$"),
    "letters of all languages": (r"unicode/", r"common/base/letters\.cc$|services/hubctl/sheets"),
    "libcurl": (r"curl/", r"common/auth/fetch\.cc$"),
    # Below privacy only random numbers and digests.
    "OpenSSL": (r"openssl/", r"common/(auth|privacy)/|common/base/(id|digest)\.cc$|tests/fuzz/"),
}
LINE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
IMPORT = re.compile(r'^\s*import\s+(?:public\s+)?"([^"]+)"')


def rooms(root):
    """The rooms of common, from the ground up, as its CMakeLists.txt names them."""
    text = (root / "common/CMakeLists.txt").read_text()
    return re.search(r"foreach\(room ([a-z ]+)\)", text).group(1).split()


def allowed(path, order):
    """What a C++ file may include of ours, as a regular expression, and why."""
    parts = path.split("/")
    test = path.endswith(("_test.cc", "_test.h"))
    if parts[0] == "common":
        below = order[: order.index(parts[1]) + 1] + (["testing"] if test else [])
        return (rf"common/({'|'.join(below)})/|{CONTRACT}",
                "a room uses only those before it, and no service's protos")
    if parts[:2] == ["services", "hub"]:
        return (rf"common/|{CONTRACT}|services/({'|'.join(SERVICES)})/module\.h$",
                "the hub knows a service by its module.h alone")
    if parts[0] == "services":
        own = rf"services/{parts[1]}/"
        if re.search(r"_rules\.(h|cc)$", path):
            return (rf"common/base/|coproduction/|{own}[a-z_]+_rules\.h$",
                    "a rule knows messages and civil dates: no SQL, gRPC or clock")
        return rf"common/|coproduction/|{own}", "a service never includes another's C++"
    if parts[0] == "tests":
        return (rf"common/|coproduction/|tests/{parts[1]}/|"
                rf"services/(({'|'.join(SERVICES)})/module|hubctl/[a-z_]+)\.h$",
                "a test meets a service by its module.h")
    return r"$^", "no C++ here"


# Rules know no library either, but for texts and telephone numbers.
RULES_LIBRARIES = r"[a-z_]+$|absl/strings/|phonenumbers/|google/protobuf/timestamp\.pb\.h$"


def breaches(root):
    order = rooms(root)
    files = [p for top in ("common", "services", "tests") for p in (root / top).rglob("*")
             if p.suffix in (".h", ".cc") and "node_modules" not in p.parts]
    for file in sorted(files):
        path = file.relative_to(root).as_posix()
        may, why = allowed(path, order)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            found = LINE.match(line)
            if not found:
                continue
            header = found.group(1)
            where = f"{path}:{number}"
            if re.match(OURS, header):
                if not re.match(may, header):
                    yield f"{where}: may not include {header}: {why}"
                continue
            for library, (headers, who) in DOORS.items():
                if re.match(headers, header) and not re.match(who, path):
                    yield f"{where}: may not include {header}: {library} has one door"
            if re.search(r"_rules\.(h|cc)$", path) and not re.match(RULES_LIBRARIES, header):
                yield f"{where}: may not include {header}: {why}"
    for file in sorted((root / "proto").rglob("*.proto")):
        path = file.relative_to(root).as_posix()
        package = path.split("/")[2]
        for number, line in enumerate(file.read_text().splitlines(), 1):
            found = IMPORT.match(line)
            if not found:
                continue
            imported = found.group(1)
            if not re.match(r"coproduction/|google/protobuf/", imported):
                yield f"{path}:{number}: may not import {imported}: protos know only protos"
            elif package not in SERVICES and re.match(
                    rf"coproduction/({'|'.join(SERVICES)})/", imported):
                yield f"{path}:{number}: may not import {imported}: no service's, here"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(breaches(root))
    for breach in found:
        print(breach)
    print(f"include rules: {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
