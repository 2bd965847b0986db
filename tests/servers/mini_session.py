"""
What mini.py's server does for one connection: the commands.

Leaves to others which account they work on (mailstore.py) and how they are written (mini_wire.py).
"""
import base64
import socket
import time

from servers.mailstore import Message, format_set, parse_set
from servers.mini_wire import Closed, Reader, Unreadable, header_fields, listed, quoted, text_of

SYSTEM_FLAGS = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"


class Refused(Exception):
    """Ends a command; its text is what follows the tag."""


class Session:
    """
    One connection. Commands are methods: "UID FETCH" is do_fetch(by_uid=True), "LIST" do_list(). They say() what is
    untagged and return what follows the tag, "OK done" if None.
    """

    def __init__(self, server, connection, number):
        self.server, self.number = server, number
        self.user = self.account = self.folder = None
        self.read_only, self.mute = False, False
        self.view = []  # entries as the client numbers them
        self._connection = connection
        self._out = []
        self._reader = Reader(connection, self._literal)

    # The conversation

    def say(self, text):
        """Sends a line; text holds octets as Latin-1."""
        self.raw(text.encode("latin-1") + b"\r\n")

    def raw(self, octets):
        if not self.mute:
            self._out.append(octets)

    def flush(self):
        octets, self._out = b"".join(self._out), []
        self._connection.sendall(octets)

    def cut(self):
        """Ends the connection at once; what was said is on its way, unless it was not flushed."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def run(self):
        try:
            self.say("* " + self.server.greeting)
            self.flush()
            while True:
                command = self._reader.command()
                self.server.note(self, command)
                self._carry_out(command)
                self.flush()
                if command.name == "LOGOUT":
                    break
        except (OSError, Closed):
            pass
        finally:
            self.cut()
            self._connection.close()
            self.server.ended(self)

    def _literal(self, line, size, waits):
        """Called before a literal is read. Returns why it is refused, which one that comes anyway cannot be."""
        refusal = self.server.refuse_literal(self, line, size) if waits else None
        if refusal is not None:
            return refusal
        if waits:
            self.raw(b"+ go on\r\n")
            self.flush()
        return None

    def _carry_out(self, command):
        hook = self.server.hook_for(command)
        if hook is not None:
            hook(self, command, lambda: self._proceed(command))
        else:
            self._proceed(command)

    def _proceed(self, command):
        if command.refusal is not None:
            self.say(f"{command.tag} {command.refusal}")
            return
        name = command.name
        by_uid = name.startswith("UID ")
        method = getattr(self, "do_" + name.removeprefix("UID ").replace("-", "_").lower(), None)
        free = ("capability", "noop", "logout", "login", "authenticate", "id", "starttls")
        try:
            if method is None or (self.user is None and name.lower() not in free):
                raise Refused("BAD unknown here: " + name)
            arguments = [command] + list(command.arguments)
            if self.account is None:
                done = method(*arguments)
            else:
                with self.account.lock:
                    done = method(*arguments, by_uid=True) if by_uid else method(*arguments)
                    if name not in ("FETCH", "STORE", "SEARCH"):  # RFC 9051 §7.5.1
                        self._catch_up()
        except Refused as why:
            done = str(why)
        except (TypeError, ValueError, IndexError, Unreadable) as error:
            done = f"BAD cannot read that: {error}".replace("\n", " ")
        self.say(f"{command.tag} {done or 'OK done'}")

    def _catch_up(self):
        """Tells what others did to the folder that is open."""
        if self.folder is None:
            return
        now = {entry.uid for entry in self.folder.entries}
        for number in range(len(self.view), 0, -1):
            if self.view[number - 1].uid not in now:
                del self.view[number - 1]
                self.say(f"* {number} EXPUNGE")
        known = {entry.uid for entry in self.view}
        news = [entry for entry in self.folder.entries if entry.uid not in known]
        if news:
            self.view += news
            self.say(f"* {len(self.view)} EXISTS")

    def offers(self, capability):
        return capability in self.server.capabilities.split()

    # Logging in

    def do_capability(self, command):
        self.say("* CAPABILITY " + self.server.capabilities)

    def do_noop(self, command):
        return None

    def do_check(self, command):
        return None

    def do_id(self, command, *_):
        self.say('* ID ("name" "mini")')

    def do_enable(self, command, *names):
        self.say("* ENABLED " + " ".join(name for name in names if self.offers(name)))

    def do_logout(self, command):
        self.say("* BYE so long")

    def do_login(self, command, user, password):
        return self._admit(text_of(user), text_of(password))

    def do_authenticate(self, command, mechanism, initial=None):
        if mechanism.upper() != "PLAIN":
            raise Refused("NO only PLAIN")
        if initial is None:
            self.say("+ ")
            self.flush()
            initial = self._reader.line().decode()
        _, user, password = base64.b64decode(initial).decode().split("\0")
        return self._admit(user, password)

    def _admit(self, user, password):
        if not self.server.admits(user, password):
            raise Refused("NO [AUTHENTICATIONFAILED] Invalid credentials")
        self.account = self.server.account(user)
        self.user = user
        return f"OK [CAPABILITY {self.server.capabilities}] logged in"

    # Folders

    def do_namespace(self, command):
        shown = quoted(self.server.prefix), quoted(self.server.separator)
        self.say(f"* NAMESPACE (({shown[0]} {shown[1]})) NIL NIL")

    def attributes(self, folder):
        """What LIST says of a folder."""
        below = folder.name + self.account.separator
        has_children = any(name.startswith(below) for name in self.account.folders)
        return sorted(folder.attributes) + ["\\HasChildren" if has_children else "\\HasNoChildren"]

    def do_list(self, command, *arguments):
        if isinstance(arguments[0], list):  # which to select; all are told
            arguments = arguments[1:]
        pattern = arguments[1]
        wanted = listed(arguments[arguments.index("RETURN") + 1]) if "RETURN" in arguments else {}
        for folder in list(self.account.folders.values()):
            if not self._matches(folder.name, text_of(pattern)):
                continue
            attributes = self.attributes(folder)
            if "SUBSCRIBED" in wanted and folder.name in self.account.subscribed:
                attributes.append("\\Subscribed")
            separator = quoted(self.account.separator) if self.account.separator else "NIL"
            self.say(f"* LIST ({' '.join(attributes)}) {separator} {quoted(folder.name)}")
            if "STATUS" in wanted and folder.selectable:
                self._say_status(folder, wanted["STATUS"])

    def do_lsub(self, command, reference, pattern):
        for name in sorted(self.account.subscribed):
            if self._matches(name, text_of(pattern)):
                self.say(f"* LSUB () {quoted(self.account.separator)} {quoted(name)}")

    def _matches(self, name, pattern):
        if "*" in pattern:
            return name.startswith(pattern[:pattern.index("*")])
        if "%" in pattern:
            begin = pattern[:pattern.index("%")]
            return name.startswith(begin) and self.account.separator not in name[len(begin):]
        return name == pattern

    def _folder(self, name, code="NONEXISTENT"):
        folder = self.account.find(text_of(name))
        if folder is None or not folder.selectable:
            raise Refused(f"NO [{code}] Unknown Mailbox: {text_of(name)}")
        return folder

    def status_item(self, folder, item):
        return {"MESSAGES": len(folder.entries), "UIDNEXT": folder.next_uid, "UIDVALIDITY": folder.epoch,
                "RECENT": sum(entry.recent for entry in folder.entries),
                "UNSEEN": sum("\\Seen" not in entry.message.flags for entry in folder.entries),
                "SIZE": sum(len(entry.message.octets) for entry in folder.entries),
                "HIGHESTMODSEQ": folder.mod_sequence}.get(item)

    def _say_status(self, folder, items):
        told = [(item.upper(), self.status_item(folder, item.upper())) for item in items]
        shown = " ".join(f"{item} {value}" for item, value in told if value is not None)
        self.say(f"* STATUS {quoted(folder.name)} ({shown})")

    def do_status(self, command, name, items):
        self._say_status(self._folder(name), items)

    def do_create(self, command, name, use=None):
        name = text_of(name).rstrip(self.account.separator)
        refusal = self.account.refuse_name(name)
        if refusal is not None:
            raise Refused("NO " + refusal)
        self.account.make(name, listed(use or []).get("USE", ()))

    def do_delete(self, command, name):
        self.account.remove(self._folder(name).name)

    def do_rename(self, command, old, new):
        self.account.rename(self._folder(old).name, text_of(new))

    def do_subscribe(self, command, name):
        self.account.subscribed.add(text_of(name))

    def do_unsubscribe(self, command, name):
        self.account.subscribed.discard(text_of(name))

    # The open folder

    def do_select(self, command, name, *_):
        return self._open(name, False)

    def do_examine(self, command, name, *_):
        return self._open(name, True)

    def _open(self, name, read_only):
        self.folder, self.view = None, []
        folder = self._folder(name)
        self.folder, self.read_only, self.view = folder, read_only, list(folder.entries)
        recent = sum(entry.recent for entry in self.view)
        if not read_only:
            for entry in self.view:
                entry.recent = False
        permanent = "" if read_only else self.server.permanent_flags
        for line in (f"FLAGS ({SYSTEM_FLAGS})", f"OK [PERMANENTFLAGS ({permanent})] flags",
                     f"{len(self.view)} EXISTS", f"{recent} RECENT", f"OK [UIDVALIDITY {folder.epoch}] valid",
                     f"OK [UIDNEXT {folder.next_uid}] next"):
            self.say("* " + line)
        if self.offers("CONDSTORE"):
            self.say(f"* OK [HIGHESTMODSEQ {folder.mod_sequence}] modified")
        return "OK [READ-ONLY] open" if read_only else "OK [READ-WRITE] open"

    def do_close(self, command):
        if not self.read_only:
            self._expunge(lambda entry: True)
        self.folder, self.view = None, []

    def do_unselect(self, command):
        self.folder, self.view = None, []

    def do_expunge(self, command, uids=None, by_uid=False):
        self._writable()
        within = parse_set(uids, self._last_uid()) if by_uid else lambda uid: True
        self._expunge(lambda entry: within(entry.uid))

    def _expunge(self, chosen):
        victims = [entry for entry in self.folder.entries if "\\Deleted" in entry.message.flags and chosen(entry)]
        if victims:
            self.account.expunge(self.folder, victims)

    def _writable(self):
        if self.folder is None or self.read_only:
            raise Refused("NO [READ-ONLY] not open for writing")

    def _last_uid(self):
        return self.view[-1].uid if self.view else 0

    def _chosen(self, numbers, by_uid):
        """(sequence number, entry) of a set."""
        if self.folder is None:
            raise Refused("BAD no folder is open")
        within = parse_set(numbers, self._last_uid() if by_uid else len(self.view))
        return [(number, entry) for number, entry in enumerate(self.view, 1)
                if within(entry.uid if by_uid else number)]

    def do_search(self, command, *keys, by_uid=False):
        keys, returned = list(keys), None
        if keys and keys[0] == "RETURN":
            returned, keys = [each.upper() for each in keys[1]] or ["ALL"], keys[2:]
        found = [entry.uid if by_uid else number for number, entry in enumerate(self.view, 1)
                 if self._fits(list(keys), number, entry)]
        if returned is None:
            self.say(" ".join(["* SEARCH"] + [str(each) for each in found]))
            return
        told = [f'(TAG "{command.tag}")'] + (["UID"] if by_uid else [])
        values = {"COUNT": len(found)} | ({"MIN": found[0], "MAX": found[-1], "ALL": format_set(found)} if found else {})
        told += [f"{name} {values[name]}" for name in returned if name in values]
        self.say("* ESEARCH " + " ".join(told))

    def _fits(self, keys, number, entry):
        flags = {"SEEN", "DELETED", "FLAGGED", "ANSWERED", "DRAFT"}
        while keys:
            key = keys.pop(0)
            if isinstance(key, list):
                fits = self._fits(list(key), number, entry)
            elif key.upper() == "ALL":
                fits = True
            elif key.upper() == "UID":
                fits = parse_set(keys.pop(0), self._last_uid())(entry.uid)
            elif key.upper().removeprefix("UN") in flags:
                has = "\\" + key.upper().removeprefix("UN").title() in entry.message.flags
                fits = has != key.upper().startswith("UN")
            elif key.upper() == "HEADER":
                name, value = text_of(keys.pop(0)), text_of(keys.pop(0))
                fits = value.encode("latin-1").lower() in header_fields(entry.message.octets, [name]).lower()
            else:
                fits = parse_set(key, len(self.view))(number)
            if not fits:
                return False
        return True

    # Messages

    def do_fetch(self, command, numbers, items, modifiers=(), by_uid=False):
        items = items if isinstance(items, list) else [items]
        items = [item.upper() for item in items]
        since = int(listed(modifiers).get("CHANGEDSINCE", 0)) if modifiers else 0
        items += ["MODSEQ"] if since and "MODSEQ" not in items else []
        items += ["UID"] if by_uid and "UID" not in items else []
        for number, entry in self._chosen(numbers, by_uid):
            if entry.mod_sequence > since:
                self.say_fetch(number, entry, items)

    def say_fetch(self, number, entry, items):
        parts = [part for part in (self.item(entry, item) for item in items) if part is not None]
        self.raw(b"* %d FETCH (" % number + b" ".join(parts) + b")\r\n")

    def item(self, entry, item):
        """A FETCH item as octets: name and value. None: left out."""
        message, name = entry.message, item.encode("latin-1")
        if item.startswith("BODY") and "[" in item:
            return self._body(entry, item)
        value = {"UID": str(entry.uid), "FLAGS": "(%s)" % " ".join(sorted(message.flags)),
                 "RFC822.SIZE": str(len(message.octets)), "INTERNALDATE": f'"{message.date}"',
                 "MODSEQ": f"({entry.mod_sequence})"}.get(item) or message.extra.get(item)
        if item == "FLAGS" and entry.recent:
            value = "(\\Recent" + (" " if message.flags else "") + value[1:]
        return None if value is None else name + b" " + value.encode("latin-1")

    def _body(self, entry, item):
        octets = entry.message.octets
        section = item[item.index("[") + 1:item.rindex("]")]
        name = "BODY[" + section + "]"
        header, _, text = octets.partition(b"\r\n\r\n")
        if section == "":
            self.server.fetched[self.user, octets] += 1
        elif section.startswith("HEADER.FIELDS"):
            octets = header_fields(octets, section[section.index("(") + 1:section.index(")")].split()) + b"\r\n"
        elif section == "HEADER":
            octets = header + b"\r\n\r\n"
        elif section == "TEXT":
            octets = text
        if item.endswith(">"):
            begin, count = (int(each) for each in item[item.rindex("<") + 1:-1].split("."))
            octets, name = octets[begin:begin + count], f"{name}<{begin}>"
        return b"%s {%d}\r\n%s" % (name.encode("latin-1"), len(octets), octets)

    def do_store(self, command, numbers, how, flags, *_, by_uid=False):
        self._writable()
        flags = set(flags if isinstance(flags, list) else [flags])
        for number, entry in self._chosen(numbers, by_uid):
            named = {flag.lower() for flag in flags}
            others = {flag for flag in entry.message.flags if flag.lower() not in named}
            wanted = others | flags if how[0] == "+" else others if how[0] == "-" else flags
            self.account.set_flags(self.folder, entry, wanted)
            if not how.upper().endswith(".SILENT"):
                self.say_fetch(number, entry, ["FLAGS"] + (["UID"] if by_uid else []))

    def do_copy(self, command, numbers, name, by_uid=False):
        return self._copied(self._chosen(numbers, by_uid), self._folder(name, "TRYCREATE"), "OK ")

    def do_move(self, command, numbers, name, by_uid=False):
        self._writable()
        chosen = self._chosen(numbers, by_uid)
        told = self._copied(chosen, self._folder(name, "TRYCREATE"), "* OK ")
        self.say(told)
        self.account.expunge(self.folder, [entry for _, entry in chosen])

    def _copied(self, chosen, target, begin):
        new = [self.account.copy(entry, target).uid for _, entry in chosen]
        if not chosen or not self.offers("UIDPLUS"):
            return begin + "copied"
        return f"{begin}[COPYUID {target.epoch} {format_set(e.uid for _, e in chosen)} {format_set(new)}] copied"

    def do_append(self, command, name, *parts):
        folder = self._folder(name, "TRYCREATE")
        messages, flags, date = [], [], None
        now = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime())
        for part in parts:
            if isinstance(part, list):
                flags = part
            elif not command.is_literal(part):
                date = text_of(part)
            else:
                messages.append(Message(bytes(part), flags, date or now))
                flags, date = [], None
        new = [self.account.append(folder, message).uid for message in messages]
        return f"OK [APPENDUID {folder.epoch} {format_set(new)}] stored" if self.offers("UIDPLUS") else "OK stored"
