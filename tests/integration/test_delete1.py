#!/usr/bin/env python3
"""
--delete1: what has a copy leaves the source, and nothing else does; killed or cut off at any moment, no
message is gone from both sides, none is there twice, and the next run ends as one that was not disturbed. (Between
servers and by POP3 to a server: test_disturb.py.)
"""
import collections
import glob
import os
import random
import sqlite3
import subprocess

from harness import (BARE_CAPABILITY, LONG, NO_GRACE, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case,
                     expect_same, in_parallel, run_cases)
import corpus
import popmail
import reader
from pair import mail
from pop_pair import Pop, PopPair
from servers.minipop import answer, lose_answer
from servers.proxy import Proxy

KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
NO_LEAKS = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
POINTS = 6 if SHORT else 10**9 if LONG else 40  # at most so many of one variant, chosen by the seed
FOLDERS = ("INBOX", "Archive/2019")


def mails(count=10):
    return list(corpus.made_up(count, seed=5, folders=FOLDERS, largest=20_000))


def deleted(run):
    return [event["deleted_at_source"] for event in run.events if event["event"] == "end"][-1]


def grow_older(bench, days, where="1"):
    """Makes receipts older than they are."""
    for path in glob.glob(bench.state + "/*.db"):
        with sqlite3.connect(path) as state:
            state.execute(f"UPDATE pair SET noted_at = noted_at - {days} * 86400 WHERE {where}")
        state.close()


def imap_source(server, user, content):
    corpus.append("127.0.0.1", server.port, user, content)
    return Imap(server, user)


def maildir_source(path, content):
    corpus.write_maildir(path, content)
    return Maildir(path)


# ---- what goes, and what stays ----

def moves(source, destination):
    wanted = source.snapshot()
    with Bench(source, destination) as bench:
        dry = bench.run("--delete1", "--dry")
        said = {event["text"] for event in dry.events if event.get("deed") == "delete1"}
        assert dry.code == 0 and said == {"delete at the source what is copied"}, dry.told()
        expect_same(wanted, source.snapshot(), "the source before and after --dry")
        first = bench.run("--delete1").expect(0).expect_totals(copied=len(wanted))
        assert deleted(first) == len(wanted), first.told()
        expect_same(wanted, destination.snapshot())
        assert len(source.snapshot()) == 0 and source.snapshot().folders == wanted.folders
        second = bench.run("--delete1").expect(0).expect_totals(source=0, copied=0)
        assert deleted(second) == 0, second.told()
        expect_same(wanted, destination.snapshot())


@case
def an_account_moves_to_a_tree():
    with Dovecot() as old, Scratch() as folder:
        moves(imap_source(old, "u1", mails(60)), Maildir(folder + "/tree"))


@case
def an_account_moves_from_a_server_without_uidplus():
    with Dovecot(capability=BARE_CAPABILITY) as old, Scratch() as folder:
        content = [mail._replace(flags=[flag for flag in mail.flags if flag != "\\deleted"]) for mail in mails(60)]
        moves(imap_source(old, "u1", content), Maildir(folder + "/tree"))


@case
def a_tree_moves_to_a_server():
    with Dovecot() as new, Scratch() as folder:
        moves(maildir_source(folder + "/tree", mails(60)), Imap(new, "u1"))


@case
def a_tree_moves_to_a_tree():
    with Scratch() as folder:
        moves(maildir_source(folder + "/from", mails(60)), Maildir(folder + "/to"))


@case
def what_is_old_enough_goes_in_a_run_that_lists_nothing():
    with Dovecot() as old, Dovecot() as new:
        source, destination = imap_source(old, "u1", mails(30)), Imap(new, "u1")
        before = source.snapshot()
        with Bench(source, destination) as bench:
            for _ in range(2):
                assert deleted(bench.run("--delete1after", "30").expect(0)) == 0
            grow_older(bench, 31, "id1 % 3 = 0")
            with Proxy(old.port) as relay:
                bench.source = Imap(old, "u1", port=relay.port)
                run = bench.run("--delete1after", "30").expect(0).expect_totals(copied=0, already_there=len(before))
                listings = [command for command in relay.commands("UID FETCH") if "1:*" in command.text]
                assert not listings, listings
            gone = deleted(run)
            assert 0 < gone < len(before), run.told()
            assert len(source.snapshot()) == len(before) - gone
            assert not source.snapshot().entries - before.entries
            expect_same(before, destination.snapshot())


@case
def messages_that_others_have_marked_stay():
    """By UID EXPUNGE; without it the folder is left, and said so."""
    for capability, code in ((None, 0), (BARE_CAPABILITY, 121)):
        with Dovecot(capability=capability) as old, Scratch() as folder:
            plain = [mail._replace(folder="INBOX", flags=[]) for mail in mails(6)]
            source = imap_source(old, "u1", plain)
            with Bench(source, Maildir(folder + "/tree")) as bench:
                bench.run().expect(0)
                # One that is not due, and is marked as deleted by its owner.
                with reader.ImapAccount("127.0.0.1", old.port, "u1", "pass") as account:
                    account.open_for_writing("INBOX")
                    account._imap.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
                grow_older(bench, 8, "id1 <> 2")
                run = bench.run("--delete1after", "7")
                assert run.code == code, run.told()
                left = source.snapshot()
                assert len(left) == (1 if code == 0 else 6), run.told()
                marked = [entry for entry in left.entries if "\\deleted" in entry.flags]
                assert len(marked) == 1, left.entries
                if code == 121:
                    assert any(event.get("error") == "not-deleted" for event in run.events), run.told()
                assert len(Maildir(folder + "/tree").snapshot()) == 6


@case
def what_another_tool_has_copied_goes_in_the_second_run():
    with Dovecot() as old, Dovecot() as new:
        content, others = mails(20), list(corpus.made_up(4, seed=99, folders=FOLDERS, largest=1000))
        source, copy = imap_source(old, "u1", content), imap_source(new, "u1", others + content)
        with Bench(source, copy) as bench:
            first = bench.run("--delete1").expect(0).expect_totals(copied=0)
            assert deleted(first) == 0 and len(source.snapshot()) == 20, first.told()
            dry = bench.run("--delete1", "--dry", json_events=False)
            assert dry.code == 0 and ": delete 11 messages at the source\n" in dry.out, dry.told()
            assert deleted(bench.run("--delete1").expect(0)) == 20 and len(source.snapshot()) == 0
            assert len(copy.snapshot()) == 24


@case
def an_account_that_is_both_sides_keeps_its_mail():
    """Under two names, or by two protocols, each message is found to be its own copy."""
    with Dovecot(pop3=True) as server, Scratch() as folder:
        pop_source(server, "u1")
        destination = Imap(server, "u1")
        before = destination.snapshot()
        tree = Maildir(server.maildir("u1"))
        for source in (Imap(server, "u1", host="localhost"), Inbox(server, "u1"), tree):
            with Bench(source, destination) as bench:
                for _ in range(3):
                    run = bench.run("--delete1")
                    assert deleted(run) == 0, run.told()
                    assert not before.bodies() - destination.snapshot().bodies(), run.told()


@case
def a_source_that_cannot_delete_and_days_that_are_none_are_refused():
    with Scratch() as folder:
        source = maildir_source(folder + "/from", mails(4))
        with Bench(source, Maildir(folder + "/to")) as bench:
            for days in ("", "-1", "x", "1.5", "1000000"):
                run = bench.run(f"--delete1after={days}")
                assert run.code == 64 and "--delete1after" in run.err, run.told()
        with Bench(source, Maildir(folder + "/from")) as bench:
            assert bench.run("--delete1").code == 64
        assert len(source.snapshot()) == 4


# ---- POP3: DELE, and QUIT, without which nothing is deleted ----

def import_twice(pair, hooks=(), n=12):
    """Imports, with hooks on the commands of the removal; everything has left, and is at the destination once."""
    pair.fill(n)
    wanted = pair.box.octets()
    for name, hook in hooks:
        pair.source.on(name, hook, times=1)
    run = pair.run("--delete1", *NO_GRACE, copied=n)
    assert deleted(run) == n and not pair.box.octets(), run.told()
    assert pair.held() == wanted, run.told()
    pair.fill(2, first=50)
    run = pair.run("--delete1", *NO_GRACE, copied=2)
    assert deleted(run) == 2 and not pair.box.octets(), run.told()
    assert sum(pair.held().values()) == n + 2


@case
def what_was_imported_leaves_the_mailbox():
    with PopPair() as pair:
        import_twice(pair)
    with PopPair(capabilities=("UIDL", "USER")) as pair:
        import_twice(pair)


@case
def what_a_server_shows_in_parts_leaves_in_parts():
    for hides in (False, True):
        with PopPair(batch=5, hides=hides) as pair:
            pair.source.greeting = "+OK Gpop ready for requests from 192.0.2.1 z12mb1234567wrp"
            import_twice(pair)


@case
def a_deletion_counts_when_quit_was_answered():
    for hook in (answer("-ERR some deleted messages not removed"), lose_answer, lambda session, command, proceed: session.cut()):
        with PopPair() as pair:
            import_twice(pair, [("QUIT", hook)])


@case
def what_dele_refuses_stays_and_is_said():
    with PopPair() as pair:
        pair.fill(5)
        pair.source.on("DELE", answer("-ERR not this one"), times=1)
        run = pair.run("--delete1", code=121, copied=5)
        assert deleted(run) == 4 and sum(pair.box.octets().values()) == 1, run.told()
        run = pair.run("--delete1", copied=0, already_there=1)
        assert deleted(run) == 1 and not pair.box.octets() and sum(pair.held().values()) == 5, run.told()


@case
def a_uidl_that_names_another_message_later_hides_nothing():
    """Servers that call a message by its number, or by its place in a file, give UIDLs again (RFC 1939 §7)."""
    for refused in (0, 1):
        with PopPair() as pair:
            pair.fill(4, uidl=str)
            pair.source.on("DELE", answer("-ERR not this one"), times=refused, where=" 4")
            assert deleted(pair.run("--delete1", copied=4, code=121 if refused else 0)) == 4 - refused
            pair.fill(3, first=10, uidl=lambda number: str(number - 10))
            pair.run("--delete1", copied=3)
            assert not pair.box.octets() and len(pair.order()) == 7
            assert pair.held() == {mail(number): 1 for number in (0, 1, 2, 3, 10, 11, 12)}


@case
def without_uidl_nothing_is_deleted():
    with PopPair(lacks=("UIDL",), capabilities=("TOP", "USER")) as pair:
        pair.fill(4)
        run = pair.run("--delete1", code=121, copied=4)
        assert deleted(run) == 0 and "UIDL" in run.out + run.err, run.told()
        pair.expect_same()


@case
def what_is_old_enough_goes_by_uidl_alone():
    """The message numbers of an earlier session mean nothing."""
    with PopPair() as pair:
        pair.fill(8)
        pair.run("--delete1after", "3", copied=8)
        assert sum(pair.box.octets().values()) == 8
        pair.box.drop(pair.box.mails[0], pair.box.mails[3])
        due = [mail.uidl for mail in pair.box.mails][1::2]
        grow_older(pair._bench, 4, "id1 IN ({})".format(",".join(f"'{uidl}'" for uidl in due)))
        pair.source.log.clear()
        run = pair.run("--delete1after", "3", copied=0, already_there=6)
        assert deleted(run) == 3 and not pair.source.heard("RETR") and not pair.source.heard("TOP"), run.told()
        assert [mail.uidl for mail in pair.box.mails] == [uidl for uidl in (mail.uidl for mail in pair.box.mails)
                                                          if uidl not in due]
        assert sum(pair.box.octets().values()) == 3


# ---- disturbances ----

def held(side):
    """What is there, if it is there at all by now."""
    if isinstance(side, Maildir) and not os.path.isdir(side.path + "/cur"):
        return collections.Counter()
    return side.snapshot().bodies()


class Variant:
    """Fresh sources and destinations for one disturbance after another."""

    def __init__(self, source, destination):
        self.source, self.destination = source, destination  # functions of a name
        self.keeps_dates = True

    def disturbed(self, name, disturb):
        source, destination = self.source(name), self.destination(name)
        wanted = source.snapshot()
        try:
            with Bench(source, destination, "--delete1") as bench:
                first = disturb(bench)
                bench.settle()
                here, there = held(source), held(destination)
                lost = wanted.bodies() - (here | there)
                double = there - wanted.bodies()
                assert not lost and not double, f"{name}: lost {lost}, double {double}\n{first.told()}"
                done = bench.run(*NO_GRACE)
                assert done.code == 0, f"{name}: the run after it fails\n{first.told()}\n{done.told()}"
                done.expect_balance()
                try:
                    if self.keeps_dates:
                        expect_same(wanted, destination.snapshot(), f"{name}: source and destination")
                    else:
                        assert wanted.bodies() == held(destination), f"{name}: not what was there"
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{first.told()}\n{done.told()}") from None
                left = source.snapshot()
                assert len(left) == 0, f"{name}: {len(left)} are left\n{first.told()}\n{done.told()}"
                return first
        finally:
            source.forget()
            destination.forget()


def watched(bench):
    return ":".join([bench.state] + [side.path for side in (bench.source, bench.destination)
                                     if isinstance(side, Maildir)])


def count_deeds(bench):
    told = bench.folder + "/deeds"
    run = bench.run(*NO_GRACE, wrap=("env", NO_LEAKS, "sh", "-c", 'exec 3>"$0"; exec "$@"', told, KILL_AT, "0",
                                     watched(bench)))
    with open(told, encoding="ascii") as numbers:
        words = numbers.read().split()
    assert run.code == 0 and len(words) == 4, f"counting run: told {words}\n{run.told()}"
    return run, int(words[1]) + int(words[3])


def after_every_deed(variant):
    if subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("ptrace is not allowed here, or kill-at is not built")
    counted = []

    def count(bench):
        run, n = count_deeds(bench)
        counted.append(n)
        return run
    variant.disturbed("u-counted", count)
    points = list(range(1, counted[0] + 1))
    if len(points) > POINTS:  # the removal is at the end
        last = points[-POINTS // 2:]
        points = sorted(random.Random(SEED).sample(points[:-len(last)], POINTS - len(last))) + last

    def kill(bench, point):
        return bench.run(*NO_GRACE, wrap=("env", NO_LEAKS, KILL_AT, str(point), watched(bench)))
    codes = in_parallel(lambda point=point: variant.disturbed(f"u-deed{point}", lambda bench: kill(bench, point)).code
                        for point in points)
    killed = codes.count(137)
    print(f"# {killed} of {len(points)} runs were killed, each after another of {counted[0]} commands and writes")
    assert killed >= len(points) * 0.8, f"only {killed} of {len(points)} runs were killed"


@case
def killed_after_every_command_and_write_without_uidplus():
    plain = [mail._replace(flags=[flag for flag in mail.flags if flag != "\\deleted"]) for mail in mails()]
    with Dovecot(capability=BARE_CAPABILITY) as old, Scratch() as folder:
        after_every_deed(Variant(lambda name: imap_source(old, name, plain), lambda name: Maildir(f"{folder}/{name}")))


@case
def killed_after_every_command_and_write_between_trees():
    with Scratch() as folder:
        after_every_deed(Variant(lambda name: maildir_source(f"{folder}/from-{name}", mails()),
                                 lambda name: Maildir(f"{folder}/to-{name}")))


class Inbox(Imap):
    """By POP3, what a Dovecot has in INBOX."""

    def options(self, side, folder):
        return Pop(self.server, self.user, port=self.server.pop_port).options(side, folder)


def pop_source(server, user):
    corpus.append("127.0.0.1", server.port, user, [corpus.Mail("INBOX", octets, [], [], date, False)
                                                   for octets, date in popmail.mail(10)])
    return Inbox(server, user)


@case
def killed_after_every_command_and_write_of_an_import():
    with Dovecot(pop3=True) as old, Scratch() as folder:
        variant = Variant(lambda name: pop_source(old, name), lambda name: Maildir(f"{folder}/{name}"))
        variant.keeps_dates = False
        after_every_deed(variant)


@case
def cut_at_the_answers_to_the_removal():
    """The mark \\Deleted comes to no copy, whatever was answered or not."""
    with Dovecot() as old, Scratch() as folder:
        variant = Variant(lambda name: imap_source(old, name, mails()), lambda name: Maildir(f"{folder}/{name}"))

        def cut(bench, verb, number):
            with Proxy(old.port, cut_before_answer=(verb, number)) as relay:
                whole, bench.source = bench.source, Imap(old, bench.source.user, port=relay.port)
                run = bench.run(*NO_GRACE).expect(0)
                assert relay.cuts == 1, run.told()
                assert deleted(run) == 10, run.told()
                bench.source = whole
                return run
        for verb in ("UID STORE", "UID EXPUNGE"):
            for number in (1, 2):
                variant.disturbed(f"u-{verb[4:].lower()}{number}", lambda bench: cut(bench, verb, number))


if __name__ == "__main__":
    print(f"# seed {SEED}")
    run_cases()
