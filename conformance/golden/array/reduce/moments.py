"""Recorded means, variances, standard deviations: exact rationals and mpmath's root, rounded once. (pip install numpy
mpmath ml_dtypes)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
rng = np.random.default_rng(23)
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53, "complex64": 2.0**-24}
c = Corpus("moments", source=f"Python fractions, mpmath {mpmath.__version__}")


def lines(a, axis):
    axes = tuple(range(a.ndim)) if axis is None else tuple(x % a.ndim for x in np.atleast_1d(axis))
    kept = [d for d in range(a.ndim) if d not in axes]
    shape = [a.shape[d] for d in kept] + [int(np.prod([a.shape[d] for d in axes]))]
    return np.transpose(a, kept + list(axes)).reshape(shape), [1 if d in axes else a.shape[d] for d in range(a.ndim)]


def exact(line):
    if line.dtype.kind == "c":
        return [(Fraction(float(v.real)), Fraction(float(v.imag))) for v in line]
    return [(Fraction(int(v)) if line.dtype.kind in "biu" else Fraction(float(v)), Fraction(0)) for v in line]


def rounded(value, to):
    return np.asarray(value, np.float64).astype(to)


def moments(line):
    """Mean, and the sum of squared distances from it."""
    x, n = exact(line), len(line)
    m = tuple(sum(v[k] for v in x) / n for k in (0, 1))
    return m, sum((v[0] - m[0])**2 + (v[1] - m[1])**2 for v in x)


def bounds(a, n, to):
    """A plain loop in binary32 (binary64), two passes: its roundings relative to the largest value."""
    wide = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    finite = np.abs(wide[np.isfinite(wide)])
    u = ROUNDOFF["float64" if a.dtype == np.float64 else "float32"]
    return (n + 8) * u, float(np.max(finite, initial=0)), 2 * ROUNDOFF[to.name]


def mean(a, axis, keepdims=False, note=""):
    flat, kept = lines(a, axis)
    to = a.dtype if a.dtype.kind in "fc" or a.dtype == BF16 else np.dtype(np.float32)
    out = np.zeros(flat.shape[:-1], to)
    for i in np.ndindex(*out.shape):
        m, _ = moments(flat[i])
        out[i] = complex(float(m[0]), float(m[1])) if to.kind == "c" else rounded(float(m[0]), to)
    out = out.reshape(kept) if keepdims else out
    g, most, u = bounds(a, flat.shape[-1], to)
    scale = max(float(np.max(np.abs(out.astype(np.complex128)), initial=0)), 1e-300)
    c.add("mean", {"axis": axis if axis is None or np.ndim(axis) == 0 else list(axis), "keepdims": keepdims}, {"a": a},
          [("out", out)], compare="close", tol=(u, g * most / scale), note=note)


def deviation(op, a, axis, keepdims=False, ddof=0, correction=None, note=""):
    flat, kept = lines(a, axis)
    to = a.dtype if a.dtype.kind == "f" or a.dtype == BF16 else np.dtype(np.float32)
    out, n = np.zeros(flat.shape[:-1], to), flat.shape[-1]
    left = n - (ddof if correction is None else correction)
    for i in np.ndindex(*out.shape):
        squares = moments(flat[i])[1]
        if left <= 0:
            out[i] = np.inf if squares else np.nan
            continue
        v = mpmath.mpf(squares.numerator) / squares.denominator / left
        out[i] = rounded(float(mpmath.sqrt(v) if op == "std" else v), to)
    out = out.reshape(kept) if keepdims else out
    g, most, u = bounds(a, n, to)
    attrs = {"axis": axis if axis is None or np.ndim(axis) == 0 else list(axis), "keepdims": keepdims, "ddof": ddof}
    attrs["correction"] = correction
    scale = max(float(np.max(np.abs(out.astype(np.float64)), initial=0, where=np.isfinite(out.astype(np.float64)))),
                1e-300)
    off = (g * most)**2 * n / max(left, 1)  # the mean's own error, squared
    c.add(op, attrs, {"a": a}, [("out", out)], compare="close",
          tol=(u + 4 * g, (off**0.5 if op == "std" else off) / scale), note=note)


def all_three(a, axis, keepdims=False, note="", **how):
    mean(a, axis, keepdims, note)
    deviation("var", a, axis, keepdims, note=note, **how)
    deviation("std", a, axis, keepdims, note=note, **how)


for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    top = 2 if name == "bool" else min(np.iinfo(name).max, 2**50)
    all_three(rng.integers(0, top, (3, 5)).astype(name), 1, note="exact values, float32 result")
for name in ["float16", "bfloat16", "float32", "float64"]:
    t = BF16 if name == "bfloat16" else np.dtype(name)
    all_three(rng.standard_normal((4, 33)).astype(t), 1, ddof=1)
    all_three(rng.standard_normal((33, 4)).astype(t), 0, True)
    all_three((100 + rng.standard_normal((3, 40))).astype(t), -1, note="far from 0")
    all_three(np.full((2, 7), 3, t), 1, note="all alike: exact, spread 0")
all_three((rng.standard_normal((3, 9)) + 1j * rng.standard_normal((3, 9))).astype(np.complex64), 1,
          note="squares of moduli")
for axis in [None, (0, 2), (1,), (0, 1, 2, 3)]:
    all_three(rng.standard_normal((2, 1, 3, 2)).astype(np.float32), axis, True)
mean(np.full(7000, 60000, np.float16), None, note="the sum passes float16: 60000")
mean(np.ones(3000, BF16), None, note="more ones than bfloat16 counts: 1")
deviation("var", np.arange(300, dtype=np.float16), None, note="squares pass float16: 7499.9")
deviation("std", np.array([300, -300], np.float16), 0, note="squares pass float16: 300")
x = np.array([1, 2, 4], np.float32)
for op in ["var", "std"]:
    deviation(op, x, 0, ddof=1, correction=0, note="correction overrides ddof")
    deviation(op, x, 0, ddof=-1, note="a negative ddof")
    deviation(op, x, 0, ddof=3, note="nothing left to divide by: inf")
    deviation(op, np.array([3, 3], np.float32), 0, ddof=2, note="nothing left, all alike: NaN")
    c.error(op, {"axis": 1, "keepdims": False, "ddof": 0}, {"a": x}, error="out_of_range")
for op in ["mean", "var", "std"]:
    empty = {"axis": 0, "keepdims": False}
    c.add(op, empty, {"a": np.zeros((0, 2), np.float32)}, [("out", np.full(2, np.nan, np.float32))],
          note="nothing: NaN")
    c.add(op, empty, {"a": np.array([[1, np.nan], [2, 3]], np.float32)},
          [("out", np.array([{"mean": 1.5, "var": 0.25, "std": 0.5}[op], np.nan], np.float32))], note="NaN stays")
c.error("mean", {"axis": 2, "keepdims": False}, {"a": np.zeros((2, 3), np.float32)}, error="out_of_range")
c.save()
