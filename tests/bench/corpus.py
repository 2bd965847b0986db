"""
The mail that is measured with: made from a seed, the same everywhere, written straight into a
Maildir++ tree; and the reader that compares two such trees afterwards.

Sizes are spread as in real mail: half of the messages below 4 KB, a few of hundreds. The reader shares
no code with mailhaul: it looks at the files, not at IMAP.
"""
import base64
import collections
import hashlib
import os
import random
import re

WORDS = ("the of and to in a is that for it as was with be by on not he this are or his from at which but have "
         "an had they you were their one all we can her has there been if more when will would who so no meeting "
         "invoice please regards attached report tomorrow budget server customer project deadline review").split()
KEYWORDS = ("$Forwarded", "work", "$MDNSent", "NonJunk")


def folder_names(count):
    """INBOX and others, some nested."""
    names = ["INBOX", "Archive", "Archive.2019", "Archive.2020", "Archive.2021", "Sent", "Drafts", "Trash",
             "Lists", "Lists.debian", "Lists.imap", "Projects", "Projects.alpha", "Projects.beta", "Family",
             "Invoices", "Travel", "Receipts", "Old mail", "Notes"]
    return (names + [f"Folder{n}" for n in range(count)])[:count]


class Corpus:
    """`messages` messages of together about `octets` octets, in `folders` folders."""

    def __init__(self, messages, octets, folders, seed=1):
        self._random = random.Random(seed)
        self.folders = folder_names(folders)
        self.messages = messages
        pool = self._random
        self._text = "".join(
            " ".join(pool.choices(WORDS, k=12)).capitalize() + ".\r\n" for _ in range(6000)).encode()
        encoded = base64.encodebytes(pool.randbytes(600_000)).replace(b"\n", b"\r\n")
        self._encoded = encoded
        sizes = [pool.lognormvariate(0, 1.1) for _ in range(messages)]
        scale = max(octets - 740 * messages, 100 * messages) / sum(sizes)
        self._sizes = [int(size * scale) for size in sizes]
        weights = [3.0] + [pool.uniform(0.5, 1.5) for _ in self.folders[1:]]
        self._places = pool.choices(range(len(self.folders)), weights, k=messages)
        for place in range(min(len(self.folders), messages)):
            self._places[place] = place  # none is empty

    def _body(self, size):
        source = self._text if size < 30_000 else self._encoded
        start = self._random.randrange(0, max(1, len(source) - size))
        start = source.find(b"\n", start) + 1
        return (source[start:] + source)[:size].rstrip(b"\r\n") + b"\r\n"

    def _message(self, number):
        chance = self._random
        name = chance.choice(WORDS)
        head = "".join(
            f"Received: from relay{hop}.example (relay{hop}.example [192.0.2.{hop}])\r\n\tby mx{hop}.example with "
            f"ESMTPS id {chance.getrandbits(64):016x}\r\n\tfor <ann@example.org>; Mon, 1 Jun 2020 12:00:0{hop} +0200\r\n"
            for hop in range(1, 4))
        head += (f"From: {name.capitalize()} Example <{name}@example.org>\r\nTo: Ann <ann@example.org>\r\n"
                 f"Subject: {' '.join(chance.choices(WORDS, k=5))}\r\nDate: Mon, 1 Jun 2020 12:00:00 +0200\r\n"
                 f"Message-ID: <{number}.{chance.getrandbits(48):012x}@example.org>\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n\r\n")
        return head.encode() + self._body(self._sizes[number])

    def write(self, root):
        """Writes it as a Maildir++ tree at `root`. Returns octets with CRLF line ends."""
        total = 0
        for name in self.folders:
            path = maildir_path(root, name)
            for part in ("cur", "new", "tmp"):
                os.makedirs(f"{path}/{part}")
            if name != "INBOX":
                open(path + "/maildirfolder", "w", encoding="ascii").close()
            with open(path + "/dovecot-keywords", "w", encoding="ascii") as out:
                out.writelines(f"{n} {word}\n" for n, word in enumerate(KEYWORDS))
        for number in range(self.messages):
            message = self._message(number)
            total += len(message)
            stored = message.replace(b"\r\n", b"\n")
            letters = sorted({letter for letter, odds in (("S", 0.85), ("R", 0.2), ("F", 0.05), ("a", 0.03), ("b", 0.05))
                              if self._random.random() < odds})
            when = 1_400_000_000 + number * (200_000_000 // self.messages)
            path = "{}/cur/{}.M{}P1.bench,S={},W={}:2,{}".format(
                maildir_path(root, self.folders[self._places[number]]), when, number, len(stored), len(message),
                "".join(letters))
            with open(path, "wb") as out:
                out.write(stored)
            os.utime(path, (when, when))
        return total


def write_big(root, octets):
    """Writes one message of about `octets` octets into INBOX at `root`."""
    for part in ("cur", "new", "tmp"):
        os.makedirs(f"{root}/{part}")
    line = base64.b64encode(bytes(range(57))) + b"\n"
    count = octets // (len(line) + 1)
    head = b"Subject: big\nMessage-ID: <big@example.org>\n\n"
    size = len(head) + count * len(line)
    with open(f"{root}/cur/1400000000.M1P1.bench,S={size},W={size + 3 + count}:2,S", "wb") as out:
        out.write(head)
        for start in range(0, count, 10_000):
            out.write(line * min(10_000, count - start))


def maildir_path(root, name):
    return root if name == "INBOX" else f"{root}/.{name}"


def _keywords(path):
    """What the letters of file names mean; P is known elsewhere as a keyword."""
    words = {"P": "$Forwarded"}
    try:
        with open(path + "/dovecot-keywords", encoding="utf-8") as lines:
            words.update((chr(ord("a") + int(number)), word) for number, word in (line.split() for line in lines))
    except FileNotFoundError:
        pass
    return words


def read_tree(root):
    """Returns {folder: Counter of (SHA-256 of the octets, arrival, flags and keywords)}."""
    found = {}
    for entry in [""] + sorted(name for name in os.listdir(root) if name.startswith(".")):
        path = f"{root}/{entry}" if entry else root
        if not os.path.isdir(path + "/cur"):
            continue
        words, messages = _keywords(path), collections.Counter()
        for part in ("cur", "new"):
            for name in os.listdir(f"{path}/{part}"):
                with open(f"{path}/{part}/{name}", "rb") as message:
                    octets = message.read()
                    date = int(os.fstat(message.fileno()).st_mtime)
                marked = b"\nX-TUID: " in octets[:8192]
                if marked:  # mbsync leaves its mark
                    octets = re.sub(rb"\nX-TUID: [^\n]*", b"", octets, count=1)
                flags = frozenset(words.get(letter, letter) for letter in name.partition(":2,")[2])
                messages[hashlib.sha256(octets).digest(), date, flags, marked] += 1
        if messages:
            found[entry[1:] or "INBOX"] = messages
    return found


def _only(counters, *parts):
    out = collections.Counter()
    for folder, messages in counters.items():
        for message, count in messages.items():
            out[(folder,) + tuple(message[part] for part in parts)] += count
    return out


def compare_trees(source, copy, parts=((1, "dates"), (2, "flags"))):
    """Says in a few words how a copy differs from its source; "identical" if it does not. parts: what is
    looked at besides octets."""
    wanted, got = _only(source, 0), _only(copy, 0)
    faults = []
    missing, extra = sum((wanted - got).values()), sum((got - wanted).values())
    if missing:
        faults.append(f"{missing} missing")
    if extra:
        faults.append(f"{extra} extra")
    for part, what in parts:
        differ = sum((_only(source, 0, part) - _only(copy, 0, part)).values()) - missing
        if differ > 0:
            faults.append(f"{differ} {what} differ")
    marked = sum(count for messages in copy.values() for message, count in messages.items() if message[3])
    if marked:
        faults.append(f"X-TUID added to {marked}")
    return ", ".join(faults) or "identical"
