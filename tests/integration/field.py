"""
The servers of the field, and what each does to mail that it is given: data, and the arithmetic on it.

    kind = KINDS["courier"]
    kind.refusal(mail)      # None, or why this server does not take it
    kind.stored(mail)       # how the server shows it later

A test says what must arrive by applying this to what the source shows. docs/servers.md tells the same in words,
and test_pairings.py holds the table against the servers themselves.
"""
import re
import time

from harness import BARE_CAPABILITY, HOST, PASSWORD, Dovecot
import corpus
from reader import ImapAccount, Snapshot
from servers.courier import Courier
from servers.cyrus import Cyrus
from servers.mailutils import Mailutils

NOW = "now"  # in place of a date: the moment of its arrival
FRESH = 3600  # seconds; no date of the tests' mail is so young


def _parts(octets):
    """Header, with the end of its last line, and the rest, beginning with the blank line if there is one."""
    if octets.startswith(b"\r\n"):
        return b"", octets
    end = octets.find(b"\r\n\r\n")
    return (octets, b"") if end < 0 else (octets[:end + 2], octets[end + 2:])


# ---- what is refused ----

def has_bare_newline(octets):
    return re.search(rb"(?<!\r)\n", octets) is not None


def header_is_invalid(octets):
    """A line of the header is no field, or the header does not end."""
    header, _ = _parts(octets)
    if header and not header.endswith(b"\r\n"):
        return True
    lines = header.split(b"\r\n")[:-1]
    if lines and lines[0].startswith(b"From "):
        del lines[0]
    return any(not re.match(rb"[!-9;-~]+[ \t]*:|[ \t]", line) for line in lines)


def begins_with_no_field(octets):
    return re.match(rb"[!-9;-~]+[ \t]*:|\r?\n|From ", octets) is None


# ---- what is altered ----

def nul_becomes_0x80(octets):
    return octets.replace(b"\0", b"\x80")


def a_nul_ends_it(octets):
    return octets.split(b"\0")[0]


def newlines_become_crlf(octets):
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def ends_with_a_newline(octets):
    return octets if octets.endswith(b"\r\n") else octets + b"\r\n"


def lone_cr_is_dropped(octets):
    return re.sub(rb"\r(?!\n)", b"", octets)


def eight_bit_header_becomes_x(octets):
    header, rest = _parts(octets)
    return re.sub(rb"[\x80-\xff]", b"X", header) + rest


def envelope_line_is_dropped(octets):
    return re.sub(rb"\AFrom [^\n]*\n", b"", octets)


def header_gets_its_end(octets):
    header, rest = _parts(octets)
    return octets if rest else ends_with_a_newline(header) + b"\r\n\r\n"


def own_fields_are_rewritten(octets):
    """Such a server keeps its accounts in fields of the header; they are left out on both sides."""
    header, rest = _parts(octets)
    return re.sub(rb"(?mi)^(X-IMAPbase|X-UID|Status|X-Status|X-Keywords):[^\n]*\n([ \t][^\n]*\n)*", b"", header) + rest


class Kind:
    """One kind of server: how to make it, what it refuses, alters and loses."""

    def __init__(self, make, version, refuses=(), alters=(), seen=None, epoch_is_now=False, latest=None, keywords=True,
                 keeps_size=True, nests=True, makes_parents=False):
        """
        refuses: ((predicate on octets, the reason in words), ...).  alters: functions from octets to octets, in order.
        seen: applied to what is read from it before comparing.  latest: a date after which it takes its own.
        keeps_size: it adds nothing to the header.  nests: a folder with mail may have folders below it.
        makes_parents: what a new folder lies in is made as a folder, too.
        """
        self.make, self.version, self.refuses, self.alters = make, version, refuses, alters
        self.seen = seen or (lambda octets: octets)
        self.epoch_is_now, self.latest = epoch_is_now, latest
        self.keywords, self.keeps_size = keywords, keeps_size
        self.nests, self.makes_parents = nests, makes_parents

    def refusal(self, mail):
        return next((reason for refuses, reason in self.refuses if refuses(mail.octets)), None)

    def cannot_have(self, folder, full):
        """Whether a folder cannot be made beside these others, which hold mail."""
        return not self.nests and any(folder.startswith(other + "/") for other in full)

    def folders(self, given):
        """What folders there are after these were made, of which none lies below one that holds mail."""
        if not self.nests:
            given = {folder for folder in given if not any(other.startswith(folder + "/") for other in given)}
        parts = [folder.split("/") for folder in given]
        return set(given) | ({"/".join(path[:end]) for path in parts for end in range(1, len(path))}
                             if self.makes_parents else set())

    def stored(self, mail):
        octets = mail.octets
        for alter in self.alters:
            octets = alter(octets)
        date = NOW if (mail.date == 0 and self.epoch_is_now) or (self.latest and mail.date > self.latest) else mail.date
        return mail._replace(octets=self.seen(octets), date=date, keywords=mail.keywords if self.keywords else [])


KINDS = {
    "dovecot-maildir": Kind(
        lambda: Dovecot(), "Dovecot 2.3.19, maildir, no prefix",
        alters=(newlines_become_crlf, nul_becomes_0x80), latest=0x7fffffff),
    "dovecot-sdbox": Kind(
        lambda: Dovecot(format="sdbox", separator=".", prefix="INBOX."), "Dovecot 2.3.19, sdbox, INBOX.",
        alters=(newlines_become_crlf, nul_becomes_0x80), latest=0x7fffffff),
    "dovecot-bare": Kind(
        lambda: Dovecot(capability=BARE_CAPABILITY), "Dovecot 2.3.19 that can little",
        alters=(newlines_become_crlf, nul_becomes_0x80), latest=0x7fffffff),
    "cyrus": Kind(
        lambda: Cyrus(), "Cyrus 3.6.1, no prefix",
        refuses=((has_bare_newline, "bare newlines"), (header_is_invalid, "invalid header")),
        alters=(eight_bit_header_becomes_x,), epoch_is_now=True, makes_parents=True),
    "cyrus-classic": Kind(
        lambda: Cyrus(classic=True), "Cyrus 3.6.1, INBOX.",
        refuses=((has_bare_newline, "bare newlines"), (header_is_invalid, "invalid header")),
        alters=(eight_bit_header_becomes_x,), epoch_is_now=True, makes_parents=True),
    "courier": Kind(
        lambda: Courier(), "Courier-IMAP 5.0.13",
        alters=(newlines_become_crlf, lone_cr_is_dropped, ends_with_a_newline), epoch_is_now=True),
    "mailutils": Kind(
        lambda: Mailutils(), "GNU Mailutils 3.15, mbox",
        refuses=((begins_with_no_field, "failed"),),
        alters=(a_nul_ends_it, newlines_become_crlf, envelope_line_is_dropped, header_gets_its_end,
                ends_with_a_newline),
        seen=own_fields_are_rewritten, keywords=False, keeps_size=False, nests=False),
}


# ---- mail ----

FOLDERS = ("INBOX", "Sent", "Archive/2019", "Entwürfe", "R&D", "a b  c", "deep/er/still")


def _odd(name, body=b"text\r\n", head=b"", flags=(), keywords=(), date=None, start=b""):
    number = len(_ODD)
    field = name.encode()
    octets = (start + b"From: a@field.example\r\nSubject: " + field + b"\r\nMessage-ID: <" + field + b"@field.example>\r\n"
              b"Date: Mon, 8 Jan 2001 10:00:00 +0000\r\n" + head + b"\r\n" + body)
    _ODD.append(corpus.Mail("Odd", octets, list(flags), list(keywords), 10**9 + number if date is None else date, False))


def _bare(octets):
    _ODD.append(corpus.Mail("Odd", octets, [], [], 10**9 + len(_ODD), False))


_ODD = []
_odd("an ordinary one")
_odd("nul", b"a\r\nb\0c\r\nd\r\n")
_odd("bare newline", b"a\nb\r\n")
_odd("carriage return", b"a\rb\r\n")
_odd("no newline at the end", b"no newline")
_odd("eight bits in the header", head=b"X-Raw: caf\xe9\r\n")
_odd("eight bits in the body", b"caf\xe9\r\n")
_odd("From in the body", b"From me to you\r\n>From quoted\r\n\r\nFrom a Mon Jan  1 10:00:00 2001\r\n")
_odd("envelope line", start=b"From a@b Mon Jan  8 10:00:00 2001\r\n")
_odd("a long line", b"y" * 12000 + b"\r\n")
_odd("the epoch", date=0)
_odd("a month after the epoch", date=86400 * 30)
_odd("in sixty years", date=3790000000)
_odd("keywords", keywords=("work", "$Forwarded"))
_odd("all flags", flags=corpus.FLAGS)
_odd("fields of an mbox", head=b"X-IMAPbase: 1234 5\r\nX-UID: 7\r\nStatus: RO\r\n")
_bare(b"no header at all\r\n\r\nx\r\n")
_bare(b"z")
_bare(b"Subject: only a header\r\nMessage-ID: <no-end@field.example>")
_bare(b"\r\na blank line first\r\n")
_bare(b"Subject: blank lines\r\n\r\n\r\n\r\nx\r\n\r\n\r\n")
_bare(b"Subject: a lie about the length\r\nContent-Length: 3\r\n\r\nlonger than three\r\n")
_odd("the last one")


def field_mail(count=56):
    """The mail of all pairings: something of everything, and what some server refuses or alters."""
    return list(corpus.made_up(count, seed=7, folders=FOLDERS, largest=60_000)) + _ODD


# ---- comparing ----

def read(server, user):
    """The mail of an account, in no order that means anything, as an independent reader sees it."""
    mails = []
    with ImapAccount(HOST, server.port, user, PASSWORD) as account:
        for mailbox in account.mailboxes():
            mails += [corpus.Mail(account.canonical(mailbox), octets, sorted(flags), sorted(keywords), date, False)
                      for octets, flags, keywords, date in account.messages(mailbox)]
    return mails


def folders(server, user):
    """Canonical names of the folders of an account that can be opened."""
    with ImapAccount(HOST, server.port, user, PASSWORD) as account:
        return {account.canonical(mailbox) for mailbox in account.mailboxes()}


def snapshot(mails, folders=()):
    """Of what is told by `expected` or `shown`, for reader.differences(); `folders` beside those that hold mail."""
    seen = Snapshot()
    seen.folders.update(folders)
    for mail in mails:
        seen.folders.add(mail.folder)
        seen.add(mail.folder, mail.octets, [flag.lower() for flag in mail.flags],
                 [keyword.lower() for keyword in mail.keywords], mail.date)
    return seen


def expected(kind, mails):
    """What an account of this kind will show that is given these mails; what came today keeps its date."""
    return [_dated(kind.stored(mail)) for mail in mails if kind.refusal(mail) is None]


def shown(kind, mails):
    """What was read from an account of this kind, made comparable."""
    return [_dated(mail._replace(octets=kind.seen(mail.octets))) for mail in mails]


def _dated(mail):
    return mail._replace(date=NOW) if mail.date != NOW and abs(mail.date - time.time()) < FRESH else mail
