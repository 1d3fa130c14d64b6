#!/usr/bin/env python3
"""Plants the faults of conformance/planted.json one at a time and requires that the suite finds each.

    ci/plant.py --check                                  every fault applies to exactly one place (seconds)
    ci/plant.py --build build/release                    every fault
    ci/plant.py --build build/release 'argsort*'         those whose name matches
    ci/plant.py --build build/release --jobs 8 --out out/planted.json --page docs/planted.md

Each fault is planted in a copy of the tree beside its build folder, so that only what it touches is built; the tree
itself stays as it is. The commands of a fault run in their order until one fails, and that command must pass without
the fault. docs/planted.md describes the format of the list. Exit 0 only if every fault was found.
"""
import argparse
import concurrent.futures
import fnmatch
import hashlib
import json
import os
import pathlib
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import copies  # noqa: E402
import places  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "conformance" / "planted.json"
NEEDED = {"name", "file", "function", "before", "after", "commands"}
KINDS = ("judge", "instruction set", "thread count", "constant", "output", "last element", "inner buffer")
PROGRAMS = ("plumb", "conformance_tests", "judge_tests")
SCRIPTS = ("ci/kernel_indices.py", "ci/matrix_kernels.py")  # which read the sources
NOTHING_RAN = 77


def words_of(command):
    """(environment, program and arguments) of a command: VAR=value words come first."""
    words = shlex.split(command)
    count = 0
    while count < len(words) and re.match(r"[A-Z_]+=", words[count]):
        count += 1
    return dict(w.split("=", 1) for w in words[:count]), words[count:]


def malformed(entry):
    """What is wrong with an entry by itself, or None."""
    if not isinstance(entry, dict) or not NEEDED <= entry.keys() or entry.keys() - NEEDED - {"kind"}:
        return f"an entry has {', '.join(sorted(NEEDED))} and perhaps kind"
    if entry.get("kind", "judge") not in KINDS:
        return f"no such kind as {entry['kind']!r}; there are {', '.join(KINDS)}"
    if not entry["commands"]:
        return "no command"
    for command in entry["commands"]:
        words = words_of(command)[1]
        if not words or words[0] not in PROGRAMS + SCRIPTS:
            return f"a command runs one of {', '.join(PROGRAMS + SCRIPTS)}, not {command!r}"
    if places.squeezed(entry["before"])[0] == places.squeezed(entry["after"])[0]:
        return "before and after are the same but for white space and comments"
    return None


def check(entries, root):
    """Prints every entry that does not apply exactly once; returns their number."""
    wrong, names = 0, set()
    for entry in entries:
        trouble = malformed(entry)
        name = entry.get("name", "?") if isinstance(entry, dict) else "?"
        if not trouble and name in names:
            trouble = "the name occurs twice"
        names.add(name)
        try:
            if not trouble:
                path = places.locate(root, entry["file"], entry["function"], entry["before"])[0]
                if path != root / entry["file"]:
                    print(f"moved: {name}: now in {path.relative_to(root)}")
        except places.PlaceError as error:
            trouble = str(error)
        if trouble:
            wrong += 1
            print(f"does not apply: {name}: {trouble}")
    print(f"{len(entries) - wrong} planted faults apply exactly once, {wrong} do not")
    return wrong


def told_by(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"FAIL|plumb repro|plumb replay .*--case|Failure", line)]
    return (told or lines[-1:] or ["no output"])[0][:300]


class Trial:
    """Runs commands in one built tree."""

    def __init__(self, build, threads, limit):
        self.build, self.threads, self.limit = build, threads, limit

    def run(self, command):
        """{"command", "status": passed, failed or absent, "told", "seconds"}."""
        extra, words = words_of(command)
        own = {"PLUMB_THREADS": str(self.threads), "POCL_MAX_PTHREAD_COUNT": str(self.threads)}
        begun = time.monotonic()
        try:
            home = copies.home_of(self.build)
            program = [sys.executable, str(home / words[0])] if words[0] in SCRIPTS else [str(self.build / words[0])]
            done = subprocess.run([*program, *words[1:]], cwd=home, text=True,
                                  env={**own, **os.environ, **extra}, errors="replace", timeout=self.limit,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            status = {0: "passed", NOTHING_RAN: "absent"}.get(done.returncode, "failed")
            told = f"signal {-done.returncode}" if done.returncode < 0 else told_by(done.stdout)
        except subprocess.TimeoutExpired:
            status, told = "failed", f"ran longer than {self.limit} s"
        return {"command": command, "status": status, "told": told, "seconds": round(time.monotonic() - begun, 1)}

    def rebuild(self, targets, jobs):
        """What the compiler said if it failed, or None."""
        if not targets:
            return None
        done = subprocess.run(["cmake", "--build", str(self.build), "-j", str(jobs), "--target", *targets], text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout[-2000:] if done.returncode else None


class Clean:
    """The tree without any fault: a command that fails here finds nothing."""

    def __init__(self, trial):
        self.trial, self.known, self.locks, self.lock = trial, {}, {}, threading.Lock()

    def run(self, command):
        with self.lock:
            own = self.locks.setdefault(command, threading.Lock())
        with own:
            if command not in self.known:
                self.known[command] = self.trial.run(command)
            return self.known[command]


def targets_of(entries):
    return sorted({words_of(c)[1][0] for e in entries for c in e["commands"]} - set(SCRIPTS))


def digest(entry):
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def weight(entry):
    """About how much there is to build: what comes first, so that nobody waits for it at the end."""
    file = entry["file"]
    return 20 if file.endswith(".h") else 4 if file.endswith(".simd.cpp") else 2 if file.endswith(".cpp") else 1


def judge(entry, trial, clean, build_jobs):
    """Builds the fault that stands in the tree of `trial` and asks its commands; what the result says of it."""
    begun = time.monotonic()
    broken = trial.rebuild(targets_of([entry]), build_jobs * (4 if weight(entry) > 4 else 1))
    result = {"build_seconds": round(time.monotonic() - begun, 1), "runs": []}
    if broken:
        return {**result, "status": "error", "told": "does not build: " + broken}
    for command in entry["commands"]:
        run = trial.run(command)
        result["runs"].append(run)
        if run["status"] != "failed":
            continue
        if clean.run(command)["status"] == "failed":
            return {**result, "status": "error", "told": f"fails without the fault too: {command}: {run['told']}"}
        return {**result, "status": "found", "command": command, "told": run["told"]}
    absent = all(run["status"] == "absent" for run in result["runs"])
    return {**result, "status": "absent" if absent else "survived", "told": result["runs"][-1]["told"]}


def plant(entry, copy, clean, options):
    path, begin, end = places.locate(copy.root, entry["file"], entry["function"], entry["before"])
    text = path.read_text(encoding="utf-8")
    begun = time.monotonic()
    try:
        path.write_text(text[:begin] + entry["after"] + text[end:], encoding="utf-8")
        outcome = judge(entry, Trial(copy.build, options.threads, options.limit), clean, options.build_jobs)
    finally:
        shutil.copy2(copy.origin / path.relative_to(copy.root), path)
        copy.restore()
    about = {"name": entry["name"], "kind": entry.get("kind", ""), "file": str(path.relative_to(copy.root)),
             "function": entry["function"], "digest": digest(entry)}
    return {**about, **outcome, "seconds": round(time.monotonic() - begun, 1)}


class Progress:
    """Prints each result as it comes, and keeps the list of all of them on disk."""

    def __init__(self, total, out, kept):
        self.total, self.out, self.results = total, out, kept
        self.begun, self.done, self.lock = time.monotonic(), 0, threading.Lock()

    def add(self, result):
        with self.lock:
            self.done += 1
            self.results.append(result)
            left = (time.monotonic() - self.begun) / self.done * (self.total - self.done)
            print(f"[{self.done}/{self.total}] {result['status']}: {result['name']}  ({result['seconds']} s, of which "
                  f"{result['build_seconds']} s to build; {left / 60:.1f} min left)", flush=True)
            by = result.get("command")
            print(f"    {by}: {result['told']}" if by else f"    {result['told']}", flush=True)
            if self.out:
                self.out.parent.mkdir(parents=True, exist_ok=True)
                self.out.write_text(json.dumps(self.results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def markdown(results):
    """The list of docs/planted.md: what was planted and which command found it."""
    def cell(text):
        return text.replace("|", "\\|")
    lines = ["| planted fault | function | found by | build, s | find, s |", "|---|---|---|---:|---:|"]
    for r in sorted(results, key=lambda r: r["name"]):
        by = f"`{cell(r['command'])}`" if r["status"] == "found" else f"**{r['status']}**"
        lines.append(f"| {cell(r['name'])} | `{r['function']}`, {r['file']} | {by} | {r['build_seconds']:.0f} | "
                     f"{sum(run['seconds'] for run in r['runs']):.1f} |")
    counts = {s: sum(r["status"] == s for r in results) for s in ("found", "survived", "error", "absent")}
    return "\n".join(lines + ["", ", ".join(f"{n} {s}" for s, n in counts.items() if n or s == "found") + "."])


def write_page(page, results):
    """Puts the list between the two marks of a page."""
    begin, end = "<!-- planted: begin -->", "<!-- planted: end -->"
    text = page.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"{page}: has no place for the list: the lines {begin} and {end}")
    head, rest = text.split(begin)
    page.write_text(f"{head}{begin}\n{markdown(results)}\n{end}{rest.split(end)[1]}", encoding="utf-8")


def run_all(chosen, build, options, kept):
    if copies.home_of(build) != ROOT:
        raise SystemExit(f"{build} was configured for {copies.home_of(build)}, not for {ROOT}")
    clean_copy, work = copies.Copy(ROOT, build), []
    try:
        clean_trial = Trial(clean_copy.build, options.threads, options.limit)
        broken = clean_trial.rebuild(targets_of(chosen), os.cpu_count())
        if broken:
            raise SystemExit("does not build without a fault: " + broken)
        work = [copies.Copy(clean_copy.root, clean_copy.build) for _ in range(options.jobs)]
        free, clean = queue.Queue(), Clean(clean_trial)
        progress = Progress(len(chosen), options.out, kept)
        for copy in work:
            free.put(copy)

        def one(entry):
            if options.stop_after and time.monotonic() - progress.begun > options.stop_after:
                return
            copy = free.get()
            try:
                progress.add(plant(entry, copy, clean, options))
            finally:
                free.put(copy)

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(one, sorted(chosen, key=weight, reverse=True)))
    finally:
        for copy in [*work, clean_copy]:
            copy.remove()
    return progress.results


def options_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="globs on the names of faults; none: all")
    parser.add_argument("--check", action="store_true", help="only ask that every fault applies to exactly one place")
    parser.add_argument("--list", type=pathlib.Path, default=LIST, help="another list of faults")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release",
                        help="a configured build folder in the tree, best a built one")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() // 2), help="copies that work at once")
    parser.add_argument("--limit", type=int, default=600, help="seconds that one command may take")
    parser.add_argument("--stop-after", type=int, help="seconds after which no other fault is begun")
    parser.add_argument("--out", type=pathlib.Path, help="the results as JSON, written after each fault")
    parser.add_argument("--resume", action="store_true", help="leave out what --out says was found")
    parser.add_argument("--page", type=pathlib.Path, help="a page whose list is replaced: docs/planted.md")
    options = parser.parse_args()
    options.threads = max(3, os.cpu_count() // options.jobs)
    options.build_jobs = max(1, os.cpu_count() // options.jobs)
    return options


def main():
    options = options_of()
    entries = json.loads(options.list.read_text(encoding="utf-8"))
    wrong = check(entries, ROOT)
    if wrong or options.check:
        return 1 if wrong else 0
    chosen = [e for e in entries if not options.names or any(fnmatch.fnmatch(e["name"], n) for n in options.names)]
    if not chosen:
        raise SystemExit("no planted fault matches")
    kept = []
    if options.resume and options.out and options.out.is_file():
        digests = {digest(e) for e in chosen}
        kept = [r for r in json.loads(options.out.read_text(encoding="utf-8"))
                if r["status"] == "found" and r["digest"] in digests]
    known = {r["digest"] for r in kept}
    results = run_all([e for e in chosen if digest(e) not in known], options.build.resolve(), options, kept)
    if options.page:
        write_page(options.page, results)
    found = sum(r["status"] == "found" for r in results)
    print(f"{found} of {len(chosen)} planted faults found; {sum(r['status'] == 'absent' for r in results)} not asked: "
          f"nothing that they touch runs here; {len(chosen) - len(results)} not begun")
    return 0 if found == len(chosen) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the copies are removed
    sys.exit(main())
