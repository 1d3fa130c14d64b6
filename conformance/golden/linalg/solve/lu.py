"""Recorded LU factorisations: SciPy's LAPACK (getrf) on matrices without ties, and factors known by construction."""

import pathlib
import sys

import numpy as np
import scipy
import scipy.linalg

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("lu", source=f"scipy {scipy.__version__}, lapack.dgetrf")
rng = np.random.default_rng(131)


def factors(a):
    """Packed factors in double, sequential pivots, and the rows of L where those of A lie."""
    lu, pivots, info = scipy.linalg.lapack.dgetrf(a.astype(np.float64))
    assert info == 0
    p = np.arange(a.shape[0])
    for j in reversed(range(len(pivots))):
        p[[j, pivots[j]]] = p[[pivots[j], j]]
    return lu, pivots.astype(np.uint32), p.astype(np.uint32)


def add(a, note):
    flat = a.reshape(-1, *a.shape[-2:])
    m, n = a.shape[-2:]
    k, t = min(m, n), a.dtype
    made = [factors(x) for x in flat]
    cond = max(np.linalg.cond(x[:, :k].astype(np.float64)) for x in flat)
    tol = 8 * k * np.finfo(t).eps * cond
    batch = a.shape[:-2]
    packed = np.array([x[0] for x in made], t).reshape(a.shape)
    l = np.tril(packed[..., :k], -1) + np.eye(m, k, dtype=t)
    u = np.triu(packed[..., :k, :])
    p = np.array([x[2] for x in made]).reshape(*batch, m)
    pivots = np.array([x[1] for x in made]).reshape(*batch, k)
    c.add("lu", {}, {"a": a}, [("p", p), ("l", l), ("u", u)], compare="close", tol=[(0, 0), (tol, tol), (tol, tol)],
          note=note)
    c.add("lu_factor", {}, {"a": a}, [("lu", packed), ("pivots", pivots)], compare="close", tol=[(tol, tol), (0, 0)],
          note=note)


def cycle(n, shift, t):
    """Row i of A is e_(i - shift): A = L[p, :] U with L = U = I and p_i = i - shift."""
    a = np.roll(np.eye(n, dtype=t), shift, axis=0)
    p = (np.arange(n) - shift) % n
    pivots, rows = [], list(np.argmax(a, axis=1))
    for j in range(n):
        i = rows.index(j)
        pivots.append(i)
        rows[j], rows[i] = rows[i], rows[j]
    c.add("lu", {}, {"a": a}, [("p", p.astype(np.uint32)), ("l", np.eye(n, dtype=t)), ("u", np.eye(n, dtype=t))],
          note=f"a cycle of {n} rows tells p from its inverse", source="by construction")
    c.add("lu_factor", {}, {"a": a}, [("lu", np.eye(n, dtype=t)), ("pivots", np.array(pivots, np.uint32))],
          note=f"a cycle of {n} rows", source="by construction")


for t in (np.float32, np.float64):
    for m, n in ((1, 1), (3, 3), (2, 4), (5, 3), (9, 9), (17, 12)) + (((34, 34),) if t == np.float32 else ()):
        add(rng.standard_normal((m, n)).astype(t), f"{m} x {n}")
    add(rng.standard_normal((2, 3, 6, 6)).astype(t), "two leading axes")
    for n, shift in ((3, 1), (4, 1), (5, 2)):
        cycle(n, shift, t)
    zero = np.zeros((2, 2), t)
    c.add("lu", {}, {"a": zero}, [("p", np.arange(2, dtype=np.uint32)), ("l", np.eye(2, dtype=t)), ("u", zero)],
          note="zero pivots are no error", source="by construction")
    c.add("lu", {}, {"a": np.zeros((0, 3), t)}, [("p", np.zeros(0, np.uint32)), ("l", np.zeros((0, 0), t)),
                                                ("u", np.zeros((0, 3), t))], note="no rows", source="by construction")
c.error("lu", {}, {"a": np.eye(3, dtype=np.int32)}, note="whole numbers")
c.error("lu_factor", {}, {"a": np.zeros(3, np.float32)}, note="a vector")
c.save()
