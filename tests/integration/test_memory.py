#!/usr/bin/env python3
"""
Memory and spool stay bounded, whatever the size of a message.
"""
import os
import subprocess

from harness import SHORT, Bench, Dovecot, Imap, Maildir, Scratch, case, in_namespace, run_cases
import corpus
from peak import LIMIT_KIB, peak_of

BIG = (60 if SHORT else 500) << 20
LINE = b"This line has sixty-four octets with its end, and many brothers\n"


def big_tree(root, size):
    """A Maildir with a big message between small ones, written without holding it in memory."""
    corpus.write_maildir(root, corpus.made_up(40, seed=9, folders=("INBOX",), largest=5000))
    name = f"{root}/cur/1200000000.M1P1.big"
    head = b"Message-ID: <big@corpus.example>\nSubject: big\n\n"
    with open(name, "wb") as out:
        out.write(head)
        block = LINE * 16384
        for _ in range(size // len(block)):
            out.write(block)
        lines = size // len(block) * 16384
        octets, wide = out.tell(), out.tell() + 3 + lines
    os.rename(name, f"{name},S={octets},W={wide}:2,S")
    os.utime(f"{name},S={octets},W={wide}:2,S", (1200000000, 1200000000))
    return wide


def on_disk(root):
    """Sizes of the files of a tree."""
    return sorted(os.path.getsize(os.path.join(folder, name)) for part in ("cur", "new")
                  for folder, _, names in os.walk(f"{root}/{part}") for name in names)


def check(result, peak, count):
    result.expect(0).expect_totals(source=count, copied=count)
    if "SAN_OPTIONS" not in " ".join(os.environ):
        assert peak <= LIMIT_KIB, f"peak memory {peak} KiB, allowed {LIMIT_KIB}\n" + result.told()
    print(f"# peak memory {peak} KiB, {result.seconds:.1f} s")


@case
def a_huge_message_passes_between_servers_in_little_memory():
    with Dovecot() as old, Dovecot() as new:
        big_tree(old.maildir("u1"), BIG)
        old.adopt("u1")
        with Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            result, peak = peak_of(bench)
            check(result, peak, 41)
        assert on_disk(new.maildir("u1"))[-1] >= BIG - len(LINE) * 16384


@case
def a_huge_message_passes_from_tree_to_tree_in_little_memory():
    with Scratch() as folder:
        big_tree(folder + "/from", BIG)
        with Bench(Maildir(folder + "/from"), Maildir(folder + "/to")) as bench:
            result, peak = peak_of(bench)
            check(result, peak, 41)
        subprocess.run(["cmp", *(max((os.path.join(f"{folder}/{tree}/cur", name) for name in
                                      os.listdir(f"{folder}/{tree}/cur")), key=os.path.getsize)
                                 for tree in ("from", "to"))], check=True)


@case
def a_message_larger_than_the_spool_fails_alone():
    with Dovecot() as old, Dovecot() as new, Scratch() as spool:
        big = BIG if not SHORT else 120 << 20
        big_tree(old.maildir("u1"), big)
        old.adopt("u1")
        with Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            bench.state = spool
            wrap = in_namespace(f"mount -t tmpfs -o size=100m,mode=700 tmpfs '{spool}'")
            result, peak = peak_of(bench, wrap=wrap)
            assert result.code in (111, 113, 115), "wanted the code of a failed message\n" + result.told()
            result.expect_balance()
            totals = result.totals()
            assert totals["copied"] == 40 and totals["source"] == 41, f"{totals}\n" + result.told()
            if "SAN_OPTIONS" not in " ".join(os.environ):
                assert peak <= LIMIT_KIB, f"peak memory {peak} KiB"
        assert len(on_disk(new.maildir("u1"))) == 40
        assert on_disk(new.maildir("u1"))[-1] < 100_000


if __name__ == "__main__":
    run_cases()
