"""
A relay in front of an IMAP server in clear text, which counts, records and cuts.

    with Proxy(server.port) as proxy:
        ... a client talks to proxy.port ...
        proxy.commands()          # every command of every connection, in order
        proxy.commands("APPEND")  # only these

It knows of IMAP as much as it takes to tell commands, literals and answers apart, and changes nothing
unless given an edit, which makes the server one that says less, or other things, than it does. Each
connection has two threads. A cut closes both sides; connections made later are relayed whole.
"""
import re
import socket
import threading
import time

HOST = "127.0.0.1"
_LITERAL = re.compile(rb"\{(\d+)[+]?\}\r?\n\Z|~\{(\d+)[+]?\}\r?\n\Z")
_KEPT_OF_A_LINE = 4096


class Command:
    """What a client asked. `text`: the line with literals left out as {n}; `answer`: the tagged one, or None."""

    def __init__(self, connection, tag, text):
        self.connection, self.tag, self.text = connection, tag, text
        self.literals = 0  # how many followed
        self.octets = 0    # and their size
        self.at = time.monotonic()
        self.answer = None

    @property
    def verb(self):
        words = self.text.upper().split()
        return " ".join(words[:2]) if words and words[0] == "UID" else (words[0] if words else "")

    def __repr__(self):
        return f"{self.connection}:{self.tag} {self.text} -> {self.answer}"


class _Lines:
    """
    Splits a stream into lines and literals: calls line(octets, continues) and literal(count). A line that returns True
    is the last: feed() tells how many octets of what it was fed come before it.
    """

    def __init__(self, line, literal):
        self._line, self._literal = line, literal
        self._partial = bytearray()
        self._skip = 0

    def feed(self, data):
        at = 0
        while at < len(data):
            if self._skip:
                taken = min(self._skip, len(data) - at)
                self._skip -= taken
                at += taken
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._partial += data[at:]
                return None
            self._partial += data[at:end + 1]
            begin, at = at, end + 1
            line = bytes(self._partial)
            self._partial.clear()
            literal = _LITERAL.search(line)
            if self._line(line, literal is not None):
                return begin
            if literal:
                self._skip = int(literal.group(1) or literal.group(2))
                self._literal(self._skip)
        return None


class _Answers:
    """Splits a server's stream into whole answers, literals within them, and returns them edited."""

    def __init__(self, edit):
        self._edit = edit
        self._held = bytearray()
        self._at = 0  # what lies before it has been looked at
        self.cut = False

    def feed(self, data):
        self._held += data
        out = bytearray()
        while (end := self._held.find(b"\n", self._at) + 1) > 0:
            literal = _LITERAL.search(self._held, max(end - 32, self._at), end)
            if literal:
                self._at = end + int(literal.group(1) or literal.group(2))
                continue  # the answer goes on behind it
            try:
                out += self._edit(bytes(self._held[:end]))
            except Cut as cut:
                self.cut = True
                return bytes(out) + cut.last_words
            del self._held[:end]
            self._at = 0
        return bytes(out)


class Cut(Exception):
    """Raised by an edit: the client gets `last_words`, and the connection is closed."""

    def __init__(self, last_words=b""):
        super().__init__()
        self.last_words = last_words


class CutAfter:
    """
    An edit for Proxy: passes n answers, whatever connections they come on, then cuts the connection on which the
    next one comes. `bye`: what is said in that one's place. again: after n more answers another is cut, and so on.
    counted: a pattern; others are passed and not counted.
    """

    def __init__(self, n, bye=b"", again=False, counted=b""):
        self._n, self._bye, self._again, self._counted = n, bye, again, re.compile(counted)
        self._lock = threading.Lock()
        self.count = self.cuts = 0  # answers that came; connections that were cut

    def __call__(self, answer):
        if not self._counted.search(answer[:_KEPT_OF_A_LINE]):
            return answer
        with self._lock:
            self.count += 1
            if self.count <= self._n or (self.cuts and not self._again):
                return answer
            self.cuts += 1
            self.count = 0 if self._again else self.count
        raise Cut(self._bye)


class Meter:
    """Counts what one or more relays see, and at the n-th calls act(), once."""

    def __init__(self, n=0, act=lambda: None):
        self._n, self.act = n, act
        self._lock = threading.Lock()
        self.count = 0

    def tick(self):
        """Whether this is the n-th."""
        with self._lock:
            self.count += 1
            return self.count == self._n


class Hold:
    """
    From the n-th command of this verb on, what comes from a client is kept back until let_go(), but for a first part of
    it: as by a server that is slow to store. begun(): called when that is so.
    """

    def __init__(self, verb, n=1, begun=lambda: None):
        self._verb, self._n, self._begun = verb, n, begun
        self._lock = threading.Lock()
        self.begins, self.held = False, 0  # octets
        self._let_go, self.passed = threading.Event(), threading.Event()

    def let_go(self):
        """Passes on what was held, and what comes; when that is done, `passed` is set."""
        self._let_go.set()

    def note(self, command):
        with self._lock:
            self._n -= command.verb == self._verb
            self.begins |= self._n <= 0

    def keep(self, source, target, data):
        """Takes over from a pump, with the first octets that are to be held."""
        part = len(data) * 2 // 3
        target.sendall(data[:part])
        rest = bytearray(data[part:])
        self._begun()
        try:
            while data := source.recv(65536):
                rest += data
        except OSError:
            pass  # a client that dies with answers unread resets the connection
        self.held += len(rest)
        self._let_go.wait()
        target.sendall(rest)
        target.shutdown(socket.SHUT_WR)
        self.passed.set()


class Replaced:
    """
    An edit for Proxy: puts `by` in the place of what `pattern` finds in a server's answers, and counts.

    An answer is a line with its CRLF, and the literals and further lines that belong to it.
    """

    def __init__(self, pattern, by=b""):
        self._pattern, self._by = re.compile(pattern, re.DOTALL), by
        self._lock = threading.Lock()
        self.count = 0

    def __call__(self, answer):
        edited, count = self._pattern.subn(self._by, answer)
        with self._lock:
            self.count += count
        return edited


def without_appenduid():
    """An edit that makes a server one without UIDPLUS: a Dovecot tells UIDs whatever it says that it can."""
    return Replaced(rb"\A([^ *+][^ ]* OK )\[APPENDUID [^]]*\] ?", rb"\1")


class _Connection:
    def __init__(self, proxy, number, client, server):
        self.proxy, self.number = proxy, number
        self.client, self.server = client, server
        self.open = {}          # tag -> Command not yet answered
        self.current = None     # command whose line goes on after a literal
        self.answer_goes_on = False
        self.compressed = False
        self.octets = {"client": 0, "server": 0}
        self.cut_now = False
        self.draining = False   # cut, and the server still works through what it was sent
        self.last_words = None  # (the line that is not passed on, what is said instead)
        self._from_client = _Lines(self._client_line, self._client_literal)
        self._from_server = _Lines(self._server_line, lambda count: None)
        self._answers = _Answers(proxy._edit) if proxy._edit is not None else None

    def _client_line(self, line, continues):
        text = line[:_KEPT_OF_A_LINE].decode("utf-8", "replace").rstrip("\r\n")
        if self.current is not None:
            self.current.text += text
        elif " " in text:
            if self.proxy._stop is not None and self.proxy._stop.tick():
                return True
            if self.proxy._noticed is not None and self.proxy._noticed.tick():
                self.proxy._noticed.act()
            tag, rest = text.split(" ", 1)
            if rest.upper().startswith(("LOGIN ", "AUTHENTICATE ")):
                rest = rest.split(" ")[0] + " ***"
            self.current = Command(self.number, tag, rest)
            self.open[tag] = self.current
            self.proxy._note(self.current)
        if self.current is not None and not continues:
            self.current = None
        return False

    def _client_literal(self, count):
        if self.current is not None:
            self.current.literals += 1
            self.current.octets += count

    def _server_line(self, line, continues):
        goes_on, self.answer_goes_on = self.answer_goes_on, continues
        if goes_on or line.startswith((b"* ", b"+")):
            return
        tag, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
        command = self.open.pop(tag, None)
        if command is None:
            return
        command.answer = rest
        if command.verb == "COMPRESS" and rest.startswith("OK"):
            self.compressed = True
        if self.proxy._answered(command):
            self.cut_now = True
            if self.proxy._instead is not None:
                self.last_words = (line, f"{tag} {self.proxy._instead}\r\n".encode())

    def pump(self, source, target, side):
        lines = self._from_client if side == "client" else self._from_server
        tail = b""
        try:
            while data := source.recv(65536):
                if self.draining:
                    continue
                poison = self.proxy._poison(side, tail, data)
                tail = (tail + data)[-32:]
                if poison is not None:
                    self.cut_now = True
                    target.sendall(data[:poison])
                    if self.proxy._cut_at[2] is not None:
                        self.client.sendall(self.proxy._cut_at[2] + b"\r\n")
                    break
                if side == "server" and self._answers is not None:
                    data = self._answers.feed(data)
                allowed = self.proxy._allowance(side, self.octets[side], len(data))
                self.octets[side] += len(data)
                stop = lines.feed(data) if not self.compressed else None
                if stop is not None:
                    target.sendall(data[:stop])
                    self.proxy._stop.act()
                    self.cut_now = True
                    break
                if self.cut_now:
                    if side == "server" and self.last_words is not None and self.last_words[0] in data:
                        target.sendall(data[:data.index(self.last_words[0])] + self.last_words[1])
                    break
                if side == "client":
                    self.proxy._run_before()
                    if self.proxy._hold is not None and self.proxy._hold.begins:
                        self.proxy._hold.keep(source, target, data)
                        return
                target.sendall(data[:allowed])
                self.proxy._run_during(side, self.octets[side])
                if allowed < len(data) or (side == "server" and self._answers is not None and self._answers.cut):
                    self.cut_now = side == "server" or self.proxy._drains
                    break
        except OSError:
            pass
        finally:
            if self.cut_now and self.proxy._drains:
                self.drain(side)
            elif self.cut_now or (side == "server" and self.proxy._hold is None):
                self.close()
            else:  # the client is gone: the server still works through what it was sent
                try:
                    target.shutdown(socket.SHUT_WR)
                except OSError:
                    pass

    def drain(self, side):
        """Lets the server come to the end of what it was sent; then both sides are closed."""
        self.draining = True
        try:
            self.server.shutdown(socket.SHUT_WR)
            while side == "server" and self.server.recv(65536):
                pass
        except OSError:
            pass
        if side == "server":
            self.close()

    def close(self):
        for sock in (self.client, self.server):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Proxy:
    """Relays to `target` on loopback; attribute port. Cutting happens once each."""

    def __init__(self, target, cut_before_answer=None, cut_after_octets=None, hold=None, before=None, edit=None,
                 instead=None, during=None, cut_at=None, stop=None, drains=False,
                 noticed=None):
        """
        cut_before_answer: (verb, n): when the server has answered the n-th command of this verb with OK, the
        connection is closed and the answer not passed on: stored, unanswered.
        instead: what is answered instead, before the connection is closed: "NO [AUTHENTICATIONFAILED] expired".
        cut_after_octets: (side, n): passes n octets of what "client" or "server" sends on one connection, then closes;
        (side, n, "each"): of each connection.
        hold: a Hold: what is kept back for a while.
        stop: a Meter of commands: what comes before its n-th is passed on, it acts, and the connection is closed.
        noticed: a Meter of commands, which are passed on all the same.
        drains: whether what a server was sent is done with before the client sees a cut.
        before: (verb, function): called once, when the first such command has come and not yet been passed on.
        during: (side, n, function): called once, when n octets of what "client" or "server" sends on one
        connection have been passed on.
        cut_at: (side, octets, words): whenever what "client" or "server" sends holds these octets, the connection
        is closed; the client gets what came before, and the line `words`, unless None. Not once, but each time.
        edit: called with each answer of the server; returns what the client gets instead, b"" for nothing, or raises Cut.
        """
        self._target = target
        self._cut_before_answer, self._cut_after_octets = cut_before_answer, cut_after_octets
        self._hold, self._before, self._edit, self._instead = hold, before, edit, instead
        self._cut_at, self._stop, self._noticed, self._drains = cut_at, stop, noticed, drains
        self._during = during
        self._lock = threading.Lock()
        self._commands, self._answered_ok, self._connections = [], {}, []
        self.cuts = 0
        self.connected = threading.Event()  # a client has come
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def commands(self, *verbs):
        """The commands seen, or only those of these verbs: "APPEND", "UID FETCH"."""
        with self._lock:
            return [each for each in self._commands if not verbs or each.verb in verbs]

    def octets(self):
        """What has passed, (from clients, from servers)."""
        with self._lock:
            return (sum(each.octets["client"] for each in self._connections),
                    sum(each.octets["server"] for each in self._connections))

    def connections(self):
        return len(self._connections)

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
                connection = _Connection(self, len(self._connections) + 1, client, server)
                self._connections.append(connection)
            self.connected.set()
            pumps = [threading.Thread(target=connection.pump, args=ends, daemon=True)
                     for ends in ((client, server, "client"), (server, client, "server"))]
            for pump in pumps:
                pump.start()
            threading.Thread(target=self._close_after, args=(connection, pumps), daemon=True).start()

    @staticmethod
    def _close_after(connection, pumps):
        for pump in pumps:
            pump.join()
        connection.client.close()
        connection.server.close()

    def _note(self, command):
        with self._lock:
            self._commands.append(command)
        if self._hold is not None:
            self._hold.note(command)

    def _run_before(self):
        with self._lock:
            if self._before is None or not any(each.verb == self._before[0] for each in self._commands):
                return
            (_, function), self._before = self._before, None
        function()

    def _run_during(self, side, passed):
        with self._lock:
            if self._during is None or self._during[0] != side or passed < self._during[1]:
                return
            (_, _, function), self._during = self._during, None
        function()

    def _answered(self, command):
        """Whether to cut before this answer."""
        if not (command.answer or "").upper().startswith("OK"):
            return False
        with self._lock:
            count = self._answered_ok[command.verb] = self._answered_ok.get(command.verb, 0) + 1
            if self._cut_before_answer == (command.verb, count) and not self.cuts:
                self.cuts += 1
                return True
        return False

    def _poison(self, side, tail, data):
        """Where in `data`, which follows `tail`, the octets begin at which the connection ends; None if nowhere."""
        if self._cut_at is None or self._cut_at[0] != side:
            return None
        at = (tail + data).find(self._cut_at[1])
        if at < 0:
            return None
        with self._lock:
            self.cuts += 1
        return max(at - len(tail), 0)

    def _allowance(self, side, passed, more):
        """How many of `more` octets may pass."""
        with self._lock:
            if self._cut_after_octets is None or self._cut_after_octets[0] != side:
                return more
            if self.cuts and "each" not in self._cut_after_octets[2:]:
                return more
            left = self._cut_after_octets[1] - passed
            if left >= more:
                return more
            self.cuts += 1
            return max(left, 0)
