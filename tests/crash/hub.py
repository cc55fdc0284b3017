"""A hub of its own for a test (nats-server and hubd on free ports, the state in one folder), and how tests tell."""
import contextlib
import glob
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HUB_BUILD", os.path.join(TOP, "build"))


SEED = {  # source: the joint evaluation of 14 June 2022
    "itemsPresented": 31,
    "prepSessions": 4,
    "engagements": 150,
    "itemsByWorkstream": {
        "WRITTEN_STATEMENT_OF_ACTION": 7,
        "CHANGE_PROGRAMME": 7,
        "BUSINESS_AS_USUAL": 13,
        "SENIOR_LEAD_VISIT": 4,
    },
    "repsPerUnit": {"min": 3, "max": 6},
    "poolSize": {"start": 4, "end": 9},
    "membership": {"start": 130, "end": 254},
}
EVALUATION = ("--as=chair", "evaluation", "show", "--forum=warwickshire", "--from=2021-12-03",
              "--to=2022-06-14", "--membership-from=2021-07-31", "--format=json")
results = []


def check(what, ok, detail=""):
    print(("ok   " if ok else "FAIL ") + what + (f": {detail}" if detail and not ok else ""), flush=True)
    results.append(bool(ok))


def check_seed(shown, about=""):
    """Holds what `hubctl evaluation show` printed against the seed document's figures."""
    figures = json.loads(shown) if shown else {}
    for key, wanted in SEED.items():
        check(about + key, figures.get(key) == wanted, f"is {figures.get(key)}, the seed has {wanted}")


def conclude():
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def free_port():
    """Below the ports that the system gives to connections: one of those could take it meanwhile."""
    while True:
        with socket.socket() as s:
            port = random.randrange(20000, 32768)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue  # taken


def wait_until(holds, what, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def runs(pid):
    """A process that has ended but that nobody has waited for does not run."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def commands_done(state):
    """By the rows: what the play has come to, however fast this machine is."""
    done = 0
    for path in glob.glob(os.path.join(state, "data/*.db")):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            done += db.execute("SELECT COUNT(*) FROM journal").fetchone()[0]
    return done


class Hub:
    def __init__(self, state):
        self.state = state
        self.port, self.nats_port = free_port(), free_port()

    def _hub(self, *words, ask=False):
        ports = [f"--state={self.state}", f"--port={self.port}", f"--nats-port={self.nats_port}"]
        done = subprocess.run([os.path.join(TOP, "deploy/local/hub"), *words, *ports],
                              env={**os.environ, "HUB_SKIP_BUILD": "1"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE if ask else subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0 and not ask:
            raise RuntimeError(f"hub {' '.join(words)}: {done.stderr}")
        return done

    def verify(self):
        """Holds rows and streams against each other, with hubd stopped meanwhile."""
        return self._hub("verify", ask=True)

    def up(self, *flags):
        """Returns when hubd serves. What runs already is left alone."""
        self._hub("up", *flags)

    def beside(self):
        """All that hubd needs."""
        self._hub("beside")

    def down(self):
        self._hub("down")

    def signal(self, how, name="hubd"):
        with open(os.path.join(self.state, f"run/{name}.pid")) as file:
            pid = int(file.read())
        os.kill(pid, how)
        return pid

    def kill(self, how, name="hubd"):
        """Ends hubd, or 'nats', by a signal and waits until it is gone; the other stays."""
        pid = self.signal(how, name)
        wait_until(lambda: not runs(pid), f"{name} {pid} ends")
        os.remove(os.path.join(self.state, f"run/{name}.pid"))

    def died(self):
        """The failpoint that hubd killed itself at; None while it runs."""
        with open(os.path.join(self.state, "run/hubd.pid")) as file:
            if runs(int(file.read())):
                return None
        os.remove(os.path.join(self.state, "run/hubd.pid"))
        with open(os.path.join(self.state, "log/hubd.log")) as log:
            words = [line.split()[1] for line in log if line.startswith("failpoint ")]
        return words[-1] if words else "by itself"

    def check_end(self, about=""):
        """What must hold when all is done: the seed's figures, and, hubd stopped, rows and streams."""
        shown = self.ctl(*EVALUATION)
        print(shown.stderr, end="")
        check_seed(shown.stdout, about)
        self.kill(signal.SIGTERM)
        verified = self.ctl("verify")
        print(verified.stdout + verified.stderr, end="")
        check(about + "rows and streams agree", verified.returncode == 0, verified.stdout or "verify said nothing")

    def ctl_words(self, *words):
        return [os.path.join(BUILD, "services/hubctl/hubctl"), f"--server=127.0.0.1:{self.port}",
                f"--state={self.state}", *words]

    def ctl(self, *words):
        return subprocess.run(self.ctl_words(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
