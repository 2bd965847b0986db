#!/usr/bin/env python3
"""
Whether the POP3 servers of the tests, and what fills and reads them, can be trusted: what is put in is handed out in
order, over each kind of connection, and what a server is said to offer it offers.
"""
import contextlib
import poplib
import ssl

from harness import HOST, PASSWORD, SHORT, Scratch, Skip, case, run_cases
from popmail import KINDS, held, login, mail
from servers.certificates import Authority
from servers.jail import Unavailable
from servers.poprelay import PopRelay

COUNT = 300 if SHORT else 1000


def start(stack, name, **more):
    try:
        return stack.enter_context(KINDS[name].make(**more))
    except Unavailable as why:
        raise Skip(why) from why


@case
def the_mail_for_pop3_is_as_odd_as_it_should_be():
    mails = list(mail(5000))
    assert len(mails) == 5000 and len({each.octets for each in mails}) == 4980
    assert sum(b"Message-ID:" not in each.octets for each in mails) == 50
    assert sum(b"always-the-same@" in each.octets for each in mails) == 20
    assert sum(each.date is None for each in mails) == 17
    assert all(each.octets.endswith(b"\r\n") and b"\nFrom " not in each.octets for each in mails)
    assert list(mail(100)) == mails[:100] and mail(1, first=5000) != mails[:1]


def hands_out(name):
    kind = KINDS[name]
    mails = list(mail(COUNT))
    with contextlib.ExitStack() as stack:
        server = start(stack, name)
        assert held(server.pop_port, "u1") == []
        kind.give(server, "u1", mails)
        first = held(server.pop_port, "u1")
        if kind.alters:  # adds to headers, and more once a message was read; what it says then stays
            first = held(server.pop_port, "u1")
            bodies = [octets.split(b"\r\n\r\n", 1)[1] for _, octets in first]
            assert bodies == [each.octets.split(b"\r\n\r\n", 1)[1] or b"\r\n" for each in mails]
        else:
            assert [octets for _, octets in first] == [each.octets for each in mails]
        assert len({uidl for uidl, _ in first}) == len({each.octets for each in mails} if kind.twins else mails)
        assert held(server.pop_port, "u1") == first
        kind.give(server, "u1", mail(3, first=COUNT))
        assert held(server.pop_port, "u1")[:COUNT] == first and len(held(server.pop_port, "u1", False)) == COUNT + 3
        pop = login(server.pop_port, "u1")
        pop.dele(1)
        pop.close()
        assert len(held(server.pop_port, "u1", False)) == COUNT + 3, "deleted without QUIT"
        pop = login(server.pop_port, "u1")
        pop.dele(1)
        pop.quit()
        assert held(server.pop_port, "u1", False)[0][0] == first[1][0]


@case
def a_dovecot_hands_out_what_it_was_given():
    hands_out("dovecot")


@case
def a_cyrus_hands_out_what_it_was_given():
    hands_out("cyrus")


@case
def a_courier_hands_out_what_it_was_given():
    hands_out("courier")


@case
def a_mailutils_hands_out_what_it_was_given():
    hands_out("mailutils")


@case
def a_popa3d_hands_out_what_it_was_given():
    hands_out("popa3d")


@case
def they_offer_what_they_are_said_to():
    with Scratch() as folder:
        authority = Authority(folder)
        context = ssl.create_default_context(cafile=authority.certificate)
        certificate = authority.issue()
        for name, kind in KINDS.items():
            with contextlib.ExitStack() as stack:
                server = start(stack, name, certificate=certificate)
                pop = poplib.POP3(HOST, server.pop_port)
                try:
                    told = pop.capa()
                except poplib.error_proto:
                    told = {}
                assert ("STLS" in told) == kind.tls == bool(server.pop_tls_port), told
                assert tuple(told.get("SASL", ())) == kind.mechanisms, told
                if kind.tls:
                    pop.stls(context)
                    secure = poplib.POP3_SSL("localhost", server.pop_tls_port, context=context)
                    secure.user("u2")
                    secure.pass_(PASSWORD)
                    secure.quit()
                pop.user("u1")
                pop.pass_(PASSWORD)
                assert pop.stat() == (0, 0)
                pop.quit()
                pop = poplib.POP3(HOST, server.pop_port)
                try:
                    pop.apop("u1", PASSWORD)
                    assert kind.apop
                    pop.quit()
                except poplib.error_proto:
                    assert not kind.apop


@case
def the_relay_before_pop3_records_and_cuts():
    with contextlib.ExitStack() as stack:
        server = start(stack, "dovecot")
        KINDS["dovecot"].give(server, "u1", mail(5))
        with PopRelay(server.pop_port) as relay, PopRelay(server.pop_port, cut=("RETR", 3)) as cutting:
            assert held(relay.port, "u1") == held(server.pop_port, "u1")
            assert relay.commands() == ["USER u1", "PASS ***", "UIDL"] + [f"RETR {n}" for n in range(1, 6)] + ["QUIT"]
            assert relay.count("RETR", "TOP") == 5 and relay.connections == 1
            pop = login(cutting.port, "u1")
            pop.retr(1), pop.retr(1)
            try:
                pop.retr(1)
                raise AssertionError("not cut")
            except (poplib.error_proto, OSError):
                assert cutting.cuts == 1
            assert len(held(cutting.port, "u1")) == 5


if __name__ == "__main__":
    run_cases()
