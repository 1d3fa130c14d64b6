#!/usr/bin/env python3
"""Validates reports against report.schema.json:  reports/validate.py out/report.json [...]

Prints every violation with its place and exits 1 if there is any, 77 where python3-jsonschema is missing.
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


def violations(path, validator):
    with open(path) as f:
        report = json.load(f)
    for error in sorted(validator.iter_errors(report), key=lambda e: list(map(str, e.absolute_path))):
        place = "/".join(map(str, error.absolute_path)) or "(root)"
        yield f"{path}: {place}: {error.message[:200]}"


def main(paths):
    with open(SCHEMA) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = [line for path in paths for line in violations(path, validator)]
    print("\n".join(found) if found else f"{len(paths)} valid")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
