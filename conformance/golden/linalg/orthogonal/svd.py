"""Recorded singular values and vectors: SciPy's LAPACK (gesvd) in the type itself, judged by the product; values and
pseudo-inverses by mpmath with 60 digits on the exact stored elements. (pip install scipy mpmath)"""

import pathlib
import sys

import mpmath
import numpy as np
import scipy
import scipy.linalg

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
c = Corpus("svd", source=f"scipy {scipy.__version__}, linalg.svd(lapack_driver='gesvd')")
EXACT = f"mpmath {mpmath.__version__}, svd_r and svd_c with 60 digits"
rng = np.random.default_rng(4211)


def real_of(t):
    return np.float32 if t is np.complex64 else t


def exact_svd(a):
    m = mpmath.matrix(a.tolist())
    return mpmath.svd_c(m) if np.iscomplexobj(a) else mpmath.svd_r(m)


def exact_values(a):
    return sorted((float(x) for x in exact_svd(a)[1]), reverse=True)


def exact_inverse(a, eps):
    u, s, v = exact_svd(a)
    cutoff = 10 * max(a.shape) * eps * max(s)
    out = mpmath.matrix(a.shape[1], a.shape[0])
    for k in range(len(s)):
        if s[k] > cutoff:
            for i in range(a.shape[1]):
                for j in range(a.shape[0]):
                    out[i, j] += v[k, i] * u[j, k] / s[k]
    return np.array(out.tolist(), np.float64).reshape(a.shape[1], a.shape[0])


def add_vectors(a, note):
    t, size = a.dtype.type, max(a.shape)
    flat = [scipy.linalg.svd(x, lapack_driver="gesvd") for x in a.reshape(-1, *a.shape[-2:])]
    m, n = a.shape[-2:]
    u = np.array([x[0] for x in flat], t).reshape(*a.shape[:-2], m, m)
    s = np.array([x[1] for x in flat], real_of(t)).reshape(*a.shape[:-2], min(m, n))
    vt = np.array([x[2] for x in flat], t).reshape(*a.shape[:-2], n, n)
    tol = 100 * size * np.finfo(real_of(t)).eps
    top = float(s.max())
    c.add("svd", {"compute_uv": True}, {"a": a}, [("u", u), ("s", s), ("vt", vt)], compare="invariant", check="svd",
          tol=[(0, tol), (0, tol * top), (0, tol)], note=note)


def add_values(a, note):
    t = a.dtype.type
    flat = [exact_values(x) for x in a.reshape(-1, *a.shape[-2:])]
    s = np.array(flat, real_of(t)).reshape(*a.shape[:-2], min(a.shape[-2:]))
    tol = 8 * max(a.shape[-2:]) * np.finfo(real_of(t)).eps * float(s.max())
    c.add("svd", {"compute_uv": False}, {"a": a}, [("s", s)], compare="close", tol=(0, tol), note=note, source=EXACT)


def add_inverse(a, note):
    t = a.dtype.type
    eps = np.finfo(t).eps
    flat = [exact_inverse(x, eps) for x in a.reshape(-1, *a.shape[-2:])]
    p = np.array(flat, t).reshape(*a.shape[:-2], a.shape[-1], a.shape[-2])
    norm = max(float(np.linalg.norm(x.astype(np.float64), 2)) for x in a.reshape(-1, *a.shape[-2:]))
    back = max(float(np.linalg.norm(x, 2)) for x in flat)
    tol = 8 * max(a.shape[-2:]) * eps * norm * back * back
    c.add("pinv", {}, {"a": a}, [("pinv", p)], compare="close", tol=(0, tol), note=note, source=EXACT)


def random(shape, t):
    a = rng.standard_normal(shape)
    return (a + 1j * rng.standard_normal(shape)).astype(t) if t is np.complex64 else a.astype(t)


def with_values(m, n, values, t):
    u, v = np.linalg.qr(rng.standard_normal((m, m)))[0], np.linalg.qr(rng.standard_normal((n, n)))[0]
    d = np.zeros((m, n))
    np.fill_diagonal(d, values)
    return (u @ d @ v.T).astype(t)


for t in (np.float32, np.float64, np.complex64):
    for m, n in ((1, 1), (3, 3), (6, 4), (4, 6), (1, 5)):
        a = random((m, n), t)
        add_vectors(a, "random")
        add_values(a, "random")
    add_vectors(random((17, 9), t), "random")
    add_vectors(random((2, 3, 4, 3), t), "batched")
    add_values(random((2, 3, 3, 4), t), "batched")
    add_values(-2 * (np.eye(3) + np.ones((3, 3))).astype(t), "a repeated value: 8, 2, 2")
    for shape, u, v in (((0, 3), 0, 3), ((3, 0), 3, 0), ((2, 0, 3), 0, 3)):
        batch = shape[:-2]
        eye = [np.broadcast_to(np.eye(k, dtype=t), (*batch, k, k)).copy() for k in (u, v)]
        c.add("svd", {"compute_uv": True}, {"a": np.zeros(shape, t)},
              [("u", eye[0]), ("s", np.zeros((*batch, 0), real_of(t))), ("vt", eye[1])],
              note="no elements", source="by hand")
    c.add("svd", {"compute_uv": False}, {"a": np.zeros((3, 4), t)}, [("s", np.zeros(3, real_of(t)))], note="zeros",
          source="by hand")
    for bad in (np.nan, np.inf):
        for vectors in (True, False):
            a = np.eye(3, dtype=t)
            a[1, 2] = bad
            c.error("svd", {"compute_uv": vectors}, {"a": a}, error="runtime_error", note="not finite")
for t in (np.float32, np.float64):
    add_vectors(with_values(7, 7, [1, 1, 1, 0.5, 0.5, 1e-3, 1e-3], t), "clusters")
    add_values(with_values(7, 5, [1, 1e-1, 1e-2, 1e-3, 1e-5], t), "graded")
    edge = 2.0 ** (100 if t is np.float32 else 1000)
    for s in (edge, 1 / edge):
        add_values((random((4, 3), t) * t(s)), "near an end of the range")
    for m, n in ((1, 1), (3, 3), (5, 3), (3, 5)):
        add_inverse(random((m, n), t), "random")
    add_inverse((rng.integers(-3, 4, (6, 2)) @ rng.integers(-3, 4, (2, 5))).astype(t), "rank two, of whole numbers")
    add_inverse(random((2, 3, 3, 2), t), "batched")
    c.add("pinv", {}, {"a": np.array([[4, 1], [4, 1]], t)},
          [("pinv", np.array([[4, 4], [1, 1]], t) / t(34))], compare="close", tol=(0, 8 * np.finfo(t).eps),
          note="rank one", source="by hand")
    c.add("pinv", {}, {"a": np.zeros((2, 3), t)}, [("pinv", np.zeros((3, 2), t))], note="zeros", source="by hand")
    c.add("pinv", {}, {"a": np.zeros((2, 0, 3), t)}, [("pinv", np.zeros((2, 3, 0), t))],
          note="no elements", source="by hand")
    c.error("pinv", {}, {"a": np.array([[1, np.nan], [2, 3]], t)}, error="runtime_error", note="not finite")
for t in (np.float16, np.int32):
    c.error("svd", {"compute_uv": True}, {"a": np.eye(3, dtype=t)}, note="a type that is not taken")
for t in (np.float16, np.int32, np.complex64):
    c.error("pinv", {}, {"a": np.eye(3, dtype=t)}, note="a type that is not taken")
c.error("svd", {"compute_uv": True}, {"a": np.zeros(3, np.float32)}, note="a vector")
c.save()
