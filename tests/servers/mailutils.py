#!/usr/bin/env python3
"""
The private imap4d and pop3d of GNU Mailutils on loopback, with users that exist in their own jail only.

    with Mailutils(pop3=True) as server:
        ... server.port, server.pop_port ...

Users "u1" to "u60" have the password "pass"; mail is in mbox files (spool.py). Run as a program it says where it listens,
until its input ends.
"""
import os
import shutil
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers import spool
from servers.jail import Jail, Unavailable
from servers.ports import HOST
from servers.private import PrivateServer

COMMON = """\
foreground yes;
pidfile {state}/{name}.pid;
logging {{ syslog yes; }}
tcp-wrappers {{ enable no; }}
mailbox {{ mailbox-type mbox; mail-spool {state}/spool; }}
max-children 100;
{tls}"""
SERVER = "server {host}:{port} {{ tls-mode {mode}; }}\n"
NAMES = 'namespace personal { prefix "" { directory "$home/mail"; delimiter "/"; mailbox-type mbox; } }\n'


class Mailutils(PrivateServer):
    """See the head of this file; `separator` and `prefix` are what its users see."""

    kind = "mailutils"
    separator, prefix = "/", ""

    def prepare(self):
        for name in ("imap4d", "pop3d") if self._pop3 else ("imap4d",):
            if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
                raise Unavailable(f"{name} is not installed: Debian package mailutils-{name}")
        self._mounts = spool.make(self)
        if self._certificate is not None:
            shutil.copy(self._certificate[1], self.state + "/key.pem")
            os.chmod(self.state + "/key.pem", 0o600)  # it refuses one that others can read

    def launch(self):
        mode = "no" if self._certificate is None else "ondemand"
        self._configure("imap4d", NAMES, (self.port, mode), (self.tls_port, "connection"))
        self._configure("pop3d", "", (self.pop_port, mode), (self.pop_tls_port, "connection"))
        run = f"/usr/sbin/{{0}} --config-file='{self.state}/{{0}}.conf' --daemon=100 --foreground"
        return Jail(self.state, (run.format("pop3d") + " &\n" if self._pop3 else "") + run.format("imap4d"),
                    mounts=self._mounts)

    def _configure(self, name, more, *listeners):
        tls = ""
        if self._certificate is not None:
            tls = f"tls {{ ssl-certificate-file {self._certificate[0]}; ssl-key-file {self.state}/key.pem; }}\n"
        with open(f"{self.state}/{name}.conf", "w", encoding="ascii") as out:
            out.write(COMMON.format(state=self.state, name=name, tls=tls) + more)
            out.writelines(SERVER.format(host=HOST, port=port, mode=mode) for port, mode in listeners if port)


def main():
    with Mailutils() as server:
        print(f"port={server.port} state={server.state}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
