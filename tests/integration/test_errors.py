#!/usr/bin/env python3
"""
What cannot work is said in one line that names the side, with the exit code of its kind, and leaves
nothing half-written.
"""
import fcntl
import os
import socket
import struct

from harness import (HOST, Bench, Dovecot, Imap, Maildir, Scratch, case, expect_same, expect_untouched,
                     in_namespace, run_cases)
import corpus
from servers.certificates import Authority


def one_line(result, code, *words):
    """Exactly one line on stderr, with these words in it (any spelling), and this exit code."""
    assert result.code in (code if isinstance(code, tuple) else (code,)), f"wanted {code}\n" + result.told()
    lines = result.error_lines()
    assert len(lines) == 1, "wanted one line of errors\n" + result.told()
    for word in words:
        assert word.lower() in lines[0].lower(), f"{word!r} is not in the line\n" + result.told()
    assert "pass" != lines[0].split()[-1], "the password is in the line"


def expect_nothing(destination):
    got = destination.snapshot()
    assert len(got) == 0, f"{len(got)} messages at the destination"


class Sides:
    """A filled source, an empty destination, with a certificate that nobody trusts unless told to."""

    def __enter__(self):
        self._scratch = Scratch("ca-")
        self.authority = Authority(self._scratch.path)
        certificate = self.authority.issue()
        self.old = Dovecot(separator=".", prefix="INBOX.", certificate=certificate)
        self.new = Dovecot(certificate=certificate)
        self.old.start()
        self.new.start()
        corpus.append(HOST, self.old.port, "u1", list(corpus.sample())[:10])
        self.source, self.destination = Imap(self.old, "u1"), Imap(self.new, "u1")
        return self

    def __exit__(self, *_):
        self.old.stop()
        self.new.stop()
        self._scratch.remove()

    def run(self, source=None, destination=None, *options, **more):
        with Bench(source or self.source, destination or self.destination) as bench:
            return bench.run(*options, **more)


def _closed_port():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


@case
def wrong_password():
    with Sides() as sides:
        one_line(sides.run(Imap(sides.old, "u1", password="wrong")), 161, "source")
        one_line(sides.run(None, Imap(sides.new, "u1", password="wrong")), 162, "destination")
        result = sides.run(Imap(sides.old, "u1", password="wrong"), Imap(sides.new, "u1", password="wrong"))
        assert result.code == 16, "wanted 16\n" + result.told()
        assert 1 <= len(result.error_lines()) <= 2, result.told()
        expect_nothing(sides.destination)


@case
def wrong_host():
    with Sides() as sides:
        for side, code, name in ((1, 101, "source"), (2, 102, "destination")):
            nowhere = Imap(sides.old, "u1", host="no-such-host.invalid", tls=sides.authority.certificate)
            result = sides.run(*((nowhere, None) if side == 1 else (None, nowhere)))
            one_line(result, code, name, "no-such-host.invalid")
        expect_nothing(sides.destination)


@case
def closed_port():
    with Sides() as sides:
        port = _closed_port()
        one_line(sides.run(Imap(sides.old, "u1", port=port)), 101, "source", str(port))
        one_line(sides.run(None, Imap(sides.new, "u1", port=port)), 102, "destination", str(port))
        result = sides.run(Imap(sides.old, "u1", port=port), Imap(sides.new, "u2", port=port))
        assert result.code == 10, "wanted 10\n" + result.told()
        expect_nothing(sides.destination)


@case
def untrusted_certificate():
    with Sides() as sides:
        for starttls in (False, True):
            one_line(sides.run(Imap(sides.old, "u1", tls="untrusted", starttls=starttls)), 12, "source", "certificate")
            one_line(sides.run(None, Imap(sides.new, "u1", tls="untrusted", starttls=starttls)), 12, "destination",
                     "certificate")
        expect_nothing(sides.destination)


@case
def a_trusted_certificate_is_accepted():
    with Sides() as sides:
        trusted = sides.authority.certificate
        sides.run(Imap(sides.old, "u1", tls=trusted), Imap(sides.new, "u1", tls=trusted, starttls=True)).expect(0)
        expect_same(sides.source.snapshot(), sides.destination.snapshot())


@case
def a_certificate_for_another_name():
    with Sides() as sides, Dovecot(certificate=sides.authority.issue("elsewhere", "DNS:mail.elsewhere.example")) as other:
        one_line(sides.run(Imap(other, "u1", tls=sides.authority.certificate)), 12, "source", "certificate")


@case
def unknown_plugin():
    with Sides() as sides:
        one_line(sides.run(None, None, "--backend2", "carrier-pigeon"), 69, "carrier-pigeon")
        one_line(sides.run(None, None, "--match", "smell"), 69, "smell")


@case
def unknown_option():
    with Sides() as sides:
        one_line(sides.run(None, None, "--fodler", "INBOX"), 64, "fodler")


@case
def a_chain_of_matchers_with_a_gap():
    """Left out, what stands behind the comma would be taken for one that matches anything."""
    with Sides() as sides:
        for chain in ("message-id,", ",message-id", "message-id,,content", "message-id++received", "message-id+", ",", ""):
            one_line(sides.run(None, None, "--match", chain), 64, "--match")
        expect_nothing(sides.destination)


@case
def one_account_on_both_sides():
    with Sides() as sides:
        before = sides.source.snapshot()
        for host in (HOST, "localhost"):
            one_line(sides.run(None, Imap(sides.old, "u1", host=host)), 64)
            expect_untouched(before, sides.source.snapshot())


@case
def one_tree_on_both_sides():
    with Scratch() as folder:
        tree = Maildir(folder + "/tree")
        corpus.write_maildir(tree.path, list(corpus.sample())[:5])
        os.symlink(tree.path, folder + "/link")

        def names():
            return sorted(os.path.join(root, name) for root, folders, files in os.walk(folder) for name in folders + files)
        before = names()
        for other in ("tree", "tree/", "tree/.sub", "tree/sub", "./tree", "link", "link/.sub"):
            with Bench(tree, Maildir(f"{folder}/{other}")) as bench:
                one_line(bench.run(), 64)
            assert names() == before, f"{other}: {set(names()) ^ set(before)}"


@case
def unwritable_tree():
    with Sides() as sides, Scratch() as folder:
        for name, there in (("missing", False), ("existing", True)):
            path = f"{folder}/{name}"
            os.mkdir(path)
            tree = Maildir(path + "/tree")
            if there:
                for part in ("cur", "new", "tmp"):
                    os.makedirs(f"{path}/tree/{part}")
            wrap = in_namespace(f"mount --bind '{path}' '{path}'; mount -o remount,ro,bind '{path}'")
            one_line(sides.run(None, tree, wrap=wrap), 102, "destination")
            if there:
                expect_nothing(tree)
            else:
                assert not os.listdir(path)


@case
def missing_source_tree():
    with Sides() as sides, Scratch() as folder:
        one_line(sides.run(Maildir(folder + "/nothing-here")), 101, "source", "nothing-here")
        assert not os.path.exists(folder + "/nothing-here")


@case
def full_disk_under_a_tree():
    """What fitted is whole, and nothing half-written is left; with room the next run does the rest."""
    with Sides() as sides, Scratch() as folder:
        mails = [corpus.Mail("INBOX", b"Message-ID: <%d@full>\r\n\r\n" % n + b"0123456789abcd\r\n" * 2000, [], [],
                             10**9 + n, False) for n in range(40)]
        corpus.append(HOST, sides.old.port, "u2", mails)
        source = Imap(sides.old, "u2")
        before = source.snapshot()
        small, kept = f"{folder}/small", f"{folder}/kept"
        os.mkdir(small)
        wrap = in_namespace(f"mount -t tmpfs -o size=512k,mode=755 tmpfs '{small}'", f"cp -a '{small}/tree' '{kept}'")
        with Bench(source, Maildir(small + "/tree")) as bench:
            one_line(bench.run(wrap=wrap), 113, "destination", "space")
            got = Maildir(kept).snapshot()
            assert 0 < len(got) < len(before)
            assert not got.entries - before.entries, "a message at the destination that the source does not have"
            leftovers = [name for name in os.listdir(kept + "/tmp")]
            assert not leftovers, f"left in tmp: {leftovers}"
            os.rmdir(small)
            os.mkdir(small)
            os.rename(kept, small + "/tree")
            bench.run().expect(0)
            expect_same(before, bench.destination.snapshot())


@case
def full_disk_under_the_state():
    with Sides() as sides, Scratch() as folder:
        wrap = in_namespace(f"mount -t tmpfs -o size=16k,mode=700 tmpfs '{folder}'")
        with Bench(sides.source, sides.destination) as bench:
            bench.state = folder
            one_line(bench.run(wrap=wrap), 113, "space")
        with Bench(sides.source, sides.destination) as bench:
            bench.run().expect(0)
        expect_same(sides.source.snapshot(), sides.destination.snapshot())


@case
def a_folder_that_does_not_exist():
    with Sides() as sides:
        one_line(sides.run(None, None, "--folder", "Nowhere/At all"), 117, "source", "Nowhere/At all")
        expect_nothing(sides.destination)


@case
def another_run_holds_the_lock():
    with Sides() as sides, Bench(sides.source, sides.destination) as bench:
        bench.run().expect(0)
        locks = [os.path.join(root, name) for root, _, names in os.walk(bench.state) for name in names if "lock" in name]
        assert locks, "no lock file beside the state"
        with open(locks[0], "r+b") as lock:
            fcntl.fcntl(lock, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
            one_line(bench.run(), 8)
        bench.run().expect(0)


@case
def secrets_are_in_no_output():
    with Sides() as sides:
        secret = "correct-horse-7"
        with Bench(Imap(sides.old, "u1", password=secret), sides.destination) as bench:
            result = bench.run("--logfile", bench.folder + "/log")
            told = result.out + result.err
            for root, _, names in os.walk(bench.folder):
                for name in names:
                    if not name.startswith("password"):
                        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
                            told += file.read()
            assert secret not in told, "the password is in an output"


if __name__ == "__main__":
    run_cases()
