#!/usr/bin/env python3
"""
Messages that arrive other than they left: repaired, for the destination refuses them as they are.
"""
from harness import case, run_cases
from pair import Pair, held, mail
from servers.mailstore import Message
from servers.mini_session import Refused, Session
from servers.mini_wire import Closed

NUL = mail(10).replace(b"text 10", b"te\0xt 10")
BARE = mail(11).replace(b"text 11", b"text\n11")
UNENDED = mail(12)[:-2]
LONG = mail(13, "y" * 2000)
RAW = mail(14, extra="X-Name: Jürgen\r\n".encode())
ANONYMOUS = b"Subject: nobody's\r\n\r\nte\0xt\n\n"  # nothing but its content is its key


def dislikes(octets):
    """What is wrong with a message, as the server sees it."""
    lines = octets.split(b"\r\n")
    if lines[-1]:
        return "Message does not end with a line"
    if any(b"\n" in line or b"\r" in line for line in lines):
        return "Message contains bare newlines"
    if b"\0" in octets:
        return "Message contains NUL characters"
    if any(len(line) > 998 for line in lines):
        return "Line too long"
    if any(octet >= 0x80 for octet in octets.split(b"\r\n\r\n")[0]):
        return "Message contains invalid header"
    return None


class Choosy(Session):
    def do_append(self, command, name, *parts):
        for part in parts:
            why = dislikes(bytes(part)) if command.is_literal(part) else None
            if why is not None:
                raise Refused("NO " + why)
        return super().do_append(command, name, *parts)


def choosy():
    return Pair(destination_session=Choosy)


def copies(pair):
    return sorted(entry.message.octets for entry in pair.copy.entries)


ODD = [NUL, BARE, UNENDED, LONG, RAW]


def told_repairs(result):
    return next(event["repaired"] for event in result.events if event["event"] == "end")


@case
def what_is_refused_stays_so_unless_asked():
    with choosy() as pair:
        pair.fill(3)
        for octets in ODD:
            pair.inbox.add(Message(octets))
        pair.run(code=114, source=8, copied=3, refused=5)
        pair.run("--repair", "never", code=114, already_there=3, refused=5)
        assert all(dislikes(octets) is None for octets in copies(pair))


@case
def what_is_refused_is_repaired_as_little_as_helps():
    with choosy() as pair:
        pair.fill(3)
        for octets in ODD:
            pair.inbox.add(Message(octets))
        pair.fill(3, pair.source.account("u1").make("Other"), 20)
        pair.source.account("u1").find("Other").add(Message(ANONYMOUS))
        result = pair.run("--repair", "on-reject", source=12, copied=12)
        assert told_repairs(result) == 6, result.told()
        for words in "NUL octets", "bare line ends", "last line end", "long lines", "8-bit header":
            assert words in result.err, (words, result.told())
        got = copies(pair)
        assert NUL.replace(b"\0", b"\x80") in got and BARE.replace(b"text\n", b"text\r\n") in got
        assert UNENDED + b"\r\n" in got
        assert any(b"=?UTF-8?B?SsO8cmdlbg==?=" in octets for octets in got), got
        mended = b"Subject: nobody's\r\n\r\nte\x80xt\r\n\r\n"
        assert held(pair.destination)["Other", mended] == 1, held(pair.destination)
        before = len(pair.destination.heard("APPEND"))
        pair.run("--repair", "on-reject", already_there=12)
        pair.run(already_there=12)
        assert len(pair.destination.heard("APPEND")) == before


@case
def what_no_repair_helps_stays_refused():
    with choosy() as pair:
        pair.fill(2)
        pair.inbox.add(Message(NUL))
        pair.destination.on("APPEND", lambda session, command, proceed: session.say(f"{command.tag} NO never"))
        result = pair.run("--repair", "on-reject", code=114, refused=3)
        assert "never" in result.err + result.out


class Forgetful(Choosy):
    """Stores what it likes, does not say so, and lets nobody in any more."""

    def do_append(self, command, name, *parts):
        done = super().do_append(command, name, *parts)
        if self.server.forgets:
            self.server.admits = lambda user, password: False
            self.cut()
            raise Closed
        return done


@case
def a_repaired_copy_that_nobody_heard_of_is_not_doubled():
    lengthy = b"Subject: nobody's\r\n\r\n" + b"y" * 1200 + b"\r\n"  # its key is another in the copy
    for octets in ANONYMOUS, lengthy:
        with Pair(destination_session=Forgetful) as pair:
            pair.destination.forgets = True
            pair.fill(2)
            pair.inbox.add(Message(octets))
            for entry in pair.inbox.entries[:2]:
                pair.copy.add(Message(entry.message.octets))
            assert pair.attempt("--repair", "on-reject").code != 0
            assert len(pair.copy.entries) == 3, copies(pair)
            del pair.destination.admits
            pair.destination.forgets = False
            pair.run("--repair", "on-reject", already_there=3)
            pair.run("--repair", "on-reject", already_there=3)
            assert len(pair.copy.entries) == 3, copies(pair)


ASKING = mail(30, extra=b"disposition-notification-to: <spy@rows.example>\r\n")


@case
def messages_arrive_as_the_user_wants_them():
    with Pair() as pair:
        pair.fill(3)
        pair.inbox.add(Message(ASKING))
        options = "--disarmreadreceipts", "--regexmess", "s/^Subject: number/Subject: No./m", "--regexmess", "s/\\z/-- \n/"
        pair.run(*options, "--addheader", copied=4)
        wanted = [entry.message.octets.replace(b"Subject: number", b"Subject: No.") + b"-- \r\n"
                  for entry in pair.inbox.entries]
        wanted[3] = wanted[3].replace(b"disposition-", b"X-disposition-")
        assert copies(pair) == sorted(wanted), copies(pair)
        pair.run(*options, already_there=4)
        pair.run(already_there=4)
        pair.lose_state()
        pair.run(*options, already_there=4)
        assert copies(pair) == sorted(wanted)


@case
def what_cannot_be_changed_arrives_as_it_is():
    with Pair() as pair:
        pair.fill(1)
        pair.inbox.add(Message(mail(5, "a" * 50000)))
        result = pair.run("--regexmess", "s/(a+)+[bc]/x/", copied=2)
        assert "delivered as it is" in result.err, result.told()
        pair.expect_same()
        assert pair.attempt("--regexmess", "s/a/b/e").code == 64
        assert pair.attempt("--regexmess", "s/(a/b/").code == 64


@case
def messages_go_through_commands():
    with Pair() as pair:
        pair.fill(3)
        through = "--pipemess", "sed 's/^text /other text /'", "--pipemess", "sed s/other/another/"
        pair.run(*through, copied=3)
        assert copies(pair) == sorted(entry.message.octets.replace(b"\ntext", b"\nanother text")
                                      for entry in pair.inbox.entries)
        pair.run(*through, already_there=3)
        pair.fill(2, first=20)
        result = pair.run("--pipemess", "sh -c 'cat; exit 1'", copied=2, already_there=3)
        assert "--pipemess sh failed" in result.err, result.told()
        assert mail(20) in copies(pair)
        assert pair.attempt("--pipemess", "sed 's/a").code == 64


@case
def a_changed_copy_that_nobody_heard_of_is_not_doubled():
    with Pair(destination_session=Forgetful) as pair:
        pair.destination.forgets = True
        pair.inbox.add(Message(b"Subject: nobody's\r\n\r\ntext\r\n"))
        options = "--regexmess", "s/text/another text/"
        assert pair.attempt(*options).code != 0
        del pair.destination.admits
        pair.destination.forgets = False
        pair.run(*options, already_there=1)
        assert len(pair.copy.entries) == 1, copies(pair)


if __name__ == "__main__":
    run_cases()
