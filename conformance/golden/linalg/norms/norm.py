"""Recorded norms: NumPy in binary64 (singular values by its LAPACK), extreme moduli by mpmath with 60 digits."""

import pathlib
import sys

import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
c = Corpus("norm", source=f"numpy {np.__version__}")
rng = np.random.default_rng(67)
INF = float("inf")


def named(order):
    return {INF: "inf", -INF: "-inf"}.get(order, order)


def add(x, order, axis, keepdims=False, note="", out=None, source=None, rtol=None):
    """Closeness: a few roundings of the result's own type, more where powers and singular values are in it."""
    wide = x.astype(np.complex128 if x.dtype == np.complex64 else np.float64)
    if out is None:
        axes = None if axis is None else axis[0] if len(axis) == 1 else tuple(axis)
        out = np.linalg.norm(wide, order, axes, keepdims)
    kind = x.dtype if x.dtype in (np.float16, np.float32, np.float64) else np.float32
    if x.dtype == np.complex64:
        matrix = axis is not None and len(axis) == 2 or axis is None and x.ndim == 2
        plain = order in (None, "fro", "nuc") or (order == 2 and not matrix)
        kind = np.float32 if plain else np.complex64
    eps = float(np.finfo(kind).eps)
    tol = (rtol or 8 * eps, 0.0)
    c.add("norm", {"ord": named(order), "axis": axis, "keepdims": keepdims}, {"a": x},
          [("norm", np.asarray(out).astype(kind))], compare="close", tol=tol, note=note, source=source)


for t in (np.float16, np.float32, np.float64, np.complex64, np.int32):
    x = (rng.standard_normal((5, 7)) * 4).astype(np.float64)
    x = (x + 1j * rng.standard_normal((5, 7))).astype(t) if t == np.complex64 else x.astype(t)
    for order in (None, 0, 1, 2, 3, 0.5, -1, INF, -INF):
        add(x, order, [1])
    for order in ("fro", 1, -1, INF, -INF):
        add(x, order, [0, 1], keepdims=order == 1)
        add(x, order, [1, 0])
    if t not in (np.float16, np.int32):
        for order in (2, -2, "nuc"):
            add(x, order, [0, 1], rtol=200 * float(np.finfo(t).eps), note="singular values")
add(rng.standard_normal((3, 4, 5)).astype(np.float32), 1, [2, 0], note="axes in the order given: rows first")


def exact_two(values):
    return float(mpmath.sqrt(sum(mpmath.mpf(float(v)) ** 2 for v in values)))


for t, sets in ((np.float32, ([3e20, 4e20], [3e-40, 4e-40], [3e38, 4e38], [1e-45, 0], [3e38, 1e-45])),
                (np.float64, ([3e200, 4e200], [3e-200, 4e-200], [3e-310, 4e-310], [1.5e308, 1.5e308], [1e300, 1e-300])),
                (np.float16, ([300, 400], [6e-8, 6e-8], [60000, 60000]))):
    for values in sets:
        x = np.array(values, t)
        eta = float(np.finfo(t).smallest_subnormal)
        with np.errstate(over="ignore"):
            out = np.array(exact_two(x), np.float64).astype(t)
        c.add("norm", {"ord": None, "axis": None, "keepdims": False}, {"a": x}, [("norm", out)], compare="close",
              tol=(4 * float(np.finfo(t).eps), eta), note="squares that leave the range",
              source=f"mpmath {mpmath.__version__}")
c.add("norm", {"ord": None, "axis": None, "keepdims": False}, {"a": np.array([50000, 0], np.int32)},
      [("norm", np.array(50000, np.float32))], note="whole numbers are not squared in their own type", source="by hand")
c.add("norm", {"ord": 1, "axis": None, "keepdims": False}, {"a": np.array([-128, 0], np.int8)},
      [("norm", np.array(128, np.float32))], note="the least i8 has a modulus", source="by hand")
c.add("norm", {"ord": 1, "axis": [0, 1], "keepdims": False}, {"a": np.zeros((0, 3), np.float32)},
      [("norm", np.array(0, np.float32))], note="sums of nothing", source="by hand")
for attrs, shape, note in (({"ord": "inf", "axis": None}, (0,), "no extreme of nothing"),
                           ({"ord": 1, "axis": None}, (2, 3, 4), "an order of three axes"),
                           ({"ord": 3, "axis": [0, 1]}, (2, 3), "no such norm of matrices"),
                           ({"ord": "fro", "axis": [0]}, (2, 3), "one of matrices")):
    c.error("norm", attrs | {"keepdims": False}, {"a": np.zeros(shape, np.float32)}, note=note)
c.error("norm", {"ord": 2, "axis": None, "keepdims": False}, {"a": np.eye(3, dtype=np.int32)}, note="integers")
c.save()
