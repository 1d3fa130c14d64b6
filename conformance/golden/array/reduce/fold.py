"""Recorded products, extremes, tests for zero: NumPy, Python integers and exact rationals, MLX for NaN and halves.
(pip install numpy ml_dtypes mlx)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
rng = np.random.default_rng(21)
BF16 = np.dtype(ml_dtypes.bfloat16)
WIDE = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "bfloat16", "float32", "float64"]

c = Corpus("fold", source=f"numpy {np.__version__}, Python fractions")
MLX = f"mlx {mx.__version__ if hasattr(mx, '__version__') else ''} cpu"


def dtype(name):
    return BF16 if name == "bfloat16" else np.dtype(name)


def some(name, shape):
    if name == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if name in INTEGERS:
        return rng.integers(-9 if name[0] == "i" else 0, 10, shape).astype(name)
    if name == "complex64":
        return (rng.integers(-3, 4, shape) + 1j * rng.integers(-3, 4, shape)).astype(name)
    return rng.standard_normal(shape).astype(dtype(name))


def attributes(axis, keepdims=False):
    return {"axis": axis if axis is None or np.ndim(axis) == 0 else list(axis), "keepdims": keepdims}


def record(op, a, axis, outs, keepdims=False, note="", **how):
    c.add(op, attributes(axis, keepdims), {"a": a}, outs, note=note, **how)


def product(a, axis, keepdims=False, note=""):
    """Whole numbers: NumPy, modulo 2^bits. Reals: exact rationals, rounded once; n roundings are allowed, and one."""
    if a.dtype.kind in "biu":
        to = WIDE.get(a.dtype.name, a.dtype.name)
        out = np.asarray(np.prod(a.astype(to), axis=axis, keepdims=keepdims, dtype=to))
        return record("prod", a, axis, [("out", out)], keepdims, note)
    exact = np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(a)
    out = np.asarray(np.prod(exact, axis=axis, keepdims=keepdims))
    out = np.vectorize(float, otypes=[np.float64])(out).astype(a.dtype)
    n = max(1, a.size // max(1, out.size))
    u = ROUNDOFF["float64" if a.dtype == np.float64 else "float32"]
    record("prod", a, axis, [("out", out)], keepdims, note, compare="close",
           tol=(n * u + 2 * ROUNDOFF[a.dtype.name], 0.0))


def extremes(a, axis, keepdims=False, note=""):
    low, high = np.min(a, axis=axis, keepdims=keepdims), np.max(a, axis=axis, keepdims=keepdims)
    low, high = np.asarray(low, a.dtype), np.asarray(high, a.dtype)
    record("max", a, axis, [("out", high)], keepdims, note)
    record("min", a, axis, [("out", low)], keepdims, note)
    record("minmax", a, axis, [("min", low), ("max", high)], keepdims, note)


def tests(a, axis, keepdims=False, note=""):
    nonzero = np.asarray(a != 0)
    record("all", a, axis, [("out", np.asarray(np.all(nonzero, axis=axis, keepdims=keepdims)))], keepdims, note)
    record("any", a, axis, [("out", np.asarray(np.any(nonzero, axis=axis, keepdims=keepdims)))], keepdims, note)
    count = np.sum(nonzero, axis=axis, keepdims=keepdims, dtype=np.int32)
    record("count_nonzero", a, axis, [("out", np.asarray(count))], keepdims, note)


for name in ["bool"] + INTEGERS:
    product(some(name, (3, 4)), 1, note="output dtype")
    extremes(some(name, (3, 4)), 0)
    tests(some(name, (3, 4)), 1)
product(np.array([200, 200, 200], np.uint8), None, note="beyond the input's range, unsigned")
product(np.array([76781, 70671, 73360], np.int32), None, note="wraps")
product(np.array([2**40, 2**40 + 1], np.uint64), None, note="wraps")
for name in FLOATS:
    product(some(name, (4, 9)), 1)
    product(some(name, (17, 3)), 0, True)
    extremes(some(name, (4, 33)), 1, True)
    extremes(some(name, (33, 4)), 0)
    tests(np.array([[0.0, -0.0, 1.0], [np.nan, 2.0, 3.0], [0.0, 0.0, -0.0]], dtype(name)), 1,
          note="-0 is 0, NaN is not")
product(np.array([300, 300, 1 / 256, 1], np.float16), 0, note="through 90000, beyond float16: 351.5")
for axis in [None, (0, 2), (1,), (0, 1, 2, 3), (2, 3), ()]:
    a = some("int32", (2, 1, 3, 2))
    product(a, axis, True)
    extremes(a, axis)
    tests(a - a.min(), axis, True)
product(np.zeros((0, 3), np.float32), 0, note="an empty line gives 1")
tests(np.zeros((0, 3), np.float32), 0, note="an empty line: all true, any false, none counted")
extremes(np.zeros((0, 3), np.int16), 1, note="an empty result")
extremes(np.asarray(2.5, np.float32), None, note="0-d")
z = some("complex64", (3, 5))
record("prod", z, 0, [("out", np.prod(z, axis=0).astype(np.complex64))], note="whole parts: exact")
tests(np.array([[0j, 1j], [0j, 0j], [1, 2j]], np.complex64), 1, note="either part")
tests(np.array([1j], np.complex64), None, note="either part, of one element too")
z = z[:, [0, 0, 1, 2, 3]]
extremes(z, 1, note="complex: by the real, then the imaginary part")
nan = np.nan
for name in FLOATS:
    extremes(np.array([[1, nan, 3], [nan, 1, 2], [1, 2, nan], [np.inf, 2, -np.inf]], dtype(name)), 1,
             note="NaN wherever it stands")
    extremes(np.array([[-3, -1, -2]], dtype(name)), 1, note="all negative")
halves = np.asarray(rng.standard_normal((5, 40)) * 0.1 + 1, np.float16)
out = np.array(mx.prod(mx.array(halves), axis=1))
record("prod", halves, 1, [("out", out)], note="accumulated in float32, rounded once", compare="close",
       tol=(2.0**-10, 0.0), source=MLX)
for op in ["max", "min", "minmax"]:
    c.error(op, attributes(0), {"a": np.zeros((0, 3), np.float32)}, note="no extreme of nothing")
    c.error(op, attributes(1), {"a": np.zeros((3, 0, 2), np.float32)}, note="no extreme of nothing")
    c.error(op, attributes(2), {"a": np.zeros((2, 3), np.float32)}, error="out_of_range")
for op in ["prod", "all", "any", "count_nonzero"]:
    c.error(op, attributes((0, 0)), {"a": np.zeros((2, 3), np.float32)})
    c.error(op, attributes(-3), {"a": np.zeros((2, 3), np.float32)}, error="out_of_range")
c.save()
