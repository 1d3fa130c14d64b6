"""Recorded scans. Integers: NumPy's cumsum, cumprod and accumulate. Real sums and products: exact rationals; logarithms
of sums of exponentials: mpmath with 60 digits; each rounded once. (pip install numpy mpmath ml_dtypes)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
rng = np.random.default_rng(33)
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}

c = Corpus("cumulative", source=f"numpy {np.__version__}, mpmath {mpmath.__version__}")


def in_order(a, axis, reverse):
    flat = a.reshape(-1) if axis is None else np.moveaxis(a, axis, -1)
    return flat[..., ::-1] if reverse else flat


def back(y, axis, reverse):
    y = y[..., ::-1] if reverse else y
    return np.ascontiguousarray(y if axis is None else np.moveaxis(y, -1, axis))


def add(op, a, axis, reverse, inclusive, y, note, tol=None, dtype=None):
    attrs = {"axis": axis, "reverse": reverse, "inclusive": inclusive}
    if op in ("cumsum", "cumprod"):
        attrs["dtype"] = dtype
    c.add(op, attrs, {"a": a}, [("out", y)], compare="close" if tol else "exact", tol=tol, note=note)


def exclusive(y, first):
    return np.concatenate([np.full_like(y[..., :1], first), y[..., :-1]], -1)


def whole(op, a, axis, reverse=False, inclusive=True, to=None, note=""):
    """Integers and bool, which NumPy scans modulo 2^bits in the type that it is given; maxima of anything."""
    t = np.dtype(to or ("int32" if op == "cumsum" and a.dtype == bool else a.dtype))
    x = in_order(a.astype(t), axis, reverse)
    if op in ("cumsum", "cumprod"):
        y = getattr(np, op)(x, axis=-1, dtype=t) if t != bool else np.logical_and.accumulate(x, axis=-1)
        first = int(op == "cumprod")
    else:
        y = (np.maximum if op == "cummax" else np.minimum).accumulate(x, axis=-1)
        low = op == "cummax"
        first = (np.iinfo(t).min if low else np.iinfo(t).max) if t.kind in "iu" else \
            (not low if t == bool else (-np.inf if low else np.inf))
    tag = {"int32": "I32", "int64": "I64", "uint8": "U8", "bool": "BOOL"}.get(to)
    y = y if inclusive else exclusive(y, first)
    add(op, a, axis, reverse, inclusive, back(y.astype(t), axis, reverse), note, dtype=tag)


def real(op, a, axis, reverse=False, inclusive=True, note=""):
    """Exact sums and products of rationals; the tolerance is that of a plain loop in binary32 (binary64)."""
    x = in_order(a, axis, reverse)
    n, wide = x.shape[-1], "float64" if a.dtype == np.float64 else "float32"
    y, worst = np.zeros(x.shape, a.dtype), 0.0
    for i in np.ndindex(*x.shape[:-1]):
        total, size = Fraction(int(op == "cumprod")), Fraction(0)
        for k in range(n):
            v = Fraction(float(x[i][k]))
            if inclusive:
                total = total + v if op == "cumsum" else total * v
            y[i][k] = np.asarray(float(total)).astype(a.dtype)
            size += abs(v)
            worst = max(worst, float(size if op == "cumsum" else abs(total)))
            if not inclusive:
                total = total + v if op == "cumsum" else total * v
    tol = (2 * ROUNDOFF[a.dtype.name], n * ROUNDOFF[wide] * worst)
    add(op, a, axis, reverse, inclusive, back(y, axis, reverse), note, tol)


def complex_scan(op, a, axis, note=""):
    x = in_order(a, axis, False)
    y = np.zeros(x.shape, np.complex64)
    for i in np.ndindex(*x.shape[:-1]):
        re, im = Fraction(int(op == "cumprod")), Fraction(0)
        for k, z in enumerate(x[i]):
            p, q = Fraction(float(z.real)), Fraction(float(z.imag))
            re, im = (re + p, im + q) if op == "cumsum" else (re * p - im * q, re * q + im * p)
            y[i][k] = complex(float(re), float(im))
    add(op, a, axis, False, True, back(y, axis, False), note, (1e-6, 4 * x.shape[-1] * 2.0**-24))


def log_scan(a, axis, reverse=False, inclusive=True, note=""):
    to = a.dtype if a.dtype.kind == "f" or a.dtype == BF16 else np.dtype(np.float32)
    x = in_order(a.astype(to), axis, reverse)
    y = np.zeros(x.shape, to)
    for i in np.ndindex(*x.shape[:-1]):
        total, out = mpmath.mpf(0), []
        for v in x[i]:
            shown = total
            total = total + mpmath.exp(mpmath.mpf(float(v)))
            shown = total if inclusive else shown
            out.append(float(mpmath.log(shown)) if shown != 0 else -np.inf)
        y[i] = np.asarray(out).astype(to)
    u = ROUNDOFF["float64" if to == np.float64 else "float32"]
    tol = (2 * ROUNDOFF[to.name], (8 * x.shape[-1] + 64) * u)
    add("logcumsumexp", a, axis, reverse, inclusive, back(y, axis, reverse), note, tol)


WAYS = [(False, True), (True, True), (False, False), (True, False)]
for t in ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]:
    top = 2 if t == "bool" else min(np.iinfo(t).max, 2**62)
    a = rng.integers(0, top, (3, 7)).astype(t)
    for k, op in enumerate(["cumsum", "cumprod", "cummax", "cummin"]):
        whole(op, a, k % 2, *WAYS[k], note="wraps" if k < 2 else "")
whole("cumsum", np.array([100, 28, 1], np.int8), 0, to="int32", note="cast first, then summed: no wrap")
whole("cumsum", np.array([100, 28, 1], np.int8), 0, note="wraps")
whole("cumprod", np.array([-1, 1, 0, 1], np.int32), 0, to="bool", note="cast to bool first: all of them true")
whole("cumprod", np.array([100000, 100000], np.int32), None, note="1410065408")
for n in [1, 2, 33, 257]:
    a = np.zeros(n, np.int32)
    a[[0, n // 2, n - 1]] = 1
    for way in WAYS:
        whole("cumsum", a, 0, *way, note="impulses")
inf, nan = np.inf, np.nan
for way in WAYS:
    whole("cummax", np.array([1, 3, nan, 5, 4], np.float32), 0, *way, note="a NaN stays")
    whole("cummin", np.array([1, 3, nan, 5, 4], np.float16), 0, *way, note="a NaN stays, of halves too")
whole("cummax", np.full(5, -3, np.float32), 0, note="nothing but negative values")
whole("cummax", np.array([[2, 1], [3, -inf], [inf, 7]], np.float64), 0)
whole("cummin", np.zeros((0, 3), np.float32), 1, note="empty")
whole("cumsum", np.zeros((2, 0), np.int32), 1, note="an empty axis")
for t in ["float16", BF16, "float32", "float64"]:
    for k, way in enumerate(WAYS):
        real("cumsum", rng.standard_normal((2, 19)).astype(t), k % 2, *way)
        real("cumprod", (2.0 ** rng.uniform(-1, 1, (3, 9)) * rng.choice([-1, 1], (3, 9))).astype(t), k % 2, *way)
real("cumsum", np.ones(2100, np.float16), 0, note="beyond 2048 in steps of one")
real("cumsum", np.ones(300, BF16), 0, note="beyond 256 in steps of one")
real("cumsum", np.asarray(2.5, np.float32), None, note="0-d: one element")
z = (rng.standard_normal((2, 9)) + 1j * rng.standard_normal((2, 9))).astype(np.complex64)
complex_scan("cumsum", z, 1)
complex_scan("cumprod", z, 0)
for k, way in enumerate(WAYS):
    log_scan((6 * rng.standard_normal((3, 17))).astype(np.float32), k % 2, *way)
log_scan((6 * rng.standard_normal((3, 5))).astype(np.float64), 1)
log_scan(rng.standard_normal((3, 5)).astype(np.float16), 0)
log_scan(rng.standard_normal((3, 5)).astype(BF16), 1)
log_scan(np.array([1, 2, 3], np.int32), 0, note="integers give float32: 1, 2.3132617, 3.4076061")
log_scan(np.array([2, -inf, -inf, 1, 3], np.float32), 0, note="-inf adds nothing")
log_scan(np.array([-inf, -inf, 0, inf, -inf], np.float32), 0, note="+inf stays")
log_scan(np.zeros(300, np.float32), 0, note="log k")
three = np.zeros((2, 3), np.float32)
for op in ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"]:
    attrs = {"axis": 2, "reverse": False, "inclusive": True}
    c.error(op, attrs, {"a": three}, error="out_of_range")
    c.error(op, attrs | {"axis": 0}, {"a": np.asarray(1, np.float32)}, error="out_of_range", note="0-d")
c.save()
