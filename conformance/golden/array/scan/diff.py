"""Recorded differences: NumPy's diff of integers and bool, exact rationals of real numbers.
(pip install numpy ml_dtypes)"""

import math
import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

rng = np.random.default_rng(34)
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}

c = Corpus("diff", source=f"numpy {np.__version__}, Python fractions")


def whole(a, n, axis, note=""):
    c.add("diff", {"n": n, "axis": axis}, {"a": a}, [("out", np.diff(a, n, axis))], note=note)


def real(a, n, axis, note=""):
    """sum_k (-1)^(n-k) C(n,k) x_(i+k), rounded once; n roundings of binary32 (binary64) on the way."""
    x = np.moveaxis(a, axis, -1)
    y, size = np.zeros(x.shape[:-1] + (x.shape[-1] - n, ), a.dtype), 0.0
    for i in np.ndindex(*y.shape):
        terms = [(-1)**(n - k) * math.comb(n, k) * Fraction(float(x[i[:-1] + (i[-1] + k, )])) for k in range(n + 1)]
        y[i] = np.asarray(float(sum(terms))).astype(a.dtype)
        size = max(size, float(sum(map(abs, terms))))
    u = ROUNDOFF["float64" if a.dtype == np.float64 else "float32"]
    tol = None if n == 1 else (2 * ROUNDOFF[a.dtype.name], (n + 1) * u * size)
    c.add("diff", {"n": n, "axis": axis}, {"a": a}, [("out", np.ascontiguousarray(np.moveaxis(y, -1, axis)))],
          compare="close" if tol else "exact", tol=tol, note=note)


for t in ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]:
    a = rng.integers(0, 2 if t == "bool" else min(np.iinfo(t).max, 2**62), (4, 6)).astype(t)
    whole(a, 1, 1, note="exclusive or" if t == "bool" else "wraps")
    whole(a, 3, 0)
whole(np.arange(5, dtype=np.int32), 6, -1, note="more differences than elements: empty")
whole(np.arange(5, dtype=np.int32)**3, 3, -1, note="third differences of cubes: 6")
whole(np.arange(5, dtype=np.int32), 0, -1, note="the elements themselves")
for t in ["float16", BF16, "float32", "float64"]:
    a = rng.standard_normal((5, 9)).astype(t)
    real(a, 1, 1)
    real(a, 1, 0)
    real(a, 4, 1)
three = np.zeros((2, 3), np.float32)
c.error("diff", {"n": 1, "axis": 2}, {"a": three}, error="out_of_range")
c.error("diff", {"n": 1, "axis": 0}, {"a": np.asarray(1, np.float32)}, error="out_of_range", note="0-d")
c.error("diff", {"n": -1, "axis": 0}, {"a": three}, error="invalid_argument")
c.save()
