#!/usr/bin/env python3
"""Are places found by function and text, whatever the formatting, and only there?"""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import places  # noqa: E402

SOURCE = """
#include <x>
namespace outer {
#define TWICE(x) \\
  ((x) + (x))
PLUMB_DECLARE(a, b)
template <class T, int N = (3 > 2)>
T add(const T& a, T b) noexcept {  // a + b { in a comment
  const char* s = "a + b }";
  return a + b;
}
struct Box : Base<int> {
  explicit Box(int n) : size_{n}, more(n + 1) { grow(n + 1); }
  int operator()(int i) const override { return i + size_; }
  bool operator==(const Box&) const = default;
  int size_ = 0;
};
const int kTable[2] = {1, 2};
int Other::add(int a) {
  const auto local = [&](int i) { return i + 1; };
  if (a) { return local(a); } else { return a + a; }
}
#if FAST
int fast(int a) {
  a += 2;
#else
int slow(int a) {
  a += 3;
#endif
  return a;
}
}  // namespace outer
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void run(global int* out) { out[0] = 1; }
"""


def found(function, text):
    return [SOURCE[a:b] for a, b in places.occurrences(SOURCE, function, text)]


class Places(unittest.TestCase):
    def test_white_space_and_comments_do_not_count(self):
        self.assertEqual(found("add", "return a+b;"), ["return a + b;"])
        self.assertEqual(found("add", "return /* the sum */ a\n +\tb ;"), ["return a + b;"])
        self.assertEqual(found("add", "a + b { in"), [])

    def test_white_space_within_strings_counts(self):
        self.assertEqual(len(found("add", '"a + b }"')), 1)
        self.assertEqual(found("add", '"a +b }"'), [])

    def test_only_the_function_named(self):
        self.assertEqual(found("add", "i + size_"), [])
        self.assertEqual(found("operator()", "i + size_"), ["i + size_"])
        self.assertEqual(found("Box", "operator==(const Box&) const = default"),
                         ["operator==(const Box&) const = default"])
        self.assertEqual(found("run", "out[0] = 1"), ["out[0] = 1"])
        self.assertEqual(found("kTable", "1, 2"), ["1, 2"])
        self.assertEqual(found("local", "i + 1"), ["i + 1"])
        self.assertEqual(found("TWICE", "(x) + (x)"), ["(x) + (x)"])
        self.assertEqual(found("outer", "return a"), [])

    def test_a_constructor_reaches_from_its_name_to_its_end(self):
        self.assertEqual(found("Box", "more(n + 1)"), ["more(n + 1)"])
        self.assertEqual(found("Box", "grow(n + 1)"), ["grow(n + 1)"])
        self.assertEqual(len(found("Box", "n + 1")), 2)

    def test_overloads_count_together(self):
        self.assertEqual(len(found("add", "return a")), 2)
        self.assertEqual(len(found("Other::add", "return local(a)")), 1)

    def test_either_branch_of_a_condition(self):
        self.assertEqual(found("slow", "a += 3"), ["a += 3"])
        self.assertEqual(found("slow", "return a;"), ["return a;"])

    def test_an_empty_text_is_refused(self):
        for text in ("", " \n", "// nothing"):
            self.assertRaises(places.PlaceError, found, "add", text)


class Locate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "core").mkdir()
        (self.root / "core" / "a.cpp").write_text(SOURCE)

    def tearDown(self):
        self.folder.cleanup()

    def test_in_the_file_named(self):
        path, begin, end = places.locate(self.root, "core/a.cpp", "fast", "a+=2;")
        self.assertEqual((path.name, SOURCE[begin:end]), ("a.cpp", "a += 2;"))

    def test_a_function_that_has_moved(self):
        for file in ("core/gone.cpp", "core/b.cpp"):
            (self.root / "core" / "b.cpp").write_text("int fast(int a) { return a; }")
            self.assertEqual(places.locate(self.root, file, "fast", "a+=2;")[0].name, "a.cpp")

    def test_what_occurs_twice_or_nowhere_is_an_error(self):
        for function, text in (("add", "return a"), ("add", "return b"), ("none", "return a")):
            self.assertRaises(places.PlaceError, places.locate, self.root, "core/a.cpp", function, text)
        (self.root / "core" / "b.cpp").write_text(SOURCE)
        self.assertRaises(places.PlaceError, places.locate, self.root, "core/c.cpp", "fast", "a += 2;")


if __name__ == "__main__":
    unittest.main()
