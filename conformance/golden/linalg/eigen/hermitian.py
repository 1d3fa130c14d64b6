"""Recorded eigenvalues of Hermitian matrices: SciPy's LAPACK in binary64, vectors too; mpmath with 40 digits for graded
spectra."""

import pathlib
import sys

import mpmath
import numpy as np
import scipy
import scipy.linalg

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 40
c = Corpus("hermitian", source=f"scipy {scipy.__version__}")
rng = np.random.default_rng(89)


def full(a, lower):
    """The matrix that a triangle stands for, in binary64."""
    wide = a.astype(np.complex128 if a.dtype == np.complex64 else np.float64)
    t = np.tril(wide) if lower else np.triu(wide).conj().swapaxes(-1, -2)
    d = np.einsum("...ii->...i", t).real
    low = t - np.einsum("...i,ij->...ij", np.einsum("...ii->...i", t), np.eye(a.shape[-1]))
    return low + low.conj().swapaxes(-1, -2) + np.einsum("...i,ij->...ij", d, np.eye(a.shape[-1]))


def add(a, lower=True, note="", digits=False):
    real = np.float64 if a.dtype == np.float64 else np.float32
    flat = full(a, lower).reshape(-1, *a.shape[-2:])
    if digits:
        exact = [mpmath.eigsy(mpmath.matrix(x.tolist()), eigvals_only=True) for x in flat]
        w = np.array([[float(x) for x in sorted(values)] for values in exact])
        v = np.array([scipy.linalg.eigh(x)[1] for x in flat])
    else:
        pairs = [scipy.linalg.eigh(x) for x in flat]
        w, v = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    w = w.reshape(a.shape[:-1]).astype(real)
    v = v.reshape(a.shape).astype(a.dtype)
    tol = (0.0, 64 * float(np.finfo(real).eps) * float(np.abs(w).max()))
    attrs = {"uplo": "L" if lower else "U"}
    source = f"mpmath {mpmath.__version__}, eigsy" if digits else None
    c.add("eigvalsh", attrs, {"a": a}, [("w", w)], compare="close", tol=tol, note=note, source=source)
    c.add("eigh", attrs, {"a": a}, [("w", w), ("v", v)], compare="invariant", tol=[tol, tol], note=note, check="eigh",
          source=source)


for t in (np.float32, np.float64, np.complex64):
    for n in (1, 2, 3, 9):
        a = rng.standard_normal((n, n))
        a = (a + 1j * rng.standard_normal((n, n)) if t == np.complex64 else a).astype(t)
        for lower in (True, False):
            b = a.copy()
            b[np.triu_indices(n, 1) if lower else np.tril_indices(n, -1)] = np.nan
            add(b, lower, "only the named triangle is read; the other holds NaN")
    add(rng.standard_normal((2, 3, 4, 4)).astype(t), note="batched")
    add(np.eye(5, dtype=t), note="one eigenvalue")
    add(np.ones((6, 6), t), note="rank one")
q = np.linalg.qr(rng.standard_normal((8, 8)))[0]
add((q * 4.0 ** -np.arange(8)) @ q.T, note="graded", digits=True)
add((q * (1 + 1e-9 * np.arange(8))) @ q.T, note="a cluster", digits=True)
h = rng.standard_normal((3, 3)).astype(np.complex64)
h[np.diag_indices(3)] += 5j
add(h, note="the imaginary part of the diagonal is not read")
add(np.array([[1, 999], [2, 3]], np.float32), note="from 2")
add(np.array([[1, 999], [2, 3]], np.float32), False, note="from 999")
for op, outs in (("eigh", ("w", "v")), ("eigvalsh", ("w",))):
    empty = [(o, np.zeros((0,) if o == "w" else (0, 0), np.float32)) for o in outs]
    c.add(op, {"uplo": "L"}, {"a": np.zeros((0, 0), np.float32)}, empty, note="empty", source="by hand")
    c.error(op, {"uplo": "L"}, {"a": np.zeros((2, 3), np.float32)}, note="not square")
    c.error(op, {"uplo": "L"}, {"a": np.eye(3, dtype=np.int32)}, note="integers")
    c.error(op, {"uplo": "l"}, {"a": np.eye(3, dtype=np.float32)}, note="neither L nor U")
    c.error(op, {"uplo": "L"}, {"a": np.full((2, 2), np.nan, np.float32)}, error="runtime_error", note="NaN")
c.save()
