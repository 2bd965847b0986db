#!/usr/bin/env python3
"""
What changed since the last run, told by the servers: it comes to what a listing comes to, at a fraction of
its octets; and folders and servers that are replaced between two runs, or under one.
"""
import contextlib
import imaplib
import threading

from harness import HOST, PASSWORD, SHORT, Bench, Dovecot, Imap, Skip, case, expect_same, run_cases
import corpus
from servers.cyrus import Cyrus
from servers.jail import Unavailable
from servers.proxy import Proxy

# What to do without, and which commands that shows in: of what changed, of what is there, of all.
WAYS = {
    "QRESYNC": "",
    "CONDSTORE and ESEARCH": "QRESYNC",
    "CONDSTORE": "QRESYNC,ESEARCH",
    "a listing": "QRESYNC,CONDSTORE",
}


def without(names):
    return ("--no-ext1", names, "--no-ext2", names) if names else ()


def mail(number, folder="INBOX", flags=(), text="text"):
    octets = (f"Message-ID: <{number}@changes.example>\r\nSubject: number {number}\r\n"
              f"Date: Mon, 1 Jan 2001 00:00:00 +0000\r\n\r\n{text}\r\n").encode()
    return corpus.Mail(folder, octets, list(flags), [], 1_000_000_000 + number * 60, False)


@contextlib.contextmanager
def session(server, user, folder=None):
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


def put(imap, folder, each):
    ok(imap.append(folder, f"({' '.join(each.flags)})", imaplib.Time2Internaldate(each.date), each.octets))


def edit(server, user, folder, remove=(), add_flags=(), remove_flags=(), new=()):
    """Changes a folder as another client would. Messages are named by their place, from 1."""
    with session(server, user, folder) as imap:
        for place, flags in add_flags:
            ok(imap.store(str(place), "+FLAGS", f"({flags})"))
        for place, flags in remove_flags:
            ok(imap.store(str(place), "-FLAGS", f"({flags})"))
        for each in new:
            put(imap, folder, each)
        if remove:
            ok(imap.store(",".join(map(str, remove)), "+FLAGS", "(\\Deleted)"))
            ok(imap.expunge())


def asked(proxy, folder_commands=("UID FETCH", "UID SEARCH")):
    return [each.text for each in proxy.commands(*folder_commands)]


# ---- what changed ----

def _every_way(make_old, make_new):
    folders = ("INBOX", "a", "b", "c")
    mails = [mail(number, folders[number % 4], ("\\Seen",) if number % 3 else ()) for number in range(120)]
    with make_old() as old, make_new() as new:
        corpus.append(HOST, old.port, "u1", mails)
        runs = {}
        with contextlib.ExitStack() as stack:
            for number, (way, names) in enumerate(WAYS.items()):
                into = f"u{number + 2}"
                relays = [stack.enter_context(Proxy(server.port)) for server in (old, new)]
                bench = stack.enter_context(Bench(Imap(old, "u1", port=relays[0].port),
                                                  Imap(new, into, port=relays[1].port), *without(names)))
                bench.run().expect(0).expect_totals(copied=120)
                runs[way] = (into, relays, bench)
            for step in range(3):
                first = step * 5 + 1
                edit(old, "u1", "INBOX", remove=(first, first + 1, first + 4), add_flags=[(first + 2, "\\Flagged work")],
                     remove_flags=[(first + 3, "\\Seen")], new=[mail(200 + step), mail(300 + step, flags=("\\Draft",))])
                edit(old, "u1", "a", add_flags=[(first, "\\Answered")])
                edit(old, "u1", "b", new=[mail(400 + step)])
                for into, relays, _ in runs.values():
                    edit(new, into, "INBOX", add_flags=[(first + 6, "\\Flagged")], remove_flags=[(first + 2, "\\Seen")])
                    edit(new, into, "a", remove=(first + 1,), add_flags=[(first + 2, "mine")])
                    edit(new, into, "c", remove=(1,), new=[mail(500 + step)])
                    for relay in relays:
                        relay.clear()
                results = {way: bench.run().expect(0).totals() for way, (_, _, bench) in runs.items()}
                wanted = Imap(new, runs["a listing"][0]).snapshot()
                for way, (into, relays, bench) in runs.items():
                    assert results[way]["copied"] == 3, (way, results[way])
                    assert results[way] == results["a listing"], (way, results)
                    expect_same(wanted, Imap(new, into).snapshot(), f"by listing and by {way}, step {step},")
                    check_commands(way, relays)
            for into, relays, bench in runs.values():
                bench.run().expect(0).expect_totals(copied=0)


@case
def every_way_comes_to_the_same():
    _every_way(Dovecot, Dovecot)


@case
def every_way_comes_to_the_same_from_and_to_cyrus():
    try:
        _every_way(Cyrus, Dovecot)
        _every_way(Dovecot, Cyrus)
    except Unavailable as why:
        raise Skip(why) from why


def check_commands(way, relays):
    for relay in relays:
        texts = asked(relay)
        told = any("CHANGEDSINCE" in text for text in texts)
        vanished = any("VANISHED" in text for text in texts)
        searched = any("RETURN (ALL)" in text for text in texts)
        assert told == (way != "a listing"), (way, texts)
        assert vanished == (way == "QRESYNC"), (way, texts)
        assert searched == (way == "CONDSTORE and ESEARCH"), (way, texts)
        for command in relay.commands():
            assert command.answer is None or command.answer.startswith("OK"), command


@case
def folders_that_changed_cost_no_round_trip_each():
    folders = ["INBOX"] + [f"folder {number}" for number in range(20)]
    with Dovecot() as old, Dovecot() as new, Proxy(old.port) as relay:
        corpus.append(HOST, old.port, "u1", [mail(number, folder) for number, folder in enumerate(folders)])
        with Bench(Imap(old, "u1", port=relay.port), Imap(new, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=21)
            for folder in folders:
                edit(old, "u1", f'"{folder}"', add_flags=[(1, "\\Flagged")])
            relay.clear()
            bench.run().expect(0).expect_totals(copied=0)
            texts = [each.text for each in relay.commands("EXAMINE", "UID FETCH")]
            assert len(texts) == 42, texts  # each folder once: opened, and asked
            assert all("CHANGEDSINCE" in text for text in texts[1::2]), texts
        expect_same(Imap(old, "u1").snapshot(), Imap(new, "u1").snapshot())


@case
def one_change_among_many_costs_little():
    count = 2000
    with Dovecot() as old, Dovecot() as new:
        old.forget("u1")
        corpus.fill(old, "u1", [mail(number, text="x") for number in range(count)])
        octets = {}
        for number, (way, names) in enumerate(WAYS.items()):
            into = f"u{number + 2}"
            with Bench(Imap(old, "u1"), Imap(new, into)) as bench:
                bench.options = without(names)
                bench.run().expect(0).expect_totals(copied=count)
                bench.run().expect(0).expect_totals(copied=0)  # after which nobody is in doubt about tokens
                edit(old, "u1", "INBOX", add_flags=[(500 + number, "\\Flagged")])
                with Proxy(old.port) as from_old, Proxy(new.port) as to_new:
                    bench.source.port, bench.destination.port = from_old.port, to_new.port
                    bench.run().expect(0)
                    octets[way] = sum(from_old.octets()) + sum(to_new.octets())
        print(f"# octets on the wire: {octets}", flush=True)
        for way in ("QRESYNC", "CONDSTORE and ESEARCH", "CONDSTORE"):
            assert octets[way] * 20 < octets["a listing"], octets


# ---- folders that are replaced ----

def replace_folder(server, user, folder, mails):
    """Deletes the folder and makes another of the same name with the same mail: only UIDVALIDITY differs."""
    with session(server, user) as imap:
        before = ok(imap.status(folder, "(UIDVALIDITY)"))
        ok(imap.delete(folder))
        ok(imap.create(folder))
        for each in mails:
            put(imap, folder, each)
        after = ok(imap.status(folder, "(UIDVALIDITY)"))
        assert before != after, (before, after)


def moved(folder="work", count=30):
    return [mail(number, folder, ("\\Seen",)) for number in range(count)]


def _replaced_between_runs(replace_old, replace_new, more):
    with Dovecot() as old, Dovecot() as new:
        mails = moved()
        corpus.append(HOST, old.port, "u1", mails + [mail(99)])
        with Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=31)
            more = [mail(200 + number, "work", ("\\Seen",)) for number in range(more)]
            if replace_old:
                replace_folder(old, "u1", "work", mails + more)
            elif more:
                corpus.append(HOST, old.port, "u1", more)
            if replace_new:
                replace_folder(new, "u1", "work", mails)
            bench.run().expect(0).expect_totals(copied=len(more))
            expect_same(Imap(old, "u1").snapshot(), Imap(new, "u1").snapshot())
            bench.run().expect(0).expect_totals(copied=0)


@case
def a_folder_replaced_between_runs_is_not_doubled():
    for old, new in ((True, False), (False, True), (True, True)):
        for more in (0, 2):
            _replaced_between_runs(old, new, more)


def _replaced_under_a_run(verb, side, incremental):
    """When the first such command has come, and before it is passed on, the folder is replaced."""
    with Dovecot() as old, Dovecot() as new:
        mails = moved()
        corpus.append(HOST, old.port, "u1", mails + [mail(99)])
        server = old if side == 1 else new
        with Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            if incremental or side == 2:
                bench.run().expect(0).expect_totals(copied=31)
                more = [mail(200 + number, "work", ("\\Seen",)) for number in range(2)]
                corpus.append(HOST, old.port, "u1", more)
                mails = mails + more if side == 1 else mails
            with Proxy(server.port, before=(verb, lambda: replace_folder(server, "u1", "work", mails))) as relay:
                side_of = bench.source if side == 1 else bench.destination
                side_of.port = relay.port
                first = bench.run()
                assert relay._before is None, f"{verb} never came:\n" + first.told()
                assert first.code in (0, 111, 114, 115, 117), first.told()
            side_of.port = server.port
            bench.settle()
            bench.run().expect(0)
            expect_same(Imap(old, "u1").snapshot(), Imap(new, "u1").snapshot(), f"after {verb} at side {side}: they")
            bench.run().expect(0).expect_totals(copied=0)


@case
def a_source_folder_replaced_under_a_run_is_not_doubled():
    for verb in ("EXAMINE", "UID FETCH"):
        _replaced_under_a_run(verb, 1, incremental=False)
        _replaced_under_a_run(verb, 1, incremental=True)


@case
def a_destination_folder_replaced_under_a_run_is_not_doubled():
    _replaced_under_a_run("APPEND", 2, incremental=True)


# ---- servers that are started again ----

def _restarted(side):
    """The server of one side is started again while most of a large message is still to come."""
    size = (4 if SHORT else 24) << 20
    large = mail(50, "work", text="y" * 70 + "\r\n" * 1)
    large = large._replace(octets=large.octets + (b"z" * 76 + b"\r\n") * (size // 78))
    mails = [mail(number, "work") for number in range(20)] + [large] + [mail(number, "work") for number in range(60, 80)]
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails + [mail(99)])
        server, sender = (old, "server") if side == 1 else (new, "client")
        restarted = threading.Event()

        def restart():
            server.restart()
            restarted.set()
        with Proxy(server.port, during=(sender, size // 3, restart)) as relay:
            source = Imap(old, "u1", port=relay.port if side == 1 else None)
            destination = Imap(new, "u1", port=relay.port if side == 2 else None)
            with Bench(source, destination) as bench:
                # What was found there after the restart is not said to be copied.
                totals = bench.run().expect(0).expect_totals(source=42).totals()
                assert totals["copied"] + totals["already there"] == 42, totals
                assert restarted.is_set(), "the server was not started again"
                expect_same(Imap(old, "u1").snapshot(), Imap(new, "u1").snapshot())
                bench.run().expect(0).expect_totals(copied=0, already_there=42)


@case
def a_source_restarted_in_the_middle_of_a_literal_is_waited_for():
    _restarted(1)


@case
def a_destination_restarted_in_the_middle_of_a_literal_is_waited_for():
    _restarted(2)


if __name__ == "__main__":
    run_cases()
