#!/usr/bin/env python3
"""Asks that no index into global memory is computed in 32 bits, where no device here has room to show that it wraps.

    ci/kernel_indices.py [FILE.cl ...]

Each kernel file is parsed by clang with options that reach all of its code. In every index or offset of a pointer to
global memory, and in the variables that it is made of, two things are faults:

  * a product of two variables in 32 bits: a row times the width of a row. Products with a constant pass: a work-group
    times its tile is no more than an extent, and extents beyond 32 bits are refused by the routes that cannot take them
  * such a product, or a work-item's global number, made narrow

Exit 77 where there is no clang.
"""
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys

KERNELS = pathlib.Path(__file__).resolve().parent.parent / "gpu" / "kernels"
PRELUDE = ["PLUMB_FP64", "PLUMB_FP16", "PLUMB_INT64_ATOMICS"]
PARTS = {"any", "element", "fragments", "functions", "gather", "keys", "lines", "operand", "place",
         "row_fragments", "row_tiles", "scalar", "sites", "unroll"}  # included by others

# Alternatives of each option, as in matrix_kernels.py; a file that is not here needs none.
BUILDS = {
    "combine": [["VIA_WHOLE", "VIA_FLOAT", "VIA_DOUBLE", "VIA_COMPLEX"]],
    "attention": [["X=f32", "X=f64"]],
    "convolution": [["X=f16", "X=f16 MMA COLUMNS=32 DEPTH=32"]],
    "decomposition": [["X=f32", "X=f64"]],
    "tiled": [["X=f32 Y=f32", "X=f64 Y=f32", "X=f64 Y=f64"]],
    "cross": [["VIA_WHOLE", "VIA_FLOAT", "VIA_DOUBLE", "VIA_COMPLEX"]],
    "dense_conv": [["", "WIDE"]],
    "dense_pool": [["", "WIDE"]],
    "dense_solve": [["X=f32", "X=f64 WIDE"]],
    "edge_product": [["INDEX", "X=f32 COLUMNS=32", "X=f32 COLUMNS=32 BY_FOURS NORMALIZED", "X=f32 TILE=32",
                      "X=f32 TILE=32 EVERY_ROW"]],
    "edge_product_mma": [["COLUMNS=32 DEPTH=32", "TILE=32 DEPTH=32"], ["", "BY_EIGHTS"], ["", "EVERY_ROW"]],
    "elementwise": [["ADD_f32", "ADD_f16", "VIA_WHOLE", "VIA_FLOAT", "VIA_DOUBLE", "VIA_COMPLEX"]],
    "entropy": [["X=f32", "X=f16"]],
    "select": [["LANE_F32", "LANE_F64", "LANE_C64", "LANE_I64", "LANE_U64"]],
    "given": [["LANE_F32", "LANE_F64", "LANE_C64", "LANE_I64", "LANE_U64"]],
    "binary": [["LANE_F32", "LANE_F64", "LANE_C64", "LANE_I64", "LANE_U64"]],
    "cumulative": [["LANE_F32 SUM", "LANE_F32 LOG", "LANE_F64 ANY", "LANE_C64 ANY", "LANE_I64 ANY"], ["PER=8"]],
    "features": [["X=f32 Y=f32", "X=f16 Y=f16"]],
    "fft": [["", "N=16 PASSES= LINES=4 GROUP=64 MODE=1 SWAP_IN=0 SWAP_OUT=1 CUT_IN=1 CUT_OUT=1 NEXT_IN=0 NEXT_OUT=0 "
                 "TURNED=1 CHIRPED=1"], ["LOAD_COLUMNS=0 STORE_COLUMNS=1", "LOAD_COLUMNS=1 STORE_COLUMNS=0"]],
    "gated_delta": [["X=f32"]],
    "fold": [["", "PRODUCT X=f32", "PRODUCT X=u64", "PRODUCT X=c64 PAIRS"]],
    "general": [["X=f32", "X=f64 WIDE", "X=f32 COMPLEX"]],
    "global_pooling": [["X=f16"]],
    "hadamard": [["X=f32", "X=f64"]],
    "hermitian": [["X=f32", "X=f64 WIDE", "X=f32 COMPLEX"]],
    "linalg": [["X=f32 REGISTERS=4", "X=f32 REGISTERS=4 WIDE", "X=c64 REGISTERS=2"], ["UNROLL=2"]],
    "linalg": [["X=f32 REGISTERS=4", "X=f32 REGISTERS=4 WIDE", "X=c64 REGISTERS=2",
                "X=f32 REGISTERS=2 RANGES"], ["UNROLL=2"]],
    "linalg_mma": [["X=f16"], ["WARPS_M=2 WARPS_N=2 TILES_M=2 TILES_N=4"], ["", "ALIGNED"]],
    "logsumexp": [["X=f32", "X=f64"]],
    "moments": [["X=f32", "X=f64"]],
    "neighbor": [["", "MOST=16"]],
    "normalization": [["X=f32", "X=f64"]],
    "norm": [["X=f32", "X=f64 WIDE"]],
    "norms": [["X=f32"]],
    "pooling": [["X=f16 EACH=1", "X=f16 EACH=4"]],
    "quant_product": [["X=f16"], ["BITS=4", "TILE=32"]],
    "qr": [["X=f32", "X=f64"]],
    "panels": [["X=f32", "X=f64"]],
    "rope": [["X=f32", "X=f64"]],
    "svd": [["X=f32", "X=f64", "X=f32 COMPLEX"]],
    "scaled": [["X=f32 MASK", "X=f64 MASK", "X=c64"]],
    "vecdot": [["X=f32", "X=f64", "X=c64", "X=u64"]],
    "reduction": [["X=f32 ANY=0", "X=u32 ANY=1"], ["SUM"]],
    "singular": [["X=f32", "X=f64 WIDE", "X=f32 COMPLEX"]],
    "sort": [["", "POINTS=32 LINES=8", "POINTS=32 LINES=8 WIDE"]],
    "sparse_algebra": [["X=f16"]],
    "sparse_quant": [["QUANTIZE", "DEQUANTIZE", "SETUP", "X=f16", "X=f16 MMA BITS=4 COLUMNS=32"]],
    "sparse_rows": [["X=f16"]],
    "unary": [["LANE_F32", "LANE_F64", "LANE_C64", "LANE_I64", "LANE_U64"]],
}

NARROWED, PRODUCT = "a work-item's number made narrow", "a product in 32 bits"

# Indices that are within 32 bits for a reason that does not stand beside them: by function and fault.
KNOWN = {
    ("count_keys", NARROWED): "keys and runs are int",
    ("place_keys", NARROWED): "keys and runs are int",
    ("dot_rows", NARROWED): "routes refuse extents beyond 32 bits",
    ("dot_columns", NARROWED): "routes refuse extents beyond 32 bits",
    ("quantize", PRODUCT): "groups of a group's size are the channels of a row",
    ("fft_any", PRODUCT): "routes refuse 2^31 lines",
    ("fetch", PRODUCT): "routes refuse blocks of lines of 2^31 elements",
    ("emit", PRODUCT): "routes refuse blocks of lines of 2^31 elements",
    **{(f"pass{radix}", PRODUCT): "a table of no more roots than a line in local memory has elements"
       for radix in (2, 3, 4, 5, 7, 8, 11, 13, 16)},
}

NARROW, WIDE = {"int", "uint", "unsigned int"}, {"long", "ulong", "unsigned long"}
# What is no larger than an operand, or a truth.
ENDS = {"%", "/", ">>", "&", "|", "^", "<", ">", "<=", ">=", "==", "!=", "&&", "||"}


def type_of(node):
    """The type of a node without what qualifies it."""
    t = node.get("type", {})
    text = t.get("desugaredQualType") or t.get("qualType", "")
    return re.sub(r"\b(const|volatile|restrict|__private|__local|__global|__constant|__generic)\b ?", "", text).strip()


def inner(node):
    return node.get("inner", [])


def bare(node):
    """A node without the casts and brackets around it."""
    while node.get("kind") in ("ImplicitCastExpr", "CStyleCastExpr", "ParenExpr", "ConstantExpr"):
        node = inner(node)[-1]
    return node


def constant(node):
    node = bare(node)
    if node.get("kind") in ("BinaryOperator", "UnaryOperator", "ConditionalOperator"):
        return all(constant(i) for i in inner(node))
    if node.get("referencedDecl", {}).get("kind") == "EnumConstantDecl":
        return True
    return node.get("kind") in ("IntegerLiteral", "UnaryExprOrTypeTraitExpr")


def called(node):
    node = bare(node)
    return bare(inner(node)[0]).get("referencedDecl", {}).get("name", "") if node.get("kind") == "CallExpr" else ""


class Indices:
    """What is wrong with the indices of one parsed file."""

    def __init__(self):
        self.made_of = {}  # variables and their first values
        self.function = ""
        self.found = set()

    @staticmethod
    def product(node):
        return node.get("kind") == "BinaryOperator" and node["opcode"] == "*" and not any(map(constant, inner(node)))

    def faults(self, node, seen, narrowed=False):
        """The faults in one expression that is part of an index; `narrowed` within a cast to 32 bits."""
        kind = node.get("kind")
        if kind in ("ImplicitCastExpr", "CStyleCastExpr") and node.get("castKind") == "IntegralCast":
            narrowed = type_of(node) in NARROW and type_of(inner(node)[-1]) not in NARROW
            if narrowed and called(node) == "get_global_id":
                yield NARROWED
        if self.product(node) and (narrowed or type_of(node) in NARROW):
            yield PRODUCT
        if kind == "DeclRefExpr":
            variable = node["referencedDecl"]["id"]
            if variable not in seen:
                for value in self.made_of.get(variable, []):
                    yield from self.faults(value, seen | {variable}, narrowed)
            return
        if kind in ("CallExpr", "ArraySubscriptExpr", "MemberExpr") or node.get("opcode") in ENDS:
            return
        parts = inner(node)[1:] if kind == "ConditionalOperator" else inner(node)
        if kind == "BinaryOperator" and node["opcode"] == "-":  # what a product is taken from is larger: a remainder
            parts = parts[:1]
        for part in parts:
            yield from self.faults(part, seen, narrowed)

    def ask(self, pointer, index):
        if "__global" not in pointer["type"]["qualType"]:
            return
        name = bare(pointer).get("referencedDecl", {}).get("name", "")
        for fault in self.faults(index, frozenset()):
            self.found.add((self.function, name, fault))

    def walk(self, node):
        kind = node.get("kind")
        if kind == "FunctionDecl":
            self.function = node.get("name", "")
        if kind == "VarDecl" and inner(node):
            self.made_of.setdefault(node["id"], []).append(inner(node)[-1])
        if kind == "ArraySubscriptExpr":
            self.ask(*inner(node))
        if kind == "CallExpr":  # what is handed on beside a pointer, to be an index there
            pointers = [i for i in inner(node)[1:] if "__global" in i["type"]["qualType"]]
            for index in inner(node)[1:]:
                if pointers and type_of(index) in NARROW | WIDE:
                    self.ask(pointers[0], index)
        if kind == "BinaryOperator" and node["opcode"] in ("+", "-") or kind == "CompoundAssignOperator":
            left, right = inner(node)
            if "*" in left["type"]["qualType"]:
                self.ask(left, right)
            elif "*" in right["type"]["qualType"]:
                self.ask(right, left)
        for child in inner(node):
            self.walk(child)


def parsed(clang, file, options):
    # What clang adds to OpenCL C 1.2 another compiler may refuse: macros with any number of arguments.
    command = [clang, "-x", "cl", "-cl-std=CL1.2", "-fsyntax-only", "-pedantic-errors", "-Xclang",
               "-fdeclare-opencl-builtins", "-Xclang", "-finclude-default-header", "-Xclang", "-ast-dump=json",
               f"-I{KERNELS}", *[f"-D{d}" for d in PRELUDE + options], str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{file.name} {' '.join(options)}:\n{done.stderr[:2000]}")
    return json.loads(done.stdout)


def main():
    clang = shutil.which("clang") or shutil.which("clang-14") or shutil.which("clang-15")
    if not clang:
        print("skipped: no clang")
        return 77
    files = [pathlib.Path(name) for name in sys.argv[1:]]
    files = files or sorted(f for f in KERNELS.rglob("*.cl") if f.stem not in PARTS)
    failed = set()
    for file in files:
        for choice in itertools.product(*BUILDS.get(file.stem, [[""]])):
            indices = Indices()
            indices.walk(parsed(clang, file, " ".join(choice).split()))
            failed |= {(file.name, *fault) for fault in indices.found if (fault[0], fault[2]) not in KNOWN}
    for name, function, pointer, fault in sorted(failed):
        print(f"FAIL {name}, {function}: {fault} in an index of {pointer or 'a pointer'}")
    print(f"{len(files)} files, {len(failed)} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
