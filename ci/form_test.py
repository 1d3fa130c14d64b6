#!/usr/bin/env python3
"""Plants a breach of each law of form in a copy of the sources and asks that it is seen. Exits with 77 where
clang-format or Git is not installed."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import form  # noqa: E402

TREE = form.ROOT
LONG = "int long_one() {\n  int n = 0;\n" + "  ++n;\n" * 60 + "  return n;\n}\n"


class Breaches(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        form.ROOT = pathlib.Path(self.folder.name)
        self.paths = []

    def tearDown(self):
        form.files.cache_clear()
        form.text_of.cache_clear()
        form.ROOT = TREE
        self.folder.cleanup()

    def write(self, path, text=""):
        to = form.ROOT / path
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")

    def take(self, *paths):
        for path in paths:
            self.write(path, (TREE / path).read_text(encoding="utf-8"))

    def found(self, law):
        form.files.cache_clear()
        form.text_of.cache_clear()
        return list(form.LAWS[law]())

    def seen(self, law, path, text, told):
        """Green before, and red for that reason with the text at the end of the file."""
        self.assertEqual(self.found(law), [])
        before = (form.ROOT / path).read_text(encoding="utf-8") if (form.ROOT / path).exists() else ""
        self.write(path, before + text)
        breaches = self.found(law)
        self.assertEqual(len(breaches), 1, breaches)
        self.assertIn(told, breaches[0])
        self.write(path, before)

    def test_include(self):
        for path in ("core/a.h", "plans/a.h", "reference/a.h", "optimized/a.h", "gpu/a.h", "conformance/a.h",
                     "conformance/tests/a.h", "bench/a.h", "reports/a.h", "cli/a.h", "gpu/kernels/a.cl"):
            self.write(path)
        for path, other in (("core/b.cpp", "plans"), ("core/b.cpp", "reference"), ("reference/b.cpp", "optimized"),
                            ("reference/b.cpp", "plans"), ("optimized/b.cpp", "gpu"), ("gpu/b.cpp", "optimized"),
                            ("optimized/b.cpp", "reference"), ("plans/b.cpp", "gpu"), ("bench/b.cpp", "optimized"),
                            ("bench/b.cpp", "gpu"), ("conformance/b.cpp", "reference"), ("cli/b.cpp", "gpu"),
                            ("conformance/b.cpp", "conformance/tests"), ("reports/b.cpp", "cli")):
            self.seen("include", path, f'#include "{other}/a.h"\n', f"{path}:1 includes {other}/a.h")
        self.seen("include", "gpu/kernels/b.cl", '#include "missing.cl"\n', "which is no file")
        for path in ("optimized/sparse/conv/a.h", "gpu/kernels/sparse/conv/a.cl", "plans/sparse/conv/a.h"):
            self.write(path)
        for path, other in (("optimized/b.cpp", "optimized/sparse/conv/a.h"),
                            ("optimized/array/b.cpp", "optimized/sparse/conv/a.h"),
                            ("optimized/array/b.cpp", "plans/sparse/conv/a.h"),
                            ("gpu/kernels/array/b.cl", "sparse/conv/a.cl"),
                            ("library/b.cpp", "reference/a.h")):
            self.seen("include", path, f'#include "{other}"\n', other)
        self.write("core/c.h", '#include "core/d.h"\n')
        self.write("core/d.h")
        self.seen("include", "core/d.h", '#include "core/c.h"\n', "a circle of includes")

    def test_format(self):
        self.take(".clang-format", "core/ratio.cpp", "gpu/kernels/unroll.cl")
        self.seen("format", "core/ratio.cpp", "int  two_spaces;\n", "core/ratio.cpp is not formatted")
        self.seen("format", "gpu/kernels/unroll.cl", "int  two_spaces;\n", "unroll.cl is not formatted")

    def test_width(self):
        wide = "x" * 117
        for path, text in (("core/a.cpp", f"// {wide}x\n"), ("gpu/kernels/a.cl", f"// {wide}x\n"),
                           ("conformance/golden/a.py", f"#  {wide}x\n"), ("ci/a.sh", f"#  {wide}x\n"),
                           ("cmake/a.cmake", f"#  {wide}x\n"), ("CMakeLists.txt", f"#  {wide}x\n")):
            self.write(path, text.replace("xx\n", "x\n"))
            self.seen("width", path, text, "has 121 columns")

    def test_file(self):
        for path in ("core/a.cpp", "gpu/kernels/a.cl", "conformance/golden/a.py"):
            self.write(path, "\n" * 600)
            self.seen("file", path, "\n", f"{path} has 601 lines")

    def test_function(self):
        self.write("core/a.cpp", LONG.replace("  ++n;\n", "", 4))
        for path in ("core/b.cpp", "gpu/kernels/a.cl"):
            self.seen("function", path, LONG, f"{path}: long_one has 64 lines")
        self.seen("function", "core/c.h", "struct Box {\n" + LONG.replace("n;\n", "n;  // {\n") + "};\n", "long_one")
        self.write("core/d.cpp", "struct Large {\n" + "  int n;\n" * 70 + "};\n")
        self.assertEqual(self.found("function"), [])

    def test_folder(self):
        for n in range(20):
            self.write(f"plans/{n}.h")
        self.seen("folder", "plans/20.h", "\n", "plans holds 21 files")

    def test_vector(self):
        self.write("optimized/a.simd.cpp", "  alignas(64) V x[4];\n  f32v y[4];\n  V* rows[4];\n  V z = x[0];\n")
        for text in ("  V x[4];\n", "  typename Simd<T>::V tile[kRows][kVectors];\n", "V a[2], b[2];\n"):
            self.seen("vector", "optimized/a.simd.cpp", text, "optimized/a.simd.cpp:5 is an array of vectors")

    def test_link(self):
        self.write("docs/a.md", "[a](a.md#top), [b](../README.md), [c](https://localhost/none), `[d](none.md)`\n")
        self.write("README.md", "```\n[e](none.md)\n```\n")
        self.seen("link", "docs/b.md", "[to](a.md) and [to](README.md)\n", "docs/b.md links README.md")
        self.seen("link", "docs/b.md", "`docs/a.md`, `docs/none.md`, `<side>/a.md`\n", "docs/b.md names docs/none.md")

    def test_commit(self):
        def git(*words):
            who = ("-c", "user.name=N", "-c", "user.email=n@localhost")
            subprocess.run(["git", *who, *words], cwd=form.ROOT, check=True, stdout=subprocess.DEVNULL)

        def commit(*words):
            git("commit", "-q", "--allow-empty", *(w for word in words for w in ("-m", word)))

        git("init", "-q")
        commit("core: a subject of one thing", "Why.")
        self.assertEqual(self.found("commit"), [])
        for subject, body, told in (("core: two things; said at once", ["Why."], "a semicolon"),
                                    ("core: " + "s" * 67, ["Why."], "has 73 characters"),
                                    ("core: nobody knows why", [], "has no body")):
            commit(subject, *body)
            breaches = self.found("commit")
            self.assertEqual(len(breaches), 1, breaches)
            self.assertIn(told, breaches[0])
            git("reset", "-q", "--soft", "HEAD~1")

    def test_definition(self):
        own = "namespace plumb {\nnamespace {\nstruct Mine { int x; };\n}\nstruct Ours { int f() { return 1; } };\n}\n"
        self.write("core/a.h", own + "template <class T>\nclass Either final : Ours {};\nstruct Later;\n")
        self.write("gpu/b.h", "namespace plumb::gpu {\nstruct Ours {};\n}\nstruct Later;\nstruct Either<int> {};\n")
        self.write("conformance/tests/c.cpp", "struct Test {};\n")
        self.write("fuzz/d.cpp", "struct Test {};\nnamespace {\nstruct Later { struct Ours {}; };\n}\n")
        for path, text, told in (("gpu/b.h", "namespace plumb {\nclass Ours {};\n}\n", "plumb::Ours"),
                                 ("fuzz/d.cpp", "template <class A, class B = X<A>>\nstruct Either {};\n", "Either"),
                                 ("gpu/b.h", "struct alignas(64) Test : Later {};\n", "defines Test as")):
            self.write("new.cpp")
            if told.startswith("defines"):
                self.write("fuzz/d.cpp")
            self.seen("definition", path, text, told)

    def test_every_law_is_breached_here(self):
        tests = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(set(form.LAWS) - tests, set())


class Others(unittest.TestCase):
    """The laws that other scripts of the step ask."""

    def test_an_example_that_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "plumb")
            examples = "  plumb eval planted\\n" + "  plumb devices\\n" * 9
            for code in (0, 2):
                program.write_text("#!/bin/sh\ncase \"$*\" in\n"
                                   "--help) printf 'Subcommands:\\n  eval  Evaluates\\n\\n' ;;\n"
                                   f"*--help) printf 'Examples:\\n{examples}' ;;\n"
                                   f"*planted*) exit {code} ;;\nesac\n", encoding="ascii")
                program.chmod(0o755)
                done = subprocess.run([sys.executable, TREE / "ci" / "examples.py", "--program", program], text=True,
                                      stdout=subprocess.PIPE)
                self.assertEqual(done.returncode, 1 if code else 0, done.stdout)
                self.assertEqual("FAIL eval --help: plumb eval planted" in done.stdout, code != 0, done.stdout)

    def test_a_finding_of_clang_tidy(self):
        if not shutil.which("clang-tidy"):
            self.skipTest("clang-tidy is not installed")
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path in ("ci/tidy.py", ".clang-tidy"):
                (root / path).parent.mkdir(exist_ok=True)
                shutil.copy(TREE / path, root / path)
            database = '[{"directory": "%s", "file": "a.cpp", "command": "c++ -c a.cpp"}]' % folder
            (root / "compile_commands.json").write_text(database, encoding="utf-8")
            for name, code in (("named_well", 0), ("NamedBadly", 1)):
                (root / "a.cpp").write_text(f"int {name}() {{ return 1; }}\n", encoding="utf-8")
                done = subprocess.run([sys.executable, root / "ci" / "tidy.py", "--build", root], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, code, done.stdout)


if __name__ == "__main__":
    missing = [tool for tool in ("git", "clang-format") if not shutil.which(tool)]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        sys.exit(77)
    unittest.main()
