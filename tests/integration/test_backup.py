#!/usr/bin/env python3
"""
A backup that a Dovecot can serve at once: in a Maildir messages keep the UIDs of the source, so that a
client that knows the old server finds nothing new at the one that serves the backup.
"""
import contextlib
import glob
import imaplib
import os
import poplib
import random
import re
import socket
import subprocess
import threading
import time

import corpus
import reader
from harness import (HOST, LONG, NO_GRACE, PASSWORD, SHORT, SLOWNESS, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case, expect_same,
                     in_parallel, run_cases)

KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
NO_LEAKS = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
N_MAILS = 60 if SHORT else 150


class View:
    """What a client that synchronises by UID keeps: per folder UIDVALIDITY, and per UID flags and date."""

    def __init__(self, server, user="u1"):
        self.folders, self.next = {}, {}
        with reader.ImapAccount(HOST, server.port, user, PASSWORD) as account:
            self.subscribed = account.subscribed()
            imap = account._imap
            for name in account.mailboxes():
                path = account.canonical(name)
                status = self._ask(imap.status, reader._quoted(name), "(UIDVALIDITY UIDNEXT MESSAGES)")
                numbers = {key: int(value) for key, value in re.findall(r"(\w+) (\d+)", status.rsplit("(", 1)[1])}
                imap.select(reader._quoted(name), True)
                messages = {}
                if numbers["MESSAGES"]:
                    for line in self._lines(imap.uid("fetch", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")[1]):
                        uid = int(re.search(r"UID (\d+)", line).group(1))
                        flags = frozenset(re.search(r"FLAGS \(([^)]*)\)", line).group(1).lower().split()) - {"\\recent"}
                        date = reader.internal_date(re.search(r'INTERNALDATE "([^"]*)"', line).group(1))
                        messages[uid] = (flags, date, int(re.search(r"RFC822.SIZE (\d+)", line).group(1)))
                self.folders[path] = (numbers["UIDVALIDITY"], messages)
                self.next[path] = numbers["UIDNEXT"]

    @staticmethod
    def _ask(method, *arguments):
        status, data = method(*arguments)
        assert status == "OK", (arguments, data)
        return data[0].decode()

    @staticmethod
    def _lines(data):
        return [line.decode() for line in data if line]

    def news(self, other):
        """Lines: what a client that has this view would have to fetch from `other`, or forget."""
        lines = []
        for path in sorted(self.folders.keys() | other.folders.keys()):
            mine, theirs = self.folders.get(path), other.folders.get(path)
            if mine is None or theirs is None:
                lines.append(f"{path}: only at the {'other' if mine is None else 'old'} one")
            elif mine[0] != theirs[0]:
                lines.append(f"{path}: UIDVALIDITY {mine[0]} -> {theirs[0]}")
            else:
                lines += [f"{path}: UID {uid}: {mine[1].get(uid)} -> {theirs[1].get(uid)}"
                          for uid in sorted(mine[1].keys() | theirs[1].keys()) if mine[1].get(uid) != theirs[1].get(uid)]
        return lines


def expect_nothing_new(old, new):
    lines = old.news(new)
    assert not lines, "a client has something to do:\n  " + "\n  ".join(lines[:12])


class Home:
    """A server with odd UIDs, and a second one on whose disk the backup lies."""

    def __init__(self, fill_it=True, settings=""):
        """settings: of the second server."""
        self._fill, self._settings = fill_it, settings

    def __enter__(self):
        self.old = Dovecot().__enter__()
        self.new = Dovecot(settings=self._settings).__enter__()
        if self._fill:
            fill(self.old)
        self.root = self.new.maildir("u1")
        self.bench = Bench(Imap(self.old, "u1"), self.tree("u1"))
        return self

    def __exit__(self, *why):
        self.bench.__exit__(*why)
        self.new.__exit__(*why)
        self.old.__exit__(*why)

    def tree(self, user):
        """An empty folder that the second server takes for the mail of a user."""
        root = self.new.maildir(user)
        os.makedirs(root)
        for path in (self.new.home(user), root):
            os.chown(path, self.new.uid, self.new.gid)
        return Maildir(root)

    def run(self, *options, code=0):
        return self.bench.run(*NO_GRACE, *options).expect(code)

    def expect_clean_log(self):
        bad = [line for line in self.new.log().splitlines()
               if re.search(r"Error:|Panic:|Warning: .*(uidlist|UID|reappeared)", line)]
        assert not bad, "the second server complains:\n" + "\n".join(bad)


def wait_until(done, what, timeout=60):
    end = time.monotonic() + timeout * SLOWNESS
    while not done():
        assert time.monotonic() < end, f"in vain: until {what}"
        time.sleep(0.005)


def session(server, user="u1"):
    imap = imaplib.IMAP4(HOST, server.port)
    imap.login(user, PASSWORD)
    return imap


def remove(server, folder, numbers, user="u1"):
    with session(server, user) as imap:
        imap.select(folder)
        imap.store(numbers, "+FLAGS", "(\\Deleted)")
        imap.expunge()


def append(server, folder, n, seed=0, user="u1"):
    mails = [corpus.Mail(folder, b"Message-ID: <%d.%d@backup>\r\nSubject: %d\r\n\r\nbody %d\r\n" % (seed, i, i, seed),
                         ["\\Seen"] if i % 2 else [], ["work"] if i % 3 == 0 else [], 1_100_000_000 + i * 61, False)
             for i in range(n)]
    corpus.append(HOST, server.port, user, mails)


def fill(server):
    """Folders of all names, empty ones, gaps in the UIDs: at the beginning, in the middle, at the end."""
    corpus.append(HOST, server.port, "u1", corpus.made_up(N_MAILS, seed=5, largest=300_000))
    append(server, "Gaps", 30, seed=1)
    remove(server, "Gaps", "1:7,9,15:20,29:30")
    append(server, "Removed", 4, seed=2)
    remove(server, "Removed", "1:4")
    with session(server) as imap:
        for name in ("Empty", "Empty/Below", "Gaps", "Removed"):
            imap.create(name)
            imap.subscribe(name)


def fetched(imap):
    """UID -> octets, of the selected folder."""
    found = {}
    for part in imap.uid("fetch", "1:*", "(UID BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            found[int(re.search(rb"UID (\d+)", part[0]).group(1))] = part[1]
    return found


def titles(server, folder, user="u1"):
    """UID -> what tells one message from another."""
    with session(server, user) as imap:
        imap.select(folder, True)
        return fetched(imap)


@case
def a_dovecot_on_the_backup_shows_what_the_old_one_showed():
    with Home() as home:
        home.run()
        old, new = View(home.old), View(home.new)
        expect_nothing_new(old, new)
        assert old.next == new.next, f"{old.next}\n{new.next}"
        assert old.subscribed == new.subscribed, f"{old.subscribed} {new.subscribed}"
        expect_same(reader.read_imap(HOST, home.old.port, "u1"), reader.read_imap(HOST, home.new.port, "u1"))
        for folder in ("INBOX", "Gaps", '"&ZeVnLIqe-/&U9dP4Q-"'):
            assert titles(home.old, folder) == titles(home.new, folder), f"{folder}: other octets"
        folders = glob.glob(home.root + "/.[!.]*/cur")
        assert folders and all(os.path.exists(cur[:-3] + "maildirfolder") for cur in folders), "no maildirfolder"
        home.expect_clean_log()


@case
def so_does_one_that_keeps_folders_in_folders():
    with Home(settings="mail_location = maildir:~/Maildir:LAYOUT=fs\n") as home:
        home.run("--layout2", "fs")
        expect_nothing_new(View(home.old), View(home.new))
        home.run().expect_totals(copied=0)
        home.expect_clean_log()


@case
def a_server_that_runs_on_it_meanwhile_agrees_with_every_run():
    """It keeps the folder open, and each run finds it indexed."""
    with Home() as home:
        home.run()
        with session(home.new) as client:
            client.select("Gaps")
            for step in range(4):
                client.noop()
                append(home.old, "Gaps", 3, seed=10 + step)
                append(home.old, "INBOX", 2, seed=20 + step)
                with session(home.old) as imap:
                    imap.select("Gaps")
                    imap.store("1:3", "+FLAGS" if step % 2 else "-FLAGS", "(\\Flagged work other)")
                remove(home.old, "INBOX", "*")  # the last: the next UID is not that of the last message
                home.run()
                old, new = View(home.old), View(home.new)
                for path in ("INBOX", "Gaps"):
                    missing = old.folders[path][1].keys() - new.folders[path][1].keys()
                    assert not missing, f"step {step}: {path}: {missing} not there"
                    assert all(new.folders[path][1][uid] == told for uid, told in old.folders[path][1].items()), path
                assert old.next == new.next, f"step {step}: {old.next} {new.next}"
        home.run().expect_totals(copied=0)
        home.expect_clean_log()


@case
def what_that_server_delivers_itself_keeps_its_uid_and_takes_none_of_the_source():
    with Home() as home:
        home.run()
        View(home.new)  # so that it has indexed all of it
        for step in range(3):
            append(home.new, "Gaps", 2, seed=30 + step)  # takes the UIDs that the source gives next
            before = titles(home.new, "Gaps")
            append(home.old, "Gaps", 3, seed=40 + step)
            home.run().expect_totals(copied=3)
            after, source = titles(home.new, "Gaps"), titles(home.old, "Gaps")
            assert all(after.get(uid) == text for uid, text in before.items()), "a UID came to mean another message"
            assert sorted(after.values()) == sorted(list(source.values()) + [
                text for uid, text in before.items() if b"body 3" in text]), "something is doubled or missing"
        home.run().expect_totals(copied=0)
        home.expect_clean_log()


@case
def a_number_that_the_source_gave_and_took_back_between_two_runs_is_not_given_again():
    with Home(fill_it=False) as home:
        append(home.old, "Box", 5, seed=1)
        home.run()
        append(home.old, "Box", 3, seed=2)
        remove(home.old, "Box", "6:8")
        home.run().expect_totals(copied=0)
        with open(home.root + "/.Box/dovecot-uidlist", encoding="ascii") as listed:
            assert " N9 " in listed.readline(), "the next UID stays behind"
        append(home.new, "Box", 1, seed=3)
        assert sorted(titles(home.new, "Box")) == [1, 2, 3, 4, 5, 9]
        home.expect_clean_log()


@case
def deliveries_of_both_at_once_get_numbers_of_their_own():
    """The other server delivers into the very folder that is written to, and a client watches which UID means what."""
    with Home(fill_it=False) as home:
        append(home.old, "Box", 1, seed=1)
        home.run()
        append(home.old, "Box", 60 if SHORT else 150, seed=2)
        seen, changed, done, n_delivered = {}, [], threading.Event(), [0]

        def watch():
            with session(home.new) as client:
                client.select("Box", True)
                while not done.wait(0.01):
                    client.noop()
                    for uid, text in fetched(client).items():
                        if seen.setdefault(uid, text) != text:
                            changed.append(uid)

        def deliver():
            while not done.wait(0.002):
                append(home.new, "Box", 3, seed=1000 + n_delivered[0])
                n_delivered[0] += 3

        threads = [threading.Thread(target=each) for each in (watch, deliver)]
        for thread in threads:
            thread.start()
        try:
            home.run("--fsync2", "always")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        there, source = titles(home.new, "Box"), titles(home.old, "Box")
        assert not changed and all(there.get(uid) == text for uid, text in seen.items()), f"{changed}: other messages"
        assert len(there) == len(set(there.values())) == len(source) + n_delivered[0], "lost or doubled"
        assert set(source.values()) <= set(there.values()) and n_delivered[0] > 0, "not all came"
        home.run().expect_totals(copied=0)
        home.expect_clean_log()
        print(f"# the server delivered {n_delivered[0]} meanwhile")


@case
def it_waits_for_whoever_has_the_lock_of_the_list():
    with Home(fill_it=False) as home:
        append(home.old, "Box", 20, seed=1)
        home.run()
        append(home.old, "Box", 5, seed=2)
        box = home.root + "/.Box"
        with open(box + "/dovecot-uidlist.lock", "w", encoding="ascii") as lock:
            lock.write(f"{os.getpid()}:{socket.gethostname()}")
        with open(box + "/dovecot-uidlist", encoding="ascii") as listed:
            before = listed.read()
        results = []
        thread = threading.Thread(target=lambda: results.append(home.bench.run(*NO_GRACE)))
        thread.start()
        try:
            wait_until(lambda: results or len(os.listdir(box + "/tmp")) == 5, "messages are written")
            time.sleep(0.3)  # nothing happens, which no event tells
            assert len(os.listdir(box + "/cur")) == 20, "delivered in spite of the lock"
            with open(box + "/dovecot-uidlist", encoding="ascii") as listed:
                assert listed.read() == before, "written in spite of the lock"
        finally:
            os.unlink(box + "/dovecot-uidlist.lock")
            thread.join()
        results[0].expect(0).expect_totals(copied=5)
        assert View(home.old).folders["Box"] == View(home.new).folders["Box"]


@case
def an_empty_folder_that_was_served_gets_the_numbers_of_its_source_with_its_first_message():
    """INBOX is always there, and a Dovecot gives it a UIDVALIDITY when it looks."""
    with Home(fill_it=False) as home:
        with session(home.old) as imap:
            imap.create("Box")
        home.run()
        View(home.new)
        append(home.old, "INBOX", 3, seed=1)
        append(home.old, "Box", 3, seed=2)
        remove(home.old, "INBOX", "1")
        home.run()
        expect_nothing_new(View(home.old), View(home.new))


@case
def a_restore_to_an_empty_server_is_identical_in_the_order_of_the_source():
    with Home() as home, Dovecot() as third:
        home.run()
        View(home.new)
        home.new.wait_until_idle("u1")
        with Bench(Maildir(home.new.maildir("u1")), Imap(third, "u1")) as back:
            back.run().expect(0)
        expect_same(reader.read_imap(HOST, home.old.port, "u1"), reader.read_imap(HOST, third.port, "u1"))
        for folder in ("INBOX", "Gaps", "Archive"):
            old, new = titles(home.old, folder), titles(third, folder)
            assert [old[uid] for uid in sorted(old)] == [new[uid] for uid in sorted(new)], f"{folder}: another order"


@case
def a_maildir_is_read_in_the_order_of_its_uids():
    """What came late may stand early: the list says so, not the names. What is not listed comes last."""
    wanted = ["four", "one", "three", "five", "two", "six"]
    with Scratch() as root, Dovecot() as server:
        for part in ("cur", "new", "tmp"):
            os.mkdir(f"{root}/{part}")
        for second, word in enumerate(("one", "two", "three", "four", "five", "six")):
            with open(f"{root}/cur/{1_700_000_000 + second}.M1P1.h:2,S", "w", encoding="ascii") as file:
                file.write(f"Subject: {word}\n\n{word}\n")
        with open(f"{root}/dovecot-uidlist", "w", encoding="ascii") as out:
            out.write("3 V7 N9 G" + "01" * 16 + "\n2 :1700000003.M1P1.h\n5 :1700000000.M1P1.h\n6 :gone\n"
                      "7 W3 :1700000002.M1P1.h\n8 :1700000004.M1P1.h\n")
        with Bench(Maildir(root), Imap(server, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=6)
            bench.run().expect(0).expect_totals(copied=0)
        texts = titles(server, "INBOX")
        got = [re.search(rb"Subject: (\w+)", texts[uid]).group(1).decode() for uid in sorted(texts)]
        assert got == wanted, got


class Pop3:
    """A side of a run: a mailbox by POP3."""

    def __init__(self, server, user):
        self.server, self.user = server, user

    def options(self, side, folder):
        secret = os.path.join(folder, f"password{side}")
        with open(secret, "w", encoding="ascii") as out:
            out.write(PASSWORD + "\n")
        os.chmod(secret, 0o600)
        return [f"--backend{side}", "pop3", f"--host{side}", HOST, f"--port{side}", str(self.server.pop_port),
                f"--user{side}", self.user, f"--passfile{side}", secret, f"--nossl{side}", f"--notls{side}"]


def uidls(server, user="u1"):
    """What a POP3 program remembers of its mail: UIDL -> size."""
    client = poplib.POP3(HOST, server.pop_port, timeout=60)
    client.user(user)
    client.pass_(PASSWORD)
    listed = client.uidl()[1]
    sizes = [int(line.split()[1]) for line in client.list()[1]]
    client.quit()
    return {line.split(None, 1)[1].decode(): size for line, size in zip(listed, sizes)}


@case
def a_pop3_server_on_the_copy_shows_the_uidls_of_the_old_one():
    """Whatever pop3_uidl_format says, which here makes UIDLs unlike those of the old server."""
    other = "pop3_uidl_format = new-%v.%u\n"
    with Dovecot(pop3=True, settings="pop3_uidl_format = %08Xu.%v!~\n") as old, Dovecot(pop3=True, settings=other) as new:
        append(old, "INBOX", 40, seed=1)
        remove(old, "INBOX", "1:3,9")
        root = new.maildir("u1")
        os.makedirs(root)
        for path in (new.home("u1"), root):
            os.chown(path, new.uid, new.gid)
        with Bench(Pop3(old, "u1"), Maildir(root)) as bench:
            bench.run().expect(0).expect_totals(copied=36)
            assert uidls(new) == uidls(old), f"{uidls(new)}\n{uidls(old)}"
            append(old, "INBOX", 3, seed=2)
            append(new, "INBOX", 1, seed=3)  # meanwhile that server delivers, too
            bench.run().expect(0).expect_totals(copied=3)
            there = uidls(new)
            assert len(there) == 40 and set(uidls(old).items()) <= set(there.items()), f"{there}\n{uidls(old)}"
            assert sum(uidl.startswith("new-") for uidl in there) == 1
            bench.run().expect(0).expect_totals(copied=0)


@case
def a_source_folder_that_was_replaced_gives_no_uid_a_second_meaning():
    with Home(fill_it=False) as home:
        append(home.old, "Box", 6, seed=1)
        home.run()
        before = View(home.new).folders["Box"]
        texts = titles(home.new, "Box")
        with session(home.old) as imap:
            imap.delete("Box")
        append(home.old, "Box", 9, seed=2)
        home.run()
        after = View(home.new).folders["Box"]
        assert after[0] == before[0], "another UIDVALIDITY"
        now = titles(home.new, "Box")
        assert len(now) == 15 and all(now[uid] == text for uid, text in texts.items()), f"{sorted(now)}"
        home.expect_clean_log()


@case
def a_tree_that_has_its_own_uids_keeps_them():
    with Home(fill_it=False) as home:
        append(home.new, "Box", 4, seed=1)
        append(home.old, "Box", 5, seed=2)
        before, texts = View(home.new).folders["Box"], titles(home.new, "Box")
        home.run()
        after, now = View(home.new).folders["Box"], titles(home.new, "Box")
        assert after[0] == before[0] and len(now) == 9 and all(now[uid] == text for uid, text in texts.items())
        home.expect_clean_log()


def need_kill_at():
    if subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("ptrace is not allowed here, or kill-at is not built")


def killed_after(bench, number):
    """A run that ends with the deed of that number; 0: a whole one."""
    watched = bench.state + ":" + bench.destination.path
    return bench.run(*NO_GRACE, wrap=("env", NO_LEAKS, "sh", "-c", 'exec 3>"$0"; exec "$@"', bench.folder + "/deeds", KILL_AT,
                                      str(number), watched))


def deeds(bench):
    """Runs it whole, and returns how many deeds there were."""
    killed_after(bench, 0).expect(0)
    with open(bench.folder + "/deeds", encoding="ascii") as numbers:
        words = numbers.read().split()
    return int(words[1]) + int(words[3])


@case
def killed_after_any_deed_it_ends_with_the_uids_of_the_source():
    need_kill_at()
    with Home(fill_it=False) as home:
        append(home.old, "Gaps", 12, seed=1)
        remove(home.old, "Gaps", "1:2,5,11:12")
        append(home.old, "INBOX", 3, seed=2)
        old = View(home.old)

        def attempt(number):
            user = f"uk{number}"
            destination = home.tree(user)
            with Bench(Imap(home.old, "u1"), destination) as bench:
                if number == 0:
                    return deeds(bench)
                first = killed_after(bench, number)
                again = bench.run(*NO_GRACE).expect(0)
                try:
                    expect_nothing_new(old, View(home.new, user))
                    assert not glob.glob(destination.path + "/**/*.lock", recursive=True), "a lock is left"
                except AssertionError as error:
                    raise AssertionError(f"killed after deed {number}: {error}\n{first.told()}\n{again.told()}") from None
            home.new.wait_until_idle(user)
            home.new.forget(user)
            return 0

        points = list(range(1, attempt(0) + 1))
        chosen = points if LONG else sorted(random.Random(SEED).sample(points, min(len(points), 12 if SHORT else 50)))
        in_parallel(lambda n=n: attempt(n) for n in chosen)
        print(f"# {len(chosen)} of {len(points)} deeds, seed {SEED}")
        home.expect_clean_log()


@case
def a_server_that_looks_between_a_kill_and_the_next_run_sees_no_uid_mean_two_messages():
    """What it knows to be missing does not come back: what comes gets a number that the source has not given."""
    need_kill_at()
    n_points = 4 if SHORT else 40 if LONG else 12
    with Home(fill_it=False) as home, contextlib.ExitStack() as stack:
        append(home.old, "Box", 2, seed=1)
        users = [f"uk{number}" for number in range(n_points + 1)]
        benches = [stack.enter_context(Bench(Imap(home.old, "u1"), home.tree(user))) for user in users]
        for user, bench in zip(users, benches):
            bench.run(*NO_GRACE).expect(0)
            View(home.new, user)  # it has indexed all
        append(home.old, "Box", 6, seed=2)
        old = titles(home.old, "Box")
        points = range(1, deeds(benches[0]) + 1)

        def attempt(user, bench, point):
            first = killed_after(bench, point)
            before = titles(home.new, "Box", user)
            again = bench.run(*NO_GRACE).expect(0)
            new = titles(home.new, "Box", user)
            told = f"killed after deed {point}: {sorted(before)} {sorted(new)}\n{first.told()}\n{again.told()}"
            assert all(new.get(uid) == text for uid, text in before.items()), "a UID came to mean another, " + told
            assert all(old[uid] == new[uid] for uid in old.keys() & new.keys()), "the source gave it to another, " + told
            assert sorted(old.values()) == sorted(new.values()), "lost or doubled, " + told

        chosen = sorted(random.Random(SEED).sample(points, min(len(points), n_points)))
        in_parallel(lambda u=u, b=b, n=n: attempt(u, b, n) for u, b, n in zip(users[1:], benches[1:], chosen))
        print(f"# {len(chosen)} of {len(points)} deeds, seed {SEED}")
        home.expect_clean_log()


if __name__ == "__main__":
    run_cases()
