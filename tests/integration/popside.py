"""
What the tests of POP3 against real servers share: the side of a run, what arrived in order, and what must have.

    with opened("courier") as (kind, server), Scratch() as folder:
        kind.give(server, "u1", mails)
        wanted = settled(kind, server, "u1")
        ...
        expect_arrived(wanted, mails, arrived(folder + "/m"))
"""
import collections
import contextlib
import os
import time

from harness import Imap, Skip
from popmail import KINDS, held
from reader import MAILDIR_FLAGS, maildir_octets
from servers.jail import Unavailable

FRESH = 3600  # seconds; nothing of the tests' mail is so young

# A message at a destination. flags: as a set.  date: seconds since 1970.
Arrived = collections.namedtuple("Arrived", "octets flags date uidl")


class Pop(Imap):
    """A user of a POP3 server, or of a relay in front of it (port)."""

    def __init__(self, server, user, port=None, tls=None, starttls=False, **more):
        chosen = port or (server.pop_tls_port if tls and not starttls else server.pop_port)
        super().__init__(server, user, port=chosen, tls=tls, starttls=starttls, **more)

    def options(self, side, folder):
        return [f"--backend{side}", "pop3"] + super().options(side, folder)

    def snapshot(self):
        raise NotImplementedError("see popmail.held()")


@contextlib.contextmanager
def opened(name, **more):
    """Yields the kind of that name and a server of it."""
    try:
        server = KINDS[name].make(**more)
        server.start()
    except Unavailable as why:
        raise Skip(why) from why
    try:
        yield KINDS[name], server
    finally:
        server.stop()


def settled(kind, server, user):
    """What a server hands out, in order, once what it does to mail that was never read has been done."""
    found = held(server.pop_port, user)
    return held(server.pop_port, user) if kind.alters else found


def lying_in(root):
    """The files of a Maildir, by base name; none where there is no Maildir yet."""
    return {name.split(":2,")[0]: f"{root}/{part}/{name}" for part in ("new", "cur") if os.path.isdir(f"{root}/{part}")
            for name in os.listdir(f"{root}/{part}")}


def arrived(root):
    """The messages of a Maildir, in the order of their UIDs, as the dovecot-uidlist beside them tells."""
    files = lying_in(root)
    found = []
    with open(root + "/dovecot-uidlist", encoding="utf-8") as lines:
        assert next(lines).startswith("3 "), "another version of dovecot-uidlist"
        for line in lines:
            numbers, name = line.rstrip("\n").split(" :", 1)
            path = files.pop(name, None)
            if path is None:
                continue
            words = numbers.split(" ")
            letters = path.split(":2,")[1] if ":2," in path else ""
            uidl = next((word[1:] for word in words[1:] if word.startswith("P")), None)
            found.append((int(words[0]), Arrived(maildir_octets(path), {MAILDIR_FLAGS[c] for c in letters},
                                                 int(os.stat(path).st_mtime), uidl)))
    assert not files, f"{len(files)} files have no UID: {list(files)[:3]}"
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def in_imap(account, folder):
    """The messages of a folder behind a reader.ImapAccount, in the order of their UIDs."""
    return [Arrived(octets, flags, date, None) for octets, flags, _, date in account.messages(account.native(folder))]


def octets_of(listed):
    """A count of what held() or arrived() tells."""
    return collections.Counter(each.octets if isinstance(each, Arrived) else each[1] for each in listed)


def expect_arrived(wanted, mails, got, flags=frozenset()):
    """
    Checks that what a server held, put there as `mails`, arrived once each, in order, under its date, with these flags
    and no others.
    """
    missing, extra = (counted - other for counted, other in
                      ((octets_of(wanted), octets_of(got)), (octets_of(got), octets_of(wanted))))
    assert not missing and not extra, \
        f"missing: {[octets[:300] for octets in missing][:3]}\ntoo many: {[octets[:300] for octets in extra][:3]}"
    assert [each.octets for each in got] == [octets for _, octets in wanted], "not in the order of the mailbox"
    assert {frozenset(each.flags) for each in got} <= {frozenset(flags)}, "other flags"
    now = time.time()
    for number, (each, given) in enumerate(zip(got, mails)):
        if given.date is None:
            assert now - FRESH < each.date <= now + 2, f"message {number} has no date, and got {each.date}"
        else:
            assert each.date == given.date, f"message {number}: {each.date} instead of {given.date}"
