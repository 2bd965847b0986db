#!/usr/bin/env python3
"""
Killed at any instant, cut at any octet: the next run ends where an undisturbed one would have.

kill-at (beside this file) kills after the Nth command sent or state written; without ptrace those
cases are skipped. --long tries more random instants; MAILHAUL_TEST_SEED repeats a run's.
"""
import contextlib
import os
import random
import subprocess

from harness import (BARE_CAPABILITY, LONG, NO_GRACE, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case,
                     expect_same, expect_untouched, in_parallel, run_cases)
import corpus
from servers.proxy import Proxy, without_appenduid

KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
# A program that is traced cannot look for leaks.
NO_LEAKS = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
INSTANTS = 8 if SHORT else 500 if LONG else 50
POINTS = 12 if SHORT else 10**9  # at most so many of one variant, chosen by the seed
FOLDERS = ("INBOX", "Archive/2019", "日本語/受信", "a b  c")


def small_mailbox():
    """60 messages in 4 folders, odd ones among them, one of them not small."""
    return corpus.made_up(60, seed=7, folders=FOLDERS, largest=1_500_000)


def servers(capability=None):
    return Dovecot(separator=".", prefix="INBOX.", capability=capability), Dovecot(capability=capability)


@contextlib.contextmanager
def way_to(server, capability):
    """A port of it: one that can little tells no UIDs either, and must have had some to tell."""
    if capability is None:
        yield server.port
        return
    nameless = without_appenduid()
    with Proxy(server.port, edit=nameless) as relay:
        yield relay.port
    print(f"# {nameless.count} UIDs were kept from the client")
    assert nameless.count > 0, "no UID was kept from the client"


class Variant:
    """A filled source that must stay as it is, and fresh destinations to copy it to."""

    def __init__(self, source, fresh):
        self.source = source
        self.before = source.snapshot()
        self.wanted = source.snapshot()
        self._fresh = fresh

    def expect_own(self, mails):
        """These are at each fresh destination from the beginning, and stay."""
        for mail in mails:
            self.wanted.add(mail.folder, mail.octets, mail.flags, mail.keywords, mail.date)

    def disturbed(self, name, disturb):
        """Copies to a fresh destination with a disturbance first, then to the end, and compares."""
        destination = self._fresh(name)
        try:
            with Bench(self.source, destination) as bench:
                first = disturb(bench)
                bench.settle()
                done = bench.run(*NO_GRACE)
                assert done.code == 0, f"{name}: the run after it fails\n{first.told()}\n{done.told()}"
                done.expect_balance()
                try:
                    expect_same(self.wanted, destination.snapshot(), f"{name}: source and destination")
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{first.told()}\n{done.told()}") from None
                again = bench.run(*NO_GRACE).expect(0)
                again.expect_totals(copied=0, already_there=len(self.before))
                return first
        finally:
            destination.forget()

    def undisturbed(self):
        """Seconds that a whole run takes."""
        return self.disturbed("u-undisturbed", lambda bench: bench.run(*NO_GRACE).expect(0)).seconds

    def end(self):
        expect_untouched(self.before, self.source.snapshot())


def at_random_instants(variant):
    dice = random.Random(SEED)
    whole = variant.undisturbed()
    moments = sorted(dice.uniform(0, whole * 1.1) for _ in range(INSTANTS))
    codes = in_parallel(lambda n=n, t=t: variant.disturbed(f"u-instant{n}", lambda bench: bench.run(kill_after=t)).code
                        for n, t in enumerate(moments))
    killed = codes.count(-9)
    print(f"# {killed} of {INSTANTS} runs were killed, within {whole:.3f} s, seed {SEED}")
    assert killed >= INSTANTS / 4, f"only {killed} runs were killed"
    variant.end()


def count_deeds(bench):
    """Runs it whole and returns how many commands were sent and changes written."""
    watched = bench.state + (":" + bench.destination.path if isinstance(bench.destination, Maildir) else "")
    told = bench.folder + "/deeds"
    run = bench.run(*NO_GRACE, wrap=("env", NO_LEAKS, "sh", "-c", 'exec 3>"$0"; exec "$@"', told, KILL_AT, "0", watched))
    with open(told, encoding="ascii") as numbers:
        words = numbers.read().split()
    assert run.code == 0 and len(words) == 4, f"counting run: told {words}\n{run.told()}"
    return int(words[1]) + int(words[3])


def after_every_deed(variant):
    if subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("ptrace is not allowed here, or kill-at is not built")
    counted = []
    variant.disturbed("u-counted", lambda bench: counted.append(count_deeds(bench)) or bench.run(*NO_GRACE))
    points = list(range(1, counted[0] + 1))
    if len(points) > POINTS:
        points = sorted(random.Random(SEED).sample(points, POINTS))

    def kill(bench, point):
        watched = bench.state + (":" + bench.destination.path if isinstance(bench.destination, Maildir) else "")
        return bench.run(*NO_GRACE, wrap=("env", NO_LEAKS, KILL_AT, str(point), watched))
    codes = in_parallel(lambda point=point: variant.disturbed(f"u-deed{point}", lambda bench: kill(bench, point)).code
                        for point in points)
    killed = codes.count(137)  # a run may do with a deed less than the one that was counted
    print(f"# {killed} of {len(points)} runs were killed, each after another of {counted[0]} commands and writes")
    assert killed >= len(points) * 0.8, f"only {killed} of {len(points)} runs were killed"
    variant.end()


def filled(server):
    corpus.append("127.0.0.1", server.port, "u1", small_mailbox())
    return Imap(server, "u1")


def with_servers(test, capability=None):
    old, new = servers(capability)
    with old, new, way_to(new, capability) as port:
        test(Variant(filled(old), lambda name: Imap(new, name, port=port)))


def with_tree(test):
    old, _ = servers()
    with old:
        test(Variant(filled(old), lambda name: Maildir(f"{old.state}/{name}")))


@case
def killed_at_random_instants():
    with_servers(at_random_instants)


@case
def killed_after_every_command_and_write():
    with_servers(after_every_deed)


@case
def killed_at_random_instants_against_servers_that_can_little():
    with_servers(at_random_instants, BARE_CAPABILITY)


@case
def killed_after_every_command_and_write_against_servers_that_can_little():
    with_servers(after_every_deed, BARE_CAPABILITY)


@case
def killed_at_random_instants_while_writing_a_tree():
    with_tree(at_random_instants)


@case
def killed_after_every_command_and_write_while_writing_a_tree():
    with_tree(after_every_deed)


def drafts(body, date):
    """Versions of a message, as programs that save drafts make them: all headers are equal."""
    header = b"Message-ID: <draft@x>\r\nDate: Mon, 1 Jan 2001 00:00:00 +0000\r\nFrom: a@b\r\nSubject: draft\r\n\r\n"
    return [corpus.Mail("INBOX", header + body, ["\\seen"], [], date, False)]


NEWER, OLDER = drafts(b"the first version\r\n", 1_000_000_100), drafts(b"another, much longer\r\n" * 400, 1_000_000_000)


@case
def killed_where_the_destination_has_an_older_version():
    """What a killed run had meant to deliver is not taken for what was there before."""
    for capability in (None, BARE_CAPABILITY):
        old, new = servers(capability)
        with old, new, way_to(new, capability) as port:
            def fresh(name):
                corpus.append("127.0.0.1", new.port, name, OLDER)
                return Imap(new, name, port=port)
            corpus.append("127.0.0.1", old.port, "u1", NEWER)
            variant = Variant(Imap(old, "u1"), fresh)
            variant.expect_own(OLDER)
            after_every_deed(variant)


@case
def killed_where_the_tree_has_an_older_version():
    with Scratch() as folder:
        def fresh(name):
            corpus.write_maildir(f"{folder}/{name}", OLDER)
            return Maildir(f"{folder}/{name}")
        corpus.write_maildir(folder + "/source", NEWER)
        variant = Variant(Maildir(folder + "/source"), fresh)
        variant.expect_own(OLDER)
        after_every_deed(variant)


@case
def interrupted_at_random_instants():
    """SIGINT ends a run with a code of its own, and soon."""
    old, new = servers()
    with old, new:
        variant = Variant(filled(old), lambda name: Imap(new, name))
        dice, whole = random.Random(SEED), variant.undisturbed()

        def interrupt(bench, seconds):
            with Proxy(old.port) as relay:
                bench.source, plain = Imap(old, "u1", port=relay.port), bench.source
                first = bench.run(interrupt=(relay.connected, seconds), timeout=20)
                bench.source = plain
                assert first.code in (0, 6), "wanted exit code 6\n" + first.told()
                return first
        codes = in_parallel(lambda n=n, t=dice.uniform(0, whole): variant.disturbed(
            f"u-interrupted{n}", lambda bench: interrupt(bench, t)).code for n in range(INSTANTS // 2))
        print(f"# {codes.count(6)} of {len(codes)} runs were interrupted, seed {SEED}")
        assert codes.count(6) >= len(codes) / 4, f"only {codes.count(6)} runs were interrupted"
        variant.end()


def cut(capability, sides):
    """Cuts the destination's connection after a stored APPEND, and either side's after some octets."""
    old, new = servers(capability)
    with old, new:
        variant = Variant(filled(old), lambda name: Imap(new, name))
        dice = random.Random(SEED)
        proxies = [("unanswered", 2, {"cut_before_answer": ("APPEND", n)}) for n in (1, 2, 5)]
        for side in sides:
            proxies += [("octets", side, {"cut_after_octets": (who, int(10 ** dice.uniform(1, 5.5)))})
                        for who in ("client", "server") for _ in range(2 if SHORT else 6)]

        def through(bench, side, cutting):
            target = (old if side == 1 else new).port
            edit = without_appenduid() if side == 2 and capability is not None else None
            with Proxy(target, edit=edit, **cutting) as proxy:
                end = bench.source if side == 1 else bench.destination
                plain, cut_one = end, Imap(end.server, end.user, port=proxy.port)
                if side == 1:
                    bench.source = cut_one
                else:
                    bench.destination = cut_one
                try:
                    return bench.run(*NO_GRACE)
                finally:
                    if side == 1:
                        bench.source = plain
                    else:
                        bench.destination = plain
        in_parallel(lambda n=n, side=side, cutting=cutting: variant.disturbed(
            f"u-cut{n}", lambda bench: through(bench, side, cutting))
            for n, (_, side, cutting) in enumerate(proxies))
        variant.end()


@case
def cut_after_a_stored_append_and_after_any_octet():
    cut(None, (1, 2))


@case
def cut_against_servers_that_can_little():
    cut(BARE_CAPABILITY, (1, 2))


@case
def what_a_server_stores_after_the_client_died_is_found():
    """The next run starts at once, with its usual patience; the server stores what the first one sent later."""
    old, new = servers()
    with old, new, Proxy(new.port, hold=("APPEND", 1.0)) as slow:
        variant = Variant(filled(old), None)
        destination = Imap(new, "u-slow")
        with Bench(variant.source, Imap(new, "u-slow", port=slow.port)) as bench:
            first = bench.run(kill_after=1.0)
            assert first.code == -9 and slow.commands("APPEND"), first.told()
            bench.destination = destination
            second = bench.run().expect(0)
            assert slow.released.wait(30)
            bench.settle()
            try:
                expect_same(variant.before, destination.snapshot())
            except AssertionError as error:
                raise AssertionError(f"{error}\n{second.told()}") from None
        variant.end()


if __name__ == "__main__":
    print(f"# seed {SEED}")
    run_cases()
