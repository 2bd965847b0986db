"""
A relay in front of a POP3 server in clear text, which records what clients ask, and cuts.

    with PopRelay(server.pop_port) as relay:
        ... a client talks to relay.port ...
        relay.count("RETR")       # how many of these were asked, over all connections
        relay.commands()          # ["CAPA", "USER u1", "PASS ***", "UIDL", ...] in order

It changes nothing. What a server answers it does not look at.
"""
import re
import socket
import threading

HOST = "127.0.0.1"
# A line that is none of these answers a challenge.
_COMMAND = re.compile(rb"(?i)(CAPA|STLS|AUTH|USER|PASS|APOP|UTF8|LANG|STAT|LIST|UIDL|TOP|RETR|DELE|NOOP|RSET|LAST|QUIT)\b.*")


class PopRelay:
    """Relays to the port `target` on loopback; attributes port, connections (how many came), cuts."""

    def __init__(self, target, cut=None, noticed=None, stop=None):
        """
        cut: (verb, n): when the n-th command of this verb comes, it is not passed on, and the connection is closed; once.
        noticed: (verb, n, function): called when the n-th has come and not been passed on yet; once.
        stop: a Meter (proxy.py) of commands: its n-th is not passed on, it acts, and the connection is closed.
        """
        self._target, self._cut, self._noticed, self._stop = target, cut, noticed, stop
        self._lock = threading.Lock()
        self._commands, self._sockets = [], []
        self.connections = self.cuts = 0
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in [self._listener] + self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()

    def commands(self):
        with self._lock:
            return list(self._commands)

    def count(self, *verbs):
        return sum(each.split(" ")[0] in verbs for each in self.commands())

    def clear(self):
        """Forgets the commands seen so far."""
        with self._lock:
            self._commands.clear()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((HOST, self._target))
            except OSError:
                client.close()
                continue
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._sockets += [client, server]
            pumps = [threading.Thread(target=pump, args=(client, server), daemon=True)
                     for pump in (self._ask, self._answer)]
            for pump in pumps:
                pump.start()
            threading.Thread(target=self._close_after, args=(client, server, pumps), daemon=True).start()

    def _ask(self, client, server):
        """Passes on what the client says, a line at a time."""
        try:
            for line in client.makefile("rb"):
                if self._note(line.rstrip(b"\r\n")):
                    for sock in (client, server):
                        sock.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(line)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def _answer(client, server):
        try:
            while data := server.recv(1 << 16):
                # At once: a server that writes an answer in pieces waits for it.
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                client.sendall(data)
        except OSError:
            pass
        for sock in (client, server):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _close_after(client, server, pumps):
        for pump in pumps:
            pump.join()
        client.close()
        server.close()

    def _note(self, line):
        """Keeps a command; returns whether to cut here."""
        if not _COMMAND.fullmatch(line):
            return False
        verb, _, rest = line.decode("latin-1").partition(" ")
        verb = verb.upper()
        if verb == "PASS" or (verb in ("AUTH", "APOP") and " " in rest):
            rest = rest.split(" ")[0] + " ***" if verb != "PASS" else "***"
        with self._lock:
            self._commands.append(f"{verb} {rest}".rstrip())
            now = (verb, sum(each.split(" ")[0] == verb for each in self._commands))
            function = None
            if self._noticed is not None and self._noticed[:2] == now:
                function, self._noticed = self._noticed[2], None
            cut = self._cut == now and not self.cuts
            self.cuts += cut
        if self._stop is not None and self._stop.tick():
            self._stop.act()
            return True
        if function is not None:
            function()
        return cut
