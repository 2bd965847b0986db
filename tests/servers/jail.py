"""
Runs a server that expects the machine for itself: it sees other mounts and no other processes.

    with Jail(state, 'exec couriertcpd 1143 ...', tree="courier", mounts={state + "/etc": "/etc/courier"}) as jail:
        ... jail.alive(), jail.log() ...

A shell script runs as process 1 of a namespace of its own. `tree` names a folder of unpacked packages, which
./dev test makes; it is laid over /usr there, so that its programs find their files where they were compiled to
look for them. What is sent to /dev/log is kept here. When the script, or the thread that started it, ends, all
processes in there end. Leaves to others what the script runs, and when the server is ready.
"""
import collections
import ctypes
import os
import signal
import socket
import subprocess
import threading

LOG_LINES = 400
_NODES = ("null", "zero", "full", "random", "urandom", "tty")

# The first process; "$1" is the state folder. Its /dev is the machine's but for the log.
_SETUP = """\
set -e
mount --make-rprivate /
mkdir -p "$1/dev"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for node in {nodes}; do touch "$1/dev/$node"; mount --bind "/dev/$node" "$1/dev/$node"; done
mkdir "$1/dev/shm" "$1/dev/pts"
mount --rbind /dev/shm "$1/dev/shm"
ln -s /proc/self/fd "$1/dev/fd"
touch "$1/dev/log"
mount --bind "$1/log.socket" "$1/dev/log"
mount --move "$1/dev" /dev
{mounts}
set +e
"""


class Unavailable(Exception):
    """Such a server cannot be run here; says why."""


def unpacked(name):
    """The folder of the packages that ./dev unpacked under this name; raises Unavailable."""
    cache = os.environ.get("MAILHAUL_TEST_SERVERS") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "mailhaul-test-servers")
    tree = os.path.join(cache, name)
    if not os.path.exists(tree + "/complete"):
        raise Unavailable(f"{name} is not unpacked in {cache}: ./dev test does it, as root on a Debian")
    return tree


def _end_with_parent():
    """In the child: asks the kernel to kill it when the thread that started it is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Jail:
    """A running script; end() or `with` ends it."""

    def __init__(self, state, script, tree=None, mounts=None):
        """
        state: folder for its output; short, because of the length of a socket's name.
        mounts: what to show in place of what: {shown: hidden}.
        """
        if os.geteuid() != 0:
            raise Unavailable("this server needs root, for private mounts and for its mail's owner")
        self.state = state
        self._lines = collections.deque(maxlen=LOG_LINES)
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = state + "/log.socket"
        if os.path.exists(path):
            os.unlink(path)
        self._log.bind(path)
        os.chmod(path, 0o666)
        threading.Thread(target=self._collect, daemon=True).start()
        steps = [f"mount --bind '{shown}' '{hidden}'" for shown, hidden in (mounts or {}).items()]
        if tree is not None:
            steps.insert(0, f"mount -t overlay -o 'lowerdir={unpacked(tree)}/usr:/usr' overlay /usr")
        # Not exec: a program that gives up root would lose the kernel's promise to end it.
        text = _SETUP.format(nodes=" ".join(_NODES), mounts="\n".join(steps)) + script + "\nwait\n"
        with open(state + "/console.log", "ab") as console:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", text, "sh", state],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                preexec_fn=_end_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def alive(self):
        return self._process.poll() is None

    def end(self):
        """Kills everything in there; on return it is gone."""
        pid = self._process.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                for first in children.read().split():
                    os.kill(int(first), signal.SIGKILL)  # the kernel ends the others before it tells its parent
        except OSError:
            self._process.kill()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        try:
            self._log.shutdown(socket.SHUT_RDWR)  # wakes the collector
        except OSError:
            pass
        self._log.close()

    def log(self):
        """What it said, on its console and to the log."""
        with open(self.state + "/console.log", encoding="utf-8", errors="replace") as console:
            return console.read()[-8000:] + "\n".join(self._lines)

    def _collect(self):
        while True:
            try:
                line = self._log.recv(65536)
            except OSError:
                return
            if not line:
                return
            self._lines.append(line.decode("utf-8", "replace").rstrip("\0\n"))


def password_hash(password):
    """As it stands in a shadow file."""
    done = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password.encode() + b"\n", capture_output=True,
                          check=True)
    return done.stdout.decode().strip()


def accounts(state, users, groups=()):
    """
    Writes copies of the machine's user files to state/etc, with users of our own added; returns mounts for them.

    users: {name: (uid, gid, home, password hash)}.  groups: {name: gid}.
    """
    os.makedirs(state + "/etc", exist_ok=True)
    shown = {}
    for name in ("passwd", "group", "shadow"):
        with open("/etc/" + name, encoding="utf-8") as old:
            lines = [line for line in old if line.split(":")[0] not in users]
        if name == "passwd":
            lines += [f"{user}:x:{uid}:{gid}::{home}:/bin/sh\n" for user, (uid, gid, home, _) in users.items()]
        elif name == "shadow":
            lines += [f"{user}:{secret}:19000:0:99999:7:::\n" for user, (_, _, _, secret) in users.items()]
        else:
            lines += [f"{group}:x:{gid}:\n" for group, gid in dict(groups).items()]
        path = f"{state}/etc/{name}"
        with open(path, "w", encoding="utf-8") as new:
            new.writelines(lines)
        os.chmod(path, 0o600 if name == "shadow" else 0o644)
        shown[path] = "/etc/" + name
    return shown
