#!/usr/bin/env python3
"""Runs every example of README.md and of each verb's --help, as a reader would type them:

    ci/examples.py --program build/release/plumb

In a folder of its own, without a device, on few cases: what is said in an example stays, what is not is made small.
An example fails that ends with anything but 0, or 77 where it asks for a device. Exits 1 if one does.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Stands for `plumb` in the examples. Options that the example lacks make it quick.
SMALL = r"""#!/bin/sh
verb=$1 more=
case $verb in check | bench | report)
  case " $* " in *" --from"* | *" --help"*) ;; *)
    case $2 in "" | -*) more=add ;; esac
    case "$*" in *--budget*) ;; *) more="$more --budget=smoke" ;; esac
    if [ "$verb" != check ]; then
      case "$*" in *--min-time*) ;; *) more="$more --min-time=0.001" ;; esac
      case "$*" in *--repetitions*) ;; *) more="$more --repetitions=2" ;; esac
      more="$more --no-peers"
    fi ;;
  esac
esac
exec "$PROGRAM" "$@" $more
"""


def run(program, *arguments):
    return subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def help_examples(program):
    verbs = re.findall(r"^  ([a-z]+) +\S", run(program, "--help").split("Subcommands:")[1].split("\n\n")[0], re.M)
    for verb in verbs:
        text = run(program, verb, "--help")
        lines = re.findall(r"^  ((?:PLUMB_\w+=\S+ )*plumb .*)$", text.partition("Examples:")[2], re.M)
        if not lines:
            yield verb, None
        for line in lines:
            yield verb + " --help", line


# What is typed in the README; the lines that start with $ are shown with what came of them, on some machine.
def readme_examples():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        text = f.read()
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("plumb "):
                yield "README.md", line
    for line in re.findall(r"^\$ (plumb .*)$", text, re.M):
        yield "README.md", line


# The files that examples name: whatever the cases of the same operations have.
def make_inputs(program, folder):
    os.symlink(os.path.join(ROOT, "conformance"), os.path.join(folder, "conformance"))
    for name in ("a", "ab"):
        entries = {key: {"dtype": "F32", "shape": [2, 2], "data_offsets": [16 * i, 16 * i + 16]}
                   for i, key in enumerate(name)}
        head = json.dumps(entries).encode()
        with open(os.path.join(folder, name + ".safetensors"), "wb") as f:
            f.write(len(head).to_bytes(8, "little") + head + b"\x00\x00\x80\x3f" * 4 * len(name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--program", required=True)
    program = os.path.abspath(parser.parse_args().program)
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder:
        make_inputs(program, folder)
        os.mkdir(os.path.join(folder, "bin"))
        with open(os.path.join(folder, "bin", "plumb"), "w", encoding="ascii") as f:
            f.write(SMALL)
        os.chmod(f.name, 0o755)
        path = os.path.join(folder, "bin") + os.pathsep + os.environ.get("PATH", "/usr/bin:/bin")
        env = dict(os.environ, PROGRAM=program, PATH=path, PLUMB_DEVICE="none")
        for where, line in [*readme_examples(), *help_examples(program)]:
            count += 1
            if line is None:
                print(f"FAIL {where}: --help has no example")
                failed += 1
                continue
            done = subprocess.run(["sh", "-c", line], cwd=folder, env=env, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode not in ((0, 77) if "gpu." in line else (0,)):
                print(f"FAIL {where}: {line}\n  ended with {done.returncode}: {done.stdout[-500:].strip()}")
                failed += 1
    print(f"{count} examples, {failed} failed")
    return 1 if failed or count < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
