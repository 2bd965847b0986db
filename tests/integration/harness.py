"""
What integration tests share: running mailhaul, checking what it says of itself, naming cases.

    @case
    def a_second_run_appends_nothing():
        ...
    if __name__ == "__main__":
        run_cases()

Cases print TAP. A run's report is parsed from --json, and its accounting identity is checked here
and nowhere else. The program under test is $MAILHAUL, or build/core/mailhaul of this tree.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import reader
from servers.dovecot import BARE_CAPABILITY, HOST, PASSWORD, Dovecot
from servers.scratch import Scratch

PROGRAM = os.environ.get("MAILHAUL", os.path.join(TREE, "build", "core", "mailhaul"))
PLUGINS = os.environ.get("MAILHAUL_PLUGIN_PATH", os.path.join(TREE, "build", "plugins"))
OUTCOMES = ("copied", "already there", "duplicate", "filtered", "too big", "refused", "unfetchable", "failed")
# A server killed together with its client's connection may still be storing; where a test has waited
# for it to be done, mailhaul need not.
NO_GRACE = ("--grace", "0")

LONG = "--long" in sys.argv or bool(os.environ.get("MAILHAUL_TEST_LONG"))
SHORT = bool(os.environ.get("MAILHAUL_TEST_SHORT"))  # sanitizers: the same cases on less mail
SLOWNESS = float(os.environ.get("MAILHAUL_TEST_SLOWNESS", "1"))  # scales every deadline


class Skip(Exception):
    """Raised by a case that cannot be tried here; says why."""


class Imap:
    """A side of a run: a user of a private server, or of a relay in front of it."""

    def __init__(self, server, user, port=None, password=PASSWORD, tls=None, starttls=False, host=HOST):
        """tls: the authority's certificate for implicit TLS, or, with `starttls`, for the upgrade."""
        self.server, self.user, self.password, self.host = server, user, password, host
        self.tls, self.starttls = tls, starttls
        self.port = port or (server.tls_port if tls and not starttls else server.port)

    def options(self, side, folder):
        """The command line of this side; the password goes into a file of `folder`."""
        secret = os.path.join(folder, f"password{side}")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(self.password + "\n")
        options = [f"--host{side}", self.host, f"--port{side}", str(self.port), f"--user{side}", self.user,
                   f"--passfile{side}", secret]
        if self.tls is None:
            return options + [f"--nossl{side}", f"--notls{side}"]
        options += [f"--nossl{side}", f"--tls{side}"] if self.starttls else [f"--ssl{side}"]
        return options + ([f"--tls-ca{side}", self.tls] if self.tls != "untrusted" else [])

    def snapshot(self):
        return reader.read_imap(HOST, self.server.port, self.user, PASSWORD)

    def settle(self):
        """Waits until the server is done with what earlier sessions sent."""
        self.server.wait_until_idle(self.user)

    def forget(self):
        self.server.forget(self.user)


class Maildir:
    """A side of a run: a tree on disk."""

    def __init__(self, path):
        self.path = path

    def options(self, side, _folder):
        return [f"--backend{side}", "maildir", f"--path{side}", self.path]

    def snapshot(self):
        return reader.read_maildir(self.path)

    def settle(self):
        pass

    def forget(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Result:
    """How a run ended: code (negative: by that signal), out, err, events (of --json), seconds."""

    def __init__(self, arguments, code, out, err, seconds):
        self.arguments, self.code, self.out, self.err, self.seconds = arguments, code, out, err, seconds
        self.events = []
        for line in out.splitlines():
            if line.startswith("{"):
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    pass

    def totals(self):
        """The final report's numbers: "source" and each of OUTCOMES."""
        for event in reversed(self.events):
            found = _find_totals(event)
            if found is not None:
                return found
        for line in reversed(self.out.splitlines()):
            sentence = re.match(r"(\d+) at the source = (.*)", line)
            if sentence:
                terms = dict(reversed(term.strip().split(" ", 1)) for term in sentence.group(2).split(" + "))
                return dict({name: int(terms.get(name, 0)) for name in OUTCOMES}, source=int(sentence.group(1)))
        raise AssertionError("no final report with totals in the output:\n" + self.told())

    def error_lines(self):
        return [line for line in self.err.splitlines() if line.strip()]

    def told(self):
        return (f"$ {' '.join(self.arguments)}\nexit code {self.code} after {self.seconds:.2f} s\n"
                f"--- output\n{self.out[-2000:]}\n--- errors\n{self.err[-2000:]}")

    def expect(self, code=0):
        """Checks the exit code and the accounting identity. Returns itself."""
        assert self.code == code, f"wanted exit code {code}\n" + self.told()
        if code == 0:
            self.expect_balance()
        return self

    def expect_balance(self):
        totals = self.totals()
        assert totals["source"] == sum(totals[name] for name in OUTCOMES), \
            f"the account does not add up: {totals}\n" + self.told()

    def expect_totals(self, **wanted):
        """expect_totals(copied=3, already_there=0): the others are not looked at."""
        totals = self.totals()
        for name, number in wanted.items():
            name = name.replace("_", " ")
            assert totals[name] == number, f"wanted {name} = {number}, got {totals}\n" + self.told()
        return self


def _find_totals(value):
    """The first object that holds both "source" and "copied" as numbers, at any depth."""
    if not isinstance(value, dict):
        return None
    plain = {re.sub(r"[^a-z]", " ", key.lower()): number for key, number in value.items()}
    if isinstance(plain.get("source"), int) and isinstance(plain.get("copied"), int):
        return {name: int(plain.get(name) or 0) for name in ("source",) + OUTCOMES}
    for inner in value.values():
        found = _find_totals(inner)
        if found is not None:
            return found
    return None


def environment(folder):
    """What a run sees: nothing of the caller's settings, and no place of the caller's to write to."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "G_SLICE") or name.endswith("SAN_OPTIONS")}
    return dict(kept, HOME=folder, XDG_STATE_HOME=os.path.join(folder, "xdg"), LC_ALL="C.UTF-8",
                MAILHAUL_PLUGIN_PATH=PLUGINS)


class Bench:
    """A pair of sides with its own state folder, in which mailhaul runs; use by `with`."""

    def __init__(self, source, destination, *options):
        self.source, self.destination, self.options = source, destination, options
        self._scratch = Scratch("mh-")
        self.folder = self._scratch.path
        self.state = os.path.join(self.folder, "state")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._scratch.remove()

    def command(self, *options, json_events=True, word="sync"):
        return ([PROGRAM, word] + self.source.options(1, self.folder) + self.destination.options(2, self.folder)
                + ["--state", self.state] + (["--json"] if json_events else []) + list(self.options) + list(options))

    def run(self, *options, wrap=(), kill_after=None, interrupt=None, timeout=120, json_events=True,
            word="sync"):
        """
        One run, of the command that word names. wrap: a command in front of it. kill_after: seconds until SIGKILL.
        interrupt: (event, seconds): SIGINT comes so long after the event.
        """
        command = list(wrap) + self.command(*options, json_events=json_events, word=word)
        begin = time.monotonic()
        process = self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                   stderr=subprocess.PIPE, env=environment(self.folder))
        if interrupt is not None and interrupt[0].wait(timeout * SLOWNESS):
            try:
                process.wait(interrupt[1])
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=kill_after if kill_after is not None else timeout * SLOWNESS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            if kill_after is None:
                err += b"\n(killed by the test: took too long)"
        return Result(command, process.returncode, out.decode("utf-8", "replace"),
                      err.decode("utf-8", "replace"), time.monotonic() - begin)

    def kill(self):
        """Kills the run under way, from another thread."""
        self._process.kill()

    def lose_state(self):
        shutil.rmtree(self.state, ignore_errors=True)

    def settle(self):
        """Waits until neither side works on what a run that is gone has asked."""
        self.source.settle()
        self.destination.settle()


def expect_same(wanted, got, what="source and destination"):
    """Checks that two snapshots hold the same."""
    lines = reader.differences(wanted, got)
    assert not lines, f"{what} differ:\n  " + "\n  ".join(lines)


def expect_untouched(before, after):
    """Checks that a source is as it was: entries, folders, \\Recent, subscriptions."""
    expect_same(before, after, "the source before and after")
    assert before.recent == after.recent, f"\\Recent of the source changed: {before.recent} -> {after.recent}"
    assert before.subscribed == after.subscribed, "subscriptions of the source changed"


def in_parallel(jobs, workers=2):
    """Returns what the functions of `jobs` return, `workers` at a time; raises the first error with all messages."""
    jobs, results, errors, lock = iter(list(jobs)), [], [], threading.Lock()

    def work():
        while len(errors) < 5:
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            try:
                results.append(job())
            except Exception as error:  # reported below: a thread has no caller
                errors.append(error)
    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise AssertionError("\n".join(str(error) or repr(error) for error in errors)) from errors[0]
    return results


def in_namespace(setup, teardown="true"):
    """A command to put in front of another: runs it where `setup` changed the mounts, for it alone."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run(own + ["true"], capture_output=True, check=False).returncode != 0:
        raise Skip("mount namespaces are not allowed here")
    return own + ["sh", "-c", f'set -e; {setup}; set +e; "$@"; code=$?; {teardown}; exit $code', "sh"]


_cases = []


def case(function):
    """Registers a test; its name is a sentence."""
    _cases.append(function)
    return function


def run_cases():
    """Runs the cases, or those whose names contain an argument, and exits."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a timeout: servers and folders go, too
    chosen = [word for word in sys.argv[1:] if not word.startswith("-")]
    cases = [each for each in _cases if not chosen or any(word in each.__name__ for word in chosen)]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, each in enumerate(cases, 1):
        begin = time.monotonic()
        try:
            each()
            verdict = f"ok {number} - {each.__name__}"
        except Skip as why:
            verdict = f"ok {number} - {each.__name__} # SKIP {why}"
        except Exception as error:
            failed += 1
            text = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
            print("\n".join("# " + line for line in text.splitlines()))
            verdict = f"not ok {number} - {each.__name__}"
        print(verdict + ("" if "# SKIP" in verdict else f" # {time.monotonic() - begin:.1f} s"), flush=True)
    sys.exit(1 if failed else 0)
