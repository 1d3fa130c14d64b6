#!/usr/bin/env python3
"""The laws of form, asked of the sources themselves:

    ci/form.py                   all of them
    ci/form.py include width     some
    ci/form.py --list            what they are

Prints a line for each breach and exits with 1 if there is one, with 77 where clang-format or Git is not installed.
"""
import argparse
import concurrent.futures
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import places  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Who may include whom, beside their own folder: the longest head of a path that is named here says it. A reference
# shares nothing with a route; two routes may share a plan, which computes nothing from data.
MAY_INCLUDE = {
    "core": (),
    "reference": ("core",),
    "plans": ("core",),
    "optimized": ("core", "plans"),
    "gpu": ("core", "plans"),
    "library": ("core",),
    "foreign": ("core",),
    "library/custom_kernel.cpp": ("core", "library", "gpu"),
    # Routes with their parameters, of which the tables know the usual values alone.
    "library/factor.h": ("core", "plans"),
    "library/factor.cpp": ("core", "library", "library/factor.h", "plans", "optimized", "gpu"),
    "conformance": ("core",),
    "bench": ("core", "conformance"),
    "reports": ("core", "conformance", "bench"),
    "cli": ("core", "conformance", "bench", "reports", "foreign"),
    "cli/families.cpp": ("cli", "core", "optimized", "gpu"),
    "fuzz": ("core", "cli", "foreign"),
    "examples": ("core", "library", "conformance", "cli"),
    # Tests stand above what they test.
    "conformance/tests": ("core", "reference", "plans", "optimized", "gpu", "library", "library/factor.h",
                          "conformance", "bench", "cli"),
    "conformance/backend_tests": ("conformance/tests",),
    "conformance/judge_tests": ("core", "conformance", "conformance/tests", "bench", "reports", "cli"),
    "conformance/fake_driver": (),
}

# Wings, from the ground up: each may include itself and those before it, what stands beside the wings none of them.
WINGS = ("array", "linalg", "linalg/solve", "quant", "sparse/sites", "sparse/points", "sparse/pool", "sparse/rows",
         "sparse/conv", "nn")
WINGED = ("reference", "plans", "optimized", "gpu", "gpu/kernels")

GENERATED = ("generated/version.h", "generated/page.inc", "kernels.inc", "scan.inc", "generated/first_op/reference.inc",
             "generated/first_op/optimized.inc", "generated/first_op/gpu.inc")

CODE = (".cpp", ".h", ".cl", ".def")
WIDE = CODE + (".py", ".sh", ".cmake")
ALSO_WIDE = ("CMakeLists.txt", ".ci/run")
CLANG_FORMAT = "14"
WIDTH = 120
FILE_LINES = 600
FUNCTION_LINES = 60  # of C++ and OpenCL, from the line of the name to the closing brace

# Folders that may hold so many files each, and so may each folder below.
FOLDERS = ("reference", "plans", "optimized", "gpu", "library", "conformance", "bench", "reports", "fuzz")
FOLDER_FILES = 20

# The last commits, as far as they come after this one, with which the law began.
COMMITS = 20
FIRST_COMMIT = "57b2bf6"
SUBJECT = 72


def git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


@functools.cache
def files():
    """The paths of the tree: what Git knows or would add; without Git, all but what was built."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    if listed is not None:
        return [p for p in sorted(set(listed.splitlines())) if (ROOT / p).is_file()]
    found = (p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file())
    return sorted(str(p) for p in found if p.parts[0] not in ("build", "out", ".git", "__pycache__"))


@functools.cache
def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def written_in(suffixes, also=()):
    return [p for p in files() if p.endswith(suffixes) or p.endswith(also) and also]


def folder_in(table, path):
    """The longest head of the path that the table names, or None."""
    parts = path.split("/")
    return next((f for n in range(len(parts), 0, -1) if (f := "/".join(parts[:n])) in table), None)


def includes():
    """(path, line, what it includes, from the root of the tree)."""
    for path in written_in(CODE):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            named = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if named and named[1] not in GENERATED:
                kernel = path.endswith(".cl")  # kernels name each other from the folder of kernels
                yield path, number, ("gpu/kernels/" if kernel else "") + named[1]


def wing_of(path):
    """0 beside the wings, then the place of its wing in the list; None where there are no wings."""
    side = folder_in(WINGED, path)
    if side is None:
        return None
    within = path[len(side) + 1:]
    return next((n for n, wing in enumerate(WINGS, 1) if within.startswith(wing + "/")), 0)


def include():
    """who may include whom, and no circle"""
    graph = {}
    for path, number, named in includes():
        if not (ROOT / named).is_file():
            yield f"{path}:{number} includes {named}, which is no file from the root of the tree"
            continue
        graph.setdefault(path, []).append(named)
        own, other = folder_in(MAY_INCLUDE, path), folder_in(MAY_INCLUDE, named)
        allowed = (own, *MAY_INCLUDE.get(own, ()))
        if own is None or other not in allowed:
            yield f"{path}:{number} includes {named}: {own} may include {', '.join(map(str, allowed))}"
        elif None not in (wing_of(path), wing_of(named)) and wing_of(path) < wing_of(named):
            yield f"{path}:{number} includes {named}, of a wing above its own"
    yield from circles(graph)


def circles(graph):
    done, stack = set(), []

    def walk(path):
        if path in stack:
            yield "a circle of includes: " + " -> ".join(stack[stack.index(path):] + [path])
        elif path not in done:
            stack.append(path)
            for other in graph.get(path, ()):
                yield from walk(other)
            stack.pop()
            done.add(path)

    for path in graph:
        yield from walk(path)


def run(*words, given=None):
    return subprocess.run(words, cwd=ROOT, input=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def unformatted(group):
    """Those of a group of paths that clang-format would change. OpenCL is C++ to it, and comes by standard input."""
    cpp = [p for p in group if not p.endswith(".cl")]
    told = run("clang-format", "--dry-run", *cpp).stderr if cpp else ""
    found = set(re.findall(r"^(.+?):\d+:\d+: warning: code should be clang-formatted", told, re.M))
    for path in set(group) - set(cpp):
        if run("clang-format", "--assume-filename=x.cpp", given=text_of(path)).stdout != text_of(path):
            found.add(path)
    return sorted(found)


def format():
    """clang-format changes no C++ and no OpenCL source"""
    version = re.search(r"version (\d+)", run("clang-format", "--version").stdout)
    if version[1] != CLANG_FORMAT:
        yield f"this is clang-format {version[1]}, and versions differ: {CLANG_FORMAT} is needed"
        return
    paths = written_in((".cpp", ".h", ".cl"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(unformatted, [paths[i:i + 16] for i in range(0, len(paths), 16)]):
            yield from (f"{path} is not formatted: clang-format -i" for path in found)


def width():
    """no line is wider than 120 columns"""
    for path in written_in(WIDE, ALSO_WIDE):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if len(line) > WIDTH:
                yield f"{path}:{number} has {len(line)} columns, of {WIDTH}"


def file():
    """no file has more than 600 lines"""
    for path in written_in(WIDE, ALSO_WIDE):
        lines = text_of(path).count("\n")
        if lines > FILE_LINES:
            yield f"{path} has {lines} lines, of {FILE_LINES}"


def function_lines(text):
    """(name, lines) of every function of C++ or OpenCL; a class, a table or a macro is none."""
    for block in places.blocks(text):
        name = re.compile(rf"\b{re.escape(block.name)}\s*\(").search(text, block.begin, block.end)
        opening = text.find("{", block.begin, block.end)
        if name and name.start() < opening and not text[block.begin:].lstrip().startswith("#"):
            yield block.name, text.count("\n", name.start(), block.end) + 1


def function():
    """no function of C++ or OpenCL has more than 60 lines"""
    for path in written_in((".cpp", ".h", ".cl")):
        for name, lines in function_lines(text_of(path)):
            if lines > FUNCTION_LINES:
                yield f"{path}: {name} has {lines} lines, of {FUNCTION_LINES}"


def folder():
    """no folder of a side holds more than 20 files"""
    count = {}
    for path in files():
        parent = path.rpartition("/")[0]
        count[parent] = count.get(parent, 0) + 1
    for parent in sorted(count):
        if folder_in(FOLDERS, parent + "/") and count[parent] > FOLDER_FILES:
            yield f"{parent} holds {count[parent]} files, of {FOLDER_FILES}"


def vector():
    """arrays of vectors in templates say how they are aligned: a template argument forgets that its typedef is not"""
    for path in written_in((".simd.cpp",)):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if re.match(r"\s*(?:typename \S+::V|V) \w+(?:\[[^\]]*\])+[;,]", line):
                yield f"{path}:{number} is an array of vectors without alignas: {line.strip()}"


# Programs of their own; everything else is part of each of them.
PROGRAMS = ("conformance/tests", "conformance/judge_tests", "conformance/fake_driver", "conformance/first_op", "fuzz",
            "examples")


def class_named(header):
    """The name of the class that a block with this header defines, with its arguments if it is a specialisation."""
    if header[:1] == ["template"]:
        depth = 0
        for index, token in enumerate(header[1:], 1):
            depth += (token == "<") - (token == ">")
            if depth == 0:
                return class_named(header[index + 1:])
    if header[:1] not in (["struct"], ["class"], ["union"]):
        return None
    named = re.split(r"(?<!:):(?!:)", "".join(header[1:]))[0]  # without what it derives from
    named = re.sub(r"alignas\([^)]*\)|final$", "", named)
    return named if re.fullmatch(r"[\w:]+(<.*>)?", named) else None


def defined_in(text):
    """(name with its namespaces, offset) of each class that other files could mean by that name."""
    scopes, header = [], []  # a scope is the name of a namespace, or None: nameless, or no namespace
    for kind, token, start in places.tokens(text):
        if token == "{" and kind == "sign":
            name = class_named(header)
            if name and None not in scopes:
                yield "::".join([*scopes, name]), start
            space = header[header.index("namespace") + 1:] if "namespace" in header[:2] else []
            scopes.append("".join(space) or None)
            header = []
        elif token in ("}", ";") and kind == "sign":
            if token == "}" and scopes:
                scopes.pop()
            header = []
        elif kind != "directive":
            header.append(token)


def definition():
    """no two files of a program define a class of one name: the linker would take either"""
    seen = {}
    for path in written_in((".cpp", ".h")):
        program = folder_in(PROGRAMS, path)
        for name, start in defined_in(text_of(path)):
            for other, its_program in seen.setdefault(name, []):
                if other != path and (None in (program, its_program) or program == its_program):
                    line = text_of(path).count("\n", 0, start) + 1
                    yield f"{path}:{line} defines {name} as {other} does"
            seen[name].append((path, program))


MAKES_FILES = "docs/first-op.md"  # the paths that it names, its reader makes


def link():
    """links of Markdown pages, and paths that they name, lead to what is there"""
    tops = "|".join(sorted({re.escape(p.partition("/")[0]) for p in files() if "/" in p}))
    for path in written_in((".md",)):
        prose = re.sub(r"^```.*?^```$", "", text_of(path), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)", re.sub(r"`[^`\n]*`", "", prose)):
            if not (ROOT / path).parent.joinpath(target).exists():
                yield f"{path} links {target}, which is not there"
        for named in re.findall(rf"`((?:{tops})/[\w./-]*)`", prose) if path != MAKES_FILES else ():
            if not (ROOT / named).exists():
                yield f"{path} names {named}, which is not there"


def commit_breaches(subject, body):
    if len(subject) > SUBJECT:
        yield f"has {len(subject)} characters, of {SUBJECT}"
    if ";" in subject:
        yield "says two things: a semicolon"
    if not body.strip():
        yield "has no body that says why"


def commit():
    """the last commits have a short subject of one thing, and a body"""
    known = git("merge-base", "--is-ancestor", FIRST_COMMIT, "HEAD") is not None
    last = FIRST_COMMIT + "..HEAD" if known else "HEAD"
    log = git("log", "--no-merges", f"-{COMMITS}", "--format=%h%x00%s%x00%b%x01", last)
    for entry in (log or "").split("\x01"):
        if entry.strip():
            short, subject, body = entry.strip("\n").split("\0")
            for breach in commit_breaches(subject, body):
                yield f"commit {short} '{subject}' {breach}"


LAWS = {law.__name__: law for law in (include, format, width, file, function, folder, vector, definition, link,
                                      commit)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("laws", nargs="*", metavar="LAW", help="all, if none is named")
    parser.add_argument("--list", action="store_true", help="print the laws")
    options = parser.parse_args()
    unknown = set(options.laws) - LAWS.keys()
    if unknown:
        parser.error(f"no such law as {', '.join(sorted(unknown))}; there are {', '.join(LAWS)}")
    if options.list:
        print("\n".join(f"{name:10} {law.__doc__}" for name, law in LAWS.items()))
        return 0
    missing = [tool for tool in ("git", "clang-format") if not shutil.which(tool)]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        return 77
    breaches = [f"{name}: {breach}" for name in options.laws or LAWS for breach in LAWS[name]()]
    print("\n".join(breaches + [f"{len(options.laws or LAWS)} laws, {len(breaches)} breaches"]))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
