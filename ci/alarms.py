#!/usr/bin/env python3
"""False alarms: right routes judged with many salts, where no case may fail.

    ci/alarms.py --program build/release/plumb                every route, as `ci/check.sh alarms` runs it
    ci/alarms.py --program build/release/plumb --route 'gpu.*'

The smallest cases with 10 salts, CPU routes under every instruction set that is here and 1, 2 and 3 threads; then the
ci cases with 3 salts. Prints for each run what passed and how many elements were compared; exit 1 if anything failed.
"""
import argparse
import json
import subprocess
import sys

SETTINGS = ["--isa=base,avx2,avx512", "--threads=1,2,3"]


def judged(program, route, budget, salt, settings):
    command = [program, "check", "--json", f"--route={route}", f"--budget={budget}", f"--salt={salt}", *settings]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="a built plumb")
    parser.add_argument("--route", default="all", help="a glob on routes")
    parser.add_argument("--first", type=int, default=0, help="the first salt")
    parser.add_argument("--smoke", type=int, default=10, help="salts of the smallest cases")
    parser.add_argument("--ci", type=int, default=3, help="salts of the ci cases")
    args = parser.parse_args()
    runs = [("smoke", args.first + i, SETTINGS) for i in range(args.smoke)]
    runs += [("ci", args.first + i, []) for i in range(args.ci)]
    passed = failed = compared = 0
    for budget, salt, settings in runs:
        result = judged(args.program, args.route, budget, salt, settings)
        elements = sum(t["compared"] for t in result["tallies"])
        counts = f"{result['passed']} passed, {result['failed']} failed, {elements} elements"
        print(f"{budget} salt {salt}: {counts}", flush=True)
        for f in result["failures"]:
            print(f"  {f['message']}\n  {f['repro']}", flush=True)
        passed, failed, compared = passed + result["passed"], failed + result["failed"], compared + elements
    print(f"{passed} passed, {failed} failed, {compared} elements compared")
    return 1 if failed or not passed or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
