"""Recorded medians: sorted by NumPy, the middle one or the exact mean of two as a rational, rounded once; NumPy's own
and MLX's for what they treat alike. (pip install numpy ml_dtypes mlx)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
rng = np.random.default_rng(25)
BF16 = np.dtype(ml_dtypes.bfloat16)
c = Corpus("median", source=f"numpy {np.__version__} sort, Python fractions")


def once(x, to):
    """A rational rounded once to float32 or narrower: through a double that is exact or rounded to odd."""
    nearest = float(x)
    if Fraction(nearest) != x and to.name not in ("float64",):
        low = nearest if Fraction(nearest) < x else np.nextafter(nearest, -np.inf)
        bits = np.float64(low).view(np.int64)
        nearest = float(np.int64(bits | 1).view(np.float64)) if low >= 0 else float(low)
    return np.asarray(nearest, np.float64).astype(to)


def middle(line, to):
    x = np.sort(line)
    n = len(x)
    if line.dtype.kind not in "biu" and np.isnan(x.astype(np.float64)).any():
        return np.asarray(np.nan).astype(to)
    a, b = x[(n - 1) // 2], x[n // 2]
    if line.dtype.kind in "biu":
        return once(Fraction(int(a) + int(b), 2), to)
    if not (np.isfinite(float(a)) and np.isfinite(float(b))):
        return np.asarray(float(a) + float(b)).astype(to)
    return once((Fraction(float(a)) + Fraction(float(b))) / 2, to)


def add(a, axis, keepdims=False, note="", mlx_too=False):
    to = a.dtype if a.dtype.kind == "f" or a.dtype == BF16 else np.dtype(np.float32)
    axes = tuple(range(a.ndim)) if axis is None else tuple(x % a.ndim for x in np.atleast_1d(axis))
    kept = [d for d in range(a.ndim) if d not in axes]
    flat = np.transpose(a, kept + list(axes)).reshape([a.shape[d] for d in kept] + [-1])
    out = np.zeros(flat.shape[:-1], to)
    for i in np.ndindex(*out.shape):
        out[i] = middle(flat[i], to)
    if keepdims:
        out = out.reshape([1 if d in axes else a.shape[d] for d in range(a.ndim)])
    if mlx_too:
        assert (np.asarray(mx.median(mx.array(a), axis=axis, keepdims=keepdims)) == out).all()
    c.add("median", {"axis": axis if axis is None or np.ndim(axis) == 0 else list(axis), "keepdims": keepdims},
          {"a": a}, [("out", out)], note=note)


for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    if name == "bool":
        a = rng.integers(0, 2, (3, 8)).astype(bool)
    else:
        low, high = np.iinfo(name).min, np.iinfo(name).max
        a = rng.integers(low, high, (3, 8), dtype=name, endpoint=True)
    add(a, 1, note="two in the middle: exact, float32 result")
    add(a[:, :7], 1, note="one in the middle")
for name in ["float16", "bfloat16", "float32", "float64"]:
    t = BF16 if name == "bfloat16" else np.dtype(name)
    add(rng.standard_normal((4, 33)).astype(t), 1)
    add(rng.standard_normal((34, 4)).astype(t), 0, True)
    add(np.array([[1, np.nan, 3], [3, 1, 2], [np.inf, 1, -np.inf]], t), 1, note="any NaN makes one")
    most = float(ml_dtypes.finfo(t).max)
    add(np.array([[most, most, -1, most], [1, most, 3, most]], t), 1, note="the sum of the two passes the largest")
for axis in [None, (0, 2), (1,), (0, 1, 2, 3), ()]:
    add(rng.integers(-9, 9, (2, 1, 3, 2)).astype(np.float32), axis, True, mlx_too=axis == (0, 2))
add(rng.standard_normal(999).astype(np.float32), None, mlx_too=True, note="a long line")
add(np.array([2**53 + 1, 2**53 + 3], np.int64), 0, note="beyond what a double holds")
add(np.asarray(2.5, np.float32), None, note="0-d")
z = np.array([3 + 1j, 1, 2 - 2j, 2 + 1j], np.complex64)
for a, want in [(z[:3], 2 - 2j), (z, 2 - 0.5j)]:
    assert complex(np.array(mx.median(mx.array(a)))) == want
    c.add("median", {"axis": 0, "keepdims": False}, {"a": a}, [("out", np.asarray(want, np.complex64))],
          note="complex: by the real, then the imaginary part", source="mlx " + mx.__version__)
c.error("median", {"axis": 0, "keepdims": False}, {"a": np.zeros((0, 3), np.float32)}, note="of nothing")
c.error("median", {"axis": 2, "keepdims": False}, {"a": np.zeros((2, 3), np.float32)}, error="out_of_range")
c.save()
