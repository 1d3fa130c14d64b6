"""Recorded eigenvalues and eigenvectors of general matrices: SciPy's LAPACK in binary64."""

import pathlib
import sys

import numpy as np
import scipy
import scipy.linalg

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("general", source=f"scipy {scipy.__version__}")
rng = np.random.default_rng(4)


def add(a, note=""):
    flat = a.reshape(-1, *a.shape[-2:])
    pairs = [scipy.linalg.eig(x.astype(np.complex128 if a.dtype == np.complex64 else np.float64)) for x in flat]
    w = np.array([p[0] for p in pairs]).reshape(a.shape[:-1]).astype(np.complex64)
    v = np.array([p[1] for p in pairs]).reshape(a.shape).astype(np.complex64)
    both = [(1e-5, 1e-5)] * 2
    c.add("eig", {}, {"a": a}, [("w", w), ("v", v)], compare="invariant", tol=both, check="eig", note=note)
    c.add("eigvals", {}, {"a": a}, [("w", w)], compare="invariant", tol=[(1e-5, 1e-5)], check="multiset", note=note)


for t in (np.float32, np.float64, np.complex64):
    for n in (1, 2, 3, 8, 13):
        a = rng.standard_normal((n, n))
        add((a + 1j * rng.standard_normal((n, n)) if t == np.complex64 else a).astype(t), "right eigenvectors")
    add(rng.standard_normal((2, 3, 4, 4)).astype(t), "batched")
    add(np.roll(np.eye(6), 1, 0).astype(t), "the companion of x^6 - 1")
    add(np.array([[1, 1], [0, 1]], t), "defective")
    add(np.array([[1, -1], [1, 1]], t), "1 + i and 1 - i")
    add(np.triu(rng.standard_normal((5, 5))).astype(t), "triangular")
add(np.array([[1, 1j], [0.5, -2]], np.complex64) * (2 - 1j), "eigenvectors that are no multiples of real ones")
for op, outs in (("eig", ("w", "v")), ("eigvals", ("w",))):
    empty = [(o, np.zeros((0,) if o == "w" else (0, 0), np.complex64)) for o in outs]
    c.add(op, {}, {"a": np.zeros((0, 0), np.float64)}, empty, note="empty", source="by hand")
    c.error(op, {}, {"a": np.zeros((2, 3), np.float32)}, note="not square")
    c.error(op, {}, {"a": np.eye(3, dtype=np.int32)}, note="integers")
    c.error(op, {}, {"a": np.full((2, 2), np.inf, np.float32)}, error="runtime_error", note="infinities")
c.save()
