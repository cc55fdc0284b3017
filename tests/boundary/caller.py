"""The outside client of the boundary tests (caller.js), an issuer's keys for it, and a table of cells."""
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../crash"))
from hub import TOP, results  # noqa: E402


def cell(case, expected, got):
    """One line of the table."""
    results.append(expected == got)
    print(f"{'ok  ' if expected == got else 'FAIL'} {case:<74} {expected:<40} {got}", flush=True)


def word(outcome):
    said = [outcome["code"], outcome.get("reason", "")]
    return said[0] if said[1] in ("", said[0]) else " ".join(said)


def write(path, content):
    """Whole, as an operator's tool does."""
    with open(path + ".next", "w") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))
    os.replace(path + ".next", path)


def claims_of(issuer, subject, **more):
    """Those of a good token of now."""
    now = int(time.time())
    return {"iss": issuer, "sub": subject, "aud": "coproduction-hub", "iat": now, "exp": now + 300, **more}


class Caller:
    """The outside client: what it is asked is answered in any order."""

    def __init__(self):
        foreign = os.path.join(TOP, "tests/foreign")
        if not os.path.isdir(os.path.join(foreign, "node_modules")):
            subprocess.run(["npm", "--prefix", foreign, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                           check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen(["node", os.path.join(TOP, "tests/boundary/caller.js")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ids, self.answers = itertools.count(), {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            self.answers[answer["id"]].put(answer)

    def begin(self, **asked):
        """A function that waits for the answer."""
        one = next(self.ids)
        waiting = self.answers[one] = queue.Queue()
        print(json.dumps({"id": one, **asked}), file=self.process.stdin, flush=True)

        def end(seconds=60):
            answer = waiting.get(timeout=seconds)
            del self.answers[one]
            if "failed" in answer:
                raise RuntimeError(answer["failed"])
            return answer["done"]
        return end

    def key(self, name, kind, kid, pem=None):
        return self.begin(do="key", name=name, kind=kind, kid=kid, pem=pem)()

    def end(self):
        self.process.stdin.close()
        self.process.wait()
