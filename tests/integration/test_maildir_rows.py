#!/usr/bin/env python3
"""
What a Maildir may hold against us: rows M-2 to M-12 of the field notes. Each case is named after its row.
"""
import os
import shutil
import socket
import stat
import threading

from harness import SHORT, Bench, Maildir, Skip, case, run_cases
from peak import LIMIT_KIB, peak_of
from servers.scratch import Scratch
from trees import bodies, fingerprint, mail, make, plant, put


def sync(source, destination, *options):
    """One run from tree to tree. Returns its result."""
    with Bench(Maildir(source), Maildir(destination)) as bench:
        return bench.run(*options)


# M-2: what is no regular file.

@case
def m_2_what_is_no_regular_file_is_told_of_once_and_passed():
    with Scratch() as scratch:
        source, copy = scratch + "/mail", scratch + "/copy"
        plant(source, {"": 3, ".A": 2})
        odd = []
        for folder, part in ((source, "cur"), (source, "new"), (source + "/.A", "cur")):
            where = f"{folder}/{part}/"
            os.mkfifo(where + f"1704103200.fifo-{part}:2,S")
            os.mkdir(where + f"1704103200.folder-{part}:2,S")
            os.mkdir(where + f"1704103200.folder-{part}:2,S/cur")
            os.symlink("/etc/passwd", where + f"1704103200.link-{part}:2,S")
            os.symlink("/nonexistent", where + f"1704103200.dangling-{part}:2,S")
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(where + f"1704103200.socket-{part}:2,S")
            names = ["fifo", "folder", "link", "dangling", "socket"]
            if os.geteuid() == 0:
                try:
                    os.mknod(where + f"1704103200.device-{part}:2,S", stat.S_IFCHR | 0o600, os.makedev(1, 5))  # zero
                    names.append("device")
                except PermissionError:  # a container
                    pass
            odd += [("A" if folder.endswith(".A") else "INBOX", f"1704103200.{name}-{part}:2,S") for name in names]
        before = fingerprint(source)
        result = sync(source, copy).expect().expect_totals(source=5, copied=5)
        for folder, name in odd:
            assert result.err.count(f"{folder}: {name} is no regular file") == 1, (folder, name, result.told())
        assert fingerprint(source) == before
        assert bodies(copy, copy + "/.A") == bodies_of_files(source, source + "/.A")


def bodies_of_files(*folders):
    """Of regular files alone."""
    found = []
    for folder in folders:
        for part in ("cur", "new"):
            for entry in os.scandir(f"{folder}/{part}"):
                if entry.is_file(follow_symlinks=False):
                    with open(entry.path, "rb") as file:
                        found.append(file.read())
    return sorted(found)


@case
def m_2_a_destination_with_such_files_takes_mail():
    with Scratch() as scratch:
        source, copy = scratch + "/mail", scratch + "/copy"
        plant(source, {"": 3})
        make(copy, "")
        os.mkfifo(copy + "/cur/1704103200.fifo:2,S")
        os.mkfifo(copy + "/tmp/1704103200.M1P1.fifo")
        with Bench(Maildir(source), Maildir(copy)) as bench:
            bench.run().expect().expect_totals(copied=3)
            bench.run().expect().expect_totals(copied=0, already_there=3)
            bench.lose_state()
            bench.run().expect().expect_totals(copied=0, already_there=3)


# M-3: links that lead out.

PLANTED = {
    # what is replaced by a link: layout, the folder that fails by it
    "cur": ("maildir++", "INBOX"),
    "tmp": ("maildir++", "INBOX"),
    ".A": ("maildir++", "A"),
    ".A/cur": ("maildir++", "A"),
    ".A/tmp": ("maildir++", "A"),
    "A": ("fs", "A/B"),
    "A/B": ("fs", "A/B"),
    "A/B/tmp": ("fs", "A/B"),
}


@case
def m_3_nothing_is_written_through_a_link():
    for place, (layout, _) in PLANTED.items():
        with Scratch() as scratch:
            source, copy, outside = scratch + "/mail", scratch + "/copy", scratch + "/outside"
            plant(source, {"": 1, ".A": 1, ".A.B": 1, ".C": 1})
            make(outside, "")
            make(outside, "B")
            with Bench(Maildir(source), Maildir(copy), "--layout2", layout) as bench:
                bench.run().expect()
                shutil.rmtree(f"{copy}/{place}")
                os.symlink(outside, f"{copy}/{place}")
                before = fingerprint(outside)
                for folder in ("", ".A", ".A.B", ".C"):
                    put(source if folder == "" else f"{source}/{folder}", "1704109999.M1P1.more:2,", mail(f"more {folder}"))
                result = bench.run()
                assert result.code != 0, (place, result.told())
                assert fingerprint(outside) == before, (place, result.told())
                if place not in ("cur", "tmp"):  # those are of the whole tree
                    assert any(b"more .C" in body for body in bodies(f"{copy}/{'.C' if layout == 'maildir++' else 'C'}")), place


@case
def m_3_a_folder_exchanged_for_a_link_meanwhile_leads_nowhere():
    with Scratch() as scratch:
        source, copy, outside = scratch + "/mail", scratch + "/copy", scratch + "/outside"
        plant(source, {"": 1, ".A": 100 if SHORT else 400})
        plant(copy, {"": 0, ".A": 0})
        make(outside, "")
        before = fingerprint(outside)
        os.symlink(outside, scratch + "/link")
        done = threading.Event()

        folder, link, aside = copy + "/.A", scratch + "/link", scratch + "/aside"
        rounds, made = [], []

        def exchange():
            """As somebody would who may write to the tree: the folder, the link, the folder..."""
            while not done.is_set():
                for one, two in ((folder, aside), (link, folder), (folder, link), (aside, folder)):
                    while os.path.lexists(one):
                        try:
                            os.rename(one, two)
                        except OSError:  # the run has made the folder anew meanwhile
                            os.rename(folder, f"{scratch}/anew-{len(made)}")
                            made.append(1)
                rounds.append(1)

        other = threading.Thread(target=exchange)
        other.start()
        try:
            with Bench(Maildir(source), Maildir(copy), "--fsync2", "always") as bench:
                for _ in range(3):
                    bench.run()
        finally:
            done.set()
            other.join()
        assert len(rounds) > 20, len(rounds)
        assert fingerprint(outside) == before
        with Bench(Maildir(source), Maildir(copy)) as bench:
            result = bench.run().expect()
        there, wanted = bodies(copy + "/.A"), bodies(source + "/.A")
        missing, more = set(wanted) - set(there), set(there) - set(wanted)
        assert not missing and not more, f"{len(missing)} missing, {len(more)} more, {len(there)} of {len(wanted)} there\n" \
            + result.told() + "\n" + str(os.listdir(copy))


@case
def m_3_links_are_not_followed_in_a_source():
    with Scratch() as scratch:
        source, copy, outside = scratch + "/mail", scratch + "/copy", scratch + "/outside"
        for layout, names in (("maildir++", (".A", ".Alias", ".Out")), ("fs", ("A", "Alias", "Out"))):
            plant(source, {"": 1, names[0]: 2})
            plant(outside, {"": 5, "B": 1})
            os.symlink(names[0], f"{source}/{names[1]}")
            os.symlink(outside, f"{source}/{names[2]}")
            os.symlink("/etc/passwd", f"{source}/subscriptions")
            os.symlink("/etc/passwd", f"{source}/cur/1704103200.link:2,")
            result = sync(source, copy, "--layout1", layout).expect().expect_totals(source=3, copied=3)
            for name in names[1:]:
                assert result.err.count(f"{source}/{name} is a symbolic link and was left out") == 1, result.told()
            for path in (source, copy, outside):
                shutil.rmtree(path)


@case
def m_3_files_made_as_root_belong_to_the_owner_of_the_tree():
    if os.geteuid() != 0:
        raise Skip("only root can give files away")
    with Scratch() as scratch:
        source, copy = scratch + "/mail", scratch + "/copy"
        plant(source, {"": 2, ".A.B": 1})
        for layout, added, begun in (("maildir++", ".C.D", ".C.D"), ("fs", ".E.F", "E")):
            os.mkdir(copy)
            os.chown(copy, 12345, 12346)
            sync(source, copy, "--layout2", layout).expect()
            os.mkdir(f"{copy}/{begun}")  # and here a run was killed
            plant(source, {added: 1})
            sync(source, copy).expect()
            owners = {(os.lstat(path).st_uid, os.lstat(path).st_gid) for path in fingerprint(copy)}
            assert owners == {(12345, 12346)}, owners
            shutil.rmtree(copy)


# M-11: deep and large.

LEVEL = "level-%02d-" + "x" * 70


@case
def m_11_sixty_levels_and_a_path_beyond_4096_octets():
    with Scratch() as scratch:
        source, copy, flat = scratch + "/mail", scratch + "/copy", scratch + "/flat"
        plant(source, {"": 1})
        here = os.open(source, os.O_RDONLY)
        path, total = [], 60
        for number in range(total):
            path.append(LEVEL % number)
            os.mkdir(path[-1], dir_fd=here)
            below = os.open(path[-1], os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
            for part in ("cur", "new", "tmp"):
                os.mkdir(part, dir_fd=here)
            with open(os.open(f"cur/1704103200.M{number}P1.host:2,", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here), "wb") as out:
                out.write(mail(f"level {number}"))
        os.close(here)
        assert len("/".join(path)) > 4096
        try:
            with Bench(Maildir(source), Maildir(copy), "--layout2", "fs") as bench:
                bench.run().expect().expect_totals(source=total + 1, copied=total + 1)
                bench.run().expect().expect_totals(copied=0, already_there=total + 1)
            # The copy is read as the source was.
            with Bench(Maildir(copy), Maildir(scratch + "/again"), "--layout2", "fs") as bench:
                bench.run().expect().expect_totals(copied=total + 1)
            # Where a folder is one name, three levels fit, and the others fail alone.
            result = sync(source, flat, "--errorsmax", "100").expect(116).expect_totals(copied=4, failed=total - 3)
            assert "is too long: 320 octets on disk, where" in result.out, result.told()
            assert "holds 255; the layout fs has a name for each level" in result.out, result.told()
        finally:
            for tree in (source, copy, scratch + "/again"):
                remove_deep(tree)


def remove_deep(tree):
    """shutil.rmtree wants paths that the kernel takes whole."""
    if os.path.isdir(tree):
        while os.path.isdir(f"{tree}/{LEVEL % 0}"):  # move what is deep up, step by step
            at = f"{tree}/{LEVEL % 0}"
            below = [name for name in os.listdir(at) if name.startswith("level-")]
            if below:
                os.rename(f"{at}/{below[0]}", f"{tree}/lifted")
            shutil.rmtree(at)
            if below:
                os.rename(f"{tree}/lifted", f"{tree}/{LEVEL % 0}")
        shutil.rmtree(tree)


@case
def m_11_a_folder_of_many_messages_streams():
    count = 3000 if SHORT else 12000
    with Scratch() as scratch:
        source, copy = scratch + "/mail", scratch + "/copy"
        make(source, "")
        for number in range(count):
            with open(f"{source}/cur/{1_600_000_000 + number}.M{number}P7.host:2,S", "wb") as out:
                out.write(mail(f"many {number}"))
        with Bench(Maildir(source), Maildir(copy), "--fsync2", "never") as bench:
            result, peak = peak_of(bench)
            result.expect().expect_totals(copied=count)
            assert peak <= LIMIT_KIB or "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ, f"peak memory {peak} KiB"
            again, peak = peak_of(bench)
            again.expect().expect_totals(copied=0, already_there=count)
            assert peak <= LIMIT_KIB or "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ, f"peak memory {peak} KiB"
        assert len(os.listdir(copy + "/cur")) == count


if __name__ == "__main__":
    run_cases()
