#!/usr/bin/env python3
"""
Logging in to real servers: every mechanism that a Dovecot has, tokens that run out, administrators.

What is proved of each login is that mail arrives, that the mechanism was the one meant, and how often
the server was asked: accounts get locked by those who try again.
"""
import base64
import contextlib
import os
import re

from harness import (HOST, PASSWORD, SLOWNESS, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case, expect_same,
                     run_cases)
import corpus
from servers.certificates import Authority
from servers.courier import Courier
from servers.cyrus import Cyrus
from servers.jail import Unavailable
from servers.mailutils import Mailutils
from servers.proxy import Proxy
from servers.tokens import Tokens

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
ALL = "auth_mechanisms = " + " ".join(MECHANISMS).lower() + "\nauth_verbose = yes\n"
MASTERS = """
passdb {
  driver = static
  master = yes
  username_filter = admin
  args = password=admin's
}
"""


class WithToken(Imap):
    """A side that logs in by an access token; more options follow it."""

    def __init__(self, server, user, *options, port=None, tls=None):
        super().__init__(server, user, port=port, tls=tls)
        self._options = options

    def options(self, side, folder):
        options = super().options(side, folder)
        at = options.index(f"--passfile{side}")
        return options[:at] + options[at + 2:] + [word.replace("#", str(side), 1) for word in self._options]


def tried(result):
    """The mechanisms that a run with --debug tried, in order."""
    return re.findall(r"C: A\d+ (?:AUTHENTICATE )?(LOGIN|[A-Z0-9-]+)(?: \*\*\*)?$", "\n".join(
        line for line in result.err.splitlines() if " AUTHENTICATE " in line or " LOGIN ***" in line), re.M)


def fill(server, user="u1", count=6):
    corpus.append(HOST, server.port, user, list(corpus.sample())[:count])
    return Imap(server, user).snapshot()


@case
def each_mechanism_carries_mail():
    with Dovecot(settings=ALL) as old, Dovecot(settings=ALL) as new:
        before = fill(old)
        for mechanism in MECHANISMS:
            destination = Imap(new, "u-" + mechanism.lower())
            with Bench(Imap(old, "u1"), destination, "--authmech1", mechanism, "--authmech2", mechanism.lower()) as bench:
                done = bench.run("--debug").expect(0)
                assert set(tried(done)) == {mechanism}, done.told()
                expect_same(before, destination.snapshot())


@case
def the_strongest_is_chosen():
    for offered, chosen in ((MECHANISMS, "SCRAM-SHA-256"), (MECHANISMS[1:], "SCRAM-SHA-1"), (MECHANISMS[2:], "CRAM-MD5"),
                            (MECHANISMS[3:], "PLAIN"), (("LOGIN",), "LOGIN")):
        with Dovecot(settings=f"auth_mechanisms = {' '.join(offered).lower()}\n") as server:
            with Bench(Imap(server, "u1"), Imap(server, "u2")) as bench:
                assert set(tried(bench.run("--debug").expect(0))) == {chosen}, offered


@case
def scram_under_tls():
    with Scratch() as folder:
        authority = Authority(folder)
        with Dovecot(settings=ALL, certificate=authority.issue()) as server:
            before = fill(server)
            for starttls in (False, True):
                source = Imap(server, "u1", tls=authority.certificate, starttls=starttls)
                destination = Imap(server, f"u2-{starttls}")
                with Bench(source, destination) as bench:
                    assert set(tried(bench.run("--debug").expect(0))) == {"SCRAM-SHA-256"}
                    expect_same(before, destination.snapshot())


def opened(kind, stack, **more):
    try:
        return stack.enter_context(kind(**more))
    except Unavailable as why:
        raise Skip(why) from why


def over_tls_of_both_kinds(kind, wanted):
    """Into and out of a server of that kind with default settings, in no time; mechanisms that were tried: `wanted`."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(Scratch())
        authority = Authority(folder)
        server = opened(kind, stack, certificate=authority.issue())
        old = stack.enter_context(Dovecot())
        before = fill(old, count=2)
        for starttls in (False, True):
            user, tree = f"u{2 + starttls}", f"{folder}/m-{starttls}"
            secure = Imap(server, user, tls=authority.certificate, starttls=starttls)
            with Bench(Imap(old, "u1"), secure, "--authmech1", "LOGIN") as bench:
                done = bench.run("--debug").expect(0).expect_totals(copied=len(before))
                assert [word for word in tried(done) if word != "LOGIN"][:len(wanted)] == wanted, done.told()
                assert done.seconds < 2.5 * SLOWNESS, done.told()
            with Bench(secure, Maildir(tree)) as bench:
                done = bench.run("--debug").expect(0).expect_totals(copied=len(before))
                assert tried(done)[:len(wanted)] == wanted and done.seconds < 2.5 * SLOWNESS, done.told()
            with Bench(Imap(server, user, tls="untrusted", starttls=starttls), Maildir(folder + "/refused")) as bench:
                done = bench.run("--debug")
                assert done.code == 12 and not tried(done), done.told()


@case
def a_cyrus_over_tls():
    """Which binds SCRAM in another way than we do, and lets a client wait three seconds that tries."""
    over_tls_of_both_kinds(Cyrus, ["SCRAM-SHA-256"])


@case
def a_courier_over_tls():
    over_tls_of_both_kinds(Courier, ["PLAIN"])


@case
def a_mailutils_over_tls():
    over_tls_of_both_kinds(Mailutils, ["SCRAM-SHA-256-PLUS", "PLAIN"])


@case
def a_binding_that_a_cyrus_refuses_leaves_scram_without_it():
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(Scratch())
        authority = Authority(folder)
        server = opened(Cyrus, stack, certificate=authority.issue())
        fill(server, count=2)
        secure = Imap(server, "u1", tls=authority.certificate)
        chosen = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
        with Bench(secure, Maildir(folder + "/m"), "--authmech1", ",".join(chosen)) as bench:
            done = bench.run("--debug").expect(0).expect_totals(copied=2)
            assert tried(done)[:2] == chosen and tried(done).count(chosen[0]) == 1, done.told()


@case
def a_wrong_password_is_tried_once():
    with Dovecot(settings=ALL) as server:
        fill(server, count=1)
        for mechanism in ("auto",) + MECHANISMS:
            with Bench(Imap(server, "u1", password="wrong"), Imap(server, "u2"), "--authmech1", mechanism) as bench:
                done = bench.run("--debug")
                assert done.code == 161, done.told()
                wanted = "SCRAM-SHA-256" if mechanism == "auto" else mechanism
                assert tried(done).count(wanted) <= 2 and set(tried(done)) <= {wanted, "SCRAM-SHA-256"}, done.told()
                assert "wrong" not in done.err.replace("wrong password", ""), done.told()


@case
def what_a_server_only_offers_gives_way_once():
    """A Mailutils that has hashes of its users' passwords offers SCRAM and CRAM-MD5, and refuses both in the end."""
    def tried_at(jailed, code, password=PASSWORD, *options):
        with Bench(Imap(old, "u1"), Imap(jailed, "u1", password=password), "--authmech1", "XOAUTH2,SCRAM-SHA-1",
                   *options) as bench:
            done = bench.run("--debug")
            assert done.code == code, done.told()
            words = tried(done)
            words.remove("SCRAM-SHA-1")  # the source's
            return words, done

    with contextlib.ExitStack() as open_servers:
        jailed = opened(Mailutils, open_servers)
        old = open_servers.enter_context(Dovecot(settings=ALL))
        fill(old)
        words, done = tried_at(jailed, 0)
        assert words == ["SCRAM-SHA-256", "PLAIN"], done.told()
        assert done.err.count("does not work here") == 1, done.told()
        assert tried_at(jailed, 162, "wrong")[0] == ["SCRAM-SHA-256", "PLAIN"]
        assert tried_at(jailed, 162, PASSWORD, "--authmech2", "SCRAM-SHA-1")[0] == ["SCRAM-SHA-1"]
        assert tried_at(jailed, 162, PASSWORD, "--authmech2", "CRAM-MD5,PLAIN")[0] == ["CRAM-MD5"]


@case
def passwords_of_any_octets():
    odd = {"odd-umlaut": "pässwörd", "odd-special": 'a"b,c;d\\&% #', "odd-long": "x" * 1000, "odd-brace": "{12}",
           "odd-pound": "£", "odd-blank": " lead and trail "}
    with Scratch() as folder:
        users = f"{folder}/odd-users"
        with open(users, "w", encoding="ascii") as out:
            for user, password in odd.items():
                out.write(f"{user}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}\n")
        os.chmod(users, 0o644)
        settings = ALL + f"passdb {{\n  driver = passwd-file\n  args = {users}\n}}\n"
        with Dovecot(settings=settings) as server:
            fill(server, count=1)
            for user, password in odd.items():
                for mechanism in MECHANISMS:
                    destination = Imap(server, user, password=password)
                    with Bench(Imap(server, "u1"), destination, "--authmech2", mechanism) as bench:
                        done = bench.run()
                        assert done.code == 0, f"{user} by {mechanism}\n{done.told()}"


@case
def an_administrator_acts_for_a_user():
    with Dovecot(settings=ALL + MASTERS) as old, Dovecot(settings=ALL + MASTERS) as new:
        before = fill(old)
        for mechanism in ("auto", "SCRAM-SHA-1", "PLAIN"):
            destination = Imap(new, "u-" + mechanism.lower(), password="admin's")
            with Bench(Imap(old, "u1", password="admin's"), destination, "--authuser1", "admin", "--authuser2", "admin",
                       "--authmech1", mechanism, "--authmech2", mechanism) as bench:
                bench.run().expect(0)
                expect_same(before, destination.snapshot())
        with Bench(Imap(old, "u1"), Imap(new, "u2"), "--authuser1", "admin") as bench:
            assert bench.run().code == 161  # the user's password is not the administrator's
        with Bench(Imap(old, "u1", password="admin's"), Imap(new, "u2"), "--authuser1", "admin",
                   "--authmech1", "CRAM-MD5") as bench:
            done = bench.run()
            assert done.code == 161 and "CRAM-MD5" in done.err, done.told()


@case
def tokens_log_in():
    with Tokens() as tokens, Dovecot(settings=tokens.dovecot()) as old, Dovecot() as new, Scratch() as folder:
        before = fill(old)
        kept = f"{folder}/token"
        for number, (mechanism, *options) in enumerate((
                ("OAUTHBEARER", "--tokencmd#", tokens.command("u1")),
                ("XOAUTH2", "--tokencmd#", tokens.command("u1"), "--authmech#", "XOAUTH2"),
                ("OAUTHBEARER", "--oauthaccesstoken#", kept),
                ("XOAUTH2", "--oauthaccesstoken#", tokens.issue("u1"), "--authmech#", "xoauth2"))):
            with open(kept, "w", encoding="ascii") as out:
                out.write(tokens.issue("u1") + "\n")
            destination = Imap(new, f"u{number}")
            with Bench(WithToken(old, "u1", *options), destination) as bench:
                done = bench.run("--debug").expect(0)
                assert mechanism in tried(done), done.told()
                assert "tok-" not in done.out + done.err.replace("oauthaccesstoken", ""), done.told()
                expect_same(before, destination.snapshot())


@case
def what_costs_much_to_load_is_loaded_when_it_is_needed():
    """PLAIN, LOGIN and tokens do without GNU SASL, whose loading is a good part of a short run's time."""
    with Tokens() as tokens, Dovecot(settings=tokens.dovecot()) as server:
        for side, loaded in ((Imap(server, "u1"), True),
                             (WithToken(server, "u1", "--oauthaccesstoken#", tokens.issue("u1")), False)):
            with Bench(side, Imap(server, "u2"), "--authmech2", "PLAIN,LOGIN") as bench:
                told = bench.run(wrap=("env", "LD_DEBUG=files")).expect(0).err
                assert "libmailhaul" in told and ("libgsasl" in told) == loaded


@case
def a_token_that_is_refused_is_final():
    with Tokens() as tokens, Dovecot(settings=tokens.dovecot()) as old, Dovecot() as new:
        fill(old, count=1)
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            for options, asked in ((("--oauthaccesstoken#", "tok-0-u1"), 1), (("--tokencmd#", "echo tok-0-u1"), 1),
                                   (("--tokencmd#", tokens.command("u9")), 0)):
                tokens.asked.clear()
                with Bench(WithToken(old, "u1", *options, "--authmech#", mechanism), Imap(new, "u1")) as bench:
                    done = bench.run()
                    assert done.code == 161, done.told()
                    assert len(done.error_lines()) <= 2, done.told()
                    assert asked == 0 or len(set(tokens.asked)) == asked, tokens.asked
                    assert "tok-" not in done.out + done.err, done.told()


@case
def a_token_command_that_fails_says_why():
    with Tokens() as tokens, Dovecot(settings=tokens.dovecot()) as old, Dovecot() as new:
        fill(old, count=1)
        command = "sh -c 'printf \"invalid_grant\\033[31m: sign in again\\nmore\" >&2; exit 7'"
        with Bench(WithToken(old, "u1", "--tokencmd#", command), Imap(new, "u1")) as bench:
            done = bench.run()
            assert done.code == 161 and len(done.error_lines()) == 1, done.told()
            assert "status 7" in done.err and "invalid_grant" in done.err and "\033" not in done.err, done.told()
        assert not tokens.asked


@case
def a_token_that_runs_out_is_replaced_and_the_run_goes_on():
    """At the destination in the middle of an APPEND that was stored, at the source in the middle of a listing."""
    expired = "NO [AUTHENTICATIONFAILED] AccessTokenExpired"
    with Tokens() as tokens, Dovecot(settings=tokens.dovecot()) as old, Dovecot(settings=tokens.dovecot()) as new:
        corpus.append(HOST, old.port, "u1", corpus.made_up(120, seed=3, folders=("INBOX", "Sent", "a/b"), largest=300_000))
        before = Imap(old, "u1").snapshot()
        for number, (side, verb) in enumerate(((2, "APPEND"), (1, "EXAMINE"), (1, "UID FETCH"))):
            user = f"u-expiry{number}"
            with Proxy((new if side == 2 else old).port, cut_before_answer=(verb, 2), instead=expired) as proxy:
                source = WithToken(old, "u1", "--tokencmd#", tokens.command("u1"),
                                   port=proxy.port if side == 1 else None)
                destination = WithToken(new, user, "--tokencmd#", tokens.command(user),
                                        port=proxy.port if side == 2 else None)
                with Bench(source, destination, "--lanes", "1") as bench:
                    issued = tokens.issued()
                    expire = proxy._answered  # what was issued is worth nothing once the server has said so

                    def answered(command, expire=expire):
                        cut = expire(command)
                        if cut:
                            tokens.expire()
                        return cut
                    proxy._answered = answered
                    done = bench.run().expect(0)
                    assert proxy.cuts == 1, f"{verb} was not met\n{done.told()}"
                    assert tokens.issued() >= issued + 3, "no new token was asked for"
                    expect_same(before, Imap(new, user).snapshot(), f"source and destination ({verb})")
                    again = bench.run().expect(0)
                    again.expect_totals(copied=0, already_there=len(before))


if __name__ == "__main__":
    run_cases()
