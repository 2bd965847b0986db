"""
What Cyrus, Courier and Mailutils as private servers have in common: a scratch folder, free ports, a jail, users
"u1" to "u60" with the password "pass", and starting until the server that answers is our own.

Each kind says in a subclass how it is set up. Mail gets in by APPEND; what a test does is left to it.
"""
import imaplib
import os
import pwd
import time

from servers.ports import HOST, free_ports
from servers.scratch import Scratch

PASSWORD = "pass"
MAIL_USER = "mail"
USERS = [f"u{number}" for number in range(1, 61)]


class PrivateServer:
    """One server; start() by `with`. Attributes: port, state (its folder)."""

    kind = None  # subclasses: its name

    def __init__(self, certificate=None):
        """certificate: (certificate file, key file) for STARTTLS, where the kind is set up for it."""
        self._certificate = certificate
        self._scratch = self._jail = None
        self.state = None
        self.port = self.tls_port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def prepare(self):
        """Writes what does not depend on the port."""
        raise NotImplementedError

    def launch(self):
        """Writes the rest; returns the jail in which it runs."""
        raise NotImplementedError

    def start(self):
        """Starts it, waiting until it lets our own user in: nobody else's server knows that one."""
        self._scratch = Scratch(self.kind[:2] + "-")
        self.state = self._scratch.path
        self.token = f"haul{os.getpid()}x{os.path.basename(self.state)[3:].replace('_', '0')}".lower()
        try:
            owner = pwd.getpwnam(MAIL_USER)
            self.uid, self.gid = owner.pw_uid, owner.pw_gid
            self.prepare()
            for _ in range(10):
                self.port = free_ports(1)[0]
                self._jail = self.launch()
                if self._lets_us_in():
                    return
                log = self._jail.log()
                self._jail.end()
            raise RuntimeError(f"{self.kind} does not start:\n{log}")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self._jail is not None:
            self._jail.end()
            self._jail = None
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def log(self):
        return self._jail.log() if self._jail else ""

    def _lets_us_in(self):
        end = time.monotonic() + 30
        while self._jail.alive() and time.monotonic() < end:
            try:
                with imaplib.IMAP4(HOST, self.port, timeout=10) as imap:
                    imap.login("probe", self.token)
                    return True
            except imaplib.IMAP4.abort:
                pass
            except imaplib.IMAP4.error:
                return False  # another's
            except OSError:
                pass
            time.sleep(0.02)
        return False
