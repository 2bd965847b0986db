#!/usr/bin/env python3
"""
What a run has under way: commands that do not need an answer do not wait for it.

Nothing here is timed. A relay keeps an answer back until the commands have come that should be on
their way by then; a client that wants the answer first gets it after LONGEST seconds, and the case
fails. Elsewhere it counts flights: how often a client had nothing under way, and then sent something.
"""
import re
import threading
import time

from harness import HOST, SLOWNESS, Bench, Dovecot, Imap, case, expect_same, run_cases
from servers.dovecot import BARE_CAPABILITY
import corpus
from servers.proxy import Proxy

FOLDERS = ("Alders", "Birches", "Cedars", "Doum palms", "Elms", "Firs")
LONGEST = 10 * SLOWNESS
# What a server can that cannot tell what changed: folders are listed.
NO_CONDSTORE = BARE_CAPABILITY + " UIDPLUS MULTIAPPEND LITERAL+ LIST-STATUS"
LISTING, BODIES, CHANGES = r"UID FETCH [^B]*$", r"UID FETCH .*BODY\.PEEK\[\]", r"UID FETCH .*CHANGEDSINCE"


def fill(server, folders, first, last):
    """Puts messages number `first` to `last` into each folder of u1."""
    corpus.append(HOST, server.port, "u1", [
        corpus.Mail(folder, b"Message-ID: <%d@%s.example>\r\nSubject: %d\r\n\r\nx\r\n" % (
            number, folder.split(" ")[0].encode(), number), ["\\seen"], [], 10**9 + number, False)
        for folder in folders for number in range(first, last + 1)])


class Relay(Proxy):
    """A Proxy that keeps answers back, and counts flights."""

    news = threading.Condition()  # a command has come, to any relay

    def __init__(self, target, keep=None):
        self.flights = []
        self._keep = keep
        super().__init__(target, edit=self._keep_back if keep is not None else None)

    def asked(self, pattern):
        """The commands that begin like that."""
        return [each for each in self.commands() if re.match(pattern, each.text)]

    def _note(self, command):
        if all(each.answer is not None for each in self.commands() if each.connection == command.connection):
            self.flights.append(command.text)
        super()._note(command)
        with self.news:
            self.news.notify_all()

    def _keep_back(self, answer):
        tag = answer.split(b" ", 1)[0].decode("ascii", "replace")
        if any(each.tag == tag for each in self.asked(self._keep.pattern)):
            self._keep.wait(self.news)
        return answer


class Kept:
    """Answers to commands like `pattern`: the n-th is kept back until come(n)."""

    def __init__(self, pattern, come):
        self.pattern, self._come = pattern, come
        self.n, self.late = 0, []

    def wait(self, news):
        self.n += 1
        deadline = time.monotonic() + LONGEST
        with news:
            while not self._come(self.n):
                if not news.wait(deadline - time.monotonic()):
                    self.late.append(f"answer {self.n} to {self.pattern} had to be given first")
                    return


def run_kept(bench, copied, keep1=None, keep2=None):
    """
    A run in one lane through relays. keep1, keep2: (pattern, come) for the source, the destination; come(n, one, two)
    says whether what must not wait for the n-th answer has come.
    """
    ends = bench.source, bench.destination
    relays = []
    kept = [keep and Kept(keep[0], lambda n, come=keep[1]: come(n, *relays)) for keep in (keep1, keep2)]
    with Relay(ends[0].server.port, kept[0]) as one, Relay(ends[1].server.port, kept[1]) as two:
        relays += [one, two]
        bench.source, bench.destination = (Imap(end.server, end.user, port=relay.port) for end, relay in zip(ends, relays))
        result = bench.run("--lanes", "1")
        bench.source, bench.destination = ends
    for keep in filter(None, kept):
        assert not keep.late, "; ".join(keep.late) + "\n" + result.told()
        assert keep.n > 0, f"no answer to {keep.pattern} was kept back\n" + result.told()
    result.expect(0).expect_totals(copied=copied)
    expect_same(bench.source.snapshot(), bench.destination.snapshot())


def next_asked(pattern, side):
    """Whether, when the n-th answer is due, the next such command has come: there is one for each of FOLDERS."""
    return lambda n, *relays: len(relays[side - 1].asked(pattern)) >= min(n + 1, len(FOLDERS))


@case
def bodies_of_the_next_folder_are_asked_for_before_the_last_is_there():
    with Dovecot() as old, Dovecot() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS, 1, 3)
        run_kept(bench, 18, keep1=(BODIES, next_asked(BODIES, 1)))


@case
def the_next_folder_is_listed_before_the_last_listing_is_there():
    with Dovecot(capability=NO_CONDSTORE) as old, Dovecot(capability=NO_CONDSTORE) as new, \
            Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS, 1, 3)
        bench.run().expect(0)
        fill(old, FOLDERS, 4, 5)
        run_kept(bench, 12, keep1=(LISTING, next_asked(LISTING, 1)), keep2=(LISTING, next_asked(LISTING, 2)))


@case
def what_changed_in_the_next_folder_is_asked_for_before_the_last_answer_is_there():
    with Dovecot() as old, Dovecot() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS, 1, 3)
        bench.run().expect(0)
        fill(old, FOLDERS, 4, 5)
        run_kept(bench, 12, keep1=(CHANGES, next_asked(CHANGES, 1)))


@case
def messages_of_all_folders_are_sent_before_any_is_answered():
    with Dovecot() as old, Dovecot() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS, 1, 3)
        run_kept(bench, 18, keep2=("APPEND", lambda n, one, two: len(two.asked("APPEND")) == len(FOLDERS)))


@case
def the_last_listing_is_asked_for_before_any_message_is_answered():
    with Dovecot() as old, Dovecot() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS, 1, 3)
        run_kept(bench, 18, keep2=("APPEND", lambda n, one, two: len(two.asked("LIST")) == 2))
        with Relay(new.port) as relay:  # and it was believed: nothing is looked at again
            bench.destination = Imap(new, "u1", port=relay.port)
            bench.run().expect(0).expect_totals(copied=0)
            assert not relay.asked("EXAMINE|SELECT|UID"), relay.commands()


@case
def folders_are_made_all_at_once_and_while_the_source_is_read():
    with Dovecot() as old, Dovecot() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS, 1, 3)
        run_kept(bench, 18, keep2=("CREATE", lambda n, one, two: len(two.asked("CREATE")) == len(FOLDERS)
                                   and len(one.asked(BODIES)) > 0))


@case
def what_was_stored_behind_a_listing_is_looked_at_by_the_next_run():
    """The listing that is asked for behind the deliveries tells too few messages: it is not believed, but made again;
    and where that one does, too, the next run looks."""
    with Dovecot() as old, Dovecot() as new, Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
        fill(old, FOLDERS[:1], 1, 3)
        with Proxy(new.port, edit=lambda answer: re.sub(rb"(STATUS Alders .*MESSAGES) 3", rb"\1 2", answer)) as relay:
            bench.destination = Imap(new, "u1", port=relay.port)
            bench.run().expect(0).expect_totals(copied=3)
            assert len(relay.commands("LIST")) == 3, relay.commands("LIST")
            relay.clear()
            bench.run().expect(0).expect_totals(copied=0)
            assert relay.commands("EXAMINE"), relay.commands()


def flights_of_a_rerun(n_folders, capability=None):
    """What both sides are asked by a run that finds nothing changed, a flight at a time."""
    with Dovecot(capability=capability) as old, Dovecot(capability=capability) as new:
        fill(old, [f"Folder {n}" for n in range(n_folders)], 1, 1)
        with Bench(Imap(old, "u1"), Imap(new, "u1")) as bench:
            bench.run().expect(0).expect_totals(copied=n_folders)
            with Relay(old.port) as one, Relay(new.port) as two:
                bench.source, bench.destination = Imap(old, "u1", port=one.port), Imap(new, "u1", port=two.port)
                bench.run().expect(0).expect_totals(copied=0, already_there=n_folders)
                # A good-bye waits for nothing.
                return [[each for each in relay.flights if each != "LOGOUT"] for relay in (one, two)]


@case
def an_unchanged_rerun_takes_two_flights_after_the_greeting_however_many_folders():
    for n_folders in (5, 50):
        for flights in flights_of_a_rerun(n_folders):
            assert len(flights) == 2, f"{n_folders} folders: {flights}"


@case
def it_takes_a_third_where_the_state_of_folders_must_be_asked_for_one_by_one():
    for n_folders in (5, 50):
        for flights in flights_of_a_rerun(n_folders, BARE_CAPABILITY + " CONDSTORE"):
            assert len(flights) == 3, f"{n_folders} folders: {flights}"


if __name__ == "__main__":
    run_cases()
