#!/usr/bin/env python3
"""
What a Maildir must come through: octets of all kinds, damaged files beside the messages, a tree that is not
mounted. Rows M-5, M-6 and M-8 of the field notes; each case is named after its row.
"""
import glob
import os
import shutil
import subprocess

from harness import LONG, Bench, Imap, Maildir, case, run_cases
from peak import LIMIT_KIB, peak_of
from servers.mailstore import Message
from servers.mini import MiniServer
from servers.scratch import Scratch
from trees import bodies, fingerprint, mail, make, plant, put


def sync(source, destination, *options):
    """One run from tree to tree. Returns its result."""
    with Bench(Maildir(source), Maildir(destination)) as bench:
        return bench.run(*options)


def small_run(bench, limit=LIMIT_KIB):
    """A run that ends well, in little memory. Returns its result."""
    result, peak = peak_of(bench)
    sanitized = any(name.endswith("SAN_OPTIONS") for name in os.environ)
    assert peak <= limit or sanitized, f"peak memory {peak} KiB\n{result.told()}"
    return result.expect()


# M-5: octets of all kinds.

HEAD = b"Message-ID: <%s@octets.example>\r\nSubject: %s\r\n\r\n"
OCTETS = {
    "header-less": b"\r\nno header at all\r\n",
    "one-octet": b"x",
    "nul": HEAD % (b"nul", b"nul") + b"a\0b\r\n\0\0\r\n",
    "cr-only": HEAD.replace(b"\r\n", b"\r") % (b"cr", b"cr") + b"one\rtwo\r",
    "lf-only": HEAD.replace(b"\r\n", b"\n") % (b"lf", b"lf") + b"one\ntwo\n",
    "mixed": HEAD % (b"mixed", b"mixed") + b"one\ntwo\rthree\r\r\nfour\n\rfive\r\n",
    "no-final-eol": HEAD % (b"final", b"final") + b"the end",
    "cr-at-the-end": HEAD % (b"cr-end", b"cr-end") + b"the end\r",
    "8-bit": HEAD % (b"bits", b"\xff\xfe") + bytes(range(1, 256)) * 3,
    "a-megabyte-line": HEAD % (b"line", b"line") + b"y" * (1 << 20) + b"\r\n",
    "crlf-across-pieces": HEAD % (b"pieces", b"pieces") + b"\r\n" * 200_000,
}


@case
def m_5_octets_of_all_kinds_come_back_as_they_were():
    with Scratch() as scratch, MiniServer() as old, MiniServer() as new:
        inbox = old.account("u1").find("INBOX")
        for octets in OCTETS.values():
            inbox.add(Message(octets))
        tree = Maildir(scratch + "/tree")
        for source, destination in ((Imap(old, "u1"), tree), (tree, Imap(new, "u1"))):
            with Bench(source, destination, "--lanes", "1") as bench:
                bench.run().expect().expect_totals(copied=len(OCTETS))
                bench.run().expect().expect_totals(copied=0, already_there=len(OCTETS))
        got = [entry.message.octets for entry in new.account("u1").find("INBOX").entries]
        for name, octets in OCTETS.items():
            assert got.count(octets) == 1, f"{name} came {got.count(octets)} times as it was"


@case
def m_5_an_empty_file_is_a_message():
    """IMAP knows none without octets (RFC 3501 4.3 allows, servers refuse): from tree to tree it stays one."""
    with Scratch() as scratch:
        source, copy = scratch + "/mail", scratch + "/copy"
        plant(source, {"": 2})
        put(source, "1704103300.M1P7.host:2,S", b"")
        sync(source, copy).expect().expect_totals(source=3, copied=3)
        assert bodies(source) == bodies(copy)


@case
def m_5_a_message_larger_than_memory_passes():
    """3 GB with --long; else as much as shows that it is never held whole."""
    size = 3 << 30 if LONG else 100 << 20
    with Scratch() as scratch:
        source, copy = scratch + "/mail", scratch + "/copy"
        make(source, "")
        with open(source + "/cur/1704103200.M1P7.host:2,S", "wb") as out:
            out.write(b"Subject: large\n\n")
            out.seek(size - 10)
            out.write(b"\nthe end\n\n")
        with Bench(Maildir(source), Maildir(copy)) as bench:
            small_run(bench).expect_totals(copied=1)
        (name,) = os.listdir(copy + "/cur")
        assert f",S={size},W={size + 5}" in name, name
        assert subprocess.run(["cmp", glob.glob(source + "/cur/*")[0], f"{copy}/cur/{name}"], check=False).returncode == 0


# M-6: damaged files beside the messages.

BESIDE = ("dovecot-keywords", "dovecot-uidlist", "dovecot-uidvalidity", "subscriptions", "mailhaul-keywords", "maildirfolder")


def damage(path, how):
    if how == "cut":
        if os.path.exists(path):
            os.truncate(path, os.path.getsize(path) * 2 // 3)
        return
    with open(path, "wb") as out:
        if how == "garbage":
            out.write(bytes((n * 7919 + n // 256) % 256 for n in range(5000)))
        elif how == "no newline":
            out.write(b"0 " + b"z" * (3 << 20))
        elif how == "numbers":
            out.write(b"3 V99999999999999999999 N-1\n18446744073709551616 :x\n-1 a\n26 b\n99999999999999999999 c\n")
        else:
            out.truncate(1 << 30)


@case
def m_6_damaged_files_beside_messages_cost_neither_mail_nor_memory():
    for how in ("garbage", "no newline", "cut", "numbers", "a gigabyte"):
        limit = LIMIT_KIB + (128 << 10 if how == "a gigabyte" else 0)  # as much of mailhaul-keywords is read
        with Scratch() as scratch, MiniServer() as server:
            for name, count in (("INBOX", 3), ("A", 2)):
                folder = server.account("u1").find("INBOX") if name == "INBOX" else server.account("u1").make(name)
                for number in range(count):
                    folder.add(Message(mail(f"{name} {number}").replace(b"\n", b"\r\n"), {"\\Seen", "work"}))
            tree = Maildir(scratch + "/tree")
            with Bench(Imap(server, "u1"), tree) as bench:
                bench.run().expect().expect_totals(copied=5)
                for folder in (tree.path, tree.path + "/.A"):
                    for name in BESIDE:
                        damage(f"{folder}/{name}", how)
                for folder in ("INBOX", "A"):
                    server.account("u1").find(folder).add(
                        Message(mail(f"later {folder}").replace(b"\n", b"\r\n"), {"work", "new-word"}))
                small_run(bench, limit).expect_totals(copied=2, already_there=5)
                bench.lose_state()
                bench.run().expect().expect_totals(copied=0, already_there=7)
            for folder in (tree.path, tree.path + "/.A"):
                for name in BESIDE:
                    damage(f"{folder}/{name}", how)
            before = bodies(tree.path, tree.path + "/.A")
            with Bench(tree, Maildir(scratch + "/copy")) as bench:
                small_run(bench, limit).expect_totals(source=7, copied=7)
            assert bodies(scratch + "/copy", scratch + "/copy/.A") == before, how


# M-8: a tree that is not mounted.

@case
def m_8_a_destination_that_is_not_mounted_takes_nothing():
    with Scratch() as scratch:
        source, copy, away = scratch + "/mail", scratch + "/copy", scratch + "/away"
        plant(source, {"": 20, ".A": 5})
        with Bench(Maildir(source), Maildir(copy)) as bench:
            bench.run().expect().expect_totals(copied=25)
            os.rename(copy, away)
            for mount_point in (None, [], ["lost+found"]):  # gone; empty; as a new file system is
                if mount_point is not None:
                    os.makedirs(copy, exist_ok=True)
                    for name in mount_point:
                        os.mkdir(f"{copy}/{name}")
                before = os.path.exists(copy) and fingerprint(copy)
                result = bench.run().expect(102)
                assert "in the last run" in result.err and "newtree" in result.err, result.told()
                assert before == (os.path.exists(copy) and fingerprint(copy))
            bench.run("--dry").expect(102)
            shutil.rmtree(copy)
            os.rename(away, copy)  # mounted again
            bench.run().expect().expect_totals(copied=0, already_there=25)
            # Removed on purpose.
            shutil.rmtree(copy)
            bench.run("--newtree2").expect().expect_totals(copied=25)
            bench.run().expect().expect_totals(copied=0, already_there=25)


@case
def m_8_another_tree_in_its_place_is_told():
    with Scratch() as scratch:
        source, copy, other = scratch + "/mail", scratch + "/copy", scratch + "/other"
        plant(source, {"": 4})
        sync(source, other).expect()
        with Bench(Maildir(source), Maildir(copy)) as bench:
            bench.run().expect()
            shutil.rmtree(copy)
            os.rename(other, copy)
            before = fingerprint(copy)
            result = bench.run().expect(102)
            assert "is the Maildir" in result.err and "in the last run" in result.err, result.told()
            assert fingerprint(copy) == before


@case
def m_8_a_source_that_is_not_mounted_is_not_an_empty_one():
    with Scratch() as scratch:
        first, backup, again = scratch + "/mail", scratch + "/backup", scratch + "/again"
        plant(first, {"": 20})
        sync(first, backup).expect()
        with Bench(Maildir(backup), Maildir(again)) as bench:
            bench.run().expect().expect_totals(copied=20)
            os.rename(backup, scratch + "/away")
            before = fingerprint(again)
            for parts in (None, (), ("cur", "new", "tmp")):
                if parts is not None:
                    os.makedirs(backup, exist_ok=True)
                    for part in parts:
                        os.mkdir(f"{backup}/{part}")
                bench.run().expect(101)
                assert fingerprint(again) == before


if __name__ == "__main__":
    run_cases()
