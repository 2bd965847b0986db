#!/usr/bin/env python3
"""Which folders a run is about, by options: what is left out is told, and what is wrong is refused before anything is connected."""
from harness import case, run_cases
from pair import Pair

FOLDERS = {"Work": (), "Work/2020": (), "Spam": ("\\Junk",), "Empty": (), "Trash": ("\\Trash",), "Trash/Old": ()}


def filled():
    """An account of these folders, one message in each but Empty."""
    pair = Pair()
    pair.fill(1)
    for number, (name, attributes) in enumerate(sorted(FOLDERS.items()), 10):
        folder = pair.source.account("u1").make(name, attributes)
        if name != "Empty":
            pair.fill(1, folder, number)
    return pair


def made(pair):
    return {name for name in pair.destination.account("u1").folders if name != "INBOX"}


@case
def options_say_which_folders():
    table = [
        (("--exclude", "special:junk"), set(FOLDERS) - {"Spam"}),
        (("--exclude", "Trash"), set(FOLDERS) - {"Trash", "Trash/Old"}),
        (("--exclude", "^Work/2020$"), set(FOLDERS) - {"Work/2020"}),
        (("--exclude", "(?i)spam|trash"), set(FOLDERS) - {"Spam", "Trash", "Trash/Old"}),
        (("--include", "Work", "--exclude", "Work/*"), {"Work"}),
        (("--folderrec", "Work"), {"Work", "Work/2020"}),
        (("--folder", "Work", "--include", "Trash"), {"Work", "Trash", "Trash/Old"}),
        (("--skipemptyfolders",), set(FOLDERS) - {"Empty"}),
    ]
    for options, wanted in table:
        with filled() as pair:
            pair.run(*options)
            assert made(pair) == wanted, (options, made(pair))
            pair.run(*options, copied=0)


@case
def what_is_left_out_is_told():
    with filled() as pair:
        plan = pair.attempt("--dry", "--exclude", "special:junk", "--exclude", "Nothing")
        left = {event["folder1"]: event["text"] for event in plan.events if event.get("deed") == "left-out"}
        assert left == {"Spam": "left out: special:junk"}, plan.told()
        assert 'no folder is meant by "Nothing"' in plan.err, plan.told()


@case
def subscriptions_are_as_asked_for():
    for option, wanted in (("--subscribe", {"Work"}), ("--subscribeall", set(FOLDERS)), ("--nosubscribe", set())):
        with filled() as pair:
            pair.source.account("u1").subscribed.add("Work")
            pair.run(option)
            got = pair.destination.account("u1").subscribed
            assert got - {"INBOX"} == wanted, (option, got)


@case
def what_is_wrong_is_refused_before_anything_is_connected():
    with filled() as pair:
        for options in (("--exclude", "re:("), ("--include", "special:spam"), ("--folderfirst", "")):
            assert pair.attempt(*options).code == 64, options
        assert not pair.source.log
        assert pair.attempt("--folderrec", "Nowhere").code == 117


if __name__ == "__main__":
    run_cases()
