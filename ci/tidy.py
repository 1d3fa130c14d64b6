#!/usr/bin/env python3
"""clang-tidy over the sources, as .clang-tidy says:

    ci/tidy.py --build build/release                            every source
    ci/tidy.py --build build/release --commits 20               what the last 20 commits changed, the most changed first
    ci/tidy.py --build build/release --commits 20 --seconds 90  as far as it comes; what was left out is named

A header is looked at through a source that includes it. Exits with 1 if there is a finding.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True).stdout


def commands_for_clang(build, folder):
    """Writes the commands of a build as clang takes them: it cannot read what GCC has precompiled."""
    text = (build / "compile_commands.json").read_text(encoding="utf-8")
    text = re.sub(r" -Winvalid-pch| -fpch-preprocess| -include \S+/cmake_pch\.hxx", "", text)
    (folder / "compile_commands.json").write_text(text, encoding="utf-8")


def sources(build):
    """What was compiled from the tree, by path; code for one instruction set is no code of its own style."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    paths = {os.path.relpath(os.path.join(e["directory"], e["file"]), ROOT) for e in entries}
    return sorted(p for p in paths if not p.startswith("..") and not p.startswith("build") and ".simd." not in p)


def changed(commits):
    """{path: lines added} by that many commits and by what is not committed; moving a file adds none."""
    first = git("rev-list", f"--max-count={commits + 1}", "HEAD").split()[-1]
    lines, path = {}, None
    for line in git("diff", "-U0", "-M", first, "--", "*.cpp", "*.h").splitlines():
        if line.startswith("+++ "):
            path = line[6:]
        elif line.startswith("+") and not re.match(r"\+\s*(#\s*include|//|$)", line):
            lines[path] = lines.get(path, 0) + 1
    return lines


def to_ask(build, commits):
    """The sources to look at, the most changed first."""
    known = sources(build)
    if not known:  # else nothing would be looked at, and nothing found
        raise SystemExit(f"{build}: nothing in it was compiled from {ROOT}; it is the build of another tree")
    if commits is None:
        return known
    lines = changed(commits)
    weight = {p: n for p, n in lines.items() if p in known}
    for header in lines.keys() - weight.keys():
        users = [p for p in known if f'#include "{header}"' in (ROOT / p).read_text(encoding="utf-8")]
        if users and not any(p in weight for p in users):
            own = header.removesuffix(".h") + ".cpp"
            user = own if own in users else users[0]
            weight[user] = weight.get(user, 0) + lines[header]
    return sorted(weight, key=lambda p: (-weight[p], p))


def look(build, path, deadline):
    """What clang-tidy says of one source; None if there is no time left for it."""
    if deadline is not None and time.monotonic() > deadline:
        return None
    # The compiler's own warning options are not all known to clang.
    words = ["clang-tidy", "--quiet", "-p", str(build), "--extra-arg=-Wno-unknown-warning-option", str(ROOT / path)]
    done = subprocess.run(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return (done.returncode, done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a build folder with compile_commands.json")
    parser.add_argument("--commits", type=int, help="only what so many last commits changed")
    parser.add_argument("--seconds", type=float, help="begin with no further source after this time")
    options = parser.parse_args()
    build = options.build.resolve()
    paths = to_ask(build, options.commits)
    deadline = None if options.seconds is None else time.monotonic() + options.seconds
    bad, left = 0, []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        commands_for_clang(build, pathlib.Path(folder))
        for path, told in zip(paths, pool.map(lambda p: look(folder, p, deadline), paths)):
            if told is None:
                left.append(path)
            elif told[0] != 0:
                bad += 1
                print(told[1], flush=True)
    print(f"{len(paths) - len(left)} of {len(paths)} sources, {bad} with findings")
    if left:
        print(f"no time for {len(left)}, asked at night: {', '.join(left)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
