#!/usr/bin/env python3
"""Holds the house to its own rules about boundaries.

check.py frozen ROOT                  the open ABI's copy of the headers is today's
check.py layout FROZEN TODAY          two builds of layout.c print the same
check.py headers ROOT                 each public header compiles alone, as C17 and as C++
check.py library ROOT LIB.so          the library exports what the headers declare, and haul_main
check.py plugins PLUGIN.so...         a plugin exports haul_plugin and nothing else
check.py includes ROOT                who includes whom
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

# What plugins may use besides the public headers, their own, and GLib: the C library.
LIBC = set("""assert.h ctype.h dirent.h errno.h fcntl.h inttypes.h limits.h locale.h math.h poll.h
pthread.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
string.h strings.h time.h unistd.h""".split())
LIBC_FOLDERS = ("sys/", "netinet/", "arpa/")

# Rooms that decide and never look outside. They, and all that they include, keep to these.
PURE_ROOMS = ["core/plan.c", "core/plan-*.c", "core/search-*.c", "plugins/*/wire.c", "plugins/maildir/name.c", "plugins/maildir/naming.c",
              "plugins/maildir/lines.c", "plugins/maildir/packed.c",
              "plugins/pop3/glued.c", "plugins/pop3/head.c", "plugins/pop3/ids.c", "plugins/pop3/refusal.c",
              "plugins/pop3/status.c"]
PURE_SYSTEM = set("""assert.h ctype.h glib.h inttypes.h limits.h stdbool.h stddef.h stdint.h
string.h""".split())
IMPURE_PUBLIC = {"stream.h"}

failures = []


def fail(text):
    failures.append(text)


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def without_directives(text):
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", "", text, flags=re.M)


def run(*words, given=None):
    return subprocess.run(words, capture_output=True, text=True, input=given)


def frozen(root):
    public = root / "include/mailhaul"
    version = re.search(r"^#define HAUL_ABI_VERSION (\d+)u$", (public / "plugin.h").read_text(),
                        re.M).group(1)
    copy = root / "tests/abi/include" / f"v{version}"
    if not (copy / "mailhaul").is_dir():
        return fail(f"ABI {version} has no copy of its headers: run tests/abi/freeze.sh")
    if not (copy / "open").exists():
        return None  # closed: today's may have grown; layout and the sample plugin watch over it
    names = {path.name for path in public.glob("*.h")}
    for name in sorted(names | {path.name for path in (copy / "mailhaul").glob("*.h")}):
        today, then = public / name, copy / "mailhaul" / name
        if not today.exists() or not then.exists() or today.read_bytes() != then.read_bytes():
            fail(f"{name} differs from the copy of ABI {version}, which is still open: "
                 "run tests/abi/freeze.sh and commit both")


def layout(then, today):
    old, new = run(then).stdout.splitlines(), run(today).stdout.splitlines()
    if not old:
        fail("layout printed nothing")
    for line in sorted(set(old) ^ set(new)):
        fail(f"layout: {line} ({'frozen' if line in old else 'today'})")


def headers(root):
    flags = shlex.split(run("pkg-config", "--cflags", "glib-2.0").stdout)
    flags = [re.sub("^-I", "-isystem", flag) for flag in flags]
    compilers = [["cc", "-x", "c", "-std=c17"]]
    if shutil.which("c++"):
        compilers.append(["c++", "-x", "c++", "-std=c++17"])
    for header in sorted((root / "include/mailhaul").glob("*.h")):
        for compiler in compilers:
            # A declaration follows, for ISO C wants one and visibility.h has none.
            source = f"#include <mailhaul/{header.name}>\nextern int is_not_empty;\n"
            done = run(*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                       "-I", str(root / "include"), *flags, "-", given=source)
            if done.returncode != 0:
                fail(f"{header.name} does not compile alone ({compiler[0]}):\n{done.stderr}")


def exported(library):
    listing = run("nm", "-D", "--defined-only", library)
    if listing.returncode != 0:
        fail(f"nm {library}: {listing.stderr.strip()}")
    names = {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines()}
    return {name for name in names if not name.startswith("_")}  # the compiler's and sanitizers'


def library(root, path):
    declared = set()
    for header in (root / "include/mailhaul").glob("*.h"):
        text = without_directives(without_comments(header.read_text()))
        for declaration in re.findall(r"HAUL_PUBLIC\b([^;]*);", text):
            declared.add(re.match(r"[^(]*?(\w+)\s*(?:\(|$)", declaration).group(1))
    if not declared:
        fail("no HAUL_PUBLIC declaration was found")
    if (root / "core/main.c").exists():
        declared.add("haul_main")
    names = exported(path)
    for name in sorted(names - declared):
        fail(f"{path} exports {name}, which no public header declares")
    for name in sorted(declared - names):
        fail(f"{path} does not export {name}, which a public header declares")


def plugins(paths):
    if not paths:
        fail("no plugin was named")
    for path in paths:
        names = exported(path)
        if names != {"haul_plugin"}:
            fail(f"{path} exports {', '.join(sorted(names)) or 'nothing'}")


def includes_of(path):
    text = without_comments(path.read_text())
    return re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.M)


def check_plugin(root, path):
    for kind, name in includes_of(path):
        if kind == '"':
            if "/" in name or not (path.parent / name).exists():
                fail(f"{path.relative_to(root)} includes {name}, which is not its own")
        elif name.startswith("mailhaul/"):
            if not (root / "include" / name).exists():
                fail(f"{path.relative_to(root)} includes {name}, which is not public")
        elif not (name in LIBC or name.startswith(LIBC_FOLDERS)
                  or re.match(r"(glib|gio|gmodule)(\.h|/)", name)):
            fail(f"{path.relative_to(root)} includes {name}: neither GLib nor the C library")


def check_core(root, path):
    for kind, name in includes_of(path):
        if kind == '"' and not (path.parent / name).exists():
            fail(f"{path.relative_to(root)} includes {name}, which is not in core/")
        if "plugins/" in name or name.startswith(".."):
            fail(f"{path.relative_to(root)} includes {name}: core knows no plugin")


def check_pure(root, path):
    seen, todo = set(), [path]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        for kind, name in includes_of(at):
            if kind == '"':
                todo.append(at.parent / name)
            elif name.startswith("mailhaul/") and name.split("/")[1] not in IMPURE_PUBLIC:
                todo.append(root / "include" / name)
            elif name not in PURE_SYSTEM:
                fail(f"{path.relative_to(root)} is pure and includes {name}, "
                     f"by way of {at.relative_to(root)}")


def includes(root):
    for path in sorted(root.glob("plugins/**/*.[ch]")):
        check_plugin(root, path)
    for path in sorted(root.glob("core/**/*.[ch]")):
        check_core(root, path)
    for pattern in PURE_ROOMS:
        for path in sorted(root.glob(pattern)):
            check_pure(root, path)


def main(words):
    what, *rest = words
    if what == "layout":
        layout(*rest)
    elif what == "plugins":
        plugins(rest)
    else:
        root = pathlib.Path(rest[0]).resolve()
        {"frozen": frozen, "headers": headers, "includes": includes,
         "library": library}[what](root, *rest[1:])
    for text in failures:
        print(text)
    return 1 if failures else 0


os.environ["LC_ALL"] = "C"
sys.exit(main(sys.argv[1:]))
