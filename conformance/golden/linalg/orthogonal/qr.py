"""Recorded QR factorisations: SciPy's LAPACK (geqrf, orgqr), judged by Q R and Q^T Q. (pip install scipy)"""

import pathlib
import sys

import numpy as np
import scipy
import scipy.linalg

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("qr", source=f"scipy {scipy.__version__}, linalg.qr(mode='economic')")
rng = np.random.default_rng(811)


def factors(a):
    q, r = scipy.linalg.qr(a, mode="economic")
    return q.astype(a.dtype), np.triu(r).astype(a.dtype)


def add(a, note):
    flat = [factors(x) for x in a.reshape(-1, *a.shape[-2:])]
    k = min(a.shape[-2:])
    q = np.array([x[0] for x in flat], a.dtype).reshape(*a.shape[:-1], k)
    r = np.array([x[1] for x in flat], a.dtype).reshape(*a.shape[:-2], k, a.shape[-1])
    size = max(a.shape)
    tol = [(0, 100 * size * np.finfo(a.dtype).eps), (0, 100 * size * np.finfo(a.dtype).eps * float(np.abs(a).max()))]
    c.add("qr", {}, {"a": a}, [("q", q), ("r", r)], compare="invariant", check="qr", tol=tol, note=note)


def hilbert(m, n):
    return 1 / (np.arange(m)[:, None] + np.arange(n)[None, :] + 1)


for t in (np.float32, np.float64):
    for m, n in ((1, 1), (4, 4), (7, 3), (3, 7), (33, 20), (20, 33)):
        add(rng.standard_normal((m, n)).astype(t), "random")
    add(rng.standard_normal((2, 3, 5, 4)).astype(t), "batched")
    add(hilbert(9, 9).astype(t), "Hilbert")
    add((rng.standard_normal((8, 2)) @ rng.standard_normal((2, 6))).astype(t), "rank two")
    add(rng.standard_normal((6, 6)).astype(t) * np.logspace(-12, 12, 6).astype(t), "graded columns")
    edge = 2.0 ** (100 if t is np.float32 else 1000)
    for s in (edge, 1 / edge):
        add((rng.standard_normal((5, 4)) * s).astype(t), "near an end of the range")
    exact = [(np.eye(3), np.eye(3), np.eye(3)), (np.zeros((3, 2)), np.eye(3)[:, :2], np.zeros((2, 2))),
             ([[1, 2], [0, -3]], np.eye(2), [[1, 2], [0, -3]]), ([[-2]], [[1]], [[-2]]),
             ([[0], [1]], [[0], [-1]], [[-1]]), ([[-0.0], [1]], [[0], [1]], [[1]]),
             ([[-3, 1], [4, 7]], [[-0.6, 0.8], [0.8, 0.6]], [[5, 5], [0, 5]])]
    for a, q, r in exact:
        loose = max(np.finfo(t).eps * 40, 0) if np.any(np.asarray(q) % 1) else None
        c.add("qr", {}, {"a": np.array(a, t)}, [("q", np.array(q, t)), ("r", np.array(r, t))],
              compare="close" if loose else "exact", tol=(loose, loose) if loose else None,
              note="the sign of LAPACK's reflectors", source="by hand")
    for shape in ((0, 0), (5, 0), (0, 5), (2, 0, 3)):
        k = min(shape[-2:])
        c.add("qr", {}, {"a": np.zeros(shape, t)},
              [("q", np.zeros((*shape[:-1], k), t)), ("r", np.zeros((*shape[:-2], k, shape[-1]), t))],
              note="no elements", source="by hand")
for t in (np.float16, np.int32, np.complex64):
    c.error("qr", {}, {"a": np.eye(3, dtype=t)}, note="a type that is not taken")
c.error("qr", {}, {"a": np.zeros(3, np.float32)}, note="a vector")
c.save()
