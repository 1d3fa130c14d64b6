"""Recorded products that are scaled and added to: numpy, in a type that is wide enough, rounded once. What is refused
was asked of mlx.
"""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

BF16 = ml_dtypes.bfloat16
ROUNDOFF = {np.dtype(np.float16): 2.0**-11, np.dtype(BF16): 2.0**-8, np.dtype(np.float64): 2.0**-53}

c = Corpus("addmm", source=f"numpy {np.__version__}")
rng = np.random.default_rng(43)


def whole(shape, dtype=np.float32, top=3):
    return rng.integers(-top, top + 1, shape).astype(dtype)


def real(shape, dtype=np.float32):
    x = rng.uniform(-1, 1, shape)
    return (x + 1j * rng.uniform(-1, 1, shape) if np.dtype(dtype) == np.complex64 else x).astype(dtype)


def wide(x):
    if x.dtype == np.complex64:
        return x.astype(np.complex128)
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def add(op, attrs, inputs, y, out, terms, note, size=1.0):
    """terms: of a sum that is not exact, each up to `size`; 0 where all is whole."""
    with np.errstate(all="ignore"):
        y = np.asarray(y).astype(out)
    inputs = {k: v for k, v in inputs.items() if v is not None}
    if terms == 0:
        return c.add(op, attrs, inputs, [("out", y)], note=note)
    u = ROUNDOFF.get(np.dtype(out), 2.0**-24)
    return c.add(op, attrs, inputs, [("out", y)], compare="close",
                 tol=(2 * u, 4 * size * terms * terms * min(u, 2.0**-24)), note=note)


def addmm(z, a, b, alpha, beta, terms=0, note=""):
    f = [float(np.float32(alpha)), float(np.float32(beta))]
    with np.errstate(all="ignore"):
        y = f[0] * np.matmul(wide(a), wide(b)) + (f[1] * wide(z) if beta != 0 else 0)
    return add("addmm", {"alpha": alpha, "beta": beta}, {"c": z, "a": a, "b": b}, y, a.dtype, terms, note,
               size=abs(alpha) + abs(beta))


addmm(whole((3, 4)), whole((3, 5)), whole((5, 4)), 2.0, -1.0, note="by whole numbers")
addmm(whole(4), whole((2, 3, 5)), whole((5, 4)), 1.0, 1.0, note="a row for all")
addmm(whole((3, 1)), whole((3, 5)), whole((5, 4)), 1.0, 3.0, note="a column for all")
addmm(whole(()), whole(5), whole(5), 1.0, 2.0, note="two vectors")
addmm(whole((3, 4)), whole((3, 0)), whole((0, 4)), 1.0, 0.5, note="nothing to add up")
addmm(np.full((3, 4), np.nan, np.float32), whole((3, 5)), whole((5, 4)), 1.0, 0.0, note="c is not read")
addmm(np.full((1, 2), 2, np.float16), np.full((1, 512), 100, np.float16), np.full((512, 2), 2, np.float16), 0.125, 1.0,
      note="the sum is scaled before it is rounded to f16")
for t in (np.float16, BF16, np.float32, np.float64, np.complex64):
    addmm(real((3, 4), t), real((3, 17), t), real((17, 4), t), 0.3, -0.7, terms=20, note="factors rounded to f32")
c.error("addmm", {"alpha": 1.0, "beta": 1.0}, {"c": whole((2, 3, 4)), "a": whole((3, 5)), "b": whole((5, 4))},
        note="c would enlarge the result")
c.error("addmm", {"alpha": 1.0, "beta": 1.0}, {"c": whole(1), "a": whole(5), "b": whole(5)}, note="by an axis")
c.error("addmm", {"alpha": 1.0, "beta": 1.0},
        {"c": whole((3, 4), np.int32), "a": whole((3, 5), np.int32), "b": whole((5, 4), np.int32)},
        note="whole numbers")

c.save()
