#!/usr/bin/env python3
"""
Habits of servers, row by row, where it takes a whole run to show what comes of them: that nothing is lost, nothing
doubled, and that the report says so. Cases are named after their rows, which docs/servers.md lists; what a
conversation alone can show is a transcript of that name.
"""
import collections
import threading
import time

from harness import SLOWNESS, Bench, Imap, case, run_cases
from servers.mini import MiniServer, answer
from servers.mini_session import Refused, Session
from servers.mailstore import Message
from servers.mini_wire import Closed, header_fields

SEARCHES = ("SEARCH", "UID SEARCH")
FULL = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ESEARCH ENABLE CONDSTORE"


def mail(number, text="", extra=b""):
    """A message that is like no other."""
    return (b"Received: from a.example by b.example; Mon, 6 Jan 2003 10:00:%02d +0000\r\n"
            b"Message-ID: <%d@rows.example>\r\nDate: Mon, 6 Jan 2003 10:00:00 +0000\r\n%sSubject: number %d\r\n\r\n"
            b"text %d %s\r\n" % (number % 60, number, extra, number, number, text.encode()))


def held(server, user="u1"):
    """What an account holds: a count of (folder, octets)."""
    return collections.Counter((folder.name, entry.message.octets)
                               for folder in server.account(user).folders.values() for entry in folder.entries)


class Pair:
    """Two servers and a run from u1 of the one to u1 of the other; use by `with`."""

    def __init__(self, source=None, destination=None, source_session=None, destination_session=None):
        self.source = MiniServer(source or FULL, session_class=source_session)
        self.destination = MiniServer(destination or FULL, session_class=destination_session)
        self.inbox = self.source.account("u1").find("INBOX")
        self.copy = self.destination.account("u1").find("INBOX")

    def fill(self, n=6, folder=None, first=0):
        for number in range(first, first + n):
            (folder or self.inbox).add(Message(mail(number), {"\\Seen"} if number % 2 else ()))

    def __enter__(self):
        self._bench = Bench(Imap(self.source, "u1"), Imap(self.destination, "u1"))
        self.lose_state, self.log = self._bench.lose_state, self._bench.folder + "/log"
        return self

    def __exit__(self, *_):
        self._bench.__exit__()
        self.source.stop()
        self.destination.stop()

    def run(self, *options, code=0, **totals):
        return self._bench.run(*options).expect(code).expect_totals(**totals)

    def attempt(self, *options):
        """A run that need not end well."""
        return self._bench.run(*options)

    def expect_same(self):
        wanted, got = held(self.source), held(self.destination)
        assert wanted == got, f"missing: {list((wanted - got).elements())}\ntoo many: {list((got - wanted).elements())}"


# Servers whose SEARCH says other things than what is there

def runs_whatever_search_says(hook):
    """Copies, takes one away and adds one, and loses the state, while SEARCH does as `hook` has it."""
    with Pair() as pair:
        for server in (pair.source, pair.destination):
            for name in SEARCHES:
                server.on(name, hook)
        pair.fill(12)
        pair.run(copied=12)
        pair.expect_same()
        pair.inbox.drop(pair.inbox.entries[3:4])
        pair.copy.drop(pair.copy.entries[3:4])
        pair.fill(1, first=100)
        pair.run(copied=1, already_there=11)
        pair.expect_same()
        pair.lose_state()
        pair.run(copied=0, already_there=12)
        pair.expect_same()


def half(session, command, proceed):
    """Tells the first half of what is there."""
    uids = [entry.uid for entry in session.view][:len(session.view) // 2]
    if "RETURN" in command.line.upper():
        session.say(f'* ESEARCH (TAG "{command.tag}") UID ALL {",".join(map(str, uids)) or "1"}')
    else:
        session.say("* SEARCH " + " ".join(map(str, uids)))
    session.say(f"{command.tag} OK SEARCH completed")


def unreadable(session, command, proceed):
    session.say("* SEARCH SEARCH search error: can't search that criteria")
    session.say(f"{command.tag} OK SEARCH completed")


@case
def ya3_search_tells_half_of_what_is_there():
    runs_whatever_search_says(half)


@case
def ex15_search_cannot_be_relied_on():
    runs_whatever_search_says(half)


@case
def ap3_search_without_a_hit_says_nothing():
    runs_whatever_search_says(answer("OK SEARCH completed"))


@case
def cn2_search_answers_in_words():
    runs_whatever_search_says(unreadable)


@case
def cn3_search_is_not_understood():
    runs_whatever_search_says(answer("BAD unknown command"))


# Servers whose header, asked for apart, is not that of the message

def apart(change):
    """A session class that changes BODY[HEADER.FIELDS]: `change` gets the whole message and the fields."""
    class Apart(Session):
        def _body(self, entry, item):
            if "HEADER.FIELDS" not in item:
                return super()._body(entry, item)
            octets = change(entry.message.octets, super()._body(entry, item).partition(b"\r\n")[2])
            return b"%s {%d}\r\n%s" % (item.replace(".PEEK", "").encode(), len(octets), octets)
    return Apart


def header_fetched_apart_differs(session_class, message):
    with Pair(source_session=session_class) as pair:
        pair.fill(3)
        pair.inbox.add(Message(message))
        pair.run(copied=4)
        pair.fill(1, first=50)
        pair.run(copied=1, already_there=4)
        pair.lose_state()
        pair.run(copied=0, already_there=5)
        pair.expect_same()


EIGHT_BIT = mail(77, extra=b"X-Name: caf\xe9 \xfc\r\n").replace(b"<77@", b"<77\xe4\xf6@").replace(b"a.example", b"b\xfc.example  ")


@case
def ya6_a_header_apart_has_question_marks():
    header_fetched_apart_differs(apart(lambda _, fields: bytes(ord("?") if octet > 127 else octet for octet in fields)),
                                 EIGHT_BIT)


@case
def zi1_a_header_apart_has_no_trailing_blanks():
    def change(_, fields):
        lines = [line.rstrip(b" \t") for line in fields.split(b"\r\n")]
        return bytes(ord("?") if octet > 127 else octet for octet in b"\r\n".join(lines))
    header_fetched_apart_differs(apart(change), EIGHT_BIT)


def header_apart_is_cut(line):
    """
    The header, asked for apart, ends before `line`. A message of which nothing is left that could tell it is read
    whole, and known again even without the state; one that came some way is not: once more then, and no other.
    """
    def change(octets, fields):
        kept = octets.partition(line)[0]
        return fields if kept == octets else header_fields(kept, ["RECEIVED"]) + b"\r\n"
    head, _, rest = mail(70).partition(b"Message-ID")
    told, sent = b"Subject: odd" + line + b"Message-ID" + rest, head + b"X-Odd: b" + line + b"Message-ID" + rest
    with Pair(source_session=apart(change)) as pair:
        pair.fill(3)
        pair.inbox.add(Message(told))
        pair.inbox.add(Message(sent))
        pair.run(copied=5)
        pair.fill(1, first=50)
        pair.run(copied=1, already_there=5)
        pair.expect_same()
        pair.lose_state()
        pair.run(copied=1, already_there=5)
        assert held(pair.destination) - held(pair.source) == {("INBOX", sent): 1}


@case
def co2_a_header_apart_ends_at_a_bare_return():
    header_apart_is_cut(b"\n\r\r\n")


@case
def or1_a_header_apart_ends_at_a_blank_line():
    header_apart_is_cut(b"\r\n \r\n")


@case
def ex10_a_header_field_comes_with_a_flag():
    class Flagging(Session):
        def _body(self, entry, item):
            kept = entry.message.octets
            if "\\Flagged" in entry.message.flags:
                entry.message.octets = b"X-Message-Flag: Follow up\r\n" + kept
            try:
                return super()._body(entry, item)
            finally:
                entry.message.octets = kept
    with Pair(source_session=Flagging) as pair:
        pair.fill(4)
        pair.run(copied=4)
        entry = pair.inbox.entries[1]
        pair.source.account("u1").set_flags(pair.inbox, entry, {"\\Flagged"})
        pair.run(copied=0, already_there=4)
        assert "\\Flagged" in pair.copy.entries[1].message.flags
        pair.lose_state()
        pair.run(copied=0, already_there=4)
        pair.expect_same()


@case
def tb1_the_header_tells_when_a_message_came():
    class Dateless(Session):
        def item(self, entry, item):
            if item != "INTERNALDATE":
                return super().item(entry, item)
            return b"INTERNALDATE NIL" if entry.uid % 2 else b'INTERNALDATE "00-Jan-0000 00:00:00 +0000"'
    with Pair(source_session=Dateless) as pair:
        pair.fill(3)
        dated = b"Date: Fri, 3 Jan 2003 08:00:00 -0500\r\nMessage-ID: <d@rows.example>\r\n\r\nonly a Date\r\n"
        pair.inbox.add(Message(dated))
        pair.run("--logfile", pair.log, copied=4)
        dates = [entry.message.date for entry in pair.copy.entries]
        wanted = [f"06-Jan-2003 10:00:0{number} +0000" for number in range(3)] + ["03-Jan-2003 08:00:00 -0500"]
        assert dates == wanted, dates
        with open(pair.log, encoding="utf-8") as log:
            assert "does not say when 4 messages came" in log.read()
        pair.run(copied=0, already_there=4)


@case
def uw1_a_pseudo_message_is_passed_over():
    pseudo = (b"From: Mail System Internal Data <MAILER-DAEMON@uw.example>\r\n"
              b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\nX-IMAP: 0998764325 0000000042\r\n"
              b"Status: RO\r\n\r\nThis text is part of the internal format of your mail folder.\r\n")
    with Pair() as pair:
        pair.inbox.add(Message(pseudo))
        pair.fill(3)
        pair.run(source=4, copied=3, filtered=1)
        pair.run(source=4, copied=0, already_there=3, filtered=1)
        pair.fill(1, first=50)
        pair.run(source=5, copied=1, already_there=3, filtered=1)
        pair.lose_state()
        pair.run(source=5, copied=0, already_there=4, filtered=1)
        assert len(pair.copy.entries) == 4


def swap_uids(folder):
    """Gives every message another's UID, as a bridge does that counts anew in each session."""
    messages = [entry.message for entry in folder.entries]
    for entry, message in zip(folder.entries, reversed(messages)):
        entry.message = message
        folder.changed(entry)


BRIDGE = "IMAP4rev1 LITERAL+ UIDPLUS"  # no CONDSTORE: a server that numbers changes keeps its numbers


@case
def pm1_uids_are_swapped_between_runs():
    for capabilities in (BRIDGE, FULL):
        with Pair(capabilities) as pair:
            pair.fill(12)
            pair.run(copied=12)
            swap_uids(pair.inbox)
            result = pair.run(copied=0, already_there=12)
            assert ("numbered its messages anew" in result.err) == (capabilities is BRIDGE), result.told()
            pair.expect_same()


@case
def pm1_a_message_that_comes_in_front_moves_all_uids():
    """By their numbers alone the new one would look copied, and the last one new."""
    with Pair(BRIDGE) as pair:
        pair.fill(12)
        pair.run(copied=12)
        pair.inbox.add(Message(b""))
        messages = [Message(mail(99))] + [entry.message for entry in pair.inbox.entries[:-1]]
        for entry, message in zip(pair.inbox.entries, messages):
            entry.message = message
        result = pair.run(copied=1, already_there=12)
        assert "numbered its messages anew" in result.err, result.told()
        pair.expect_same()
        result = pair.run(copied=0, already_there=13)
        assert result.err == "", result.told()


@case
def pm1_messages_that_are_gone_are_no_messages_that_moved():
    with Pair(BRIDGE) as pair:
        pair.fill(12)
        pair.run(copied=12)
        pair.inbox.drop(pair.inbox.entries[1:11])
        pair.fill(1, first=50)
        result = pair.run(copied=1, already_there=2)
        assert result.err == "", result.told()


# Destinations that alter what they store

def altering(change):
    """A session class whose APPEND stores change(octets)."""
    class Altering(Session):
        def do_append(self, command, name, *parts):
            account, append = self.account, self.account.append
            def altered(folder, message):
                message.octets = change(message.octets)
                return append(folder, message)
            account.append = altered
            try:
                return super().do_append(command, name, *parts)
            finally:
                account.append = append
    return Altering


@case
def dv1_a_nul_is_stored_as_0x80():
    with Pair(destination_session=altering(lambda octets: octets.replace(b"\0", b"\x80"))) as pair:
        pair.fill(3)
        pair.inbox.add(Message(mail(60).replace(b"text", b"te\0xt")))
        pair.inbox.add(Message(mail(61).replace(b"<61@", b"<6\0001@")))
        pair.run(copied=5)
        pair.run(copied=0, already_there=5)
        pair.lose_state()
        pair.run(copied=0, already_there=5)


@case
def db1_the_destination_rewrites_the_message_id():
    """With the state nothing is doubled: a pair is a pair by its ids, whatever became of the key."""
    rewritten = altering(lambda octets: octets.replace(b"@rows.example>", b"@dbmail.example>"))
    with Pair(destination_session=rewritten) as pair:
        pair.fill(4)
        pair.run(copied=4)
        pair.run(copied=0, already_there=4)
        pair.fill(1, first=50)
        pair.run(copied=1, already_there=4)
        assert len(pair.copy.entries) == 5


@case
def hm1_sizes_are_off_by_some_octets():
    class Off(Session):
        def item(self, entry, item):
            if item == "RFC822.SIZE":
                return b"RFC822.SIZE %d" % (len(entry.message.octets) + 7)
            return super().item(entry, item)
    with Pair("IMAP4rev1", source_session=Off) as pair:
        pair.fill(4)
        pair.run(copied=4)
        pair.fill(1, first=50)
        pair.run(copied=1, already_there=4)
        pair.lose_state()
        pair.run(copied=0, already_there=5)
        pair.expect_same()


@case
def ft1_flags_are_lost_in_append():
    """No APPENDUID, so what was delivered is looked up anyway: flags that did not arrive are set then."""
    class Losing(Session):
        def do_append(self, command, name, *parts):
            return super().do_append(command, name, *(part for part in parts if not isinstance(part, list)))
    with Pair(destination="IMAP4rev1", destination_session=Losing) as pair:
        pair.fill(6)
        pair.inbox.entries[2].message.flags = {"\\Answered", "\\Flagged"}
        pair.run(copied=6)
        flags = [entry.message.flags for entry in pair.inbox.entries]
        assert [entry.message.flags for entry in pair.copy.entries] == flags
        stores = pair.destination.heard("UID STORE")
        assert len(stores) == 2, stores
        pair.run(copied=0, already_there=6)
        assert pair.destination.heard("UID STORE") == stores


@case
def ft1_flags_cannot_be_set_either():
    class Losing(Session):
        def do_append(self, command, name, *parts):
            return super().do_append(command, name, *(part for part in parts if not isinstance(part, list)))
    with Pair(destination="IMAP4rev1", destination_session=Losing) as pair:
        pair.fill(4)
        pair.destination.on("UID STORE", answer("NO flags are not kept here"))
        result = pair.run(copied=4)
        assert "flags of 2 messages were lost" in result.err, result.told()
        pair.run(copied=0, already_there=4)


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
