"""Recorded cross products: NumPy, floats in binary64 rounded once, whole numbers modulo 2^bits."""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("cross", source=f"numpy {np.__version__}")
rng = np.random.default_rng(14)


def three(x, axis):
    """With the third component, 0 where there is none."""
    x = np.moveaxis(x, axis, -1)
    return x if x.shape[-1] == 3 else np.concatenate([x, np.zeros_like(x[..., :1])], -1)


def add(a, b, axis, kind, note=""):
    wide = {"c": np.complex128, "f": np.float64}.get(np.dtype(kind).kind, np.dtype(kind))
    out = np.moveaxis(np.cross(three(a.astype(wide), axis), three(b.astype(wide), axis)), -1, axis).astype(kind)
    exact = np.dtype(kind).kind in "iu"
    eps = 0 if exact else float(np.finfo(kind).eps)
    c.add("cross", {"axis": axis}, {"a": a, "b": b}, [("cross", out)], compare="exact" if exact else "close",
          tol=None if exact else (4 * eps, 4 * eps), note=note)


for t in (np.float16, np.float32, np.float64, np.complex64):
    a, b = rng.standard_normal((2, 4, 3))
    if t == np.complex64:
        a, b = a + 1j * rng.standard_normal((4, 3)), b + 1j * rng.standard_normal((4, 3))
    a, b = a.astype(t), b.astype(t)
    for m, n in ((3, 3), (3, 2), (2, 3), (2, 2)):
        add(a[:, :m], b[:, :n], -1, t, f"{m} components by {n}")
    add(a.T.copy(), b.T.copy(), 0, t, "the first axis")
for t in (np.int8, np.uint8, np.int32, np.uint64, np.int64):
    r = np.iinfo(t)
    a, b = (rng.integers(r.min, r.max, (5, 3), t, endpoint=True) for _ in range(2))
    with np.errstate(over="ignore"):
        add(a, b, -1, t, "wraps")
add(np.arange(6, dtype=np.float32).reshape(2, 1, 3), np.ones((1, 4, 3), np.float32), -1, np.float32, "broadcast")
add(np.arange(6, dtype=np.int32).reshape(2, 3), np.ones((2, 3), np.float32), 1, np.float32, "promoted")
c.error("cross", {"axis": -1}, {"a": np.zeros((2, 1), np.float32), "b": np.zeros((2, 3), np.float32)}, note="size 1")
c.error("cross", {"axis": 2}, {"a": np.zeros((2, 3), np.float32), "b": np.zeros((2, 3), np.float32)}, "out_of_range",
        note="no such axis")
c.error("cross", {"axis": -1}, {"a": np.zeros((2, 3), np.bool_), "b": np.zeros((2, 3), np.bool_)}, note="bool")
c.save()
