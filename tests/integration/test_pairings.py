#!/usr/bin/env python3
"""
Accounts move between servers of every kind that the tests can run. What arrives is what the source shows, but
for what the destination is known to refuse or to alter (field.py); further runs add nothing.
"""
import contextlib
import imaplib
import itertools
import re

from harness import HOST, PASSWORD, Bench, Dovecot, Imap, Skip, case, expect_same, expect_untouched, run_cases
import corpus
import field
from reader import ImapAccount
from servers.courier import Courier
from servers.jail import Unavailable

SOURCE_USER = "u1"


class Field:
    """The servers, each started when first wanted; a source is filled once and stays as it is."""

    def __init__(self):
        self._servers, self._sources = {}, {}
        self._users = itertools.count(2)
        self._open = contextlib.ExitStack()

    def server(self, name):
        if name not in self._servers:
            try:
                self._servers[name] = self._open.enter_context(field.KINDS[name].make())
            except Unavailable as why:
                raise Skip(why) from why
        return self._servers[name]

    def user(self):
        """One whose mail nobody has touched, on any server."""
        return f"u{next(self._users)}"

    def source(self, name):
        """(its server, the mail in the account SOURCE_USER)."""
        server = self.server(name)
        if name not in self._sources:
            give(server, SOURCE_USER, field.KINDS[name], field.field_mail())
            self._sources[name] = field.read(server, SOURCE_USER)
        return server, self._sources[name]

    def close(self):
        self._open.close()


FIELD = Field()


def append_binary(imap, name, words, mail):
    """Appends a message as a literal8 (RFC 3516), without waiting for the server to agree."""
    tag = imap._new_tag()
    begin = f"{tag.decode()} APPEND {name} ({' '.join(words)}) {corpus._imap_date(mail.date)} ~{{{len(mail.octets)}+}}\r\n"
    imap.send(begin.encode() + mail.octets + b"\r\n")
    while True:
        line = imap.readline().rstrip()
        if line.startswith(tag + b" "):
            status, told = line[len(tag) + 1:].split(b" ", 1)
            return status.decode(), [told]


def give(server, user, kind, mails):
    """
    Appends what the server takes, over sessions that have nothing selected. Returns what it refused, as pairs of
    mail and answer.
    """
    refused, known = [], {"INBOX"}
    before, imaplib.MapCRLF = imaplib.MapCRLF, re.compile(rb"(?!)")  # octets go as they are
    try:
        with ImapAccount(HOST, server.port, user, PASSWORD) as account:
            imap = account._imap
            for mail in mails:
                name = '"' + account.native(mail.folder) + '"'
                if mail.folder not in known:
                    imap.create(name)
                    imap.subscribe(name)
                    known.add(mail.folder)
                words = mail.flags + (mail.keywords if kind.keywords else [])
                status, told = imap.append(name, f"({' '.join(words)})", corpus._imap_date(mail.date), mail.octets)
                if status != "OK" and b"NUL" in told[0] and "BINARY" in imap.capabilities:
                    status, told = append_binary(imap, name, words, mail)
                if status != "OK":
                    refused.append((mail, told[0].decode("utf-8", "replace")))
            for name in known:  # what is there has been seen by a session
                imap.select('"' + account.native(name) + '"')
            imap.logout()
    finally:
        imaplib.MapCRLF = before
    return refused


def table_holds(name):
    """What a server does to mail is what field.py says of it."""
    kind, server, user = field.KINDS[name], FIELD.server(name), FIELD.user()
    mails = field.field_mail()
    refused = give(server, user, kind, mails)
    wanted = [mail for mail in mails if kind.refusal(mail)]
    assert [mail for mail, _ in refused] == wanted, \
        f"refused: {[(mail.octets[:80], told) for mail, told in refused]}\nwanted: {[mail.octets[:80] for mail in wanted]}"
    for mail, told in refused:
        assert kind.refusal(mail) in told, f"{kind.refusal(mail)!r} is not in {told!r}"
    expect_same(field.snapshot(field.expected(kind, mails), kind.folders(field.FOLDERS)),
                field.snapshot(field.shown(kind, field.read(server, user)), field.folders(server, user)),
                "what was given and what is shown")


def recognisable(kind, mail):
    """
    Whether a run that lost its state knows the copy for one. The destination has to show what it was given; what
    it adds to the header matters only to mail without a Message-Id, which is known by its size.
    """
    stored = kind.stored(mail)
    named = re.search(rb"(?mi)^message-id:", mail.octets) is not None
    return kind.seen(mail.octets) == stored.octets and (named or kind.keeps_size)


def extra(wanted, got):
    """Counter of (folder, SHA-256) of what is there more often than wanted; nothing may be missing."""
    wanted, got = wanted.bodies(), got.bodies()
    assert not wanted - got, f"not there any more: {wanted - got}"
    return got - wanted


def pair(source_name, destination_name):
    """One account from kind to kind."""
    source_server, mails = FIELD.source(source_name)
    destination_server, user = FIELD.server(destination_name), FIELD.user()
    kind = field.KINDS[destination_name]
    source, destination = Imap(source_server, SOURCE_USER), Imap(destination_server, user)
    before = source.snapshot()
    impossible = {folder for folder in before.folders if kind.cannot_have(folder, {mail.folder for mail in mails})}
    tried = [mail for mail in mails if mail.folder not in impossible]
    accepted = [mail for mail in tried if kind.refusal(mail) is None]
    refusals, failures = len(tried) - len(accepted), len(mails) - len(tried)
    codes = {114} if refusals else set()
    codes |= {116} if impossible else set()
    wanted = field.snapshot(field.expected(kind, tried), kind.folders(before.folders - impossible))

    def there():
        return field.snapshot(field.shown(kind, field.read(destination_server, user)),
                              field.folders(destination_server, user))

    with Bench(source, destination) as bench:
        def run(step):
            result = bench.run()
            assert result.code == (sum(codes) if len(codes) < 2 else 111), f"{step}: " + result.told()
            result.expect_balance()
            given_up = re.findall(r"(\S+) does not work here", result.err)
            assert not set(given_up) - {"AUTH=SCRAM-SHA-256"}, f"{step}: {given_up} is given up\n" + result.told()
            result.expect_totals(source=len(mails), refused=refusals, failed=failures)
            refused = [event for event in result.events if event.get("event") == "not-copied"]
            assert len(refused) == refusals, f"{step}: {refusals} refusals are wanted\n" + result.told()
            return result
        run("the first run").expect_totals(copied=len(accepted))
        expect_same(wanted, there(), "what is wanted and what the first run left")
        run("the second run").expect_totals(copied=0)
        expect_same(wanted, there(), "what is wanted and what the second run left")
        bench.lose_state()
        result = run("the run without its state")
        unknown = [kind.stored(mail) for mail in accepted if not recognisable(kind, mail)]
        added = extra(wanted, there())
        assert not added - field.snapshot(unknown).bodies(), f"added: {added}\n" + result.told()
        assert unknown or result.totals()["copied"] == 0, result.told()
    expect_untouched(before, source.snapshot())


def named(function, name, *arguments):
    """Registers function(*arguments) as a case of this name."""
    def run():
        function(*arguments)
    run.__name__ = re.sub(r"\W", "_", name)
    case(run)


SOURCES = ("dovecot-maildir", "dovecot-sdbox", "cyrus", "cyrus-classic", "courier", "mailutils")

# What a Dovecot says of itself after login; each pairing below is tried without one of them, at both sides.
CAPABILITY = ("SASL-IR ID ENABLE IDLE MULTIAPPEND UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED CONDSTORE QRESYNC "
              "ESEARCH LIST-STATUS BINARY MOVE STATUS=SIZE LITERAL+ SPECIAL-USE COMPRESS=DEFLATE QUOTA").split()
WITHOUT = ("MULTIAPPEND", "UNSELECT", "NAMESPACE", "UIDPLUS", "LIST-EXTENDED", "CONDSTORE", "QRESYNC", "LIST-STATUS",
           "STATUS=SIZE", "LITERAL+", "SPECIAL-USE", "SASL-IR", "ID", "ENABLE", "ESEARCH", "MOVE", "IDLE", "BINARY",
           "COMPRESS=DEFLATE", "QUOTA")


def without(word):
    """An account moves between servers that lack one capability: LITERAL- is offered in the place of LITERAL+."""
    capability = " ".join(["IMAP4rev1"] + [each for each in CAPABILITY if each != word]
                          + (["LITERAL-"] if word == "LITERAL+" else []))
    with Dovecot(separator=".", prefix="INBOX.", capability=capability) as old, Dovecot(capability=capability) as new:
        kind = field.KINDS["dovecot-maildir"]
        give(old, SOURCE_USER, kind, [mail for mail in field.field_mail(40) if mail.date < kind.latest])
        source, destination = Imap(old, SOURCE_USER), Imap(new, SOURCE_USER)
        before = source.snapshot()
        with Bench(source, destination) as bench:
            for step in ("first", "second", "without its state"):
                if step == "without its state":
                    bench.lose_state()
                result = bench.run().expect(0)
                result.expect_totals(copied=len(before) if step == "first" else 0)
                assert "does not work here" not in result.err, result.told()
                expect_same(before, destination.snapshot(), f"source and destination, after the run {step},")
        expect_untouched(before, source.snapshot())


@case
def courier_lets_in_no_more_than_it_does():
    """Its places are taken: the run ends with one line and the code of a server that cannot be reached."""
    source_server, _ = FIELD.source("dovecot-maildir")
    with Courier(connections=3) as full, contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(imaplib.IMAP4(HOST, full.port))
        with Bench(Imap(source_server, SOURCE_USER), Imap(full, "u2")) as bench:
            result = bench.run()
            assert result.code in (10, 102), result.told()
            assert "destination" in result.error_lines()[-1], result.told()


@case
def where_a_folder_holds_mail_or_folders_the_empty_ones_give_way():
    """An mbox is a file: what lies below one that holds mail fails, and nothing else does."""
    server, user = FIELD.server("dovecot-maildir"), FIELD.user()
    mails = [corpus.Mail(folder, b"Message-ID: <%d@nest>\r\nSubject: x\r\n\r\nbody\r\n" % n, [], [], 10**9 + n, False)
             for n, folder in enumerate(("Full", "Full/below", "Full/below/deeper", "Empty/more/here", "Z"))]
    give(server, user, field.KINDS["dovecot-maildir"], mails)
    with ImapAccount(HOST, server.port, user, PASSWORD) as account:
        account._imap.create("Empty")
        account._imap.create("Empty/more")
    destination = Imap(FIELD.server("mailutils"), user)
    with Bench(Imap(server, user), destination) as bench:
        for step in range(3):
            if step == 2:
                bench.lose_state()
            result = bench.run().expect(116)
            result.expect_balance()
            result.expect_totals(source=5, failed=2, copied=3 if step == 0 else 0)
            told = [event for event in result.events if event.get("error") == "create"]
            assert {event["folder1"] for event in told} == {"Full/below", "Full/below/deeper"}, result.told()
    assert {mail.folder for mail in field.read(destination.server, user)} == {"Full", "Empty/more/here", "Z"}


@case
def a_message_over_quota_ends_the_account_on_each_server():
    source_server = FIELD.server("dovecot-maildir")
    user = FIELD.user()
    big = [corpus.Mail("INBOX", b"Message-ID: <%d@big>\r\nSubject: big\r\n\r\n" % n + b"0123456789abcde\r\n" * 4000, [], [],
                       10**9 + n, False) for n in range(6)]
    give(source_server, user, field.KINDS["dovecot-maildir"], big)
    for name in ("dovecot-sdbox", "cyrus", "courier"):
        destination = Imap(FIELD.server(name), "uquota")
        with Bench(Imap(source_server, user), destination) as bench:
            result = bench.run().expect(113)
            assert "quota" in result.err.lower(), result.told()
            assert 1 <= len(destination.snapshot()) <= 4, name


for each in WITHOUT:
    named(without, f"an_account_moves_without_{each}", each)
for each in field.KINDS:
    named(table_holds, f"{each}_does_to_mail_what_the_table_says", each)
for pairing in itertools.product(SOURCES, SOURCES):
    named(pair, "from_{}_to_{}".format(*pairing), *pairing)


if __name__ == "__main__":
    try:
        run_cases()
    finally:
        FIELD.close()
