"""Recorded logarithms of sums of exponentials: mpmath with 60 digits, rounded once. (pip install numpy mpmath
ml_dtypes)"""

import pathlib
import sys

import ml_dtypes
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
rng = np.random.default_rng(24)
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
c = Corpus("logsumexp", source=f"mpmath {mpmath.__version__}")


def value(line):
    x = [float(v) for v in line]
    if any(v != v for v in x):
        return np.nan
    if max(x) in (np.inf, -np.inf):
        return max(x)
    m = max(x)
    return float(m + mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(v) - m) for v in x if v != -np.inf)))


def add(a, axis, keepdims=False, note=""):
    to = a.dtype if a.dtype.kind == "f" or a.dtype == BF16 else np.dtype(np.float32)
    axes = tuple(range(a.ndim)) if axis is None else tuple(x % a.ndim for x in np.atleast_1d(axis))
    kept = [d for d in range(a.ndim) if d not in axes]
    n = int(np.prod([a.shape[d] for d in axes]))
    flat = np.transpose(a.astype(to), kept + list(axes)).reshape([a.shape[d] for d in kept] + [n])
    out = np.apply_along_axis(value, -1, flat.astype(np.float64)).astype(to)
    if keepdims:
        out = out.reshape([1 if d in axes else a.shape[d] for d in range(a.ndim)])
    # A plain loop in binary32 (binary64): arguments and exponentials rounded, n sums, a logarithm, a sum.
    u = ROUNDOFF["float64" if to.name == "float64" else "float32"]
    finite = out.astype(np.float64)[np.isfinite(out.astype(np.float64))]
    scale = max(1e-300, float(np.max(np.abs(finite), initial=0)))
    wide = np.abs(flat.astype(np.float64))
    far = 2 * float(np.max(wide[np.isfinite(wide)], initial=0))
    c.add("logsumexp", {"axis": axis if axis is None or np.ndim(axis) == 0 else list(axis), "keepdims": keepdims},
          {"a": a}, [("out", np.asarray(out))], compare="close",
          tol=(2 * ROUNDOFF[to.name] + 8 * u, (n + 8 + min(far, 40)) * u / scale), note=note)


inf, nan = np.inf, np.nan
for axis in [-1, 0, None, (0, 2), (1, 2), (0, 1), ()]:
    add((4 * rng.standard_normal((3, 4, 5))).astype(np.float32), axis)
for n in [1, 2, 17, 129, 1000]:
    add((9 * rng.standard_normal((2, n))).astype(np.float32), -1)
    add((9 * rng.standard_normal((n, 3))).astype(np.float64), 0, True)
for name in ["float16", "bfloat16"]:
    t = BF16 if name == "bfloat16" else np.dtype(name)
    add(rng.standard_normal((3, 70)).astype(t), -1)
    add(rng.standard_normal((70, 3)).astype(t), 0, note="off the last axis too, in float32")
for name in ["bool", "int8", "int32", "int64", "uint8", "uint16"]:
    add(rng.integers(0, 2 if name == "bool" else 9, (3, 6)).astype(name), 1, note="float32 result")
for t in [np.float32, np.float64, np.float16]:
    add(np.array([[-inf] * 3, [1, nan, 2], [1, inf, 2], [nan, inf, 1], [inf, -inf, inf], [1, -inf, 2]], t), -1,
        note="infinities are the result, NaN comes first")
add(np.array([[1000, 1000.5], [-1000, -1001], [1e30, -1e30], [3e38, 3e38]], np.float32), 1, note="far from 0")
add(np.array([[1e-5, -20, -30], [0, -90, -100]], np.float32), 1, note="one number beside what vanishes")
add(np.asarray(2.5, np.float32), None, note="0-d")
c.error("logsumexp", {"axis": 0, "keepdims": False}, {"a": np.zeros((0, 3), np.float32)}, note="of nothing")
c.error("logsumexp", {"axis": 2, "keepdims": False}, {"a": np.zeros((2, 3), np.float32)}, error="out_of_range")
c.error("logsumexp", {"axis": 0, "keepdims": False}, {"a": np.asarray(1, np.float32)}, error="invalid_argument",
        note="0-d")
c.save()
