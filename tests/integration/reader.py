#!/usr/bin/env python3
"""
The independent reader: what an account holds, seen without any of mailhaul's code.

    snapshot = read_imap("127.0.0.1", port, "u1", "pass")
    other = read_maildir("/backup/ann")
    print("\\n".join(differences(snapshot, other)))

A snapshot counts entries (folder, SHA-256, flags, keywords, date); folders are canonical paths. It
reads without a trace: EXAMINE, BODY.PEEK[] and open files. How mail got there is not its affair.

    reader.py imap://USER:PASS@HOST:PORT | maildir:PATH [another one to compare with]
"""
import base64
import calendar
import collections
import hashlib
import imaplib
import os
import re
import ssl
import sys
import urllib.parse

imaplib._MAXLINE = 100_000_000

Entry = collections.namedtuple("Entry", "folder sha256 flags keywords date")

SYSTEM_FLAGS = {"\\seen", "\\answered", "\\flagged", "\\deleted", "\\draft"}
MAILDIR_FLAGS = {"S": "\\seen", "R": "\\answered", "F": "\\flagged", "T": "\\deleted", "D": "\\draft"}
MONTHS = {name: number for number, name in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


class Snapshot:
    """
    entries: Counter of Entry.  folders: every folder, also an empty one.
    recent: folder -> number of \\Recent messages (IMAP) or files in new/.  sizes: SHA-256 -> octets.
    order: folder -> SHA-256 of each message, as they lie there, by UID.
    """

    def __init__(self):
        self.entries = collections.Counter()
        self.folders, self.subscribed = set(), set()
        self.recent, self.sizes, self.titles = {}, {}, {}
        self.order = collections.defaultdict(list)

    def add(self, folder, octets, flags, keywords, date):
        digest = hashlib.sha256(octets).hexdigest()
        self.sizes[digest] = len(octets)
        if digest not in self.titles:
            subject = re.search(rb"(?im)^subject:[ \t]*(.{0,50})", bytes(octets[:4096]))
            self.titles[digest] = subject.group(1).decode("ascii", "replace").strip() if subject else ""
        self.entries[Entry(folder, digest, frozenset(flags), frozenset(keywords), date)] += 1
        self.order[folder].append(digest)

    def __len__(self):
        return sum(self.entries.values())

    def bodies(self):
        """Counter of (folder, SHA-256): what must be equal where flags and dates may differ."""
        counted = collections.Counter()
        for entry, number in self.entries.items():
            counted[entry.folder, entry.sha256] += number
        return counted


def decode_mutf7(name):
    """Modified UTF-7 (RFC 3501 §5.1.3) to text; what is not well-formed stays as it is."""
    def shifted(match):
        if match.group(1) == "":
            return "&"
        packed = match.group(1).replace(",", "/")
        try:
            return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-16-be")
        except ValueError:
            return match.group(0)
    return re.sub("&([A-Za-z0-9+,]*)-", shifted, name)


def encode_mutf7(name):
    """Text to modified UTF-7."""
    def shift(match):
        packed = base64.b64encode(match.group(0).encode("utf-16-be")).decode("ascii")
        return "&" + packed.rstrip("=").replace("/", ",") + "-"
    return re.sub(r"[^\x20-\x7e]+", shift, name.replace("&", "&-")) if name else name


def _quoted(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def internal_date(text):
    """Seconds since 1970 of an INTERNALDATE such as " 1-Feb-2003 04:05:06 +0100"."""
    day, month, year, hour, minute, second, zone = re.fullmatch(
        r"\s*(\d+)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})", text).groups()
    east = int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[3:]) * 60)
    return calendar.timegm((int(year), MONTHS[month.title()], int(day), int(hour), int(minute),
                            int(second))) - east


class ImapAccount:
    """One connection that looks at an account; use by `with`."""

    def __init__(self, host, port, user, password, tls=None):
        """tls: file of the authority to trust, for implicit TLS; None for clear text."""
        if tls is None:
            self._imap = imaplib.IMAP4(host, port)
        else:
            self._imap = imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(cafile=tls))
        self._imap.sock.setsockopt(6, 1, 1)  # TCP_NODELAY: imaplib writes a command in pieces
        self._imap.login(user, password)
        answer = self._ask(self._imap.namespace)[0].decode()
        personal = re.match(r'\(\("((?:[^"\\]|\\.)*)" (?:"((?:[^"\\]|\\.)*)"|NIL)', answer)
        self.prefix = re.sub(r"\\(.)", r"\1", personal.group(1)) if personal else ""
        self.separator = re.sub(r"\\(.)", r"\1", personal.group(2) or "") if personal else "/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._imap.logout()
        except (imaplib.IMAP4.error, OSError):
            pass

    @staticmethod
    def _ask(method, *arguments):
        status, data = method(*arguments)
        if status != "OK":
            raise RuntimeError(f"{method.__name__} {arguments}: {status} {data}")
        return data

    def canonical(self, name):
        """A mailbox name as the server writes it, to UTF-8 with '/' and without the prefix."""
        if name.upper() == "INBOX":
            return "INBOX"
        if self.prefix and name.startswith(self.prefix):
            name = name[len(self.prefix):]
        return "/".join(decode_mutf7(part) for part in (name.split(self.separator) if self.separator else [name]))

    def native(self, path):
        """The other way round."""
        if path == "INBOX":
            return path
        return self.prefix + self.separator.join(encode_mutf7(part) for part in path.split("/"))

    def _listed(self, method):
        for line in self._ask(method, '""', '"*"'):
            if line is None:
                continue
            if isinstance(line, tuple):  # a literal for the name
                attributes, name = line[0].decode(), line[1].decode()
            else:
                attributes = line.decode("utf-8", "surrogateescape")
                name = _unquoted(re.match(r'\([^)]*\) (?:"(?:[^"\\]|\\.)*"|NIL) (.*)', attributes).group(1))
            flags = attributes[1:attributes.index(")")].lower().split()
            yield name, flags

    def mailboxes(self):
        """Names as the server writes them, of those that can be opened."""
        return sorted(name for name, flags in self._listed(self._imap.list)
                      if "\\noselect" not in flags and "\\nonexistent" not in flags)

    def subscribed(self):
        return {self.canonical(name) for name, _ in self._listed(self._imap.lsub)}

    def recent(self, mailbox):
        data = self._ask(self._imap.status, _quoted(mailbox), "(RECENT)")
        text = b"".join(part if isinstance(part, bytes) else b"".join(part) for part in data).decode()
        return int(re.search(r"RECENT (\d+)", text).group(1))

    def open_for_writing(self, mailbox):
        """Leaves a trace, as a user's own session does: what was recent is not any more."""
        self._ask(self._imap.select, _quoted(mailbox))

    def messages(self, mailbox):
        """Yields (octets, flags, keywords, date) of each message, opened read-only."""
        exists = int(self._ask(self._imap.select, _quoted(mailbox), True)[0])
        step = 50  # bounds what is in memory when bodies are large
        for first in range(1, exists + 1, step):
            last = min(first + step - 1, exists)
            data = self._ask(self._imap.fetch, f"{first}:{last}", "(FLAGS INTERNALDATE BODY.PEEK[])")
            for position, part in enumerate(data):
                if not isinstance(part, tuple):
                    continue
                after = data[position + 1] if position + 1 < len(data) else b""
                told = part[0].decode() + (after.decode() if isinstance(after, bytes) else "")
                all_flags = {flag.lower() for flag in re.search(r"FLAGS \(([^)]*)\)", told).group(1).split()}
                date = internal_date(re.search(r'INTERNALDATE "([^"]*)"', told).group(1))
                yield (part[1], all_flags & SYSTEM_FLAGS, all_flags - SYSTEM_FLAGS - {"\\recent"}, date)


def read_imap(host, port, user, password="pass", tls=None):
    """Everything in the account. Nothing changes there, not even \\Recent."""
    seen = Snapshot()
    with ImapAccount(host, port, user, password, tls) as account:
        seen.subscribed = account.subscribed()
        for mailbox in account.mailboxes():
            folder = account.canonical(mailbox)
            seen.folders.add(folder)
            seen.recent[folder] = account.recent(mailbox)
            for message in account.messages(mailbox):
                seen.add(folder, *message)
    return seen


def _maildir_folders(root):
    yield "INBOX", root
    for name in sorted(os.listdir(root)):
        path = os.path.join(root, name)
        if name.startswith(".") and name not in (".", "..") and os.path.isdir(os.path.join(path, "cur")):
            yield "/".join(decode_mutf7(part) for part in name[1:].split(".")), path


def _maildir_keywords(folder):
    letters = {}
    try:
        with open(os.path.join(folder, "dovecot-keywords"), encoding="utf-8") as lines:
            for line in lines:
                number, keyword = line.rstrip("\n").split(" ", 1)
                letters[chr(ord("a") + int(number))] = keyword.lower()
    except FileNotFoundError:
        pass
    return letters


def maildir_octets(path):
    """
    A message as IMAP shows it. Files hold lines that end in LF; a field V=1 in the name says that
    the octets stand as they passed.
    """
    with open(path, "rb") as file:
        octets = file.read()
    base = os.path.basename(path).split(":2,")[0]
    if "V=1" in base.split(",")[1:]:
        return octets
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def _further_keywords(path):
    """What mailhaul keeps beside the 26: base name -> keywords, the last line of each counts."""
    found = {}
    try:
        with open(os.path.join(path, "mailhaul-keywords"), encoding="utf-8") as file:
            for line in file:
                base, _, names = line.rstrip("\n").partition("\t")
                found[base] = {name.lower() for name in names.split()}
    except FileNotFoundError:
        pass
    return found


def _maildir_uids(path):
    """What a dovecot-uidlist says: base name -> UID."""
    uids = {}
    try:
        with open(os.path.join(path, "dovecot-uidlist"), encoding="utf-8") as file:
            next(file)
            for line in file:
                numbers, _, base = line.rstrip("\n").partition(" :")
                uids[base.split(":2,")[0]] = int(numbers.split(" ")[0])
    except (FileNotFoundError, StopIteration):
        pass
    return uids


def read_maildir(root):
    """The same of a Maildir++ tree."""
    seen = Snapshot()
    for folder, path in _maildir_folders(root):
        letters, further, uids = _maildir_keywords(path), _further_keywords(path), _maildir_uids(path)
        seen.folders.add(folder)
        seen.recent[folder] = len(os.listdir(os.path.join(path, "new")))
        files = sorted((part, name) for part in ("new", "cur") for name in os.listdir(os.path.join(path, part))
                       if not name.startswith("."))
        # What has no UID comes behind what has one.
        files.sort(key=lambda file: uids.get(file[1].split(":2,")[0], 1 << 32))
        for part, name in files:
            file = os.path.join(path, part, name)
            info = name.split(":2,")[1] if ":2," in name else ""
            seen.add(folder, maildir_octets(file), {MAILDIR_FLAGS[c] for c in info if c in MAILDIR_FLAGS},
                     {letters.get(c, f"unknown-letter-{c}") for c in info if c.islower()}
                     | further.get(name.split(":")[0], set()),
                     int(os.stat(file).st_mtime))
    return seen


def read(url):
    """A snapshot of imap://USER:PASS@HOST:PORT or maildir:PATH."""
    if url.startswith("maildir:"):
        return read_maildir(url[len("maildir:"):])
    parts = urllib.parse.urlsplit(url)
    return read_imap(parts.hostname, parts.port, parts.username, parts.password or "pass")


def _shown(snapshot, entry):
    title = snapshot.titles.get(entry.sha256, "")
    return (f"{entry.folder}: {snapshot.sizes[entry.sha256]} octets, sha256 {entry.sha256[:12]}, "
            f"flags {' '.join(sorted(entry.flags)) or 'none'}, keywords {' '.join(sorted(entry.keywords)) or 'none'}, "
            f"date {entry.date}{', subject ' + repr(title) if title else ''}")


def differences(wanted, got, names=("source", "destination"), limit=8):
    """Lines that say what is not the same; none if both hold the same multiset of entries in the same folders."""
    lines = []
    for side, these, those in ((names[0], wanted, got), (names[1], got, wanted)):
        for folder in sorted(these.folders - those.folders):
            lines.append(f"folder only at the {side}: {folder}")
    missing, extra = wanted.entries - got.entries, got.entries - wanted.entries
    by_body = collections.defaultdict(list)
    for entry, number in extra.items():
        by_body[entry.folder, entry.sha256] += [entry] * number
    for entry, number in sorted(missing.items(), key=str):
        for _ in range(number):
            changed = by_body[entry.folder, entry.sha256]
            if changed:
                other = changed.pop()
                for what in ("flags", "keywords", "date"):
                    if getattr(entry, what) != getattr(other, what):
                        lines.append(f"{what} differ: {_shown(wanted, entry)}; at the {names[1]}: "
                                     f"{getattr(other, what) if what == 'date' else sorted(getattr(other, what))}")
            else:
                lines.append(f"only at the {names[0]}: {_shown(wanted, entry)}")
    extra_lines = [f"only at the {names[1]}: {_shown(got, entry)}" for rest in by_body.values() for entry in rest]
    return _shortened(lines, limit) + _shortened(extra_lines, limit)


def _shortened(lines, limit):
    return lines if len(lines) <= limit else lines[:limit] + [f"... and {len(lines) - limit} more like these"]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip().splitlines()[-1].strip())
    snapshots = [read(url) for url in sys.argv[1:]]
    for url, seen in zip(sys.argv[1:], snapshots):
        print(f"{url.split(':')[0]}: {len(seen)} messages in {len(seen.folders)} folders, "
              f"{sum(seen.sizes[e.sha256] * n for e, n in seen.entries.items())} octets")
    if len(snapshots) == 2:
        lines = differences(*snapshots)
        print("\n".join(lines) if lines else "the same")
        sys.exit(bool(lines))


if __name__ == "__main__":
    main()
