#!/usr/bin/env python3
"""
What people who bring one mailbox in meet: where its mail goes (--folder2), mail that says nothing of itself, under which
ids it is there (--uidl-map), a server that shows a part of it at a time, and one that lets nobody in twice.
"""
import threading

import reader
from harness import NO_GRACE, SLOWNESS, Imap, case, run_cases
from pair import mail
from pop_pair import PopPair
from servers.dovecot import Dovecot
from servers.minipop import Session, cut as cut_source
from servers.mini import cut

GMAIL = "+OK Gpop ready for requests from 192.0.2.1 z12mb1234567wrp"


class Alone(Session):
    """Lets a user in once at a time, and remembers who came while another stayed: one that is left may take its time."""
    changed, inside, turned_away = threading.Condition(), set(), []

    def do_pass(self, *words):
        with Alone.changed:
            is_free = Alone.changed.wait_for(lambda: self.server not in Alone.inside, 5 * SLOWNESS)
            Alone.inside.add(self.server)
            Alone.turned_away += [] if is_free else [self.number]
        if is_free:
            super().do_pass(*words)
        else:
            self.say("-ERR [IN-USE] somebody is in")

    def cut(self):
        with Alone.changed:
            if self.user is not None:
                Alone.inside.discard(self.server)
                Alone.changed.notify_all()
        super().cut()


def entries(pair, folder):
    return pair.destination.account("u1").find(folder).entries


# Where it goes

@case
def a_mailbox_goes_into_a_folder_of_its_own():
    with PopPair() as pair:
        pair.fill(7)
        plan = pair.attempt("--folder2", "Old/isp", "--dry")
        assert plan.code == 0 and any("mapped by: --folder2" in event.get("text", "") and event["folder2"] == "Old/isp"
                   for event in plan.events), plan.told()
        pair.run("--folder2", "Old/isp", copied=7)
        assert [each.message.octets for each in entries(pair, "Old/isp")] == [mail(n) for n in range(7)]
        assert not pair.copy.entries and "Old/isp" in pair.destination.account("u1").subscribed
        pair.run("--folder2", "Old/isp", copied=0, already_there=7)
        pair.run("--folder2", "inbox", copied=7)  # another folder is another copy
        pair.fill(1, first=90)
        pair.run("--folder2", "Old/isp", copied=1, already_there=7)
        assert len(entries(pair, "Old/isp")) == 8 and len(pair.copy.entries) == 7


@case
def a_path_that_is_none_is_refused_before_anybody_is_asked():
    with PopPair() as pair:
        for name in ("", "/a", "a/", "a//b", "a\tb"):
            pair.attempt("--folder2", name).expect(64)
        assert not pair.source.sessions


# What says nothing of itself

NAMELESS = [b"no header at all\r\n", b"\r\nonly a body\r\n"] + 3 * [b"Subject: one of three\r\n\r\nequal\r\n"] + [
    b"Received: from a by b; Tue, 3 Nov 2026 08:00:00 +0100\r\nSubject: no Date\r\n\r\nsent\r\n"]


def expect_known(pair, count):
    """Without the state nothing is copied again; what only its octets can tell is read, and a sample of the rest."""
    for octets in NAMELESS:
        pair.box.add(octets)
    pair.fill(4)
    pair.run(copied=10)
    for lost in ([], ["--stateless"]):
        pair.lose_state()
        pair.source.fetched.clear()
        pair.run(*lost, copied=0, already_there=10)
        assert count() == 10
        assert set(NAMELESS) <= {octets for _, octets in pair.source.fetched}, pair.source.fetched
    for times in range(2):
        pair.box.add(NAMELESS[2])  # the fourth of three
        pair.run("--stateless", copied=1, already_there=10 + times)
    pair.run("--stateless", copied=0, already_there=12)
    assert count() == 12


@case
def what_says_nothing_of_itself_is_known_again_by_imap():
    with PopPair() as pair:
        expect_known(pair, lambda: len(pair.copy.entries))
        pair.expect_same()


@case
def what_says_nothing_of_itself_is_known_again_in_a_maildir():
    with PopPair() as pair:
        path = pair.into_maildir()
        expect_known(pair, lambda: len(reader.read_maildir(path)))


@case
def what_says_nothing_of_itself_is_known_again_by_dovecot():
    with Dovecot() as dovecot, PopPair() as pair:
        side = Imap(dovecot, "u1")
        pair.into(side)
        expect_known(pair, lambda: len(side.snapshot()))


# Under which ids

@case
def the_map_of_uidls_says_where_each_message_is():
    with PopPair() as pair:
        pair.fill(5, uidl=lambda number: f"#{number}\\x" if number == 2 else f"id{number}")
        path = pair.log + ".map"
        pair.run("--folder2", "Old mail", "--uidl-map", path, copied=5)
        with open(path, encoding="ascii") as file:
            first = file.read()
        lines = [line.split("\t") for line in first.splitlines() if not line.startswith("#")]
        folder = pair.destination.account("u1").find("Old mail")
        wanted = [["id0"], ["id1"], ["\\x232\\x5Cx"], ["id3"], ["id4"]]
        for columns, entry in zip(wanted, folder.entries):
            columns += ["Old mail", str(folder.epoch), str(entry.uid)]
        assert lines == wanted, lines
        pair.run("--folder2", "Old mail", "--uidl-map", path, copied=0)
        with open(path, encoding="ascii") as file:
            assert file.read() == first


# A part at a time

@case
def gp1_sessions_follow_until_one_brings_nothing_new():
    with PopPair(batch=5, hides=True) as pair:
        pair.source.greeting = GMAIL
        pair.fill(23)
        result = pair.attempt().expect(0).expect_totals(source=23, copied=23)
        assert pair.source.n_sessions() == 6 and pair.order() == [mail(n) for n in range(23)], result.told()
        assert all(times == 1 for times in pair.source.fetched.values())
        pair.run(copied=0)
        assert pair.source.n_sessions() == 7


@case
def gp2_what_was_read_and_lost_with_the_destination_is_named():
    with PopPair(batch=10, hides=True) as pair:
        pair.source.greeting = GMAIL
        pair.fill(23)
        pair.destination.on("APPEND", cut, times=1)
        result = pair.attempt(*NO_GRACE).expect(111)
        result.expect_balance()
        totals = result.totals()
        named = [event for event in result.events if event.get("reason") == "withdrawn"]
        assert totals["source"] == 23 and 0 < totals["failed"] == len(named) <= 10, result.told()
        assert totals["copied"] == len(pair.copy.entries) == 23 - totals["failed"], result.told()
        pair.source.hides = False  # and found when it is shown again
        pair.run(copied=totals["failed"])
        pair.expect_same()


# One at a time

@case
def a_mailbox_is_never_opened_twice_at_a_time():
    with PopPair(session_class=Alone) as pair:
        pair.fill(40)
        pair.box.add(b"Subject: poison\r\n\r\n" + 99 * b"x" + b"\r\n")
        poison = str(len(pair.box.mails))
        pair.source.on("RETR", cut_source, where=f" {poison}")  # is asked for alone, and at last given up
        pair.source.on("RETR", cut_source, times=1, where=" 7")
        pair.destination.on("APPEND", cut, times=1)
        result = pair.attempt("--lanes", "8", *NO_GRACE).expect(115).expect_totals(copied=40, unfetchable=1)
        assert not Alone.turned_away, (Alone.turned_away, result.told())
        assert pair.source.n_sessions() > 3


if __name__ == "__main__":
    run_cases()
