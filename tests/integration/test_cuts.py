#!/usr/bin/env python3
"""
Cut after any answer of a server, with a BYE and without: the network's twin of test_kill.py.

A relay passes the first n answers that a side gives in a whole run, over however many connections, and ends the
connection on which the next one comes. The run has its retries: it ends well, both sides are the same, and a
further run finds nothing to do. Only a server that greets by saying that it is closing down is left alone, with
one line that says so. --long tries every n; MAILHAUL_TEST_SEED repeats a run's choice.
"""
import contextlib
import os
import random

from harness import (BARE_CAPABILITY, HOST, LONG, NO_GRACE, SHORT, Bench, Dovecot, Imap, case, expect_same,
                     expect_untouched, in_parallel, run_cases)
import corpus
from servers.proxy import CutAfter, Proxy, without_appenduid

SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
POINTS = 6 if SHORT else 10**9 if LONG else 14  # of one way to be cut
FOLDERS = ("INBOX", "Archive/2019", "日本語/受信", "a b  c")
BYE = b"* BYE Server shutting down.\r\n"


class InTurn:
    """An edit for Proxy made of several, each of which sees what the one before leaves."""

    def __init__(self, edits):
        self._edits = edits

    def __call__(self, answer):
        for edit in self._edits:
            answer = edit(answer) if answer else answer
        return answer


class Move:
    """One account that moves to a fresh user, again and again, each time disturbed in another way."""

    def __init__(self, old, new, nameless=False):
        """nameless: the destination tells no UIDs of what it is given."""
        self._old, self._new, self._nameless = old, new, nameless
        corpus.append(HOST, old.port, "u1", corpus.made_up(40, seed=11, folders=FOLDERS, largest=300_000))
        self.source = Imap(old, "u1")
        self.before = self.source.snapshot()

    def run(self, user, side, edit=None, turned_away=(), options=(), **cutting):
        """
        A run in which this side's answers pass through `edit`, or a relay that is `cutting` otherwise, and one after
        it that is left alone. turned_away: exit codes with which the first one may end before it has begun. Returns
        that one's result, and the relay.
        """
        nameless = [without_appenduid()] if self._nameless and side == 2 else []
        edits = nameless + ([edit] if edit is not None else [])
        destination = Imap(self._new, user)
        with Proxy((self._old if side == 1 else self._new).port, edit=InTurn(edits) if edits else None, **cutting) as way, \
                Proxy(self._new.port, edit=without_appenduid() if self._nameless else None) as plain:
            ends = Imap(self._old, "u1"), Imap(self._new, user, port=plain.port)
            with Bench(*ends, *options) as bench:
                if side == 1:
                    bench.source = Imap(self._old, "u1", port=way.port)
                else:
                    bench.destination = Imap(self._new, user, port=way.port)
                first = bench.run()
                if first.code in turned_away and len(first.error_lines()) == 1:
                    assert len(destination.snapshot()) == 0, first.told()
                    bench.source, bench.destination = ends
                    bench.run().expect(0)
                else:
                    self._expect_moved(destination, first, "the run that was cut")
                bench.source, bench.destination = ends
                again = bench.run(*NO_GRACE)
                assert again.code == 0 and again.totals()["copied"] == 0, f"{first.told()}\n{again.told()}"
                self._expect_moved(destination, again, "the run after it")
        destination.forget()
        return first, way

    def _expect_moved(self, destination, run, what):
        assert run.code == 0, f"{what}, seed {SEED}\n{run.told()}"
        run.expect_balance()
        copied = run.totals()["copied"]
        run.expect_totals(source=len(self.before), already_there=len(self.before) - copied)
        try:
            expect_same(self.before, destination.snapshot())
        except AssertionError as error:
            raise AssertionError(f"{what}, seed {SEED}: {error}\n{run.told()}") from None


@contextlib.contextmanager
def moving(capability=None):
    with Dovecot(separator=".", prefix="INBOX.", capability=capability) as old, Dovecot(capability=capability) as new:
        move = Move(old, new, nameless=capability is not None)
        yield move
        expect_untouched(move.before, move.source.snapshot())


def after_any_answer(capability=None):
    dice, jobs, edits = random.Random(SEED), [], []
    with moving(capability) as move:
        for side in (1, 2):
            counter = CutAfter(10**9)
            move.run(f"u-counted{side}", side, counter)
            for how, bye in (("cut", b""), ("bye", BYE)):
                points = list(range(counter.count))
                if len(points) > POINTS:  # the beginning, where each answer is of its own kind, and some of the rest
                    points = points[:POINTS // 2] + dice.sample(points[POINTS // 2:], POINTS - POINTS // 2)
                jobs += [(f"u-{how}{side}-{n}", side, n, bye) for n in points]

        def disturb(user, side, n, bye):
            edits.append(CutAfter(n, bye))
            move.run(user, side, edits[-1], turned_away=(69, 100 + side) if n == 0 and bye else ())
        in_parallel(lambda job=job: disturb(*job) for job in jobs)
        cut = sum(edit.cuts for edit in edits)
        print(f"# {cut} of {len(jobs)} runs were cut, seed {SEED}")
        assert cut >= len(jobs) * 0.8, f"only {cut} of {len(jobs)} runs were cut"


@case
def cut_after_any_answer():
    after_any_answer()


@case
def cut_after_any_answer_of_servers_that_can_little():
    after_any_answer(BARE_CAPABILITY)


@case
def cut_again_and_again():
    """A server that hangs up every few messages is left and come back to, as long as each time brings some over."""
    with moving() as move:
        for side, counted, cuts in ((1, rb"\A\* \d+ FETCH .*BODY\[\]", 3), (2, rb"APPENDUID", 1)):
            edit = CutAfter(9, BYE if side == 1 else b"", again=True, counted=counted)
            first, _ = move.run(f"u-again{side}", side, edit, options=("--no-ext2", "MULTIAPPEND"))
            assert edit.cuts >= cuts, f"cut {edit.cuts} times\n{first.told()}"


@case
def a_server_that_always_hangs_up_is_given_up():
    with moving() as move:
        for n in (0, 1, 3):
            with Proxy(move.source.server.port, edit=CutAfter(n, again=True)) as way, \
                    Bench(Imap(move.source.server, "u1", port=way.port), Imap(move.source.server, "u2")) as bench:
                result = bench.run(timeout=30)
                assert result.code == 101 and "closed" in result.error_lines()[-1], result.told()
                assert way.connections() <= 4, f"{way.connections()} connections\n{result.told()}"


def lost_answers(capability, *options):
    with moving(capability) as move:
        for n in (1, 2, 3):
            first, way = move.run(f"u-lost{n}", 2, options=options, cut_before_answer=("APPEND", n))
            assert way.cuts == 1, first.told()


@case
def a_lost_answer_to_append_doubles_nothing():
    lost_answers(None)
    lost_answers(None, "--no-ext2", "MULTIAPPEND")


@case
def a_lost_answer_to_append_without_UIDPLUS_doubles_nothing():
    lost_answers(BARE_CAPABILITY)


if __name__ == "__main__":
    print(f"# seed {SEED}")
    run_cases()
