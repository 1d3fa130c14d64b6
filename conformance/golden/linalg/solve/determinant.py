"""Recorded determinants: mpmath with 60 digits on the exact stored values."""

import math
import pathlib
import sys

import ml_dtypes
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
c = Corpus("determinant", source=f"mpmath {mpmath.__version__}, det() with 60 digits")
rng = np.random.default_rng(919)


def add(a, note, tol=None):
    n, t = a.shape[-1], a.dtype
    out = t if t.name in ("float16", "bfloat16", "float64") else np.dtype(np.float32)
    flat = a.reshape(-1, n, n)
    values = [mpmath.det(mpmath.matrix([[mpmath.mpf(float(x)) for x in row] for row in m])) for m in flat]
    sign = np.array([float(mpmath.sign(v)) for v in values], out).reshape(a.shape[:-2])
    logs = np.array([float(mpmath.log(abs(v))) if v else -math.inf for v in values], out).reshape(a.shape[:-2])
    with np.errstate(over="ignore"):
        det = np.array([float(v) for v in values]).astype(out).reshape(a.shape[:-2])
    work = np.finfo(np.float64 if out == np.float64 else np.float32).eps
    cond = max(np.linalg.cond(m.astype(np.float64)) for m in flat)
    unit = float(ml_dtypes.finfo(out).eps)
    tol = tol if tol is not None else 8 * n * n * work * cond + unit
    if math.isfinite(tol):
        c.add("det", {}, {"a": a}, [("det", det)], compare="close", tol=(tol, 0), note=note)
        c.add("slogdet", {}, {"a": a}, [("sign", sign), ("logabsdet", logs)], compare="close",
              tol=[(0, 0), (unit, tol)], note=note)


def matrix(shape, t):
    return (rng.standard_normal(shape) + 2 * np.eye(shape[-1])).astype(t)


for t in (np.float32, np.float64):
    for n in (1, 2, 3, 4, 8, 17, 33):
        add(matrix((n, n), t), f"{n} x {n}")
    add(matrix((2, 3, 5, 5), t), "two leading axes")
    for n, shift in ((3, 1), (4, 1), (5, 2), (6, 1)):
        add(np.roll(np.diag(np.arange(1.0, n + 1)), shift, axis=0).astype(t), f"a cycle of {n} rows", tol=4e-7)
    for n in (2, 3, 4):
        big = (np.eye(n) * (1e20 if t == np.float32 else 1e160)).astype(t)
        add(big, "the determinant overflows, its logarithm does not")
        add((1 / big.diagonal() * np.eye(n)).astype(t), "the determinant underflows, its logarithm does not")
        c.add("det", {}, {"a": np.ones((n, n), t)}, [("det", np.zeros((), t))], note="rank one",
              source="by construction")
        c.add("slogdet", {}, {"a": np.ones((n, n), t)},
              [("sign", np.zeros((), t)), ("logabsdet", np.full((), -np.inf, t))], note="rank one",
              source="by construction")
    c.add("det", {}, {"a": np.zeros((3, 0, 0), t)}, [("det", np.ones(3, t))], note="of no rows it is 1",
          source="by construction")
for t in (np.float16, ml_dtypes.bfloat16):
    for n in (2, 3, 5):
        add((2 * np.eye(n) + rng.uniform(-1, 1, (n, n)) / n).astype(t), "halves, computed in f32")
for t in (np.int32, np.uint8, np.int64):
    add(np.array([[2, 0, 1], [1, 3, 2], [1, 1, 4]], t), "whole numbers, f32 out")
c.error("det", {}, {"a": np.zeros((2, 3), np.float32)}, note="not square")
c.error("slogdet", {}, {"a": np.eye(2, dtype=np.complex64)}, note="complex numbers")
c.save()
