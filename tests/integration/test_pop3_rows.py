#!/usr/bin/env python3
"""
Habits of POP3 servers and what attackers send through them, row by row, each in a whole run: nothing is lost, nothing
doubled, and what is wrong is said. Cases are named after their rows, which docs/servers.md lists.
"""
import time

from harness import NO_GRACE, SLOWNESS, case, run_cases
from pair import mail
from pop_pair import PopPair
from servers.minipop import CAPABILITIES, Session, answer, cut, hang, lose_answer, stuffed

ONE_BY_ONE = tuple(word for word in CAPABILITIES if word != "PIPELINING")


def body_of(change):
    """A session class of which change(octets) is what follows the +OK of RETR, end and all."""
    class Odd(Session):
        def body(self, mail):
            return change(mail.octets)
    return Odd


# What a rerun costs

@case
def a_rerun_of_known_messages_asks_for_uidls_alone():
    with PopPair() as pair:
        pair.fill(40)
        pair.run(copied=40)
        assert pair.order() == [mail(number) for number in range(40)], "not in the order of the mailbox"
        pair.source.log.clear()
        pair.run(copied=0, already_there=40)
        asked = [line for line in pair.source.heard() if line.split()[0] not in ("CAPA", "USER", "PASS", "AUTH")]
        assert asked in (["UIDL", "QUIT"], ["UIDL"]), asked
        pair.source.log.clear()
        pair.fill(3, first=70)
        pair.run(copied=3, already_there=40)
        assert pair.source.heard("RETR") == ["RETR 41", "RETR 42", "RETR 43"] and not pair.source.heard("TOP")
        pair.expect_same()


@case
def nothing_is_sent_ahead_where_that_is_not_offered():
    with PopPair(capabilities=ONE_BY_ONE) as pair:
        pair.fill(30)
        pair.run(copied=30)
        pair.lose_state()
        pair.run(copied=0, already_there=30)
        assert not any(session.was_pipelined for session in pair.source.sessions)
    with PopPair() as pair:
        pair.fill(30)
        pair.run(copied=30)
        assert any(session.was_pipelined for session in pair.source.sessions)


@case
def a_run_does_not_wait_long_for_a_farewell():
    with PopPair() as pair:
        pair.fill(3)
        pair.source.on("QUIT", hang)
        begin = time.monotonic()
        pair.run("--timeout1", "24", copied=3)  # a fifth of the usual: QUIT has a second
        assert pair.source.heard("QUIT") and time.monotonic() - begin < 15 * SLOWNESS


# Gmail

GMAIL = "+OK Gpop ready for requests from 192.0.2.1 z12mb1234567wrp"


@case
def gp1_a_server_that_always_shows_the_same_part_ends():
    with PopPair(batch=7) as pair:
        pair.source.greeting = GMAIL
        pair.fill(30)
        pair.run(source=7, copied=7)
        pair.run("--batches1", "no", source=7, copied=0, already_there=7)
        assert len(pair.order()) == 7


@case
def gp2_a_message_is_hidden_once_it_was_read():
    with PopPair(hides=True) as pair:
        pair.source.greeting = GMAIL
        pair.fill(30)
        pair.run(copied=30)
        assert all(times == 1 for times in pair.source.fetched.values())
        pair.fill(2, first=50)
        pair.run(copied=2)
        pair.expect_same()
        assert all(times == 1 for times in pair.source.fetched.values())


@case
def gp3_names_with_recent_are_let_in():
    with PopPair(user="recent:u1") as pair:
        pair.fill(3)
        pair.run(copied=3)
        assert "USER recent:u1" in pair.source.heard("USER") or pair.source.heard("AUTH")
        pair.expect_same()


# Exchange

@case
def ex19_the_last_dot_has_no_line_end_before_it():
    """The message has no end that could be told, and is not stored; the others are."""
    def without_end(octets):
        return octets[:-2] + b".\r\n" if b"number 2\r\n" in octets else stuffed(octets)
    with PopPair(session_class=body_of(without_end)) as pair:
        pair.fill(4)
        result = pair.attempt("--timeout1", "1")
        assert result.code != 0, result.told()
        assert pair.held() == {mail(number): 1 for number in (0, 1, 3)}, result.told()


# POP3 servers in general

@case
def messages_come_as_they_are_where_utf8_is_offered():
    """A Courier gives a notice instead of a message with a header in UTF-8, unless the client has said that it knows."""
    class Careful(Session):
        utf8 = False

        def do_utf8(self):
            self.utf8 = True
            self.say("+OK UTF8 enabled")

        def body(self, mail):
            return stuffed(mail.octets if self.utf8 else b"Subject: Cannot display Unicode content\r\n\r\n")

    for words in (CAPABILITIES, ONE_BY_ONE):
        with PopPair(session_class=Careful, capabilities=words + ("UTF8 USER",)) as pair:
            pair.box.add("Subject: größer\r\n\r\n.\r\n".encode())
            pair.run(copied=1)
            pair.expect_same()
    with PopPair(session_class=Careful, lacks=("UTF8",), capabilities=CAPABILITIES + ("UTF8",)) as pair:
        pair.fill(1)
        assert "UTF8 does not work here" in pair.attempt().expect(0).err


@case
def po2_no_uidl():
    """Ids are made of what messages hold: equal ones arrive as often as they are there."""
    for lacks in (("UIDL",), ("UIDL", "TOP"), ("UIDL", "CAPA"), ("UIDL", "TOP", "CAPA")):
        with PopPair(lacks=lacks) as pair:
            pair.fill(6)
            pair.box.add(mail(3))
            headless = [pair.box.add(b"no header at all\r\n\r\n" + body) for body in (b"x\r\n", b"y\r\n")]
            pair.run(copied=9)
            pair.expect_same()
            pair.run(copied=0, already_there=9)
            pair.box.drop(pair.box.mails[1])
            pair.fill(2, first=50)
            pair.run(copied=2, already_there=8)
            pair.lose_state()
            pair.box.drop(*headless)  # no key can be made of them
            pair.run(copied=0, already_there=8)


@case
def po4_messages_are_read_only_to_be_copied():
    """RETR marks as read at many servers, and TOP may: what is known costs neither."""
    with PopPair() as pair:
        pair.fill(6)
        pair.run(copied=6)
        assert len(pair.source.heard("RETR")) == 6 and not pair.source.heard("TOP")
        pair.run(copied=0, already_there=6)
        pair.box.drop(pair.box.mails[0])
        pair.run(copied=0, already_there=5)
        assert len(pair.source.heard("RETR")) == 6 and not pair.source.heard("TOP")


@case
def po5_headers_change_while_a_message_lies_there():
    """A Status field that the server adds makes no new message of one without UIDL."""
    class Noting(Session):
        def top(self, mail):
            return b"Status: RO\r\nX-UIDL: 7\r\n" + super().top(mail) if mail.was_read else super().top(mail)

        def body(self, mail):
            return stuffed(self.top(mail) + mail.octets.partition(b"\r\n\r\n")[2])
    for lacks in ((), ("UIDL",), ("UIDL", "TOP")):
        with PopPair(session_class=Noting, lacks=lacks) as pair:
            pair.fill(5)
            pair.run(copied=5)
            pair.run(copied=0, already_there=5)
            pair.fill(1, first=40)
            pair.run(copied=1, already_there=5)


@case
def po6_sizes_count_line_ends_once():
    class Short(Session):
        def size(self, mail):
            return len(mail.octets.replace(b"\r\n", b"\n"))
    with PopPair(session_class=Short) as pair:
        pair.fill(5)
        pair.box.add(mail(6, "x\r\n" * 200_000))
        pair.run(copied=6)
        pair.expect_same()
        pair.lose_state()
        pair.run(copied=0, already_there=6)


@case
def po7_numbers_change_after_a_deletion():
    with PopPair() as pair:
        pair.fill(8)
        pair.run(copied=8)
        pair.box.drop(*pair.box.mails[:4])
        pair.fill(2, first=30)
        pair.run(copied=2, already_there=4)
        assert pair.source.heard("RETR")[-2:] == ["RETR 5", "RETR 6"]
        assert len(pair.order()) == 10


@case
def po7_uidls_that_are_numbers_name_nothing():
    """Another program deletes the first message: the UIDL of the last one is that of the new one then."""
    class Numbering(Session):
        def uidl(self, mail):
            return str(self.view.index(mail) + 1)
    for lacks in ((), ("TOP",)):
        for options in ((), ("--delete1",)):
            with PopPair(session_class=Numbering, lacks=lacks) as pair:
                pair.fill(4)
                pair.run(copied=4)
                pair.run(copied=0, already_there=4)
                pair.box.drop(pair.box.mails[0])
                pair.fill(1, first=50)
                pair.run(*options, copied=1, already_there=3)
                assert pair.held() == {mail(number): 1 for number in (0, 1, 2, 3, 50)}
                assert not options or not pair.box.octets()


def deletes_what_was_copied(hook, times, name="QUIT"):
    """
    Whatever becomes of the deletions of a run: what is at the destination is there once, and what is not there is still
    at the source. A run that cannot finish says so, and the next one does.
    """
    with PopPair() as pair:
        pair.fill(8)
        wanted = pair.box.octets()
        pair.source.on(name, hook, times=times)
        result = pair.attempt("--delete1", *NO_GRACE)
        assert not wanted - (pair.box.octets() + pair.held()), result.told()
        pair.source.unhook()
        pair.fill(2, first=50)
        pair.run("--delete1", code=0)
        assert not pair.box.octets() and len(pair.order()) == 10, pair.box.octets()
        pair.run("--delete1", source=0)
        assert len(pair.order()) == 10
        return result


def delete_and_refuse(session, command, proceed):
    """Deletes half of what it was to delete, and says that something was wrong."""
    session.deleted = set(sorted(session.deleted)[::2])
    session.box.drop(*(session.view[number - 1] for number in session.deleted))
    session.say("-ERR some deleted messages not removed")
    session.is_over = True


@case
def po8_the_answer_to_quit_is_lost():
    deletes_what_was_copied(lose_answer, 1)


@case
def p_12_the_connection_ends_between_dele_and_quit():
    deletes_what_was_copied(cut, 1)
    deletes_what_was_copied(cut, 1, name="DELE")


@case
def p_12_quit_is_refused():
    """Some of them are gone, and nobody is told which: those that are not, are deleted in another session."""
    result = deletes_what_was_copied(delete_and_refuse, 1)
    assert "some deleted messages not removed" in result.err, result.told()


@case
def po2_nothing_is_deleted_without_uidls():
    with PopPair(lacks=("UIDL",)) as pair:
        pair.fill(4)
        result = pair.attempt("--delete1")
        assert result.code != 0 and "UIDL" in result.out + result.err, result.told()
        result.expect_totals(source=4, copied=4)
        pair.expect_same()
        assert not pair.source.heard("DELE")


@case
def p_2_of_messages_that_share_a_uidl_only_what_is_certain_is_deleted():
    with PopPair() as pair:
        for number, uidl in enumerate(("a", "same", "b", "same")):
            pair.box.add(mail(number), uidl)
        pair.box.add(mail(1), "same")
        result = pair.attempt("--delete1")
        result.expect_totals(source=5, copied=5)
        assert result.code != 0, result.told()
        assert pair.box.octets() == {mail(1): 2}, result.told()
        assert len(pair.order()) == 5


@case
def what_is_wrong_with_one_message_is_that_one_only():
    """Cyrus says SYS/PERM of a message whose file it cannot read."""
    def refuse(session, command, proceed):
        if session.at(command.arguments[0]).octets == mail(2):
            session.say("-ERR [SYS/PERM] Could not read message file")
        else:
            proceed()
    for lacks in ((), ("TOP",)):
        with PopPair(lacks=lacks) as pair:
            pair.fill(8)
            pair.source.on("RETR", refuse)
            pair.source.on("TOP", refuse)
            pair.run("--delete1", *NO_GRACE, code=115, source=8, copied=7)
            assert pair.order() == [mail(number) for number in range(8) if number != 2]
            assert pair.box.octets() == {mail(2): 1}
            pair.lose_state()
            pair.fill(2, first=20)
            pair.run(*NO_GRACE, code=115, source=3, copied=2)
            pair.source.unhook()
            pair.run(*NO_GRACE, source=3, copied=1)
            assert len(pair.order()) == 10


@case
def a_message_that_is_refused_in_words_of_patience_holds_up_no_other():
    for words in ("message temporarily unavailable", "system error reading message"):
        def refuse(session, command, proceed, words=words):
            if session.at(command.arguments[0]).octets == mail(2):
                session.say("-ERR " + words)
            else:
                proceed()
        for lacks in ((), ("TOP",), ("UIDL",)):
            with PopPair(lacks=lacks) as pair:
                pair.fill(6)
                for name in ("RETR", "TOP"):
                    pair.source.on(name, refuse)
                if "UIDL" in lacks:
                    pair.run(*NO_GRACE, code=115, source=6, copied=5)
                    continue
                result = pair.run("--delete1", *NO_GRACE, code=115, source=6, copied=5)
                assert words in result.out, result.told()
                assert pair.held() == {mail(number): 1 for number in (0, 1, 3, 4, 5)}
                assert pair.box.octets() == {mail(2): 1}


@case
def a_name_for_want_of_a_better_one_is_not_remembered():
    """Its number is another message's in the next session, which must not count as known, let alone be deleted."""
    with PopPair(lacks=("TOP",)) as pair:
        pair.fill(1)
        pair.run(copied=1)
        pair.fill(2, first=10, uidl=lambda number: "same")
        pair.source.on("RETR", answer("-ERR not now"), where=" 3", times=1)
        pair.run(*NO_GRACE, source=3, copied=2)
        assert len(pair.order()) == 3
        pair.box.drop(*pair.box.mails[1:])
        pair.fill(2, first=20, uidl=lambda number: "again")
        pair.source.on("RETR", answer("-ERR not now"), where=" 3")
        pair.run("--delete1", *NO_GRACE, source=3, copied=2)
        assert not pair.box.octets()
        assert pair.held() == {mail(number): 1 for number in (0, 10, 11, 20, 21)}


# What attackers send

@case
def p_2_uidls_that_are_none():
    """Empty, blank, with NUL or 8-bit octets, too long, left out, or given to two messages."""
    odd = ["", "   ", "a\0b", "caf\xe9", "x" * 600, "same", "same", "same", "two words", "\x7f", "good"]
    class Odd(Session):
        def uidl(self, mail):
            return None if mail.uidl in ("left out", "last") else mail.uidl
    for lacks in ((), ("TOP",)):
        with PopPair(session_class=Odd, lacks=lacks) as pair:
            for number, uidl in enumerate(odd + ["left out", "fine", "last"]):
                pair.box.add(mail(number), uidl)
            pair.run(copied=14)
            assert pair.order() == [mail(number) for number in range(14)]
            pair.run(copied=0, already_there=14)
            pair.box.drop(pair.box.mails[5])  # two are left of three that share one
            pair.box.drop(pair.box.mails[5])  # one is left, and has it for itself
            pair.fill(1, first=60, uidl=lambda _: "good")  # and this one is shared now
            pair.run(copied=1, already_there=12)
            assert len(pair.order()) == 15


@case
def p_3_uidls_that_are_paths():
    odd = ["../../x", "a/b", "CON", "-rf", "..", ".", "%00", "~", "|sh", "/etc/passwd"]
    with PopPair() as pair:
        for number, uidl in enumerate(odd):
            pair.box.add(mail(number), uidl)
        pair.run(copied=len(odd))
        pair.run(copied=0, already_there=len(odd))
        pair.expect_same()


@case
def p_5_sizes_that_nothing_has():
    sizes = ["4294967295", "99999999999999999999", "18446744073709551615", "-1", "0", "x", "", "1 2 3"]
    class Odd(Session):
        def size(self, mail):
            return sizes[self.view.index(mail) % len(sizes)]

        def do_stat(self):
            self.say("+OK 4294967295 99999999999999999999")
    with PopPair(session_class=Odd) as pair:
        pair.fill(len(sizes))
        pair.run(copied=len(sizes))
        pair.run(copied=0, already_there=len(sizes))
        pair.expect_same()


SMUGGLED = [
    b"Subject: one\r\n\r\ntext.\r\n+OK\r\nmore\r\n",
    b"Subject: two\r\n\r\na\n.\n+OK 7 octets\nmore\r\n",
    b"Subject: three\r\n\r\na\r.\r+OK\r\nmore\r\n",
    b"Subject: four\r\n\r\na\n.\r\n+OK\r\nmore\r\n",
    b"Subject: five\r\n\r\na\r\n.\n-ERR\r\nmore\r\n",
    b"Subject: six\r\n\r\n.\r\n..\r\n...\r\n.x\r\n",
    b"Subject: seven\r\n\r\n\0\0.\0\r\n" + b"y" * 100_000 + b"\r\n",
    b".\r\n",
    b"\r\n",
    b"",
]


@case
def p_6_what_looks_like_an_end():
    with PopPair() as pair:
        for octets in SMUGGLED:
            pair.box.add(octets)
        pair.run(copied=len(SMUGGLED))
        pair.expect_same()


@case
def p_6_a_message_that_does_not_end_is_not_stored():
    """The server stalls in the middle of one, in each session: the others arrive, whole."""
    def stall(session, command, proceed):
        session.say("+OK")
        session.raw(mail(2)[:-40])
        session.wait_for_end()
    for capabilities in (CAPABILITIES, ONE_BY_ONE):
        with PopPair(capabilities=capabilities) as pair:
            pair.fill(5)
            pair.source.on("RETR", stall, where="RETR 3")
            result = pair.attempt("--timeout1", "1", *NO_GRACE)
            assert result.code != 0, result.told()
            assert pair.held() == {mail(number): 1 for number in (0, 1, 3, 4)}, result.told()


@case
def p_8_what_follows_an_error_is_no_answer():
    def chatty(session, command, proceed):
        session.say("-ERR no such message\r\nreally not\r\n+OK not this one either")
    with PopPair(capabilities=ONE_BY_ONE) as pair:
        pair.fill(4)
        pair.source.on("RETR", chatty, where="RETR 2")
        result = pair.attempt(*NO_GRACE)
        assert result.code != 0, result.told()
        assert not set(pair.held()) - {mail(number) for number in range(4)}, "something that is no message"
        pair.source.unhook()
        pair.run(source=4)
        pair.expect_same()


@case
def p_9_an_error_that_goes_on_and_on():
    text = "-ERR " + "%s%n\x1b]0;pwn\x07\xff\xfe" * 8000
    for capabilities in (CAPABILITIES, ONE_BY_ONE):
        with PopPair(capabilities=capabilities) as pair:
            pair.fill(4)
            pair.source.on("RETR", answer(text), where="RETR 2")
            result = pair.attempt()
            assert result.code == 115 and "%s%n" in result.out and "\x1b" not in result.out, result.told()
            result.expect_totals(source=4, copied=3)
            assert pair.held() == {mail(number): 1 for number in (0, 2, 3)}


@case
def p_14_top_gives_another_header():
    """Keys are made of it where the state is lost: RETR decides."""
    class Lying(Session):
        def top(self, mail):
            other = self.view[(self.view.index(mail) + 1) % len(self.view)]
            return super().top(other)
    with PopPair(session_class=Lying) as pair:
        pair.fill(6)
        pair.run(copied=6)
        pair.lose_state()
        pair.box.drop(pair.box.mails[0])
        pair.fill(1, first=60)
        pair.run(copied=1, already_there=5)
        assert sorted(pair.order()) == sorted(mail(number) for number in (*range(6), 60))


@case
def p_15_what_comes_is_not_what_was_announced():
    large = mail(7, "0123456789abcde\r\n" * 400_000)
    class Lying(Session):
        def size(self, mail):
            return 0 if mail.octets == large else 50_000_000
    with PopPair(session_class=Lying) as pair:
        pair.fill(3)
        pair.box.add(large)
        pair.run(copied=4)
        pair.expect_same()


if __name__ == "__main__":
    run_cases()
