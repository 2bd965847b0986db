"""
Runs that are disturbed, and the judge: an account that moves, ways for it to go, and trials, in which a run is hit and
another one must end where an undisturbed one would have.

    with between_servers() as way:
        trial = Trial(way, "u-1")
        trial.suffer(killed_after_deed(17))
        trial.judge()

What hits it is left to blows.py. Whenever a run ends well, disturbed or not, all is there at that moment.
"""
import contextlib
import os
import random
import shutil
import subprocess

import corpus
import reader
from harness import HOST, NO_GRACE, Bench, Dovecot, Imap, Maildir, Scratch, expect_same, expect_untouched
from servers.poprelay import PopRelay
from servers.proxy import CutAfter, Meter, Proxy, without_appenduid

KILL_AT = os.environ.get("MAILHAUL_KILL_AT", "/nonexistent")
# A program that is traced cannot look for leaks.
NO_LEAKS = "ASAN_OPTIONS=" + os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
SEED = int(os.environ.get("MAILHAUL_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
FOLDERS = ("INBOX", "Archive/2019", "日本語/受信", "a b  c")
HEADER_OF_DRAFTS = (b"Message-ID: <draft@x>\r\nDate: Mon, 1 Jan 2001 00:00:00 +0000\r\nFrom: a@b\r\n"
                    b"Subject: draft\r\n\r\n")
NEVER = 10**9


def account(folders=FOLDERS, ended=False):
    """
    60 messages in 4 folders, or those: without id, without any header, thrice the same, twice the same id, date and
    size with other contents, one larger than what is kept in memory; all flags, keywords. ended: the last line of each
    ends, as it does by POP3.
    """
    mails = list(corpus.made_up(58, seed=7, folders=folders * (4 // len(folders)), largest=1_200_000))
    if ended:
        mails = [mail._replace(octets=mail.octets.removesuffix(b"\r\n") + b"\r\n") for mail in mails]
    return mails + [corpus.Mail("INBOX", HEADER_OF_DRAFTS + body, ["\\Seen"], ["work"], 1_000_000_000 + n, False)
                    for n, body in enumerate((b"one version\r\n", b"two version\r\n"))]


class PopInbox(Imap):
    """By POP3, what a Dovecot has in INBOX; it is looked at by IMAP."""

    def options(self, side, folder):
        port = self.server.pop_port if self.port == self.server.port else self.port  # or a relay's
        return [f"--backend{side}", "pop3"] + Imap(self.server, self.user, port=port).options(side, folder)


class Way:
    """
    From where to where an account goes. source, destination: functions of a user's name that make an end.
    nameless: the destination tells no UIDs of what it is given. moves: what is copied leaves the source (--delete1).
    """

    def __init__(self, source, destination, options=(), nameless=False, moves=False):
        self.source, self.destination, self.options = source, destination, tuple(options)
        self.nameless, self.moves = nameless, moves
        if moves:
            self.options += ("--delete1",)
        self.wanted = None  # what is at the destination in the end, by an undisturbed run
        # Of an undisturbed run: commands sent and changes written; commands; (side, "client" or "server") -> octets;
        # side -> answers; options -> APPENDs.
        self.deeds = self.commands = 0
        self.octets, self.answers, self.appends = {}, {}, {}

    def learn(self):
        """An undisturbed run, from which the destination that all others must come to is known."""
        with Trial(self, "u-undisturbed") as trial:
            before, expected = trial.source.snapshot(), _looked_at(trial.destination)
            trial.run().expect(0).expect_totals(copied=len(before))
            self.wanted = trial.destination.snapshot()
            expected.entries += before.entries
            expected.folders |= before.folders
            for folder, order in before.order.items():
                expected.order[folder] += order
            if not isinstance(trial.source, PopInbox):
                expected.sizes.update(before.sizes)
                expect_same(expected, self.wanted)
            assert expected.order == self.wanted.order, "not in the order of the source"
            trial.judge()
        return self

    def count(self):
        """How many deeds and commands an undisturbed run has."""
        with Trial(self, "u-counted") as trial:
            told = trial.bench.folder + "/deeds"
            if can_kill_at():
                trial.run(wrap=("env", NO_LEAKS, "sh", "-c", 'exec 3>"$0"; exec "$@"', told, KILL_AT, "0",
                                trial.watched())).expect(0)
                with open(told, encoding="ascii") as numbers:
                    words = numbers.read().split()
                self.deeds = int(words[1]) + int(words[3])
        with Trial(self, "u-counted") as trial:
            meter = Meter()
            with trial.relayed({"stop": meter}, {"stop": meter}):
                trial.run().expect(0)
            self.commands = meter.count
        for options in ((), ("--no-ext2", "MULTIAPPEND")):
            with Trial(self, "u-counted") as trial:
                edits = {side: CutAfter(NEVER) for side in (1, 2)}
                by_pop3 = isinstance(trial.source, PopInbox)
                with trial.relayed({} if by_pop3 else {"edit": edits[1]}, {"edit": edits[2]}) as relays:
                    trial.run(*options if relays[1] is not None else ()).expect(0)
                for side, relay in enumerate(relays, 1):
                    if relay is not None:
                        self.octets[side, "client"], self.octets[side, "server"] = relay.octets()
                        self.answers[side] = edits[side].count
                if relays[1] is not None:
                    self.appends[options] = len(relays[1].commands("APPEND"))
        return self


def _looked_at(end):
    """A snapshot of what may not be there yet."""
    return reader.Snapshot() if isinstance(end, Maildir) and not os.path.isdir(end.path + "/cur") else end.snapshot()


def can_kill_at():
    """Whether ptrace is allowed here, and kill-at built."""
    tried = subprocess.run([KILL_AT, "0", "/nonexistent", "true"], stderr=subprocess.DEVNULL, check=False)
    return tried.returncode == 0


def _without_own_dates(snapshot, wanted):
    """What had no date of its own and came by POP3 has that of its coming: such dates are all the same to us."""
    dates = {(entry.folder, entry.sha256): entry.date for entry in wanted.entries}
    same, came = reader.Snapshot(), max(dates.values(), default=0) - 86400
    same.__dict__.update(snapshot.__dict__)
    same.entries = type(snapshot.entries)()
    for entry, number in snapshot.entries.items():
        own = dates.get((entry.folder, entry.sha256), 0) < came or entry.date < came
        same.entries[entry if own else entry._replace(date=0)] += number
    return same


class Trial:
    """One account on its way to a fresh destination; use by `with`. `told` is what its runs said."""

    def __init__(self, way, name):
        self.way, self.name = way, name
        self.source, self.destination = way.source(name), way.destination(name)
        self.before = self.source.snapshot() if way.moves else None
        self.bench = Bench(self.source, self.destination, *way.options)
        self.told = []
        self._settled = True  # no server works on what an earlier run sent

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bench.__exit__()
        self.destination.forget()
        if self.way.moves:
            self.source.forget()

    def watched(self):
        return ":".join([self.bench.state] + [end.path for end in (self.destination,) if isinstance(end, Maildir)])

    @contextlib.contextmanager
    def relayed(self, side1=None, side2=None):
        """Runs go through relays in front of the servers, with these keywords; yields them, None where there is none."""
        nameless = self.way.nameless and not isinstance(self.destination, Maildir)
        if nameless:
            side2 = dict(side2 or {})
            side2["edit"] = InTurn([without_appenduid()] + [edit for edit in (side2.get("edit"),) if edit is not None])
        with contextlib.ExitStack() as stack:
            relays, ends = [], []
            for end, more in ((self.source, side1), (self.destination, side2)):
                relays.append(None)
                ends.append(end)
                if more is not None and not isinstance(end, Maildir):
                    by_pop3 = isinstance(end, PopInbox)
                    kind = PopRelay if by_pop3 and "stop" in more else Proxy
                    relays[-1] = stack.enter_context(kind(end.server.pop_port if by_pop3 else end.server.port, **more))
                    ends[-1] = type(end)(end.server, end.user, port=relays[-1].port)
            self.bench.source, self.bench.destination = ends
            try:
                yield relays
            finally:
                self.bench.source, self.bench.destination = self.source, self.destination

    def run(self, *options, grace=False, then=lambda: None, **more):
        """
        One run. If it ends well, everything is there by then. grace: whether it has its usual patience with a server
        that may still be storing, even if it is known that none does. then(): called before anything is looked at.
        """
        plain = self.bench.destination is self.destination and self.way.nameless
        with self.relayed(None, {}) if plain else contextlib.nullcontext():
            result = self.bench.run(*(() if grace or not self._settled else NO_GRACE), *options, **more)
        self.told.append(result)
        then()
        if result.code == 0 and self.way.wanted is not None:
            result.expect_balance()
            self.expect_there("a run that ended well")
        return result

    def suffer(self, blow, at_once=False):
        """A run that is hit. at_once: the next one begins while a server may still work on what it was sent."""
        result = blow(self)
        self._settled = not at_once
        if not at_once:
            self.bench.settle()
            self.expect_nothing_lost()
        return result

    def expect_nothing_lost(self):
        """Every message is on one side at least, and none more often at the destination than it should."""
        there = _looked_at(self.destination).bodies()
        wanted = self.way.wanted.bodies()
        double = there - wanted
        assert not double, self._shown(f"{sum(double.values())} are doubled")
        if self.way.moves:
            lost = wanted - (self.source.snapshot().bodies() | there)
            assert not lost, self._shown(f"{sum(lost.values())} are gone from both sides")

    def expect_there(self, what):
        """The destination is as it should be in the end."""
        wanted, got = self.way.wanted, self.destination.snapshot()
        if isinstance(self.source, PopInbox):
            wanted, got = (_without_own_dates(each, self.way.wanted) for each in (wanted, got))
        try:
            expect_same(wanted, got, f"after {what}: what should be there, and the destination")
            # A message at which connections ended twice was passed over, and comes behind the others.
            passed_over = any(event.get("event") == "not-copied" for run in self.told for event in run.events)
            assert passed_over or wanted.order == got.order, f"after {what}: another order than the source's"
        except AssertionError as error:
            raise AssertionError(self._shown(error)) from None

    def judge(self):
        """One undisturbed run, after which all is there, and another that has nothing to do."""
        done = self.run()
        assert done.code == 0, self._shown("the undisturbed run after it fails")
        again = self.run()
        assert again.code == 0 and again.totals()["copied"] == 0, self._shown("the second run copies again")
        if self.way.moves:
            left = len(self.source.snapshot())
            assert left == 0, self._shown(f"{left} are left at the source")

    def _shown(self, error):
        return f"{self.name}, seed {SEED}: {error}\n" + "\n".join(each.told() for each in self.told)


def _clone(server, user):
    """Gives a user the mail of u1."""
    shutil.copytree(server.home("u1"), server.home(user))
    server.adopt(user)
    return user


def _fill(server, mails):
    corpus.append(HOST, server.port, "u1", mails)
    with reader.ImapAccount(HOST, server.port, "u1", "pass") as at:
        at._imap.create(at.native("Empty"))


@contextlib.contextmanager
def _ready(way):
    """Learns what an undisturbed run does; in the end its source must be as it was, unless mail moves away from it."""
    before = None if way.moves else way.source("u1").snapshot()
    yield way.learn().count()
    if not way.moves:
        expect_untouched(before, way.source("u1").snapshot())


@contextlib.contextmanager
def between_servers(capability=None, moves=False):
    """From a Dovecot to another; capability: what both can, and the destination then tells no UIDs."""
    with Dovecot(separator=".", prefix="INBOX.", capability=capability) as old, Dovecot(capability=capability) as new:
        _fill(old, account())
        with _ready(Way(lambda name: Imap(old, _clone(old, name) if moves else "u1"), lambda name: Imap(new, name),
                        nameless=capability is not None, moves=moves)) as way:
            yield way


@contextlib.contextmanager
def into_a_tree():
    with Dovecot(separator=".", prefix="INBOX.") as old, Scratch() as folder:
        _fill(old, account())
        with _ready(Way(lambda name: Imap(old, "u1"), lambda name: Maildir(f"{folder}/{name}"))) as way:
            yield way


@contextlib.contextmanager
def by_pop3(moves=False):
    # Else a Dovecot marks as seen what is read by POP3.
    with Dovecot(pop3=True, settings="protocol pop3 {\n  pop3_no_flag_updates = yes\n}\n") as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", account(("INBOX",), ended=True))
        with _ready(Way(lambda name: PopInbox(old, _clone(old, name) if moves else "u1"), lambda name: Imap(new, name),
                        moves=moves)) as way:
            yield way


@contextlib.contextmanager
def beside_an_older_version(into_tree=False, capability=None):
    """One message, into a folder with another of the same headers, as programs that save drafts make them."""
    def draft(body, date):
        return [account()[-1]._replace(octets=HEADER_OF_DRAFTS + body, date=date)]
    with Dovecot(capability=capability) as old, Dovecot(capability=capability) as new, Scratch() as folder:
        _fill(old, draft(b"the first version\r\n", 1_000_000_100))

        def fresh(name):
            older = draft(b"another, much longer\r\n" * 400, 1_000_000_000)
            if into_tree:
                corpus.write_maildir(f"{folder}/{name}", older)
                return Maildir(f"{folder}/{name}")
            corpus.append(HOST, new.port, name, older)
            return Imap(new, name)
        with _ready(Way(lambda name: Imap(old, "u1"), fresh, nameless=capability is not None)) as way:
            yield way


class InTurn:
    """An edit for Proxy made of several, each of which sees what the one before leaves."""

    def __init__(self, edits):
        self._edits = edits

    def __call__(self, answer):
        for edit in self._edits:
            answer = edit(answer) if answer else answer
        return answer
