#!/usr/bin/env python3
"""Plants the bugs of conformance/planted.json one at a time and requires that the suite finds each.

    ci/plant.py --build build                 every bug
    ci/plant.py --build build 'argsort*'      those whose name matches

Each entry names a file, a text that occurs in it once, what replaces it, and the commands of which at least one
must fail. The file is restored whatever happens. Without a planted bug the same commands must pass, which is asked
first. Exit 0 only if every bug was found.
"""
import argparse
import fnmatch
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(command, build):
    """Runs one command of an entry; returns (failed, the first line that says what failed)."""
    text = command.replace("plumb ", f"{build}/plumb ", 1) if command.startswith("plumb ") else f"{build}/{command}"
    done = subprocess.run(text, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    lines = (done.stdout + done.stderr).splitlines()
    told = [l.strip() for l in lines if re.search(r"FAIL|plumb repro|plumb replay .*--case|Failure", l)]
    return done.returncode != 0, (told or lines or ["no output"])[0][:300]


def rebuild(build, targets):
    done = subprocess.run(["ninja", "-C", str(build), *targets], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("does not build:\n" + done.stdout[-3000:])


def plant(entry, build, targets):
    """Returns the command that found the bug and what it said, or None."""
    path = ROOT / entry["file"]
    clean = path.read_text(encoding="utf-8")
    if clean.count(entry["before"]) != 1:
        raise SystemExit(f"{entry['name']}: the text to replace occurs {clean.count(entry['before'])} times in {entry['file']}")
    try:
        path.write_text(clean.replace(entry["before"], entry["after"]), encoding="utf-8")
        rebuild(build, targets)
        for command in entry["commands"]:
            failed, told = run(command, build)
            if failed:
                return command, told
        return None
    finally:
        path.write_text(clean, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="globs on the names of bugs; none: all")
    parser.add_argument("--build", default="build", help="a configured build folder")
    arguments = parser.parse_args()
    build = pathlib.Path(arguments.build).resolve()
    entries = json.loads((ROOT / "conformance" / "planted.json").read_text(encoding="utf-8"))
    chosen = [e for e in entries if not arguments.names or any(fnmatch.fnmatch(e["name"], n) for n in arguments.names)]
    if not chosen:
        raise SystemExit("no planted bug matches")
    targets = ["plumb", "conformance_tests"] if any("conformance_tests" in c for e in chosen for c in e["commands"]) else ["plumb"]
    rebuild(build, targets)
    for command in sorted({c for e in chosen for c in e["commands"]}):
        failed, told = run(command, build)
        if failed:
            raise SystemExit(f"fails without any planted bug: {command}\n{told}")
    found, lost = [], []
    for number, entry in enumerate(chosen, 1):
        caught = plant(entry, build, targets)
        print(f"[{number}/{len(chosen)}] {'found' if caught else 'SURVIVED'}: {entry['name']}", *(caught or ()), sep="\n    ", flush=True)
        (found.append((entry, caught)) if caught else lost.append(entry))
    rebuild(build, targets)
    print(f"{len(found)} passed, {len(lost)} failed")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
