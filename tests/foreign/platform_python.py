"""A forum's membership platform that keeps all members in step by the contract, as platform_node.js does, which says
how; its store is SQLite.

usage: platform_python.py [--planted | --show]
"""
import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import time
from urllib.parse import unquote

FOLDER = os.environ["OUTSIDE"]
sys.path.append(os.environ["HUB_PROTO"])
import grpc  # noqa: E402
import nats  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402

messages, services = grpc.protos_and_services("coproduction/membership/v1/members.proto")
FORUM = "forums/warwickshire"
PLANTED = "--planted" in sys.argv
MEMBER = re.compile(r"forums/[^/]+/members/[^/]+")
SHOWN = ("name", "etag", "state", "joined_on", "left_on", "restriction")
SCHEMA = """
CREATE TABLE IF NOT EXISTS epoch(epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries(name TEXT PRIMARY KEY, version INTEGER, record TEXT, leads_to TEXT);
CREATE INDEX IF NOT EXISTS leading ON entries(leads_to);
"""


class Death:
    """By its own hand, at the point that PLATFORM_DIE_AFTER names."""

    def __init__(self):
        after, _, self.where = os.environ.get("PLATFORM_DIE_AFTER", "").partition(":")
        self.after, self.taken = int(after or 0), 0

    def point(self, where):
        if where == self.where and self.taken >= self.after:
            os.kill(os.getpid(), signal.SIGKILL)


class Hub:
    """Who a member is now."""

    def __init__(self):
        with open(os.path.join(FOLDER, "tokens/membership_platform")) as file:
            self.metadata = [("authorization", "Bearer " + file.read().strip())]
        self.members = services.MembersStub(grpc.insecure_channel(os.environ["HUB_SERVER"]))

    def ask(self, method, request):
        while True:
            try:
                return getattr(self.members, method)(request, metadata=self.metadata, timeout=10)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    return None
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise
                time.sleep(0.1)  # the hub is away

    @staticmethod
    def row(member):
        record = MessageToDict(member, preserving_proto_field_name=True)
        if "restriction" in record:
            record = {field: value for field, value in record.items() if field in SHOWN}
        return int(member.etag.strip('"')), json.dumps(record), None

    def entry(self, name):
        """(version, record, leads to); None where nothing is to be kept of it."""
        member = self.ask("GetMember", messages.GetMemberRequest(name=name))
        if member is not None and member.name != name:
            return None, None, member.name
        return None if member is None or member.state == messages.Member.ERASED else self.row(member)

    def all(self):
        found, merged, token = {}, [], ""
        while True:
            page = self.ask("ListMembers", messages.ListMembersRequest(parent=FORUM, page_size=100, page_token=token))
            for member in page.members:
                if member.merged_into:
                    merged.append(member.name)
                elif member.state != messages.Member.ERASED:
                    found[member.name] = self.row(member)
            token = page.next_page_token
            if not token:
                break
        for name in merged:
            found[name] = self.entry(name)
        return found


class Copy:
    def __init__(self):
        self.db = sqlite3.connect(os.path.join(FOLDER, "store/platform.db"), isolation_level=None)
        self.db.executescript(SCHEMA)

    def epoch(self):
        return (self.db.execute("SELECT epoch FROM epoch").fetchone() or [0])[0]

    def version(self, name):
        """Of the record; -1 where there is none."""
        found = self.db.execute("SELECT version FROM entries WHERE name = ? AND record IS NOT NULL", [name]).fetchone()
        return found[0] if found else -1

    def leads_to(self, name):
        found = self.db.execute("SELECT leads_to FROM entries WHERE name = ?", [name]).fetchone()
        return found[0] if found else None

    def leading_to(self, name):
        return [one for one, in self.db.execute("SELECT name FROM entries WHERE leads_to = ?", [name])]

    def keep(self, changes, epoch=None):
        """All or nothing; with an epoch, in the place of all that there was."""
        self.db.execute("BEGIN IMMEDIATE")
        if epoch is not None:
            self.db.execute("DELETE FROM entries")
            self.db.execute("DELETE FROM epoch")
            self.db.execute("INSERT INTO epoch VALUES (?)", [epoch])
        for name, entry in changes.items():
            self.db.execute("DELETE FROM entries WHERE name = ?", [name])
            if entry is not None:
                self.db.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", [name, *entry])
        self.db.execute("COMMIT")

    def show(self):
        rows = self.db.execute("SELECT name, record, leads_to FROM entries")
        return {"epoch": self.epoch(), "entries": {
            name: json.loads(record) if record else {"leads_to": leads_to} for name, record, leads_to in rows}}


def changes_of(copy, hub, name):
    """A member who changed, and all names that led there, or where this one led: an undone merge turns those, too."""
    changes = {name: hub.entry(name)}
    changes.update((one, hub.entry(one)) for one in copy.leading_to(name))
    changes.update((one, hub.entry(one)) for one in copy.leading_to(copy.leads_to(name)) if one != name)
    now = changes[name]
    if now is not None and now[0] is not None and now[0] < copy.version(name):
        return {}
    return changes


def outcome(copy, hub, event, body):
    """What an event makes of the copy: the arguments of keep()."""
    epoch, known = int(event["ce-epoch"]), copy.epoch()
    if epoch != known:
        return (hub.all(), epoch) if epoch > known else ({},)
    kind, subject = event["ce-type"].rpartition(".")[2], event["ce-subject"]
    if kind == "MemberErased":
        return ({body["member"]: None} if copy.version(body["member"]) >= 0 else {},)
    if kind == "MemberMerged":
        return ({**changes_of(copy, hub, body["member"]), **changes_of(copy, hub, body["kept"])},)
    if MEMBER.fullmatch(subject) and copy.version(subject) < int(event["ce-version"]):
        return (changes_of(copy, hub, subject),)
    return ({},)


async def follow(copy):
    with open(os.path.join(FOLDER, "credentials/wpcv.json")) as file:
        own = json.load(file)
    connection = await nats.connect(own["servers"], user=own["user"], password=own["password"],
                                    inbox_prefix=own["inboxPrefix"])
    durable = await connection.jetstream(domain=own["domain"]).pull_subscribe_bind(own["durable"], own["stream"])
    hub, death = Hub(), Death()
    while True:
        try:
            batch = await durable.fetch(1, timeout=1)  # of more it waits for all
        except asyncio.TimeoutError:  # nothing came
            continue
        for message in batch:
            death.taken += 1
            if PLANTED:
                await message.ack_sync()
            death.point("fetched")
            event = {name: unquote(value) for name, value in message.headers.items()}
            kept = outcome(copy, hub, event, json.loads(message.data))
            death.point("asked")
            copy.keep(*kept)
            death.point("kept")
            if not PLANTED:
                await message.ack_sync()


if __name__ == "__main__":
    store = Copy()
    if "--show" in sys.argv:
        print(json.dumps(store.show()))
    else:
        asyncio.run(follow(store))
