#!/usr/bin/env python3
"""
--snapshot: each run leaves the tree as it is under its date, in hard links; --keep removes the oldest.
"""
import glob
import os
import re
import subprocess

import corpus
import reader
from harness import HOST, PASSWORD, Bench, Dovecot, Imap, Maildir, case, expect_same, in_namespace, run_cases

SMALL = 40


def snapshots(root):
    return sorted(glob.glob(root + "/snapshots/*"))


def inodes(root):
    """Base name -> inode of every message below a tree."""
    found = {}
    for part in ("cur", "new"):
        for path in glob.glob(f"{root}/{part}/*") + glob.glob(f"{root}/.[!.]*/{part}/*"):
            found[os.path.basename(path).split(":")[0]] = os.stat(path).st_ino
    return found


def append(server, n, folder="INBOX", seed=0):
    mails = [corpus.Mail(folder, b"Message-ID: <%d.%d@x>\r\nSubject: %d\r\n\r\n%s\r\n" % (seed, i, i, b"x" * 400),
                         [], [], 1_000_000_000 + i * 60, False) for i in range(n)]
    corpus.append(HOST, server.port, "u1", mails)


class Backup:
    """A server with some mail, and a tree into which it is backed up with --snapshot."""

    def __enter__(self):
        self.server = Dovecot().__enter__()
        append(self.server, SMALL)
        append(self.server, 5, "Archive/2019", seed=1)
        self.bench = Bench(Imap(self.server, "u1"), None, "--snapshot")
        self.root = os.path.join(self.bench.folder, "backup")
        self.bench.destination = Maildir(self.root)
        return self

    def __exit__(self, *why):
        self.bench.__exit__(*why)
        self.server.__exit__(*why)

    def run(self, *options, code=0):
        return self.bench.run(*options).expect(code)


@case
def each_run_leaves_a_tree_that_shares_what_did_not_change():
    with Backup() as backup:
        backup.run()
        first = reader.read_maildir(snapshots(backup.root)[0])
        expect_same(backup.bench.source.snapshot(), first, "the source and the first snapshot")
        append(backup.server, 3, seed=2)
        subprocess.run(["sh", "-c", f"cd {backup.root}/cur && set -- * && mv \"$1\" \"${{1%S}}FS\""], check=True)
        backup.run()
        one, two = snapshots(backup.root)
        assert re.search(r"/\d{8}T\d{6}Z$", one) and one < two, f"{one}, {two}"
        expect_same(first, reader.read_maildir(one), "the first snapshot before and after the second")
        expect_same(reader.read_maildir(backup.root), reader.read_maildir(two), "the tree and the second snapshot")
        old, new = inodes(one), inodes(two)
        assert len(old) == SMALL + 5 and len(new) == SMALL + 8, f"{len(old)}, {len(new)}"
        assert all(new[base] == inode for base, inode in old.items()), "what did not change takes room twice"


@case
def the_tree_that_has_snapshots_shows_none_of_them_as_folders():
    with Backup() as backup, Dovecot() as other:
        backup.run()
        backup.run().expect_totals(copied=0)
        tree = reader.read_maildir(backup.root)
        os.makedirs(os.path.dirname(other.maildir("u1")), exist_ok=True)
        subprocess.run(["cp", "-a", backup.root, other.maildir("u1")], check=True)
        other.adopt("u1")
        served = reader.read_imap(HOST, other.port, "u1", PASSWORD)
        assert served.folders == tree.folders, f"{served.folders} and {tree.folders}"
        assert len(served) == SMALL + 5


@case
def a_snapshot_is_restored_like_any_maildir():
    with Backup() as backup, Dovecot() as empty:
        backup.run()
        append(backup.server, 3, seed=3)
        backup.run()
        first = snapshots(backup.root)[0]
        wanted = reader.read_maildir(first)
        with Bench(Maildir(first), Imap(empty, "u1")) as restore:
            restore.run().expect(0).expect_totals(copied=SMALL + 5)
            expect_same(wanted, restore.destination.snapshot())


@case
def keep_removes_the_oldest_and_nothing_else():
    with Backup() as backup:
        for _ in range(3):
            backup.run()
        names = snapshots(backup.root)
        os.mkdir(backup.root + "/snapshots/mine")
        backup.run("--keep", "2")
        left = snapshots(backup.root)
        assert [name for name in left if name in names] == names[2:], f"{names} became {left}"
        assert len(left) == 3 and left[-1].endswith("/mine"), f"{left}"


@case
def what_was_cut_short_is_cleared_and_does_not_count():
    with Backup() as backup:
        backup.run()
        for name in (".making-20200101T000000Z", ".removing-20200101T000000Z"):
            subprocess.run(["cp", "-al", snapshots(backup.root)[0], f"{backup.root}/snapshots/{name}"], check=True)
        backup.run("--keep", "2")
        assert sorted(os.listdir(backup.root + "/snapshots")) == [os.path.basename(s) for s in snapshots(backup.root)]
        assert len(snapshots(backup.root)) == 2


@case
def a_snapshot_that_cannot_be_made_is_told_and_not_there():
    with Backup() as backup:
        dry = backup.bench.run("--dry")
        assert dry.code == 0
        assert not os.path.exists(backup.root), "a dry run has made something"
        os.makedirs(backup.root + "/cur")
        os.makedirs(backup.root + "/snapshots")
        wrap = in_namespace(f"mount -t tmpfs none {backup.root}/snapshots")
        run = backup.bench.run(wrap=wrap)
        assert run.code == 102 and "hard link" in run.err, run.told()
        assert snapshots(backup.root) == [] and len(reader.read_maildir(backup.root)) == SMALL + 5


@case
def keep_without_snapshots_is_refused():
    with Backup() as backup:
        backup.bench.options = ()
        run = backup.bench.run("--keep", "3")
        assert run.code == 64 and "snapshot" in run.err, run.told()


if __name__ == "__main__":
    run_cases()
