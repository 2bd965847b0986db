#!/usr/bin/env python3
"""
A private Courier on loopback, from packages unpacked beside the installed ones.

    with Courier(connections=4, pop3=True) as server:
        ... server.port, server.pop_port, server.maildir("u1") ...

Users "u1" to "u60" have the password "pass"; "uquota" may store 200,000 octets. Folders are named
INBOX.Archive.2019. Run as a program it says where it listens, until its input ends.
"""
import os
import subprocess
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.jail import Jail, accounts, password_hash, unpacked
from servers.ports import HOST
from servers.private import PASSWORD, USERS, PrivateServer

CONNECTIONS = 20  # per address: what the distribution sets

AUTHENTICATION = """\
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=3
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"""

# Beside what the distribution sets in its files "pop3d" and "imapd".
SETTINGS = """\
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
IMAP_EMPTYTRASH=
IMAP_STARTTLS={starttls}
POP3AUTH="PLAIN LOGIN CRAM-MD5"
POP3AUTH_TLS="PLAIN LOGIN CRAM-MD5"
POP3_STARTTLS={starttls}
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE={state}/certificate.pem
TLS_DHPARAMS=
TLS_CACHEFILE=
"""

# The server listens once its users can be looked up.
SCRIPT = """\
mkdir -p /run/courier
mount --bind "$1/run" /run/courier
mkdir -p /etc/courier
mount --bind "$1/courier" /etc/courier
(set -a; . /etc/courier/authdaemonrc; makeuserdb && exec /usr/lib/courier/courier-authlib/authdaemond) &
tries=0
until [ -S "$1/run/authdaemon/socket" ] || [ $tries = 500 ]; do sleep 0.02; tries=$((tries + 1)); done
set -a
. "$1/courier/imapd"
. "$1/courier/imapd.more"
umask 022
listen="/usr/sbin/couriertcpd -address={host} -maxprocs=200 -maxperip={connections} -nodnslookup -noidentlookup"
{more}$listen {port} /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
exit
"""

IMAPS = """\
(export IMAP_TLS=1 IMAP_STARTTLS=NO; exec $listen {port} /usr/bin/couriertls -server -tcpd -user=courier \\
  /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir) &
"""
POP3 = """\
$listen {port} /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir &
"""
POP3S = """\
(export POP3_TLS=1 POP3_STARTTLS=NO; exec $listen {port} /usr/bin/couriertls -server -tcpd -user=courier \\
  /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir) &
"""


def hmac_md5_state(password):
    """What CRAM-MD5 needs to know of a password, as it stands in a userdb."""
    tree = unpacked("courier")
    done = subprocess.run([tree + "/usr/sbin/userdbpw", "-hmac-md5"], input=password.encode() + b"\n", check=True,
                          env={"LD_LIBRARY_PATH": tree + "/usr/lib/x86_64-linux-gnu/courier-authlib"}, capture_output=True)
    return done.stdout.decode().strip()


class Courier(PrivateServer):
    """See the head of this file; `separator` and `prefix` are what its users see."""

    kind = "courier"
    separator, prefix = ".", "INBOX."

    def __init__(self, connections=CONNECTIONS, certificate=None, pop3=False):
        """connections: how many it takes from one address; it closes the next one without a word."""
        super().__init__(certificate, pop3)
        self._connections = connections

    def maildir(self, user):
        return f"{self.state}/mail/{user}/Maildir"

    def prepare(self):
        tree = unpacked("courier")
        for name in ("courier/shared", "run/authdaemon", "mail"):
            os.makedirs(f"{self.state}/{name}")
        os.chmod(self.state + "/run/authdaemon", 0o755)
        challenged = hmac_md5_state(PASSWORD)  # nobody asks for the probe's
        lines, secrets = [], {"probe": password_hash(self.token), "others": password_hash(PASSWORD)}
        for user in USERS + ["uquota", "probe"]:
            home = f"{self.state}/mail/{user}"
            for part in ("cur", "new", "tmp"):
                os.makedirs(f"{home}/Maildir/{part}")
            secret = secrets["probe" if user == "probe" else "others"]
            lines.append(f"{user}\tuid={self.uid}|gid={self.gid}|home={home}|mail={home}/Maildir|systempw={secret}"
                         f"|hmac-md5pw={challenged}\n")
        subprocess.run([tree + "/usr/bin/maildirmake.courier", "-q", "200000S", self.maildir("uquota")], check=True)
        for folder, _, files in os.walk(self.state + "/mail"):
            for path in [folder] + [os.path.join(folder, name) for name in files]:
                os.chown(path, self.uid, self.gid)
        with open(os.open(self.state + "/courier/userdb", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
            out.writelines(lines)
        with open(self.state + "/courier/authdaemonrc", "w", encoding="ascii") as out:
            out.write(AUTHENTICATION)
        with open(self.state + "/courier/imapd", "w", encoding="utf-8") as out:
            for name in ("pop3d", "imapd"):
                with open(f"{tree}/etc/courier/{name}", encoding="utf-8") as given:
                    out.write(given.read())
        with open(self.state + "/courier/imapd.more", "w", encoding="ascii") as out:
            out.write(SETTINGS.format(state=self.state, starttls="YES" if self._certificate else "NO"))
        if self._certificate is not None:
            with open(self.state + "/certificate.pem", "w", encoding="ascii") as out:
                for path in self._certificate:
                    with open(path, encoding="ascii") as part:
                        out.write(part.read())
        # The packages would have made this user.
        self._mounts = accounts(self.state, {"courier": (8998, 8998, "/nonexistent", "*")}, {"courier": 8998})

    def launch(self):
        more = "".join(lines.format(port=port) for lines, port in ((IMAPS, self.tls_port), (POP3, self.pop_port),
                                                                   (POP3S, self.pop_tls_port)) if port)
        script = SCRIPT.format(host=HOST, port=self.port, connections=self._connections, more=more)
        return Jail(self.state, script, tree="courier", mounts=self._mounts)


def main():
    with Courier() as server:
        print(f"port={server.port} state={server.state}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
