"""
POP3 servers of every kind, the mail to put into them, and what they hand out, seen without any of mailhaul's code.

    kind = KINDS["courier"]
    with kind.make() as server:
        kind.give(server, "u1", mail(5000))
        held(server.pop_port, "u1")      # [(UIDL, octets)...] in order

A mailbox is filled by the fastest way that its store allows; what mailhaul makes of it is left to the tests.
"""
import collections
import itertools
import os
import poplib
import random
import socket
import threading
import time

from harness import HOST, PASSWORD, SLOWNESS, Dovecot
from servers import spool
from servers.courier import Courier
from servers.cyrus import Cyrus
from servers.mailutils import Mailutils
from servers.popa3d import Popa3d

poplib._MAXLINE = 100_000_000
YEAR_2001 = 978307200

# octets: with CRLF.  date: seconds since 1970 of the newest Received, or of the Date field; None if it has neither.
Mail = collections.namedtuple("Mail", "octets date")


def _stamp(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(seconds))


def mail(count, first=0, seed=1, largest=20_000):
    """
    `count` messages, numbered from `first`: one in 100 without Message-Id, one in 250 with that of all its kind, one in 250
    the same as the one before it; dots at the beginning of lines, octets above 127, long lines, empty bodies; one in 300
    without any date. What a spool file cannot hold is not among them.
    """
    dice = random.Random(f"{seed} {first}")
    last = None
    for number in range(first, first + count):
        if last is not None and number % 250 == 60:
            yield last
            continue
        when = YEAR_2001 + number * 60
        dated = number % 300 != 77
        lines = []
        if dated and number % 5 < 3:  # the newest is the first; each hop took an hour
            for hop in range(number % 5, -1, -1):
                lines.append(f"Received: from a{hop}.example by b{hop}.example with ESMTP id {number}.{hop};\r\n"
                             f"\t{_stamp(when + 3600 * (hop + 1))}")
        lines.append(f"From: someone{number % 40}@corpus.example")
        if number % 250 == 120:
            lines.append("Message-ID: <always-the-same@corpus.example>")
        elif number % 100 != 33:
            lines.append(f"Message-ID: <{number}.{dice.randrange(1 << 40)}@corpus.example>")
        if dated:
            lines.append(f"Date: {_stamp(when)}")
        lines.append(f"Subject: number {number}")
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        kind = number % 25
        text = f"text {number} of the mailbox\r\n".encode()
        size = min(int(dice.paretovariate(0.9) * 300), largest)
        body = (text * (size // len(text) + 1))
        if kind == 1:
            body = b""
        if kind == 2:
            body = b".\r\n..\r\n.a dot\r\n...\r\n.\r\n" + body
        if kind == 3:
            body = bytes(dice.choice(range(160, 256)) for _ in range(300)) + b"\r\n" + body
        if kind == 4:
            body = b"y" * 7000 + b"\r\n" + body
        if kind == 5:
            body = b"\r\n\r\n" + body + b"\r\n\r\n"
        newest = when + 3600 * (number % 5 + 1) if number % 5 < 3 else when
        last = Mail(head + body, newest if dated else None)
        yield last


def login(port, user, password=PASSWORD):
    """Returns a session, waiting while the server holds the mailbox for one that is gone."""
    end = time.monotonic() + 60 * SLOWNESS
    while True:
        pop = poplib.POP3(HOST, port, timeout=120)
        try:
            pop.user(user)
            pop.pass_(password)
            return pop
        except poplib.error_proto as refusal:
            pop.close()
            if b"[IN-USE]" not in refusal.args[0] or time.monotonic() > end:
                raise
            time.sleep(0.02)


def held(port, user, bodies=True):
    """What the server hands out, in order: [(UIDL, octets)...]. bodies: whether to fetch them; else octets is None."""
    pop = login(port, user)
    try:
        ids = [line.split(b" ", 1)[1] for line in pop.uidl()[1]]
        if not bodies:
            return [(each, None) for each in ids]
        # Asked ahead: a server that writes an answer in two pieces waits 40 ms between them for who does not.
        asked = b"".join(b"RETR %d\r\n" % number for number in range(1, len(ids) + 1))
        sender = threading.Thread(target=pop.sock.sendall, args=(asked,))
        sender.start()
        found = [(each, b"".join(line + b"\r\n" for line in pop._getlongresp()[1])) for each in ids]
        sender.join()
        return found
    finally:
        pop.quit()


# ---- ways to fill a mailbox; what is there stays, the new mail comes behind it ----

_serial = itertools.count()


def into_maildir(server, user, messages):
    root = server.maildir(user)
    made = not os.path.exists(root)
    for part in ("tmp", "new", "cur"):
        os.makedirs(f"{root}/{part}", exist_ok=True)
    if made:
        for path in (os.path.dirname(root), root, root + "/tmp", root + "/new", root + "/cur"):
            os.chown(path, server.uid, server.gid)
    for each in messages:
        number = next(_serial)
        octets = each.octets.replace(b"\r\n", b"\n")
        name = f"{root}/new/{YEAR_2001 + number}.M{number:06}P1.corpus,S={len(octets)},W={len(each.octets)}"
        with open(name, "wb") as out:
            out.write(octets)
        os.chown(name, server.uid, server.gid)


def into_cyrus(server, user, messages):
    with socket.create_connection((HOST, server.port), timeout=120) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = sock.makefile("rb")
        words = [f'a LOGIN {user} {PASSWORD}\r\nb APPEND INBOX'.encode()]
        for each in messages:
            words.append(b" {%d+}\r\n" % len(each.octets) + each.octets)
        words.append(b"\r\nc LOGOUT\r\n")
        sender = threading.Thread(target=sock.sendall, args=(b"".join(words),))
        sender.start()
        told = [line for line in answers if not line.startswith(b"* ")]
        sender.join()
        if not all(line.split()[1] == b"OK" for line in told) or len(told) != 3:
            raise RuntimeError(f"the mailbox is not filled: {told}")


def into_spool(server, user, messages):
    spool.add(server, user, (each.octets for each in messages))


# make: a function of keywords (certificate) that returns a server.  tls: whether it speaks STLS and POP3S.
# mechanisms: of SASL, without certificate.  apop: whether it takes APOP.  twins: whether messages that are the same have
# the same UIDL.  alters: whether it adds to the headers of what it holds.  age: makes a mailbox one that was not written to
# just now, for a server that waits then.
Kind = collections.namedtuple("Kind", "make give tls mechanisms apop twins alters age",
                              defaults=(False, False, lambda server, user: None))

DOVECOT = "auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 apop\n"

KINDS = {
    "dovecot": Kind(lambda **more: Dovecot(pop3=True, settings=DOVECOT, **more), into_maildir, True,
                    ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"), True),
    "cyrus": Kind(lambda **more: Cyrus(pop3=True, **more), into_cyrus, True,
                  ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"), True),
    "courier": Kind(lambda **more: Courier(pop3=True, **more), into_maildir, True, ("PLAIN", "LOGIN", "CRAM-MD5"), False),
    "mailutils": Kind(lambda **more: Mailutils(pop3=True, **more), into_spool, True, (), False, alters=True),
    "popa3d": Kind(lambda **more: Popa3d(), into_spool, False, (), False, twins=True, age=spool.age),
}
