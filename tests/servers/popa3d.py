#!/usr/bin/env python3
"""
A private popa3d on loopback, from a package unpacked beside the installed ones: POP3 as it was in 1996.

    with Popa3d() as server:
        ... server.pop_port ...

It knows USER, PASS, STAT, LIST, UIDL, RETR, TOP, DELE, and not CAPA, AUTH, APOP, STLS or pipelining by name. Users "u1"
to "u60" have the password "pass"; mail is in mbox files (spool.py). Run as a program it says where it listens, until its
input ends.
"""
import os
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers import spool
from servers.jail import Jail, unpacked
from servers.private import PrivateServer

# It leaves root for an empty folder of this name, and expects a listener such as inetd in front of it.
SCRIPT = """\
mount -t overlay -o 'lowerdir={tree}/var/lib:/var/lib' overlay /var/lib
python3 '{inetd}' {port} /usr/sbin/popa3d
exit
"""


class Popa3d(PrivateServer):
    """See the head of this file."""

    kind = "popa3d"
    imap = False

    def __init__(self):
        super().__init__(pop3=True)

    def prepare(self):
        self._tree = unpacked("popa3d")
        self._mounts = spool.make(self, {"popa3d": (8999, self.gid, "/var/lib/popa3d", "*")})
        self._mounts[self.state + "/spool"] = "/var/mail"

    def launch(self):
        inetd = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inetd.py")
        return Jail(self.state, SCRIPT.format(tree=self._tree, inetd=inetd, port=self.pop_port), tree="popa3d",
                    mounts=self._mounts)


def main():
    with Popa3d() as server:
        print(f"pop_port={server.pop_port} state={server.state}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
