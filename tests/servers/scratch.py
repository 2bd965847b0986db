"""
Where tests keep their files: a fresh folder per use, removed by whoever made it.

Knows the choice of place only. A RAM disk is preferred, because thousands of small files and
fsyncs make a test wait for the disk and not for the program; MAILHAUL_TEST_DIR overrides it.
"""
import os
import shutil
import tempfile

ROOM_WANTED = 6 << 30


def base():
    """Folder in which scratch folders are made."""
    chosen = os.environ.get("MAILHAUL_TEST_DIR")
    if chosen:
        return chosen
    try:
        shm = os.statvfs("/dev/shm")
        with open("/proc/meminfo", encoding="ascii") as info:
            free = next(int(line.split()[1]) << 10 for line in info if line.startswith("MemAvailable"))
        if min(shm.f_bavail * shm.f_frsize, free) >= ROOM_WANTED and os.access("/dev/shm", os.W_OK):
            return "/dev/shm"
    except (OSError, StopIteration):
        pass
    return tempfile.gettempdir()


class Scratch:
    """A folder of mode 755 with a short name: unix sockets of servers live in it, and mail users reach it."""

    def __init__(self, prefix="mh-"):
        self.path = tempfile.mkdtemp(prefix=prefix, dir=base())
        os.chmod(self.path, 0o755)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
