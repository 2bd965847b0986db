#!/usr/bin/env python3
"""
A mailbox moves away from a real POP3 server by --delete1 and the run is killed at random instants: at each, no message
is gone from both sides; and after the next run each is at the destination once, and none at the server. Where messages
that are the same share a UIDL (popa3d), those stay, and the run says so.

MAILHAUL_TEST_SEED repeats a run's instants; --long tries more.
"""
import collections
import os
import random

from harness import LONG, NO_GRACE, SHORT, Bench, Maildir, Scratch, case, in_parallel, run_cases
from popmail import held, mail
from popside import Pop, arrived, lying_in, octets_of, opened, settled
from reader import maildir_octets
from servers.private import USERS

COUNT = 65 if SHORT else 150  # number 60 is the same as the one before it
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
INSTANTS = 5 if SHORT else 50 if LONG else 30


def killed_at_instants(name):
    dice, mails = random.Random(SEED), list(mail(COUNT))
    with opened(name) as (kind, server), Scratch() as folder:
        kind.give(server, "u1", mails)
        kind.age(server, "u1")
        settled(kind, server, "u1")
        code, stay = (121, [mails[59].octets, mails[60].octets]) if kind.twins else (0, [])
        with Bench(Pop(server, "u1"), Maildir(folder + "/whole"), "--delete1") as bench:
            whole = bench.run(*NO_GRACE).expect(code).expect_totals(copied=COUNT).seconds
            assert [octets for _, octets in held(server.pop_port, "u1")] == stay, "not deleted, or too much"

        def killed(number, moment):
            """Whether it was killed, and whether anything was still to be deleted then."""
            user, root = USERS[2 + number], f"{folder}/{number}"
            kind.give(server, user, mails)
            kind.age(server, user)
            wanted = octets_of(settled(kind, server, user))
            with Bench(Pop(server, user), Maildir(root), "--delete1") as bench:
                first = bench.run(*NO_GRACE, kill_after=moment)
                kind.age(server, user)
                left = octets_of(held(server.pop_port, user))  # before what arrived: a server may still be deleting
                there = collections.Counter(maildir_octets(path) for path in lying_in(root).values())
                assert not wanted - left - there, \
                    f"instant {number}: {sum((wanted - left - there).values())} messages are gone\n{first.told()}"
                done = bench.run(*NO_GRACE)
                assert done.code == code, f"instant {number}: the run after it fails\n{first.told()}\n{done.told()}"
                got = octets_of(arrived(root))
                assert got == wanted, f"instant {number}: missing {sum((wanted - got).values())}, too many " \
                                      f"{sum((got - wanted).values())}\n{first.told()}\n{done.told()}"
                kind.age(server, user)
                assert [octets for _, octets in held(server.pop_port, user)] == stay, f"instant {number}\n{done.told()}"
            return first.code == -9, len(left) > len(stay)

        # Most of a popa3d's time is a second that it waits before it answers QUIT.
        moments = [whole * 1.1 * dice.random() ** (3 if kind.twins else 1) for _ in range(INSTANTS)]
        ended = in_parallel(lambda number=number, moment=moment: killed(number, moment)
                            for number, moment in enumerate(moments))
        count = sum(was_killed for was_killed, _ in ended)
        print(f"# {count} of {INSTANTS} runs were killed, {sum(before for _, before in ended)} before all was deleted, "
              f"within {whole:.3f} s, seed {SEED}")
        assert count >= INSTANTS / 4, f"only {count} runs were killed"


@case
def a_dovecot_is_emptied_whenever_the_run_is_killed():
    killed_at_instants("dovecot")


@case
def a_cyrus_is_emptied_whenever_the_run_is_killed():
    killed_at_instants("cyrus")


@case
def a_courier_is_emptied_whenever_the_run_is_killed():
    killed_at_instants("courier")


@case
def a_mailutils_is_emptied_whenever_the_run_is_killed():
    killed_at_instants("mailutils")


@case
def a_popa3d_is_emptied_whenever_the_run_is_killed():
    killed_at_instants("popa3d")


if __name__ == "__main__":
    run_cases()
