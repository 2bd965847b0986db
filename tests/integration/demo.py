#!/usr/bin/env python3
"""
The demonstration: an account moves from one private server to another, is backed up to a tree and
restored from there; an independent reader says whether all is the same. ./dev demo runs it.
"""
import signal
import sys

from harness import HOST, Bench, Dovecot, Imap, Maildir, Scratch
import corpus
import reader
from servers.certificates import Authority


def heading(text):
    print(f"\n== {text}", flush=True)


def shown(command):
    """A command line as one would type it: private places shortened."""
    words, out = list(command), []
    while words:
        word = words.pop(0)
        if word == "--json":
            continue
        out.append(word.rsplit("/", 1)[-1] if word.startswith("/") else word)
    return " ".join(out)


def step(title, bench):
    """Runs mailhaul once, showing what it says."""
    heading(title)
    print("$ " + shown(bench.command(json_events=False)), flush=True)
    result = bench.run(json_events=False)
    print(result.out.rstrip())
    if result.err.strip():
        print(result.err.rstrip(), file=sys.stderr)
    if result.code != 0:
        sys.exit(f"mailhaul ended with exit code {result.code}")


def verify(what, wanted, got):
    lines = reader.differences(wanted, got)
    octets = sum(got.sizes[entry.sha256] * number for entry, number in got.entries.items())
    if lines:
        print(f"{what}: DIFFERENT\n  " + "\n  ".join(lines))
    else:
        print(f"{what}: the same {len(got)} messages, {octets} octets, in {len(got.folders)} folders; octets, flags, "
              "keywords and dates are equal")
    return not lines


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Scratch() as place:
        authority = Authority(place + "/tls")
        certificate = authority.issue()
        heading("Two servers")
        with Dovecot(separator=".", prefix="INBOX.", certificate=certificate) as old, \
                Dovecot(certificate=certificate) as new:
            print(f"old: port {old.tls_port}, folders as INBOX.Archive.2019\n"
                  f"new: port {new.tls_port}, folders as Archive/2019")
            corpus.append(HOST, old.port, "uann", corpus.sample())
            source = Imap(old, "uann", tls=authority.certificate)
            moved = Imap(new, "uann", tls=authority.certificate)
            tree = Maildir(place + "/backup")
            restored = Imap(new, "urestored", tls=authority.certificate)
            before = source.snapshot()
            print(f"old holds the sample mail: {len(before)} messages in {len(before.folders)} folders")

            with Bench(source, moved) as migration, Bench(source, tree) as backup, Bench(tree, restored) as restore:
                step("Migrate from the old server to the new one", migration)
                step("Again: there is nothing to do", migration)
                step("Back up to a Maildir", backup)
                step("Restore from there to an empty account", restore)

            heading("Verify with the independent reader")
            good = [verify("migrated", before, moved.snapshot()), verify("backup", before, tree.snapshot()),
                    verify("restored", before, restored.snapshot())]
            after = source.snapshot()
            good.append(verify("source, before and after", before, after) and before.recent == after.recent)
    heading("Servers stopped, folders removed")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
