"""
Mail in spool files, one per user, and the users: what Mailutils and popa3d have in common.

Users exist in the jail of a server only. The files are as a delivering program leaves them: each message behind a line
"From sender date", one a second, lines end in LF, and a blank line follows. A line within a message that begins with
"From " would be taken for the next one.
"""
import itertools
import os
import time

from servers.jail import accounts, password_hash
from servers.private import PASSWORD, USERS

FIRST_UID = 9000
YEAR_2001 = 978307200
_deliveries = itertools.count()


def make(server, more=None):
    """Makes users with empty spool files in server.state; returns the mounts that show them. more: as accounts() has it."""
    os.mkdir(server.state + "/spool")
    os.chmod(server.state + "/spool", 0o1777)
    users, secrets = dict(more or {}), {"probe": password_hash(server.token), "others": password_hash(PASSWORD)}
    for number, user in enumerate(USERS + ["probe"]):
        uid, home = FIRST_UID + number, f"{server.state}/home/{user}"
        os.makedirs(home + "/mail")
        for path in (home, home + "/mail"):
            os.chown(path, uid, server.gid)
        users[user] = (uid, server.gid, home, secrets["probe" if user == "probe" else "others"])
        write(server, user, ())
    return accounts(server.state, users)


def write(server, user, messages):
    """Replaces what the user's file holds by these messages, in octets with CRLF."""
    path = f"{server.state}/spool/{user}"
    with open(path + ".new", "wb") as out:
        out.writelines(_delivered(messages))
    os.chmod(path + ".new", 0o660)
    os.chown(path + ".new", FIRST_UID + (USERS + ["probe"]).index(user), server.gid)
    os.rename(path + ".new", path)


def add(server, user, messages):
    """Adds to it, as a delivery does while nobody reads."""
    with open(f"{server.state}/spool/{user}", "ab") as out:
        out.writelines(_delivered(messages))


def age(server, user):
    """Makes it look as if nobody had written to it for a minute: popa3d waits for the next second else."""
    then = time.time() - 60
    os.utime(f"{server.state}/spool/{user}", (then, then))


def _delivered(messages):
    for octets in messages:
        date = time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(YEAR_2001 + next(_deliveries)))
        yield f"From sender@corpus.example {date}\n".encode() + octets.replace(b"\r\n", b"\n") + b"\n"
