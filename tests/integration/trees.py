"""
Maildirs made by hand, as other programs leave them, and what there is to see of a tree from outside.

    plant(root, {"INBOX": 3, "INBOX.Sent": 1})
    before = fingerprint(root)
"""
import hashlib
import os
import stat


def mail(text):
    """A small message, with LF, that no other text gives."""
    return (f"From: ann@example.org\nSubject: {text}\nMessage-Id: <{hashlib.sha1(text.encode()).hexdigest()}@example.org>\n"
            f"Date: Mon, 1 Jan 2024 10:00:00 +0000\n\nThis is {text}.\n").encode()


def put(folder, name, octets, part="cur", date=1_704_103_200):
    """A file, with its date. Returns its path."""
    path = os.path.join(folder, part, name)
    with open(path, "wb") as out:
        out.write(octets)
    os.utime(path, (date, date))
    return path


def make(root, directory):
    """A folder with cur, new and tmp. Returns its path."""
    folder = os.path.join(root, directory)
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    return folder


def plant(root, folders):
    """Makes folders, directory -> how many messages, seen. The messages of a folder tell its directory."""
    for directory, count in folders.items():
        folder = make(root, directory)
        for number in range(count):
            put(folder, f"{1_704_103_200 + number}.M{number}P7.host:2,S", mail(f"{directory} {number}"))


def bodies(*folders):
    """The messages in cur and new of folders, sorted."""
    found = []
    for folder in folders:
        for part in ("cur", "new"):
            for name in os.listdir(f"{folder}/{part}"):
                with open(f"{folder}/{part}/{name}", "rb") as file:
                    found.append(file.read())
    return sorted(found)


def fingerprint(root):
    """All that is there: of each file and directory its kind, inode, times but for the last look, and content."""
    seen = {}
    for folder, directories, files in os.walk(os.fsencode(root)):
        for name in directories + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = b""
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            seen[path] = (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, content)
    status = os.lstat(root)
    seen[os.fsencode(root)] = (status.st_mode, status.st_ino, 0, status.st_mtime_ns, status.st_ctime_ns, b"")
    return seen
