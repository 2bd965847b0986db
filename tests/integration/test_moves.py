#!/usr/bin/env python3
"""
Messages that moved from folder to folder at the source: the destination copies them itself, whatever it is, and
their octets do not travel again; what happened to their flags on both sides is merged.
"""
import contextlib
import imaplib

from harness import HOST, PASSWORD, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case, run_cases
from servers.cyrus import Cyrus
from servers.jail import Unavailable
from servers.proxy import Proxy

SIZE = (1 if SHORT else 5) << 20


def octets(number, size=200):
    line = b"x" * 70 + b"\r\n"
    return (f"From: ann@example.net\r\nSubject: number {number}\r\nMessage-Id: <{number}@moves.example>\r\n"
            f"Date: Tue, 1 Jul 2003 10:52:{number % 60:02} +0200\r\n\r\n").encode() + line * (size // len(line) + 1)


@contextlib.contextmanager
def session(server, user="u1", folder=None):
    imap = imaplib.IMAP4(HOST, server.port)
    try:
        imap.login(user, PASSWORD)
        if folder is not None:
            ok(imap.select(folder))
        yield imap
    finally:
        imap.logout()


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def fill(server, big=True):
    """Six small messages and a big one in INBOX, two in Archive."""
    with session(server) as imap:
        ok(imap.create("Archive"))
        for number in range(8):
            folder = "INBOX" if number < 6 else "Archive"
            ok(imap.append(folder, "(\\Answered)", None, octets(number)))
        if big:
            ok(imap.append("INBOX", None, None, octets(8, SIZE)))


def move(server, place, folder, flags=None):
    """Moves a message of INBOX, as a client without MOVE does."""
    with session(server, folder="INBOX") as imap:
        if flags is not None:
            ok(imap.store(place, "+FLAGS", f"({flags})"))
        ok(imap.copy(place, folder))
        ok(imap.store(place, "+FLAGS", "(\\Deleted)"))
        ok(imap.expunge())


def bodies(snapshot):
    return {(entry.folder, entry.sha256): entry.flags for entry in snapshot.entries}


def expect_moved(bench, n):
    result = bench.run().expect(0).expect_totals(copied=n, failed=0)
    moved = next(event["moved"] for event in result.events if event["event"] == "end")
    assert moved == n, f"{moved} of {n} moved: {result.told()}"
    bench.run().expect(0).expect_totals(copied=0)


def expect_all_there(bench):
    source, copy = bodies(bench.source.snapshot()), bodies(bench.destination.snapshot())
    assert not source.keys() - copy.keys(), f"missing: {source.keys() - copy.keys()}"
    return source, copy


@case
def a_big_message_that_moved_travels_no_more():
    with Dovecot() as source, Dovecot() as target:
        fill(source)
        with Proxy(target.port) as proxy, Bench(Imap(source, "u1"), Imap(target, "u1", port=proxy.port)) as bench:
            bench.run().expect(0).expect_totals(copied=9)
            move(source, "7", "Archive")
            before = sum(proxy.octets())
            proxy.clear()
            bench.run().expect(0).expect_totals(copied=1)
            passed = sum(proxy.octets()) - before
            assert 0 < passed < 100_000, f"{passed} octets"
            assert not proxy.commands("APPEND") and proxy.commands("UID COPY")
            expect_all_there(bench)


@case
def what_was_moved_into_a_new_folder_and_read_there_is_read_at_the_destination():
    with Dovecot() as source, Dovecot() as target:
        fill(source, big=False)
        with Bench(Imap(source, "u1"), Imap(target, "u1")) as bench:
            bench.run().expect(0)
            with session(source) as imap:
                ok(imap.create("New"))
            with session(target, folder="INBOX") as imap:
                ok(imap.store("2", "+FLAGS", "(\\Flagged)"))
                ok(imap.store("3", "+FLAGS", "(\\Seen)"))
            move(source, "3", "New")
            move(source, "2", "New", "\\Seen")
            expect_moved(bench, 2)
            _, copy = expect_all_there(bench)
            flags = sorted(sorted(of) for (folder, _), of in copy.items() if folder == "New")
            assert flags == [["\\answered", "\\flagged", "\\seen"], ["\\answered", "\\seen"]], flags


@case
def a_maildir_links_what_moved():
    with Dovecot() as source, Scratch() as folder:
        fill(source)
        with Bench(Imap(source, "u1"), Maildir(folder + "/mail")) as bench:
            bench.run().expect(0).expect_totals(copied=9)
            move(source, "7", "Archive")
            move(source, "1", "Archive", "\\Flagged")
            expect_moved(bench, 2)
            source_has, copy = expect_all_there(bench)
            assert all(copy[key] == flags for key, flags in source_has.items())


@case
def another_server_copies_what_moved():
    try:
        cyrus = Cyrus()
    except Unavailable as why:
        raise Skip(str(why)) from None
    with Dovecot() as source, cyrus as target:
        fill(source)
        with Bench(Imap(source, "u1"), Imap(target, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=9)
            move(source, "7", "Archive")
            move(source, "1", "Archive", "\\Flagged")
            expect_moved(bench, 2)
            expect_all_there(bench)


if __name__ == "__main__":
    run_cases()
