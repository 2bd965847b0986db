#!/usr/bin/env python3
"""
Counts cases over all suites from the log of a `meson test`, and ends with "N passed, N failed".

    tally.py LOG...

Knows how suites tell of their cases: TAP, CUnit's summary, or a line "N passed, N failed"; any other
test is one case. A test whose exit status is bad though all its cases are good is one failed case
more, so nothing that crashed at its end passes.
"""
import json
import re
import sys

TAP = re.compile(r"(?m)^(not )?ok\b(?:.*?# (SKIP)\b)?")
CUNIT = re.compile(r"(?m)^\s*tests\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)")
SENTENCE = re.compile(r"(?m)^(\d+) passed, (\d+) failed")


def count(test):
    """Returns (passed, failed, skipped) of one test."""
    told = test.get("stdout") or ""
    if test["result"] == "SKIP":
        return 0, 0, 1
    results = TAP.findall(told)
    if results:
        failed = sum(1 for bad, _ in results if bad)
        skipped = sum(1 for bad, skip in results if skip and not bad)
        passed, found = len(results) - failed - skipped, (failed, skipped)
    elif CUNIT.search(told):
        _, passed, failed = (sum(int(each[n]) for each in CUNIT.findall(told)) for n in range(3))
        found = (failed, 0)
    elif SENTENCE.search(told):
        passed, failed = map(int, SENTENCE.findall(told)[-1])
        found = (failed, 0)
    else:
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        return int(good), int(not good), 0
    failed, skipped = found
    if failed == 0 and test["result"] not in ("OK", "EXPECTEDFAIL"):
        failed = 1
    return passed, failed, skipped


def main():
    suites, names = {}, []
    for log in sys.argv[1:]:
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                test = json.loads(line)
                name = test["name"].split(" / ")[-1].split(":")[-1].strip()
                suite = test["name"].split(" / ")[0].split(":")[-1].strip() if " / " in test["name"] else name
                numbers = count(test)
                suites[suite] = [a + b for a, b in zip(suites.get(suite, [0, 0, 0]), numbers)]
                if numbers[1]:
                    names.append(f"  {name}: {test['result'].lower()}, {numbers[1]} failed")
    for suite, (passed, failed, skipped) in suites.items():
        print(f"{suite:14} {passed:5} passed {failed:4} failed" + (f" {skipped:4} skipped" if skipped else ""))
    if names:
        print("\n".join(["", "Failed:"] + names))
    passed, failed = (sum(numbers[n] for numbers in suites.values()) for n in (0, 1))
    if passed + failed == 0:
        failed = 1  # nothing ran: that is no success
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
