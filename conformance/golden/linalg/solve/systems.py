"""Recorded solutions: mpmath with 60 digits on the exact stored values."""

import pathlib
import sys

import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
c = Corpus("systems", source=f"mpmath {mpmath.__version__}, lu_solve() with 60 digits")
rng = np.random.default_rng(727)


def exact(a):
    return mpmath.matrix([[mpmath.mpf(float(x)) for x in row] for row in a])


def solution(a, b):
    m = exact(a)
    columns = [mpmath.lu_solve(m, mpmath.matrix([mpmath.mpf(float(x)) for x in b[:, j]])) for j in range(b.shape[1])]
    return np.array([[float(x[i]) for x in columns] for i in range(a.shape[0])]).reshape(b.shape)


def add(op, attrs, a, b, of, note):
    """Closeness: 8 n u cond, normwise."""
    n = a.shape[-1]
    t = np.float64 if np.float64 in (a.dtype, b.dtype) else np.float32
    right = b.reshape(n, 1) if b.ndim == 1 else b
    batch = np.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(a, batch + a.shape[-2:]).reshape(-1, n, n).astype(np.float64)
    right = np.broadcast_to(right, batch + right.shape[-2:])
    k = right.shape[-1]
    whole = [of(x) for x in left]
    x = np.array([solution(w, r) for w, r in zip(whole, right.reshape(-1, n, k).astype(np.float64))])
    x = x.reshape(batch + ((n,) if b.ndim == 1 else (n, k))).astype(t)
    tol = 8 * n * np.finfo(t).eps * max(np.linalg.cond(w) for w in whole)
    c.add(op, attrs, {"a": a, "b": b}, [("x", x)], compare="close", tol=(tol, tol), note=note)


def matrix(shape, t):
    return (rng.standard_normal(shape) + 2 * np.eye(shape[-1])).astype(t)


def triangle(shape, t, upper):
    n = shape[-1]
    a = np.tril(rng.uniform(-1, 1, shape), -1) + np.eye(n) * rng.uniform(1, 2, shape)
    a = (np.swapaxes(a, -1, -2) if upper else a).astype(t)
    i, j = np.tril_indices(n, -1) if upper else np.triu_indices(n, 1)
    a[..., i, j] = np.nan
    return a


def right(shape, t):
    return rng.standard_normal(shape).astype(t)


for t in (np.float32, np.float64):
    for n, k in ((1, 1), (3, 2), (8, 1), (17, 3), (33, 2)):
        add("solve", {}, matrix((n, n), t), right((n, k), t), lambda x: x, f"{n} unknowns, {k} columns")
    add("solve", {}, matrix((5, 5), t), right(5, t), lambda x: x, "a vector")
    add("solve", {}, matrix((2, 3, 4, 4), t), right((1, 3, 4, 2), t), lambda x: x, "leading axes broadcast")
    add("solve", {}, matrix((1, 3, 3), t), right((4, 3, 1), t), lambda x: x, "one matrix for all")
    add("solve", {}, matrix((3, 3), t), np.array([[1, -2], [3, 4], [5, -6]], np.int32), lambda x: x, "whole numbers")
    a = np.roll(np.diag([1.0, 2.0, 4.0, 0.5]), 1, axis=0).astype(t)
    c.add("solve", {}, {"a": a, "b": np.array([1, 2, 3, 4], t)}, [("x", np.array([2, 1.5, 1, 2], t))],
          note="a cycle of 4 rows", source="by construction")
    for upper in (False, True):
        cut = (lambda x: np.triu(np.nan_to_num(x))) if upper else (lambda x: np.tril(np.nan_to_num(x)))
        note = "only the named triangle is read; the other holds NaN"
        for n, k in ((1, 1), (4, 3), (17, 2)):
            add("solve_triangular", {"upper": upper}, triangle((n, n), t, upper), right((n, k), t), cut, note)
        add("solve_triangular", {"upper": upper}, triangle((3, 4, 4), t, upper), right(4, t), cut,
            "one vector for every matrix of a batch, each by its triangle")
        add("solve_triangular", {"upper": upper}, triangle((4, 4), t, upper), right((3, 4, 2), t), cut,
            "one triangle for all")
        c.error("solve_triangular", {"upper": upper}, {"a": np.diag([1.0, 0.0]).astype(t), "b": np.ones(2, t)},
                error="runtime_error", note="a zero on the diagonal")
    c.error("solve", {}, {"a": np.ones((2, 2), t), "b": np.ones(2, t)}, error="runtime_error", note="singular")
    c.add("solve", {}, {"a": np.zeros((0, 0), t), "b": np.zeros((0, 2), t)}, [("x", np.zeros((0, 2), t))],
          note="no unknowns", source="by construction")
add("solve", {}, matrix((3, 3), np.float32), right((3, 2), np.float64), lambda x: x, "factored in the promoted type")
f = np.float32
c.error("solve", {}, {"a": np.ones((8, 4, 4), f), "b": np.ones((8, 4), f)}, note="b wants an axis: (8, 4, 1)")
c.error("solve", {}, {"a": np.ones((4, 4), f), "b": np.ones((3, 2), f)}, note="3 equations for 4 unknowns")
c.error("solve", {}, {"a": np.eye(2, dtype=np.int32), "b": np.ones(2, f)}, note="a matrix of whole numbers")
c.save()
