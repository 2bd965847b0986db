#!/usr/bin/env python3
"""
A private Cyrus on loopback, from packages unpacked beside the installed ones.

    with Cyrus(classic=True, pop3=True) as server:
        ... server.port, server.pop_port ...

Users "u1" to "u60" have the password "pass"; "uquota" may store 200 KiB; "admin" with the password "adminpass"
sees all mail and may act for anyone. Run as a program it says where it listens, until its input ends.
"""
import imaplib
import os
import subprocess
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.jail import Jail, unpacked
from servers.ports import HOST
from servers.private import MAIL_USER, PASSWORD, USERS, PrivateServer

BIN = "/usr/lib/cyrus/bin"

SETTINGS = """\
cyrus_user: {owner}
servername: {token}
configdirectory: {state}/lib
defaultpartition: default
partition-default: {state}/spool
proc_path: {state}/proc
mboxname_lockpath: {state}/lock
lmtpsocket: {state}/sock/lmtp
idlesocket: {state}/sock/idle
notifysocket: {state}/sock/notify
sievedir: {state}/sieve
admins: admin
proxyservers: admin
allowplaintext: yes
altnamespace: {modern}
unixhierarchysep: {modern}
autocreate_quota: 0
autocreate_quota_messages: -1
maxmessagesize: 0
skiplist_unsafe: yes
specialusealways: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {state}/sasldb2
sasl_mech_list: {mechanisms}
syslog_prefix: cyrus
{tls}"""

SERVICES = """\
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {state}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {state}/imapd.conf -U 100" listen="{host}:{port}" prefork=1 maxchild=200
{more}}}
DAEMON {{
  idled cmd="{bin}/idled -C {state}/imapd.conf"
}}
EVENTS {{
  checkpoint cmd="{bin}/ctl_cyrusdb -C {state}/imapd.conf -c" period=30
}}
"""

SERVICE = """\
  {name} cmd="{bin}/{program} -C {state}/imapd.conf {flag}-U 100" listen="{host}:{port}" prefork=0 maxchild=100
"""


class Cyrus(PrivateServer):
    """See the head of this file; `separator` and `prefix` are what its users see."""

    kind = "cyrus"

    def __init__(self, classic=False, certificate=None, mechanisms="PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256",
                 pop3=False):
        """classic: folders as INBOX.Archive.2019 instead of Archive/2019."""
        super().__init__(certificate, pop3)
        self._classic, self._mechanisms = classic, mechanisms
        self.separator, self.prefix = (".", "INBOX.") if classic else ("/", "")

    def prepare(self):
        tree = unpacked("cyrus")
        for name in ("spool", "sock", "proc", "lock", "sieve", "lib/db", "lib/socket", "lib/log", "lib/msg", "lib/quota",
                     "lib/user"):
            os.makedirs(f"{self.state}/{name}")
        # A user's secret is only found under the name that the server gives itself.
        for user, password in [(user, PASSWORD) for user in USERS + ["uquota"]] + [("admin", "adminpass"),
                                                                                 ("probe", self.token)]:
            subprocess.run([tree + "/usr/sbin/saslpasswd2", "-p", "-c", "-f", self.state + "/sasldb2", "-u", self.token,
                            user], input=password.encode(), check=True, capture_output=True)
        for folder, _, files in os.walk(self.state):
            if folder != self.state:
                os.chown(folder, self.uid, self.gid)
        os.chown(self.state + "/sasldb2", self.uid, self.gid)

    def launch(self):
        tls = ""
        if self._certificate is not None:
            tls = "tls_server_cert: {}\ntls_server_key: {}\n".format(*self._certificate)
        with open(self.state + "/imapd.conf", "w", encoding="ascii") as out:
            out.write(SETTINGS.format(owner=MAIL_USER, token=self.token, state=self.state, tls=tls,
                                      modern="no" if self._classic else "yes", mechanisms=self._mechanisms))
        with open(self.state + "/cyrus.conf", "w", encoding="ascii") as out:
            more = "".join(SERVICE.format(name=name, program=program, bin=BIN, state=self.state, flag=flag, host=HOST,
                                          port=port)
                           for name, program, flag, port in (("imaps", "imapd", "-s ", self.tls_port),
                                                             ("pop3", "pop3d", "", self.pop_port),
                                                             ("pop3s", "pop3d", "-s ", self.pop_tls_port))
                           if port)
            out.write(SERVICES.format(bin=BIN, state=self.state, host=HOST, port=self.port, more=more))
        return Jail(self.state, f"CYRUS_USER={MAIL_USER} {BIN}/master -C '{self.state}/imapd.conf' "
                                f"-M '{self.state}/cyrus.conf' -p '{self.state}/master.pid' -D", tree="cyrus")

    def start(self):
        super().start()
        with imaplib.IMAP4(HOST, self.port) as imap:
            imap.login("admin", "adminpass")
            mailbox = f"user{self.separator}uquota"
            imap.create(mailbox)
            imap.setquota(mailbox, "(STORAGE 200)")


def main():
    with Cyrus("--classic" in sys.argv[1:]) as server:
        print(f"port={server.port} state={server.state}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
