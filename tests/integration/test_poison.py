#!/usr/bin/env python3
"""
Messages that cannot be carried, and servers that ask for patience: a relay in front of a Dovecot does what
the field notes tell of. All other messages arrive, once each; the one that is left is named.
"""
import re

from harness import HOST, Bench, Dovecot, Imap, case, expect_same, run_cases
import corpus
from servers.proxy import Proxy, Replaced

MARK = b"This is the one."


def mails(folder, count, bad=None, mark=MARK, size=40):
    """`count` messages of a folder, number `bad` of which holds `mark`."""
    return [corpus.Mail(folder, b"Message-ID: <%d@%s.example>\r\nSubject: %d\r\n\r\n%s" % (
        number, folder.lower().encode(), number, mark if number == bad else b"") + b"x" * size + b"\r\n",
        ["\\seen"], [], 10**9 + number, False) for number in range(1, count + 1)]


def expect_all_but(bench, folder, count):
    """The destination holds what the source does, but for `count` messages of `folder`."""
    wanted, got = bench.source.snapshot(), bench.destination.snapshot()
    missing = [entry for entry in wanted.entries if entry not in got.entries]
    assert len(missing) == count and all(each.folder == folder for each in missing), missing
    for entry in missing:
        del wanted.entries[entry]
    expect_same(wanted, got)


def not_copied(result):
    return [event for event in result.events if "reason" in event]


def named(result, uid, reason, *words):
    troubles = not_copied(result)
    assert len(troubles) == 1 and troubles[0]["id"] == str(uid) and troubles[0]["reason"] == reason, result.told()
    for word in words:
        assert word in troubles[0]["detail"], f"{word!r} is not said\n" + result.told()


@case
def a_message_with_a_NUL_that_ends_the_session_is_refused_alone():
    """GM9"""
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails("Alders", 12, bad=5, mark=b"NUL-HERE") + mails("Birches", 3))
        for options in ((), ("--no-ext2", "MULTIAPPEND")):
            new.forget("u1")
            with Proxy(new.port, cut_at=("client", b"NUL-HERE", b"* BYE Invalid character in literal")) as relay, \
                    Bench(Imap(old, "u1"), Imap(new, "u1", port=relay.port), "--grace", "1", *options) as bench:
                result = bench.run().expect(114)
                named(result, 5, "refused", "the destination closed the connection twice when it was sent")
                result.expect_totals(source=15, refused=1)
                result.expect_balance()
                totals = result.totals()
                # What the server had stored when it hung up is found, and counts as there.
                assert totals["copied"] + totals["already there"] == 14, result.told()
                expect_all_but(bench, "Alders", 1)
                assert 2 <= relay.cuts <= 4, relay.cuts
                bench.destination = Imap(new, "u1")
                bench.run().expect(0).expect_totals(copied=1, already_there=14)
                expect_same(bench.source.snapshot(), bench.destination.snapshot())


@case
def a_message_whose_body_ends_the_session_is_passed_over():
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails("Alders", 12, bad=5) + mails("Birches", 3))
        with Proxy(old.port, cut_at=("server", MARK, None)) as relay, \
                Bench(Imap(old, "u1", port=relay.port), Imap(new, "u1")) as bench:
            result = bench.run().expect(115)
            named(result, 5, "unfetchable", "the connection was lost twice at this message")
            result.expect_totals(source=15, copied=14, unfetchable=1)
            expect_all_but(bench, "Alders", 1)
            assert relay.cuts == 2, relay.cuts
            bench.source = Imap(old, "u1")
            bench.run().expect(0).expect_totals(copied=1, already_there=14)
            expect_same(bench.source.snapshot(), bench.destination.snapshot())


@case
def a_message_that_is_not_given_is_tried_a_third_time_in_a_new_connection():
    """EX9: OK, and no data. The third try may bring it."""
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails("Alders", 6, bad=5) + mails("Birches", 3))
        for heals in (False, True):
            new.forget("u1")
            tries = []

            def leave_out(answer):
                if b"BODY[]" not in answer or MARK not in answer:
                    return answer
                tries.append(relay.connections())
                return answer if heals and relay.connections() > 1 else b""
            with Proxy(old.port, edit=leave_out) as relay, \
                    Bench(Imap(old, "u1", port=relay.port), Imap(new, "u1"), "--lanes", "1") as bench:
                result = bench.run().expect(0 if heals else 115)
                assert relay.connections() == 2, relay.connections()
                assert tries[:3] == [1, 1, 2], tries
                if heals:
                    expect_same(bench.source.snapshot(), bench.destination.snapshot())
                else:
                    named(result, 5, "unfetchable")
                    expect_all_but(bench, "Alders", 1)


@case
def a_folder_that_ends_the_session_is_left():
    """ZI3"""
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails("Alders", 3) + mails("Birches", 3) + mails("Cedars", 3))
        with Proxy(old.port, cut_at=("client", b'EXAMINE "Birches"', b"* BYE Internal error")) as relay, \
                Bench(Imap(old, "u1", port=relay.port), Imap(new, "u1")) as bench:
            result = bench.run().expect(117)
            result.expect_balance()
            result.expect_totals(source=9, copied=6, failed=3)
            assert "the connection was lost twice when this folder was opened" in result.out, result.told()
            bench.source = Imap(old, "u1")
            bench.run().expect(0).expect_totals(copied=3)
            expect_same(bench.source.snapshot(), bench.destination.snapshot())


@case
def a_time_to_wait_is_waited_and_nothing_is_doubled():
    """EX2. The relay lies: what it calls put off was stored."""
    said = []

    def put_off(answer):
        if said or b"OK [APPENDUID" not in answer:
            return answer
        said.append(True)
        return re.sub(rb"OK \[APPENDUID.*", b"NO Request is throttled. Suggested Backoff Time: 1300 milliseconds",
                      answer.rstrip()) + b"\r\n"
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", mails("Alders", 6) + mails("Birches", 3))
        with Proxy(new.port, edit=put_off) as relay, \
                Bench(Imap(old, "u1"), Imap(new, "u1", port=relay.port)) as bench:
            result = bench.run().expect(0)
            assert said and "destination: asked to wait 1s; waiting" in result.err, result.told()
            logins = [each.at for each in relay.commands("LOGIN", "AUTHENTICATE")]
            assert logins[-1] - logins[0] >= 1.3, logins
            expect_same(bench.source.snapshot(), bench.destination.snapshot())


@case
def a_second_connection_that_is_refused_costs_a_lane():
    """GM7"""
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1",
                      [mail for name in ("Alders", "Birches", "Cedars") for mail in mails(name, 4, size=600000)])
        logins = []

        def allow_one(answer):
            if not re.match(rb"[^ *+][^ ]* OK (\[[^]]*\] )?Logged in", answer):
                return answer
            logins.append(True)
            if len(logins) == 1:
                return answer
            return answer.split(b" ")[0] + b" NO [ALERT] Too many simultaneous connections. (Failure)\r\n"
        with Proxy(old.port, edit=allow_one) as relay, \
                Bench(Imap(old, "u1", port=relay.port), Imap(new, "u1"), "--lanes", "3") as bench:
            bench.run().expect(0)
            expect_same(bench.source.snapshot(), bench.destination.snapshot())


@case
def a_server_that_says_throttled_is_spared():
    """GM6"""
    throttled = Replaced(rb"\A([^ *+][^ ]* OK [^\r]*)\r\n", rb"\1 [THROTTLED]\r\n")

    def say(answer):
        return throttled(answer) if throttled.count < 4 else answer
    with Dovecot() as old, Dovecot() as new:
        corpus.append(HOST, old.port, "u1", [mail for name in ("Alders", "Birches", "Cedars") for mail in mails(name, 2)])
        with Proxy(old.port, edit=say) as relay, \
                Bench(Imap(old, "u1", port=relay.port), Imap(new, "u1"), "--lanes", "1") as bench:
            bench.run().expect(0)
            times = [each.at for each in relay.commands()]
            pauses = [after - before for before, after in zip(times, times[1:])]
            assert throttled.count == 4 and max(pauses) >= 0.35, pauses
            expect_same(bench.source.snapshot(), bench.destination.snapshot())


if __name__ == "__main__":
    run_cases()
