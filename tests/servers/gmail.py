#!/usr/bin/env python3
"""
A small server with the semantics of Gmail: folders are labels over one store of messages.

    with GmailServer() as server:
        server.account("u1").deliver(b"Subject: hi\\r\\n\\r\\nyo\\r\\n", ["INBOX", "Work"], ["\\\\Seen"])
        ... server.bodies("u1") ...

Every message is in "all mail"; COPY and APPEND add a label, and equal octets are one message. Special folders
have German names. What is said, and when, follows what is known of the real one (X-GM-EXT-1); the rest is mini.py's.
"""
import os
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.mailstore import INBOX, Account, Message
from servers.mini import MiniServer
from servers.mini_session import Session
from servers.mini_wire import quoted

CAPABILITIES = ("IMAP4rev1 SASL-IR AUTH=PLAIN UNSELECT NAMESPACE ID CHILDREN X-GM-EXT-1 UIDPLUS ENABLE MOVE CONDSTORE "
                "ESEARCH LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584")
APPEND_LIMIT = 35651584
ALL, SENT, STARRED, IMPORTANT = "[Gmail]/Alle Nachrichten", "[Gmail]/Gesendet", "[Gmail]/Markiert", "[Gmail]/Wichtig"
SPECIAL = {ALL: "\\All", SENT: "\\Sent", STARRED: "\\Flagged", IMPORTANT: "\\Important",
           "[Gmail]/Entw&APw-rfe": "\\Drafts", "[Gmail]/Papierkorb": "\\Trash", "[Gmail]/Spam": "\\Junk"}
# X-GM-LABELS says these in place of names.
WORDS = {INBOX: "\\Inbox", SENT: "\\Sent", STARRED: "\\Starred", IMPORTANT: "\\Important",
         "[Gmail]/Entw&APw-rfe": "\\Draft"}
FIRST_ID = 2**64 - 1000000  # beyond what is signed


class GmailAccount(Account):
    """Messages are shared by the entries of their folders; they are known by their octets."""

    def __init__(self):
        super().__init__()
        self.store = {}  # octets -> Message
        for name, use in SPECIAL.items():
            self.make(name, [use])

    def find(self, name):
        """Names are the same whatever their case."""
        found = super().find(name)
        return found or next((each for each in self.folders.values() if each.name.lower() == name.lower()), None)

    def refuse_name(self, name):
        if name != name.strip(" ") or "  " in name:
            return "[CANNOT] Folder contains excess whitespace (Failure)"
        if "^" in name:
            return "[CANNOT] Invalid folder name (Failure)"
        folder = self.find(name)
        return "[ALREADYEXISTS] Duplicate folder name (Failure)" if folder and folder.selectable else None

    def deliver(self, octets, labels=(), flags=(), date=" 1-Feb-2003 04:05:06 +0000"):
        """Puts a message into the account, under labels that are made if need be. Returns it."""
        with self.lock:
            message = self._keep(Message(octets, flags, date))
            for label in labels:
                self._label(self.find(label) or self.make(label), message)
            return message

    def labels(self, message):
        """The names of the folders that it is in, but for all mail."""
        return [folder.name for folder in self.folders.values()
                if folder.name != ALL and any(entry.message is message for entry in folder.entries)]

    def _keep(self, message):
        if message.octets not in self.store:
            message.extra["X-GM-MSGID"] = str(FIRST_ID + len(self.store))
            self.store[message.octets] = message
            self.folders[ALL].add(message)
        return self.store[message.octets]

    def _label(self, folder, message):
        """The entry in a folder, the one that is there or a new one."""
        for entry in folder.entries:
            if entry.message is message:
                return entry
        entry = folder.add(message)
        if "\\Flagged" in message.flags and folder.name != STARRED:
            self._label(self.folders[STARRED], message)
        for other in self.folders.values():  # the label is news to whoever sees the message elsewhere
            for each in other.entries:
                if each.message is message and each is not entry:
                    other.changed(each)
        return entry

    def append(self, folder, message):
        kept = self._keep(message)
        kept.flags |= message.flags
        return self._label(folder, kept)

    def copy(self, entry, folder):
        return self._label(folder, entry.message)

    def set_flags(self, folder, entry, flags):
        super().set_flags(folder, entry, flags)
        if "\\Flagged" in flags:
            self._label(self.folders[STARRED], entry.message)


class GmailSession(Session):
    def item(self, entry, item):
        if item != "X-GM-LABELS":
            return super().item(entry, item)
        told = [quoted(WORDS.get(name, name)) for name in self.account.labels(entry.message) if name != self.folder.name]
        return b"X-GM-LABELS (" + " ".join(told).encode("latin-1") + b")"


class GmailServer(MiniServer):
    greeting = "OK Gimap ready for requests"
    account_class = GmailAccount

    def __init__(self, capabilities=CAPABILITIES):
        super().__init__(capabilities, GmailSession)
        self.permanent_flags = "\\Answered \\Flagged \\Draft \\Deleted \\Seen $Forwarded \\*"

    def refuse_literal(self, session, line, size):
        if line.split(" ")[1].upper() == "APPEND" and size > APPEND_LIMIT:
            return "NO [TOOBIG] Message too large. https://example.net/ (Failure)"
        return None

    def bodies(self, user):
        """How often each message of an account was fetched whole: {octets: times}."""
        return {octets: times for (whose, octets), times in self.fetched.items() if whose == user}
