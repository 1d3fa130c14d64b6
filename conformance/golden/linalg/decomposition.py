"""Recorded factorisations: mpmath with 60 digits on the exact stored values; integer factors by construction."""

import pathlib
import sys

import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
c = Corpus("decomposition", source=f"mpmath {mpmath.__version__}, cholesky() with 60 digits")
rng = np.random.default_rng(8191)


def factor(a):
    """Lower factor of the matrix in the lower triangle of a."""
    n = a.shape[0]
    m = mpmath.matrix(n, n)
    for i in range(n):
        for j in range(i + 1):
            m[i, j] = m[j, i] = mpmath.mpf(float(a[i, j]))
    l = mpmath.cholesky(m) if n else m
    return np.array([[float(l[i, j]) if j <= i else 0.0 for j in range(n)] for i in range(n)], np.float64).reshape(n, n)


def spd(n, t, smallest):
    g = rng.standard_normal((n, n))
    return (g @ g.T / n + smallest * np.eye(n)).astype(t)


def add(a, upper, note=""):
    """Closeness: 4 n u cond, normwise, for a factor of order sqrt(||A||)."""
    flat = a.reshape(-1, *a.shape[-2:])
    whole = [np.tril(x.T if upper else x) for x in flat.astype(np.float64)]
    lower = [factor(x) for x in whole]
    worst = max((np.linalg.cond(x + np.tril(x, -1).T) for x in whole if x.size), default=1.0)
    tol = 4 * a.shape[-1] * np.finfo(a.dtype).eps / 2 * worst
    out = np.array([l.T if upper else l for l in lower], a.dtype).reshape(a.shape)
    c.add("cholesky", {"upper": upper}, {"a": a}, [("factor", out)], compare="close", tol=(tol, tol), note=note)


for t in (np.float32, np.float64):
    for upper in (False, True):
        for n in (1, 2, 3, 8, 17, 33):
            a = spd(n, t, 0.1)
            a[np.tril_indices(n, -1) if upper else np.triu_indices(n, 1)] = np.nan
            add(a, upper, "only the named triangle is read; the other holds NaN")
        add(np.stack([spd(5, t, 0.5) for _ in range(6)]).reshape(2, 3, 5, 5), upper, "batched")
    l = np.tril(rng.integers(-3, 4, (9, 9))).astype(t)
    np.fill_diagonal(l, rng.integers(1, 5, 9))
    c.add("cholesky", {"upper": False}, {"a": l @ l.T}, [("factor", l)], note="integer factor: no rounding anywhere",
          source="by construction")
    c.add("cholesky", {"upper": False}, {"a": np.zeros((0, 0), t)}, [("factor", np.zeros((0, 0), t))], note="empty")
    for bad, why in (([[1, 2], [2, 1]], "indefinite"), ([[1, 1], [1, 1]], "rank one"), ([[0.0]], "zero"),
                     ([[4, 2], [np.nan, 5]], "NaN in the named triangle")):
        c.error("cholesky", {"upper": False}, {"a": np.array(bad, t)}, error="runtime_error", note=why)
c.error("cholesky", {"upper": False}, {"a": np.eye(3, dtype=np.int32)}, note="integers")
c.error("cholesky", {"upper": False}, {"a": np.zeros((2, 3), np.float32)}, note="not square")
c.error("cholesky", {"upper": False}, {"a": np.zeros(3, np.float32)}, note="a vector")
c.save()
