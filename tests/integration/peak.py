"""
How much memory a run takes at its peak.
"""
import sys

LIMIT_KIB = 64 << 10
# Reports the peak memory of a command on its way out: a shell's own figure would hide it.
PEAK = """
import os, sys
child = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(child, 0)
open(sys.argv[1], "w").write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


def peak_of(bench, *options, wrap=()):
    """A run of `bench`, and its peak memory in KiB."""
    told = bench.folder + "/peak"
    result = bench.run(*options, wrap=tuple(wrap) + (sys.executable, "-c", PEAK, told), timeout=300)
    with open(told, encoding="ascii") as file:
        return result, int(file.read())
