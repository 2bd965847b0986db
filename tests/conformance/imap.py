#!/usr/bin/env python3
"""Runs the conformance suite of the imap plugin against a private Dovecot.

imap.py CONFORMANCE IMAP.so [--separator .] [--prefix INBOX.] [--bare]

Exits 77, which skips the test, where there is no Dovecot.
"""
import argparse
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.dovecot import BARE_CAPABILITY, HOST, PASSWORD, Dovecot


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("conformance")
    parser.add_argument("plugin")
    parser.add_argument("--separator", default="/")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--bare", action="store_true", help="without extensions")
    options = parser.parse_args()
    if shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        return 77
    more = {"capability": BARE_CAPABILITY} if options.bare else {}
    with Dovecot(separator=options.separator, prefix=options.prefix, **more) as server:
        run_in_temp = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run-in-temp")
        return subprocess.run([run_in_temp, options.conformance, "--lenient", options.plugin,
                               f"host={HOST}", f"port={server.port}", "tls=none", "user=u1",
                               f"password={PASSWORD}"], check=False).returncode


sys.exit(main())
