#!/usr/bin/env python3
"""
Accounts whose folders are labels, as source and as destination: every body travels once, every label arrives, all
mail is taken only for what is nowhere else, and a run that is killed or repeated makes no message two.
"""
import os
import subprocess

from harness import (HOST, NO_GRACE, PASSWORD, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case, in_parallel,
                     run_cases)
import reader
from servers.gmail import ALL, IMPORTANT, SENT, STARRED, GmailServer
from servers.mailstore import Message
from servers.mini import MiniServer, answer, lose_answer

KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
DOVECOT_LABELS = ["Work", "Work/Projekte", "Entw&APw-rfe", "a b"]


def octets(number, size=300):
    return (f"From: ann@example.net\r\nTo: bob@example.net\r\nSubject: number {number}\r\n"
            f"Message-Id: <{number}@labels.example>\r\nDate: Tue, 1 Jul 2003 10:52:{number % 60:02} +0200\r\n\r\n"
            + "x" * size + "\r\n").encode()


def fill(account, count=40):
    """Messages under no label, one, or several; returns {octets: names of its folders, but for views}."""
    wanted = {}
    for number in range(count):
        labels = [name for place, name in enumerate(["INBOX"] + DOVECOT_LABELS + [SENT])
                  if (number * 7 + 3) >> place & 1 and number % 5]
        flags = ["\\Seen"] * (number % 2) + ["\\Flagged"] * (number % 3 == 0)
        account.deliver(octets(number), labels + [IMPORTANT] * (number % 4 == 0) + [STARRED] * (number % 3 == 0), flags)
        wanted[octets(number)] = labels or [ALL]
    return wanted


def placed(wanted):
    """What a snapshot of the destination shall count: (canonical folder, SHA-256)."""
    seen = reader.Snapshot()
    for body, names in wanted.items():
        for name in names:
            seen.add("/".join(reader.decode_mutf7(part) for part in name.split("/")), body, (), (), 0)
    return seen.bodies()


def expect_placed(wanted, snapshot):
    got = snapshot.bodies()
    missing, extra = placed(wanted) - got, got - placed(wanted)
    assert not missing and not extra, f"missing: {sorted(missing.elements())}\nextra: {sorted(extra.elements())}"


def n_copies(wanted):
    return sum(len(names) for names in wanted.values())


def expect_each_once(server, wanted):
    bodies = server.bodies("u1")
    assert bodies == dict.fromkeys(wanted, 1), f"bodies were fetched {sorted(bodies.values())} times"


def linked(result):
    return next(event["linked"] for event in result.events if event["event"] == "end")


def expect_all_copied(result, server, wanted):
    result.expect(0).expect_totals(copied=n_copies(wanted), failed=0)
    expect_each_once(server, wanted)
    assert linked(result) == n_copies(wanted) - len(wanted), result.told()


def expect_quiet(bench, *servers, **totals):
    """Another run copies nothing, and fetches nothing."""
    before = [len(server.heard("UID FETCH", "BODY.PEEK[]")) for server in servers]
    result = bench.run().expect(0).expect_totals(copied=0, **totals)
    assert before == [len(server.heard("UID FETCH", "BODY.PEEK[]")) for server in servers], "bodies were fetched again"
    return result


@case
def gm1_labels_become_folders_and_each_body_is_fetched_once():
    with GmailServer() as gmail, Dovecot() as dovecot:
        wanted = fill(gmail.account("u1"))
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1")) as bench:
            result = bench.run()
            expect_all_copied(result, gmail, wanted)
            snapshot = bench.destination.snapshot()
            expect_placed(wanted, snapshot)
            assert not {reader.decode_mutf7(STARRED), reader.decode_mutf7(IMPORTANT)} & snapshot.folders
            again = expect_quiet(bench, gmail, already_there=n_copies(wanted))
            assert again.totals()["duplicate"] == result.totals()["duplicate"] > 0
            listed = len(gmail.heard("UID FETCH"))
            expect_quiet(bench, gmail)
            assert len(gmail.heard("UID FETCH")) == listed, "what did not change is looked at"


@case
def gm2_the_container_that_cannot_be_opened_is_no_error():
    with GmailServer() as gmail, Scratch() as folder:
        gmail.account("u1").deliver(octets(1), [SENT])
        with Bench(Imap(gmail, "u1"), Maildir(folder + "/mail")) as bench:
            bench.run().expect(0).expect_totals(copied=1)
            assert not gmail.heard("SELECT", '"[Gmail]"') and not gmail.heard("EXAMINE", '"[Gmail]"')


@case
def labels_go_to_a_maildir_too():
    with GmailServer() as gmail, Scratch() as folder:
        wanted = fill(gmail.account("u1"))
        with Bench(Imap(gmail, "u1"), Maildir(folder + "/mail")) as bench:
            expect_all_copied(bench.run(), gmail, wanted)
            expect_placed(wanted, bench.destination.snapshot())
            expect_quiet(bench, gmail, already_there=n_copies(wanted))


@case
def flags_and_dates_of_a_linked_copy_are_those_of_the_message():
    with GmailServer() as gmail, Dovecot() as dovecot:
        gmail.account("u1").deliver(octets(1), ["INBOX", "Work"], ["\\Seen", "\\Answered", "word"])
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1")) as bench:
            assert linked(bench.run().expect(0)) == 1
            entries = bench.destination.snapshot().entries
            assert {entry.folder for entry in entries} == {"INBOX", "Work"}
            assert len({entry[1:] for entry in entries}) == 1
            assert next(iter(entries)).flags == {"\\seen", "\\answered"}


@case
def labels_of_one_account_become_labels_of_another():
    with GmailServer() as source, GmailServer() as target:
        wanted = fill(source.account("u1"))
        with Bench(Imap(source, "u1"), Imap(target, "u1")) as bench:
            expect_all_copied(bench.run(), source, wanted)
            assert len(target.heard("APPEND")) == len(wanted)
            there = target.account("u1")
            assert set(there.store) == set(wanted)
            for body, message in there.store.items():
                labels = set(there.labels(message)) - {STARRED, IMPORTANT}
                assert labels == set(wanted[body]) - {ALL}, (labels, wanted[body])
            expect_quiet(bench, source)
            expect_quiet(bench, source)


@case
def folders_become_labels():
    with Dovecot() as dovecot, GmailServer() as gmail:
        with reader_less_append(dovecot) as append:
            for number in range(12):
                append("INBOX" if number % 3 else "Archive/2019", octets(number))
        with Bench(Imap(dovecot, "u1"), Imap(gmail, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=12)
            there = gmail.account("u1")
            assert sorted(there.labels(there.store[octets(3)])) == ["Archive/2019"]
            assert len(there.folders[ALL].entries) == 12
            expect_quiet(bench, already_there=12)


@case
def gm13_equal_messages_that_become_one_are_no_trouble():
    with Dovecot() as dovecot, GmailServer() as gmail:
        with reader_less_append(dovecot) as append:
            for number in (1, 1, 2, 1):
                append("INBOX", octets(number))
            append("Work", octets(1))
        with Bench(Imap(dovecot, "u1"), Imap(gmail, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=5)
            assert set(gmail.account("u1").store) == {octets(1), octets(2)}
            for _ in range(2):
                expect_quiet(bench, already_there=5)
            assert len(gmail.heard("APPEND")) == 5


@case
def gm4_a_name_that_is_refused_fails_its_folder_alone_and_case_is_folded():
    with MiniServer() as source, GmailServer() as gmail:
        account = source.account("u1")
        for number, name in enumerate(["INBOX", "a  b", "x^y", "work", "Fine"]):
            account.make(name).add(Message(octets(number)))
        gmail.account("u1").deliver(octets(9), ["Work"])
        with Bench(Imap(source, "u1"), Imap(gmail, "u1")) as bench:
            result = bench.run().expect(116)
            result.expect_totals(copied=3, failed=2)
            there = gmail.account("u1")
            assert [sorted(there.labels(there.store[octets(n)])) for n in (0, 3, 4)] == [["INBOX"], ["Work"], ["Fine"]]
            assert "work" not in there.folders
            bench.run().expect(116).expect_totals(copied=0, already_there=3, failed=2)
            bench.lose_state()
            bench.run().expect(116).expect_totals(copied=0, already_there=3, failed=2)


@case
def gm8_what_is_beyond_the_limit_is_not_sent():
    with MiniServer() as source, GmailServer() as gmail:
        inbox = source.account("u1").find("INBOX")
        inbox.add(Message(octets(1, 35651584)))
        inbox.add(Message(octets(2)))
        with Bench(Imap(source, "u1"), Imap(gmail, "u1")) as bench:
            result = bench.run()
            result.expect_totals(copied=1, too_big=1)
            assert set(gmail.account("u1").store) == {octets(2)}


def first_of(wanted, account):
    """The first folder of each message: INBOX, then by name, all mail last."""
    order = sorted(account.folders, key=lambda name: (name == ALL, name != "INBOX", reader.decode_mutf7(name)))
    return {body: [min(names, key=order.index)] for body, names in wanted.items()}


@case
def labels_first_takes_each_message_once():
    with GmailServer() as gmail, Dovecot() as dovecot:
        wanted = first_of(fill(gmail.account("u1")), gmail.account("u1"))
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1"), "--labels", "first") as bench:
            expect_all_copied(bench.run(), gmail, wanted)
            expect_placed(wanted, bench.destination.snapshot())
            expect_quiet(bench, gmail, already_there=len(wanted))
            bench.lose_state()
            bench.run().expect(0).expect_totals(copied=0, already_there=len(wanted))  # a sample of them is read


@case
def labels_keywords_names_the_other_folders():
    with GmailServer() as gmail, Dovecot() as dovecot:
        gmail.account("u1").deliver(octets(1), ["INBOX", "Work/Projekte", "Entw&APw-rfe", "a b", IMPORTANT], ["word"])
        gmail.account("u1").deliver(octets(2), ["a b"])
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1"), "--labels", "keywords") as bench:
            bench.run().expect(0).expect_totals(copied=2)
            for _ in range(2):
                entries = {entry.folder: entry.keywords for entry in bench.destination.snapshot().entries}
                assert entries == {"INBOX": {"word", "work/projekte", "entw&apw-rfe", "a_20b"}, "a b": frozenset()}, entries
                expect_quiet(bench, gmail, already_there=2)
            # What the source gains and loses is carried over, and takes no name away.
            inbox = gmail.account("u1").find("INBOX")
            gmail.account("u1").set_flags(inbox, inbox.entries[0], {"\\Seen"})
            bench.run().expect(0).expect_totals(copied=0)
            entries = {entry.folder: entry for entry in bench.destination.snapshot().entries}
            assert entries["INBOX"].keywords == {"work/projekte", "entw&apw-rfe", "a_20b"}, entries
            assert entries["INBOX"].flags == {"\\seen"}


@case
def another_way_of_taking_labels_completes_what_is_there():
    with GmailServer() as gmail, Dovecot() as dovecot:
        wanted = fill(gmail.account("u1"))
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1")) as bench:
            bench.run("--labels", "first").expect(0)
            result = bench.run().expect(0)
            expect_each_once(gmail, wanted)
            assert linked(result) == n_copies(wanted) - len(wanted)
            expect_placed(wanted, bench.destination.snapshot())


@case
def a_label_that_is_added_later_costs_no_fetch():
    with GmailServer() as gmail, Dovecot() as dovecot:
        account = gmail.account("u1")
        account.deliver(octets(1), ["INBOX"])
        account.deliver(octets(2))
        account.deliver(octets(3), ["Work"])
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=3)
            for number in (1, 2):
                account.deliver(octets(number), ["Later"])
            result = expect_linked(bench, gmail, 2)
            assert result.totals()["copied"] == 2
            expect_placed({octets(1): ["INBOX", "Later"], octets(2): [ALL, "Later"], octets(3): ["Work"]},
                          bench.destination.snapshot())
            expect_quiet(bench, gmail, already_there=5)


def expect_linked(bench, server, count):
    before = len(server.heard("UID FETCH", "BODY.PEEK[]"))
    result = bench.run().expect(0)
    assert linked(result) == count and before == len(server.heard("UID FETCH", "BODY.PEEK[]")), result.told()
    return result


@case
def all_mail_is_taken_whole_if_it_is_named_alone():
    with GmailServer() as gmail, Dovecot() as dovecot:
        wanted = fill(gmail.account("u1"))
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1"), "--folder", ALL) as bench:
            bench.run().expect(0).expect_totals(copied=len(wanted))
            expect_placed(dict.fromkeys(wanted, [ALL]), bench.destination.snapshot())


@case
def a_copy_that_is_refused_becomes_an_ordinary_one():
    with GmailServer() as gmail, MiniServer() as target:
        wanted = fill(gmail.account("u1"))
        target.on("UID COPY", answer("NO [CANNOT] not today"))
        with Bench(Imap(gmail, "u1"), Imap(target, "u1")) as bench:
            result = bench.run().expect(0).expect_totals(copied=n_copies(wanted), failed=0)
            assert linked(result) == 0
            expect_placed(wanted, bench.destination.snapshot())
            expect_quiet(bench, gmail, already_there=n_copies(wanted))


@case
def a_copy_is_made_without_uidplus_too():
    with GmailServer() as gmail, MiniServer("IMAP4rev1 LITERAL+ NAMESPACE") as target:
        wanted = fill(gmail.account("u1"))
        with Bench(Imap(gmail, "u1"), Imap(target, "u1")) as bench:
            result = bench.run().expect(0).expect_totals(copied=n_copies(wanted), failed=0)
            expect_placed(wanted, bench.destination.snapshot())
            assert all(times == 1 for times in gmail.bodies("u1").values()) or linked(result) < n_copies(wanted)
            expect_quiet(bench, gmail, already_there=n_copies(wanted))


@case
def an_answer_to_a_copy_that_is_lost_makes_no_double():
    with GmailServer() as gmail, MiniServer() as target:
        wanted = fill(gmail.account("u1"))
        target.on("UID COPY", lose_answer, times=3)
        with Bench(Imap(gmail, "u1"), Imap(target, "u1"), *NO_GRACE) as bench:
            bench.run().expect(0)
            expect_each_once(gmail, wanted)
            expect_placed(wanted, bench.destination.snapshot())
            expect_quiet(bench, gmail, already_there=n_copies(wanted))


@case
def a_message_that_cannot_be_read_in_one_folder_comes_from_the_other():
    with GmailServer() as gmail, Dovecot() as dovecot:
        account = gmail.account("u1")
        account.deliver(octets(1), ["INBOX", "Work"])
        account.deliver(octets(2), ["INBOX", "Work"])

        def refuse(session, command, proceed):
            proceed() if session.folder.name != "INBOX" else answer("NO System Error (Failure)")(session, command, proceed)
        gmail.on("UID FETCH", refuse, where="BODY.PEEK[]")
        with Bench(Imap(gmail, "u1"), Imap(dovecot, "u1")) as bench:
            result = bench.run().expect(0).expect_totals(copied=4)
            assert linked(result) == 2, result.told()
            expect_placed({octets(n): ["INBOX", "Work"] for n in (1, 2)}, bench.destination.snapshot())
            expect_quiet(bench, gmail, already_there=4)


def killed_after(point, gmail, target, wanted):
    """Kills a run after so many commands and writes; the next one ends where an undisturbed one would have."""
    with Bench(Imap(gmail, "u1"), Imap(target, f"u{point}"), *NO_GRACE) as bench:
        first = bench.run(wrap=("env", "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0",
                                KILL_AT, str(point), bench.state))
        bench.settle()
        then = bench.run().expect(0)
        try:
            expect_placed(wanted, bench.destination.snapshot())
            bench.run().expect(0).expect_totals(copied=0, already_there=n_copies(wanted))
        except AssertionError as error:
            raise AssertionError(f"killed after {point}: {error}\n{first.told()}\n{then.told()}") from None
        return first.code


@case
def killed_after_any_command_or_write_it_makes_no_double():
    if subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("ptrace is not allowed here, or kill-at is not built")
    with GmailServer() as gmail, MiniServer() as target:
        wanted = fill(gmail.account("u1"), 12)
        points = range(1, 200, 20 if SHORT else 4)
        codes = in_parallel(lambda point=point: killed_after(point, gmail, target, wanted) for point in points)
        killed = codes.count(137)
        print(f"# {killed} of {len(codes)} runs were killed")
        assert killed >= len(codes) / 4


class reader_less_append:
    """Appends to folders of a server's first user, making them."""

    def __init__(self, server):
        self._server = server

    def __enter__(self):
        import imaplib
        self._imap = imaplib.IMAP4(HOST, self._server.port)
        self._imap.login("u1", PASSWORD)
        return self._append

    def _append(self, folder, body):
        self._imap.create(folder)
        status, told = self._imap.append(folder, None, None, body)
        assert status == "OK", told

    def __exit__(self, *_):
        self._imap.logout()


if __name__ == "__main__":
    run_cases()
