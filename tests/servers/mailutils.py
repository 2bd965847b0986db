#!/usr/bin/env python3
"""
A private imap4d of GNU Mailutils on loopback, with users that exist in its own jail only.

    with Mailutils() as server:
        ... server.port ...

Users "u1" to "u60" have the password "pass"; mail is in mbox files. Run as a program it says where it listens,
until its input ends.
"""
import os
import shutil
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.jail import Jail, Unavailable, accounts, password_hash
from servers.ports import HOST
from servers.private import PASSWORD, USERS, PrivateServer

FIRST_UID = 9000

SETTINGS = """\
foreground yes;
pidfile {state}/imap4d.pid;
logging {{ syslog yes; }}
tcp-wrappers {{ enable no; }}
mailbox {{ mailbox-type mbox; mail-spool {state}/spool; }}
max-children 100;
namespace personal {{ prefix "" {{ directory "$home/mail"; delimiter "/"; mailbox-type mbox; }} }}
{tls}server {host}:{port} {{ tls-mode {mode}; }}
"""


class Mailutils(PrivateServer):
    """See the head of this file; `separator` and `prefix` are what its users see."""

    kind = "mailutils"
    separator, prefix = "/", ""

    def prepare(self):
        if shutil.which("imap4d", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
            raise Unavailable("imap4d is not installed: Debian package mailutils-imap4d")
        os.mkdir(self.state + "/spool")
        os.chmod(self.state + "/spool", 0o1777)
        users, secrets = {}, {"probe": password_hash(self.token), "others": password_hash(PASSWORD)}
        for number, user in enumerate(USERS + ["probe"]):
            uid, home = FIRST_UID + number, f"{self.state}/home/{user}"
            os.makedirs(home + "/mail")
            spool = f"{self.state}/spool/{user}"
            with open(spool, "wb"):
                pass
            os.chmod(spool, 0o660)
            for path in (home, home + "/mail", spool):
                os.chown(path, uid, self.gid)
            secret = secrets["probe" if user == "probe" else "others"]
            users[user] = (uid, self.gid, home, secret)
        self._mounts = accounts(self.state, users)
        if self._certificate is not None:
            shutil.copy(self._certificate[1], self.state + "/key.pem")
            os.chmod(self.state + "/key.pem", 0o600)  # it refuses one that others can read

    def launch(self):
        tls = ""
        if self._certificate is not None:
            tls = f"tls {{ ssl-certificate-file {self._certificate[0]}; ssl-key-file {self.state}/key.pem; }}\n"
        with open(self.state + "/imap4d.conf", "w", encoding="ascii") as out:
            out.write(SETTINGS.format(state=self.state, host=HOST, port=self.port, tls=tls,
                                      mode="ondemand" if tls else "no"))
        return Jail(self.state, f"/usr/sbin/imap4d --config-file='{self.state}/imap4d.conf' --daemon=100 --foreground",
                    mounts=self._mounts)


def main():
    with Mailutils() as server:
        print(f"port={server.port} state={server.state}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
