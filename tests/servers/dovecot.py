#!/usr/bin/env python3
"""
A private Dovecot on loopback: own configuration, ports, users and mail in a scratch folder.

    with Dovecot(separator=".", prefix="INBOX.") as server:
        ... server.port, server.tls_port, server.maildir("u1") ...
    with Dovecot(pop3=True) as server:
        ... server.pop_port, server.pop_tls_port ...

Any user whose name begins with "u" has the password "pass"; "uquota" may store 200 KiB. As root the
mail belongs to an unprivileged user; otherwise everything runs as whoever started it. What the
clients of a test do, and how mail gets in, is left to others.

From a shell it runs until its input ends or a signal comes, and says where it listens:

    dovecot.py [--separator .] [--prefix INBOX.] [--format maildir|sdbox] [--capability "..."] [--tls DIR]
"""
import argparse
import ctypes
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.certificates import Authority
from servers.ports import HOST, free_ports
from servers.scratch import Scratch

PASSWORD = "pass"
MAIL_USER = "mail"

# What a server without any of the extensions that make a sync fast or safe says of itself.
BARE_CAPABILITY = "IMAP4rev1 SASL-IR ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE LIST-EXTENDED SPECIAL-USE"

CONFIGURATION = """\
base_dir = {state}/run
state_dir = {state}/state
log_path = {state}/dovecot.log
instance_name = {token}
login_greeting = {token} ready
protocols = {protocols}
listen = {host}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}
mail_location = {location}
mail_fsync = {fsync}
mail_max_userip_connections = 1000
maildir_very_dirty_syncs = no
default_client_limit = 2000
default_vsz_limit = 2G
auth_mechanisms = plain login
auth_failure_delay = 0
auth_verbose = no
disable_plaintext_auth = no
mail_plugins = {plugins}
{tls}
passdb {{
  driver = static
  username_filter = u*
  args = password={password}
}}
userdb {{
  driver = passwd-file
  args = {state}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={state}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
{special_use}}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=0
}}
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
  imap_metadata = no
{imap}}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = 1
  client_limit = 500
{chroot}}}
service imap {{
  process_limit = 500
}}
{pop3}# Who fails to log in is not made to wait the longer each time: tests fail on purpose.
service anvil {{
{anvil}  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{services}
"""

POP3 = """\
service pop3-login {{
  inet_listener pop3 {{
    port = {pop_port}
  }}
  inet_listener pop3s {{
    port = {pop_tls_port}
    ssl = yes
  }}
  service_count = 0
  client_limit = 500
{chroot}}}
service pop3 {{
  process_limit = 500
}}
"""


def _end_with_parent():
    """In the child: asks the kernel to end it when the thread that started it is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Dovecot:
    """
    One server; start() by `with`. Attributes: state (its folder), port, tls_port, pop_port, pop_tls_port; a port where
    it does not listen is 0.
    """

    def __init__(self, separator="/", prefix="", format="maildir", capability=None, certificate=None,
                 special_use=(), fsync="never", rawlog=False, settings="",
                 pop3=False):
        """
        capability: replaces what the server says it can; None leaves it alone.
        certificate: (certificate file, key file) for implicit TLS and STARTTLS.
        pop3: whether the same mail is served by POP3, too, and by POP3S and STLS with a certificate.
        special_use: folder names that carry the attribute of the same name, such as "Sent".
        rawlog: keeps what each connection says in state/rawlog.  settings: more configuration.
        """
        self.separator, self.prefix, self.format = separator, prefix, format
        self._capability, self._certificate = capability, certificate
        self._special_use, self._fsync, self._rawlog, self._settings = special_use, fsync, rawlog, settings
        self._pop3 = pop3
        self._scratch = self._process = None
        self.state = None
        self.port = self.tls_port = self.pop_port = self.pop_tls_port = 0
        if os.geteuid() == 0:
            owner = pwd.getpwnam(MAIL_USER)
            self.uid, self.gid = owner.pw_uid, owner.pw_gid
        else:
            self.uid, self.gid = os.geteuid(), os.getegid()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts it, waiting until it greets. Ports are chosen afresh if another took them meanwhile."""
        self._scratch = Scratch("dc-")
        self.state = self._scratch.path
        os.mkdir(self.state + "/mail")
        os.mkdir(self.state + "/rawlog")
        for name in ("mail", "rawlog"):
            os.chown(f"{self.state}/{name}", self.uid, self.gid)
        with open(self.state + "/users", "w", encoding="ascii") as users:
            users.write(f"uquota::{self.uid}:{self.gid}::{self.state}/mail/uquota::"
                        "userdb_quota_rule=*:storage=200K\n")
        for _ in range(10):
            self.port, self.tls_port, self.pop_port, self.pop_tls_port = free_ports(4)
            self._write_configuration()
            self._start_process()
            if self._wait_for_greeting():
                if self._certificate is None:
                    self.tls_port = self.pop_tls_port = 0
                if not self._pop3:
                    self.pop_port = self.pop_tls_port = 0
                return
            self._end_process()
        log = self.log()
        self.stop()
        raise RuntimeError("dovecot does not start:\n" + log)

    def restart(self):
        """
        Ends all sessions where they stand, and starts again on the same ports with the same mail.

        Waits until it greets. In between nobody listens: the ports are ours as long as nobody takes them.
        """
        self._end_process()
        for _ in range(50):
            self._start_process()
            if self._wait_for_greeting():
                return
            self._end_process()
        raise RuntimeError("dovecot does not start again:\n" + self.log())

    def stop(self):
        self._end_process()
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def home(self, user):
        return f"{self.state}/mail/{user}"

    def maildir(self, user):
        """The root of a user's tree on disk (format maildir)."""
        return self.home(user) + "/Maildir"

    def adopt(self, user):
        """Makes files that were written beside the server the property of the mail user."""
        if os.geteuid() != 0:
            return
        for folder, _, files in os.walk(self.home(user)):
            os.chown(folder, self.uid, self.gid)
            for name in files:
                os.chown(os.path.join(folder, name), self.uid, self.gid)

    def forget(self, user):
        """Removes a user's mail."""
        shutil.rmtree(self.home(user), ignore_errors=True)

    def log(self):
        text = ""
        for name in ("console.log", "dovecot.log"):
            try:
                with open(f"{self.state}/{name}", encoding="utf-8", errors="replace") as lines:
                    text += lines.read()
            except OSError:
                pass
        return text

    def sessions(self, user, protocol="imap"):
        """How many sessions of this user are open, by the server's own count (its anvil process)."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(30)
            sock.connect(self.state + "/run/anvil")
            sock.sendall(f"VERSION\tanvil\t1\t0\nLOOKUP\t{protocol}/{HOST}/{user}\n".encode())
            return int(sock.makefile("rb").readline())

    def wait_until_idle(self, user, timeout=60):
        """
        Waits until no session of this user is left: whatever a dead client had sent is stored then.

        The server works through its input after the client is gone, and tells nobody when it is done.
        Asked twice: what a session told of itself may still be on its way to who counts.
        """
        end = time.monotonic() + timeout
        kinds = ("imap", "pop3") if self._pop3 else ("imap",)
        while any(self.sessions(user, kind) > 0 for kind in kinds * 2):
            if time.monotonic() > end:
                raise RuntimeError(f"a session of {user} does not end")
            time.sleep(0.005)

    def _write_configuration(self):
        root = os.geteuid() == 0
        me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        self._token = f"haul-{os.getpid()}-{self.port}"
        location = {"maildir": "maildir:~/Maildir", "sdbox": "sdbox:~/sdbox", "mdbox": "mdbox:~/mdbox"}
        tls = "ssl = no"
        if self._certificate is not None:
            tls = "ssl = yes\nssl_cert = <{}\nssl_key = <{}".format(*self._certificate)
        imap = f"  imap_capability = {self._capability}\n" if self._capability else ""
        if self._rawlog:
            imap += f"  rawlog_dir = {self.state}/rawlog\n"
        chroot = "" if root else "  chroot =\n"
        pop3 = POP3.format(pop_port=self.pop_port, chroot=chroot,
                           pop_tls_port=self.pop_tls_port if self._certificate is not None else 0)
        rootless = "".join(f"service {name} {{\n  chroot =\n  user = {me}\n}}\n"
                           for name in ("stats", "ipc", "old-stats", "director"))
        with open(self.state + "/dovecot.conf", "w", encoding="utf-8") as out:
            out.write(CONFIGURATION.format(
                state=self.state, host=HOST, port=self.port, token=self._token, password=PASSWORD,
                tls_port=self.tls_port if self._certificate is not None else 0,
                internal_user="dovecot" if root else me, internal_group="dovecot" if root else group,
                login_user="dovenull" if root else me, uid=self.uid, gid=self.gid,
                location=location[self.format], fsync=self._fsync, plugins="quota", tls=tls,
                separator=self.separator, prefix=self.prefix, imap=imap,
                anvil="" if root else f"  chroot =\n  user = {me}\n",
                protocols="imap pop3" if self._pop3 else "imap", pop3=pop3 if self._pop3 else "",
                chroot=chroot, services="" if root else rootless,
                special_use="".join(f"  mailbox {name} {{\n    special_use = \\{name}\n  }}\n"
                                    for name in self._special_use)) + self._settings)

    def _start_process(self):
        with open(self.state + "/console.log", "ab") as console:
            # The kernel means the thread that starts it, and others may be gone before their server is.
            ends = _end_with_parent if threading.current_thread() is threading.main_thread() else None
            self._process = subprocess.Popen(
                ["dovecot", "-F", "-c", self.state + "/dovecot.conf"], stdin=subprocess.DEVNULL,
                stdout=console, stderr=console, start_new_session=True, preexec_fn=ends)

    def _wait_for_greeting(self):
        """Whether our own server greets: another's on the same port would show another token."""
        end = time.monotonic() + 30
        left = [self.port] + ([self.pop_port] if self._pop3 else [])
        while left and self._process.poll() is None and time.monotonic() < end:
            try:
                with socket.create_connection((HOST, left[0]), timeout=10) as sock:
                    if self._token.encode() not in sock.makefile("rb").readline():
                        return False
                left.pop(0)
            except OSError:
                time.sleep(0.01)
        return not left

    def _end_process(self):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(0.3)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)  # a group of its own; its mail goes anyway
                self._process.wait()
        self._process = None


def main():
    parser = argparse.ArgumentParser(description="Runs a private Dovecot until its input ends.")
    parser.add_argument("--separator", default="/")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--format", default="maildir", choices=("maildir", "sdbox", "mdbox"))
    parser.add_argument("--capability")
    parser.add_argument("--tls", metavar="DIR", help="makes an authority and a certificate there")
    chosen = parser.parse_args()
    certificate = Authority(chosen.tls).issue() if chosen.tls else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Dovecot(chosen.separator, chosen.prefix, chosen.format, chosen.capability, certificate) as server:
        print(f"port={server.port} tls_port={server.tls_port} state={server.state}", flush=True)
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
