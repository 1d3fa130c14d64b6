"""Recorded inverses: mpmath with 60 digits on the exact stored values; whole-number inverses by construction."""

import pathlib
import sys

import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
c = Corpus("inverse", source=f"mpmath {mpmath.__version__}, inverse() with 60 digits")
rng = np.random.default_rng(313)


def inverse(a):
    n = a.shape[0]
    m = mpmath.matrix(n, n)
    for i in range(n):
        for j in range(n):
            m[i, j] = mpmath.mpf(float(a[i, j]))
    x = mpmath.inverse(m)
    return np.array([[float(x[i, j]) for j in range(n)] for i in range(n)]).reshape(n, n)


def add(op, attrs, a, of, note):
    """Closeness: 8 n u cond, normwise; `of` is the matrix that is inverted, in double."""
    flat = a.reshape(-1, *a.shape[-2:])
    whole = [of(x.astype(np.float64)) for x in flat]
    out = np.array([inverse(x) for x in whole], a.dtype).reshape(a.shape)
    tol = 8 * a.shape[-1] * np.finfo(a.dtype).eps * max(np.linalg.cond(x) for x in whole)
    c.add(op, attrs, {"a": a}, [("inv", out)], compare="close", tol=(tol, tol), note=note)


def matrix(n, t):
    return (rng.standard_normal((n, n)) + 2 * np.eye(n)).astype(t)


def triangle(n, t, upper):
    a = np.tril(rng.uniform(-1, 1, (n, n)), -1) + np.diag(rng.uniform(1, 2, n))
    a = (a.T if upper else a).astype(t)
    a[np.tril_indices(n, -1) if upper else np.triu_indices(n, 1)] = np.nan
    return a


for t in (np.float32, np.float64):
    for n in (1, 2, 3, 8, 17 if t == np.float64 else 33):
        add("inv", {}, matrix(n, t), lambda x: x, f"{n} x {n}")
    add("inv", {}, np.stack([matrix(4, t) for _ in range(6)]).reshape(2, 3, 4, 4), lambda x: x, "two leading axes")
    a = np.roll(np.diag([1.0, 2.0, 4.0, 0.5]), 1, axis=0).astype(t)
    c.add("inv", {}, {"a": a}, [("inv", np.roll(np.diag([1.0, 0.5, 0.25, 2.0]), 1, axis=1).astype(t))],
          note="a cycle of 4 rows", source="by construction")
    for upper in (False, True):
        cut = np.triu if upper else np.tril
        note = "only the named triangle is read; the other holds NaN"
        for n in (1, 2, 5, 12 if t == np.float64 else 33):
            a = triangle(n, t, upper)
            add("tri_inv", {"upper": upper}, a, lambda x: cut(np.nan_to_num(x)), note)
            if n < 33:
                gram = (lambda x: cut(np.nan_to_num(x)).T @ cut(np.nan_to_num(x))) if upper else (
                    lambda x: cut(np.nan_to_num(x)) @ cut(np.nan_to_num(x)).T)
                exact = t == np.float32  # products of f32 numbers are exact in double, and their sums nearly
                if exact:
                    add("cholesky_inv", {"upper": upper}, a, gram, note)
        batch = np.stack([triangle(4, t, upper) for _ in range(5)])
        add("tri_inv", {"upper": upper}, batch, lambda x: cut(np.nan_to_num(x)),
            "a batch keeps to the triangle: " + note)
        c.error("tri_inv", {"upper": upper}, {"a": np.diag([1.0, 0.0, 2.0]).astype(t)}, error="runtime_error",
                note="a zero on the diagonal")
        c.error("cholesky_inv", {"upper": upper}, {"a": np.diag([1.0, 2.0, 0.0]).astype(t)}, error="runtime_error",
                note="a zero on the diagonal")
    # A = [[4, 2], [2, 5]] = L L^T
    c.add("cholesky_inv", {"upper": False}, {"a": np.array([[2, 0], [1, 2]], t)},
          [("inv", np.array([[0.3125, -0.125], [-0.125, 0.25]], t))], note="dyadic", source="by construction")
    c.add("inv", {}, {"a": np.zeros((0, 0), t)}, [("inv", np.zeros((0, 0), t))], note="no rows",
          source="by construction")
    for bad, why in (([[1, 2], [2, 4]], "rank one"), ([[0.0]], "zero")):
        c.error("inv", {}, {"a": np.array(bad, t)}, error="runtime_error", note=why)
    c.error("inv", {}, {"a": np.stack([np.eye(2), np.zeros((2, 2))]).astype(t)}, error="runtime_error",
            note="one singular matrix refuses the batch")
c.error("inv", {}, {"a": np.zeros((2, 3), np.float32)}, note="not square")
c.error("tri_inv", {"upper": False}, {"a": np.eye(3, dtype=np.int32)}, note="whole numbers")
c.save()
