#!/usr/bin/env python3
"""
A server without measure, against the whole program: each run ends by itself, in little memory, with one line that
says what the server did, and with nothing at the destination that is not a message. Names of rows are those of the
field notes. What single parsers and sessions bear is tests/unit/test-imap-hostile.c's and test-imap-limits.c's.
"""
import os
import re

from harness import LONG, Bench, Imap, Maildir, Scratch, Skip, case, run_cases
from peak import LIMIT_KIB, peak_of
from servers.mailstore import Message
from servers.mini import MiniServer
from servers.mini_session import Session

BLOCK = b"x" * (1 << 20)
MIB = 1 << 20
CONNECTION = 101


class Flood(Session):
    """Sends without end, until the client has had enough."""

    def pour(self, blocks):
        """Sends each block at once. Returns whether all of them went."""
        try:
            for block in blocks:
                self.raw(block)
                self.flush()
        except OSError:
            return False
        return True


def repeat(block, octets):
    return (block for _ in range(max(1, octets // len(block))))


class Hostile:
    """A run from a hostile server into a new Maildir."""

    def __init__(self, messages=3):
        self.server = MiniServer(session_class=Flood)
        inbox = self.server.account("u1").folders["INBOX"]
        for number in range(messages):
            inbox.add(Message(b"Message-Id: <%d@hostile.example>\r\n\r\nhi\r\n" % number))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()

    def on(self, name, blocks, times=None):
        """Before it answers `name`, what blocks() yields; if the client has enough of it, no answer."""
        def pour(session, command, proceed):
            if session.pour(blocks()):
                proceed()
        self.server.on(name, pour, times)

    def run(self, code, words, copied=0):
        with Scratch() as folder, Bench(Imap(self.server, "u1"), Maildir(folder + "/to")) as bench:
            result, peak = peak_of(bench)
            assert result.code == code, f"wanted exit code {code}\n" + result.told()
            told = result.error_lines()
            assert words is None or any(re.search(words, line) for line in told), f"nothing says {words!r}\n" + result.told()
            assert all(len(line) < 1500 and line.isprintable() for line in told), result.told()
            stored = [name for name in os.listdir(folder + "/to/cur") + os.listdir(folder + "/to/new")] \
                if os.path.isdir(folder + "/to/cur") else []
            assert len(stored) == copied, f"{len(stored)} messages arrived, {copied} were sent\n" + result.told()
            if "SAN_OPTIONS" not in " ".join(os.environ):
                assert peak <= LIMIT_KIB, f"peak memory {peak} KiB\n" + result.told()
            print(f"# peak memory {peak} KiB, {result.seconds:.1f} s, code {result.code}")
            return result


@case
def i05_a_line_of_100_mib():
    with Hostile() as hostile:
        hostile.on("LIST", lambda: repeat(BLOCK, 100 * MIB))
        hostile.run(CONNECTION, "a line of more than 1048576 octets")


@case
def a_capability_list_of_1_mib():
    with Hostile() as hostile:
        hostile.on("CAPABILITY", lambda: [b"* CAPABILITY" + b" IMAP4rev1" * 100000 + b"\r\n"])
        hostile.run(CONNECTION, "a status line of 1000012 octets")


@case
def i01_a_literal_of_4_gib_that_is_no_message():
    with Hostile() as hostile:
        hostile.on("LIST", lambda: [b'* LIST () "/" {4294967295}\r\n', BLOCK])
        hostile.run(CONNECTION, "a literal of 4294967295 octets")


@case
def i01_a_message_of_4_gib_that_ends_early():
    def end_early(session, command, proceed):
        session.pour([b"* 1 FETCH (UID 1 FLAGS () BODY[] {4294967295}\r\n", *repeat(BLOCK, 100 * MIB)])
        session.cut()
    with Hostile(messages=1) as hostile:
        hostile.server.on("UID FETCH", end_early, times=1)
        hostile.run(0, "closed", copied=1)


@case
def i01_a_message_of_2_to_the_64():
    with Hostile(messages=1) as hostile:
        hostile.on("UID FETCH", lambda: [b"* 1 FETCH (UID 1 FLAGS () BODY[] {18446744073709551615}\r\n", BLOCK],
                   times=1)
        hostile.run(0, "a message of 18446744073709551615 octets", copied=1)


@case
def i07_300000_empty_literals():
    with Hostile() as hostile:
        hostile.on("LIST", lambda: [b'* LIST (' + b"{0}\r\n " * 300000 + b') "/" x\r\n'])
        hostile.run(CONNECTION, "a response without bounds")


@case
def i23_folders_without_end():
    def folders():
        for first in range(0, 10 ** 7, 1000):
            yield b"".join(b'* LIST () "/" "folder %d"\r\n' % n for n in range(first, first + 1000))
    with Hostile() as hostile:
        hostile.on("LIST", folders)
        hostile.run(CONNECTION, "more than 100000 folders")


@case
def parentheses_10000_deep():
    with Hostile() as hostile:
        hostile.on("LIST", lambda: [b'* LIST () "/" x ' + b"(" * 10000 + b")" * 10000 + b"\r\n"])
        hostile.run(CONNECTION, "LIST")


@case
def data_that_nobody_asked_for_without_end():
    with Hostile() as hostile:
        hostile.on("LIST", lambda: repeat(b"* X " + BLOCK[:MIB - 100] + b"\r\n", 1 << 34))
        hostile.run(CONNECTION, "data without end")


@case
def i10_i43_sets_and_numbers_that_name_everything():
    def chatter():
        yield b"* VANISHED 1:4294967295\r\n* VANISHED (EARLIER) 1:4294967295\r\n"
        yield b"* OK [COPYUID 1 1:4294967295 1:4294967295] what\r\n* OK [APPENDUID 1 1:4294967295] what\r\n"
        yield b'* ESEARCH (TAG "other") UID ALL 1:4294967295\r\n* 4294967295 EXISTS\r\n'
        yield b"* SEARCH" + b" 4294967295" * 90000 + b"\r\n"
        yield b"* FLAGS (" + b" k" * 100000 + b")\r\n+ go on\r\n* OK [ALERT] \x1b]52;c;x\x07\r\n"
    with Hostile() as hostile:
        hostile.on("UID FETCH", chatter)
        hostile.run(0, "source server says: .u.1B.*", copied=3)


@case
def i41_alerts_without_end():
    with Hostile() as hostile:
        hostile.on("UID FETCH", lambda: repeat(b"* OK [ALERT] \x1b[2J you must read this\r\n", 4 * MIB))
        result = hostile.run(0, "you must read this", copied=3)
        assert len(result.error_lines()) < 50, f"{len(result.error_lines())} lines"


@case
def i44_a_header_of_60_mib():
    with Hostile(messages=0) as hostile:
        inbox = hostile.server.account("u1").folders["INBOX"]
        inbox.add(Message(b"Message-Id: <a@hostile.example>\r\n" + b"X: 0123456789\r\n" * (4 * MIB) + b"\r\nhi\r\n"))
        inbox.add(Message(b"X: " + b"folded\r\n\t" * (4 * MIB) + b"\r\n\r\nhi\r\n"))
        hostile.run(0, None, copied=2)


@case
def i50_a_server_that_closes_after_each_answer():
    if not LONG:
        raise Skip("a run has patience for a minute and a half (--long)")
    with Hostile() as hostile:
        def once(session, command, proceed):
            proceed()
            session.flush()
            session.cut()
        hostile.server.on("EXAMINE", once)
        hostile.run(CONNECTION, "closed")


if __name__ == "__main__":
    run_cases()
