"""Finds places for mutants in C++ sources by operator, from the syntax tree, and writes sources that hold them all.

Needs libclang's Python bindings (Debian: python3-clang-14). A place becomes `(plumb_mutant(k) ? mutated : original)`;
at run time the environment variable PLUMB_MUTANT says which k is the mutant, so that one build serves all of them.
"""
import collections
import pathlib
import re

import places
from clang import cindex
from clang.cindex import CursorKind as K

COMPARISON = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
ARITHMETIC = {"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",), "&": ("|",), "|": ("&",), "^": ("&",),
              "<<": (">>",), ">>": ("<<",)}
COMPOUND = {op + "=": tuple(o + "=" for o in others) for op, others in ARITHMETIC.items()}
LOGICAL = {"&&": ("||",), "||": ("&&",)}
FUNCTIONS = {K.FUNCTION_DECL, K.CXX_METHOD, K.CONSTRUCTOR, K.DESTRUCTOR, K.FUNCTION_TEMPLATE, K.CONVERSION_FUNCTION}
LITERALS = {K.INTEGER_LITERAL, K.FLOATING_LITERAL, K.CXX_BOOL_LITERAL_EXPR}
CONSTANT_ONLY = {K.CASE_STMT, K.STATIC_ASSERT, K.ENUM_CONSTANT_DECL, K.TEMPLATE_NON_TYPE_PARAMETER, K.PARM_DECL}
NO_STATEMENT = {K.COMPOUND_STMT, K.DECL_STMT, K.IF_STMT, K.FOR_STMT, K.CXX_FOR_RANGE_STMT, K.WHILE_STMT, K.DO_STMT,
                K.SWITCH_STMT, K.CASE_STMT, K.DEFAULT_STMT, K.CXX_TRY_STMT, K.CXX_CATCH_STMT, K.NULL_STMT,
                K.RETURN_STMT, K.LABEL_STMT}

# One change of one place: `original` becomes `mutated` in the bytes [begin, end) of `file`, `behind` some text.
Mutant = collections.namedtuple("Mutant", "file function line operator begin end original mutated behind")


def key(mutant):
    return (mutant.file, mutant.begin, mutant.end, mutant.operator, mutant.mutated)


class Finder:
    """Walks the syntax tree of one file and collects its mutants."""

    def __init__(self, root, file, arguments):
        self.root, self.file, self.path = pathlib.Path(root), file, str(pathlib.Path(root) / file)
        self.text = pathlib.Path(self.path).read_bytes()
        detailed = cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD
        unit = cindex.Index.create().parse(self.path, args=arguments, options=detailed)
        errors = [d for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if errors:
            raise SystemExit(f"{file}: is not parsed: {errors[0]}")
        self.macros = [self.span(c) for c in unit.cursor.get_children()
                       if c.kind == K.MACRO_INSTANTIATION and self.mine(c)]
        self.found, self.function = {}, ""
        for cursor in unit.cursor.get_children():
            if self.mine(cursor):
                self.walk(cursor, None)

    def mine(self, cursor):
        return cursor.location.file is not None and cursor.location.file.name == self.path

    @staticmethod
    def span(cursor):
        return cursor.extent.start.offset, cursor.extent.end.offset

    def of(self, span):
        return self.text[span[0]:span[1]].decode()

    def add(self, operator, span, mutated):
        begin, end = span
        if not self.function or begin >= end or any(a < end and begin < b for a, b in self.macros):
            return
        line = self.text.count(b"\n", 0, begin) + 1
        one_line = " ".join(re.sub(r"//[^\n]*", "", mutated).split())
        made = Mutant(self.file, self.function, line, operator, begin, end, self.of(span), one_line,
                      self.of((self.text.rfind(b"\n", 0, max(0, begin - 200)) + 1, begin)))
        self.found[key(made)] = made

    def walk(self, cursor, parent):
        before = self.function
        if cursor.kind in FUNCTIONS:
            if self.constant(cursor):
                return
            self.function = self.qualified(cursor)
        if cursor.kind == K.VAR_DECL and self.constant(cursor):
            return
        self.visit(cursor, parent)
        for index, child in enumerate(cursor.get_children()):
            if cursor.kind in CONSTANT_ONLY and (cursor.kind != K.CASE_STMT or index == 0):
                continue
            self.walk(child, cursor)
        self.function = before

    def constant(self, cursor):
        """constexpr or consteval: must be known to the compiler."""
        head = self.of(self.span(cursor)).split("{")[0].split("(")[0]
        return re.search(r"\b(constexpr|consteval)\b", head) is not None

    @staticmethod
    def qualified(cursor):
        owner = cursor.semantic_parent
        held = owner is not None and owner.kind in (K.CLASS_DECL, K.STRUCT_DECL, K.CLASS_TEMPLATE)
        return f"{owner.spelling}::{cursor.spelling}" if held else cursor.spelling

    def visit(self, cursor, parent):
        children = list(cursor.get_children())
        if cursor.kind in (K.BINARY_OPERATOR, K.COMPOUND_ASSIGNMENT_OPERATOR) and len(children) == 2:
            self.binary(cursor, children[0], children[1])
        elif cursor.kind == K.CALL_EXPR and cursor.spelling.startswith("operator") and len(children) == 3:
            if "string" not in cursor.type.spelling and "stream" not in cursor.type.spelling:
                self.binary(cursor, children[0], children[2])
        elif cursor.kind == K.UNARY_OPERATOR and len(children) == 1:
            self.unary(cursor, children[0], parent)
        elif cursor.kind in LITERALS:
            self.literal(cursor)
        elif cursor.kind in (K.IF_STMT, K.WHILE_STMT, K.CONDITIONAL_OPERATOR) and children:
            self.condition(cursor, children[0])
        self.left_out(cursor, parent)

    def binary(self, cursor, left, right):
        (begin, left_end), (right_begin, end) = self.span(left), self.span(right)
        if (begin, end) != self.span(cursor) or left_end > right_begin:
            return
        sign = places.squeezed(self.of((left_end, right_begin)))[0]
        for kind, table in (("comparison", COMPARISON), ("arithmetic", ARITHMETIC), ("arithmetic", COMPOUND),
                            ("condition", LOGICAL)):
            for other in table.get(sign, ()):
                self.add(kind, (begin, end), f"{self.of((begin, left_end))} {other} {self.of((right_begin, end))}")
        if sign in LOGICAL:
            for side in (left, right):
                self.add("condition", self.span(side), "true" if sign == "&&" else "false")

    def unary(self, cursor, operand, parent):
        begin, end = self.span(cursor)
        inner = self.span(operand)
        sign = places.squeezed(self.of((begin, inner[0])))[0]
        if sign in ("-", "~"):
            self.add("arithmetic", (begin, end), self.of(inner))
        elif sign == "!":
            self.add("condition", (begin, end), f"static_cast<bool>({self.of(inner)})")
        elif sign in ("++", "--") and parent.kind != K.FOR_STMT:
            self.add("arithmetic", (begin, end), ("--" if sign == "++" else "++") + self.of(inner))

    def literal(self, cursor):
        span = self.span(cursor)
        text = self.of(span)
        if cursor.kind == K.CXX_BOOL_LITERAL_EXPR:
            self.add("constant", span, "false" if text == "true" else "true")
        elif cursor.kind == K.INTEGER_LITERAL:
            self.add("constant", span, f"{text} + 1")
            if re.search(r"[1-9a-fA-F]", text[1:] if text[:2].lower() != "0x" else text[2:]) or text[:1] in "123456789":
                self.add("constant", span, f"{text} - 1")
        elif re.search(r"[1-9a-fA-F]", re.sub(r"^0x|[eEpP].*$|[fF]$", "", text)):
            self.add("constant", span, f"{text} * 1.5" + ("F" if text[-1:] in "fF" else ""))
            self.add("constant", span, f"{text} * 0.5" + ("F" if text[-1:] in "fF" else ""))
        else:
            self.add("constant", span, f"{text} + 1")

    def condition(self, cursor, first):
        head = self.of((self.span(cursor)[0], self.span(first)[0]))
        if not first.kind.is_expression() or "constexpr" in head or ";" in head:
            return
        for value in ("true", "false"):
            if cursor.kind != K.WHILE_STMT or value == "false":
                self.add("condition", self.span(first), value)

    def left_out(self, cursor, parent):
        if parent is None or cursor.kind in NO_STATEMENT:
            return
        begin, end = self.span(cursor)
        body = parent.kind in (K.COMPOUND_STMT, K.IF_STMT, K.FOR_STMT, K.CXX_FOR_RANGE_STMT, K.WHILE_STMT, K.CASE_STMT,
                               K.DEFAULT_STMT)
        stop = re.match(rb"\s*;", self.text[end:])
        before = self.text[:begin].rstrip()[-1:]
        if body and stop and before in b";{}):" + b"e":  # "e": else
            if before == b"e" and not self.text[:begin].rstrip().endswith(b"else"):
                return
            if parent.kind == K.FOR_STMT and self.text[self.span(parent)[0]:begin].count(b"(") <= \
                    self.text[self.span(parent)[0]:begin].count(b")") - 1:
                return
            if parent.kind in (K.FOR_STMT, K.IF_STMT) and not self.behind_head(parent, begin):
                return
            self.add("statement", (begin, end + stop.end()), "")

    def behind_head(self, parent, begin):
        """Whether `begin` lies behind the brackets that follow `if` or `for`."""
        text = self.text[self.span(parent)[0]:begin]
        return text.count(b"(") == text.count(b")")


def parse(root, file, arguments):
    """Every mutant of one file, in the order of the text."""
    found = Finder(root, file, arguments).found
    return [found[k] for k in sorted(found)]


# What lies outside a container ends the run, instead of reading or writing what happens to be there.
PRELUDE = b'#define _GLIBCXX_ASSERTIONS 1\nextern "C++" bool plumb_mutant(int);\n'


class Writer:
    """One source with the mutants {number: Mutant}; `spans` are the places of the output that belong to each."""

    def __init__(self, text, numbered):
        self.text, self.out, self.spans = text, bytearray(PRELUDE), []
        tree = collections.defaultdict(list)
        for number, mutant in numbered.items():
            tree[mutant.begin, -mutant.end].append((number, mutant))
        self.nodes = [(begin, -end, sorted(alternatives, key=lambda a: a[0]))
                      for (begin, end), alternatives in sorted(tree.items())]
        self.next = 0
        self.copy(0, len(text))

    def copy(self, begin, end):
        """The text of a range, with the places within it rewritten."""
        at = begin
        while self.next < len(self.nodes) and self.nodes[self.next][0] < end:
            node = self.nodes[self.next]
            self.next += 1
            self.out += self.text[at:node[0]]
            self.place(*node)
            at = node[1]
        self.out += self.text[at:end]

    def place(self, begin, end, alternatives):
        start = len(self.out)
        if alternatives[0][1].operator == "statement":
            (number, _), = alternatives
            self.out += b"{ if (!plumb_mutant(%d)) { " % number
            self.copy(begin, end)
            self.out += b" } }"
        else:
            truth = all(m.operator == "condition" for _, m in alternatives)
            self.out += b"("
            for number, mutant in alternatives:
                own = len(self.out)
                self.out += b"plumb_mutant(%d) ? (%s) : " % (number, mutant.mutated.encode())
                self.spans.append((own, len(self.out), [number]))
            self.out += b"static_cast<bool>(" if truth else b"("
            self.copy(begin, end)
            self.out += b"))"
        self.spans.append((start, len(self.out), [number for number, _ in alternatives]))

    def at(self, line, column):
        """The mutants of the innermost place at a line and column of the output; else those of the whole line."""
        starts = [0] + [m.end() for m in re.finditer(b"\n", bytes(self.out))]
        if not 0 < line <= len(starts):
            return []
        offset = starts[line - 1] + column - 1
        around = [s for s in self.spans if s[0] <= offset < s[1]]
        if around:
            return min(around, key=lambda s: s[1] - s[0])[2]
        end = starts[line] if line < len(starts) else len(self.out)
        return sorted({n for s in self.spans if s[0] < end and starts[line - 1] < s[1] for n in s[2]})


SWITCH = """// Which mutant of this build is alive, and which places a run has reached.
#include <cstdio>
#include <cstdlib>

namespace {
unsigned char reached[%d];
struct Choice {
  int number = -1;
  const char* list = nullptr;
  Choice() {
    if (const char* v = std::getenv("PLUMB_MUTANT")) number = std::atoi(v);
    list = std::getenv("PLUMB_MUTANTS_REACHED");
  }
  ~Choice() {
    std::FILE* f = list ? std::fopen(list, "w") : nullptr;
    if (!f) return;
    for (int i = 0; i < %d; ++i)
      if (reached[i]) std::fprintf(f, "%%d\\n", i);
    std::fclose(f);
  }
};
}  // namespace
extern "C++" bool plumb_mutant(int k) {
  static const Choice choice;
  reached[k] = 1;
  return k == choice.number;
}
"""
