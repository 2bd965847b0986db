"""
What one run of a client costs, it and the servers it talks to.

Client: wall time, CPU and peak memory, by the program meter. Servers: CPU time of their process
trees, and octets in and out by the log lines of their sessions (with COMPRESS these are octets
before compression). Nothing is read while the client runs.
"""
import dataclasses
import os
import re
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Cost:
    wall: float          # s
    cpu: float           # s
    peak: int            # octets
    status: int
    server_cpu: list     # s, per server
    octets_in: list      # to each server
    octets_out: list     # from each server
    output: str

    def __str__(self):
        return f"{self.wall:.3f} s"


class Meter:
    """Measures clients of these servers, one at a time."""

    def __init__(self, program, servers, scratch, limit_s=900):
        self._program, self._servers, self._scratch, self._limit_s = program, servers, scratch, limit_s

    def run(self, command, environment=None):
        logs = [_Log(server) for server in self._servers]
        before = [_tree_cpu(_pid(server)) for server in self._servers]
        figures = self._scratch + "/figures"
        with open(self._scratch + "/output", "w+b") as output:
            subprocess.run([self._program, figures, str(self._limit_s)] + command, stdin=subprocess.DEVNULL,
                           stdout=output, stderr=subprocess.STDOUT, check=True,
                           env=dict(os.environ, **(environment or {})))
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        octets = [log.octets() for log in logs]
        after = [_tree_cpu(_pid(server)) for server in self._servers]
        with open(figures, encoding="ascii") as line:
            wall, user, system, peak, status = (int(word) for word in line.read().split())
        return Cost(wall / 1e6, (user + system) / 1e6, peak * 1024, status,
                    [then - first for first, then in zip(before, after)],
                    [pair[0] for pair in octets], [pair[1] for pair in octets], text)


def _pid(server):
    with open(server.state + "/run/master.pid", encoding="ascii") as line:
        return int(line.read())


def _tree_cpu(root):
    """CPU seconds of a process, its descendants, and those of them that are gone."""
    parents, times = {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as line:
                fields = line.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(name)] = int(fields[1])
        times[int(name)] = sum(int(field) for field in fields[11:15])
    total = 0
    for pid, ticks in times.items():
        above = pid
        while above not in (root, 0, None):
            above = parents.get(above)
        total += ticks if above == root else 0
    return total / TICK


class _Log:
    """The part of a server's log that grows from now on."""

    def __init__(self, server):
        self._path = server.state + "/dovecot.log"
        self._start = os.path.getsize(self._path) if os.path.exists(self._path) else 0

    def octets(self):
        """Waits until all who logged in are gone; returns octets received and sent."""
        deadline = time.monotonic() + 30
        while True:
            text = self._read()
            logins = len(re.findall(r"imap-login: .*Login: user=", text))
            ends = re.findall(r"imap\([^\n]*\bin=(\d+) out=(\d+)", text)
            if len(ends) >= logins or time.monotonic() > deadline:
                return sum(int(end[0]) for end in ends), sum(int(end[1]) for end in ends)
            time.sleep(0.002)

    def _read(self):
        try:
            with open(self._path, encoding="utf-8", errors="replace") as log:
                log.seek(self._start)
                return log.read()
        except FileNotFoundError:
            return ""
