#!/usr/bin/env python3
"""
Killed after each file operation of a delivery into a Maildir: nothing is half there, nothing is lost, and
the next run doubles nothing and clears away what was left.

kill-at (beside this file) kills after the Nth operation below the tree; without ptrace the cases are
skipped. By default a sample of all N, --long all of them; MAILHAUL_TEST_SEED repeats a run's.
"""
import glob
import imaplib
import os
import random
import shutil
import subprocess

import corpus
import reader
from harness import (LONG, NO_GRACE, PASSWORD, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case, expect_same,
                     expect_untouched, in_parallel, run_cases)

KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
# A program that is traced cannot look for leaks.
NO_LEAKS = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
POINTS = 10**9 if LONG else 12 if SHORT else 40
FOLDERS = ("INBOX", "Archive/2019", "日本語/受信")


def mailbox():
    """
    Some folders, flags, more keywords than a Maildir has letters, and all forms of line ends; one message takes
    several writes.
    """
    mails = list(corpus.made_up(25, seed=11, folders=FOLDERS, largest=700_000))
    many = [f"word{n}" for n in range(28)]
    for n, body in enumerate((b"a\r\nb", b"a\r\r\nb\r\n", b"lone \r here", b"")):
        octets = b"Message-ID: <ends%d@kill.example>\r\nSubject: ends %d\r\n\r\n" % (n, n) + body
        mails.append(corpus.Mail("INBOX", octets, ["\\Seen"], many if n == 0 else ["work"], 1_000_000_000 + n, False))
    return mails


def left_in_tmp(root):
    return glob.glob(root + "/tmp/*") + glob.glob(root + "/.*/tmp/*")


def kill(bench, number):
    """Runs it, killed after operation `number`; 0 lets it run. Returns how it ended, and how many there were."""
    told = bench.folder + "/operations"
    run = bench.run(*NO_GRACE, "--lanes", "1",
                    wrap=("env", NO_LEAKS, "sh", "-c", 'exec 3>"$0"; exec "$@"', told, KILL_AT, "-f", str(number),
                          bench.destination.path))
    with open(told, encoding="ascii") as numbers:
        words = numbers.read().split()
    return run, int(words[3]) if words else 0


class Trial:
    """A source, and fresh trees to copy it to."""

    def __init__(self, server, *options):
        if subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skip("ptrace is not allowed here, or kill-at is not built")
        self._server, self._options = server, options
        self.source = Imap(server, "u1")
        self.before = self.source.snapshot()

    def bench(self, name, prepare=None):
        destination = Maildir(f"{self._server.state}/{name}")
        bench = Bench(self.source, destination, *self._options)
        if prepare:
            prepare(bench)
        return bench

    def attempt(self, number, prepare=None):
        """Killed after operation `number`, and run again. Returns whether it was."""
        with self.bench(f"tree{number}", prepare) as bench:
            tree = bench.destination
            first, _ = kill(bench, number)
            try:
                if os.path.isdir(tree.path + "/cur"):  # the first thing that can be seen
                    self.expect_nothing_half(tree)
                again = bench.run(*NO_GRACE).expect(0)
                expect_same(self.before, tree.snapshot())
                left = left_in_tmp(tree.path)
                assert not left, f"left in tmp: {left}"
                bench.run(*NO_GRACE).expect(0).expect_totals(copied=0, already_there=len(self.before))
            except AssertionError as error:
                raise AssertionError(f"killed after operation {number}: {error}\n{first.told()}") from None
            finally:
                tree.forget()
            return first.code == 137

    def expect_nothing_half(self, tree):
        """What is seen is of the source: octets, flags, keywords and date; and no more of it than there."""
        extra = tree.snapshot().entries - self.before.entries
        assert not extra, f"seen after the kill and not at the source: {sorted(extra, key=str)[:3]}"

    def all_points(self, prepare=None):
        with self.bench("counted", prepare) as bench:
            run, count = kill(bench, 0)
            run.expect(0)
            expect_same(self.before, bench.destination.snapshot())
            bench.destination.forget()
        points = list(range(1, count + 1))
        chosen = points if count <= POINTS else sorted(random.Random(SEED).sample(points, POINTS))
        killed = in_parallel(lambda n=n: self.attempt(n, prepare) for n in chosen).count(True)
        print(f"# {killed} runs were killed, each after another of {count} file operations, seed {SEED}")
        assert killed >= len(chosen) * 0.9, f"only {killed} of {len(chosen)} runs were killed"
        expect_untouched(self.before, self.source.snapshot())


@case
def killed_after_every_file_operation_of_a_first_copy():
    with Dovecot() as server:
        corpus.append("127.0.0.1", server.port, "u1", mailbox())
        Trial(server).all_points()


@case
def killed_after_every_file_operation_where_each_message_is_synced_and_verified():
    with Dovecot() as server:
        corpus.append("127.0.0.1", server.port, "u1", mailbox()[:12 if SHORT else 20])
        Trial(server, "--fsync2", "always", "--verify2").all_points()


def change_flags(server):
    """Of every third message: what one run copied, the next finds with other flags and keywords."""
    with imaplib.IMAP4("127.0.0.1", server.port) as imap:
        imap.login("u1", PASSWORD)
        for folder in FOLDERS:
            exists = int(imap.select('"' + reader.encode_mutf7(folder) + '"')[1][0])
            numbers = ",".join(str(n) for n in range(1, exists + 1, 3))
            imap.store(numbers, "+FLAGS.SILENT", "(\\Flagged later)")
            imap.store(numbers, "-FLAGS.SILENT", "(\\Seen work)")


@case
def killed_after_every_file_operation_of_a_later_run():
    """What is new comes into a tree that holds the rest, whose flags and keywords changed since."""
    mails = mailbox()
    with Dovecot() as server, Scratch() as folder:
        corpus.append("127.0.0.1", server.port, "u1", mails[::2])
        with Bench(Imap(server, "u1"), Maildir(folder + "/tree")) as bench:
            bench.run(*NO_GRACE).expect(0)
            shutil.copytree(bench.state, folder + "/state")
        change_flags(server)
        corpus.append("127.0.0.1", server.port, "u1", mails[1::2])

        def prepare(bench):
            shutil.copytree(folder + "/tree", bench.destination.path)
            shutil.copytree(folder + "/state", bench.state)
        trial = Trial(server)
        trial.expect_nothing_half = lambda tree: expect_bodies_of(trial.before, tree)
        trial.all_points(prepare)


def expect_bodies_of(before, tree):
    """Flags may be the old ones or the new."""
    extra = tree.snapshot().bodies() - before.bodies()
    assert not extra, f"seen after the kill and not at the source: {sorted(extra, key=str)[:3]}"


if __name__ == "__main__":
    print(f"# seed {SEED}")
    run_cases()
