#!/usr/bin/env python3
"""
How a server is reached: pinned keys and certificates of our own, tunnels, compression.
"""
import hashlib
import os
import subprocess

from harness import (NO_GRACE, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case, expect_same,
                     expect_untouched, run_cases)
import corpus
from servers.certificates import Authority
from servers.proxy import Proxy

COMPRESSING = "protocol imap {\n  mail_plugins = $mail_plugins imap_zlib\n}\n"
IMAP = "/usr/lib/dovecot/imap"


def key_digest(certificate):
    """What --tls-pin names: SHA-256 of the SubjectPublicKeyInfo, by another program than ours."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], capture_output=True, check=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key.stdout, capture_output=True,
                         check=True)
    return "sha256:" + hashlib.sha256(der.stdout).hexdigest()


@case
def a_pinned_key_is_trusted_and_another_is_named():
    with Scratch() as folder, Dovecot(certificate=(certificate := Authority(folder + "/tls").issue("elsewhere", "DNS:elsewhere"))) \
            as server:
        corpus.append("127.0.0.1", server.port, "u1", corpus.sample())
        source = Imap(server, "u1", tls="untrusted")
        pin = key_digest(certificate[0])
        with Bench(source, Maildir(folder + "/copy")) as bench:
            refused = bench.run("--tls-pin1", "sha256:" + "0" * 64).expect(12)
            assert pin in refused.told(), refused.told()
            bench.run("--tls-pin1", pin).expect(0)
            expect_same(source.snapshot(), bench.destination.snapshot())


@case
def a_server_that_asks_for_our_certificate_gets_it():
    with Scratch() as folder:
        authority = Authority(folder + "/tls")
        own = authority.issue("client")
        settings = (f"ssl_ca = <{authority.certificate}\nssl_verify_client_cert = yes\nauth_ssl_require_client_cert = yes\n"
                    "ssl_require_crl = no\n")
        with Dovecot(certificate=authority.issue(), settings=settings) as server:
            source = Imap(server, "u1", tls=authority.certificate)
            with Bench(source, Maildir(folder + "/copy")) as bench:
                assert bench.run().code != 0
                bench.run("--tls-cert1", own[0], "--tls-key1", own[1]).expect(0)


def tunnel(server, user):
    """The command of a server that runs at the other end of a pipe and knows whom it serves."""
    if not os.path.exists(IMAP):
        raise Skip("there is no " + IMAP)
    return f"{IMAP} -c {server.state}/dovecot.conf -u {user}"


class Tunnel:
    """A side of a run that is reached by a command."""

    def __init__(self, side, command):
        self.side, self.command = side, command

    def options(self, side, _folder):
        return [f"--tunnel{side}", self.command]

    def snapshot(self):
        return self.side.snapshot()

    def settle(self):
        self.side.settle()


@case
def a_tunnel_lets_us_in_and_leaves_nothing_behind():
    with Dovecot(settings=COMPRESSING) as server:
        corpus.append("127.0.0.1", server.port, "u1", corpus.sample())
        source, destination = Imap(server, "u1"), Imap(server, "u2")
        wanted = source.snapshot()
        with Bench(Tunnel(source, tunnel(server, "u1")), destination) as bench:
            bench.run(*NO_GRACE).expect(0)
            expect_same(wanted, destination.snapshot())
            bench.run(*NO_GRACE).expect(0).expect_totals(copied=0)
            bench.run("--compress1", "yes", "--stateless").expect(0).expect_totals(copied=0)


@case
def a_tunnel_that_fails_says_what_it_said():
    with Dovecot() as server:
        for command, words in (("sh -c 'echo cannot reach it >&2'", "cannot reach it"),
                               ("/nonexistent/program", "cannot be started"),
                               ("sh -c 'unfinished", "takes a command")):
            with Bench(Tunnel(None, command), Imap(server, "u2")) as bench:
                result = bench.run()
                assert result.code != 0 and words in result.told(), result.told()


@case
def compression_changes_nothing_but_the_octets_on_the_wire():
    with Scratch() as folder:
        authority = Authority(folder + "/tls")
        with Dovecot(certificate=authority.issue(), settings=COMPRESSING) as server:
            mails = list(corpus.made_up(300, largest=2_000_000))
            corpus.fill(server, "u1", mails)
            for starttls in (False, True):
                user = f"u{2 + starttls}"
                tls = authority.certificate if starttls else None
                source = Imap(server, "u1", tls=tls, starttls=starttls)
                destination = Imap(server, user, tls=tls, starttls=starttls)
                before = source.snapshot()
                with Bench(source, destination) as bench:
                    told = bench.run("--compress1", "yes", "--compress2", "yes", "--debug", *NO_GRACE).expect(0)
                    assert told.err.count("compressed from here on") >= 2, told.told()
                    expect_same(before, destination.snapshot())
                    expect_untouched(before, source.snapshot())


@case
def compression_is_for_slow_links_and_can_be_forbidden():
    with Dovecot(settings=COMPRESSING) as server, Proxy(server.port) as proxy:
        corpus.append("127.0.0.1", server.port, "u1", corpus.sample())
        for number, options in enumerate((["--compress1", "no"], [], ["--compress1", "yes", "--no-ext1", "COMPRESS"])):
            with Bench(Imap(server, "u1", port=proxy.port), Imap(server, f"u{2 + number}")) as bench:
                bench.run(*NO_GRACE, *options).expect(0)
        assert not proxy.commands("COMPRESS"), proxy.commands("COMPRESS")


if __name__ == "__main__":
    run_cases()
