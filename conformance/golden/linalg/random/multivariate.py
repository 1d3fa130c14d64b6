"""Recorded vectors of normal numbers with given covariances: exact uniform numbers from MLX, their quantiles and the
roots of covariances from mpmath with 40 digits, and MLX's own draws held against both."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
mpmath.mp.dps = 40
c = Corpus("multivariate", source=f"mpmath {mpmath.__version__} on uniform numbers of mlx {mx.__version__}")
rng = np.random.default_rng(29)
LOW = -(1 - 2.0**-24)
KEYS = [(0, 0), (0, 1), (0, 42), (0xFFFFFFFF, 0xFFFFFFFF), (0x9E3779B9, 0x12345678)]


def normal(shape, key):
    """The quantiles of MLX's uniform numbers, by Newton's method in mpmath."""
    u = np.array(mx.random.uniform(LOW, 1, shape, mx.float32, mx.array(key))).astype(np.float64)
    z = [float(mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf(float(x)))) for x in u.ravel()]
    return np.array(z, np.float64).reshape(shape)


def root(cov):
    """U sqrt(S) V^T of each matrix."""
    out = np.zeros(cov.shape, np.float64)
    for i in np.ndindex(cov.shape[:-2]):
        n = cov.shape[-1]
        u, s, vt = mpmath.svd_r(mpmath.matrix(cov[i].astype(np.float64).tolist())) if n else ([], [], [])
        for j in range(n):
            for k in range(n):
                out[i][j, k] = float(mpmath.fsum(u[j, m] * mpmath.sqrt(abs(s[m])) * vt[m, k] for m in range(n)))
    return out


def add(mean, cov, shape, i, note=""):
    key = np.array(KEYS[i % len(KEYS)], np.uint32)
    mean, cov = np.asarray(mean), np.asarray(cov)
    m, a = mean.astype(np.float32), cov.astype(np.float32)
    full = np.broadcast_shapes(m.shape[:-1], a.shape[:-2], shape) + (m.shape[-1],)
    r, z = root(a), normal(full, key)
    exact = m + np.einsum("...i,...ij->...j", z, np.broadcast_to(r, full[:-1] + r.shape[-2:]))
    n = m.shape[-1]
    largest = float(np.abs(r).sum(-2).max(initial=0.0)) * 6 + float(np.abs(m).max(initial=0.0))
    # n + 1 products and sums in binary32 and a quantile of 16 ulps; half as many digits where the rank is not full
    values = np.linalg.svd(a.astype(np.float64), compute_uv=False) if a.size else np.ones(1)
    low = values.min(initial=1.0) < 1e-5 * values.max(initial=1.0)
    error = (n + 20) * 2.0**-23 * largest
    mlx = mx.random.multivariate_normal(mx.array(m), mx.array(a), shape, key=mx.array(key))
    assert mlx.shape == full, (mlx.shape, full)
    assert np.all(np.abs(np.array(mlx) - exact) <= (2e-3 * largest if low else 8 * error)), (n, note)
    c.add("multivariate_normal", {"shape": list(shape), "dtype": "F32"}, {"mean": mean, "cov": cov, "key": key},
          [("out", exact.astype(np.float32))], compare="close", tol=(0.0, error), note=note)


def spd(*shape):
    g = rng.standard_normal(shape)
    return (g @ np.swapaxes(g, -1, -2) + 0.1 * np.eye(shape[-1])).astype(np.float32)


add([1.0], [[4.0]], (), 0, "one number: 1 + 2 z")
add([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], (3,), 1, "normal numbers themselves")
add([1.0, -2.0], [[2.0, 1.0], [1.0, 2.0]], (5,), 2, "a root that is not diagonal")
for i, n in enumerate((3, 4, 5, 8, 13)):
    add(rng.standard_normal(n).astype(np.float32), spd(n, n), ((), (4,), (2, 3))[i % 3], i)
add(rng.standard_normal((4, 1, 2)).astype(np.float32), spd(3, 2, 2), (), 3, "means and covariances broadcast")
add(np.zeros(3, np.float32), spd(2, 3, 3), (4, 1), 4, "and the shape with them")
add([0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]], (3,), 1, "no variance")
add([1.0, 2.0, 3.0], np.ones((3, 3), np.float32), (6,), 2, "rank 1")
add([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], (6,), 3, "indefinite: the root of a negative value is negative")
add([0.0, 0.0, 0.0], rng.standard_normal((3, 3)).astype(np.float32), (6,), 0, "not symmetric")
add(np.array([1, 2], np.int32), np.array([[4, 1], [1, 3]], np.int64), (3,), 1, "whole numbers")
add(np.array([1, 2], np.float16), np.array([[4, 1], [1, 3]], ml_dtypes.bfloat16), (3,), 1, "halves")
add(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), (0,), 0, "nothing drawn")
c.error("multivariate_normal", {"shape": [2], "dtype": "F16"},
        {"mean": np.zeros(2, np.float32), "cov": np.eye(2, dtype=np.float32), "key": np.zeros(2, np.uint32)})
c.error("multivariate_normal", {"shape": [2], "dtype": "F32"},
        {"mean": np.zeros(3, np.float32), "cov": np.eye(2, dtype=np.float32), "key": np.zeros(2, np.uint32)})
c.error("multivariate_normal", {"shape": [2], "dtype": "F32"},
        {"mean": np.zeros(2, np.float32), "cov": np.zeros((2, 3), np.float32), "key": np.zeros(2, np.uint32)})
c.save()
