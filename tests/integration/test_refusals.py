#!/usr/bin/env python3
"""
Habits of servers, row by row, where it takes a whole run to show what comes of them: what they refuse, do not give,
hang up over, or take their time for. It is named, and the rest arrives. Cases are named after their rows, which
docs/servers.md lists; what a conversation alone can show is a transcript of that name.
"""
import threading
import time

from harness import SLOWNESS, case, run_cases
from pair import BRIDGE, Pair, held, mail
from servers.mini import answer
from servers.mini_session import Refused, Session
from servers.mailstore import Message
from servers.mini_wire import Closed

# Folders that cannot be made or opened

@case
def ex11_a_reserved_name_fails_alone():
    with Pair() as pair:
        pair.fill(3)
        pair.fill(2, pair.source.account("u1").make("Files"), 20)
        pair.fill(2, pair.source.account("u1").make("Other"), 30)
        pair.destination.on("CREATE", answer("NO Folder name is reserved."), where='"Files"')
        result = pair.run(code=116, source=7, copied=5, failed=2)
        assert "reserved" in result.err + result.out
        pair.run(code=116, copied=0, already_there=5, failed=2)


@case
def ex7_a_folder_that_cannot_be_opened_fails_alone():
    with Pair() as pair:
        pair.fill(3)
        pair.fill(2, pair.source.account("u1").make("Broken"), 20)
        pair.source.on("EXAMINE", answer("NO Server Unavailable. 15"), where='"Broken"')
        pair.run(code=117, copied=3)
        pair.source.unhook()
        pair.run(copied=2, already_there=3)
        pair.expect_same()


@case
def gm11_a_round_number_of_messages_is_told():
    with Pair() as pair:
        for number in range(1000):
            pair.inbox.add(Message(b"Message-ID: <%d@rows.example>\r\n\r\n" % number))
        result = pair.run(copied=1000)
        assert 'such as "INBOX", holds a round number' in result.err, result.told()
        pair.inbox.add(Message(mail(1)))
        result = pair.run(copied=1, already_there=1000)
        assert "round number" not in result.err, result.told()


@case
def ap5_an_account_that_lists_nothing_is_copied():
    with Pair(BRIDGE, BRIDGE) as pair:
        pair.fill(3)
        pair.source.on("LIST", answer("OK LIST completed"))
        result = pair.run(copied=3)
        assert "lists no folder" in result.err, result.told()
        pair.expect_same()
        pair.destination.on("LIST", answer("OK LIST completed"))
        pair.fill(1, first=50)
        pair.run(copied=1, already_there=3)
        pair.expect_same()


# What ends connections, and servers that ask for patience

def dropping(is_bad, last_words=None):
    """A session class that ends the connection over an APPEND of what `is_bad`."""
    class Dropping(Session):
        def do_append(self, command, name, *parts):
            if any(is_bad(part) for part in parts if command.is_literal(part)):
                if last_words is not None:
                    self.say(last_words)
                    self.flush()
                self.cut()
                raise Closed
            return super().do_append(command, name, *parts)
    return Dropping


def one_message_ends_the_connection(session_class, bad):
    """It is named and passed, and all others arrive once, before it and behind."""
    with Pair(destination_session=session_class) as pair:
        pair.fill(4)
        pair.inbox.add(Message(bad))
        pair.fill(4, first=20)
        pair.fill(2, pair.source.account("u1").make("Other"), 40)
        for _ in range(2):
            pair.run("--grace", "0", code=114, source=11, refused=1)
            missing = held(pair.source) - held(pair.destination)
            assert missing == {("INBOX", bad): 1} and not held(pair.destination) - held(pair.source), missing


@case
def gm9_a_nul_ends_the_session():
    one_message_ends_the_connection(dropping(lambda octets: b"\0" in octets, "* BYE Invalid character in literal"),
                                    mail(10).replace(b"text", b"te\0xt"))


@case
def ex5_a_long_line_drops_the_connection():
    one_message_ends_the_connection(dropping(lambda octets: any(len(line) > 10239 for line in octets.split(b"\r\n"))),
                                    mail(10, "x" * 11000))


def one_folder_ends_the_connection(name, last_words):
    def end(session, command, proceed):
        if last_words is not None:
            session.say(last_words)
            session.flush()
        session.cut()
    with Pair() as pair:
        pair.fill(3)
        pair.fill(2, pair.source.account("u1").make(name), 20)
        pair.fill(2, pair.source.account("u1").make("Other"), 40)
        pair.source.on("EXAMINE", end, where=f'"{name}"')
        result = pair.attempt()
        assert result.code != 0
        result.expect_totals(source=7, copied=5, failed=2)
        pair.source.unhook()
        pair.run(copied=2, already_there=5)
        pair.expect_same()


@case
def zi3_a_locked_folder_ends_the_session():
    one_folder_ends_the_connection("Locked", "* BYE Zimbra IMAP server terminating connection")


@case
def ex12_a_name_with_a_blank_at_its_end_drops_the_connection():
    one_folder_ends_the_connection("x ", None)


def one_message_is_not_given(refusal):
    class Refusing(Session):
        def do_fetch(self, command, numbers, items, modifiers=(), by_uid=False):
            bodies = "BODY.PEEK[]" in (items if isinstance(items, list) else [items])
            if bodies and any(entry.uid == 3 for _, entry in self._chosen(numbers, by_uid)):
                raise Refused(refusal)
            return super().do_fetch(command, numbers, items, modifiers, by_uid)
    with Pair(source_session=Refusing) as pair:
        pair.fill(6)
        pair.run(code=115, source=6, copied=5, unfetchable=1)
        pair.fill(1, first=50)
        pair.run(code=115, source=7, copied=1, already_there=5, unfetchable=1)
        assert len(pair.copy.entries) == 6


@case
def gm12_a_message_that_always_fails_is_passed():
    one_message_is_not_given("NO System Error (Failure)")


@case
def ya2_a_message_that_is_never_available_is_passed():
    one_message_is_not_given("NO [UNAVAILABLE] UID FETCH Server error while fetching messages")


@case
def ex2_a_throttled_append_is_sent_again_after_the_time_asked_for():
    throttled = answer("NO Request is throttled. Suggested Backoff Time: 300 milliseconds")
    with Pair() as pair:
        pair.fill(5)
        pair.destination.on("APPEND", throttled, times=1)
        result = pair.run("--grace", "0", copied=5)
        assert result.seconds >= 0.3, result.told()
        pair.expect_same()


@case
def a_message_that_is_put_off_for_ever_is_passed():
    """A server may ask for patience with one message alone: what is behind it does not wait for it in every run."""
    class Patient(Session):
        def do_append(self, command, name, *parts):
            if any(b"<2@" in part for part in parts if command.is_literal(part)):
                raise Refused("NO [UNAVAILABLE] not this one. Suggested Backoff Time: 10 milliseconds")
            return super().do_append(command, name, *parts)
    with Pair(destination_session=Patient) as pair:
        pair.fill(6)
        pair.fill(2, pair.source.account("u1").make("Other"), 40)
        result = pair.run("--grace", "0", code=114, source=8, copied=7, refused=1)
        assert "three times" in result.err and "not this one" in result.err, result.told()
        pair.run("--grace", "0", code=114, source=8, copied=0, already_there=7, refused=1)


@case
def aw1_a_throttled_select_is_made_again():
    throttled = answer("NO [THROTTLED] Suggested Backoff Time: 300 milliseconds")
    with Pair() as pair:
        pair.fill(5)
        pair.source.on("EXAMINE", throttled, times=1)
        pair.run(copied=5)
        pair.expect_same()


def few_connections_are_let_in(most, refusal):
    """Work for several lanes, and room for fewer: a lane less, and no error. Nothing is given before it is tried."""
    refused = threading.Event()
    with Pair() as pair:
        for number in range(20):
            pair.fill(60, pair.source.account("u1").make(f"folder {number}"), 100 * number)

        def admit(session, command, proceed):
            if sum(each.user is not None for each in list(pair.source._sessions)) < most:
                proceed()
                return
            session.say(f"{command.tag} {refusal}")
            refused.set()

        def hold(session, command, proceed):
            refused.wait(3 * SLOWNESS)
            proceed()
        pair.source.on("LOGIN", admit)
        pair.source.on("UID FETCH", hold)
        pair.run("--lanes", "4", copied=1200)
        pair.expect_same()
        assert refused.is_set(), "no login too many was tried"


@case
def gm7_a_connection_too_many_costs_a_lane():
    few_connections_are_let_in(1, "NO [ALERT] Too many simultaneous connections. (Failure)")


@case
def ya7_two_connections_are_let_in():
    few_connections_are_let_in(2, "NO [LIMIT] LOGIN Too many connections.")


@case
def a_keyword_that_is_refused_costs_no_other_message_its_own():
    """What is left out is counted, and told of once for a folder."""
    class Picky(Session):
        def do_append(self, command, name, *parts):
            if any("$Odd" in part for part in parts if isinstance(part, list)):
                raise Refused("NO no such keyword")
            return super().do_append(command, name, *parts)
    with Pair(destination_session=Picky) as pair:
        pair.fill(6)
        for number, entry in enumerate(pair.inbox.entries):
            entry.message.flags = {"$Odd", "home"} if number in (1, 3) else {"work"}
        result = pair.run(copied=6)
        assert result.err.count("were left out: 4\n") == 1, result.told()
        flags = [entry.message.flags for entry in pair.copy.entries]
        assert sorted(map(sorted, flags)) == [[], []] + [["work"]] * 4, flags


# Flags that have a life of their own

@case
def ap2_peeking_marks_as_read():
    """The copies are as unread as the source was; that it no longer is, is said once, and not our doing."""
    class Marking(Session):
        def say_fetch(self, number, entry, items):
            super().say_fetch(number, entry, items)
            if "BODY.PEEK[]" in items and "\\Seen" not in entry.message.flags:
                entry.message.flags.add("\\Seen")
                super().say_fetch(number, entry, ["UID", "FLAGS"])
    with Pair(source_session=Marking) as pair:
        pair.fill(6)
        result = pair.run(copied=6)
        assert result.err.count("marks messages as read") == 1, result.told()
        assert sum("\\Seen" in entry.message.flags for entry in pair.copy.entries) == 3
        assert not pair.source.heard("UID STORE") and not pair.source.heard("SELECT")


@case
def gm10_what_is_marked_as_deleted_vanishes_at_once():
    """It is gone at the destination, and stays so: no run brings it back, and none takes another's place for it."""
    with Pair() as pair:
        account = pair.destination.account("u1")
        append = account.append

        def vanish(folder, message):
            entry = append(folder, message)
            if "\\Deleted" in message.flags:
                folder.drop([entry])
            return entry
        account.append = vanish
        pair.fill(5)
        pair.inbox.entries[2].message.flags.add("\\Deleted")
        pair.run(copied=5)
        assert len(pair.copy.entries) == 4
        pair.run(copied=0, already_there=4, filtered=1)
        pair.fill(1, first=50)
        pair.run(copied=1, already_there=4, filtered=1)
        assert len(pair.copy.entries) == 5


# Servers that take their time

def a_listing_is_slow(item):
    """Each message that is listed with `item` takes half a second; after four, a silent server is given up."""
    class Slow(Session):
        def say_fetch(self, number, entry, items):
            super().say_fetch(number, entry, items)
            if item in items and "BODY.PEEK[]" not in items:
                self.flush()
                time.sleep(0.5 * SLOWNESS)
    patience = str(round(4 * SLOWNESS))
    with Pair(BRIDGE, source_session=Slow) as pair:
        pair.fill(12)
        pair.run("--timeout1", patience, copied=12)
        pair.lose_state()
        pair.run("--timeout1", patience, copied=0, already_there=12)
        assert len({each.session for each in pair.source.log}) == 2, "it was given up, and tried again"


@case
def cn4_a_listing_takes_longer_than_a_silence_may():
    a_listing_is_slow("FLAGS")


@case
def dm1_each_size_takes_its_time():
    a_listing_is_slow("RFC822.SIZE")


# Messages that cannot be read

@case
def ex9_a_meeting_without_data_is_named():
    class Mute(Session):
        def say_fetch(self, number, entry, items):
            if b"number 2\r\n" not in entry.message.octets or "BODY.PEEK[]" not in items:
                super().say_fetch(number, entry, items)
    with Pair(source_session=Mute) as pair:
        pair.fill(5)
        result = pair.run(code=115, source=5, copied=4, unfetchable=1)
        assert "gives no body" in result.out + result.err
        pair.run(code=115, copied=0, already_there=4, unfetchable=1)
        assert len(pair.copy.entries) == 4


@case
def ex3_a_size_that_lies_costs_nothing():
    class Lying(Session):
        def item(self, entry, item):
            return b"RFC822.SIZE 19189" if item == "RFC822.SIZE" else super().item(entry, item)
    with Pair(source_session=Lying) as pair:
        pair.fill(4)
        pair.run(copied=4)
        pair.expect_same()
        pair.run(copied=0, already_there=4)


if __name__ == "__main__":
    run_cases()
