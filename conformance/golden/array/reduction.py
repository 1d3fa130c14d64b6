"""Recorded cases of the reduction family. Integer sums and shapes: NumPy. Real sums: exact rationals, rounded once.
softmax: mpmath with 60 digits, rounded once. (pip install numpy mpmath ml_dtypes)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
rng = np.random.default_rng(20)
BF16 = np.dtype(ml_dtypes.bfloat16)
SUM_TYPE = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}

c = Corpus("reduction", source=f"numpy {np.__version__}, mpmath {mpmath.__version__}")


def lines(a, axis):
    """The array with the reduced axes last and flattened, and the axes."""
    axes = tuple(range(a.ndim)) if axis is None else tuple(x % a.ndim for x in np.atleast_1d(axis))
    kept = [d for d in range(a.ndim) if d not in axes]
    flat = np.transpose(a,
                        kept + list(axes)).reshape([a.shape[d] for d in kept] +
                                                   [int(np.prod([a.shape[d] for d in axes]))])
    return flat, axes, kept


def integer_sum(a, axis, keepdims=False, note=""):
    to = np.dtype(SUM_TYPE.get(a.dtype.name, a.dtype.name))
    out = np.sum(a.astype(to), axis=axis, keepdims=keepdims, dtype=to)
    c.add("sum", {"axis": axis if np.ndim(axis) == 0 else list(axis), "keepdims": keepdims}, {"a": a},
          [("out", np.asarray(out, to))], note=note)


def exact(values):
    return float(sum((Fraction(float(v)) for v in values), Fraction(0)))


def real_sum(a, axis, keepdims=False, note=""):
    """Rounded once; the tolerance is that of a plain loop in binary32 (binary64) and of the output's rounding."""
    flat, axes, kept = lines(a, axis)
    n, at = flat.shape[-1], flat.shape[:-1]
    s, worst = np.zeros(at, a.dtype), 0.0
    for i in np.ndindex(*at):
        if a.dtype == np.complex64:
            s[i] = complex(exact(flat[i].real), exact(flat[i].imag))
        else:
            s[i] = np.asarray(exact(flat[i])).astype(a.dtype)
        worst = max(worst, sum(abs(complex(v)) for v in flat[i]))
    if keepdims:
        s = s.reshape([1 if d in axes else a.shape[d] for d in range(a.ndim)])
    u = ROUNDOFF["float64" if a.dtype == np.float64 else "float32"]
    final = ROUNDOFF.get(a.dtype.name, 2.0**-24)
    largest = max(1e-30, float(np.max(np.abs(s.astype(np.complex128)), initial=0)))
    c.add("sum", {"axis": axis if np.ndim(axis) == 0 else list(axis), "keepdims": keepdims}, {"a": a}, [("out", s)],
          compare="close", tol=(2 * final, n * u * worst / largest), note=note)


def softmax(a, axis, precise=False, note=""):
    to = a.dtype if a.dtype.kind == "f" or a.dtype == BF16 else np.dtype(np.float32)
    flat, axes, kept = lines(a.astype(to), axis)
    y, far = np.zeros(flat.shape, to), 0.0
    for i in np.ndindex(*flat.shape[:-1]):
        x = [float(v) for v in flat[i]]
        m = max((v for v in x if v == v), default=-np.inf)
        if any(v != v for v in x) or np.isinf(m):
            y[i] = np.nan
            continue
        e = [mpmath.exp(mpmath.mpf(v) - m) if v != -np.inf else mpmath.mpf(0) for v in x]
        total = mpmath.fsum(e)
        y[i] = [np.asarray(float(v / total)).astype(to) for v in e]
        far = max([far] + [m - v for v, w in zip(x, y[i]) if w > 0])
    y = y.reshape([a.shape[d] for d in kept] + [a.shape[d] for d in axes])
    y = np.ascontiguousarray(np.transpose(y, np.argsort(kept + list(axes)))) if a.ndim else y.reshape(())
    u = ROUNDOFF["float64" if to.name == "float64" else "float32"]
    rtol = (2 * far + 20) * u + 2 * ROUNDOFF[to.name]  # an argument x - m is rounded, and so is everything after it
    c.add("softmax", {"axis": axis if np.ndim(axis) == 0 else list(axis), "precise": precise}, {"a": a}, [("out", y)],
          compare="close", tol=(rtol, {"float64": 1e-300, "float16": 6e-8}.get(to.name, 1e-37)), note=note)


for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    top = 2 if name == "bool" else np.iinfo(name).max
    integer_sum(rng.integers(0, top, (3, 5), dtype=np.int64 if name != "uint64" else np.uint64).astype(name), 0,
                note="output dtype; sums wrap")
integer_sum(np.full((2, 3), 200, np.uint8), None, note="beyond the range of the input")
for axis in [0, -1, [0, 2], [1], [0, 1, 2, 3], []]:
    integer_sum(rng.integers(-9, 9, (2, 1, 3, 2)).astype(np.int32), tuple(axis) if isinstance(axis, list) else axis,
                True)
for name in ["float16", "bfloat16", "float32", "float64"]:
    t = BF16 if name == "bfloat16" else np.dtype(name)
    real_sum(rng.standard_normal((4, 33)).astype(t), 1)
    real_sum(rng.standard_normal((33, 4)).astype(t), 0, True)
real_sum((rng.standard_normal(9) + 1j * rng.standard_normal(9)).astype(np.complex64), None)
real_sum(np.ones(4096, BF16), None, note="accumulated wider than bfloat16: 4096, not 256")
real_sum(np.tile(np.array([4096, 1, -4096], np.float16), 100), None, note="accumulated wider than float16: 100")
real_sum(np.zeros((0, 3), np.float32), 0, note="an empty line gives 0")
real_sum(np.asarray(2.5, np.float32), None, note="0-d")
three = np.zeros((2, 3), np.float32)
c.error("sum", {"axis": 2, "keepdims": False}, {"a": three}, error="out_of_range")
c.error("sum", {"axis": [0, 0], "keepdims": False}, {"a": three}, error="invalid_argument")

for axis in [-1, 0, None, [0, 2], [1, 2], [0, 1]]:
    softmax((4 * rng.standard_normal((3, 4, 5))).astype(np.float32), tuple(axis) if isinstance(axis, list) else axis)
for n in [1, 17, 129]:
    softmax((9 * rng.standard_normal((2, n))).astype(np.float32), -1)
softmax(rng.standard_normal((3, 7)).astype(np.float16), -1, True)
softmax(rng.standard_normal((3, 7)).astype(BF16), 0)
softmax((20 * rng.standard_normal((3, 7))).astype(np.float64), -1)
softmax(np.arange(6, dtype=np.int32).reshape(2, 3), 0, note="integers give float32 on every axis")
softmax(np.array([[True, False, True]]), -1)
softmax(np.zeros((1, 512), BF16), -1, note="each 1/512")
inf, nan = np.inf, np.nan
softmax(np.array([[-inf, -inf, -inf], [1, nan, 2], [1, inf, 2], [1, -inf, 2], [1e4, -1e4, 1e4]], np.float32), -1,
        note="NaN, NaN, NaN, an exact 0, far apart")
softmax(np.asarray(3.0, np.float32), None, note="0-d: 1")
softmax(np.zeros((0, 3), np.float32), -1, note="empty")
c.error("softmax", {"axis": 0, "precise": False}, {"a": np.asarray(1, np.float32)}, error="invalid_argument",
        note="0-d")
c.error("softmax", {"axis": 2, "precise": False}, {"a": three}, error="out_of_range")
c.save()
