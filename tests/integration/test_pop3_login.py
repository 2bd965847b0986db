#!/usr/bin/env python3
"""
How POP3 servers are reached and logged in to: TLS of both kinds, verified; every mechanism that they offer; refusals,
which are told once. What is carried then is test_pop3.py.
"""
import os
import re

from harness import Bench, Dovecot, Maildir, Scratch, case, run_cases
from popmail import KINDS, held, mail
from popside import Pop, arrived, opened, settled
from servers.certificates import Authority
from servers.poprelay import PopRelay
from servers.tokens import Tokens

PAIRS = [(name, kind) for name, kind in KINDS.items() if kind.tls]


class ByToken(Pop):
    """A side that logs in by an access token; more options follow it."""

    def __init__(self, server, user, *options, **more):
        super().__init__(server, user, **more)
        self._options = options

    def options(self, side, folder):
        options = super().options(side, folder)
        at = options.index(f"--passfile{side}")
        return options[:at] + options[at + 2:] + list(self._options)


def tried(relay):
    """The ways of logging in that a relay saw, in order."""
    return [words[1] if words[0] == "AUTH" else words[0]
            for words in (command.split(" ") for command in relay.commands()) if words[0] in ("AUTH", "APOP", "USER")]


@case
def tls_of_both_kinds_carries_mail_and_is_verified():
    with Scratch() as folder:
        authority, stranger = Authority(folder + "/ca"), Authority(folder + "/other")
        right = authority.issue()
        for name, _ in PAIRS:
            with opened(name, certificate=right) as (kind, server):
                kind.give(server, "u1", mail(5))
                wanted = settled(kind, server, "u1")
                for starttls in (False, True):
                    root = f"{folder}/{name}-{starttls}"
                    with Bench(Pop(server, "u1", tls=authority.certificate, starttls=starttls), Maildir(root)) as bench:
                        bench.run().expect(0).expect_totals(copied=5)
                    assert [each.octets for each in arrived(root)] == [octets for _, octets in wanted], name
                    for trusted in ("untrusted", stranger.certificate):
                        root = f"{folder}/{name}-{starttls}-refused"
                        side = Pop(server, "u1", tls=trusted, starttls=starttls)
                        with Bench(side, Maildir(root)) as bench:
                            done = bench.run()
                            assert done.code == 12 and len(done.error_lines()) == 1, done.told()
                            assert not os.path.exists(root + "/cur") or not os.listdir(root + "/cur")


@case
def a_certificate_of_another_host_is_refused():
    with Scratch() as folder:
        authority = Authority(folder + "/ca")
        other = authority.issue("other.example", "DNS:other.example")
        with opened("dovecot", certificate=other) as (_, server):
            for starttls in (False, True):
                side = Pop(server, "u1", tls=authority.certificate, starttls=starttls)
                with Bench(side, Maildir(folder + "/m")) as bench:
                    assert bench.run().code == 12


@case
def no_word_in_clear_where_stls_is_not_offered():
    with opened("popa3d") as (_, server), PopRelay(server.pop_port) as relay, Scratch() as folder:
        with Bench(Pop(server, "u1", port=relay.port, tls="untrusted", starttls=True), Maildir(folder + "/m")) as bench:
            done = bench.run()
            assert done.code == 12 and relay.commands() == ["STLS"], done.told()


@case
def each_mechanism_of_each_server_lets_in():
    for name in KINDS:
        with opened(name) as (kind, server), PopRelay(server.pop_port) as relay, Scratch() as folder:
            kind.give(server, "u1", mail(2))
            wanted = settled(kind, server, "u1")
            ways = [(word, word) for word in kind.mechanisms if word != "LOGIN"] + [("LOGIN", "USER")]
            for chosen, seen in ways + ([("APOP", "APOP")] if kind.apop else []):
                relay.clear()
                with Bench(Pop(server, "u1", port=relay.port), Maildir(f"{folder}/{chosen}"), "--authmech1", chosen) as bench:
                    done = bench.run().expect(0).expect_totals(copied=2)
                    assert tried(relay) == [seen], f"{name}, {chosen}: {relay.commands()}\n{done.told()}"
                assert [each.octets for each in arrived(f"{folder}/{chosen}")] == [octets for _, octets in wanted]


@case
def the_best_is_chosen_and_what_a_server_only_offers_gives_way():
    for name, wanted in (("dovecot", ["SCRAM-SHA-256"]), ("cyrus", ["SCRAM-SHA-256"]), ("courier", ["CRAM-MD5"]),
                         ("mailutils", ["APOP", "USER"]), ("popa3d", ["USER"])):
        with opened(name) as (_, server), PopRelay(server.pop_port) as relay, Scratch() as folder:
            with Bench(Pop(server, "u1", port=relay.port), Maildir(folder + "/m")) as bench:
                bench.run().expect(0)
                assert tried(relay) == wanted, f"{name}: {relay.commands()}"


@case
def a_wrong_password_ends_the_run_and_is_told_once():
    for name in KINDS:
        with opened(name) as (_, server), PopRelay(server.pop_port) as relay, Scratch() as folder:
            side = Pop(server, "u1", port=relay.port, password="never-this")
            with Bench(side, Maildir(folder + "/m")) as bench:
                done = bench.run("--debug")
                assert done.code == 161, done.told()
                assert len(tried(relay)) <= 2 and relay.connections <= 2, f"{name}: {relay.commands()}"
                assert "never-this" not in done.out + done.err, done.told()
                told = [line for line in done.error_lines() if not re.search(": (debug|info): ", line)]
                assert len(told) == 1, told


@case
def tokens_let_in_to_a_dovecot():
    with Tokens() as tokens, Dovecot(pop3=True, settings=tokens.dovecot()) as server, \
            PopRelay(server.pop_port) as relay, Scratch() as folder:
        KINDS["dovecot"].give(server, "u1", mail(3))
        wanted = [octets for _, octets in held(server.pop_port, "u1")]
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            relay.clear()
            side = ByToken(server, "u1", "--tokencmd1", tokens.command("u1"), "--authmech1", mechanism, port=relay.port)
            with Bench(side, Maildir(f"{folder}/{mechanism}")) as bench:
                done = bench.run("--debug").expect(0).expect_totals(copied=3)
                assert tried(relay) == [mechanism], relay.commands()
                assert "tok-" not in done.out + done.err.replace("--tokencmd", ""), done.told()
            assert [each.octets for each in arrived(f"{folder}/{mechanism}")] == wanted
            side = ByToken(server, "u1", "--tokencmd1", "echo tok-0-u1", "--authmech1", mechanism, port=relay.port)
            with Bench(side, Maildir(folder + "/refused")) as bench:
                done = bench.run()
                assert done.code == 161 and len(done.error_lines()) <= 2 and "tok-0" not in done.err, done.told()


if __name__ == "__main__":
    run_cases()
