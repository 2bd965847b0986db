#!/usr/bin/env python3
"""
--delete2: the destination becomes what the source is, as an independent reader sees it; and no guard lets
anything go. Killed or cut off at any moment, the next run ends as one that was not disturbed.
"""
import os
import random
import shutil
import subprocess

from harness import (BARE_CAPABILITY, NO_GRACE, SHORT, Bench, Dovecot, Imap, Maildir, Scratch, Skip, case,
                     expect_same, run_cases)
import corpus
import reader
from pair import Pair
from servers.mini import answer
from servers.mini_session import Session
from servers.proxy import Proxy

FOLDERS = ("INBOX", "Archive/2019")
KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
NO_LEAKS = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)


def mails(count=60):
    """None is marked as deleted: drop() would take it along."""
    return [one._replace(flags=[flag for flag in one.flags if flag.lower() != "\\deleted"])
            for one in corpus.made_up(count, seed=5, folders=FOLDERS, largest=20_000)]


def imap_source(server, user, content):
    corpus.append("127.0.0.1", server.port, user, content)
    return Imap(server, user)


def end(run):
    return [event for event in run.events if event["event"] == "end"][-1]


def deleted(run):
    return end(run)["deleted_at_destination"]


def drop(side, folder, numbers):
    """Removes the messages with these places of a folder."""
    if isinstance(side, Maildir):
        where = side.path if folder == "INBOX" else os.path.join(side.path, "." + folder.replace("/", "."))
        files = sorted(os.path.join(where, sub, name) for sub in ("cur", "new")
                       for name in os.listdir(os.path.join(where, sub)))
        for number in numbers:
            os.unlink(files[number - 1])
        return
    with reader.ImapAccount("127.0.0.1", side.server.port, side.user, "pass") as account:
        account.open_for_writing(account.native(folder))
        account._imap.store(",".join(map(str, numbers)), "+FLAGS", "(\\Deleted)")
        account._imap.expunge()


def expect_refused(run, why, folder="INBOX"):
    """Exit code 121, nothing deleted, and said why."""
    assert run.code == 121, run.told()
    assert deleted(run) == 0, run.told()
    said = [event["detail"] for event in run.events if event["event"] == "folder" and event["folder1"] == folder]
    assert any(why in (text or "") for text in said), run.told()
    return run


# ---- what goes ----

def mirrors(source, destination):
    """What is removed at the source goes, and nothing else; unchanged runs ask for no listing."""
    with Bench(source, destination) as bench:
        bench.run("--delete2").expect(0)
        drop(source, "INBOX", [2, 3])
        drop(source, "Archive/2019", [1])
        dry = bench.run("--delete2", "--dry")
        said = sorted(event["text"] for event in dry.events if event.get("deed") == "delete2")
        assert dry.code == 0 and said == [f"delete {n} messages at the destination" for n in (1, 2)], dry.told()
        log = bench.folder + "/log"
        run = bench.run("--delete2", "--logfile", log).expect(0).expect_totals(copied=0)
        assert deleted(run) == 3, run.told()
        expect_same(source.snapshot(), destination.snapshot())
        with open(log, encoding="utf-8") as lines:
            named = [line for line in lines if "deleted message" in line]
        assert len(named) == 3, named
        run = bench.run("--delete2").expect(0)
        assert deleted(run) == 0, run.told()
        expect_same(source.snapshot(), destination.snapshot())


@case
def an_account_is_mirrored_to_another():
    with Dovecot() as old, Dovecot() as new:
        mirrors(imap_source(old, "u1", mails()), Imap(new, "u1"))


@case
def an_account_is_mirrored_to_a_server_without_uidplus():
    with Dovecot() as old, Dovecot(capability=BARE_CAPABILITY) as new:
        mirrors(imap_source(old, "u1", mails()), Imap(new, "u1"))


@case
def an_account_is_mirrored_to_a_tree_and_back():
    with Dovecot() as old, Dovecot() as new, Scratch() as folder:
        tree = Maildir(folder + "/tree")
        mirrors(imap_source(old, "u1", mails()), tree)
        mirrors(tree, Imap(new, "u1"))


@case
def what_others_brought_goes_in_the_run_after_the_first():
    with Dovecot() as old, Dovecot() as new:
        content, others = mails(20), list(corpus.made_up(4, seed=99, folders=FOLDERS, largest=1000))
        source, copy = imap_source(old, "u1", content), imap_source(new, "u1", others + content)
        with Bench(source, copy) as bench:
            expect_refused(bench.run("--delete2"), "the state is new")
            assert len(copy.snapshot()) == 24
            assert deleted(bench.run("--delete2").expect(0)) == 4
            assert source.snapshot().bodies() == copy.snapshot().bodies()


@case
def what_goes_lies_in_the_trash():
    """With its octets, on a server and in a tree."""
    with Dovecot() as old, Dovecot() as new, Scratch() as folder:
        for user, copy in (("u1", Imap(new, "u1")), ("u2", Maildir(folder + "/tree"))):
            source = imap_source(old, user, mails(20))
            with Bench(source, copy) as bench:
                bench.run().expect(0)
                before = sorted(digest for _, digest in copy.snapshot().bodies().elements())
                drop(source, "INBOX", [2, 3])
                assert deleted(bench.run("--delete2", "--trash2", "Thrown away").expect(0)) == 2
                held = list(copy.snapshot().bodies().elements())
                assert sorted(digest for _, digest in held) == before, held
                assert len([path for path, _ in held if path == "Thrown away"]) == 2, held


@case
def messages_that_others_have_marked_stay():
    """By UID EXPUNGE; without it the folder is left, and said so. (Flags are left alone, or they would go.)"""
    for capability, code in ((None, 0), (BARE_CAPABILITY, 121)):
        with Dovecot() as old, Dovecot(capability=capability) as new:
            plain = [one._replace(folder="INBOX", flags=[]) for one in mails(6)]
            source, copy = imap_source(old, "u1", plain), Imap(new, "u1")
            with Bench(source, copy) as bench:
                bench.run().expect(0)
                with reader.ImapAccount("127.0.0.1", new.port, "u1", "pass") as account:
                    account.open_for_writing("INBOX")
                    account._imap.store("2", "+FLAGS", "(\\Deleted)")
                drop(source, "INBOX", [5])
                run = bench.run("--delete2")
                assert run.code == code, run.told()
                left = copy.snapshot()
                assert len(left) == (5 if code == 0 else 6), run.told()
                assert len([entry for entry in left.entries if "\\deleted" in entry.flags]) == 1, left.entries


@case
def folders_that_the_source_has_no_more_go():
    with Dovecot() as old, Dovecot() as new:
        source, copy = imap_source(old, "u1", mails(20)), Imap(new, "u1")
        with Bench(source, copy) as bench:
            corpus.append("127.0.0.1", old.port, "u1", [one._replace(folder=path) for path in ("Old", "Old/Deep", "X")
                                                        for one in mails(3)])
            bench.run().expect(0)
            with reader.ImapAccount("127.0.0.1", old.port, "u1", "pass") as account:
                for path in ("Old/Deep", "Old"):
                    account._imap.delete(account.native(path))
            corpus.append("127.0.0.1", new.port, "u1", [mails(1)[0]._replace(folder="Theirs")])
            run = bench.run("--delete2folders").expect(0)
            assert deleted(run) == 6, run.told()
            assert copy.snapshot().folders - source.snapshot().folders == {"Theirs"}, copy.snapshot().folders
            bench.run("--delete2foldersonly", "/^Theirs$/").expect(0)
            expect_same(source.snapshot(), copy.snapshot())
            refused = bench.run("--delete2foldersonly", "(")
            assert refused.code == 64 and "--delete2foldersonly" in refused.err, refused.told()


# ---- disturbed ----

@case
def cut_at_the_answers_to_the_removal():
    with Dovecot() as old, Dovecot() as new:
        content = mails(20)
        for verb in ("UID STORE", "UID EXPUNGE"):
            for number in (1, 2):
                user = f"u-{verb[4:].lower()}{number}"
                source, copy = imap_source(old, user, content), Imap(new, user)
                with Bench(source, copy) as bench:
                    bench.run().expect(0)
                    drop(source, "INBOX", [1, 2])
                    drop(source, "Archive/2019", [1])
                    with Proxy(new.port, cut_before_answer=(verb, number)) as relay:
                        bench.destination = Imap(new, user, port=relay.port)
                        run = bench.run("--delete2", *NO_GRACE).expect(0)
                        assert relay.cuts == 1, run.told()
                    assert deleted(run) == 3, run.told()
                    expect_same(source.snapshot(), copy.snapshot())


@case
def killed_after_every_command_and_write():
    """At no time is anything gone but what was to go; the run after that ends like any."""
    if subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("ptrace is not allowed here, or kill-at is not built")
    with Dovecot() as old, Dovecot() as new:
        content = mails(20)
        for point in sorted(random.Random(SEED).sample(range(1, 60), 4 if SHORT else 12)):
            user = f"u-{point}"
            source, copy = imap_source(old, user, content), Imap(new, user)
            with Bench(source, copy) as bench:
                bench.run().expect(0)
                drop(source, "INBOX", [1, 2])
                drop(source, "Archive/2019", [1])
                wanted = source.snapshot()
                bench.run("--delete2", *NO_GRACE, wrap=("env", NO_LEAKS, KILL_AT, str(point), bench.state))
                copy.settle()
                missing = wanted.bodies() - copy.snapshot().bodies()
                assert not missing, f"point {point}: {missing}"
                bench.run("--delete2", *NO_GRACE).expect(0)
                expect_same(wanted, copy.snapshot())


# ---- guards ----

@case
def a_lost_state_deletes_nothing():
    with Pair() as pair:
        pair.fill(20)
        pair.run(copied=20)
        pair.inbox.drop(pair.inbox.entries[:2])
        pair.lose_state()
        expect_refused(pair.attempt("--delete2"), "the state is new")
        assert len(pair.copy.entries) == 20
        assert deleted(pair.run("--delete2")) == 2
        pair.expect_same()


@case
def an_empty_list_deletes_nothing():
    """No folder at all, and an empty INBOX alone."""
    with Pair() as pair:
        pair.fill(6)
        pair.fill(6, pair.source.account("u1").make("Work"), first=50)
        pair.run(copied=12)
        account = pair.source.account("u1")
        kept = dict(account.folders)
        del account.folders["Work"]
        pair.inbox.drop(list(pair.inbox.entries))
        for options in (("--delete2",), ("--delete2", "--max-delete", "1000")):
            expect_refused(pair.attempt(*options), "no message at all")
        account.folders.clear()
        run = pair.attempt("--delete2")
        assert run.code != 0, run.told()
        assert len(pair.copy.entries) == 6 and len(pair.destination.account("u1").find("Work").entries) == 6
        account.folders.update(kept)


class Forgetful(Session):
    """Lists fewer messages than it counts: `shows` of them where it says that it has more, or it has lost some."""
    shows, counts = 100, None

    def say_fetch(self, number, entry, items):
        if entry.uid <= self.shows:
            super().say_fetch(number, entry, items)

    def status_item(self, folder, item):
        if item == "MESSAGES" and self.counts is not None:
            return self.counts
        return super().status_item(folder, item)


@case
def half_a_listing_deletes_nothing():
    with Pair(source="IMAP4rev1 LITERAL+ UIDPLUS", source_session=Forgetful) as pair:
        pair.fill(12)
        pair.run(copied=12)
        Forgetful.shows = 3
        run = pair.attempt("--delete2")
        assert run.code == 10 and "listed 3 of 12 messages" in run.err and deleted(run) == 0, run.told()
        Forgetful.shows, Forgetful.counts = 100, 12
        pair.inbox.drop(pair.inbox.entries[:5])
        for _ in range(2):
            expect_refused(pair.attempt("--delete2"), "fewer messages were listed")
            assert len(pair.copy.entries) == 12
        Forgetful.counts = None
        assert deleted(pair.run("--delete2")) == 5
        pair.expect_same()


@case
def an_empty_search_deletes_nothing():
    """What a server answers to SEARCH decides nothing."""
    with Pair() as pair:
        pair.fill(20)
        pair.run(copied=20)
        pair.fill(1, first=90)
        pair.source.on("UID SEARCH", answer("* SEARCH\r\n{tag} OK done"))
        run = pair.attempt("--delete2")
        assert deleted(run) == 0 and len(pair.copy.entries) >= 20, run.told()


@case
def what_vanishes_in_numbers_stays_but_for_a_word():
    with Pair() as pair:
        pair.fill(100)
        pair.run(copied=100)
        pair.inbox.drop(pair.inbox.entries[:90])
        for _ in range(2):
            expect_refused(pair.attempt("--delete2"), "--max-delete 90")
        expect_refused(pair.attempt("--delete2", "--max-delete", "89"), "--max-delete 90")
        assert len(pair.copy.entries) == 100
        assert deleted(pair.run("--delete2", "--max-delete", "90")) == 90
        pair.expect_same()


@case
def another_account_at_the_address_deletes_nothing():
    """All folders are numbered anew, and hold other mail."""
    with Pair() as pair:
        account = pair.source.account("u1")
        pair.fill(6)
        pair.fill(6, account.make("Work"), first=50)
        pair.run(copied=12)
        for folder in list(account.folders.values()):
            folder.drop(list(folder.entries))
            folder.epoch += 1000
        pair.fill(2, first=200)
        expect_refused(pair.attempt("--delete2"), "")
        assert len(pair.copy.entries) == 8


@case
def a_source_that_is_not_mounted_deletes_nothing():
    with Dovecot() as new, Scratch() as folder:
        corpus.write_maildir(folder + "/tree", mails(20))
        copy = Imap(new, "u1")
        with Bench(Maildir(folder + "/tree"), copy) as bench:
            bench.run().expect(0)
            os.rename(folder + "/tree", folder + "/away")
            os.mkdir(folder + "/tree")
            for _ in range(2):
                run = bench.run("--delete2")
                assert run.code != 0 and len(copy.snapshot()) == 20, run.told()
            for name in ("cur", "new", "tmp"):
                os.mkdir(f"{folder}/tree/{name}")  # somebody has made an empty one
            run = bench.run("--delete2")
            assert run.code != 0 and len(copy.snapshot()) == 20, run.told()
            shutil.rmtree(folder + "/tree")
            os.rename(folder + "/away", folder + "/tree")
            bench.run("--delete2").expect(0)


@case
def contradictions_are_told_before_anything_is_opened():
    with Pair() as pair:
        for options in (("--delete2", "--delete1"), ("--delete2", "--stateless"), ("--delete2", "--max-delete", "0")):
            run = pair.attempt(*options)
            assert run.code == 64 and not pair.source.log, run.told()


if __name__ == "__main__":
    print(f"# seed {SEED}")
    run_cases()
