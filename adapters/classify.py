#!/usr/bin/env python3
"""Writes the list of what a library is known to do otherwise, adapters/known/NAME.json, from a run of the judge:

    build/release/plumb check --backend 'cmd:...' --budget=smoke --salt=0 --json > run.json
    adapters/classify.py numpy run.json --program build/release/plumb

Each failure takes the class and the reason of the first rule that fits it, adapters/known/NAME.rules.json: a list of
[case, cause, text, class, reason], patterns of the case and the cause and an expression that the message holds. A
failure that no rule fits is printed, and nothing is written: somebody must look at it. Failures of one reason and cause
become one pattern where it fits no other case.
"""
import argparse
import fnmatch
import functools
import json
import pathlib
import re
import subprocess
import sys

KNOWN = pathlib.Path(__file__).resolve().parent / "known"


def rule_of(failure, rules):
    for case, cause, text, kind, reason in rules:
        if (fnmatch.fnmatchcase(failure["case"], case) and fnmatch.fnmatchcase(failure["cause"], cause)
                and re.search(text, failure["message"])):
            return kind, reason
    return None


@functools.cache
def cases_of(op, program):
    text = subprocess.run([program, "list", "cases", op, "--budget=smoke"], check=True, capture_output=True, text=True)
    return text.stdout.split()


def exact(case):
    return re.sub(r"([*?\[\\])", r"\\\1", case)


def fits(pattern, case):
    return fnmatch.fnmatchcase(case, pattern)


def patterns(cases, others):
    """A few patterns that fit all the cases and none of the others."""
    left, found = sorted(cases), []
    while left:
        op, _, rest = left[0].partition("/")
        operands, _, attributes = rest.partition("/")
        dtype, _, _ = operands.partition(".")
        tries = [f"{op}/*", f"{op}/{dtype}.*", f"{op}/*/{attributes}", f"{op}/{dtype}.*/{attributes}"]
        tries = [t for t in tries if "[" not in t and not any(fits(t, c) for c in others)]
        found.append(tries[0] if tries else exact(left[0]))
        left = [c for c in left[1:] if not (tries and fits(tries[0], c))]
    return found


def entries(failures, rules, program):
    groups, strange = {}, []
    for f in failures:
        rule = rule_of(f, rules)
        if rule is None:
            strange.append(f)
        else:
            groups.setdefault((f["op"], f["cause"], *rule), set()).add(f["case"])
    listed = []
    for (op, cause, kind, reason), cases in sorted(groups.items()):
        others = set(cases_of(op, program)) | {f["case"] for f in failures if f["op"] == op}
        listed += [{"case": p, "cause": cause, "class": kind, "reason": reason}
                   for p in patterns(cases, others - cases)]
    return listed, strange


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("library")
    words.add_argument("run", type=pathlib.Path)
    words.add_argument("--program", required=True)
    words.add_argument("--version", required=True)
    asked = words.parse_args()
    rules = json.loads((KNOWN / f"{asked.library}.rules.json").read_text(encoding="utf-8"))
    run = json.loads(asked.run.read_text(encoding="utf-8"))
    listed, strange = entries(run["failures"], rules, asked.program)
    for f in strange:
        print(f"{f['case']}  {f['cause']}  {f['message']}")
    if strange:
        print(f"{len(strange)} of {len(run['failures'])} failures without a rule")
        return 1
    head = {"library": asked.library, "version": asked.version}
    lines = ",\n".join("  " + json.dumps(e) for e in listed)
    text = json.dumps(head)[:-1] + ', "departures": [\n' + lines + "\n]}\n"
    (KNOWN / f"{asked.library}.json").write_text(text, encoding="utf-8")
    print(f"{len(run['failures'])} failures, {len(listed)} entries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
