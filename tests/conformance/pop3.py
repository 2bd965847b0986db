#!/usr/bin/env python3
"""Runs what the conformance suite asks of stores that are only read against a small POP3 server.

pop3.py CONFORMANCE POP3.so [--one-by-one] [--lacks COMMAND,COMMAND]
"""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.minipop import CAPABILITIES, PASSWORD, MiniPop
from servers.ports import HOST


def mail(number):
    received = b"Received: from a by b; Mon, 6 Jan 2003 10:00:%02d +0000\r\n" % number if number % 3 else b""
    return received + b"Subject: number %d\r\n\r\n.\r\ntext %d\r\n" % (number, number)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("conformance")
    parser.add_argument("plugin")
    parser.add_argument("--one-by-one", action="store_true", help="without PIPELINING")
    parser.add_argument("--lacks", default="", help="commands that the server does not know")
    options = parser.parse_args()
    capabilities = [each for each in CAPABILITIES if each != "PIPELINING" or not options.one_by_one]
    with MiniPop(capabilities, lacks=options.lacks.split(",")) as server:
        for number in range(20):
            server.box("u1").add(mail(number if number != 7 else 6))  # and two that are equal
        return subprocess.run([options.conformance, "--lenient", "--reading", options.plugin, f"host={HOST}",
                               f"port={server.port}", "tls=none", "user=u1", f"password={PASSWORD}"],
                              check=False).returncode


sys.exit(main())
