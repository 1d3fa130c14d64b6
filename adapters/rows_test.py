#!/usr/bin/env python3
"""Every row is either in an adapter's OPS or in its ABSENT, which says why the library has no function for it:

    adapters/rows_test.py numpy --program build/release/plumb

ABSENT maps a reason to rows and patterns of them: `rsqrt`, `*_vjp`, `sparse/*` (a wing, or a family). A reason that
explains no row is stale. Exits with 1 where a row is forgotten, with 77 where the library is not installed.
"""
import argparse
import fnmatch
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
FOREIGN = ROOT / "build" / "foreign" / "bin" / "python"  # what setup-foreign makes


def rows(program):
    """name -> wing/family/name."""
    text = subprocess.run([program, "list", "ops", "--json"], check=True, capture_output=True, text=True).stdout
    names = [op["name"] for op in json.loads(text)]
    page = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    found = {}
    for place, items in re.findall(r"^\* ([\w/]+): ((?:.|\n  )*)", page, re.M):
        for name in re.findall(r"\[(\w+)\]", items):
            found[name] = f"{place}/{name}"
    return {name: found[name] for name in names}


def matching(pattern, places):
    return {n for n, place in places.items() if fnmatch.fnmatchcase(place if "/" in pattern else n, pattern)}


def breaches(adapter, places):
    ops = set(adapter.OPS)
    yield from (f"{n} is no row" for n in sorted(ops - set(places)))
    yield from (f"{n} has no function, and no reason" for n in sorted(forgotten(adapter, places)))
    for reason, patterns in adapter.ABSENT.items():
        for pattern in patterns:
            if not matching(pattern, places) - ops:
                yield f"{pattern} names no row without a function: {reason}"


def forgotten(adapter, places):
    explained = set()
    for patterns in adapter.ABSENT.values():
        for pattern in patterns:
            explained |= matching(pattern, places)
    return set(places) - set(adapter.OPS) - explained


def proved(adapter, places):
    """The test can fail: a row less in OPS is noticed, unless a pattern explains it."""
    name = next(n for n in sorted(adapter.OPS) if places[n].startswith("array/elementwise/"))
    less = type("Less", (), {"OPS": {k: f for k, f in adapter.OPS.items() if k != name}, "ABSENT": adapter.ABSENT})
    return forgotten(less, places) == forgotten(adapter, places) | {name}


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("library")
    words.add_argument("--program", required=True)
    asked = words.parse_args()
    if FOREIGN.exists() and not sys.prefix == str(FOREIGN.parent.parent):
        os.execv(FOREIGN, [str(FOREIGN), *sys.argv])
    sys.path.insert(0, str(ROOT / "adapters"))
    try:
        adapter = importlib.import_module(asked.library + "_adapter")
    except ImportError as error:
        print(f"skipped: {error}: ci/check.sh setup-foreign installs it")
        return 77
    places = rows(asked.program)
    found = list(breaches(adapter, places))
    if not proved(adapter, places):
        found.append("a row that is taken away is not noticed")
    print("\n".join(found) or f"{len(adapter.OPS)} of {len(places)} rows, a reason for each other one")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
