#!/usr/bin/env python3
"""
A small IMAP server in this process: accounts in memory, a thread for each connection, and hooks by which a
test makes it behave as some server in the field does.

    with MiniServer() as server:
        server.account("u1").make("Archive").add(Message(b"..."))
        server.on("APPEND", answer("NO [CANNOT] no"), times=1)
        ... server.port, server.heard("UID FETCH"), server.fetched ...

A hook is called as hook(session, command, proceed), in place of the command; proceed() carries the command out
as if there were no hook. Before and after, it may say(), wait, or cut() the connection. Users whose names begin
with "u" have the password "pass". What is offered is what `capabilities` says; most of what is not offered works
all the same, as in the field. Accounts are mailstore.py's, commands mini_session.py's, their syntax
mini_wire.py's.
"""
import collections
import itertools
import os
import socket
import sys
import threading

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.mailstore import Account
from servers.mini_session import Session
from servers.ports import HOST

PASSWORD = "pass"
CAPABILITIES = ("IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ ID NAMESPACE CHILDREN SPECIAL-USE LIST-EXTENDED LIST-STATUS "
                "UIDPLUS MULTIAPPEND UNSELECT MOVE ESEARCH ENABLE CONDSTORE")

Heard = collections.namedtuple("Heard", "session name text")  # a command: whose, which, the line it began with


def answer(text):
    """A hook that answers, instead of doing anything."""
    return lambda session, command, proceed: session.say(f"{command.tag} {text}")


def lose_answer(session, command, proceed):
    """A hook that does as it was told, and cuts the connection before it says so."""
    session.mute = True
    proceed()
    session.cut()


def cut(session, command, proceed):
    """A hook that cuts the connection."""
    session.cut()


def hold(event):
    """A hook that waits for a threading.Event of the test before it does as it was told."""
    def held(session, command, proceed):
        event.wait()
        proceed()
    return held


class MiniServer:
    """See the head of this file; use by `with`."""

    greeting = "OK mini ready"
    account_class = Account
    separator, prefix = "/", ""  # what users see

    def __init__(self, capabilities=CAPABILITIES, session_class=None):
        self.capabilities = capabilities
        self.log = []                         # Heard, oldest first
        self.fetched = collections.Counter()  # (user, octets) of bodies that were given whole
        self.permanent_flags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*"
        self._session_class = session_class or Session
        self._accounts, self._hooks, self._sessions = {}, [], set()
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
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
        self.cut_all()

    def cut_all(self):
        """Cuts every connection."""
        with self._changed:
            sessions = list(self._sessions)
        for session in sessions:
            session.cut()

    def account(self, user):
        with self._changed:
            if user not in self._accounts:
                self._accounts[user] = self.account_class()
            return self._accounts[user]

    def forget(self, user):
        """Empties an account."""
        with self._changed:
            self._accounts.pop(user, None)

    def wait_until_idle(self, user, timeout=30):
        """Waits until no connection of this user is left."""
        with self._changed:
            if not self._changed.wait_for(lambda: all(s.user != user for s in self._sessions), timeout):
                raise AssertionError(f"{user} is still connected")

    def admits(self, user, password):
        return user.startswith("u") and password == PASSWORD

    def on(self, name, hook, times=None, where=None):
        """Hooks a command such as "APPEND" or "UID FETCH". times: how often; where: a word that its line holds."""
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

    def refuse_literal(self, session, line, size):
        """Why a literal that is announced is refused, as what follows the tag; None if it may come."""
        return None

    def note(self, session, command):
        self.log.append(Heard(session.number, command.name, command.line))

    def heard(self, name, where=""):
        """The lines of the commands of this name, oldest first."""
        return [each.text for each in list(self.log) if each.name == name and where in each.text]

    def _listen(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = self._session_class(self, connection, next(self._numbers))
            with self._changed:
                self._sessions.add(session)
            threading.Thread(target=session.run, daemon=True).start()

    def ended(self, session):
        with self._changed:
            self._sessions.discard(session)
            self._changed.notify_all()


def main():
    """Runs a server until its input ends, and says where it listens."""
    with MiniServer() as server:
        print(f"host={HOST} port={server.port} user=u1 password={PASSWORD}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
