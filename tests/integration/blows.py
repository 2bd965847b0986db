"""
Blows that hit a run: each of these gives a function of a trial (disturb.py) that runs mailhaul once, disturbed, and
returns how that ended. What must hold thereafter is the trial's affair.
"""
import threading

from disturb import KILL_AT, NO_LEAKS, PopInbox
from harness import SLOWNESS
from servers.proxy import CutAfter, Hold, Meter

BYE = b"* BYE Server shutting down.\r\n"


def killed_after_deed(n):
    """Killed, by kill-at, when the n-th command was sent, or change of the state or of a tree written."""
    return lambda trial: trial.run(wrap=("env", NO_LEAKS, KILL_AT, str(n), trial.watched()))


def killed_before_command(n):
    """Killed when both servers have got n - 1 commands between them, and not an octet more."""
    def blow(trial):
        meter = Meter(n, trial.bench.kill)
        with trial.relayed({"stop": meter}, {"stop": meter}):
            return trial.run()
    return blow


def killed_after(seconds):
    """Killed at an instant, wherever it is then."""
    return lambda trial: trial.run(kill_after=seconds)


def cut_before_command(n):
    """Likewise cut off, and the run goes on."""
    def blow(trial):
        plain = {"stop": Meter(n)}
        draining = dict(plain, drains=True)
        with trial.relayed(plain if isinstance(trial.source, PopInbox) else draining, draining):
            return trial.run()
    return blow


def cut_after_octets(side, who, n, each=False):
    """
    Cut when `who` has sent n octets on a connection to this side; each: every connection, not the first alone, until
    the run gives up, or is killed.
    """
    def blow(trial):
        relay = {"cut_after_octets": (who, n, "each") if each else (who, n), "drains": True}
        with trial.relayed(relay if side == 1 else None, relay if side == 2 else {}):
            return trial.run(kill_after=4 * SLOWNESS if each else None)
    return blow


def cut_after_answer(side, n, bye=b""):
    """Cut when this side has given n answers over all connections; bye: what is said in the next one's place."""
    def blow(trial):
        relay = {"edit": CutAfter(n, bye), "drains": True}
        with trial.relayed(relay if side == 1 else None, relay if side == 2 else {}):
            return trial.run()
    return blow


def unanswered_append(n, *options):
    """The n-th APPEND is stored, its answer lost, and with it the connection."""
    def blow(trial):
        with trial.relayed(None, {"cut_before_answer": ("APPEND", n), "drains": True}) as (_, relay):
            result = trial.run(*options)
            # How many there are is a matter of how fast mail comes.
            assert relay.cuts == 1 or n > 1 or len(trial.told) > 1, f"no answer to APPEND came\n{result.told()}"
            return result
    return blow


def restarted(side, n):
    """The server of this side goes away when it gets the n-th command, and comes back."""
    def blow(trial):
        server = (trial.source if side == 1 else trial.destination).server
        back = threading.Event()

        def restart():
            server.restart()
            back.set()
        meter = Meter(n, restart)
        with trial.relayed({"stop": meter} if side == 1 else None, {"stop": meter} if side == 2 else {}):
            # It may be the last command, to which no run waits for an answer.
            return trial.run(grace=True, then=lambda: meter.count < n or back.wait(60 * SLOWNESS))
    return blow


def rerun_while_storing(n, stage):
    """
    Killed in the n-th APPEND, of which the server has the beginning; a further run begins at once, and when it has said
    `stage` commands to the destination, the server gets the rest of what the killed one had sent.
    """
    def blow(trial):
        hold = Hold("APPEND", n, trial.bench.kill)
        with trial.relayed(None, {"hold": hold}):
            first = trial.run()
            if not hold.begins:
                return first
            with trial.relayed(None, {"noticed": Meter(stage, hold.let_go)}):
                second = trial.run(grace=True)
            hold.let_go()
            assert hold.passed.wait(60 * SLOWNESS), "what was held has not been passed on"
        assert second.code == 0, trial._shown("the run that began at once fails")
        return second
    return blow
