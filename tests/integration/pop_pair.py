"""
A small POP3 server, and a run from it into a small IMAP server or a Maildir, for cases that play what POP3 servers are
known to do (servers/minipop.py).

    with PopPair(lacks=("UIDL",)) as pair:
        pair.fill(6)
        pair.run(copied=6)
        pair.expect_same()
"""
import os

from harness import Bench, Imap, Maildir
from pair import FULL, held, mail
from servers.mini import MiniServer
from servers.minipop import MiniPop


class Pop(Imap):
    """The POP3 side of a run."""

    def options(self, side, folder):
        return [f"--backend{side}", "pop3"] + super().options(side, folder)

    def snapshot(self):
        raise NotImplementedError("a POP3 server of the tests is asked itself")


class PopPair:
    """Two servers and a run from u1 of the one to u1 of the other; use by `with`."""

    def __init__(self, destination_session=None, user="u1", **server):
        self.source = MiniPop(**server)
        self.destination = MiniServer(FULL, session_class=destination_session)
        self.box = self.source.box("u1")
        self.copy = self.destination.account("u1").find("INBOX")
        self._user = user

    def fill(self, n=6, first=0, uidl=None):
        """Adds messages; uidl: makes the UIDL of a number."""
        for number in range(first, first + n):
            self.box.add(mail(number), None if uidl is None else uidl(number))

    def __enter__(self):
        self._bench = Bench(Pop(self.source, self._user), Imap(self.destination, "u1"))
        self.lose_state, self.log = self._bench.lose_state, os.path.join(self._bench.folder, "log")
        return self

    def __exit__(self, *_):
        self._bench.__exit__()
        self.source.stop()
        self.destination.stop()

    def into_maildir(self):
        """Lets the following runs go into a Maildir. Returns its path."""
        path = os.path.join(self._bench.folder, "maildir")
        self.into(Maildir(path))
        return path

    def into(self, side):
        """Lets the following runs go into another side (harness.py)."""
        self._bench.destination = side

    def run(self, *options, code=0, **totals):
        return self.attempt(*options).expect(code).expect_totals(**totals)

    def attempt(self, *options, **more):
        """A run that need not end well."""
        result = self._bench.run(*options, **more)
        self.source.wait_until_idle(self._user)
        return result

    def held(self):
        """A count of the octets that are at the destination."""
        counted = held(self.destination)
        return type(counted)({octets: n for (_, octets), n in counted.items()})

    def order(self):
        """What is at the destination, in its order."""
        return [entry.message.octets for entry in self.copy.entries]

    def expect_same(self):
        wanted, got = self.box.octets(), self.held()
        assert wanted == got, f"missing: {list((wanted - got).elements())}\ntoo many: {list((got - wanted).elements())}"
