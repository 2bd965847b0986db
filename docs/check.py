#!/usr/bin/env python3
"""Holds the documents against the code that they describe.

check.py graph ROOT      the include graph of docs/architecture.md is that of core/, and points down
check.py rooms ROOT      its tables name every source file and no other
check.py listing ROOT    the plugin in docs/mailhaul-plugin.7 is tests/abi/sample-store.c
check.py servers ROOT    the table in docs/servers.md has every known habit of servers, and names what plays it
check.py manual ROOT     the manual pages name every option, setting, reason, exit code and callback

With --write, graph and listing put right what they can: the order of the graph's lines is kept.
"""
import pathlib
import re
import sys

GRAPH = re.compile(r"(<!-- include graph -->\n+```\n)(.*?)(```\n)", re.S)
LISTING = re.compile(r'(\.\\" listing\n\.Bd -literal\n)(.*?)(\.Ed\n)', re.S)

failures = []


def fail(text):
    failures.append(text)


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


# ---- the include graph ----

def core_includes(root):
    """Room -> the rooms of core/ that its .c and .h name in their #include lines."""
    graph = {}
    for path in sorted((root / "core").glob("*.[ch]")):
        named = re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)\.h"', without_comments(path.read_text()), re.M)
        graph.setdefault(path.stem, set()).update(set(named) - {path.stem})
    return graph


def written_graph(text):
    """The lines "ROOM[+ROOM] -> ROOM ROOM" of the document, as pairs of lists, in their order."""
    lines = []
    for line in text.splitlines():
        rooms, _, below = line.partition("->")
        lines.append((rooms.strip().split("+"), below.split()))
    return lines


def graph_line(rooms, below):
    name = "+".join(rooms)
    return f"{name:16} -> {' '.join(below)}" if below else name


def graph(root, write):
    document = root / "docs/architecture.md"
    text = document.read_text()
    block = GRAPH.search(text)
    if block is None:
        return fail("docs/architecture.md holds no include graph")
    code, lines = core_includes(root), written_graph(block.group(2))
    order = [room for rooms, _ in lines for room in rooms]
    for room in sorted(set(code) ^ set(order)):
        fail(f"the include graph {'lacks' if room in code else 'has, but core/ has not,'} {room}")
    for room in sorted(room for room in set(order) if order.count(room) > 1):
        fail(f"the include graph has {room} twice")
    right, above = [], set()
    for rooms, below in lines:
        above.update(rooms)
        found = set().union(*(code.get(room, set()) for room in rooms)) - set(rooms)
        for room in sorted(found & above):
            fail(f"core/{'+'.join(rooms)} includes {room}, which is above it or beside it")
        right.append(graph_line(rooms, sorted(found)))
        if found != set(below) and not write:
            fail(f"the include graph says: {graph_line(rooms, below)}\n"
                 f"             and core/: {right[-1]}")
    if write:
        document.write_text(text[:block.start(2)] + "\n".join(right) + "\n" + text[block.end(2):])
    return None


# ---- the rooms ----

def rooms(root, _write):
    text = (root / "docs/architecture.md").read_text()
    named, folder = {}, None
    for line in text.splitlines():
        heading = re.match(r"#+ .*`([a-z0-9/-]+)/`", line)
        if line.startswith("#"):
            folder = heading.group(1) if heading else None
        elif folder is not None and line.startswith("| `"):
            named.setdefault(folder, []).extend(re.findall(r"`([^`]+\.[ch])`", line.split("|")[1]))
    folders = ["core", "include/mailhaul"] + [f"plugins/{path.name}" for path in (root / "plugins").iterdir()
                                              if path.is_dir()]
    for folder in folders:
        kind = "*.h" if folder.startswith("include") else "*.c"
        files = {path.name for path in (root / folder).glob(kind)}
        # A header without a .c of its name is a room, too.
        files |= {path.name for path in (root / folder).glob("*.h") if not path.with_suffix(".c").exists()}
        said = named.get(folder, [])
        for name in sorted(files - set(said)):
            fail(f"the rooms of {folder}/ lack {name}")
        for name in sorted(set(said) - files):
            fail(f"the rooms of {folder}/ name {name}, which is not there")


# ---- the listing ----

def mdoc_literal(source):
    lines = []
    for line in source.splitlines():
        line = line.replace("\\", "\\e").replace("§", "\\(sc")
        lines.append("\\&" + line if line[:1] in (".", "'") else line)
    return "\n".join(lines) + "\n"


def listing(root, write):
    page = root / "docs/mailhaul-plugin.7"
    text = page.read_text()
    block = LISTING.search(text)
    if block is None:
        return fail("docs/mailhaul-plugin.7 holds no listing")
    right = mdoc_literal((root / "tests/abi/sample-store.c").read_text())
    if write:
        page.write_text(text[:block.start(2)] + right + text[block.end(2):])
    elif block.group(2) != right:
        fail("the plugin in docs/mailhaul-plugin.7 is not tests/abi/sample-store.c: run docs/check.py listing . --write")
    return None


# ---- the manual ----

def section(page, title):
    """The text of one section of a manual page."""
    found = re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", page, re.M | re.S)
    if found is None:
        fail(f"there is no section {title}")
    return found.group(1) if found else ""


def items(text, macro):
    """The words of the list items, such as ".It Fl -host1 Ar name"."""
    return set(re.findall(rf"^\.It {macro} (\S+)", text, re.M))


def compare(what, page, in_code, said):
    if not in_code:
        fail(f"no {what} was found in the code")
    for name in sorted(in_code - said):
        fail(f"{page} lacks {what} {name}")
    for name in sorted(said - in_code):
        fail(f"{page} has {what} {name}, which the code has not")


def table(root, path, pattern):
    return re.findall(pattern, without_comments((root / path).read_text()), re.S)


def manual(root, _write):
    page1 = (root / "docs/mailhaul.1").read_text()
    options = {"-" + name + ("1" if sided == "true" else "")
               for name, sided in table(root, "core/options-table.c", r'\{\s*"([a-z0-9-]+)",\s*(true|false),[^{}]*?apply_')}
    compare("option", "mailhaul.1", options, items(section(page1, "DESCRIPTION"), "Fl"))

    reasons = table(root, "core/reason.c",
                    r'\{\s*"([a-z-]+)",\s*HAUL_STATE_\w+,\s*(\d+),\s*\{\s*(\d+),\s*(\d+)\s*\}')
    compare("reason", "mailhaul.1", {reason[0] for reason in reasons}, items(section(page1, "DIAGNOSTICS"), "Er"))
    codes = {code for reason in reasons for code in reason[1:]}
    codes |= set(table(root, "core/reason.c", r'\{\s*(\d+),\s*"'))
    compare("exit code", "mailhaul.1", codes, set(re.findall(r"^\.It (\d+)$", section(page1, "EXIT STATUS"), re.M)))

    settings = set()
    for path in list((root / "plugins").glob("*/*.c")) + [root / "include/mailhaul/stream.h",
                                                              root / "include/mailhaul/sasl.h"]:
        settings |= set(re.findall(r"""\{\s*"([a-z-]+)",\s*'.',\s*""", path.read_text().replace("\\\n", "")))
    compare("setting", "mailhaul.1", settings, items(section(page1, "SETTINGS"), "Cm"))
    matchers = {path.stem for path in (root / "plugins/match").glob("*.c")}
    compare("matcher", "mailhaul.1", matchers, items(section(page1, "MATCHING"), "Cm"))
    events = {event for path in sorted((root / "core").glob("*.c"))
              for event in table(root, path.relative_to(root), r'haul_json_begin\("([a-z-]+)"\)')}
    compare("event", "mailhaul.1", events, items(section(page1, "EVENTS"), "Li"))

    page7 = (root / "docs/mailhaul-plugin.7").read_text()
    callbacks = set(table(root, "include/mailhaul/plugin.h", r"\(\*([a-z_]+)\)\("))
    said = items(section(page7, "CALLBACKS OF A STORE") + section(page7, "CALLBACKS OF A MATCHER"), "Fn")
    compare("callback", "mailhaul-plugin.7", callbacks, said)
    for header in sorted((root / "include/mailhaul").glob("*.h")):
        text = re.sub(r"^[ \t]*#.*$", "", without_comments(header.read_text()), flags=re.M)
        for name in re.findall(r"HAUL_PUBLIC\b[^;(]*?(\w+)\(", text):
            if not re.search(rf"\b{name}\b", page7):
                fail(f"mailhaul-plugin.7 does not name {name}()")


# ---- the habits of servers ----

# How many rows each family of the catalogue has: GM1 to GM13, and so on.
HABITS = {"GM": 13, "GP": 3, "EX": 21, "YA": 7, "AP": 5, "CN": 4, "DV": 6, "CY": 2, "CO": 2, "OR": 1, "UW": 1, "ZI": 3,
          "DB": 2, "DO": 1, "FC": 1, "FT": 1, "TB": 1, "HM": 1, "SZ": 1, "FM": 1, "PM": 1, "DM": 1, "KO": 1, "AW": 1,
          "CC": 1, "PO": 8}


def tests_by_name(root):
    """The names of transcripts that are played, and of cases."""
    played = set(re.findall(r"'([a-z0-9-]+)'", (root / "tests/transcripts/meson.build").read_text()))
    names = {path.stem for path in (root / "tests/transcripts").glob("*/*.txt")} & played
    for path in (root / "tests/integration").glob("test_*.py"):
        names |= set(re.findall(r"^@case\ndef (\w+)\(", path.read_text(), re.M))
    for path in (root / "tests/unit").glob("test-*.c"):
        names |= set(re.findall(r"\bCASE\((\w+)\)", path.read_text()))
    return names


def row_of(name):
    """The row that a test is named after, or None."""
    found = re.match(r"([a-z]{2}\d+)[-_]", name)
    row = found.group(1).upper() if found else None
    return row if row in {family + str(n) for family, last in HABITS.items() for n in range(1, last + 1)} else None


def servers(root, _write):
    tests, said = tests_by_name(root), {}
    for line in (root / "docs/servers.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if re.fullmatch(r"[A-Z]{2}\d+", cells[0]):
            if len(cells) != 4 or cells[0] in said:
                fail(f"docs/servers.md: the row {cells[0]} is there twice, or has not four cells")
            said[cells[0]] = re.findall(r"`([^`]+)`", cells[-1])
    for row in (family + str(number) for family, last in HABITS.items() for number in range(1, last + 1)):
        if row not in said:
            fail(f"docs/servers.md lacks the row {row}")
        elif not said[row] or row_of(said[row][0]) != row:
            fail(f"docs/servers.md names no test for {row} that bears its name")
    for row, names in said.items():
        for name in sorted(set(names) - tests):
            fail(f"docs/servers.md says that {name} plays {row}, and there is no such test")
    for name in sorted(tests):
        if row_of(name) is not None and name not in said.get(row_of(name), []):
            fail(f"docs/servers.md does not name {name} in the row {row_of(name)}")


def main(words):
    write = "--write" in words
    what, root = [word for word in words if word != "--write"]
    {"graph": graph, "rooms": rooms, "listing": listing, "manual": manual,
     "servers": servers}[what](pathlib.Path(root), write)
    for text in failures:
        print(text)
    return 1 if failures else 0


sys.exit(main(sys.argv[1:]))
