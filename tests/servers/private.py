"""
What Cyrus, Courier, Mailutils and popa3d as private servers have in common: a scratch folder, free ports, a jail,
users "u1" to "u60" with the password "pass", and starting until the server that answers is our own.

Each kind says in a subclass how it is set up. What mail it holds, and what a test does, is left to others.
"""
import imaplib
import os
import poplib
import pwd
import time

from servers.ports import HOST, free_ports
from servers.scratch import Scratch

PASSWORD = "pass"
MAIL_USER = "mail"
USERS = [f"u{number}" for number in range(1, 61)]


class PrivateServer:
    """
    One server; start() by `with`. Attributes: state (its folder), port (IMAP), tls_port (IMAPS), pop_port, and
    pop_tls_port (POP3S); a port where it does not listen is 0.
    """

    kind = None  # subclasses: its name
    imap = True  # subclasses: whether it speaks IMAP

    def __init__(self, certificate=None, pop3=False):
        """
        certificate: (certificate file, key file) for STARTTLS, IMAPS, STLS and POP3S, where the kind is set up for it.
        pop3: whether the same mail is served by POP3, too.
        """
        self._certificate, self._pop3 = certificate, pop3
        self._scratch = self._jail = None
        self.state = None
        self.port = self.tls_port = self.pop_port = self.pop_tls_port = 0

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
                self._choose_ports()
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

    def _choose_ports(self):
        port, tls_port, pop_port, pop_tls_port = free_ports(4)
        if self.imap:
            self.port = port
            self.tls_port = tls_port if self._certificate is not None else 0
        if self._pop3:
            self.pop_port = pop_port
            self.pop_tls_port = pop_tls_port if self._certificate is not None else 0

    def _lets_us_in(self):
        """Whether it does by each of its protocols."""
        end = time.monotonic() + 30
        left = ([self._imap_login] if self.port else []) + ([self._pop_login] if self.pop_port else [])
        while left and self._jail.alive() and time.monotonic() < end:
            try:
                left[0]()
                left.pop(0)
                continue
            except (imaplib.IMAP4.abort, OSError, EOFError):
                pass
            except (imaplib.IMAP4.error, poplib.error_proto) as error:
                if not str(error):
                    continue  # the connection ended before the greeting
                return False  # another's
            time.sleep(0.02)
        return not left

    def _imap_login(self):
        with imaplib.IMAP4(HOST, self.port, timeout=10) as imap:
            imap.login("probe", self.token)

    def _pop_login(self):
        pop = poplib.POP3(HOST, self.pop_port, timeout=10)
        try:
            pop.user("probe")
            pop.pass_(self.token)
            pop.quit()
        finally:
            pop.close()
