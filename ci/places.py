"""Places in C++ and OpenCL sources that survive formatting and moving: a function's name and a text in it.

Texts are compared without white space and comments. A place is a named block: a function, a lambda that has a name, a
struct, a table, or a macro. This is no parser: it follows brackets and reads the name that stands before a block.
"""
import bisect
import collections
import pathlib
import re

FOLDERS = ("core", "reference", "plans", "optimized", "gpu", "library", "conformance", "bench", "cli", "reports")
SUFFIXES = (".cpp", ".h", ".cl", ".def")
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')
      | (?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>\.?\d(?:[eEpP][+-]|['\w.])*)
      | (?P<space>\s+)
      | (?P<sign>.)""",
    re.X | re.S | re.M)
UNNAMED = {"if", "for", "while", "switch", "catch", "do", "else", "try", "return", "case", "default"}
Block = collections.namedtuple("Block", "name begin end")


class PlaceError(Exception):
    pass


def tokens(text):
    for match in TOKEN.finditer(text):
        if match.lastgroup == "mark" or match["raw"]:
            yield "string", match.group(), match.start()
        elif match.lastgroup not in ("comment", "space"):
            yield match.lastgroup, match.group(), match.start()


def squeezed(text):
    """The text without white space and comments, and where each of its characters stood."""
    kept, at = [], []
    for kind, token, start in tokens(text):
        for offset, character in enumerate(token):
            if not character.isspace() and character != "\\" or kind in ("string", "char"):
                kept.append(character)
                at.append(start + offset)
    return "".join(kept), at


def matching(header, opening):
    """Index behind the bracket that closes header[opening]."""
    first, depth, round_ones = header[opening][1], 0, 0
    last = {"(": ")", "<": ">"}[first]
    for index in range(opening, len(header)):
        token = header[index][1]
        if first == "<":  # 3 > 2 stands in round ones
            round_ones += (token == "(") - (token == ")")
        if round_ones == 0:
            depth += (token == first) - (token == last)
        if depth == 0:
            return index + 1
    return len(header)


def without_macros(header):
    """The tokens before a `{` without template lists, attributes and calls of macros that stand in front."""
    while len(header) > 1:
        macro = header[0][0] == "word" and header[1][1] == "("
        end = matching(header, 1) if macro or header[0][1] == "template" and header[1][1] == "<" else len(header)
        behind = header[end] if end < len(header) else ("", "", 0)
        if behind[0] != "word" or macro and behind[1] in ("const", "noexcept", "override", "try"):
            break
        header = header[end:]
    words = [token for _, token, _ in header]
    if "__attribute__" in words:
        index = words.index("__attribute__")
        return without_macros(header[:index] + header[matching(header, index + 1):])
    return header


def block_name(header):
    """What the tokens before a `{` name, or None: a namespace is too wide to be a place."""
    header = without_macros(header)
    words = [token for _, token, _ in header]
    if not words or words[0] in UNNAMED or "namespace" in words:
        return None
    for keyword in ("struct", "class", "union", "enum"):
        if keyword in words and "(" not in words and "=" not in words:
            named = [t for k, t, _ in header[words.index(keyword) + 1:] if k == "word" and t not in ("class", "final")]
            return named[0] if named else None
    if "=" in words and "operator" not in words[:words.index("=")] and "(" not in words[:words.index("=")]:
        header = header[:words.index("=")]  # a table, or a lambda that has a name
        words = words[:words.index("=")]
    if "operator" in words:
        index = words.index("operator")
        end = words.index("(", index + 2) if "(" in words[index + 2:] else len(words)
        return "operator" + "".join(words[index + 1:end])
    for index, (kind, token, _) in enumerate(header):
        if token == "(" and index > 0 and header[index - 1][0] == "word" and words[index - 1] not in (
                "__attribute__", "alignas", "decltype", "requires", "explicit", "noexcept"):
            return None if words[index - 1] in UNNAMED else words[index - 1]
        if token == "[" and index > 0 and header[index - 1][0] == "word":
            return words[index - 1]
    named = [t for k, t, _ in header if k == "word"]
    return named[-1] if named and "[" not in words else None


class Blocks:
    """Follows the brackets of one file and notes every named block."""

    def __init__(self, text):
        self.found, self.stack, self.header, self.depth, self.saved = [], [], [], 0, []
        for token in tokens(text):
            self.take(*token)

    def take(self, kind, token, start):
        if kind == "directive":
            self.directive(token, start)
        elif token == "{":
            name = block_name(self.header) if self.depth == 0 else None
            self.stack.append((name, self.header[0][2] if self.header else start, self.depth, self.header))
            self.header, self.depth = [], 0
        elif token == "}":
            self.close(start)
        elif token == ";" and self.depth == 0:
            self.header = []
        elif token == ":" and [t for _, t, _ in self.header] in (["public"], ["private"], ["protected"]):
            self.header = []
        else:
            self.depth = max(0, self.depth + (token in "([") - (token in ")]")) if kind == "sign" else self.depth
            self.header.append((kind, token, start))

    def close(self, start):
        if not self.stack:
            return
        name, begin, depth, header = self.stack.pop()
        if name:
            self.found.append(Block(name, begin, start + 1))
        # Within brackets, or in the list of a constructor, the header goes on behind a block.
        words = [token for _, token, _ in header]
        initializer = ":" in words and ")" in words[:words.index(":")] if words else False
        self.depth = depth
        self.header = header if depth > 0 or initializer and header[-1][0] == "word" else []

    def directive(self, token, start):
        word = re.match(r"\s*#\s*(\w+)\s*(\w*)", token)
        if not word:
            return
        if word[1] == "define" and word[2]:
            self.found.append(Block(word[2], start, start + len(token)))
        if word[1] in ("if", "ifdef", "ifndef"):
            self.saved.append((list(self.stack), list(self.header), self.depth))
        elif word[1] in ("else", "elif") and self.saved:
            stack, header, self.depth = self.saved[-1]
            for name, begin, _, _ in self.stack[len(stack):]:  # its end stands in the last branch, or behind it
                if name:
                    self.found.append(Block(name, begin, start))
            self.stack, self.header = list(stack), list(header)
        elif word[1] == "endif" and self.saved:
            self.saved.pop()


def blocks(text):
    return Blocks(text).found


def occurrences(text, function, wanted):
    """The (begin, end) of every occurrence of `wanted` in a block of that name; `function` may be Class::name."""
    found = set()
    name = function.rsplit("::", 1)[-1]
    needle = squeezed(wanted)[0]
    if not needle:
        raise PlaceError("an empty text has no place")
    flat, at = squeezed(text)
    for block in blocks(text):
        if block.name != name:
            continue
        low, high = bisect.bisect_left(at, block.begin), bisect.bisect_left(at, block.end)
        index = flat.find(needle, low, high)
        while index >= 0:
            found.add((at[index], at[index + len(needle) - 1] + 1))
            index = flat.find(needle, index + 1, high)
    return sorted(found)


def sources(root):
    for folder in FOLDERS:
        for path in sorted((pathlib.Path(root) / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path


def locate(root, file, function, wanted):
    """(path, begin, end) of the only occurrence: in the file named, or, if that has none, anywhere in the tree."""
    root = pathlib.Path(root)
    path = root / file
    here = occurrences(path.read_text(encoding="utf-8"), function, wanted) if path.is_file() else []
    if len(here) > 1:
        raise PlaceError(f"the text occurs {len(here)} times in {function} of {file}")
    if here:
        return path, *here[0]
    elsewhere = []
    for other in sources(root):
        text = other.read_text(encoding="utf-8")
        if function.rsplit("::", 1)[-1] in text:
            elsewhere += [(other, *place) for place in occurrences(text, function, wanted)]
    if len(elsewhere) != 1:
        raise PlaceError(f"the text occurs nowhere in {function} of {file}, and {len(elsewhere)} times in functions of "
                         "that name elsewhere")
    return elsewhere[0]
