#!/usr/bin/env python3
"""
A plan is what a run then does, to the number; and making it writes nothing: neither at the servers, as their logs
show, nor in a Maildir, nor in the state. MAILHAUL_TEST_SEED repeats the mailboxes of a failing run.
"""
import hashlib
import os
import random

from harness import SHORT, Bench, Imap, Maildir, case, run_cases
from pair import FULL, mail
from servers.mailstore import Message
from servers.mini import MiniServer

WRITES = ("CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "APPEND", "STORE", "UID STORE", "COPY", "UID COPY",
          "MOVE", "UID MOVE", "EXPUNGE", "UID EXPUNGE", "SETACL", "SELECT", "CLOSE")
NUMBERS = ("source", "copied", "already-there", "already_there", "there", "duplicate", "filtered", "too-big", "too_big",
           "refused", "unfetchable", "failed", "linked", "octets", "flags_changed", "deleted_at_source",
           "deleted_at_destination", "created",
           "subscribed")
# What a server offers decides how its folders are looked at.
OFFERS = (FULL, FULL + " STATUS=SIZE LIST-EXTENDED LIST-STATUS", "IMAP4rev1 LITERAL+ UIDPLUS",
          "IMAP4rev1 UIDPLUS STATUS=SIZE")
FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "$Forwarded", "Work")
SEED = int(os.environ.get("MAILHAUL_TEST_SEED") or random.randrange(1 << 32))


def numbers(result):
    """What a plan, or a report, says of each folder and in all."""
    assert any(event["event"] == "end" for event in result.events), result.told()
    return {(event["event"], event.get("folder1"), event.get("folder2")):
            {name: value for name, value in event.items() if name in NUMBERS or name.startswith("n_")}
            for event in result.events if event["event"] in ("folder", "end")}


def tree(path):
    """All that lies below a path: names, octets, modes, times."""
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            info = os.lstat(full)
            octets = b"" if name in folders else open(full, "rb").read()
            found[full] = (info.st_mode, info.st_size if name in files else 0, info.st_mtime_ns,
                           hashlib.sha256(octets).hexdigest())
    return found


def wrote(server):
    """Commands that change something, as the server heard them."""
    return [heard for heard in server.log if heard.name.upper() in WRITES]


def foretold(bench, servers, *options, code=0):
    """Plans, sees that nothing was written, runs, and compares. Returns the run."""
    for server in servers:
        server.log.clear()
    before = tree(bench.state)
    plan = bench.run(*options, word="plan")
    assert plan.code == code, plan.told()
    plan.expect_balance()
    for server in servers:
        assert not wrote(server), (wrote(server), plan.told())
    assert tree(bench.state) == before, "the plan has changed the state"
    run = bench.run(*options)
    assert run.code == code, run.told()
    wanted, got = numbers(run), numbers(plan)
    for name in sorted(set(wanted) | set(got), key=str):
        assert wanted.get(name) == got.get(name), \
            f"{name}\nplan {got.get(name)}\nrun  {wanted.get(name)}\n{plan.told()}\n{run.told()}"
    return run


class Mailboxes:
    """Two accounts that change at random."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.old, self.new = (MiniServer(self.random.choice(OFFERS)) for _ in range(2))
        self.names = self.random.sample(["INBOX", "Sent", "Work/a", "Work/b", "Archive/2019", "Entw\u00fcrfe".encode(
            "utf-7").decode().replace("+", "&"), "x y"], self.random.randint(1, 5))
        self.number = 0

    def message(self):
        self.number += 1
        return Message(mail(self.number, "x" * self.random.choice((0, 10, 3000))), self.flags())

    def flags(self):
        return self.random.sample(FLAGS, self.random.randint(0, 2))

    def fill(self):
        """Mail at the source; some of it is at the destination already, and other mail, too."""
        for name in self.names:
            folder = self.old.account("u1").make(name)
            there = self.new.account("u1").make(name) if self.random.random() < 0.4 else None
            if self.random.random() < 0.5:
                self.old.account("u1").subscribed.add(name)
            for _ in range(self.random.randint(0, 12)):
                message = self.message()
                folder.add(message)
                if self.random.random() < 0.1:
                    folder.add(message.twin())
                if there is not None and self.random.random() < 0.6:
                    there.add(Message(message.octets, self.flags()))
            for _ in range(self.random.randint(0, 2) if there is not None else 0):
                there.add(self.message())

    def change(self):
        for server in (self.old, self.new):
            account = server.account("u1")
            for folder in list(account.folders.values()):
                for entry in list(folder.entries):
                    if self.random.random() < 0.2:
                        entry.message.flags = set(self.flags())
                        folder.changed(entry)
                    elif self.random.random() < 0.1:
                        folder.drop([entry])
                if server is self.old and self.random.random() < 0.5:
                    folder.add(self.message())
        self.old.account("u1").make("Newest").add(self.message())

    def options(self):
        """Of a run."""
        choice = [[], ["--flags", self.random.choice(("source", "add", "none"))], ["--stateless"],
                  ["--match", "message-id"], ["--folder", "INBOX", "--folder2", "Elsewhere"], ["--lanes", "1"]]
        return self.random.choice(choice)

    def stop(self):
        self.old.stop()
        self.new.stop()


@case
def twenty_mailboxes_become_what_their_plans_say():
    for number in range(5 if SHORT else 20):
        boxes = Mailboxes(SEED + number)
        try:
            boxes.fill()
            with Bench(Imap(boxes.old, "u1"), Imap(boxes.new, "u1")) as bench:
                options = boxes.options()
                foretold(bench, (boxes.old, boxes.new), *options)
                boxes.change()
                foretold(bench, (boxes.old, boxes.new), *options)
                foretold(bench, (boxes.old, boxes.new))
        except BaseException:
            print(f"# MAILHAUL_TEST_SEED={SEED + number}", flush=True)
            raise
        finally:
            boxes.stop()


@case
def a_maildir_is_left_as_it_is():
    """And one that is not there is not made."""
    boxes = Mailboxes(SEED)
    boxes.fill()
    try:
        with Bench(Imap(boxes.old, "u1"), None) as bench:
            bench.destination = Maildir(bench.folder + "/copy")
            assert bench.run(word="plan").code == 0
            assert not os.path.exists(bench.destination.path)
            foretold(bench, (boxes.old,))
            boxes.change()
            before = tree(bench.destination.path)
            assert bench.run(word="plan").code == 0
            assert tree(bench.destination.path) == before, "the plan has changed the Maildir"
            foretold(bench, (boxes.old,))
    finally:
        boxes.stop()


if __name__ == "__main__":
    run_cases()
