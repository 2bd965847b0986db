#!/usr/bin/env python3
"""
Whether the tests' own tools can be trusted: what is put into an account is what the reader sees, a
difference is seen as one, and the relay counts and cuts.
"""
import imaplib

from harness import HOST, PASSWORD, Dovecot, Imap, Result, Scratch, case, run_cases
import corpus
import reader
from servers.mini import MiniServer, answer, lose_answer
from servers.proxy import Proxy, Replaced, without_appenduid


def expected(mails):
    seen = reader.Snapshot()
    for mail in mails:
        seen.folders.update((mail.folder, "INBOX"))
        seen.add(mail.folder, mail.octets, [each.lower() for each in mail.flags],
                 [each.lower() for each in mail.keywords], mail.date)
    return seen


def no_differences(*snapshots):
    assert reader.differences(*snapshots) == [], "\n".join(reader.differences(*snapshots))


@case
def what_is_appended_is_what_the_reader_sees():
    for prefix, separator in (("", "/"), ("INBOX.", ".")):
        with Dovecot(prefix=prefix, separator=separator) as server:
            corpus.append(HOST, server.port, "u1", corpus.sample())
            wanted = expected(corpus.sample())
            no_differences(wanted, Imap(server, "u1").snapshot())
            no_differences(wanted, reader.read_maildir(server.maildir("u1")))


@case
def what_is_written_to_disk_is_what_a_server_shows():
    mails = list(corpus.made_up(400, largest=100_000))
    with Dovecot() as server:
        corpus.fill(server, "u1", mails)
        first = Imap(server, "u1").snapshot()
        no_differences(expected(mails), first)
        assert sum(first.recent.values()) == sum(mail.recent for mail in mails) > 0
        assert Imap(server, "u1").snapshot().recent == first.recent, "reading leaves a trace"


@case
def the_made_up_mailbox_holds_what_it_should():
    mails = list(corpus.made_up(2000))
    assert len(mails) == 2000 and len({mail.folder for mail in mails}) == 20
    assert len({frozenset(mail.flags) for mail in mails}) == 32
    assert min(len(mail.octets) for mail in mails) == 1 and max(len(mail.octets) for mail in mails) >= 25 << 20
    assert not any(mail.octets.endswith(b"\r") or b"\0" in mail.octets for mail in mails)
    again = list(corpus.made_up(200, now=10**9))
    assert again == list(corpus.made_up(200, now=10**9)), "the same seed gives other mail"


@case
def differences_are_seen():
    mails = list(corpus.sample())
    wanted = expected(mails)
    changed = [
        mails[1:], mails + mails[:1],
        [mails[0]._replace(flags=["\\Draft"])] + mails[1:], [mails[0]._replace(keywords=["x"])] + mails[1:],
        [mails[0]._replace(date=mails[0].date + 1)] + mails[1:], [mails[0]._replace(folder="Sent")] + mails[1:],
        [mails[0]._replace(octets=mails[0].octets + b" ")] + mails[1:],
    ]
    assert reader.differences(wanted, expected(mails)) == []
    for other in changed:
        assert reader.differences(wanted, expected(other)), "a difference was not seen"


@case
def names_are_translated_both_ways():
    for name in ("日本語/受信", "R&D", "Entwürfe", "😀", "a&-b", "&", "plain"):
        assert "/".join(reader.decode_mutf7(part) for part in
                        [reader.encode_mutf7(part) for part in name.split("/")]) == name
    assert reader.encode_mutf7("Entwürfe") == "Entw&APw-rfe" and reader.encode_mutf7("R&D") == "R&-D"
    assert reader.internal_date(" 1-Feb-2003 04:05:06 +0130") == 1044066906


@case
def the_relay_counts_and_cuts():
    mail = b"Subject: x\r\n\r\na1 FETCH is no command in here\r\n"
    with Dovecot() as server, Proxy(server.port) as proxy, Proxy(server.port, ("APPEND", 2)) as cutting, \
            Proxy(server.port, cut_after_octets=("server", 300)) as short:
        with imaplib.IMAP4(HOST, proxy.port) as imap:
            imap.login("u1", PASSWORD)
            imap.append("INBOX", None, None, mail)
            imap.select()
            imap.fetch("1", "(BODY.PEEK[])")
        verbs = [each.verb for each in proxy.commands() if each.verb != "CAPABILITY"]
        assert verbs == ["LOGIN", "APPEND", "SELECT", "FETCH", "LOGOUT"], verbs
        assert proxy.commands("APPEND")[0].octets == len(mail)
        assert PASSWORD not in proxy.commands("LOGIN")[0].text.split(), "the relay keeps a password"

        imap, answered = imaplib.IMAP4(HOST, cutting.port), 0
        imap.login("u2", PASSWORD)
        try:
            for _ in range(5):
                imap.append("INBOX", None, None, mail)
                answered += 1
        except (imaplib.IMAP4.abort, OSError):
            pass
        imap.shutdown()
        server.wait_until_idle("u2")
        assert (answered, cutting.cuts, len(Imap(server, "u2").snapshot())) == (1, 1, 2)

        try:
            imaplib.IMAP4(HOST, short.port).login("u3", PASSWORD)
            raise AssertionError("not cut")
        except (imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError):
            assert short.cuts == 1


@case
def the_relay_edits_answers_and_not_what_they_carry():
    mail = b"Subject: x\r\n\r\nA1 OK [APPENDUID 1 1] done\r\n" + b"* 9 FETCH (FLAGS ())\r\n" * 9000
    nameless, untold, hidden = without_appenduid(), [], Replaced(rb"\A\* 1 FETCH .*")
    with Dovecot() as server, Proxy(server.port, edit=nameless, before=("APPEND", lambda: untold.append(1))) as proxy, \
            Proxy(server.port, edit=hidden) as hiding:
        with imaplib.IMAP4(HOST, proxy.port) as imap:
            imap.login("u1", PASSWORD)
            for _ in range(2):
                told = imap.append("INBOX", None, None, mail)
                assert told[0] == "OK" and b"APPENDUID" not in told[1][0], told
            imap.select()
            assert imap.fetch("1", "(BODY.PEEK[])")[1][0][1] == mail
        assert (nameless.count, len(untold)) == (2, 1)
        with imaplib.IMAP4(HOST, hiding.port) as imap:
            imap.login("u1", PASSWORD)
            imap.select()
            data = imap.fetch("1:2", "(BODY.PEEK[])")[1]
            assert data[0][0].startswith(b"2 (") and data[0][1] == mail and hidden.count == 1


@case
def the_small_server_keeps_what_it_is_given():
    mails = list(corpus.sample())
    with MiniServer() as server:
        corpus.append(HOST, server.port, "u1", mails)
        no_differences(expected(mails), Imap(server, "u1").snapshot())
        assert sum(server.fetched.values()) == len(mails)
        no_differences(expected(mails), Imap(server, "u1").snapshot())
        server.forget("u1")
        assert len(Imap(server, "u1").snapshot()) == 0


@case
def the_small_server_copies_removes_and_finds():
    with MiniServer() as server, imaplib.IMAP4(HOST, server.port) as imap, imaplib.IMAP4(HOST, server.port) as other:
        for each in (imap, other):
            each.login("u1", PASSWORD)
        for number in range(5):
            imap.append("INBOX", "(\\Seen)" if number % 2 else None, None, b"Subject: %d\r\n\r\nx\r\n" % number)
        imap.create("Old/2019")
        assert [line.split(b")")[0] for line in imap.list()[1]] == [
            b"(\\HasNoChildren", b"(\\Noselect \\HasChildren", b"(\\HasNoChildren"]
        assert imap.select("Old")[0] == "NO"
        other.select("INBOX")
        imap.select("INBOX")
        told = imap.uid("COPY", "2:3", "Old/2019")
        assert told[0] == "OK" and b" 2:3 1:2]" in imap.response("COPYUID")[1][0] + b"]", told
        assert imap.uid("MOVE", "5", "Old/2019")[0] == "OK"
        assert imap.uid("SEARCH", "UNSEEN", "UID", "2:*")[1] == [b"3"]
        assert imap.search(None, "HEADER", "subject", "3")[1] == [b"4"]
        imap.uid("STORE", "1,4", "+FLAGS", "(\\Deleted x)")
        assert imap.uid("EXPUNGE", "1")[0] == "OK"
        assert imap.uid("SEARCH", "ALL")[1] == [b"2 3 4"]
        assert imap.fetch("3", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0] == (
            b"3 (UID 4 FLAGS (\\Deleted \\Seen x) BODY[HEADER.FIELDS (SUBJECT)] {14}", b"Subject: 3\r\n\r\n")
        assert other.noop()[0] == "OK" and other.response("EXPUNGE")[1] == [b"5", b"1"]
        assert server.heard("UID COPY") == ["UID COPY 2:3 Old/2019"]


@case
def the_small_server_does_as_hooks_say():
    with MiniServer() as server:
        server.on("APPEND", answer("NO [CANNOT] not today"), times=1)
        server.on("APPEND", lose_answer, where="Sent")
        imap = imaplib.IMAP4(HOST, server.port)
        imap.login("u1", PASSWORD)
        imap.create("Sent")
        told = [imap.append("INBOX", None, None, b"Subject: x\r\n\r\n") for _ in range(2)]
        assert [each[0] for each in told] == ["NO", "OK"], told
        try:
            imap.append("Sent", None, None, b"Subject: y\r\n\r\n")
            raise AssertionError("not cut")
        except (imaplib.IMAP4.abort, OSError):
            imap.shutdown()
        server.wait_until_idle("u1")
        assert len(server.account("u1").find("Sent").entries) == 1
        try:
            imaplib.IMAP4(HOST, server.port).login("u1", "no")
            raise AssertionError("logged in")
        except imaplib.IMAP4.error:
            pass


@case
def a_report_that_does_not_add_up_is_seen():
    def report(text):
        return Result([], 0, text, "", 0)
    report('{"totals": {"source": 3, "copied": 1, "already_there": 2}}').expect(0)
    report("3 at the source = 1 copied + 2 already there + 0 failed\n").expect(0).expect_totals(already_there=2)
    try:
        report('{"totals": {"source": 3, "copied": 1, "already-there": 1}}').expect(0)
    except AssertionError:
        return
    raise AssertionError("it was not seen")


@case
def a_scratch_folder_is_gone_afterwards():
    import os
    with Scratch() as folder:
        assert os.stat(folder).st_mode & 0o777 == 0o755
    assert not os.path.exists(folder)


if __name__ == "__main__":
    run_cases()
