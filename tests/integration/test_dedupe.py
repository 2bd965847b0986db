#!/usr/bin/env python3
"""
dedupe: messages that an account has more than once. They are listed; --apply removes them, and nothing else, and what
the removed ones were marked with stays.
"""
import collections
import os
import subprocess

from harness import PROGRAM, Bench, Dovecot, Imap, Maildir, Result, Scratch, case, environment, run_cases
import corpus
from pair import BRIDGE, Pair, held, mail
from servers.dovecot import HOST
from servers.mailstore import Message


def dedupe(pair, *options, code=0):
    bench = pair._bench
    command = [PROGRAM, "dedupe"] + bench.source.options(1, bench.folder) + ["--json", "--state", bench.state]
    done = subprocess.run(command + list(options), capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env=environment(bench.folder))
    result = Result(command, done.returncode, done.stdout, done.stderr, 0)
    assert result.code == code, result.told()
    return result


def told(result):
    return {(event["folder"], event["id"], event["same_as"]) for event in result.events
            if event["event"] == "duplicate"}


def fill(pair):
    """Three of one, two of another with other flags, two of one id with two contents, and one without any header."""
    for number in (1, 2, 1, 3, 1):
        pair.inbox.add(Message(mail(number)))
    files = pair.source.account("u1").make("Files")
    files.add(Message(mail(7), {"\\Seen"}))
    files.add(Message(mail(7), {"\\Flagged", "kept"}))
    files.add(Message(mail(8)))
    files.add(Message(mail(8).replace(b"text 8", b"tExt 8")))
    files.add(Message(mail(1)))  # another folder is another matter


WANTED = {("INBOX", "3", "1"), ("INBOX", "5", "1"), ("Files", "2", "1")}


@case
def duplicates_are_listed_and_nothing_is_touched():
    with Pair() as pair:
        fill(pair)
        before = held(pair.source)
        result = dedupe(pair)
        assert told(result) == WANTED, result.told()
        assert result.events[-1]["duplicates"] == 3 and result.events[-1]["removed"] == 0
        assert held(pair.source) == before
        assert not pair.source.heard("SELECT") and not pair.source.heard("UID STORE")


@case
def apply_removes_them_and_no_other():
    for capabilities in (None, BRIDGE):
        with Pair(capabilities) as pair:
            fill(pair)
            marked = pair.inbox.add(Message(mail(9), {"\\Deleted"}))  # by somebody else: it is theirs
            before = held(pair.source)
            assert told(dedupe(pair, "--apply")) == WANTED
            gone = before - held(pair.source)
            assert gone == collections.Counter({("INBOX", mail(1)): 2, ("Files", mail(7)): 1}), gone
            assert not held(pair.source) - before
            files = pair.source.account("u1").find("Files")
            flags = {flag.lower() for flag in files.entries[0].message.flags}
            assert {"\\seen", "\\flagged", "kept"} <= flags, flags
            assert not told(dedupe(pair, "--apply")), "a second run finds nothing"


@case
def a_dovecot_and_a_maildir_lose_their_duplicates_and_no_other_message():
    with Scratch("mh-") as folder, Dovecot() as server:
        corpus.append(HOST, server.port, "u1", list(corpus.sample()) * 2)
        imap, maildir = Imap(server, "u1"), Maildir(os.path.join(folder, "mail"))
        before = imap.snapshot()
        with Bench(imap, maildir) as bench:
            bench.run().expect(0)
            for side in (imap, maildir):
                run = [PROGRAM, "dedupe", "--apply", "--state", bench.state] + side.options(1, bench.folder)
                subprocess.run(run, check=True, timeout=60, env=environment(bench.folder), stdout=subprocess.DEVNULL)
            after = imap.snapshot()
            assert {entry[:2] for entry in after.entries} == {entry[:2] for entry in before.entries}, "one is lost"
            assert 0 < len(after) < len(before)
            bench.run(word="verify").expect(0).expect_totals(failed=0)


@case
def a_limit_keeps_more_from_going():
    with Pair() as pair:
        fill(pair)
        before = held(pair.source)
        result = dedupe(pair, "--apply", "--max-delete", "1", code=121)
        gone = before - held(pair.source)
        assert gone == collections.Counter({("Files", mail(7)): 1}), result.told()


@case
def what_it_would_not_obey_is_refused():
    with Pair() as pair:
        fill(pair)
        before = held(pair.source)
        for options in (("--subfolder1", "Files"), ("--maxage", "30"), ("--minage", "30"), ("--maxsize", "10"),
                        ("--minsize", "10"), ("--search", "DELETED"), ("--search2", "DELETED"), ("--delete2",),
                        ("--delete1",), ("--trash2", "Trash"), ("--deep",), ("--report", "x.json")):
            assert f"dedupe does not take {options[0]}" in dedupe(pair, "--apply", *options, code=64).err, options
        assert held(pair.source) == before


@case
def options_of_one_command_are_refused_by_the_others():
    with Pair() as pair:
        fill(pair)
        urls = ["--path1", pair._bench.folder, "--path2", pair._bench.folder]
        for command, option in (("sync", "--apply"), ("sync", "--deep"), ("plan", "--apply"), ("plan", "--report=x.json"),
                                ("verify", "--report=x.json"), ("verify", "--delete2"), ("verify", "--apply"), ("undo", "--folder=INBOX"),
                                ("undo", "--subfolder1=INBOX"), ("undo", "--maxage=3")):
            done = subprocess.run([PROGRAM, command, option] + urls, capture_output=True, text=True, timeout=60,
                                  check=False, env=environment(pair._bench.folder))
            assert done.returncode == 64, (command, option, done.returncode)
            assert f"{command} does not take {option.split('=')[0]}" in done.stderr, done.stderr


@case
def a_destination_is_refused():
    with Pair() as pair:
        assert "one account" in dedupe(pair, "--host2", "localhost", code=64).err


if __name__ == "__main__":
    run_cases()
