"""
Accounts in memory, for mini.py: folders, messages, ids, modification sequences.

    account = Account()
    folder = account.make("Archive/2019")
    folder.add(Message(b"Subject: a\\r\\n\\r\\nb\\r\\n", flags={"\\\\Seen"}))

Names are those of the wire. What a protocol makes of all this is left to others; so is locking: whoever
serves an account holds account.lock.
"""
import itertools
import threading
import time

INBOX = "INBOX"
_epochs = itertools.count(int(time.time()))


class Message:
    """Octets that never change, with flags and whatever else a server tells of them (`extra`)."""

    def __init__(self, octets, flags=(), date=" 1-Feb-2003 04:05:06 +0000", **extra):
        """date: as INTERNALDATE; extra: more FETCH items, by name with _ for -: X_GM_MSGID="17"."""
        self.octets, self.flags, self.date = octets, set(flags), date
        self.extra = {name.upper().replace("_", "-"): value for name, value in extra.items()}

    def twin(self):
        """The message that a COPY makes."""
        copy = Message(self.octets, self.flags, self.date)
        copy.extra = dict(self.extra)
        return copy


class Entry:
    """A message in a folder."""

    def __init__(self, uid, message, mod_sequence):
        self.uid, self.message, self.mod_sequence, self.recent = uid, message, mod_sequence, True


class Folder:
    """Entries in order of their UIDs."""

    def __init__(self, account, name, attributes=()):
        self.account, self.name, self.attributes = account, name, set(attributes)
        self.epoch, self.next_uid, self.mod_sequence = next(_epochs), 1, 1
        self.entries = []

    @property
    def selectable(self):
        return "\\Noselect" not in self.attributes

    def touch(self):
        """Returns the modification sequence of a change that is being made."""
        self.mod_sequence += 1
        return self.mod_sequence

    def add(self, message, uid=None):
        """Returns the entry of a new message; uid: not below next_uid."""
        entry = Entry(uid or self.next_uid, message, self.touch())
        self.next_uid = entry.uid + 1
        self.entries.append(entry)
        return entry

    def drop(self, entries):
        gone = {entry.uid for entry in entries}
        self.entries = [entry for entry in self.entries if entry.uid not in gone]
        self.touch()

    def changed(self, entry):
        entry.mod_sequence = self.touch()


class Account:
    """
    Folders by name. What a server does in its own way is overridden here: append(), copy(), expunge(),
    refuse_name(), make().
    """

    separator, prefix = "/", ""

    def __init__(self):
        self.lock = threading.RLock()
        self.folders, self.subscribed = {}, set()
        self.make(INBOX)

    def find(self, name):
        """The folder of that name, or None; INBOX in any case."""
        return self.folders.get(INBOX if name.upper() == INBOX else name)

    def refuse_name(self, name):
        """Why CREATE is refused: the rest of a NO; None if it is not."""
        folder = self.find(name)
        return "[ALREADYEXISTS] Mailbox exists" if folder is not None and folder.selectable else None

    def make(self, name, attributes=()):
        """Makes a folder, and parents that only hold it."""
        levels = name.split(self.separator)
        for depth in range(1, len(levels)):
            parent = self.separator.join(levels[:depth])
            if self.find(parent) is None and parent + self.separator != self.prefix:
                self.folders[parent] = Folder(self, parent, ["\\Noselect"])
        folder = self.folders.get(name)
        if folder is None:
            folder = self.folders[name] = Folder(self, name, attributes)
        else:
            folder.attributes = set(attributes)
        return folder

    def remove(self, name):
        del self.folders[name]

    def rename(self, old, new):
        for name in [each for each in self.folders if each == old or each.startswith(old + self.separator)]:
            folder = self.folders.pop(name)
            folder.name = new + name[len(old):]
            self.folders[folder.name] = folder

    def append(self, folder, message):
        """Stores what came by APPEND. Returns its entry."""
        return folder.add(message)

    def copy(self, entry, folder):
        """Returns the entry of the copy of another folder's entry."""
        return folder.add(entry.message.twin())

    def set_flags(self, folder, entry, flags):
        """Replaces the flags of a message."""
        if entry.message.flags != flags:
            entry.message.flags = set(flags)
            folder.changed(entry)

    def expunge(self, folder, entries):
        folder.drop(entries)


def parse_set(text, last):
    """A sequence set, as a function: whether a number is in it. `last`: what * is."""
    ranges = []
    for part in text.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        ranges.append((min(ends), max(ends)))
    return lambda number: any(first <= number <= end for first, end in ranges)


def format_set(numbers):
    """Numbers as a sequence set, in their order: 3:5,9,7."""
    runs = []
    for number in numbers:
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)
