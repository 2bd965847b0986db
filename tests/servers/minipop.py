#!/usr/bin/env python3
"""
A small POP3 server in this process: mailboxes in memory, a thread for each connection, and hooks by which a test
makes it behave as some server in the field does.

    with MiniPop() as server:
        server.box("u1").add(b"Subject: hi...", uidl="a")
        server.on("RETR", answer("-ERR no such message"), times=1)
        ... server.port, server.heard("RETR"), server.fetched ...

A hook is called as hook(session, command, proceed), in place of the command; proceed() carries it out as if there were
no hook. Before and after, it may say(), wait, or cut() the connection. Users whose names begin with "u" or "recent:u"
have the password "pass". What CAPA says is `capabilities`; None makes CAPA an unknown command. `lacks` names commands
that are unknown. `batch`: how many messages a session shows; `hides`: what was read is not shown to later sessions
(Gmail).
"""
import collections
import itertools
import os
import socket
import sys
import threading

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.ports import HOST

PASSWORD = "pass"
CAPABILITIES = ("TOP", "UIDL", "USER", "RESP-CODES", "PIPELINING")

Heard = collections.namedtuple("Heard", "session name text")  # a command: whose, which, its line


class Command:
    """A line that the client sent: its name in upper case, and its arguments."""

    def __init__(self, line):
        words = line.split(" ")
        self.line, self.name, self.arguments = line, words[0].upper(), words[1:]


class Mail:
    """A message: what it is called, its octets, and whether somebody has read it (Gmail)."""

    def __init__(self, uidl, octets):
        self.uidl, self.octets, self.was_read = uidl, octets, False


class Box:
    """A mailbox, which sessions look at from their login on."""

    def __init__(self):
        self.lock = threading.Lock()
        self.mails = []
        self._numbers = itertools.count(1)

    def add(self, octets, uidl=None):
        mail = Mail(uidl if uidl is not None else f"{next(self._numbers):08x}", octets)
        with self.lock:
            self.mails.append(mail)
        return mail

    def drop(self, *mails):
        with self.lock:
            self.mails = [mail for mail in self.mails if mail not in mails]

    def octets(self):
        """A count of what lies here."""
        with self.lock:
            return collections.Counter(mail.octets for mail in self.mails)


def stuffed(octets):
    """A message as it follows "+OK" (RFC 1939 §3): only what follows CRLF begins a line."""
    octets = (b"." if octets.startswith(b".") else b"") + octets.replace(b"\r\n.", b"\r\n..")
    return octets + (b"" if octets.endswith(b"\r\n") or not octets else b"\r\n") + b".\r\n"


def answer(text):
    """A hook that answers, instead of doing anything."""
    return lambda session, command, proceed: session.say(text)


def cut(session, command, proceed):
    """A hook that cuts the connection."""
    session.cut()


def hang(session, command, proceed):
    """A hook that never answers: it waits until the client is gone."""
    session.wait_for_end()


def lose_answer(session, command, proceed):
    """A hook that does as it was told, and cuts the connection before it says so."""
    session.mute = True
    proceed()
    session.cut()


class Gone(Exception):
    """The client is gone."""


class Session:
    """One connection. Commands are methods, which say() all that is answered."""

    def __init__(self, server, connection, number):
        self.server, self.number = server, number
        self.user = self.box = None
        self.mute, self.is_over = False, False
        self.view, self.deleted = [], set()
        self.was_pipelined = False  # more than one command was under way
        self._name = None
        self._connection = connection
        self._in = _Peeking(connection)
        self._out = []

    def say(self, text):
        """Sends a line; text holds octets as Latin-1."""
        self.raw(text.encode("latin-1") + b"\r\n")

    def raw(self, octets):
        if not self.mute:
            self._out.append(octets)

    def flush(self):
        octets, self._out = b"".join(self._out), []
        self._connection.sendall(octets)

    def cut(self):
        """Ends the connection; what was said before goes out first."""
        try:
            self.flush()
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def wait_for_end(self):
        self.flush()
        while self._in.read(1):
            pass
        raise Gone

    def _line(self):
        if not self._pending():
            self.flush()
        line = self._in.readline(1 << 16)
        if not line.endswith(b"\n"):
            raise Gone
        return line.rstrip(b"\r\n").decode("latin-1")

    def _pending(self):
        """Whether the client has sent another command without waiting."""
        if self._in.peek_buffered():
            return True
        try:
            return bool(self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False

    def run(self):
        try:
            self.say(self.server.greeting)
            while not self.is_over:
                command = Command(self._line())
                self.server.note(self, command)
                self.was_pipelined |= self._pending()
                self._carry_out(command)
            self.flush()
        except (OSError, Gone):
            pass
        finally:
            self.cut()
            self._connection.close()
            self.server.ended(self)

    def _carry_out(self, command):
        hook = self.server.hook_for(command)
        if hook is not None:
            hook(self, command, lambda: self._proceed(command))
        else:
            self._proceed(command)

    def _proceed(self, command):
        method = getattr(self, "do_" + command.name.lower(), None)
        free = ("USER", "PASS", "CAPA", "UTF8", "QUIT")
        if method is None or command.name in self.server.lacks or (self.box is None and command.name not in free):
            self.say("-ERR unknown command")
            return
        try:
            method(*command.arguments)
        except (TypeError, ValueError, IndexError):
            self.say("-ERR cannot read that")

    # Logging in

    def do_capa(self):
        if self.server.capabilities is None:
            self.say("-ERR unknown command")
            return
        self.say("+OK here they are")
        for line in self.server.capabilities:
            self.say(line)
        self.say(".")

    def do_user(self, *words):
        self._name = " ".join(words)
        self.say("+OK who else")

    def do_pass(self, *words):
        if self._name is None or not self.server.admits(self._name, " ".join(words)):
            self.say("-ERR [AUTH] invalid credentials")
            return
        self.user = self._name
        self.box = self.server.box(self.user.removeprefix("recent:"))
        with self.box.lock:
            self.view = [mail for mail in self.box.mails if not (self.server.hides and mail.was_read)]
        if self.server.batch is not None:
            self.view = self.view[:self.server.batch]
        self.say(f"+OK {len(self.view)} messages")

    # Mail

    def at(self, number):
        """The message of this number; None if there is none."""
        index = int(number) - 1
        return self.view[index] if 0 <= index < len(self.view) and int(number) not in self.deleted else None

    def numbered(self):
        return [(number, mail) for number, mail in enumerate(self.view, 1) if number not in self.deleted]

    def size(self, mail):
        """What LIST says."""
        return len(mail.octets)

    def uidl(self, mail):
        """What UIDL says; None leaves the message out."""
        return mail.uidl

    def top(self, mail):
        """The header that TOP gives."""
        return mail.octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def body(self, mail):
        """What follows RETR's +OK, with the end."""
        return stuffed(mail.octets)

    def do_noop(self):
        self.say("+OK")

    def do_stat(self):
        mails = self.numbered()
        self.say(f"+OK {len(mails)} {sum(self.size(mail) for _, mail in mails)}")

    def do_list(self, number=None):
        self._listed(number, lambda mail: str(self.size(mail)))

    def do_uidl(self, number=None):
        self._listed(number, self.uidl)

    def _listed(self, number, tell):
        if number is not None:
            mail = self.at(number)
            self.say(f"+OK {number} {tell(mail)}" if mail is not None else "-ERR no such message")
            return
        self.say("+OK")
        for each, mail in self.numbered():
            told = tell(mail)
            if told is not None:
                self.say(f"{each} {told}")
        self.say(".")

    def do_retr(self, number):
        mail = self.at(number)
        if mail is None:
            self.say("-ERR no such message")
            return
        self.server.fetched[self.user, mail.octets] += 1
        mail.was_read = True
        self.say(f"+OK {self.size(mail)} octets")
        self.raw(self.body(mail))

    def do_top(self, number, lines):
        mail = self.at(number)
        if mail is None:
            self.say("-ERR no such message")
            return
        self.say("+OK")
        self.raw(stuffed(self.top(mail)))

    def do_dele(self, number):
        if self.at(number) is None:
            self.say("-ERR no such message")
            return
        self.deleted.add(int(number))
        self.say("+OK marked")

    def do_rset(self):
        self.deleted.clear()
        self.say("+OK")

    def do_quit(self):
        if self.box is not None:
            self.box.drop(*(self.view[number - 1] for number in self.deleted))
        self.say("+OK so long")
        self.is_over = True


class _Peeking:
    """A connection read by lines, of which it can be told whether some is buffered."""

    def __init__(self, connection):
        self._connection, self._buffer = connection, b""

    def peek_buffered(self):
        return bool(self._buffer)

    def readline(self, limit):
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            if not self._fill():
                break
        line, newline, self._buffer = self._buffer.partition(b"\n")
        return line + newline

    def read(self, size):
        if not self._buffer:
            self._fill()
        octets, self._buffer = self._buffer[:size], self._buffer[size:]
        return octets

    def _fill(self):
        octets = self._connection.recv(1 << 16)
        self._buffer += octets
        return bool(octets)


class MiniPop:
    """See the head of this file; use by `with`."""

    greeting = "+OK minipop ready"

    def __init__(self, capabilities=CAPABILITIES, session_class=None, lacks=(), batch=None, hides=False):
        self.capabilities, self.lacks, self.batch, self.hides = capabilities, lacks, batch, hides
        self.log = []                         # Heard, oldest first
        self.fetched = collections.Counter()  # (user, octets) of RETR
        self.sessions = []                    # all there were, oldest first
        self._session_class = session_class or Session
        self._boxes, self._hooks, self._open = {}, [], set()
        self._changed = threading.Condition()
        self._socket = socket.create_server((HOST, 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        with self._changed:
            sessions = list(self._open)
        for session in sessions:
            session.cut()

    def box(self, user):
        with self._changed:
            return self._boxes.setdefault(user, Box())

    def forget(self, user):
        """Empties a mailbox."""
        with self._changed:
            self._boxes.pop(user, None)

    def wait_until_idle(self, user, timeout=30):
        """Waits until no connection of this user is left."""
        with self._changed:
            if not self._changed.wait_for(lambda: all(s.user != user for s in self._open), timeout):
                raise AssertionError(f"{user} is still connected")

    def admits(self, user, password):
        return user.removeprefix("recent:").startswith("u") and password == PASSWORD

    def on(self, name, hook, times=None, where=None):
        """Hooks a command. times: how often; where: a word that its line holds."""
        with self._changed:
            self._hooks.append([name.upper(), hook, times, where])

    def unhook(self):
        with self._changed:
            self._hooks.clear()

    def hook_for(self, command):
        with self._changed:
            for hooked in self._hooks:
                name, hook, times, where = hooked
                if name == command.name and times != 0 and (where is None or where in command.line):
                    hooked[2] = None if times is None else times - 1
                    return hook
        return None

    def note(self, session, command):
        self.log.append(Heard(session.number, command.name, command.line))

    def heard(self, name=None):
        """The lines of the commands of this name, or all, oldest first."""
        return [each.text for each in list(self.log) if name in (None, each.name)]

    def n_sessions(self):
        return len(self.sessions)

    def _listen(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = self._session_class(self, connection, len(self.sessions) + 1)
            with self._changed:
                self.sessions.append(session)
                self._open.add(session)
            threading.Thread(target=session.run, daemon=True).start()

    def ended(self, session):
        with self._changed:
            self._open.discard(session)
            self._changed.notify_all()


def main():
    """Runs a server until its input ends, and says where it listens."""
    with MiniPop() as server:
        print(f"host={HOST} port={server.port} user=u1 password={PASSWORD}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
