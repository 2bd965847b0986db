#!/usr/bin/env python3
"""
verify: both sides compared by what they show. It finds what is missing, what differs and what is extra, whoever did
it and whatever the state believes, and writes to neither side.
"""
import json
import os

from harness import case, run_cases
from pair import Pair, mail
from servers.mailstore import Message
from servers.mini_session import Refused, Session


def not_copied(result):
    return {(event["folder1"], event["id"], event["reason"]) for event in result.events
            if event["event"] == "not-copied"}


@case
def equal_sides_are_told_so():
    with Pair() as pair:
        pair.fill(6)
        pair.fill(3, pair.source.account("u1").make("Files"), 20)
        pair.inbox.add(Message(mail(1)))  # twins
        pair.inbox.add(Message(b"\r\nno header\r\n"))
        pair.run(copied=11)
        for options in ((), ("--deep",)):
            pair.verify(*options).expect_totals(source=11, already_there=11, failed=0)


@case
def what_is_missing_is_named_with_all_that_finds_it():
    with Pair() as pair:
        pair.fill(6)
        pair.run(copied=6)
        pair.copy.drop([pair.copy.entries[2]])
        result = pair.verify(code=111).expect_totals(already_there=5, failed=1)
        assert not_copied(result) == {("INBOX", "3", "missing")}, result.told()
        told = [event for event in result.events if event["event"] == "not-copied"][0]
        assert told["message_id"] == "<2@rows.example>" and told["size"] == len(mail(2)) and told["date"], told
        pair.run(filtered=1, already_there=5)  # sync knows that it was removed, and leaves it so


@case
def what_differs_is_found_by_a_deep_look_alone():
    with Pair() as pair:
        pair.fill(6)
        pair.run(copied=6)
        entry = pair.copy.entries[3]
        octets = b"X-Seen-By: somebody\r\n" + entry.message.octets
        entry.message = Message(octets, entry.message.flags)
        pair.verify().expect_totals(already_there=6)
        result = pair.verify("--deep", code=111).expect_totals(already_there=5, failed=1)
        assert not_copied(result) == {("INBOX", "4", "differs")}, result.told()


@case
def what_only_the_destination_has_is_counted():
    with Pair() as pair:
        pair.fill(3)
        pair.run(copied=3)
        pair.copy.add(Message(mail(50)))
        pair.copy.add(Message(mail(1)))  # one more of what is there
        result = pair.verify().expect_totals(already_there=3)
        assert result.events[-1]["extra"] == 2, result.told()


@case
def a_folder_that_is_not_there_is_missing_whole():
    with Pair() as pair:
        pair.fill(2)
        pair.run(copied=2)
        pair.fill(3, pair.source.account("u1").make("New"), 20)
        result = pair.verify(code=111).expect_totals(already_there=2, failed=3)
        assert len(not_copied(result)) == 3, result.told()


@case
def what_a_selection_leaves_out_is_not_said_to_be_there():
    with Pair() as pair:
        pair.fill(4)
        pair.run(copied=4)
        said = pair._bench.run("--maxsize", "10", word="verify", json_events=False).out
        assert "0 of 4 are there, 4 were not looked for" in said and "4 filtered: " in said, said


@case
def no_state_is_believed_and_none_is_made():
    with Pair() as pair:
        pair.fill(4)
        pair.verify(code=111).expect_totals(failed=4)
        assert not os.path.exists(pair.log.replace("/log", "/state"))


@case
def a_report_names_what_a_run_did_not_copy():
    class Choosy(Session):
        def do_append(self, command, name, *parts):
            if any(b"number 2" in part for part in parts if isinstance(part, (bytes, bytearray))):
                raise Refused("NO not this one")
            return super().do_append(command, name, *parts)

    with Pair(destination_session=Choosy) as pair:
        pair.fill(4)
        path = pair.log + ".json"
        result = pair.attempt("--report", path)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        assert report["exit"] == result.code and report["total"]["source"] == 4, report
        rows = [row for folder in report["folders"] for row in folder["not_copied"]]
        assert len(rows) == 1 and result.code == 114, result.told()
        assert all(row["message_id"] and row["size"] and row["date"] for row in rows), rows
        pair.attempt("--report", pair.log + ".txt").expect(64)


if __name__ == "__main__":
    run_cases()
