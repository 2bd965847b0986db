"""
Two small servers and a run between them, for cases that play what servers are known to do (servers/mini.py).

    with Pair(source_session=Odd) as pair:
        pair.fill(6)
        pair.run(copied=6)
        pair.expect_same()
"""
import collections

from harness import Bench, Imap
from servers.mini import MiniServer
from servers.mailstore import Message

FULL = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ESEARCH ENABLE CONDSTORE"
BRIDGE = "IMAP4rev1 LITERAL+ UIDPLUS"  # no CONDSTORE: a server that numbers changes keeps its numbers


def mail(number, text="", extra=b""):
    """A message that is like no other."""
    return (b"Received: from a.example by b.example; Mon, 6 Jan 2003 10:00:%02d +0000\r\n"
            b"Message-ID: <%d@rows.example>\r\nDate: Mon, 6 Jan 2003 10:00:00 +0000\r\n%sSubject: number %d\r\n\r\n"
            b"text %d %s\r\n" % (number % 60, number, extra, number, number, text.encode()))


def held(server, user="u1"):
    """What an account holds: a count of (folder, octets)."""
    return collections.Counter((folder.name, entry.message.octets)
                               for folder in server.account(user).folders.values() for entry in folder.entries)


class Pair:
    """Two servers and a run from u1 of the one to u1 of the other; use by `with`."""

    def __init__(self, source=None, destination=None, source_session=None, destination_session=None):
        self.source = MiniServer(source or FULL, session_class=source_session)
        self.destination = MiniServer(destination or FULL, session_class=destination_session)
        self.inbox = self.source.account("u1").find("INBOX")
        self.copy = self.destination.account("u1").find("INBOX")

    def fill(self, n=6, folder=None, first=0):
        for number in range(first, first + n):
            (folder or self.inbox).add(Message(mail(number), {"\\Seen"} if number % 2 else ()))

    def __enter__(self):
        self._bench = Bench(Imap(self.source, "u1"), Imap(self.destination, "u1"))
        self.lose_state, self.log = self._bench.lose_state, self._bench.folder + "/log"
        return self

    def __exit__(self, *_):
        self._bench.__exit__()
        self.source.stop()
        self.destination.stop()

    def run(self, *options, code=0, **totals):
        return self._bench.run(*options).expect(code).expect_totals(**totals)

    def verify(self, *options, code=0):
        """Compares both sides, and checks that this wrote to neither."""
        before = len(self.destination.log), len(self.source.log)
        result = self._bench.run(*options, word="verify").expect(code)
        said = self.destination.log[before[0]:] + self.source.log[before[1]:]
        writing = {"CREATE", "APPEND", "STORE", "SUBSCRIBE", "EXPUNGE", "COPY", "MOVE", "DELETE", "RENAME", "SELECT"}
        assert not [each.text for each in said if writing & set(each.text.upper().split()[:2])]
        return result

    def attempt(self, *options):
        """A run that need not end well."""
        return self._bench.run(*options)

    def expect_same(self):
        wanted, got = held(self.source), held(self.destination)
        assert wanted == got, f"missing: {list((wanted - got).elements())}\ntoo many: {list((got - wanted).elements())}"
