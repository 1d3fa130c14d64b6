"""Recorded Hadamard transforms: MLX's matrices, SciPy's for powers of two, applied to exact rationals.
(pip install numpy scipy mlx ml_dtypes)"""

import math
import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mlx.core as mx
import numpy as np
import scipy
from scipy.linalg import hadamard

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
rng = np.random.default_rng(53)
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
MLX = f"mlx {mx.__version__} cpu"
c = Corpus("hadamard", source=f"scipy {scipy.__version__}, {MLX}, Python fractions")


def matrix(n):
    """H of order n: what MLX makes of unit vectors, in which m of 12, 20 and 28 come first."""
    m = next((m for m in (12, 20, 28) if n % m == 0 and (n // m) & (n // m - 1) == 0), 1)
    inner = hadamard(n // m)
    if m == 1:
        return inner
    outer = np.array(mx.hadamard_transform(mx.eye(m), scale=1.0)).T.astype(int)
    return np.kron(outer, inner)


def add(x, scale=None, note=""):
    n = x.shape[-1]
    h = matrix(n)
    out_type = x.dtype if x.dtype.kind == "f" or x.dtype == BF16 else np.dtype(np.float32)
    s = Fraction(float(1 / math.sqrt(n)) if scale is None else scale)
    exact = np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(x)
    out = np.vectorize(lambda v: float(s * v), otypes=[np.float64])(exact @ h.T.astype(object)).astype(out_type)
    size = float(s) * max(float(sum(map(abs, line))) for line in exact.reshape(-1, n))
    u = ROUNDOFF["float64" if out_type == np.float64 else "float32"]
    whole = scale == 1.0 and x.dtype.kind in "iub"
    c.add("hadamard_transform", {"scale": scale}, {"x": x}, [("out", out)], compare="exact" if whole else "close",
          tol=None if whole else (2 * ROUNDOFF[out_type.name], (math.log2(n) + 30) * u * abs(size)), note=note)


for n in (12, 20, 28):
    add(np.eye(n, dtype=np.int8), 1.0, note="the matrix itself, transposed")
for n in (1, 2, 4, 8, 16, 32, 64, 12, 24, 20, 40, 28, 56):
    add(rng.standard_normal((2, n)).astype(np.float32))
for t in ("float16", BF16, "float64"):
    add(rng.standard_normal((2, 24)).astype(t))
    add(rng.standard_normal((1, 32)).astype(t), 0.5)
for t in ("bool", "uint8", "int16", "int32", "uint64"):
    add(rng.integers(0, 2, (2, 16)).astype(t), 1.0, note="whole numbers give float32")
add(rng.standard_normal((2, 3, 4)).astype(np.float32), -3.0)
z = (rng.integers(-9, 9, (2, 20)) + 1j * rng.integers(-9, 9, (2, 20))).astype(np.complex64)
out = (z.astype(np.complex128) @ matrix(20).T).astype(np.complex64)
c.add("hadamard_transform", {"scale": 1.0}, {"x": z}, [("out", out)], note="whole parts: exact")
for n in (3, 6, 36, 240, 0):
    c.error("hadamard_transform", {"scale": None}, {"x": np.zeros((2, n), np.float32)}, source=MLX)
c.save()
