"""
Mail to fill accounts with: the sample that the project ships, and a made-up mailbox of any size.

Everything made up comes from a seed, so a failing run can be repeated. Gets mail into an account in
two ways: APPEND, or a Maildir written straight to disk, from which a server then serves it.
"""
import collections
import datetime
import imaplib
import itertools
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reader import MAILDIR_FLAGS, ImapAccount, encode_mutf7

SAMPLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sample-mail")

# folder: canonical path; flags and keywords as IMAP writes them; date: Unix seconds;
# recent: whether no session has seen it yet (then it has no flags).
Mail = collections.namedtuple("Mail", "folder octets flags keywords date recent")

FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
KEYWORDS = ("$label1", "$label2", "$Forwarded", "$MDNSent", "NonJunk", "Junk", "work", "to-do", "receipts")
FOLDERS = ("INBOX", "Sent", "Drafts", "Trash", "Archive", "Archive/2019", "Archive/2020/Q1", "Entwürfe",
           "Büro/Rechnungen offen", "日本語/受信", "Проекты/Старые дела", "Ελληνικά", "a b  c", "R&D", "100 %",
           'a "quoted" word', "(round) [square] {curly}", "emoji 😀 folder", "x&y&-z", "deep/er/and/deeper/still")
YEAR_1990 = 631152000


def sample():
    """The sample mail, in the order of its manifest."""
    with open(os.path.join(SAMPLE, "manifest.json"), encoding="utf-8") as manifest:
        for each in json.load(manifest):
            with open(os.path.join(SAMPLE, each["file"]), "rb") as file:
                octets = file.read()
            date = int(datetime.datetime.strptime(each["date"], "%d-%b-%Y %H:%M:%S %z").timestamp())
            yield Mail(each["folder"], octets, each["flags"], each["keywords"], date, False)


def _message(dice, number, size):
    """One message of about `size` octets; every few are odd in some way."""
    kind = number % 25
    text = "".join(dice.choice("abcdefghij klmnopqrstuvwxyz  ") for _ in range(60))
    lines = (text + "\r\n").encode()
    # Not a carriage return at the very end: a Dovecot drops it from what it is given.
    body = (lines * (size // len(lines) + 1))[:max(size, 1)].rstrip(b"\r")
    received = "".join(f"Received: from hop{hop}.example by hop{hop + 1}.example with SMTP id {number}.{hop};\r\n"
                       f"\tMon, 1 Jan 2001 00:00:0{hop} +0000\r\n" for hop in range(number % 4))
    identity = f"Message-ID: <{number}.{dice.randrange(1 << 40)}@corpus.example>\r\n"
    common = f"From: someone{number % 40}@corpus.example\r\nSubject: number {number}\r\nDate: Mon, 1 Jan 2001 00:{number % 60:02}:00 +0000\r\n"
    if kind == 1:
        return body[:1 + number % 3]                                              # a few octets, no header
    if kind == 2:
        return b"no header in number %d\r\n\r\n" % number + body
    if kind == 3:
        identity = ""
    if kind == 4:
        identity = "Message-ID: <always-the-same@corpus.example>\r\n"
    if kind == 5:
        body = bytes(dice.choice(range(128, 256)) for _ in range(min(size, 3000))) + b"\r\n"
    if kind == 6:
        body = body.rstrip(b"\r\n") + b" and no final newline"
    if kind == 7:
        body = b"y" * max(size, 15000)
    if kind == 8:
        common += "X-Raw: caf\xe9 \xfc\r\n"
    if kind == 9:
        return (identity + common).encode("latin-1").rstrip(b"\r\n")               # the header does not end
    if kind == 10:
        body = b"a lone \r in the line\r\n" + body
    return (received + identity + common + "\r\n").encode("latin-1") + body


def made_up(count=2000, seed=1, folders=FOLDERS, largest=25 << 20, now=None):
    """
    A mailbox of `count` messages in `folders`: all combinations of flags, keywords, dates from 1990 to
    yesterday, sizes up to `largest`, some messages three times.
    """
    dice = random.Random(seed)
    yesterday = int(now or time.time()) // 86400 * 86400 - 86400
    last = None
    for number in range(count):
        size = int(dice.paretovariate(0.9) * 300)
        size = {0: largest, 100: largest // 6, 500: largest // 25}.get(number, min(size, 200_000, largest))
        octets = last if last is not None and number % 40 in (11, 12) else _message(dice, number, size)
        last = octets
        folder = folders[number % len(folders)] if number % 40 not in (11, 12) else folders[10 % len(folders)]
        recent = number % 19 == 0
        combination = 0 if recent else dice.randrange(32) if number >= 64 else number % 32
        flags = [flag for bit, flag in enumerate(FLAGS) if combination >> bit & 1]
        keywords = [] if recent else [keyword for keyword in KEYWORDS if dice.random() < 0.12]
        yield Mail(folder, octets, flags, keywords, dice.randrange(YEAR_1990, yesterday), recent)


def _imap_date(seconds):
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[when.month - 1]
    return f'"{when.day:2}-{month}-{when:%Y %H:%M:%S} +0000"'


def append(host, port, user, mails, password="pass", tls=None):
    """Appends to an account over IMAP, creating and subscribing folders."""
    with ImapAccount(host, port, user, password, tls) as account:
        imap, known = account._imap, {"INBOX"}
        for mail in mails:
            name = '"' + account.native(mail.folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
            if mail.folder not in known:
                imap.create(name)
                imap.subscribe(name)
                known.add(mail.folder)
            before, imaplib.MapCRLF = imaplib.MapCRLF, re.compile(rb"(?!)")  # octets go as they are
            try:
                status, told = imap.append(name, f"({' '.join(mail.flags + mail.keywords)})", _imap_date(mail.date), mail.octets)
            finally:
                imaplib.MapCRLF = before
            if status != "OK":
                raise RuntimeError(f"append to {mail.folder}: {told}")


def fill(server, user, mails):
    """
    Fills a user of a private server from disk; sessions have seen all of it but what is `recent`.
    """
    mails = list(mails)
    write_maildir(server.maildir(user), (mail for mail in mails if not mail.recent))
    server.adopt(user)
    with ImapAccount("127.0.0.1", server.port, user, "pass") as account:
        for mailbox in account.mailboxes():
            account.open_for_writing(mailbox)
    server.wait_until_idle(user)
    write_maildir(server.maildir(user), (mail for mail in mails if mail.recent), subscribe=False)
    server.adopt(user)


_serial = itertools.count()


def write_maildir(root, mails, subscribe=True):
    """
    Writes a Maildir++ tree, or adds to one, as a server with this layout does: every other message with
    LF line ends where that loses nothing, sizes in the name, flags and keyword letters behind it.
    """
    letters = {flag.lower(): letter for letter, flag in MAILDIR_FLAGS.items()}
    keywords_of, folders = {}, []
    for mail in mails:
        number = next(_serial)
        path = root if mail.folder == "INBOX" else os.path.join(
            root, "." + ".".join(encode_mutf7(part) for part in mail.folder.split("/")))
        if path not in keywords_of:
            for part in ("tmp", "new", "cur"):
                os.makedirs(os.path.join(path, part), exist_ok=True)
            if path != root:
                open(os.path.join(path, "maildirfolder"), "w", encoding="ascii").close()
                folders.append(mail.folder)
            keywords_of[path] = {}
        known = keywords_of[path]
        for keyword in mail.keywords:
            known.setdefault(keyword, chr(ord("a") + len(known)))
        octets = mail.octets
        if number % 2 and not re.search(rb"\r(?!\n)|(?<!\r)\n", octets):
            octets = octets.replace(b"\r\n", b"\n")
        name = f"{mail.date}.M{number}P{os.getpid()}.corpus,S={len(octets)},W={len(mail.octets)}"
        info = "".join(sorted(letters[flag.lower()] for flag in mail.flags)) + "".join(sorted(known[k] for k in mail.keywords))
        file = os.path.join(path, "new", name) if mail.recent else os.path.join(path, "cur", f"{name}:2,{info}")
        with open(file, "wb") as out:
            out.write(octets)
        os.utime(file, (mail.date, mail.date))
    for path, known in keywords_of.items():
        if known:
            with open(os.path.join(path, "dovecot-keywords"), "w", encoding="ascii") as out:
                out.writelines(f"{ord(letter) - ord('a')} {keyword}\n" for keyword, letter in known.items())
    if subscribe:
        with open(os.path.join(root, "subscriptions"), "w", encoding="ascii") as out:
            out.write("V\t2\n\n" + "".join("\t".join(encode_mutf7(part) for part in folder.split("/")) + "\n"
                                            for folder in folders))
