#!/usr/bin/env python3
"""
Messages that are hard to tell apart: without Message-Id, without a header, one id for several contents,
several times the same. All arrive, in their number, and further runs add none.
"""
from harness import (BARE_CAPABILITY, Bench, Dovecot, Imap, Maildir, Scratch, case, expect_same, expect_untouched,
                     run_cases)
import corpus
from servers.proxy import Proxy, without_appenduid


def _mail(octets, number=0, folder="INBOX", flags=()):
    return corpus.Mail(folder, octets.replace(b"\n", b"\r\n"), list(flags), [], 1_000_000_000 + number * 60, False)


def odd_mail():
    """What a matcher could mix up."""
    no_id = b"From: scanner@office.example\nDate: Mon, 8 Jan 2001 10:00:00 +0000\nSubject: scan\n\npage\n"
    same_id = b"Message-ID: <one@list.example>\nDate: Mon, 8 Jan 2001 10:00:00 +0000\nSubject: report\n\n"
    received = b"Received: from %s by mx.example; Mon, 8 Jan 2001 10:00:01 +0000\n"
    mails = [_mail(no_id), _mail(no_id.replace(b"page\n", b"another page\n"), 1), _mail(no_id, 2)]
    mails += [_mail(b"neither header nor id\n\nbut a body\n", 3), _mail(b"no header either\n", 4), _mail(b"z", 5)]
    mails += [_mail(same_id + b"first\n", 6), _mail(same_id + b"second, and longer\n", 7),
              _mail(same_id + b"x" * 5000 + b"\n", 8)]
    mails += [_mail(same_id + b"equal\n", 9), _mail(same_id + b"sized\n", 10)]  # same size, other octets
    mails += [_mail(received % host + same_id + b"first\n", 11 + n) for n, host in enumerate((b"a.example", b"b.example"))]
    mails += [_mail(b"Message-ID: <thrice@x>\nSubject: thrice\n\nthe same\n", 20 + n % 2, flags=("\\Seen",) * (n == 2))
              for n in range(3)]
    mails += [_mail(b"Message-ID: <thrice@x>\nSubject: thrice\n\nthe same\n", 25, "Other folder")] * 3
    mails += [_mail(b"\n\n\n", 30), _mail(b"Message-ID:\nSubject: an empty id\n\n1\n", 31),
              _mail(b"Message-ID:\nSubject: an empty id\n\n2\n", 32)]
    return mails


def all_arrive_once(source, destination, settle=lambda: None):
    before = source.snapshot()
    with Bench(source, destination) as bench:
        bench.run().expect(0).expect_totals(source=len(before), copied=len(before))
        settle()
        expect_same(before, destination.snapshot())
        for what in ("with its state", "without a state"):
            bench.run().expect(0).expect_totals(copied=0, already_there=len(before))
            expect_same(before, destination.snapshot(), f"source and destination, after a run {what},")
            bench.lose_state()
        bench.run("--stateless").expect(0).expect_totals(copied=0, already_there=len(before))
        expect_same(before, destination.snapshot(), "source and destination, after a stateless run,")
    expect_untouched(before, source.snapshot())


def _imap_to_imap(capability, mails):
    with Dovecot(separator=".", prefix="INBOX.", capability=capability) as old, Dovecot(capability=capability) as new:
        corpus.append("127.0.0.1", old.port, "u1", mails)
        if capability is None:
            all_arrive_once(Imap(old, "u1"), Imap(new, "u1"))
            return
        nameless = without_appenduid()
        with Proxy(new.port, edit=nameless) as into:
            all_arrive_once(Imap(old, "u1"), Imap(new, "u1", port=into.port))
        assert nameless.count >= len(mails), f"only {nameless.count} UIDs were kept from the client"


@case
def odd_mail_arrives_in_its_number():
    _imap_to_imap(None, odd_mail())


@case
def odd_mail_arrives_at_a_server_that_can_little():
    _imap_to_imap(BARE_CAPABILITY, odd_mail())


@case
def the_sample_mail_arrives():
    _imap_to_imap(None, list(corpus.sample()))


@case
def the_sample_mail_arrives_at_a_server_that_can_little():
    _imap_to_imap(BARE_CAPABILITY, list(corpus.sample()))


@case
def odd_mail_survives_a_backup_and_a_restore():
    with Dovecot() as old, Dovecot() as new, Scratch() as folder:
        corpus.append("127.0.0.1", old.port, "u1", odd_mail() + list(corpus.sample()))
        tree = Maildir(folder + "/tree")
        all_arrive_once(Imap(old, "u1"), tree)
        all_arrive_once(tree, Imap(new, "u1"))


@case
def what_the_destination_had_before_is_matched_and_kept():
    """Another tool had copied some of it, and the user had mail there."""
    # Two that differ in nothing but octets, one of them there: no header tells which.
    mails = [mail for mail in odd_mail() if not mail.octets.endswith((b"equal\r\n", b"sized\r\n"))]
    own = [_mail(b"Message-ID: <own@there>\nSubject: only here\n\nmine\n", 50)]
    with Dovecot() as old, Dovecot(separator=".", prefix="INBOX.") as new:
        corpus.append("127.0.0.1", old.port, "u1", mails)
        corpus.append("127.0.0.1", new.port, "u1", own + mails[::2])
        source, destination = Imap(old, "u1"), Imap(new, "u1")
        before = source.snapshot()
        with Bench(source, destination) as bench:
            bench.run().expect(0).expect_totals(source=len(mails), copied=len(mails) - len(mails[::2]),
                                                already_there=len(mails[::2]))
        wanted, got = before.bodies(), destination.snapshot().bodies()
        assert sum((got - wanted).values()) == 1, f"more at the destination than its own message: {got - wanted}"
        assert not wanted - got, f"missing at the destination: {wanted - got}"


@case
def an_empty_file_of_a_tree_is_reported_as_refused():
    with Dovecot() as new, Scratch() as folder:
        tree = folder + "/tree"
        corpus.write_maildir(tree, corpus.made_up(10, largest=1000, folders=("INBOX",)))
        open(tree + "/cur/1000000000.M1P1.empty:2,S", "wb").close()
        with Bench(Maildir(tree), Imap(new, "u1")) as bench:
            for copied, there in ((10, 0), (0, 10)):
                result = bench.run()
                assert result.code in (111, 114), "wanted the code of a refused message\n" + result.told()
                result.expect_balance()
                result.expect_totals(source=11, copied=copied, already_there=there, refused=1)


@case
def a_message_over_quota_ends_the_account_with_its_code():
    with Dovecot() as old, Dovecot() as new:
        mails = [_mail(b"Message-ID: <%d@big>\nSubject: big\n\n" % n + b"0123456789abcde\n" * 4000, n) for n in range(6)]
        corpus.append("127.0.0.1", old.port, "u1", mails)
        with Bench(Imap(old, "u1"), Imap(new, "uquota")) as bench:
            result = bench.run().expect(113)
            assert "quota" in result.err.lower(), result.told()
            assert result.err.count("leaves room for 204800 octets") == 1, result.told()
            again = bench.run("--no-ext2", "QUOTA").expect(113)
            assert "leaves room" not in again.err, again.told()
            assert 1 <= len(bench.destination.snapshot()) <= 4


@case
def more_keywords_than_a_maildir_has_letters_go_there_and_back():
    mails = [corpus.Mail("INBOX", b"Message-ID: <%d@k>\r\n\r\nx\r\n" % n, ["\\Seen"], [f"Key{n}", f"Key{n + 20}", "All"],
                         1_000_000_000 + n, False) for n in range(40)]
    with Dovecot() as old, Dovecot() as new, Scratch() as folder:
        corpus.append("127.0.0.1", old.port, "u1", mails)
        source, backup = Imap(old, "u1"), Maildir(folder + "/backup")
        before = source.snapshot()
        with Bench(source, backup) as bench:
            bench.run().expect(0).expect_totals(copied=40)
            expect_same(before, backup.snapshot())
            bench.run().expect(0).expect_totals(copied=0)
        with Bench(backup, Imap(new, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=40)
        expect_same(before, Imap(new, "u1").snapshot())


if __name__ == "__main__":
    run_cases()
