#!/usr/bin/env python3
"""
One account moves to another server, to a Maildir, and from there to an empty server; a second run has
nothing to do. Against Dovecots that can everything, and against one that can little.
"""
import os
import re
import time

from harness import (BARE_CAPABILITY, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, case, expect_same,
                     expect_untouched, run_cases)
import corpus
from servers.proxy import Proxy, without_appenduid

COUNT, LARGEST = (200, 3 << 20) if SHORT else (2000, 25 << 20)
CHANGING = ("APPEND", "STORE", "UID STORE", "EXPUNGE", "UID EXPUNGE", "COPY", "UID COPY", "MOVE", "UID MOVE",
            "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "CLOSE")
FETCHING = ("FETCH", "UID FETCH")
BODY = re.compile(r"BODY|RFC822(?!\.SIZE)")
SAMPLE = 10  # messages of a folder that are looked at again


def fetched(proxy, bodies_only):
    """
    FETCH commands. A server that cannot say what changed has to be asked for flags, and for the header fields of a
    sample, to see that ids still name the same messages: so not for these.
    """
    return [each for each in proxy.commands(*FETCHING)
            if not bodies_only or BODY.search(each.text) and not is_sample(each.text)]


def is_sample(text):
    found = re.search(r"UID FETCH ([0-9,:]+) .*BODY\.PEEK\[HEADER\.FIELDS ", text)
    ranges = [[int(end) for end in part.split(":")] for part in found[1].split(",")] if found else []
    return 0 < sum(each[-1] - each[0] + 1 for each in ranges) <= SAMPLE


def no_more_to_do(bench, before, got, proxies=(), can_little=False):
    """A second run does nothing, and one without state finds everything by matching."""
    count = len(before)
    for proxy in proxies:
        proxy.clear()
    bench.run().expect(0).expect_totals(source=count, copied=0, already_there=count)
    for proxy in proxies:
        assert not proxy.commands(*CHANGING), f"the second run changed something: {proxy.commands(*CHANGING)[:3]}"
        assert not fetched(proxy, can_little), f"the second run fetched something: {fetched(proxy, can_little)[:3]}"
    bench.lose_state()
    passed = [proxy.octets()[1] for proxy in proxies]
    bench.run().expect(0).expect_totals(source=count, copied=0, already_there=count)
    for proxy, before_it in zip(proxies, passed):
        assert not proxy.commands("APPEND"), "a run without state appended"
        read = proxy.octets()[1] - before_it
        whole = sum(before.sizes[entry.sha256] * number for entry, number in before.entries.items())
        # headers, and a sample, which is more of a small account
        assert read < whole / (2 if SHORT else 4), f"matching read {read} octets of an account of {whole}"
    expect_same(got, bench.destination.snapshot(), "the destination before and after further runs")


def migrate(source_server, destination_server, user, can_little=False):
    """The whole of it between two servers, through relays that see each command."""
    corpus.fill(source_server, user, corpus.made_up(COUNT, largest=LARGEST))
    nameless = without_appenduid() if can_little else None
    with Proxy(source_server.port) as out, Proxy(destination_server.port, edit=nameless) as into:
        source = Imap(source_server, user, port=out.port)
        destination = Imap(destination_server, user, port=into.port)
        before = source.snapshot()
        assert len(before) == COUNT and sum(before.recent.values()) > 0
        with Bench(source, destination) as bench:
            bench.run().expect(0).expect_totals(source=COUNT, copied=COUNT)
            assert nameless is None or nameless.count >= COUNT, f"only {nameless.count} UIDs were kept from the client"
            changes = out.commands("SELECT", *CHANGING)
            assert not changes, f"the source was changed: {changes[:3]}"
            asked = out.commands() + into.commands()
            got = destination.snapshot()
            expect_same(before, got)
            assert got.subscribed >= before.subscribed, f"not subscribed: {before.subscribed - got.subscribed}"
            no_more_to_do(bench, before, got, (out, into), can_little)
        expect_untouched(before, source.snapshot())
        return asked


@case
def an_account_moves_across_namespaces():
    with Dovecot(separator=".", prefix="INBOX.") as old, Dovecot() as new:
        migrate(old, new, "u1")


@case
def an_account_moves_back_across_namespaces():
    with Dovecot(format="sdbox") as old, Dovecot(separator=".", prefix="INBOX.") as new:
        corpus.append("127.0.0.1", old.port, "u1", corpus.sample())
        source, destination = Imap(old, "u1"), Imap(new, "u1")
        before = source.snapshot()
        with Bench(source, destination) as bench:
            bench.run().expect(0).expect_totals(source=len(before), copied=len(before))
            got = destination.snapshot()
            expect_same(before, got)
            no_more_to_do(bench, before, got)


@case
def an_account_moves_between_servers_that_can_little():
    with Dovecot(separator=".", prefix="INBOX.", capability=BARE_CAPABILITY) as old, \
            Dovecot(capability=BARE_CAPABILITY) as new:
        asked = migrate(old, new, "u1", can_little=True)
        unasked = [each for each in asked if "+}" in each.text or (each.verb == "APPEND" and each.literals > 1)
                   or "RETURN (STATUS" in each.text.upper() or "CONDSTORE" in each.text.upper()]
        assert not unasked, f"commands that the server does not offer: {unasked[:3]}"


@case
def an_account_is_backed_up_and_restored():
    with Dovecot(separator=".", prefix="INBOX.") as old, Dovecot() as new:
        corpus.fill(old, "u1", corpus.made_up(COUNT, seed=2, largest=LARGEST))
        source = Imap(old, "u1")
        before = source.snapshot()
        with Bench(source, Maildir("")) as backup:
            tree = backup.destination = Maildir(backup.folder + "/tree")
            backup.run().expect(0).expect_totals(source=COUNT, copied=COUNT)
            kept = tree.snapshot()
            expect_same(before, kept)
            no_more_to_do(backup, before, kept)
            expect_untouched(before, source.snapshot())

            with Bench(tree, Imap(new, "u2")) as restore:
                restore.run().expect(0).expect_totals(source=COUNT, copied=COUNT)
                restored = restore.destination.snapshot()
                expect_same(before, restored)
                no_more_to_do(restore, before, restored)
            expect_untouched(kept, tree.snapshot())


@case
def a_tree_written_by_a_server_is_read():
    with Dovecot() as old, Dovecot(format="sdbox") as new:
        corpus.fill(old, "u1", corpus.made_up(min(COUNT, 500), seed=3, largest=1 << 20))
        before = Imap(old, "u1").snapshot()
        with Bench(Maildir(old.maildir("u1")), Imap(new, "u1")) as bench:
            bench.run().expect(0).expect_totals(source=len(before), copied=len(before))
            expect_same(before, bench.destination.snapshot())
        expect_untouched(before, Imap(old, "u1").snapshot())


@case
def a_server_reads_what_was_backed_up():
    """The tree is put under a server, which shows what the source showed."""
    with Dovecot(separator=".", prefix="INBOX.") as old, Dovecot() as new:
        corpus.fill(old, "u1", corpus.made_up(min(COUNT, 500), seed=4, largest=1 << 20))
        source = Imap(old, "u1")
        before = source.snapshot()
        with Bench(source, Maildir(new.maildir("u9"))) as bench:
            bench.run().expect(0).expect_totals(copied=len(before))
            new.adopt("u9")
            expect_same(before, Imap(new, "u9").snapshot())


@case
def new_mail_and_changed_flags_follow_in_the_next_run():
    with Dovecot(separator=".", prefix="INBOX.") as old, Dovecot() as new:
        mails = list(corpus.made_up(120, seed=5, largest=20_000))
        corpus.append("127.0.0.1", old.port, "u1", mails[:100])
        source, destination = Imap(old, "u1"), Imap(new, "u1")
        with Bench(source, destination) as bench:
            bench.run().expect(0).expect_totals(copied=100)
            corpus.append("127.0.0.1", old.port, "u1", mails[100:])
            with corpus.ImapAccount("127.0.0.1", old.port, "u1", "pass") as account:
                account.open_for_writing("INBOX")
                account._imap.store("1:3", "FLAGS", r"(\Flagged later)")
            bench.run().expect(0).expect_totals(copied=20, already_there=100)
            expect_same(source.snapshot(), destination.snapshot())
            bench.run().expect(0).expect_totals(copied=0, already_there=120)


def _flags_left_alone_arrive_later(source, destination, change):
    """What happens at the source while runs leave flags alone is not forgotten by them."""
    with Bench(source, destination) as bench:
        bench.run().expect(0)
        bench.run().expect(0)
        first = destination.snapshot()
        change()
        for _ in range(2):
            bench.run("--flags", "none").expect(0)
            expect_same(first, destination.snapshot(), "the destination before and after a run with --flags none")
        bench.run("--flags", "merge").expect(0)
        expect_same(source.snapshot(), destination.snapshot())


@case
def flags_changed_before_a_run_that_leaves_them_alone_arrive_later():
    for can in (None, BARE_CAPABILITY):
        with Dovecot(separator=".", prefix="INBOX.", capability=can) as old, Dovecot(capability=can) as new:
            corpus.append("127.0.0.1", old.port, "u1", corpus.made_up(30, seed=6, largest=5000))

            def change():
                with corpus.ImapAccount("127.0.0.1", old.port, "u1", "pass") as account:
                    account.open_for_writing("INBOX")
                    account._imap.store("1", "FLAGS", r"(\Flagged \Answered later)")
            _flags_left_alone_arrive_later(Imap(old, "u1"), Imap(new, "u1"), change)


@case
def flags_changed_in_a_tree_before_a_run_that_leaves_them_alone_arrive_later():
    with Scratch() as folder:
        source, destination = Maildir(folder + "/source"), Maildir(folder + "/destination")
        corpus.write_maildir(source.path, corpus.made_up(5, seed=6, folders=("INBOX",), largest=5000))
        cur = source.path + "/cur"
        long_ago = time.time() - 3600
        os.utime(cur, (long_ago, long_ago))  # so that nothing has to be read again in case it is still changing

        def change():
            name = min(name for name in os.listdir(cur) if not name.endswith("F"))
            os.rename(f"{cur}/{name}", f"{cur}/{name.partition(':')[0]}:2,FS")
            os.utime(cur, (long_ago + 60, long_ago + 60))
        _flags_left_alone_arrive_later(source, destination, change)


@case
def a_dry_run_changes_nothing():
    with Dovecot(separator=".", prefix="INBOX.") as old, Dovecot() as new:
        corpus.append("127.0.0.1", old.port, "u1", corpus.sample())
        with Proxy(new.port) as into:
            source, destination = Imap(old, "u1"), Imap(new, "u1", port=into.port)
            before, empty = source.snapshot(), destination.snapshot()
            with Bench(source, destination) as bench:
                assert bench.run("--dry").code == 0
                assert not into.commands(*CHANGING), f"a dry run changed something: {into.commands(*CHANGING)[:3]}"
                expect_same(empty, destination.snapshot(), "the destination before and after")
                expect_untouched(before, source.snapshot())


@case
def only_the_folders_named_are_copied():
    with Dovecot(separator=".", prefix="INBOX.") as old, Dovecot() as new:
        corpus.append("127.0.0.1", old.port, "u1", corpus.sample())
        source, destination = Imap(old, "u1"), Imap(new, "u1")
        wanted = {"日本語", "Archive/2015", "Lists/Open Water"}
        with Bench(source, destination) as bench:
            bench.run("--folder", "日本語", "--folder", "INBOX.Archive.2015", "--folder", "Lists/Open Water").expect(0)
            before, got = source.snapshot(), destination.snapshot()
            for entry in [each for each in before.entries if each.folder not in wanted]:
                del before.entries[entry]
            before.folders = wanted
            got.folders.discard("INBOX")  # every account has one
            expect_same(before, got)


if __name__ == "__main__":
    run_cases()
