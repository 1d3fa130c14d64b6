#!/usr/bin/env python3
"""Writes the list of what a library is known to do otherwise, adapters/known/NAME.json, from a run of the judge:

    build/release/plumb check --backend 'cmd:...' --budget=smoke --salt=0 --json > run.json
    adapters/classify.py numpy run.json --version "2.4.6, scipy 1.17.1, ml_dtypes 0.6.0"

Each failure takes the class and the reason of the first rule that fits it, adapters/known/NAME.rules.json: a list of
[case, cause, text, class, reason], patterns of the case and the cause and an expression that the message holds. A
failure that no rule fits is printed, and nothing is written: somebody must look at it.
"""
import argparse
import fnmatch
import json
import pathlib
import re
import sys

KNOWN = pathlib.Path(__file__).resolve().parent / "known"


def rule_of(failure, rules):
    for case, cause, text, kind, reason in rules:
        if (fnmatch.fnmatchcase(failure["case"], case) and fnmatch.fnmatchcase(failure["cause"], cause)
                and re.search(text, failure["message"])):
            return kind, reason
    return None


def exact(case):
    return re.sub(r"([*?\[\\])", r"\\\1", case)


def entries(failures, rules):
    listed, strange = [], []
    for f in failures:
        rule = rule_of(f, rules)
        if rule is None:
            strange.append(f)
        else:
            listed.append({"case": exact(f["case"]), "cause": f["cause"], "class": rule[0], "reason": rule[1]})
    return listed, strange


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("library")
    words.add_argument("run", type=pathlib.Path)
    words.add_argument("--version", required=True)
    asked = words.parse_args()
    rules = json.loads((KNOWN / f"{asked.library}.rules.json").read_text(encoding="utf-8"))
    run = json.loads(asked.run.read_text(encoding="utf-8"))
    listed, strange = entries(run["failures"], rules)
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
