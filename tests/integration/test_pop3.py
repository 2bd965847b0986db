#!/usr/bin/env python3
"""
POP3 servers of every kind: a mailbox arrives once, in order, under its dates; a rerun fetches nothing, and what is new
arrives alone. How they are reached and logged in to is test_pop3_login.py, being killed test_pop3_kill.py.
"""
import collections

from harness import HOST, NO_GRACE, PASSWORD, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, case, run_cases
from popmail import KINDS, Mail, held, login, mail
from popside import Pop, arrived, expect_arrived, in_imap, opened, settled
from reader import ImapAccount
from servers.poprelay import PopRelay

COUNT = 400 if SHORT else 5000
SEEN = frozenset(["\\seen"])


def shared(wanted):
    """
    How many messages may be looked at when nothing is new: those that share their UIDL with another, and a sample of
    their neighbours; none where each UIDL stands once.
    """
    counted = collections.Counter(uidl for uidl, _ in wanted)
    known = sum(number for number in counted.values() if number > 1)
    return known + 4 if known else 0


def carried(name):
    mails = list(mail(COUNT))
    with opened(name) as (kind, server), Scratch() as folder, PopRelay(server.pop_port) as relay:
        kind.give(server, "u1", mails)
        wanted = settled(kind, server, "u1")
        root = folder + "/m"
        flags = SEEN if kind.alters else frozenset()  # it writes a Status of its own
        with Bench(Pop(server, "u1", port=relay.port), Maildir(root)) as bench:
            bench.run().expect(0).expect_totals(source=COUNT, copied=COUNT)
            expect_arrived(wanted, mails, arrived(root), flags)
            known = shared(wanted)
            assert relay.count("RETR") == COUNT and relay.count("TOP") <= known, "messages were asked for more than once"
            if not known:
                assert [each.uidl for each in arrived(root)] == [uidl.decode() for uidl, _ in wanted]

            relay.clear()
            bench.run().expect(0).expect_totals(source=COUNT, copied=0, already_there=COUNT)
            assert relay.count("RETR") <= relay.count("TOP") <= known and relay.count("DELE") == 0, \
                [(verb, relay.count(verb)) for verb in ("CAPA", "PASS", "UIDL", "LIST", "TOP", "RETR", "DELE", "QUIT")]
            assert relay.count("UIDL") == 1 and relay.count("LIST") == (known > 0)

            more = list(mail(3, first=COUNT))
            kind.give(server, "u1", more)
            relay.clear()
            bench.run().expect(0).expect_totals(source=COUNT + 3, copied=3, already_there=COUNT)
            assert 3 <= relay.count("RETR") <= 3 + known and relay.count("TOP") <= known, relay.commands()[:20]
            got = arrived(root)
            assert len(got) == COUNT + 3 and [each.date for each in got[-3:]] == [each.date for each in more]
            assert [each.octets for each in got[:-3]] == [octets for _, octets in wanted]
            if not kind.alters:
                assert [each.octets for each in got[-3:]] == [each.octets for each in more]
        left = held(server.pop_port, "u1", bodies=not kind.alters)[:COUNT]
        assert left == [(uidl, None if kind.alters else octets) for uidl, octets in wanted], "the source was changed"


@case
def a_mailbox_of_a_dovecot_arrives():
    carried("dovecot")


@case
def a_mailbox_of_a_cyrus_arrives():
    carried("cyrus")


@case
def a_mailbox_of_a_courier_arrives():
    carried("courier")


@case
def a_mailbox_of_a_mailutils_arrives():
    carried("mailutils")


@case
def a_mailbox_of_a_popa3d_arrives():
    carried("popa3d")


def into_imap(name, count):
    mails = list(mail(count))
    with opened(name) as (kind, server), Dovecot() as new, PopRelay(server.pop_port) as relay:
        kind.give(server, "u1", mails)
        wanted = held(server.pop_port, "u1")

        def imported():
            with ImapAccount(HOST, new.port, "u1", PASSWORD) as account:
                return in_imap(account, "Imported/POP3"), in_imap(account, "INBOX")
        with Bench(Pop(server, "u1", port=relay.port), Imap(new, "u1"), "--folder2", "Imported/POP3") as bench:
            bench.run().expect(0).expect_totals(copied=count)
            got, other = imported()
            expect_arrived(wanted, mails, got)
            assert not other, "mail went to INBOX, too"
            relay.clear()
            bench.run().expect(0).expect_totals(copied=0, already_there=count)
            assert relay.count("RETR") <= relay.count("TOP") <= shared(wanted)
            bench.lose_state()
            bench.run().expect(0).expect_totals(copied=0, already_there=count)
            kind.give(server, "u1", mail(3, first=count))
            bench.run().expect(0).expect_totals(copied=3, already_there=count)
            expect_arrived(held(server.pop_port, "u1"), list(mail(count + 3)), imported()[0])


@case
def a_mailbox_goes_into_a_folder_of_an_imap_account():
    into_imap("dovecot", COUNT // 5)


@case
def one_whose_twins_share_a_uidl_goes_there_too():
    into_imap("popa3d", COUNT // 5)


@case
def a_mailbox_of_twenty_and_one_of_none():
    for name in KINDS:
        with opened(name) as (kind, server), Scratch() as folder:
            mails = list(mail(20))
            kind.give(server, "u2", mails)
            flags = SEEN if kind.alters else frozenset()
            wanted = settled(kind, server, "u2")
            with Bench(Pop(server, "u1"), Maildir(folder + "/none")) as bench:
                bench.run().expect(0).expect_totals(source=0)
            with Bench(Pop(server, "u2"), Maildir(folder + "/twenty")) as bench:
                bench.run().expect(0).expect_totals(copied=20)
                expect_arrived(wanted, mails, arrived(folder + "/twenty"), flags)


@case
def a_large_message_passes():
    """30 MB, with lines that begin with dots, between two small ones."""
    line = b"..dots and text of a large message" * 80 + b"\r\n.\r\n"
    small = list(mail(2))
    large = Mail(small[0].octets.split(b"\r\n\r\n")[0].replace(b"number 0", b"large") + b"\r\n\r\n"
                 + line * ((4 << 20 if SHORT else 30 << 20) // len(line)), small[0].date)
    mails = [small[0], large, small[1]]
    for name in KINDS:
        with opened(name) as (kind, server), Scratch() as folder:
            kind.give(server, "u1", mails)
            wanted = settled(kind, server, "u1")
            with Bench(Pop(server, "u1"), Maildir(folder + "/m")) as bench:
                bench.run().expect(0).expect_totals(copied=3)
                expect_arrived(wanted, mails, arrived(folder + "/m"), SEEN if kind.alters else frozenset())


@case
def headers_of_a_status_tell_flags_and_seen_makes_all_seen():
    told = {b"Status: RO\r\n": {"\\seen"}, b"Status: O\r\n": set(), b"X-Status: A\r\n": {"\\answered"},
            b"Status: RO\r\nX-Status: A\r\n": {"\\seen", "\\answered"}, b"": set()}
    mails = [Mail(lines + given.octets, given.date) for lines, given in zip(told, mail(len(told)))]
    for name in ("dovecot", "cyrus", "courier", "popa3d"):
        with opened(name) as (kind, server), Scratch() as folder:
            kind.give(server, "u1", mails)
            with Bench(Pop(server, "u1"), Maildir(folder + "/m")) as bench:
                bench.run().expect(0).expect_totals(copied=len(mails))
                assert [each.flags for each in arrived(folder + "/m")] == list(told.values()), name
            with Bench(Pop(server, "u1"), Maildir(folder + "/seen"), "--seen1") as bench:
                bench.run().expect(0).expect_totals(copied=len(mails))
                assert [each.flags for each in arrived(folder + "/seen")] == [{"\\seen"} | flags for flags in told.values()]


@case
def what_is_in_use_is_waited_for():
    """A Mailutils lets in one session at a time; the other one ends when the run has been refused."""
    with opened("mailutils") as (kind, server), Scratch() as folder:
        kind.give(server, "u1", mail(5))
        other = login(server.pop_port, "u1")
        with PopRelay(server.pop_port, noticed=("PASS", 2, other.quit)) as relay, \
                Bench(Pop(server, "u1", port=relay.port), Maildir(folder + "/m")) as bench:
            done = bench.run(*NO_GRACE).expect(0).expect_totals(copied=5)
            assert relay.count("PASS") >= 2, done.told()


if __name__ == "__main__":
    run_cases()
