# A scratch copy of the tree with a build of its own, for patches that must not touch yours. Sourced
# by guards/run and touch/run, which share it: what one compiled, the other need not.
#   HUB_SCRATCH   where (a folder in the temporary folder where nothing is said)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=${HUB_SCRATCH:-${TMPDIR:-/tmp}/hub-scratch-$(id -u)}
build=$scratch/build

# The tree as it stands, whatever a broken-off run left. Only files that differ are written, with a
# new time, so that the build never takes what was compiled from a patched one.
scratch_fill() {
  mkdir -p "$scratch"
  exec 9> "$scratch.lock"
  flock -n 9 || { echo "another run uses $scratch; wait for it, or set HUB_SCRATCH" >&2; exit 1; }
  python3 - "$root" "$scratch" << 'PYTHON'
import os, pathlib, subprocess, sys
root, scratch = map(pathlib.Path, sys.argv[1:])
listed = subprocess.run(["git", "-C", root, "ls-files", "-coz", "--exclude-standard"],
                        check=True, capture_output=True, text=True).stdout
files = {name for name in listed.split("\0") if name and (root / name).is_file()}
for name in files:
    old, new = scratch / name, (root / name).read_bytes()
    if not old.is_file() or old.read_bytes() != new:
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(new)
    os.chmod(scratch / name, (root / name).stat().st_mode)
for old in scratch.rglob("*"):
    name = old.relative_to(scratch).as_posix()
    if old.is_file() and not name.startswith("build/") and "node_modules/" not in name and name not in files:
        old.unlink()
PYTHON
  cmake -S "$scratch" -B "$build" -G Ninja > "$scratch.log" 2>&1 || { cat "$scratch.log"; exit 1; }
}

# A field of a patch's head: 'target: membership_test'.
head_of() { sed -n "s/^$2: *//p;/^--- /q" "$1"; }

# No fuzz: a patch that fits only nearly would break something else.
scratch_apply() { patch -d "$scratch" -p1 -F0 --no-backup-if-mismatch -s "$@"; }

scratch_build() { ninja -C "$build" "$@" > "$scratch.log" 2>&1; }

# Runs one test of a program by its name in full; what it said is in the log.
scratch_test() {
  local program
  program=$(find "$build" -type f -name "$1" -perm -u+x)
  # In a shell of its own, which says there that a program ended by a signal.
  (timeout 300 "$program" --gtest_filter="$2"; exit $?) > "$scratch.log" 2>&1
}
