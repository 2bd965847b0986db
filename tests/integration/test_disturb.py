#!/usr/bin/env python3
"""
Whatever befalls a run, killed, cut off, unanswered, once or again and again: the next one ends where an undisturbed one
would have (disturb.py). Nothing is lost, nothing is doubled, and a run that says it is done has everything over.

A sample of the instants, chosen by a seed, a stratum at a time; --long tries all of them. MAILHAUL_TEST_SEED repeats a
run's choice. Without ptrace nothing is killed in the midst of system calls.
"""
import collections
import random

from blows import (BYE, cut_after_answer, cut_after_octets, cut_before_command, killed_after, killed_after_deed,
                   killed_before_command, rerun_while_storing, restarted, unanswered_append)
from disturb import (SEED, PopInbox, Trial, beside_an_older_version, between_servers, by_pop3, can_kill_at,
                     into_a_tree)
from harness import BARE_CAPABILITY, LONG, SHORT, Maildir, case, in_parallel, run_cases
from servers.proxy import CutAfter

KIB = 1024
EACH = 128 * KIB if LONG else 1024 * KIB  # between the points at which each connection is cut
INSTANTS_S = 0.05  # how long a run takes
STAGES = 12   # commands of a run until it has looked for what an earlier one had sent
HISTORIES = 200 if LONG else 16
SHARE = 4 if SHORT else 1  # of the sample that is tried


def spread(count, n, dice):
    """Of 1..count all, or one at random of each of n equal strata."""
    n = max(n // SHARE, 1)
    if LONG or count <= n:
        return list(range(1, count + 1))
    edges = [1 + count * i // n for i in range(n + 1)]
    return [dice.randrange(edges[i], max(edges[i + 1], edges[i] + 1)) for i in range(n)]


def kibs(octets, n, dice):
    """Likewise of the KiB of a stream of octets, and the very first; where there are many, finer at the beginning."""
    every = [k for k in range(octets // KIB + 2) if k < 64 or k % 16 == 0]
    return [every[i - 1] * KIB + 7 for i in spread(len(every), n, dice)]


def ends_of(way):
    """The sides that are servers, and whether they speak POP3."""
    ends = ((1, way.source), (2, way.destination))
    return [(side, isinstance(make("u1"), PopInbox)) for side, make in ends if not isinstance(make("u1"), Maildir)]


def blows(way, dice):
    """(kind, what, blow) of all that is done to one connection or process, once."""
    if can_kill_at():
        yield from (("killed", f"deed{n}", killed_after_deed(n)) for n in spread(way.deeds, 24, dice))
    yield from (("instant", f"instant{n}", killed_after(dice.uniform(0, INSTANTS_S))) for n in range(4 // SHARE))
    for kind, blow in (("killed", killed_before_command), ("cut", cut_before_command)):
        yield from ((kind, f"command-{kind}{n}", blow(n)) for n in spread(way.commands, 12, dice))
    for side, pop3 in ends_of(way):
        for who in ("client", "server"):
            points = kibs(way.octets[side, who], 4, dice)
            yield from (("cut", f"octets-{side}-{who}-{n}", cut_after_octets(side, who, n)) for n in points)
            if (side, who) in ((1, "server"), (2, "client")):
                yield from (("cut-each", f"each-{side}-{who}-{n}", cut_after_octets(side, who, n, each=True))
                            for n in range(way.octets[side, who] // 4, way.octets[side, who], EACH))
        if not pop3:
            yield from (("cut", f"answer-{side}-{n}", cut_after_answer(side, n, BYE if n % 2 else b""))
                        for n in spread(way.answers[side], 8, dice))
        if side == 2:
            for options in ((), ("--no-ext2", "MULTIAPPEND")):
                yield from (("unanswered", f"unanswered{n}{'-'.join(options)}", unanswered_append(n, *options))
                            for n in spread(way.appends[options], 3, dice))


def hit(way, name, blow):
    with Trial(way, "u-" + name) as trial:
        code = trial.suffer(blow).code
        trial.judge()
        return code


def one_blow(way):
    dice, kinds = random.Random(SEED), collections.Counter()
    jobs = list(blows(way, dice))
    codes = in_parallel((lambda job=job: f"{job[0]}, code {hit(way, *job[1:])}" for job in jobs), workers=4)
    kinds.update(codes)
    print(f"# {len(jobs)} runs of {way.deeds} deeds and {way.commands} commands, seed {SEED}: "
          + "; ".join(f"{what}: {n}" for what, n in sorted(kinds.items())))
    killed = sum(n for what, n in kinds.items() if what.startswith("killed,") and what.split()[-1] in ("137", "-9"))
    assert killed >= sum(kind == "killed" for kind, _, _ in jobs) * 0.7, f"only {killed} runs were killed"


@case
def between_servers_whatever_happens_once():
    with between_servers() as way:
        one_blow(way)


@case
def between_servers_that_can_little_whatever_happens_once():
    with between_servers(BARE_CAPABILITY) as way:
        one_blow(way)


@case
def into_a_tree_whatever_happens_once():
    with into_a_tree() as way:
        one_blow(way)


@case
def by_pop3_whatever_happens_once():
    with by_pop3() as way:
        one_blow(way)


@case
def what_a_killed_run_meant_to_deliver_is_not_taken_for_what_was_there_before():
    for more in ({"capability": BARE_CAPABILITY}, {}, {"into_tree": True}):
        with beside_an_older_version(**more) as way:
            dice = random.Random(SEED)
            jobs = [(f"deed{n}", killed_after_deed(n)) for n in spread(way.deeds if can_kill_at() else 0, 24, dice)]
            jobs += [(f"command{n}", killed_before_command(n)) for n in spread(way.commands, 12, dice)]
            codes = in_parallel((lambda job=job: hit(way, *job) for job in jobs), workers=4)
            print(f"# {sum(code in (137, -9) for code in codes)} of {len(jobs)} runs were killed, seed {SEED}")


# ---- the next run begins while a server is still at work ----

def at_once(way):
    """With its usual patience, a run finds what a server stores meanwhile."""
    dice = random.Random(SEED)
    appends = spread(way.appends[()], 3, dice)
    jobs = [(n, stage) for n in appends[::1 + len(appends) // 8] for stage in spread(STAGES, 3, dice)]

    def hit_at_once(n, stage):
        with Trial(way, f"u-late{n}-{stage}") as trial:
            trial.suffer(rerun_while_storing(n, stage))
            trial.judge()
            return [run.code for run in trial.told[:2]]
    codes = in_parallel((lambda job=job: hit_at_once(*job) for job in jobs), workers=4)
    killed = codes.count([-9, 0])
    print(f"# {killed} of {len(jobs)} runs were killed within an APPEND, seed {SEED}")
    assert killed >= 1 and codes.count([0, 0]) == len(codes) - killed, codes


@case
def a_run_that_begins_at_once_finds_what_is_still_being_stored():
    with between_servers() as way:
        at_once(way)


@case
def so_it_does_where_servers_can_little():
    with between_servers(BARE_CAPABILITY) as way:
        at_once(way)


@case
def so_it_does_by_pop3():
    with by_pop3() as way:
        at_once(way)


# ---- servers that go away ----

@case
def a_server_that_goes_away_comes_back():
    for open_way in (between_servers, into_a_tree, by_pop3):
        with open_way() as way:
            dice, codes = random.Random(SEED), []
            for side, _ in ends_of(way):
                # One at a time: it is the server of all.
                for n in spread(way.commands * 2 // 3 // len(ends_of(way)), 3, dice):
                    codes.append(hit(way, f"restart{side}-{n}", restarted(side, n)))
            print(f"# restarted, codes {codes}, seed {SEED}")


# ---- several in one history ----

@case
def whatever_happens_again_and_again():
    """A run is hit, the next one, too, and another; some wait until servers are done with the one before."""
    for open_way in (between_servers, into_a_tree, by_pop3):
        with open_way() as way:
            dice = random.Random(SEED)
            all_blows = [blow for blow in blows(way, dice) if blow[0] != "cut-each"]
            stories = [[(dice.choice(all_blows), dice.random() < 0.3) for _ in range(dice.randrange(2, 5))]
                       for _ in range(HISTORIES // SHARE)]

            def live_through(number, story):
                with Trial(way, f"u-story{number}") as trial:
                    trial.name += ": " + ", ".join(what + (" at once" if soon else "") for (_, what, _), soon in story)
                    codes = [trial.suffer(blow, at_once=soon).code for (_, _, blow), soon in story]
                    trial.judge()
                    return codes
            codes = in_parallel((lambda n=n, story=story: live_through(n, story) for n, story in enumerate(stories)),
                                workers=6)
            print(f"# {len(codes)} histories of {sum(map(len, codes))} disturbed runs, seed {SEED}")


# ---- mail that leaves the source ----

def moves(way):
    """At every instant each message is on one side at least."""
    dice = random.Random(SEED)
    deeds = spread(way.deeds, 24, dice) + [way.deeds + 1 - n for n in spread(way.deeds // 4, 16, dice)]
    jobs = [(f"deed{n}", killed_after_deed(n)) for n in (sorted(set(deeds)) if can_kill_at() else ())]
    for kind, blow in (("killed", killed_before_command), ("cut", cut_before_command)):
        jobs += [(f"command-{kind}{n}", blow(n)) for n in spread(way.commands, 12, dice)]
    codes = in_parallel((lambda job=job: hit(way, *job) for job in jobs), workers=4)
    print(f"# {len(jobs)} moves of {way.deeds} deeds and {way.commands} commands, seed {SEED}: "
          f"{sum(code in (137, -9) for code in codes)} killed")


@case
def nothing_is_ever_gone_from_both_sides():
    with between_servers(moves=True) as way:
        moves(way)


@case
def nothing_is_ever_gone_from_both_sides_by_pop3():
    with by_pop3(moves=True) as way:
        moves(way)


# ---- again and again ----

@case
def cut_every_few_messages_a_run_still_arrives():
    """A server that hangs up every few messages is left and come back to, as long as each time brings some over."""
    with between_servers() as way:
        for side, counted, cuts in ((1, rb"\A\* \d+ FETCH .*BODY\[\]", 3), (2, rb"APPENDUID", 1)):
            edit = CutAfter(9, BYE if side == 1 else b"", again=True, counted=counted)
            with Trial(way, f"u-again{side}") as trial:
                relay = {"edit": edit}
                with trial.relayed(relay if side == 1 else None, relay if side == 2 else {}):
                    trial.run("--no-ext2", "MULTIAPPEND", grace=True).expect(0)
                assert edit.cuts >= cuts, f"cut {edit.cuts} times\n{trial.told[0].told()}"


@case
def a_server_that_always_hangs_up_is_given_up():
    with between_servers() as way:
        for n in (0, 1, 3):
            with Trial(way, f"u-hopeless{n}") as trial:
                with trial.relayed({"edit": CutAfter(n, again=True)}) as (relay, _):
                    result = trial.run(timeout=30)
                assert result.code == 101 and "closed" in result.error_lines()[-1], result.told()
                assert relay.connections() <= 4, f"{relay.connections()} connections\n{result.told()}"


@case
def a_server_that_closes_down_is_left_alone():
    """What greets with a BYE has no mail for us now: one line says so."""
    with between_servers() as way:
        def turned_away(side):
            with Trial(way, f"u-bye{side}") as trial:
                result = trial.suffer(cut_after_answer(side, 0, BYE))
                assert result.code in (0, 69, 100 + side), result.told()
                assert result.code == 0 or len(result.error_lines()) == 1, result.told()
                trial.judge()
        in_parallel(lambda side=side: turned_away(side) for side in (1, 2))


@case
def interrupted_at_random_instants():
    """SIGINT ends a run with a code of its own, and soon."""
    with between_servers() as way:
        dice = random.Random(SEED)

        def interrupt(number, seconds):
            with Trial(way, f"u-interrupted{number}") as trial:
                with trial.relayed({}, {}) as (relay, _):
                    run = trial.run(interrupt=(relay.connected, seconds), timeout=20)
                assert run.code in (0, 6), "wanted exit code 6\n" + run.told()
                trial.bench.settle()
                trial.judge()
                return run.code
        codes = in_parallel(lambda n=n, t=dice.uniform(0, INSTANTS_S): interrupt(n, t) for n in range(24 // SHARE))
        print(f"# {codes.count(6)} of {len(codes)} runs were interrupted, seed {SEED}")
        assert codes.count(6) >= len(codes) / 4, f"only {codes.count(6)} runs were interrupted"


if __name__ == "__main__":
    print(f"# seed {SEED}")
    run_cases()
