#!/usr/bin/env python3
"""
The conformance suite against servers of further kinds than tests/conformance starts by itself.
"""
import os
import re
import subprocess

from harness import BARE_CAPABILITY, HOST, PASSWORD, PLUGINS, SLOWNESS, Dovecot, Skip, case, environment, run_cases
from servers.courier import Courier
from servers.cyrus import Cyrus
from servers.jail import Unavailable
from servers.mini import MiniServer
from servers.scratch import Scratch

CONFORMANCE = os.environ.get("MAILHAUL_CONFORMANCE", "/nonexistent")


def conforms(server, *options):
    if not os.path.exists(CONFORMANCE):
        raise Skip("the conformance suite is not built")
    with server, Scratch() as folder:
        settings = {"host": HOST, "port": server.port, "tls": "none", "user": "u1", "password": PASSWORD}
        done = subprocess.run([CONFORMANCE, "--lenient", *options, PLUGINS + "/imap.so"]
                              + [f"{key}={value}" for key, value in settings.items()], cwd=folder,
                              env=environment(folder), capture_output=True, timeout=120 * SLOWNESS, check=False)
        told = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode == 0, f"exit code {done.returncode}\n{told}"
        ran = re.search(r"(?m)^\s*tests\s+\d+\s+(\d+)", told)
        print(f"# {ran.group(1) if ran else 'unknown'} conformance cases")


@case
def the_imap_store_conforms_where_mail_is_in_files_of_another_kind():
    conforms(Dovecot(format="sdbox"))


@case
def it_conforms_where_literals_have_to_wait():
    conforms(Dovecot(capability=BARE_CAPABILITY + " UIDPLUS MULTIAPPEND LITERAL-"))


@case
def other_servers_remove_and_search_as_told():
    """They refuse names and messages of the suite as a whole; what concerns removing and searching they can."""
    for kind in (Cyrus, Courier):
        try:
            server = kind()
        except Unavailable as why:
            raise Skip(why) from why
        conforms(server, "--upkeep")


@case
def it_conforms_with_the_small_server_of_these_tests():
    conforms(MiniServer())


@case
def it_conforms_with_the_small_server_where_nothing_is_offered():
    conforms(MiniServer("IMAP4rev1"))


if __name__ == "__main__":
    run_cases()
