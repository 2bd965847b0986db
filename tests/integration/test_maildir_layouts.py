#!/usr/bin/env python3
"""
Layouts of Maildirs: trees of other programs are read as these mean them, and stay as they are, to the
last octet and time; each layout can be made, and names of folders come back from it.
"""
import os
import random

import corpus
import reader
from harness import HOST, PASSWORD, SHORT, Bench, Dovecot, Imap, Maildir, Skip, case, expect_same, run_cases
from servers.courier import Courier
from servers.jail import Unavailable
from servers.scratch import Scratch
from trees import fingerprint, mail, make, plant, put

SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)


class Tree(Maildir):
    """A side of a run: a tree of some layout."""

    def __init__(self, path, layout=None):
        super().__init__(path)
        self.layout = layout

    def options(self, side, folder):
        return super().options(side, folder) + ([f"--layout{side}", self.layout] if self.layout else [])


def check_read(root, wanted, layout=None, warnings=0):
    """Copies the tree at `root`; wanted: canonical path -> texts of its messages. Returns the snapshot."""
    before = fingerprint(root)
    with Scratch() as scratch:
        with Bench(Tree(root, layout), Tree(scratch + "/copy")) as bench:
            result = bench.run().expect()
            assert result.err.count("warning:") == warnings, result.told()
            again = bench.run().expect().expect_totals(copied=0)
            assert again.err.count("warning:") == warnings, again.told()
        seen = reader.read_maildir(scratch + "/copy")
    after = fingerprint(root)
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    assert not changed, f"changed at the source: {changed}"
    got = {folder: set() for folder in seen.folders}
    for entry in seen.entries:
        got[entry.folder].add(seen.titles[entry.sha256])
    assert got == {folder: set(texts) for folder, texts in wanted.items()}, got
    assert len(seen) == sum(len(texts) for texts in wanted.values())
    return seen


def flags_of(seen):
    return {seen.titles[entry.sha256]: "".join(sorted(flag[1] for flag in entry.flags)) for entry in seen.entries}


def of(directory, count=1):
    """What plant() put there."""
    return [f"{directory} {number}".strip() for number in range(count)]


@case
def dovecots_trees_are_read():
    with Scratch() as root:
        plant(root, {"": 1, ".Sent": 2, ".A.B": 1, ".Entw&APw-rfe": 1, ".empty": 0})
        for name in ("dovecot-uidlist", "dovecot.index.log", "dovecot-uidvalidity.659e0000", "maildirsize"):
            open(f"{root}/{name}", "w", encoding="ascii").close()
        os.makedirs(f"{root}/sieve/tmp")
        os.symlink("sieve/x", f"{root}/.dovecot.sieve")
        check_read(root, {"INBOX": of(""), "Sent": of(".Sent", 2), "A/B": of(".A.B"), "Entwürfe": of(".Entw&APw-rfe"),
                          "empty": []})
    with Scratch() as root:  # LAYOUT=fs
        plant(root, {"": 1, "Sent": 2, "A/B": 1, "with.dot": 1, "INBOX/Sub": 1, "empty": 0})
        with open(f"{root}/subscriptions", "w", encoding="ascii") as out:
            out.write("V\t2\n\nA\tB\nwith.dot\n")
        check_read(root, {"INBOX": of(""), "Sent": of("Sent", 2), "A/B": of("A/B"), "with%2Edot": of("with.dot"),
                          "INBOX/Sub": of("INBOX/Sub"), "empty": []})


@case
def a_folder_of_mail_called_snapshots_is_one():
    for layout, directories, wanted in (
        (None, {"": 1, "Work": 1, "snapshots": 2, "snapshots/Sub": 1},
         {"INBOX": of(""), "Work": of("Work"), "snapshots": of("snapshots", 2), "snapshots/Sub": of("snapshots/Sub")}),
        ("flat", {"INBOX": 1, "INBOX.Work": 1, "snapshots": 2},
         {"INBOX": of("INBOX"), "INBOX/Work": of("INBOX.Work"), "snapshots": of("snapshots", 2)}),
    ):
        with Scratch() as root:
            plant(root, directories)
            check_read(root, wanted, layout)
    with Scratch() as scratch:
        plant(scratch + "/tree", {"": 1})
        plant(scratch + "/copy", {"": 0, "snapshots": 1})
        with Bench(Tree(scratch + "/tree"), Tree(scratch + "/copy"), "--snapshot") as bench:
            result = bench.run().expect(102)
            assert "is a folder with mail" in result.err, result.told()
        assert sorted(os.listdir(scratch + "/copy/snapshots")) == ["cur", "new", "tmp"]


@case
def a_snapshot_is_read_as_the_tree_that_it_was():
    for layout in ("maildir++", "fs", "flat"):
        with Scratch() as scratch:
            plant(scratch + "/tree", {"": 1, ".Work": 1, ".Work.Sub": 1})
            with Bench(Tree(scratch + "/tree"), Tree(scratch + "/copy", layout), "--snapshot") as bench:
                bench.run().expect()
            (name,) = os.listdir(scratch + "/copy/snapshots")
            check_read(f"{scratch}/copy/snapshots/{name}",
                       {"INBOX": of(""), "Work": of(".Work"), "Work/Sub": of(".Work.Sub")})


@case
def couriers_trees_are_read_with_their_subscriptions():
    with Scratch() as root, Scratch() as scratch:
        plant(root, {"": 1, ".Sent": 1, ".Drafts.old": 1})
        with open(f"{root}/courierimapsubscribed", "w", encoding="ascii") as out:
            out.write("INBOX\nINBOX.Drafts.old\n")
        for name in ("courierimapuiddb", "courierpop3dsizelist", "courierimaphieracl"):
            open(f"{root}/{name}", "w", encoding="ascii").close()
        os.makedirs(f"{root}/courierimapkeywords")
        check_read(root, {"INBOX": of(""), "Sent": of(".Sent"), "Drafts/old": of(".Drafts.old")})
        with Bench(Tree(root), Tree(scratch + "/copy")) as bench:
            bench.run().expect()
        with open(f"{scratch}/copy/subscriptions", encoding="ascii") as file:
            assert set(file.read().splitlines()[2:]) == {"INBOX", "Drafts\told"}


@case
def the_tree_of_a_courier_that_ran_is_read_with_its_keywords():
    try:
        server = Courier().__enter__()
    except Unavailable as why:
        raise Skip(why) from why
    with server:
        with reader.ImapAccount(HOST, server.port, "u1", PASSWORD) as account:
            imap = account._imap
            for name in ("INBOX.Sent", "INBOX.A.B", "INBOX.Entw&APw-rfe"):
                imap.create(f'"{name}"')
                imap.append(f'"{name}"', r"(\Seen)", '" 1-Jan-2024 10:00:00 +0000"', mail(name).replace(b"\n", b"\r\n"))
            imap.subscribe('"INBOX.A.B"')
            for number in range(5):
                imap.append("INBOX", None, '" 1-Jan-2024 10:00:00 +0000"', mail(f"inbox {number}").replace(b"\n", b"\r\n"))
            imap.select("INBOX")
            for number, keywords in ((1, "Work $Label1"), (2, "Work"), (3, r"Play \Seen"), (4, "Work Play")):
                imap.store(str(number), "+FLAGS", f"({keywords})")
            imap.select('"INBOX.Sent"')  # who opens INBOX now finds a list of keywords
            imap.select("INBOX")
            imap.store("2", "-FLAGS", "(Work)")  # and this is beside it
            imap.store("4", "FLAGS", "(Late)")
        with Scratch() as scratch:
            with Bench(Imap(server, "u1"), Tree(scratch + "/told")) as bench:
                bench.run().expect()
            before = fingerprint(server.maildir("u1"))
            with Bench(Tree(server.maildir("u1")), Tree(scratch + "/read")) as bench:
                bench.run().expect()
                assert fingerprint(server.maildir("u1")) == before
                # A keyword alone is a change, too.
                with reader.ImapAccount(HOST, server.port, "u1", PASSWORD) as account:
                    account._imap.select("INBOX")
                    account._imap.store("5", "+FLAGS", "(Later)")
                result = bench.run().expect().expect_totals(copied=0)
                later = reader.read_maildir(scratch + "/read")
                assert any("later" in entry.keywords for entry in later.entries), result.told()
                with reader.ImapAccount(HOST, server.port, "u1", PASSWORD) as account:
                    account._imap.select("INBOX")
                    account._imap.store("5", "-FLAGS", "(Later)")
                bench.run().expect()
            told = reader.read_maildir(scratch + "/told")
            expect_same(told, reader.read_maildir(scratch + "/read"))
            assert {entry.keywords for entry in told.entries if entry.keywords} == \
                {frozenset({"work", "$label1"}), frozenset({"play"}), frozenset({"late"})}
            lines = []
            for copy in ("told", "read"):
                with open(f"{scratch}/{copy}/subscriptions", encoding="ascii") as file:
                    lines.append(set(file.read().splitlines()) | {"INBOX"})
            assert lines[0] == lines[1] and "A\tB" in lines[0], lines


@case
def a_cpanel_tree_is_read_without_the_accounts_below():
    with Scratch() as root:
        plant(root, {"": 1, ".Sent": 1, ".Junk": 0, "example.org/ann": 3, "example.org/ann/.Sent": 1})
        check_read(root, {"INBOX": of(""), "Sent": of(".Sent"), "Junk": []})
        check_read(root + "/example.org/ann", {"INBOX": of("example.org/ann", 3), "Sent": of("example.org/ann/.Sent")})


@case
def mail_beside_a_maildir_tree_is_told_of():
    with Scratch() as root:
        plant(root, {"": 1, ".Sent": 1, "Other": 1})
        check_read(root, {"INBOX": of(""), "Sent": of(".Sent")}, warnings=1)
        check_read(root, {"INBOX": of(""), "%2ESent": of(".Sent"), "Other": of("Other")}, layout="fs")


@case
def mbsyncs_trees_are_read():
    for sub in ("Archive/2020", "Archive/.2020"):  # Verbatim, Legacy
        with Scratch() as root:
            make(root, "Inbox")
            for number, info in ((1, ":2,S"), (2, ":2,"), (3, ":2,RS")):
                put(f"{root}/Inbox", f"170410320{number}.R{number}.host,U={number}{info}", mail(f"inbox {number}"))
            plant(root, {"Archive": 1, sub: 1, "Entw&APw-rfe": 1})
            for folder in ("Inbox", "Archive", sub):
                with open(f"{root}/{folder}/.uidvalidity", "w", encoding="ascii") as out:
                    out.write("1700000000\n3\n")
                open(f"{root}/{folder}/.mbsyncstate", "w", encoding="ascii").close()
            seen = check_read(root, {"INBOX": ["inbox 1", "inbox 2", "inbox 3"], "Archive": of("Archive"),
                                     "Archive/2020": of(sub), "Entwürfe": of("Entw&APw-rfe")})
            assert flags_of(seen)["inbox 3"] == "as", flags_of(seen)


@case
def offlineimaps_trees_are_read():
    def names(folder, text):
        put(folder, "1704103200_0.77.host,U=4,FMD5=7e33429f656f1e6e9d79b29c3f82c57e:2,FS", mail(text))

    with Scratch() as root:
        for folder in ("INBOX", "INBOX.Sent", "INBOX.A.B"):
            names(make(root, folder), folder)
        seen = check_read(root, {"INBOX": ["INBOX"], "INBOX/Sent": ["INBOX.Sent"], "INBOX/A/B": ["INBOX.A.B"]})
        assert set(flags_of(seen).values()) == {"fs"}
    for separator in "_:":
        with Scratch() as root:
            for folder in ("INBOX", f"INBOX{separator}Sent", f"INBOX{separator}a.b"):
                names(make(root, folder), folder)
            check_read(root, {"INBOX": ["INBOX"], "INBOX/Sent": [f"INBOX{separator}Sent"],
                              "INBOX/a%2Eb": [f"INBOX{separator}a.b"]})
    with Scratch() as root:  # sep = /
        for folder in ("INBOX", "INBOX/Sent", "Lists/dev"):
            names(make(root, folder), folder)
        check_read(root, {"INBOX": ["INBOX"], "INBOX/Sent": ["INBOX/Sent"], "Lists/dev": ["Lists/dev"]})
    with Scratch() as root:  # without INBOX in front, only its user knows
        for folder in ("INBOX", "Lists.dev"):
            names(make(root, folder), folder)
        check_read(root, {"INBOX": ["INBOX"], "Lists%2Edev": ["Lists.dev"]})
        check_read(root, {"INBOX": ["INBOX"], "Lists/dev": ["Lists.dev"]}, layout="flat")


@case
def names_of_messages_are_taken_as_they_are():
    """new/ too, no info, that of file systems without a colon, sizes right and wrong."""
    with Scratch() as root:
        make(root, "")
        names = {"1704103200.M1P1.host": "", "1704103201.M1P1.host:2,": "", "1704103202.M1P1.host:2,FRS": "afs",
                 "1704103203.M1P1.host;2,S": "s", "1704103204.M1P1.host!2,F": "f", "1704103205.M1P1.host:2,ST,x": "ds",
                 "1704103206.M1P1.host,S=1,W=1:2,S": "s", "1704103207.M1P1.host,S=999999,W=9999999999999:2,S": "s",
                 "1704103208.M1P1.host,W=0,S=x:2,S": "s", "plain": "", "1704103209.M1P1.host:1,S": "",
                 "1704103210.M1P1.h,S=18446744073709551616,W=-1:2,S": "s"}
        for name in names:
            put(root, name, mail(name))
        put(root, "1704103300.M9P1.host", mail("new one"), part="new")
        put(root, "1704103301.M9P1.host,S=5,W=6", mail("new two"), part="new")
        seen = check_read(root, {"INBOX": list(names) + ["new one", "new two"]})
        assert flags_of(seen) == dict(names, **{"new one": "", "new two": ""}), flags_of(seen)


@case
def a_layout_that_is_not_that_of_the_tree_is_an_error_that_says_so():
    with Scratch() as root, Scratch() as scratch:
        plant(root, {"": 1, ".A": 1})
        with Bench(Tree(root, "fs"), Tree(scratch + "/copy")) as bench:
            result = bench.run().expect(101)
            assert "has the layout maildir++, as the folders in it show, and not fs" in result.err, result.told()
        with Bench(Tree(root), Tree(scratch + "/copy", "fs")) as bench:
            bench.run().expect()
            bench.run("--layout2", "fs").expect().expect_totals(copied=0)
        with Bench(Tree(root), Tree(scratch + "/copy", "maildir++")) as bench:
            result = bench.run().expect(102)
            assert "has the layout fs, as its file .mailhaul says, and not maildir++" in result.err, result.told()
        with Bench(Tree(root), Tree(scratch + "/other", "nested")) as bench:
            assert "layout is auto, maildir++, fs, flat or single" in bench.run().expect(64).err
        assert not os.path.exists(scratch + "/other")


@case
def a_single_maildir_takes_inbox_alone():
    with Scratch() as root, Scratch() as scratch:
        plant(root, {"": 2, ".A": 1})
        with Bench(Tree(root), Tree(scratch + "/copy", "single")) as bench:
            result = bench.run().expect(116)
            assert "is a single Maildir and holds INBOX alone, not A" in result.out, result.told()
            result.expect_totals(copied=2, failed=1)
            bench.run("--folder", "INBOX").expect().expect_totals(copied=0, already_there=2)
        assert not os.path.exists(scratch + "/copy/.A") and not os.path.exists(scratch + "/copy/A")


def some_names(rng, count):
    """Paths that a Dovecot holds which keeps mail in folders of its own, and that differ by more than case."""
    pieces = ["a", "Zeta", "x.y", ".lead", "trail.", "trail ", " lead", "cur", "new", "tmp", "%2E", "%63ur", "%252F", "100%",
              "ä", "a\u0308", "日本", "\U0001f600", "&", "&AOQ-", "'\"\\", "$(x)`", "subscriptions", "dovecot-uidlist",
              "maildirfolder", "snapshots", "inbox", "-", "semi;2,S", "colon:2,S", "long" * 12]
    paths = set()
    while len(paths) < count:
        levels = [rng.choice(pieces) + (rng.choice(pieces) if rng.random() < 0.3 else "")
                  for _ in range(rng.randrange(1, 4))]
        path = "/".join(levels)
        if path.casefold() not in {other.casefold() for other in paths} and levels[0].lower() != "inbox":
            paths.add(path)
    return sorted(paths)


@case
def names_come_back_from_every_layout():
    rng = random.Random(SEED)
    try:
        paths = some_names(rng, 25 if SHORT else 60)
        with Dovecot(format="sdbox") as server, Scratch() as scratch:
            with reader.ImapAccount(HOST, server.port, "u1", PASSWORD) as account:
                held = []
                for path in paths:
                    name = reader._quoted(account.native(path))
                    if account._imap.create(name)[0] == "OK":
                        account._imap.append(name, None, None, mail(path).replace(b"\n", b"\r\n"))
                        held.append(path)
            assert len(held) > len(paths) * 2 / 3, (len(held), len(paths))
            for number, layout in enumerate(("maildir++", "fs", "flat")):
                copy = Tree(f"{scratch}/{number}", layout)
                with Bench(Imap(server, "u1"), copy) as bench:
                    bench.run().expect().expect_totals(failed=0)
                with Bench(Tree(copy.path), Imap(server, f"u2{number}")) as bench:
                    bench.run().expect().expect_totals(failed=0)
                server.wait_until_idle(f"u2{number}")
                expect_same(Imap(server, "u1").snapshot(), Imap(server, f"u2{number}").snapshot())
            # From one layout to the next, and back to the first.
            sides = [Tree(f"{scratch}/0")] + [Tree(f"{scratch}/via-{layout}", layout) for layout in ("flat", "fs", "maildir++")]
            for source, destination in zip(sides, sides[1:]):
                with Bench(source, destination) as bench:
                    bench.run().expect().expect_totals(failed=0)
            expect_same(sides[0].snapshot(), sides[-1].snapshot())
    except AssertionError as error:
        raise AssertionError(f"MAILHAUL_TEST_SEED={SEED}\n{error}") from error


@case
def names_that_no_server_has_come_back_too():
    """What lies on disk may be any octets: from layout to layout the same folders come out."""
    rng = random.Random(SEED + 1)
    pieces = [b"~", b"~ann", b"tab\there", b"new\nline", b"\x7f", b"Latin\xe4", "ä".encode(), b"a&b", b"&AGE-", b"%00", b"%2F",
              b"%25", b"*?", b" ", b"-", b"x.", b"cur2", b"\x1b[31m", b"Inbox", b"&AOQ-", b"dot.dot", b"\\", b"e" * 60]
    with Scratch() as scratch:
        root = os.fsencode(scratch) + b"/0"
        for part in (b"cur", b"new", b"tmp"):
            os.makedirs(root + b"/" + part)
        for number in range(15 if SHORT else 40):
            levels = [rng.choice(pieces) + rng.choice(pieces) for _ in range(rng.randrange(1, 3))]
            folder = root + b"/" + b"/".join(levels)
            for part in (b"cur", b"new", b"tmp"):
                os.makedirs(folder + b"/" + part, exist_ok=True)
            with open(folder + b"/cur/1704103200.M%dP1.host:2,S" % number, "wb") as out:
                out.write(mail(f"number {number}"))
        for number, layout in enumerate(("fs", "maildir++", "flat", "fs")):
            source = Tree(f"{scratch}/{number}", "fs" if number == 0 else None)
            with Bench(source, Tree(f"{scratch}/{number + 1}", layout)) as bench:
                bench.run().expect().expect_totals(failed=0)

        def held(tree):
            """Directory -> messages."""
            found = {}
            for folder, _, files in os.walk(tree):
                if folder.endswith("/cur"):
                    found[os.path.relpath(folder, tree)] = sorted(reader.maildir_octets(f"{folder}/{name}") for name in files)
            return found

        assert len(held(f"{scratch}/1")) > 10
        one, other = held(f"{scratch}/1"), held(f"{scratch}/4")
        assert one == other, f"MAILHAUL_TEST_SEED={SEED}: {sorted(one.keys() ^ other.keys())}"


def numbers(server):
    """Folder -> UIDVALIDITY and UIDs."""
    found = {}
    with reader.ImapAccount(HOST, server.port, "u1", PASSWORD) as account:
        for mailbox in account.mailboxes():
            account._imap.select(reader._quoted(mailbox), True)
            epoch = account._imap.response("UIDVALIDITY")[1]
            found[mailbox] = (epoch, account._imap.uid("search", None, "ALL")[1])
    return found


@case
def a_dovecot_serves_nested_folders_that_were_made_for_it():
    with Dovecot() as old, Dovecot(settings="mail_location = maildir:~/Maildir:LAYOUT=fs\n") as new:
        corpus.fill(old, "u1", corpus.made_up(60, largest=20_000))
        with reader.ImapAccount(HOST, old.port, "u1", PASSWORD) as account:
            for name in ("Work", "Work/2024", "Entw&APw-rfe", "INBOX/Sub", "only/holds/others", "a &- b"):
                account._imap.create(f'"{name}"')
                account._imap.append(f'"{name}"', r"(\Flagged)", '" 1-Jan-2024 10:00:00 +0000"',
                                     mail(name).replace(b"\n", b"\r\n"))
                account._imap.subscribe(f'"{name}"')
            account._imap.append("INBOX", None, None, mail("first").replace(b"\n", b"\r\n"))
        os.makedirs(new.home("u1"))
        with Bench(Imap(old, "u1"), Tree(new.maildir("u1"), "fs")) as bench:
            bench.run().expect()
            new.adopt("u1")
            before, after = Imap(old, "u1").snapshot(), Imap(new, "u1").snapshot()
            expect_same(before, after)
            assert before.subscribed <= after.subscribed, (before.subscribed, after.subscribed)
            assert numbers(old) == numbers(new)
            # And what that Dovecot makes is found again.
            with reader.ImapAccount(HOST, new.port, "u1", PASSWORD) as account:
                account._imap.create('"Work/new one"')
            bench.run().expect().expect_totals(copied=0)
        with Scratch() as scratch, Bench(Tree(new.maildir("u1")), Tree(scratch + "/copy")) as bench:
            bench.run().expect()
            assert "Work/new one" in reader.read_maildir(scratch + "/copy").folders


if __name__ == "__main__":
    run_cases()
