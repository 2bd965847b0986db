"""
Who is measured: how each client is set up and called for one source and one destination.

A Peer makes the command for a route and keeps what the client writes in a folder of its own, so
that calling it again is a rerun. What is measured, and how often, is left to run.
"""
import dataclasses
import os
import shutil


@dataclasses.dataclass
class Route:
    """Where to: addresses and users of both sides, and a folder for the client's own files."""
    hosts: tuple      # of the source and the destination
    ports: tuple
    users: tuple
    folder: str
    ca: str = ""      # where TLS is to be used: the certificate to trust


class Peer:
    name = ""

    def available(self):
        return True

    def first(self, route):
        """The command of the first copy."""
        raise NotImplementedError

    def again(self, route):
        """The command of a rerun."""
        return self.first(route)

    def environment(self, route):
        return {}


class Floor(Peer):
    """Clients without any logic: the floor, which asks for everything at once, and the bare client, which takes the
    round trips that any client needs."""
    def __init__(self, program, bare=False):
        self.name, self._program = "bare client" if bare else "floor", [program] + (["-b"] if bare else [])

    def _command(self, what, route):
        ends = [word for side in (0, 1) for word in (route.hosts[side], str(route.ports[side]), route.users[side])]
        return self._program + [what] + ends

    def first(self, route):
        return self._command("copy", route)

    def again(self, route):
        return self._command("same", route)


class Mailhaul(Peer):
    def __init__(self, build, lanes=None, options=(), compress=None, mechanism=None):
        self.name = ("mailhaul" + (f" --lanes {lanes}" if lanes else "") + (f", compress {compress}" if compress else "")
                     + (f", {mechanism}" if mechanism else ""))
        self._build, self._lanes, self._options = build, lanes, list(options)
        if mechanism:
            self._options += [f"--authmech{side}={mechanism}" for side in (1, 2)]
        if compress:
            self._options += [f"--compress{side}={compress}" for side in (1, 2)]

    def available(self):
        return os.access(self._build + "/core/mailhaul", os.X_OK)

    def first(self, route):
        secret = route.folder + "/secret"
        _write(secret, "pass\n")
        command = [self._build + "/core/mailhaul", "sync", "--state", route.folder + "/state"]
        for side in (0, 1):
            n = str(side + 1)
            command += ["--host" + n, route.hosts[side], "--port" + n, str(route.ports[side]),
                        "--user" + n, route.users[side], "--passfile" + n, secret]
            command += ["--ssl" + n, "--tls-ca" + n, route.ca] if route.ca else ["--nossl" + n, "--notls" + n]
        return command + (["--lanes", str(self._lanes)] if self._lanes else []) + self._options

    def environment(self, route):
        return {"MAILHAUL_PLUGIN_PATH": self._build + "/plugins"}


class Mbsync(Peer):
    def __init__(self, compress):
        self.name, self._compress = "mbsync" + ("" if compress else ", COMPRESS off"), compress

    def available(self):
        return shutil.which("mbsync") is not None

    def first(self, route):
        account = ("IMAPAccount {0}\nHost {1}\nPort {2}\nUser {3}\nPass pass\nAuthMechs LOGIN\nTimeout 120\n{4}\n"
                   "IMAPStore {0}\nAccount {0}\n\n")
        tls = f"SSLType IMAPS\nCertificateFile {route.ca}\n" if route.ca else "SSLType None\n"
        tls += "" if self._compress else "DisableExtension COMPRESS=DEFLATE\n"
        text = "".join(account.format(("one", "two")[side], route.hosts[side], route.ports[side], route.users[side], tls)
                       for side in (0, 1))
        text += ("Channel both\nFar :one:\nNear :two:\nPatterns *\nCreate Near\nSync Pull\nExpunge None\n"
                 f"CopyArrivalDate yes\nSyncState {route.folder}/mbsync/\n")
        os.makedirs(route.folder + "/mbsync", exist_ok=True)
        _write(route.folder + "/mbsyncrc", text)
        return ["mbsync", "-q", "-c", route.folder + "/mbsyncrc", "-a"]


class Interimap(Peer):
    def __init__(self, compress):
        self.name, self._compress = "interimap" + ("" if compress else ", COMPRESS off"), compress

    def available(self):
        return shutil.which("interimap") is not None

    def first(self, route):
        # What it calls remote and local are the two ends; it synchronises both ways.
        text = f"database = {route.folder}/interimap.db\n"
        for section, side in (("local", 1), ("remote", 0)):
            text += (f"[{section}]\ntype = {'imaps' if route.ca else 'imap'}\nhost = {route.hosts[side]}\n"
                     f"port = {route.ports[side]}\nSTARTTLS = NO\nusername = {route.users[side]}\npassword = pass\n"
                     + (f"SSL_CAfile = {route.ca}\n" if route.ca else "")
                     + ("" if self._compress else "compress = NO\n"))
        _write(route.folder + "/interimap", text)
        return ["interimap", "--quiet", "--config=" + route.folder + "/interimap"]

    def environment(self, route):
        return {"HOME": route.folder, "XDG_DATA_HOME": route.folder, "XDG_CONFIG_HOME": route.folder}


def _write(path, text):
    with open(path, "w", encoding="ascii") as out:
        os.chmod(path, 0o600)  # it may hold a password
        out.write(text)
