"""As much of the NATS protocol as tests need, without any of the hub's code: JetStream's answers, the messages of
a stream, a tenant who fetches with its own credential as the contract says; and a way to the server that fails."""
import base64
import contextlib
import json
import re
import socket
import threading
import time
from datetime import datetime

PIPELINE = 200  # requests under way at a time


class Nats:
    def __init__(self, url, user, password, inbox="_INBOX.test"):
        host, port = url.removeprefix("nats://").split(":")
        self.inbox = inbox
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()  # INFO
        self.send("CONNECT " + json.dumps({"verbose": False, "headers": True, "no_responders": True,
                                           "user": user, "pass": password}))
        self.send(f"SUB {inbox} 1")

    @staticmethod
    def of(receiver):
        """As the hub itself connects to that receiver's stream."""
        return Nats(receiver["url"], receiver["user"], receiver["password"])

    def close(self):
        self.lines.close()
        self.socket.close()

    def send(self, line, data=None):
        self.socket.sendall(line.encode() + b"\r\n" + (data + b"\r\n" if data is not None else b""))

    def receive(self):
        """The next message: the subject to answer it at, its headers as they are, its data."""
        while True:
            line = self.lines.readline()
            words = line.split()
            if not words:
                raise ConnectionError("the server closed the connection")
            if words[0] == b"PING":
                self.send("PONG")
            elif words[0] == b"-ERR":
                raise RuntimeError(line)
            elif words[0] in (b"MSG", b"HMSG"):
                text = self.lines.read(int(words[-1]) + 2)[:-2]
                head = int(words[-2]) if words[0] == b"HMSG" else 0
                reply = words[3].decode() if len(words) == (6 if head else 5) else ""
                return reply, text[:head], text[head:]

    def ask(self, what, **request):
        """What JetStream answers, as in ask('STREAM.INFO.wcc')."""
        self.request(what, request)
        return json.loads(self.receive()[2])

    def request(self, what, request):
        data = json.dumps(request).encode() if request else b""
        self.send(f"PUB $JS.API.{what} {self.inbox} {len(data)}", data)

    def state(self, stream):
        return self.ask(f"STREAM.INFO.{stream}")["state"]

    def durables(self, stream):
        return {one["name"]: one for one in self.ask(f"CONSUMER.LIST.{stream}")["consumers"]}

    def message(self, stream, seq):
        stored = self.ask(f"STREAM.MSG.GET.{stream}", seq=seq)["message"]
        return stored["subject"], base64.b64decode(stored["hdrs"]), base64.b64decode(stored["data"])

    def messages(self, stream, first=1):
        """(sequence, seconds since 1970, headers) of all from there on."""
        last = self.state(stream)["last_seq"]
        found = []
        for begin in range(first, last + 1, PIPELINE):
            numbers = range(begin, min(begin + PIPELINE, last + 1))
            for seq in numbers:
                self.request(f"STREAM.MSG.GET.{stream}", {"seq": seq})
            for _ in numbers:
                stored = json.loads(self.receive()[2])["message"]
                whole, fraction = re.match(r"([^.Z]*)(\.\d+)?Z", stored["time"]).groups()
                at = datetime.fromisoformat(whole + "+00:00").timestamp() + float(fraction or 0)
                found.append((stored["seq"], at, headers_of(base64.b64decode(stored["hdrs"]))))
        return sorted(found, key=lambda message: message[0])

    def publish(self, subject, headers, data):
        self.send(f"HPUB {subject} {self.inbox} {len(headers)} {len(headers) + len(data)}", headers + data)
        return json.loads(self.receive()[2])


def headers_of(raw):
    return {name.strip(): value.strip() for name, _, value in
            (line.partition(":") for line in raw.decode().split("\r\n")[1:]) if value}


class Tenant(threading.Thread):
    """Keeps a copy of what it is told: an event is applied if its version is higher, then acknowledged."""

    def __init__(self, credential):
        super().__init__(daemon=True)
        with open(credential) as file:
            self.credential = json.load(file)
        self.copy = {}  # version by subject
        self.numbers = {}  # the last of each subject
        self.applied = self.again = 0
        self.gaps = []
        self.stopping = threading.Event()
        self.start()

    def run(self):
        while not self.stopping.is_set():
            try:
                self.fetch_on()
            except OSError:
                time.sleep(0.1)  # until the server is back

    def fetch_on(self):
        own, where = self.credential, "{stream}.{durable}".format(**self.credential)
        connection = Nats(own["servers"][0], own["user"], own["password"], own["inboxPrefix"] + ".fetch")
        request = json.dumps({"batch": 100, "expires": 1_000_000_000}).encode()
        try:
            while not self.stopping.is_set():
                connection.send(f"PUB $JS.{own['domain']}.API.CONSUMER.MSG.NEXT.{where} {connection.inbox} "
                                f"{len(request)}", request)
                for _ in range(100):
                    reply, headers, _ = connection.receive()
                    if b" 503" in headers:
                        raise ConnectionError("no JetStream answers")
                    if not reply:
                        break  # the request has ended: nothing more came in its time
                    self.apply(headers_of(headers))
                    connection.send(f"PUB {reply} 4", b"+ACK")
        finally:
            connection.close()

    def apply(self, event):
        subject, version, number = event["ce-subject"], int(event["ce-version"]), int(event["ce-sequence"])
        last = self.numbers.get(subject, 0)
        if number > last + 1:
            self.gaps.append(f"{subject} from {last} to {number}")
        self.numbers[subject] = max(last, number)
        if version > self.copy.get(subject, 0):
            self.copy[subject] = version
            self.applied += 1
        else:
            self.again += 1

    def stop(self):
        self.stopping.set()
        self.join()


class Way:
    """To the server, through which its answers can get lost."""

    def __init__(self, port):
        self.to, self.deaf, self.open = port, False, set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.to))
            self.open.add((near, far))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=ends, daemon=True).start()

    def carry(self, source, target):
        answers = (target, source) in self.open
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not (answers and self.deaf):
                    target.sendall(data)
        self.end(source, target)

    def end(self, *sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def begin_anew(self):
        """New connections work; those from which something was lost end."""
        self.deaf = False
        for pair in list(self.open):
            self.end(*pair)
        self.open = set()
