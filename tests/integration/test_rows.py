#!/usr/bin/env python3
"""
Habits of servers, row by row, where it takes a whole run to show what comes of them: what they say wrongly of their
messages, and what they alter. Nothing is lost, and nothing doubled. Cases are named after their rows, which
docs/servers.md lists; what a conversation alone can show is a transcript of that name.
"""
import threading

from harness import NO_GRACE, case, run_cases
from pair import BRIDGE, FULL, Pair, held, mail
from servers.mini import answer
from servers.mini_session import Session
from servers.mailstore import Message
from servers.mini_wire import header_fields

SEARCHES = ("SEARCH", "UID SEARCH")


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


PSEUDO = (b"From: Mail System Internal Data <MAILER-DAEMON@uw.example>\r\n"
          b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\nX-IMAP: 0998764325 0000000042\r\n"
          b"Status: RO\r\n\r\nThis text is part of the internal format of your mail folder.\r\n")


@case
def uw1_a_pseudo_message_is_passed_over():
    with Pair() as pair:
        pair.inbox.add(Message(PSEUDO))
        pair.fill(3)
        pair.run(source=4, copied=3, filtered=1)
        pair.run(source=4, copied=0, already_there=3, filtered=1)
        pair.fill(1, first=50)
        pair.run(source=5, copied=1, already_there=3, filtered=1)
        pair.lose_state()
        pair.run(source=5, copied=0, already_there=4, filtered=1)
        assert len(pair.copy.entries) == 4


@case
def uw1_a_pseudo_message_is_passed_over_where_a_run_needs_two_passes():
    cuts = []

    def cut_once(session, command, proceed):
        if cuts:
            proceed()
        else:
            cuts.append(command)
            session.cut()

    with Pair() as pair:
        pair.inbox.add(Message(PSEUDO))
        pair.fill(3)
        pair.destination.on("APPEND", cut_once)
        pair.run(*NO_GRACE, source=4, copied=3, filtered=1, failed=0)
        assert cuts and len(pair.copy.entries) == 3
        pair.source.log.clear()
        pair.run(source=4, copied=0, already_there=3, filtered=1)
        assert not pair.source.heard("UID FETCH"), "the folder was not complete"


class Drifting(Session):
    """Says another UIDVALIDITY of an empty folder at each time of asking, as Courier and Mailutils do."""

    def _say_status(self, folder, items):
        self._drift(folder)
        super()._say_status(folder, items)

    def _open(self, name, read_only):
        self._drift(self._folder(name))
        return super()._open(name, read_only)

    def _drift(self, folder):
        if not folder.entries:
            folder.epoch += 1


@case
def an_empty_folder_whose_epoch_drifts_goes_on_after_a_cut():
    """Whether what was sent is lost, is there, or comes while it is looked for."""
    for what_comes in (lambda proceed: None, lambda proceed: proceed(),
                       lambda proceed: threading.Timer(0.8, proceed).start()):
        cuts = []

        def cut_once(session, command, proceed, what_comes=what_comes, cuts=cuts):
            if cuts:
                proceed()
                return
            cuts.append(command)
            what_comes(proceed)
            session.cut()

        with Pair(destination_session=Drifting) as pair:
            pair.fill(4)
            pair.destination.on("APPEND", cut_once)
            result = pair.run("--grace", "2", source=4, failed=0)
            assert cuts and "replaced" not in result.err, result.told()
            pair.expect_same()
            pair.run(copied=0, already_there=4)


def swap_uids(folder):
    """Gives every message another's UID, as a bridge does that counts anew in each session."""
    messages = [entry.message for entry in folder.entries]
    for entry, message in zip(folder.entries, reversed(messages)):
        entry.message = message
        folder.changed(entry)


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


def sizes_of_the_listing_are_wrong(by):
    """Where the size is part of keys, those of the listing are others than those of what was copied."""
    class Sizing(Session):
        def item(self, entry, item):
            told = super().item(entry, item)
            return b"RFC822.SIZE %d" % (int(told.split()[1]) + by) if item == "RFC822.SIZE" else told
    with Pair(BRIDGE, source_session=Sizing) as pair:
        nameless = mail(7).replace(b"Message-ID: <7@rows.example>\r\n", b"")
        pair.inbox.add(Message(nameless))
        pair.fill(2)
        pair.run(copied=3)
        for n in range(3, 6):
            pair.fill(1, first=40 + n)
            result = pair.run(copied=1, already_there=n)
            assert result.err == "", result.told()
        pair.expect_same()
        # and yet it is seen when messages move: as many are others by their bodies, too
        swap_uids(pair.inbox)
        result = pair.attempt()
        assert "numbered its messages anew" in result.err, result.told()


@case
def hm1_wrong_sizes_are_no_sign_of_other_messages():
    sizes_of_the_listing_are_wrong(7)


@case
def ex3_sizes_far_off_are_no_sign_of_other_messages():
    sizes_of_the_listing_are_wrong(12891)


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


if __name__ == "__main__":
    run_cases()
