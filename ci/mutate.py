#!/usr/bin/env python3
"""Mutation testing of the judge: are its own unit tests able to tell it from a judge with one thing wrong?

    ci/mutate.py --build build/release                      400 mutants drawn by seed 1
    ci/mutate.py --build build/release --seed 7 --count 600
    ci/mutate.py --build build/release --night              100 mutants, drawn by the day
    ci/mutate.py --check                                    only that conformance/equivalent.json still applies

Places are found by operator in the syntax tree: a comparison, an arithmetic operation, a constant, a condition, a
statement left out. All mutants drawn are compiled once, into judge_tests in a copy of the tree; the environment says
which is alive. A mutant is killed if a test fails, crashes or runs too long. docs/mutation.md says more.
Exit 0 only if at least 95 % of those that are not equivalent were killed.
"""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import copies  # noqa: E402
import places  # noqa: E402
try:
    import mutants  # noqa: E402
except ImportError:
    sys.exit("needs libclang's Python bindings: ci/check.sh setup-dev, or the Debian package python3-clang-14, "
             "whose Python is /usr/bin/python3")

ROOT = pathlib.Path(__file__).resolve().parent.parent
EQUIVALENT = ROOT / "conformance" / "equivalent.json"
TARGETS = ("core/tolerance*.cpp", "core/bounds*.cpp", "core/order.cpp", "core/fill*.cpp", "conformance/*.cpp")
OPERATORS = ("comparison", "arithmetic", "constant", "condition", "statement")
REQUIRED = 0.95
PROGRAM = "judge_tests"
MEMORY = 4 << 30


def targets():
    return sorted({str(p.relative_to(ROOT)) for pattern in TARGETS for p in ROOT.glob(pattern)})


def candidates(generated):
    """Every mutant of every target."""
    arguments = ["-std=c++20", f"-I{ROOT}", f"-I{generated}"]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        lists = pool.map(mutants.parse, *zip(*[(str(ROOT), file, arguments) for file in targets()]))
        return [m for found in lists for m in found]


def drawn(found, seed):
    """All of them in a drawn sequence that takes from every file and operator in turn."""
    groups = collections.defaultdict(list)
    for mutant in found:
        groups[mutant.file, mutant.operator].append(mutant)
    generator = random.Random(seed)
    for group in groups.values():
        generator.shuffle(group)
    order = sorted(groups)
    generator.shuffle(order)
    return [groups[k][i] for i in range(max(map(len, groups.values()))) for k in order if i < len(groups[k])]


def squeezed(text):
    return places.squeezed(text)[0]


def same(mutant, entry):
    return (mutant.operator == entry["operator"] and squeezed(mutant.original) == squeezed(entry["text"])
            and squeezed(mutant.mutated) == squeezed(entry["mutated"])
            and squeezed(mutant.behind).endswith(squeezed(entry.get("behind", ""))))


def equivalents(found):
    """{key of a mutant: the argument}; an entry that is not exactly one mutant is an error."""
    if not EQUIVALENT.is_file():
        return {}
    known, wrong = {}, []
    for entry in json.loads(EQUIVALENT.read_text(encoding="utf-8")):
        fits = [m for m in found if m.function == entry["function"] and same(m, entry)]
        if len(fits) != 1 or not entry["argument"]:
            wrong.append(f"is {len(fits)} mutants, or has no argument: {entry['function']}: {entry['text']} -> "
                         f"{entry['mutated']}")
        known.update((mutants.key(m), entry["argument"]) for m in fits)
    if wrong:
        raise SystemExit("conformance/equivalent.json:\n  " + "\n  ".join(wrong))
    return known


class Build:
    """judge_tests in a copy of the tree, with every mutant of `numbered` in it."""

    def __init__(self, build, sequence, count):
        self.copy = copies.Copy(ROOT, build)
        self.sequence, self.spare = sequence, iter(range(count, len(sequence)))
        self.alive, self.dropped = list(range(min(count, len(sequence)))), 0

    def write(self, files):
        switch = mutants.SWITCH % (len(self.sequence), len(self.sequence))
        host = self.sequence[0].file
        writers = {}
        for file in files:
            text = (ROOT / file).read_bytes()
            own = {n: self.sequence[n] for n in self.alive if self.sequence[n].file == file}
            writers[file] = mutants.Writer(text, own)
            tail = switch.encode() if file == host else b""
            (self.copy.root / file).write_bytes(bytes(writers[file].out) + tail)
        return writers

    def make(self):
        """Builds; mutants that the compiler refuses are replaced by the next of the sequence."""
        files, writers = sorted({m.file for m in self.sequence}), {}
        while True:
            writers.update(self.write(files))
            done = subprocess.run(["cmake", "--build", str(self.copy.build), "-j", str(os.cpu_count()), "--target",
                                   PROGRAM, *self.keep_going()], text=True, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode == 0:
                return self.copy.build / PROGRAM
            refused = self.refused(done.stdout, writers)
            if not refused:
                raise SystemExit("does not build: " + done.stdout[-3000:])
            files = sorted({self.sequence[n].file for n in refused} | set(self.replace(refused)))

    def keep_going(self):
        return ["--", "-k", "0"] if (self.copy.build / "build.ninja").is_file() else ["--", "-k"]

    def refused(self, output, writers):
        """The mutants at the places that the compiler's errors name."""
        found, errors = set(), 0
        for match in re.finditer(r"^(\S+?):(\d+):(\d+):\s+(.*)$", output, re.M):
            file = os.path.relpath(match[1] if os.path.isabs(match[1]) else self.copy.build / match[1], self.copy.root)
            if file in writers and re.match(r"error|fatal|\s*required from|note", match[4]):
                errors += match[4].startswith("error")
                if match[4].startswith(("error", "required")) or not errors:
                    found |= set(writers[file].at(int(match[2]), int(match[3])))
        return found & set(self.alive)

    def replace(self, refused):
        self.alive = [n for n in self.alive if n not in refused]
        self.dropped += len(refused)
        new = [n for _, n in zip(refused, self.spare)]
        self.alive = sorted(self.alive + new)
        return {self.sequence[n].file for n in new}


class Tests:
    """The unit tests one by one: how long each takes, and which mutants it reaches."""

    def __init__(self, program, root):
        self.program, self.root = program, root
        self.names, self.seconds, self.reach = self.listed(), {}, collections.defaultdict(list)

    def run(self, names, limit, **extra):
        """(failed, seconds, the failing test or what ended it) of a selection, up to the first that fails."""
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as own:
            environment = {**os.environ, "TMPDIR": own, "TEST_TMPDIR": own, **extra}
            command = [str(self.program), "--gtest_fail_fast", "--gtest_filter=" + ":".join(names)]
            try:
                done = subprocess.run(command, cwd=self.root, env=environment, timeout=limit, preexec_fn=limited,
                                      text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            except subprocess.TimeoutExpired:
                return True, time.monotonic() - begun, f"ran longer than {limit:.0f} s"
        seconds = time.monotonic() - begun
        if done.returncode == 0:
            return False, seconds, ""
        failed = re.search(r"\[  FAILED  \] ([\w./]+)", done.stdout)
        return True, seconds, failed[1] if failed else f"ended with {done.returncode}"

    def listed(self):
        done = subprocess.run([str(self.program), "--gtest_list_tests"], check=True, capture_output=True, text=True)
        suite, names = "", []
        for line in done.stdout.splitlines():
            line = line.split("#")[0].rstrip()
            if line.endswith(".") and not line.startswith(" "):
                suite = line
            elif line.startswith("  "):
                names.append(suite + line.strip())
        return [n for n in names if "DISABLED_" not in n]

    def survey(self, jobs):
        """Runs every test by itself without a mutant."""
        with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            def one(numbered):
                number, name = numbered
                out = pathlib.Path(folder) / str(number)
                failed, seconds, told = self.run([name], 300, PLUMB_MUTANTS_REACHED=str(out))
                if failed:
                    raise SystemExit(f"{name} fails without a mutant: {told}")
                return name, seconds, [int(n) for n in out.read_text().split()] if out.is_file() else []
            for name, seconds, reached in pool.map(one, enumerate(self.names)):
                self.seconds[name] = seconds
                for number in reached:
                    self.reach[number].append(name)

    def kill(self, number):
        """{"killed", "seconds", "by"} of one mutant: quick tests first, in parts, so that a slow one is seldom run."""
        names = sorted(self.reach[number], key=self.seconds.get)
        begun, parts = time.monotonic(), [names[:8], names[8:40], names[40:]]
        for part in filter(None, parts):
            limit = 10 + 5 * sum(self.seconds[n] for n in part)
            failed, _, told = self.run(part, limit, PLUMB_MUTANT=str(number))
            if failed:
                return {"killed": True, "seconds": round(time.monotonic() - begun, 1), "by": told}
        return {"killed": False, "seconds": round(time.monotonic() - begun, 1), "by": "" if names else "not reached"}


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_mutants(tests, alive, sequence, known, jobs):
    """The result of every mutant; prints how far it is."""
    results, begun = [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for number, outcome in zip(alive, pool.map(tests.kill, alive)):
            mutant = sequence[number]
            results.append({**{k: v for k, v in mutant._asdict().items() if k not in ("begin", "end", "behind")},
                            **outcome,
                            "equivalent": known.get(mutants.key(mutant), "")})
            if len(results) % 50 == 0 or len(results) == len(alive):
                spent = time.monotonic() - begun
                print(f"[{len(results)}/{len(alive)}] {sum(r['killed'] for r in results)} killed, {spent:.0f} s, about "
                      f"{spent / len(results) * (len(alive) - len(results)):.0f} s left", flush=True)
    return results


def table(results, field, rows):
    print(f"\n{field:32} {'tried':>7} {'killed':>7} {'equivalent':>11} {'survived':>9}")
    for row in [*rows, "all"]:
        own = [r for r in results if row in ("all", r[field])]
        if own:
            same = sum(bool(r["equivalent"]) for r in own)
            killed = sum(r["killed"] for r in own)
            print(f"{row:32} {len(own):7} {killed:7} {same:11} {len(own) - killed - same:9}")


def report(results, options, dropped):
    """Prints the figures and the survivors; returns the exit status."""
    for r in results:
        if not r["killed"] and not r["equivalent"]:
            original, mutated = " ".join(r["original"].split()), r["mutated"] or "(left out)"
            print(f"SURVIVED {r['file']}:{r['line']} {r['function']} [{r['operator']}] {original}  ->  {mutated}  "
                  f"{r['by']}")
    table(results, "file", targets())
    table(results, "operator", OPERATORS)
    liars = [r for r in results if r["killed"] and r["equivalent"]]
    for r in liars:
        print(f"said to be equivalent, but killed by {r['by']}: {r['function']}: {r['original']} -> {r['mutated']}")
    judged = [r for r in results if not r["equivalent"]]
    killed = sum(r["killed"] for r in judged)
    share = killed / len(judged) if judged else 0
    print(f"\nseed {options.seed}: {len(results)} mutants tried ({dropped} more refused by the compiler), "
          f"{len(results) - len(judged)} equivalent, {killed} of {len(judged)} others killed: {100 * share:.1f} %")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        about = {"seed": options.seed, "tried": len(results), "refused": dropped, "judged": len(judged),
                 "killed": killed}
        options.out.write_text(json.dumps({**about, "mutants": results}, indent=1, ensure_ascii=False) + "\n")
    return 0 if share >= REQUIRED and not liars else 1


def options_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="a configured folder")
    parser.add_argument("--seed", type=int, default=1, help="draws the mutants; 0: every mutant")
    parser.add_argument("--count", type=int, default=400, help="mutants to draw")
    parser.add_argument("--night", action="store_true", help="100 mutants, the seed is the day (YYYYMMDD)")
    parser.add_argument("--files", default="*", help="glob on the mutated files")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="tests that run at once")
    parser.add_argument("--check", action="store_true", 
                        help="only ask that every equivalent mutant still is there")
    parser.add_argument("--out", type=pathlib.Path, help="the results as JSON")
    options = parser.parse_args()
    if options.night:
        options.count, options.seed = 100, int(datetime.date.today().strftime("%Y%m%d"))
    options.build = options.build.resolve()
    return options


def main():
    options = options_of()
    begun = time.monotonic()
    found = candidates(options.build / "generated")
    known = equivalents(found)
    print(f"seed {options.seed}: {len(found)} places for mutants in {len(targets())} files, {len(known)} of them "
          f"said to be equivalent; {time.monotonic() - begun:.0f} s", flush=True)
    if options.check:
        return 0
    found = [m for m in found if pathlib.PurePath(m.file).match(options.files)]
    sequence = drawn(found, options.seed)
    built = Build(options.build, sequence, options.count if options.seed else len(sequence))
    try:
        program = built.make()
        print(f"built with {len(built.alive)} mutants, {built.dropped} refused by the compiler; "
              f"{time.monotonic() - begun:.0f} s", flush=True)
        tests = Tests(program, built.copy.root)
        tests.survey(options.jobs)
        print(f"{len(tests.names)} tests take {sum(tests.seconds.values()):.0f} s one by one and reach "
              f"{len(tests.reach)} of the mutants; {time.monotonic() - begun:.0f} s", flush=True)
        results = run_mutants(tests, built.alive, sequence, known, options.jobs)
    finally:
        built.copy.remove()
    return report(results, options, built.dropped)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the copies are removed
    sys.exit(main())
