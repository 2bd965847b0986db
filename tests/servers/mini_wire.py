"""
The syntax of IMAP commands, for mini.py: octets from a connection become tags, names and arguments.

An argument is a str for an atom (also BODY.PEEK[...]), bytes for a quoted string, Literal for a literal, a list for
what stands in parentheses. What they mean is left to others.
"""
import re

LINE_LIMIT = 1 << 20


class Closed(Exception):
    """The client is gone."""


class Unreadable(Exception):
    """What came is no command."""


class Literal(bytes):
    """Octets that came as a literal."""


class Command:
    """tag, name (with its UID) and arguments; line: its text up to the first literal; refusal: of a literal."""

    def __init__(self, line):
        self.line, self.refusal = line, None
        self.tag, self.name, self.arguments = "*", "", []

    @staticmethod
    def is_literal(argument):
        return isinstance(argument, Literal)


class Reader:
    """Reads commands from a socket. announce(line, size, waits) is called before a literal is read; what it returns
    refuses it."""

    def __init__(self, connection, announce):
        self._file = connection.makefile("rb")
        self._announce = announce

    def line(self):
        octets = self._file.readline(LINE_LIMIT)
        if not octets.endswith(b"\n"):
            raise Closed
        return octets.rstrip(b"\r\n")

    def command(self):
        line = self.line()
        command = Command(line.decode("latin-1"))
        pieces = []
        while True:
            found = re.search(rb"~?\{(\d+)([+-]?)\}$", line)
            if found is None:
                pieces.append(line)
                break
            command.refusal = self._announce(command.line, int(found.group(1)), not found.group(2))
            if command.refusal is not None:
                pieces.append(line[:found.start()])
                break
            octets = self._file.read(int(found.group(1)))
            if len(octets) != int(found.group(1)):
                raise Closed
            pieces += [line[:found.start()], Literal(octets)]
            line = self.line()
        try:
            values = _parse(pieces)
            command.tag, command.name = values[0], values[1].upper()
            command.arguments = values[2:]
            if command.name == "UID":
                command.name, command.arguments = "UID " + values[2].upper(), values[3:]
        except (IndexError, AttributeError, Unreadable):
            command.refusal = command.refusal or "BAD cannot read that"
        command.line = command.line.partition(" ")[2]
        return command


def _parse(pieces):
    stack = [[]]
    for piece in pieces:
        if isinstance(piece, Literal):
            stack[-1].append(piece)
            continue
        text, at = piece.decode("latin-1"), 0
        while at < len(text):
            if text[at] == " ":
                at += 1
            elif text[at] == "(":
                stack.append([])
                at += 1
            elif text[at] == ")":
                if len(stack) == 1:
                    raise Unreadable("a parenthesis too many")
                inner = stack.pop()
                stack[-1].append(inner)
                at += 1
            elif text[at] == '"':
                found = re.compile(r'"((?:[^"\\]|\\.)*)"').match(text, at)
                if found is None:
                    raise Unreadable("a quote that does not end")
                stack[-1].append(re.sub(r"\\(.)", r"\1", found.group(1)).encode("latin-1"))
                at = found.end()
            else:
                found = re.compile(r"(?:[^ ()\"\[]|\[[^\]]*\])+").match(text, at)
                if found is None:
                    raise Unreadable("an odd octet")
                stack[-1].append(found.group(0))
                at = found.end()
    if len(stack) != 1:
        raise Unreadable("a parenthesis that does not end")
    return stack[0]


def text_of(argument):
    """An atom or a string as str, octets as Latin-1."""
    return argument if isinstance(argument, str) else bytes(argument).decode("latin-1")


def listed(values):
    """A list such as (SUBSCRIBED STATUS (MESSAGES)) as a dictionary: each word, and the value that follows it."""
    found, last = {}, None
    for value in values:
        if isinstance(value, list) or (last is not None and isinstance(value, str) and value.isdigit()):
            found[last] = value
        else:
            last = text_of(value).upper()
            found[last] = True
    return found


def quoted(text):
    """A quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header_fields(octets, names):
    """The fields of a message's header that have these names, whole."""
    names = {name.strip('"').lower().encode("latin-1") for name in names}
    fields = re.findall(rb"(?:[^\r\n]+(?:\r\n[ \t][^\r\n]*)*)\r\n", octets.partition(b"\r\n\r\n")[0] + b"\r\n")
    return b"".join(each for each in fields if each.partition(b":")[0].strip().lower() in names)
