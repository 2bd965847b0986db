#!/usr/bin/env python3
"""
Which messages a run is about. The keys of --search are looked for by a real Dovecot, by mailhaul itself in a Maildir
of the same mail, and by Python's imaplib: all three must find as many in each folder.
"""
import imaplib
import os

from harness import Bench, Dovecot, Imap, Maildir, Scratch, case, run_cases
from servers.dovecot import HOST, PASSWORD
import corpus

# BODY and TEXT of parts that are encoded are open; of a message without Date, and of UIDs in a Maildir, servers and
# stores say what they like.
KEYS = ("ALL", "SEEN", "UNSEEN", "FLAGGED", "ANSWERED", "DRAFT", "NOT SEEN", "OR SEEN FLAGGED", "LARGER 2000",
        "SMALLER 1000", "SINCE 1-Jan-2005", "BEFORE 1-Jan-2005", "SENTSINCE 1-Jan-2005", "SENTON 1-Jan-2001",
        "FROM example", "TO example", "CC a", "SUBJECT re", 'HEADER Message-ID ""', 'HEADER Subject ""',
        "HEADER Message-ID example", "KEYWORD $Forwarded", "UNKEYWORD Junk", "OR (SEEN LARGER 500) (UNSEEN SMALLER 300)")


def found_by_python(port, key):
    """Folder -> how many messages the server finds."""
    with imaplib.IMAP4(HOST, port) as client:
        client.login("u1", PASSWORD)
        found = {}
        for line in client.list()[1]:
            name = line.decode().split(' "/" ', 1)[-1] if ' "/" ' in line.decode() else line.decode().rsplit(" ", 1)[-1]
            if b"\\NoSelect" in line or client.select(name, readonly=True)[0] != "OK":
                continue
            found[name] = len(client.search(None, key)[1][0].split())
        return found


def found_by_us(bench, *options):
    """Folder -> how many messages a run would copy, and a total."""
    result = bench.run(*options, word="plan").expect(0)
    return {event["folder1"]: event["copied"] for event in result.events
            if event["event"] == "folder" and event["source"] > 0}


@case
def keys_mean_the_same_to_a_server_and_to_us():
    with Scratch("mh-") as folder, Dovecot() as server:
        corpus.append(HOST, server.port, "u1", corpus.sample())
        maildir, nowhere = os.path.join(folder, "mail"), os.path.join(folder, "nowhere")
        with Bench(Imap(server, "u1"), Maildir(maildir)) as bench:
            bench.run("--stateless").expect(0)
        with Bench(Imap(server, "u1"), Maildir(nowhere)) as by_imap, Bench(Maildir(maildir), Maildir(nowhere)) as by_us:
            wrong = []
            for key in KEYS:
                server_says, we_say = found_by_us(by_imap, "--search", key), found_by_us(by_us, "--search", key)
                assert key != "ALL" or len(we_say) > 5
                python_says = sum(found_by_python(server.port, key).values())
                if server_says != we_say or sum(we_say.values()) != python_says:
                    wrong.append((key, server_says, we_say, python_says))
            assert not wrong, "\n".join(map(str, wrong))


@case
def sizes_and_ages_leave_out_what_they_say():
    with Dovecot() as server, Dovecot() as new:
        corpus.append(HOST, server.port, "u1", corpus.sample())
        for options, key in ((("--maxsize", "1000"), "NOT LARGER 1000"), (("--minsize", "1000"), "NOT SMALLER 1000"),
                             (("--maxage", "3650"), None)):
            with Bench(Imap(server, "u1"), Imap(new, "u1")) as bench:
                first = bench.run(*options).expect(0).totals()
                if key is not None:
                    wanted = sum(found_by_python(server.port, key).values())
                    assert first["copied"] == wanted, (options, first, wanted)
                assert first["copied"] + first["filtered"] == first["source"], first
                bench.run(*options).expect(0).expect_totals(copied=0, filtered=first["filtered"])
                rest = bench.run().expect(0).expect_totals(copied=first["filtered"], filtered=0)
                assert rest.totals()["already there"] == first["copied"]
            new.forget("u1")


if __name__ == "__main__":
    run_cases()
