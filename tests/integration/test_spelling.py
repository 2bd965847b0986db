#!/usr/bin/env python3
"""
Destinations that take names which differ by case alone for one: what is there is used, two folders never become
one in silence, and further runs find everything where it is.
"""
from harness import Bench, Imap, case, run_cases
from servers.mailstore import Account, Message
from servers.mini import MiniServer


class Folding(Account):
    """Keeps a folder's name as it was first made, and finds it by any spelling."""

    def find(self, name):
        return next((folder for key, folder in self.folders.items() if key.lower() == name.lower()), None)

    def make(self, name, attributes=()):
        levels = name.split(self.separator)
        for depth in range(1, len(levels)):
            above = self.find(self.separator.join(levels[:depth]))
            if above is not None:
                levels[:depth] = above.name.split(self.separator)
        there = self.find(name)
        return super().make(there.name if there is not None else self.separator.join(levels), attributes)


class FoldingServer(MiniServer):
    account_class = Folding


def mail(number):
    return Message(b"Message-ID: <%d@spelling>\r\nDate: Mon, 6 Jan 2003 10:00:00 +0000\r\nSubject: x\r\n\r\ntext\r\n" % number)


def fill(server, **folders):
    """fill(server, Sent=3): makes folders with so many messages; "__" separates levels."""
    for place, (name, count) in enumerate(folders.items()):
        folder = server.account("u1").make(name.replace("__", "/"))
        for number in range(count):
            folder.add(mail(place * 100 + number))


def held(server):
    return {folder.name: len(folder.entries) for folder in server.account("u1").folders.values()
            if folder.entries}


def failed(result):
    return {event["folder1"]: event["detail"] for event in result.events if event.get("error")}


@case
def a_folder_that_is_there_in_other_letters_is_used():
    """In runs with a state, and without; and so are those that lie in it."""
    with MiniServer() as old, FoldingServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, Sent=3, archive__2019=2, archive=1)
        new.account("u1").make("SENT")
        new.account("u1").make("Archive")
        plan = bench.run(word="plan").expect(0).expect_totals(copied=6)
        assert not new.heard("CREATE") and new.account("u1").find("archive/2019") is None, plan.told()
        made = {event["folder2"]: event["created"] for event in plan.events if event["event"] == "folder"}
        assert made == {"INBOX": 0, "SENT": 0, "Archive": 0, "Archive/2019": 1}, plan.told()
        first = bench.run().expect(0).expect_totals(copied=6)
        wanted = {"SENT": 3, "Archive": 1, "Archive/2019": 2}
        assert held(new) == wanted, f"{held(new)}\n{first.told()}"
        for _ in range(2):
            bench.run().expect(0).expect_totals(copied=0, already_there=6)
        bench.lose_state()
        bench.run().expect(0).expect_totals(copied=0, already_there=6)
        old.account("u1").find("Sent").add(mail(7000))
        bench.run().expect(0).expect_totals(copied=1, already_there=6)
        assert held(new) == dict(wanted, SENT=4)


@case
def what_lies_in_a_folder_in_other_letters_keeps_its_state():
    """Whether the folder above holds mail or not. A copy that was removed does not come back."""
    for above in ({"archive": 1}, {}):
        with MiniServer() as old, FoldingServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            fill(old, archive__2019=3, **above)
            new.account("u1").make("Archive")
            total = 3 + len(above)
            bench.run().expect(0).expect_totals(copied=total)
            copies = new.account("u1").find("Archive/2019")
            copies.drop(copies.entries[:1])
            for _ in range(2):
                bench.run().expect(0).expect_totals(copied=0, already_there=total - 1, filtered=1)
            assert bool(above) or new.heard("CREATE", "archive/2019")


@case
def two_folders_are_not_merged_because_of_their_letters():
    for there in ("", "WORK"):
        with MiniServer() as old, FoldingServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            fill(old, WORK=3, Work=2, other=1)
            if there:
                new.account("u1").make(there)
            plan = bench.run(word="plan")
            assert not new.heard("CREATE") and ("differs by case" in plan.err) == (not there), plan.told()
            for step in range(3):
                if step == 2:
                    bench.lose_state()
                result = bench.run().expect(116)
                result.expect_balance()
                result.expect_totals(source=6, failed=2, copied=4 if step == 0 else 0)
                assert list(failed(result)) == ["Work"] and "WORK" in failed(result)["Work"], result.told()
                assert held(new) == {"WORK": 3, "other": 1}, f"{held(new)}\n{result.told()}"


@case
def a_server_that_tells_letters_apart_gets_both():
    with MiniServer() as old, MiniServer() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, WORK=3, Work=2, work__a=1)
        new.account("u1").make("WoRK")
        plan = bench.run(word="plan").expect(0)
        assert not plan.err, plan.told()  # it has one that differs by case, and does not answer for it
        first = bench.run().expect(0).expect_totals(copied=6)
        for event in plan.events + first.events:
            if event["event"] == "end":
                assert event["created"] == 3 and event["copied"] == 6, f"{plan.told()}\n{first.told()}"
        assert held(new) == held(old)
        new.log.clear()
        bench.run().expect(0).expect_totals(copied=0)
        assert not new.heard("CREATE")


if __name__ == "__main__":
    run_cases()
