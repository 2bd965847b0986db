#!/usr/bin/env python3
"""
Peers that do not play along: answers that are left out, words meant for a terminal, folders that go
away under a run. What was not seen to be done is not taken for done.
"""
import imaplib
import os
import re
import shutil
import time

from harness import HOST, PASSWORD, SLOWNESS, Bench, Dovecot, Imap, Maildir, Scratch, case, expect_same, run_cases
import corpus
from servers.proxy import Proxy, Replaced

FOLDERS = ("Alders", "Birches", "Cedars", "Doum palms")


def mails(folder, first, last, size=20):
    """Messages number `first` to `last` of a folder."""
    return [corpus.Mail(folder, b"Message-ID: <%d@%s.example>\r\nSubject: %d\r\n\r\n" % (
        number, folder.split(" ")[0].encode(), number) + b"x" * size + b"\r\n", ["\\seen"], [], 10**9 + number, False)
        for number in range(first, last + 1)]


def delete(server, user, folder):
    """What another client of the user does."""
    with imaplib.IMAP4(HOST, server.port) as imap:
        imap.login(user, PASSWORD)
        status, told = imap.delete('"' + folder + '"')
        assert status == "OK", told


def left_out(capability=None, first_there=True):
    """A server leaves one message out of a FETCH range's answer, and says OK."""
    with Dovecot(capability=capability) as old, Dovecot(capability=capability) as new:
        source, destination = Imap(old, "u1"), Imap(new, "u1")
        with Bench(source, destination) as bench:
            corpus.append(HOST, old.port, "u1", mails("Alders", 1, 5))
            if first_there:
                bench.run().expect(0).expect_totals(copied=5)
            corpus.append(HOST, old.port, "u1", mails("Alders", 6, 10))
            gap = Replaced(rb"\A\* 8 FETCH \(.*BODY\[\] \{.*")
            with Proxy(old.port, edit=gap) as relay:
                bench.source = Imap(old, "u1", port=relay.port)
                for _ in range(3):
                    result = bench.run()
                    assert gap.count > 0, "nothing was left out\n" + result.told()
                    assert result.code != 0, "a message is missing, and the run says that all is well\n" + result.told()
                    assert result.totals()["source"] == 10, result.told()
                    result.expect_balance()
                    assert len(destination.snapshot()) == 9
            bench.source = source
            bench.run().expect(0).expect_totals(source=10, copied=1, already_there=9)
            expect_same(source.snapshot(), destination.snapshot())


@case
def a_message_left_out_of_an_answer_is_copied_by_the_next_run():
    left_out()


@case
def a_message_left_out_of_the_first_answer_is_copied_by_the_next_run():
    left_out(first_there=False)


@case
def the_state_of_a_folder_outlives_an_answer_that_says_nothing_of_it():
    """The user has deleted copies; a run that learns nothing of the folder's state brings none back."""
    for side in (1, 2):
        with Dovecot() as old, Dovecot() as new:
            corpus.append(HOST, old.port, "u1", mails("Alders", 1, 5) + mails("Birches", 1, 2))
            with Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
                bench.run().expect(0).expect_totals(copied=7)
                with corpus.ImapAccount(HOST, new.port, "u1", PASSWORD) as account:
                    account.open_for_writing("Alders")
                    account._imap.store("1:2", "+FLAGS", r"(\Deleted)")
                    account._imap.expunge()
                bench.run().expect(0).expect_totals(copied=0)
                kept = bench.destination.snapshot()
                assert len(kept) == 5
                silent = Replaced(rb'\A\* STATUS "?Alders"? .*')
                with Proxy((old if side == 1 else new).port, edit=silent) as relay:
                    ends = bench.source, bench.destination
                    if side == 1:
                        bench.source = Imap(old, "u1", port=relay.port)
                    else:
                        bench.destination = Imap(new, "u1", port=relay.port)
                    result = bench.run()
                    bench.source, bench.destination = ends
                assert silent.count > 0, "nothing was left out\n" + result.told()
                try:
                    expect_same(kept, bench.destination.snapshot(), "the destination before and after")
                except AssertionError as error:
                    raise AssertionError(f"side {side}: {error}\n{result.told()}") from None
                bench.run().expect(0).expect_totals(copied=0)
                expect_same(kept, bench.destination.snapshot(), "the destination before and after a further run")


def others_are_complete(bench, result):
    """All folders but the first of FOLDERS, and the report says so."""
    assert result.code == 117, "wanted exit code 117\n" + result.told()
    result.expect_balance()
    told = [line for line in (result.out + result.err).splitlines() if re.search(r"no-folder|no such folder", line)]
    assert any("Alders" in line for line in told), "the folder that vanished is not named\n" + result.told()
    for name in FOLDERS[1:]:
        assert not any(name in line for line in told), f"{name} is blamed\n" + result.told()
    wanted, got = bench.source.snapshot(), bench.destination.snapshot()
    for snapshot in (wanted, got):
        for entry in [each for each in snapshot.entries if each.folder == "Alders"]:
            del snapshot.entries[entry]
        snapshot.folders.discard("Alders")
    try:
        expect_same(wanted, got, "the other folders")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{result.told()}") from None


def vanishes_at_a_server(*options):
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", [mail for name in FOLDERS for mail in mails(name, 1, 40 if name == "Alders" else 30)])
        with Proxy(new.port, before=("APPEND", lambda: delete(new, "u1", "Alders"))) as relay, \
                Bench(Imap(old, "u1"), Imap(new, "u1", port=relay.port), "--lanes", "1", *options) as bench:
            others_are_complete(bench, bench.run(timeout=60))
            bench.run().expect(0)
            expect_same(bench.source.snapshot(), bench.destination.snapshot())


@case
def a_folder_vanishes_at_a_server():
    vanishes_at_a_server()


@case
def a_folder_vanishes_at_a_server_that_takes_messages_singly():
    vanishes_at_a_server("--no-ext2", "MULTIAPPEND")


@case
def a_folder_vanishes_from_a_tree():
    """Its other half is still on the way when someone removes it."""
    with Dovecot() as old, Scratch() as folder:
        corpus.append(HOST, old.port, "u1", [mail for name in FOLDERS for mail in mails(name, 1, 60, size=3000)])
        tree = Maildir(folder + "/tree")
        gone = []

        def remove(answer):
            if not gone and answer.startswith(b"* 40 FETCH") and b"<40@Alders.example>" in answer:
                end = time.monotonic() + 30 * SLOWNESS
                while not any(os.path.isdir(part) and os.listdir(part)
                              for part in (tree.path + "/.Alders/cur", tree.path + "/.Alders/new")):
                    assert time.monotonic() < end, "nothing is written before all has come"
                    time.sleep(0.005)
                gone.append(True)
                os.rename(tree.path + "/.Alders", folder + "/gone")
                while os.path.exists(folder + "/gone"):
                    shutil.rmtree(folder + "/gone", ignore_errors=True)
            return answer
        with Proxy(old.port, edit=remove) as relay, Bench(Imap(old, "u1", port=relay.port), tree, "--lanes", "1") as bench:
            result = bench.run(timeout=60)
            assert gone, "the folder was not removed\n" + result.told()
            others_are_complete(bench, result)
            bench.run().expect(0)
            expect_same(bench.source.snapshot(), tree.snapshot())


@case
def what_a_server_says_cannot_steer_a_terminal():
    evil = b"\x1b[31mevil\x07\x08\x1b]0;title\x07 \xc2\x9b31m \xe2\x80\xae \x7f"
    edits = {
        "refused": (rb"\A([^ *+][^ ]* )OK \[APPENDUID [^\r]*", rb"\1NO " + evil),
        "no folder": (rb"\A([^ *+][^ ]* )OK \[APPENDUID [^\r]*", rb"\1NO [TRYCREATE] " + evil),
        "login": (rb"\A([^ *+][^ ]* )OK (\[CAPABILITY [^]]*\] )?Logged in[^\r]*", rb"\1NO " + evil),
        "alert": (rb"\A([^ *+][^ ]* OK )(\[CAPABILITY [^]]*\] )?Logged in[^\r]*", rb"* OK [ALERT] " + evil + rb"\r\n\1" + evil),
        "bye": (rb"\A([^ *+][^ ]* )OK \[APPENDUID [^\r]*", rb"* BYE " + evil),
    }
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails("Alders", 1, 3))
        for name, (pattern, by) in edits.items():
            for number, (json_events, options) in enumerate(((False, ()), (True, ()), (False, ("--debug",)))):
                edit = Replaced(pattern, by)
                user = f"u-{name[:2]}{number}"
                with Proxy(new.port, edit=edit) as relay, Bench(Imap(old, "u1"), Imap(new, user, port=relay.port)) as bench:
                    result = bench.run("--timeout2", "5", *options, json_events=json_events)
                    assert edit.count > 0, f"{name}: nothing was said\n{result.told()}"
                    raw = re.search("[^\n\t -\x7e\xa0-\u200d\u2010-\u2029\u2030-\uffff]", result.out + result.err)
                    assert raw is None, f"{name} {options}: {raw.group()!r} in {raw.string[max(raw.start() - 60, 0):raw.end() + 20]!r}"


if __name__ == "__main__":
    run_cases()
