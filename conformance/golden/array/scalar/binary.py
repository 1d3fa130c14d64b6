"""Recorded cases of the operations of two numbers: values of mpmath rounded once, and MLX on its CPU backend for what
is exact (pip install 'mlx[cpu]' numpy ml_dtypes mpmath)."""

import pathlib
import sys

import mlx.core as mx
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import INEXACT, REALS, VALUES, array, numbers, rounded, value  # noqa: E402

mx.set_default_device(mx.cpu)
mp.mp.dps = 60
c = Corpus("binary", source=f"mlx {mx.__version__}")

WORDS = [n for n in REALS if n not in INEXACT]
NUMBERS = [n for n in REALS if n != "bool_"]
EXACT = {
    "subtract": list(VALUES), "multiply": REALS, "maximum": list(VALUES), "minimum": list(VALUES),
    "floor_divide": NUMBERS, "remainder": NUMBERS, "equal": list(VALUES), "not_equal": list(VALUES),
    "less": list(VALUES), "less_equal": list(VALUES), "greater": list(VALUES), "greater_equal": list(VALUES),
    "logical_and": REALS, "logical_or": REALS, "logical_xor": REALS,
    "bitwise_and": WORDS, "bitwise_or": WORDS, "bitwise_xor": WORDS,
}
UNDEFINED = {"floor_divide", "remainder"}  # of the least integer and -1: what does not fit is not asked
for op, names in EXACT.items():
    f = getattr(mx, op if op != "logical_xor" else "not_equal")
    for n in names:
        a, b = list(VALUES[n]), list(VALUES[n][::-1])
        if n == "complex64" and op in ("maximum", "minimum"):  # MLX gives one of a NaN's parts
            a, b = [v for v in a if not np.isnan(v)], [v for v in b if not np.isnan(v)]
        if op in UNDEFINED:
            a, b = ([7.5, -7.5, 7.5, -7.5, -0.0], [2, 2, -2, -2, 3]) if n in INEXACT else \
                   ([7, 100, 0, 5], [2, 9, 3, 0]) if n.startswith("u") else \
                   ([7, -7, 7, -7, 5, -100], [2, 2, -2, -2, 0, 9])
        x, y = array(n, a), array(n, b)
        if op == "logical_xor":
            out = value(mx.not_equal(x.astype(mx.bool_), y.astype(mx.bool_)))
        else:
            out = value(f(x, y))
        c.add(op, {}, {"a": value(x), "b": value(y)}, [("out", out)])
for n in NUMBERS:
    a, b = ([7.5, -7.5, 7.5, -7.5, -0.0], [2, 2, -2, -2, 3]) if n in INEXACT else \
           ([7, 100, 0, 5], [2, 9, 3, 8]) if n.startswith("u") else ([7, -7, 7, -7, 5, -100], [2, 2, -2, -2, 4, 9])
    x, y = array(n, a), array(n, b)
    q, r = mx.divmod(x, y)
    c.add("divmod", {}, {"a": value(x), "b": value(y)}, [("quotient", value(q)), ("remainder", value(r))])
PAIRS = [("bool_", "uint8"), ("uint8", "int8"), ("uint64", "int64"), ("int32", "float16"), ("float16", "bfloat16"),
         ("bfloat16", "float64"), ("int32", "complex64")]
for op in ["subtract", "less", "equal"]:
    for n, m in PAIRS:
        x, y = array(n, VALUES[n][:2]), array(m, [[1], [0]])
        c.add(op, {}, {"a": value(x), "b": value(y)}, [("out", value(getattr(mx, op)(x, y)))], note="promotion")
for n in WORDS:
    x, y = array(n, VALUES[n]), array(n, ([0, 1, 3, 7, 2] if n != "bool_" else [False, True])[:len(VALUES[n])])
    for op in ["left_shift", "right_shift"]:
        c.add(op, {}, {"a": value(x), "b": value(y)}, [("out", value(getattr(mx, op)(x, y)))])
for n, a, b in [("int32", [2, -3, 7, 0, 5, 46341], [10, 3, 0, 0, -1, 2]), ("uint8", [2, 3, 0, 7], [9, 5, 0, 1])]:
    x, y = array(n, a), array(n, b)
    c.add("power", {}, {"a": value(x), "b": value(y)}, [("out", value(mx.power(x, y)))], note="wraps")
a, b = np.array([-np.inf, np.inf, -np.inf, -np.inf, 0, 1]), np.array([-2.0**63, -2.0**63, 3, 2.0**63, 0, np.nan])
c.add("power", {}, {"a": a, "b": b}, [("out", np.power(a, b))], note="C99, annex F",
      source=f"numpy {np.__version__}")


def judged(op, a, b, y, note="", tol=0):
    """The oracle gives the exact value rounded once; of f64 it knows 64 bits before that."""
    c.add(op, {}, {"a": a, "b": b}, [("out", y)], compare="invariant", check="bound", tol=(tol, 0), note=note,
          source=f"mpmath {mp.__version__}")


def logaddexp(a, b):
    return mp.log(mp.exp(a) + mp.exp(b))


FUNCTIONS = {
    "divide": (lambda a, b: a / b, [1, -7, 3e-30, 6], [3, 2, 7, -0.1]),
    "power": (mp.power, [2, 0.5, 10, 1.5, 3], [0.5, -3, 4, 20, 2.25]),
    "logaddexp": (logaddexp, [0, -3, 60, 1], [0, 2, -60, 1.25]),
    "arctan2": (mp.atan2, [1, -1, 0.5, -3e-3, 0], [2, -2, -0.25, 7, -1]),
}
for op, (f, a, b) in FUNCTIONS.items():
    for n in ["float16", "bfloat16", "float32", "float64"]:
        x, y = numbers(n, a), numbers(n, b)
        out = rounded(n, [f(mp.mpf(float(p)), mp.mpf(float(q))) for p, q in zip(x, y)])
        judged(op, x, y, out, tol=3e-16 if n == "float64" else 0)
whole = np.array([7, -7, 1], np.int32), np.array([2, 2, 3], np.int32)
judged("divide", *whole, rounded("float32", [mp.mpf(int(a)) / int(b) for a, b in zip(*whole)]), "whole numbers as f32")
Z = np.array([1 + 2j, -0.5j, 3 - 4j, 0.1 - 0.1j], np.complex64), np.array([2 - 1j, 1 + 1j, 0.5j, -3 + 7j], np.complex64)
for op, f in {"multiply": lambda a, b: a * b, "divide": lambda a, b: a / b}.items():
    judged(op, *Z, rounded("complex64", [f(mp.mpc(complex(a)), mp.mpc(complex(b))) for a, b in zip(*Z)]))
c.error("subtract", {}, {"a": np.zeros(3, np.float32), "b": np.zeros(4, np.float32)}, error="invalid_argument",
        note="sizes 3 and 4")
c.error("bitwise_or", {}, {"a": np.zeros(3, np.float32), "b": np.zeros(3, np.float32)}, error="runtime_error",
        note="no bits of floats")
c.save()
