"""A hub of its own for a test (nats-server and hubd on free ports, the state in one folder), and how tests tell."""
import argparse
import contextlib
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
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


def arguments(usage, seeded=True):
    """What every script takes that makes a hub: --seed, where something is drawn, --state, --keep."""
    parser = argparse.ArgumentParser(usage=usage)
    if seeded:
        parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--state")
    parser.add_argument("--keep", action="store_true")
    return parser


@contextlib.contextmanager
def state_of(args, name):
    """The folder that --state names, or a new one; removed when all has passed, unless --keep."""
    state = args.state or tempfile.mkdtemp(prefix=f"hub-{name}-")
    os.makedirs(state, exist_ok=True)
    os.chmod(state, 0o711)  # PostgreSQL runs as a user of its own
    print((f"seed {args.seed}, " if "seed" in args else "") + f"state in {state}", flush=True)
    yield state
    if args.keep or False in results:
        print(f"the state is left in {state}")
    else:
        shutil.rmtree(state)


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


class Process:
    """A hubd, or a service's daemon, on a port of its own."""

    def __init__(self, state, service, replica=0):
        self.state, self.service, self.replica, self.port = state, service, replica, free_port()
        self.log = os.path.join(state, f"log/{service}{replica}.log")
        self.process, self.began = None, 0

    def address(self):
        at = f"127.0.0.1:{self.port}"
        return at if self.service == "hub" else f"{self.service}={at}"

    def spawn(self, *flags):
        with open(self.log, "a") as log:
            self.began = log.tell()
            self.process = subprocess.Popen(
                [os.path.join(BUILD, f"services/{self.service}/{self.service}d"), f"--state={self.state}",
                 f"--listen=127.0.0.1:{self.port}", f"--replica={self.replica}",
                 f"--receivers={self.state}/nats/receivers.json", *flags], stdout=log, stderr=log)

    def start(self, *flags):
        """Returns when it serves."""
        self.spawn(*flags)
        wait_until(lambda: self.serves() or not self.alive(), f"{self.service} serves; see {self.log}")
        if not self.alive():
            raise RuntimeError(f"{self.service} did not start; see {self.log}")

    def said(self):
        """Since it was started last."""
        with open(self.log) as log:
            log.seek(self.began)
            return log.read()

    def serves(self):
        return "serving" in self.said()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def died_at(self):
        """The failpoint that it killed itself at; 'by itself' where it ended otherwise."""
        words = [line.split()[1] for line in self.said().splitlines() if line.startswith("failpoint ")]
        return words[-1] if words else "by itself"

    def end(self, how):
        if self.alive():
            self.process.send_signal(how)
        return self.process.wait() if self.process is not None else None


class Fleet:
    """The hub as its processes, begun and ended one by one: a hubd with SQLite, or two processes of each
    service with PostgreSQL; nats-server and PostgreSQL beside them."""

    def __init__(self, state, postgres=False):
        self.state, self.postgres = state, postgres
        services = ["membership", "scheduling", "engagement", "remuneration"] if postgres else ["hub"]
        self.beside_flags = [f"--state={state}", f"--nats-port={free_port()}", *["--postgres"] * postgres]
        self.beside()
        self.processes = [Process(state, service, replica) for replica in range(1 + postgres) for service in services]

    def _hub(self, word, **how):
        return subprocess.run([os.path.join(TOP, "deploy/local/hub"), word, *self.beside_flags],
                              env={**os.environ, "HUB_SKIP_BUILD": "1"}, stdin=subprocess.DEVNULL, **how)

    def beside(self):
        """What does not run of nats-server and PostgreSQL is started."""
        done = self._hub("beside", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"hub beside: {done.stderr}")

    def flags(self, process):
        if not self.postgres:
            return []
        database = f"postgres:host='{self.state}/postgres' user=hub dbname=postgres"
        peers = ",".join(one.address() for one in self.processes if one.service != process.service)
        return [f"--database={database}", f"--keys_database={database}", f"--peers={peers}"]

    def start(self, process, *flags):
        process.start(*self.flags(process), *flags)

    def start_all(self):
        """The first marks a new state as a demonstration's, for all."""
        for one in self.processes:
            if not one.alive():
                self.start(one, "--demo")

    def servers(self):
        return "--server=" + ",".join(one.address() for one in self.processes)

    def ctl_words(self, *words, server=None):
        return [os.path.join(BUILD, "services/hubctl/hubctl"), f"--state={self.state}", server or self.servers(), *words]

    def ctl(self, *words, server=None):
        return subprocess.run(self.ctl_words(*words, server=server),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def conditions(self):
        """What every process says of its services; empty while one does not answer."""
        said = []
        for one in self.processes:
            status = self.ctl("--as=operator", "--format=json", "hub", "get-status",
                              server=f"--server=127.0.0.1:{one.port}")
            if status.returncode != 0:
                return []
            said.append(json.loads(status.stdout))
        return said

    def settle(self, limit=300):
        """Waits until nothing is to be sent, taken or done."""
        def settled():
            said = self.conditions()
            return said and all(one.get("settled") for one in said)
        wait_until(settled, "all events are sent and taken, and all timers done", limit)

    def count(self, service, sql):
        """The number that a query of one service's rows gives."""
        if self.postgres:
            done = subprocess.run(["psql", "-h", os.path.join(self.state, "postgres"), "-U", "hub", "-AtX",
                                   "-c", f"SET search_path TO {service}", "-c", sql, "postgres"],
                                  check=True, stdout=subprocess.PIPE, text=True)
            return int(done.stdout.split()[-1])
        path = os.path.join(self.state, f"data/{service}.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchone()[0]

    def kill_beside(self, name):
        """SIGKILL for 'nats' or 'postgres' and its children; then it is started again."""
        path = os.path.join(self.state, f"run/{name}.pid")
        with open(path) as file:
            pid = int(file.read())
        family = [pid]
        if name == "postgres":
            family += [int(child) for child in
                       subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()]
        for one in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        # PostgreSQL takes one that nobody has waited for to be alive.
        wait_until(lambda: not any(os.path.exists(f"/proc/{one}") for one in family), f"{name} {pid} is gone")
        os.remove(path)
        self.beside()

    def end(self):
        """SIGTERM for every process; their exit codes."""
        for one in self.processes:
            if one.alive():
                one.process.send_signal(signal.SIGTERM)
        return [one.process.wait() for one in self.processes if one.process is not None]

    def verify(self):
        """Ends all, and holds rows and streams against each other: the last line of hubctl verify."""
        check("every process ends in order", set(self.end()) <= {0})
        done = self._hub("verify", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(done.stdout, end="" if done.stdout.endswith("\n") else "\n")
        check("rows and streams agree", done.returncode == 0 and
              "verify: 0 missing, 0 duplicate, 0 reordered" in done.stdout, done.stdout or "verify said nothing")
        return done.stdout.splitlines()[-1] if done.stdout else ""

    def down(self):
        for one in self.processes:
            if one.alive():
                one.end(signal.SIGKILL)
        self._hub("down", check=False, stderr=subprocess.DEVNULL)


class Load:
    """The load of tests/crash/load.h against a fleet, in the background."""

    def __init__(self, fleet, seed, *flags):
        self.errors = os.path.join(fleet.state, f"log/load-{seed}.log")
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "tests/crash/crash_load"), fleet.servers(), f"--state={fleet.state}",
                 f"--seed={seed}", *flags], stdout=subprocess.PIPE, stderr=errors, text=True)

    def runs(self):
        return self.process.poll() is None

    def progress(self):
        """What it said last: how many 'commands', 'stories', 'calls', 'retried' and 'failed' so far."""
        with open(self.errors) as errors:
            lines = [line for line in errors.read().splitlines() if line.startswith("commands ")]
        return {name: int(n) for name, n in re.findall(r"(\w+) (\d+)", lines[-1])} if lines else {}

    def report(self):
        """Waits for its end; its figures."""
        said = self.process.communicate()[0].strip().splitlines()
        with open(self.errors) as errors:
            words = [line for line in errors.read().splitlines() if not line.startswith("commands ")]
        if said and said[-1].startswith("{"):
            return json.loads(said[-1])
        return {"failed": -1, "commands": 0, "stories": 0, "said": words}


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

    def beside(self, *flags):
        """All that hubd needs."""
        self._hub("beside", *flags)

    def backup(self, folder):
        self._hub("backup", folder)

    def restore(self, *words):
        """Brings a backup back and returns when hubd serves."""
        self._hub("restore", *words)

    def ctl_rows(self, *words):
        """hubctl for what has no server: it is told where the rows are."""
        return self._hub("ctl", *words, ask=True)

    def down(self):
        self._hub("down")

    def died(self):
        """Whether hubd, which was started, has ended without being asked."""
        path = os.path.join(self.state, "run/hubd.pid")
        with open(path) as file:
            if runs(int(file.read())):
                return False
        os.remove(path)
        return True

    def status(self):
        """What hubd says of itself; nothing while it does not answer."""
        said = self.ctl("--as=operator", "--format=json", "hub", "get-status")
        return json.loads(said.stdout) if said.returncode == 0 else {}

    def settle(self, limit=120):
        """Waits until nothing is to be sent, taken or done."""
        wait_until(lambda: self.status().get("settled"), "all events are sent and taken, and all timers done", limit)

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

    def check_end(self, about=""):
        """What must hold when all is done: the seed's figures, and, hubd stopped, rows and streams."""
        shown = self.ctl(*EVALUATION)
        print(shown.stderr, end="")
        check_seed(shown.stdout, about)
        self.kill(signal.SIGTERM)
        verified = self.ctl_rows("verify")
        print(verified.stdout + verified.stderr, end="")
        check(about + "rows and streams agree", verified.returncode == 0, verified.stdout or "verify said nothing")

    def ctl_words(self, *words):
        return [os.path.join(BUILD, "services/hubctl/hubctl"), f"--server=127.0.0.1:{self.port}",
                f"--state={self.state}", *words]

    def ctl(self, *words):
        return subprocess.run(self.ctl_words(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
