#!/usr/bin/env python3
"""
undo: what a run has added to the destination goes, and nothing else; the runs are listed; a later run copies it again.
"""
import os
import subprocess

from harness import Bench, Imap, Maildir, Result, case, environment, expect_same, run_cases
from pair import BRIDGE, Pair, held, mail
from servers.mailstore import Message


def undo(bench, *words, code=0):
    """words: the run, and options."""
    numbers = [word for word in words if word.isdigit()]
    options = [word for word in words if not word.isdigit()]
    command = bench.command(*options, word="undo")
    command[2:2] = numbers
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
                          env=environment(bench.folder))
    result = Result(command, done.returncode, done.stdout, done.stderr, 0)
    assert result.code == code, result.told()
    return result


def told(result):
    return {name: result.events[-1][name] for name in ("removed", "absent", "kept")}


def runs(result):
    return [(event["run"], event["added"], event["undone"] is not None) for event in result.events
            if event["event"] == "run"]


@case
def each_run_is_taken_back_alone():
    for capabilities in (None, BRIDGE):
        with Pair(destination=capabilities) as pair:
            bench = pair._bench
            pair.fill(5)
            pair.copy.add(Message(mail(100)))  # of others
            pair.copy.add(Message(mail(0)))  # found, not added
            start = held(pair.destination)
            pair.run(copied=4)
            first = held(pair.destination)
            pair.fill(3, first=20)
            pair.run(copied=3)
            pair.run(copied=0)
            assert runs(undo(bench)) == [(1, 4, False), (2, 3, False)]
            before = len(pair.destination.log)
            assert told(undo(bench, "2", "--dry")) == {"removed": 3, "absent": 0, "kept": 0}
            said = [each.text.upper() for each in pair.destination.log[before:]]
            assert not [text for text in said if "EXPUNGE" in text or "STORE" in text or "SELECT" in text.split()[:2]]
            assert told(undo(bench, "2")) == {"removed": 3, "absent": 0, "kept": 0}
            assert held(pair.destination) == first
            assert told(undo(bench, "1")) == {"removed": 4, "absent": 0, "kept": 0}
            assert held(pair.destination) == start
            assert runs(undo(bench)) == [(1, 0, True), (2, 0, True)]
            pair.run(copied=7)
            assert len(held(pair.destination)) == 9
            undo(bench, "7", code=64)


@case
def a_maildir_is_as_it_was():
    with Pair() as pair:
        pair.fill(6)
        path = os.path.join(pair._bench.folder, "tree")
        bench = Bench(Imap(pair.source, "u1"), Maildir(path))
        with bench:
            bench.run().expect().expect_totals(copied=6)
            first = bench.destination.snapshot()
            pair.fill(2, first=50)
            bench.run().expect().expect_totals(copied=2)
            assert told(undo(bench, "2")) == {"removed": 2, "absent": 0, "kept": 0}
            expect_same(first, bench.destination.snapshot())
            bench.run().expect().expect_totals(copied=2)


if __name__ == "__main__":
    run_cases()
