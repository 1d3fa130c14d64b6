#!/usr/bin/env python3
"""Validates reports against report.schema.json:  reports/validate.py [--tier=TIER] out/report.json [...]

With a tier, each must be of that one. Prints every violation with its place and exits 1 if there is any, 77 where
python3-jsonschema is missing. A report whose run was stopped is valid, and said to be partial.
"""

import json
import os
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: install python3-jsonschema")
    sys.exit(77)

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.schema.json")


def violations(path, report, validator, tier):
    if tier and report["current"]["tier"] != tier:
        yield f"{path}: current/tier: {report['current']['tier']} is not {tier}"
    for error in sorted(validator.iter_errors(report), key=lambda e: list(map(str, e.absolute_path))):
        place = "/".join(map(str, error.absolute_path)) or "(root)"
        yield f"{path}: {place}: {error.message[:200]}"


def is_partial(report):
    return not report.get("progress", {}).get("complete", True)


def read(path):
    with open(path) as f:
        return json.load(f)


def main(args):
    tier = next((a.removeprefix("--tier=") for a in args if a.startswith("--tier=")), "")
    paths = [a for a in args if not a.startswith("--tier=")]
    schema = read(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    reports = {path: read(path) for path in paths}
    found = [line for path, report in reports.items() for line in violations(path, report, validator, tier)]
    partial = [path for path in paths if not found and is_partial(reports[path])]
    print("\n".join(found or [f"{len(paths)} valid"] + [f"{path}: partial" for path in partial]))
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
