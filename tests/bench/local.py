"""
Mail into a local Maildir: by IMAP beside mbsync and doveadm backup, by POP3 beside mpop and getmail, and
beside the floors: the bare client that only reads, the bare writer that only writes. First run and rerun.

    ./dev bench --backup                   10,000 messages by IMAP, on a RAM disk, nobody waits for the disk
    ./dev bench --backup --disk /var/tmp   on a disk, everyone's deliveries put on it (and again without)
    ./dev bench --pop3                     5,000 messages by POP3
    ... --rtt 40                           over a slow link
"""
import dataclasses
import os
import pwd
import shutil
import subprocess
import sys
import time

from corpus import Corpus, compare_trees, read_tree
from meter import Meter
from results import MIB, Results, median, ratio
from servers.dovecot import MAIL_USER, Dovecot

HOST, USER = "127.0.0.1", "usource"
SETTINGS = """
protocol imap {
  mail_plugins = $mail_plugins imap_zlib
}
"""

# Nobody runs twice within the tick of a file system's clock: a client that then looks again, or waits, is right.
CLOCK_S = 2.5

# What is promised (issue 5).
TIMES_FLOOR, TIMES_WRITER, TIMES_PEER = 1.3, 1.2, 1.0


@dataclasses.dataclass
class Way:
    """From where to where: the port of the server, the Maildir, and a folder for the client's own files."""
    port: int
    tree: str
    folder: str
    sync: bool  # whether deliveries are to be on disk


class Client:
    """One of those that are measured: its command for a way. A rerun is the same command, or none."""
    once = False  # takes so long that it is measured once

    def __init__(self, name):
        self.name = name

    def available(self):
        return True

    def first(self, way):
        raise NotImplementedError

    def again(self, way):
        return self.first(way)

    def environment(self, way):
        return {}

    def judge(self, source, way, parts):
        """What came of it."""
        return compare_trees(source, read_tree(way.tree), parts)


class Reader(Client):
    """Reads, and drops it."""
    def __init__(self, program, protocol, ahead):
        super().__init__("floor: reading" if ahead else "bare client")
        words = ("read", "same") if protocol == "imap" else ("pop", "uidl")
        self._first, self._again = ([program, word] + ([] if ahead else ["-b"]) for word in words)

    def first(self, way):
        return self._first + [HOST, str(way.port), USER]

    def again(self, way):
        return self._again + [HOST, str(way.port), USER]

    def judge(self, source, way, parts):
        return "drops it"


class Writer(Client):
    """Writes what is at hand. Has no rerun."""
    def __init__(self, program, tree):
        super().__init__("floor: writing")
        self._program, self._tree = program, tree

    def first(self, way):
        return [self._program, "write", self._tree, way.tree] + (["batch"] if way.sync else [])

    def again(self, way):
        return None

    def judge(self, source, way, parts):
        return compare_trees(source, read_tree(way.tree), ())


class Mailhaul(Client):
    def __init__(self, build, protocol, options=()):
        super().__init__("mailhaul")
        self._build, self._protocol, self._options = build, protocol, list(options)

    def first(self, way):
        secret = way.folder + "/secret"
        _write(secret, "pass\n")
        return [self._build + "/core/mailhaul", "sync", f"{self._protocol}://{USER}@{HOST}:{way.port}", "maildir:" + way.tree,
                "--passfile1", secret, "--nossl1", "--notls1", "--state", way.folder + "/state",
                "--fsync2", "batch" if way.sync else "never"] + self._options

    def environment(self, way):
        return {"MAILHAUL_PLUGIN_PATH": self._build + "/plugins"}


class Mbsync(Client):
    def __init__(self, compress):
        super().__init__("mbsync" + ("" if compress else ", COMPRESS off"))
        self._compress = compress

    def available(self):
        return shutil.which("mbsync") is not None

    def first(self, way):
        os.makedirs(way.folder + "/mbsync", exist_ok=True)
        text = (f"FSync {'yes' if way.sync else 'no'}\n\nIMAPAccount far\nHost {HOST}\nPort {way.port}\nUser {USER}\nPass pass\n"
                "AuthMechs LOGIN\nTimeout 120\nSSLType None\n" + ("" if self._compress else "DisableExtension COMPRESS=DEFLATE\n")
                + "\nIMAPStore far\nAccount far\n\n"
                f"MaildirStore near\nInbox {way.tree}\nSubFolders Maildir++\n\n"
                "Channel both\nFar :far:\nNear :near:\nPatterns *\nCreate Near\nSync Pull\nExpunge None\nCopyArrivalDate yes\n"
                f"SyncState {way.folder}/mbsync/\n")
        _write(way.folder + "/mbsyncrc", text)
        return ["mbsync", "-q", "-c", way.folder + "/mbsyncrc", "-a"]


class Unprivileged(Client):
    """One that refuses to handle mail as root."""
    def __init__(self, name):
        super().__init__(name)
        self.user = pwd.getpwnam(MAIL_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

    def give(self, *paths):
        for path in paths:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def as_user(self, command):
        if os.geteuid() != 0:
            return command
        return ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"] + command


class Doveadm(Unprivileged):
    def __init__(self):
        super().__init__("doveadm backup")

    def available(self):
        return shutil.which("doveadm") is not None

    def first(self, way):
        text = (f"protocols =\nbase_dir = {way.folder}/run\nstate_dir = {way.folder}/run\nlog_path = {way.folder}/log\nssl = no\n"
                f"mail_uid = {self.user.pw_uid}\nmail_gid = {self.user.pw_gid}\nfirst_valid_uid = 1\n"
                f"mail_home = {way.folder}/home\nmail_location = maildir:{way.tree}\nmail_fsync = {'always' if way.sync else 'never'}\n"
                f"imapc_host = {HOST}\nimapc_port = {way.port}\nimapc_user = {USER}\nimapc_password = pass\n"
                "imapc_features = rfc822.size fetch-headers\nmail_prefetch_count = 20\n"
                "namespace inbox {\n  inbox = yes\n  separator = /\n}\n")
        _write(way.folder + "/dovecot.conf", text)
        folders = [way.folder, way.tree, way.folder + "/home", way.folder + "/run"]
        for path in folders:
            os.makedirs(path, exist_ok=True)
        self.give(*folders, way.folder + "/dovecot.conf")
        return self.as_user(["doveadm", "-c", way.folder + "/dovecot.conf", "backup", "-R", "imapc:"])

    def environment(self, way):
        return {"HOME": way.folder + "/home", "USER": USER}


class Mpop(Client):
    def __init__(self):
        super().__init__("mpop")

    def available(self):
        return shutil.which("mpop") is not None

    def first(self, way):
        _make_maildir(way.tree)
        _write(way.folder + "/mpoprc",
               f"defaults\naccount bench\nhost {HOST}\nport {way.port}\nuser {USER}\npassword pass\ntls off\nauth user\nkeep on\n"
               f"received_header off\nuidls_file {way.folder}/uidls\ndelivery maildir {way.tree}\n")
        return ["mpop", "--file=" + way.folder + "/mpoprc", "--quiet", "bench"]


class Getmail(Unprivileged):
    once = True

    def __init__(self):
        super().__init__("getmail6")

    def available(self):
        return shutil.which("getmail") is not None

    def first(self, way):
        _make_maildir(way.tree)
        os.makedirs(way.folder + "/getmail", exist_ok=True)
        _write(way.folder + "/getmail/getmailrc",
               f"[retriever]\ntype = SimplePOP3Retriever\nserver = {HOST}\nport = {way.port}\nusername = {USER}\npassword = pass\n"
               f"[destination]\ntype = Maildir\npath = {way.tree}/\nuser = {self.user.pw_name}\n"
               "[options]\ndelete = false\nread_all = false\ndelivered_to = false\nreceived = false\nverbose = 0\n")
        self.give(way.folder, way.folder + "/getmail", way.folder + "/getmail/getmailrc", way.tree,
                  *(f"{way.tree}/{part}" for part in ("cur", "new", "tmp")))
        return self.as_user(["getmail", "--getmaildir=" + way.folder + "/getmail"])


def _make_maildir(tree):
    for part in ("cur", "new", "tmp"):
        os.makedirs(f"{tree}/{part}", exist_ok=True)


def _write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


class Bench:
    """A server with mail, and ways from it into trees below `place`."""

    def __init__(self, build, scratch, place, protocol, rtt_ms):
        self.build, self._scratch, self._place, self._protocol, self._rtt_ms = build, scratch, place, protocol, rtt_ms
        self.server = Dovecot(settings=SETTINGS, **({"pop3": True} if protocol == "pop3" else {}))
        self.meter = Meter(build + "/tests/bench/meter", [self.server], scratch)
        self._delay, self._n = None, 0

    def __enter__(self):
        self.server.start()
        self.port = self.server.port if self._protocol == "imap" else self.server.pop_port
        if self._rtt_ms:
            self._delay = subprocess.Popen([self.build + "/tests/bench/delay", str(self._rtt_ms / 2), HOST, str(self.port)],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.port = int(self._delay.stdout.readline())
        return self

    def __exit__(self, *_):
        if self._delay is not None:
            self._delay.stdin.close()
            self._delay.wait()
        self.server.stop()

    def fill(self, corpus):
        octets = corpus.write(self.server.maildir(USER))
        self.server.adopt(USER)
        self.source = read_tree(self.server.maildir(USER))
        return octets

    def measure(self, client, sync, parts):
        self._n += 1
        way = Way(self.port, f"{self._place}/tree{self._n}", f"{self._scratch}/client{self._n}", sync)
        os.mkdir(way.folder)
        environment = client.environment(way)
        first = self.meter.run(client.first(way), environment)
        command = client.again(way)
        if command is not None:
            time.sleep(CLOCK_S)
        again = self.meter.run(command, environment) if command is not None else None
        if first.status or (again is not None and again.status):
            told = first.output if first.status or again is None else again.output
            said = f"exit {first.status}, {again.status if again else 0}: " + told.strip()[-200:]
        else:
            said = client.judge(self.source, way, parts)
        shutil.rmtree(way.folder)
        shutil.rmtree(way.tree, ignore_errors=True)
        return first, again, said


def _clients(bench, arguments, protocol):
    bare = bench.build + "/tests/bench/bare"
    clients = [Reader(bare, protocol, ahead=True), Writer(bare, bench.server.maildir(USER))]
    if arguments.rtt:
        clients.append(Reader(bare, protocol, ahead=False))
    clients.append(Mailhaul(bench.build, protocol))
    if not arguments.no_peers:
        clients += [Mbsync(False), Mbsync(True), Doveadm()] if protocol == "imap" else [Mpop(), Getmail()]
    for client in clients:
        if not client.available():
            print(f"  not here, left out: {client.name}")
    return [client for client in clients if client.available()]


def _measure_all(bench, clients, runs, sync, parts):
    results = Results()
    for number in range(runs):
        for client in clients:
            if client.once and number > 0:
                continue
            print(f"\r  run {number + 1} of {runs}: {client.name:40}", end="", file=sys.stderr, flush=True)
            results.add(client.name, *bench.measure(client, sync, parts))
    print(f"\r{'':60}\r", end="", file=sys.stderr)
    return results


def _hold(check, results, sync, rtt):
    """The aims: within reach of the slower floor, and ahead of each peer, first time and again."""
    ours, again = results.first["mailhaul"], results.again["mailhaul"]
    check.hold_true("the copy is identical", results.said["mailhaul"] == "identical")
    floors = {name: costs for name, costs in results.first.items() if name.startswith("floor")}
    slower = max(floors, key=lambda name: median(floors[name], "wall"))
    if not rtt:
        limit = TIMES_WRITER if sync and slower == "floor: writing" else TIMES_FLOOR
        check.hold(f"first run, times the {slower}", ratio(ours, floors[slower]), limit, "x")
    for name, costs in results.first.items():
        if name in floors or name in ("mailhaul", "bare client"):
            continue
        check.hold(f"first run, times {name}", ratio(ours, costs), TIMES_PEER, "x")
        check.hold(f"rerun, times {name}", ratio(again, results.again[name]), TIMES_PEER, "x")


def bench_local(arguments, scratch, check):
    """Measures one protocol, as `arguments` say. Returns whether our copies were right."""
    protocol = "pop3" if arguments.pop3 else "imap"
    messages = arguments.messages or (1000 if arguments.rtt else 5000 if arguments.pop3 else 10_000)
    octets = messages * (6000 if arguments.rtt else 6800 if arguments.pop3 else 8200)
    parts = () if arguments.pop3 else ((1, "dates"), (2, "flags"))
    place = os.path.join(arguments.disk, f"mailhaul-bench-{os.getpid()}") if arguments.disk else scratch
    os.makedirs(place, exist_ok=True)
    right = True
    try:
        with Bench(arguments.build, scratch, place, protocol, arguments.rtt) as bench:
            corpus = Corpus(messages, octets, 1 if arguments.pop3 else arguments.folders)
            octets = bench.fill(corpus)
            print(f"{messages} messages, {octets / 1e6:.0f} MB, {len(corpus.folders)} folders, by {protocol.upper()} into a "
                  f"Maildir on {arguments.disk or 'a RAM disk'}, RTT {arguments.rtt:g} ms, {arguments.runs} runs")
            clients = _clients(bench, arguments, protocol)
            bench.measure(clients[0], False, parts)  # warms the source's index, for all alike
            for sync in ((True, False) if arguments.disk else (False,)):
                results = _measure_all(bench, clients, arguments.runs, sync, parts)
                measure = "bare client" if arguments.rtt else "floor: reading"
                what = "deliveries put on disk" if sync else "nobody waits for the disk"
                results.table(results.first, f"First run, {what}", measure)
                results.table(results.again, f"Unchanged rerun, {what}", measure)
                if check is not None:
                    print("\nPromises")
                    _hold(check, results, sync, arguments.rtt)
                right = right and results.said["mailhaul"] == "identical"
    finally:
        if arguments.disk:
            shutil.rmtree(place, ignore_errors=True)
    return right
