#!/usr/bin/env python3
"""
Where folders go: by special use and by name, by what the user says, and back, between servers that write names
in different ways.
"""
import os
import tempfile

from harness import Bench, Imap, Maildir, case, run_cases
from servers.mailstore import Message
from servers.mini import MiniServer


def mail(number):
    return Message(b"Message-ID: <%d@mapping>\r\nDate: Mon, 6 Jan 2003 10:00:00 +0000\r\nSubject: x\r\n\r\ntext\r\n" % number)


def fill(server, names, attributes=()):
    for place, name in enumerate(names):
        folder = server.account("u1").make(name, dict(attributes).get(name, ()))
        folder.add(mail(place))


def held(server):
    return {folder.name: len(folder.entries) for folder in server.account("u1").folders.values() if folder.entries}



@case
def what_folders_are_for_is_found_by_their_names():
    """And what lies below follows, without a second "Sent"; further runs find all where it is."""
    with MiniServer() as old, MiniServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, ["Gesendet", "Gesendet/2019", "Papierkorb", "Other"])
        for name in ("Sent Items", "Trash"):
            new.account("u1").make(name)
        bench.run().expect(0).expect_totals(copied=4)
        wanted = {"Sent Items": 1, "Sent Items/2019": 1, "Trash": 1, "Other": 1}
        assert held(new) == wanted, held(new)
        bench.run().expect(0).expect_totals(copied=0)
        bench.lose_state()
        bench.run().expect(0).expect_totals(copied=0)
        assert held(new) == wanted, held(new)


@case
def two_folders_are_put_together_only_on_request():
    with MiniServer() as old, MiniServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, ["A", "B"])
        words = ["--f1f2=A=All", "--f1f2=B=All"]
        bench.run(*words).expect(64)
        assert not held(new) and "All" not in new.account("u1").folders
        bench.run(*words, "--allow-merge").expect(0).expect_totals(copied=2)
        assert held(new) == {"All": 2}, held(new)
        bench.lose_state()
        bench.run(*words, "--allow-merge").expect(0).expect_totals(copied=0)


@case
def an_account_goes_below_a_folder_of_a_tree_and_comes_back():
    """Names that one side cannot hold come back as they were."""
    names = ["INBOX", "a.b", "a.b/c d", "%2E", "Sent", "x~y/[z]", "deep/" + "/".join("d" * 1 for _ in range(20))]
    with MiniServer() as old, MiniServer() as new, tempfile.TemporaryDirectory() as folder:
        tree = Maildir(os.path.join(folder, "tree"))
        fill(old, names)
        with Bench(Imap(old, "u1"), tree, "--subfolder2=Backup/ann") as bench:
            bench.run().expect(0).expect_totals(copied=len(names))
        with Bench(tree, Imap(new, "u1"), "--subfolder1=Backup/ann") as bench:
            bench.run().expect(0).expect_totals(copied=len(names))
        assert held(new) == {name: 1 for name in names}, held(new)


@case
def names_are_changed_as_users_have_it_in_their_scripts():
    with MiniServer() as old, MiniServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, ["INBOX", "Old stuff", "Old stuff/x", "Sent"])
        bench.run("--regextrans2=s/^Old stuff/Archive/", "--regextrans2", "s,(.*),In/$1,").expect(0)
        assert held(new) == {"In/INBOX": 1, "In/Archive": 1, "In/Archive/x": 1, "In/Sent": 1}, held(new)
        bench.run("--regextrans2=s/(/x/").expect(64)


@case
def names_in_the_destinations_own_words_are_understood():
    """Where it shows none yet, they are said by the options of old."""
    with MiniServer() as old, MiniServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, ["INBOX", "A", "A/b"])
        words = ["--prefix1=", "--sep1=/", "--prefix2=", "--sep2=/"]
        bench.run(*words, "--f1f2=A=X/Y", "--automap").expect(0)
        assert held(new) == {"INBOX": 1, "X/Y": 1, "X/Y/b": 1}, held(new)


if __name__ == "__main__":
    run_cases()
