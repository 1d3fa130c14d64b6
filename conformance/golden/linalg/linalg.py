"""Recorded cases of the dense products.

Values come from numpy: sums in binary64 (longdouble for binary64 results), rounded once to the result's type.
Integer-valued and dyadic data is recorded as exact; for the rest the tolerance is that of n roundings in
binary32 on sums of magnitude at most n. Result types of mixed operands come from mlx.
"""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

SOURCE = f"numpy {np.__version__}"
MLX = f"numpy {np.__version__}, result type from mlx {mx.__version__} cpu"
BF16 = ml_dtypes.bfloat16
TO_MLX = {"bool": mx.bool_, "int8": mx.int8, "uint8": mx.uint8, "int32": mx.int32, "uint64": mx.uint64,
          "float16": mx.float16, "bfloat16": mx.bfloat16, "float32": mx.float32, "float64": mx.float64,
          "complex64": mx.complex64}
FROM_MLX = {str(v): k for k, v in TO_MLX.items()}

c = Corpus("linalg", source=SOURCE)
rng = np.random.default_rng(20)


def integers(shape, dtype=np.float32, top=3):
    if dtype == np.complex64:
        return (rng.integers(-top, top + 1, shape) + 1j * rng.integers(-top, top + 1, shape)).astype(dtype)
    if np.dtype(dtype).kind in "bu":
        return rng.integers(0, 2 if dtype == bool else top + 1, shape).astype(dtype)
    return rng.integers(-top, top + 1, shape).astype(dtype)


def uniform(shape, dtype=np.float32):
    x = rng.uniform(-1, 1, shape)
    if dtype == np.complex64:
        x = x + 1j * rng.uniform(-1, 1, shape)
    return x.astype(dtype)


def product(a, b, dtype):
    """numpy's matmul in a type wide enough to be exact or nearly so, rounded once."""
    dtype = np.dtype(dtype)
    wide = np.complex128 if dtype == np.complex64 else np.longdouble if dtype == np.float64 else np.float64
    with np.errstate(all="ignore"):
        return np.asarray(np.matmul(a.astype(wide), b.astype(wide))).astype(dtype)


def exact(a, b, dtype=None, note="", source=None):
    dtype = dtype or a.dtype
    c.add("matmul", {}, {"a": a, "b": b}, [("out", product(a, b, dtype))], note=note, source=source)


def close(a, b, roundoff, note=""):
    k = a.shape[-1] * (2 if a.dtype == np.complex64 else 1)
    c.add("matmul", {}, {"a": a, "b": b}, [("out", product(a, b, a.dtype))], compare="close",
          tol=(2 * roundoff, 2 * k * k * min(roundoff, 2.0**-24)), note=note)


def mixed(left, right):
    a, b = integers((5, 6), left), integers((6, 4), right)
    one = [mx.zeros((1, 1), TO_MLX[np.dtype(t).name]) for t in (left, right)]
    name = FROM_MLX[str(mx.matmul(*one).dtype)]
    exact(a, b, BF16 if name == "bfloat16" else name, note=f"{left.__name__} with {right.__name__}", source=MLX)


for a, b in [((5,), (5,)), ((5,), (5, 3)), ((3, 5), (5,)), ((5,), (2, 5, 3)), ((2, 3, 5), (5,)),
             ((2, 1, 3, 5), (4, 5, 2)), ((3, 0), (0, 4)), ((0, 3), (3, 4)), ((2, 0, 3), (3, 4)), ((7, 33), (33, 17))]:
    exact(integers(a), integers(b), note=f"{list(a)} by {list(b)}")
for dtype in (np.float16, BF16, np.float64, np.complex64):
    exact(integers((9, 20), dtype), integers((20, 18), dtype), note="small integers")
for dtype, u in ((np.float16, 2.0**-11), (BF16, 2.0**-8), (np.float32, 2.0**-24), (np.float64, 2.0**-53),
                 (np.complex64, 2.0**-24)):
    close(uniform((15, 40), dtype), uniform((40, 21), dtype), u, note="uniform")
close(uniform((3, 300)), uniform((300, 5)), 2.0**-24, note="a longer sum")

exact(np.ones((1, 4100), np.float16), np.ones((4100, 1), np.float16), note="f16 sums pass 2048 in f32")
exact(np.ones((1, 4096), BF16), np.ones((4096, 1), BF16), note="bf16 sums pass 256 in f32")
exact(np.full((1, 1024), 8, np.float16), np.full((1024, 1), 8, np.float16), note="65536 overflows f16")
exact(np.array([[2.0**11, 1, -(2.0**11)]], np.float16), np.array([[2.0**11], [1], [2.0**11]], np.float16),
      note="a residue of 1 beside 2^22")

for left, right in ((np.int32, np.float16), (bool, np.float32), (np.float16, BF16), (np.uint8, BF16),
                    (np.uint64, np.int8), (np.float32, np.complex64), (np.int8, np.float64)):
    mixed(left, right)

inf = np.float32(np.inf)
exact(np.array([[0, 1], [inf, 1], [np.nan, 0]], np.float32), np.array([[inf, 2], [1, 0]], np.float32),
      note="0 times inf is NaN; inf and NaN spread along their row or column only")

for a, b, note in [(integers((2, 3), np.int32), integers((3, 2), np.int32), "an integer product"),
                   (integers((2, 2), bool), integers((2, 2), bool), "a product of booleans"),
                   (integers(()), integers((2, 2)), "a scalar on the left"),
                   (integers((2, 2)), integers(()), "a scalar on the right"),
                   (integers((2, 3)), integers((2, 3)), "inner sizes 3 and 2"),
                   (integers((3, 1)), integers((2, 4)), "an inner size of 1 does not broadcast"),
                   (integers((2, 3, 4)), integers((3, 4, 5)), "batches of 2 and 3")]:
    c.error("matmul", {}, {"a": a, "b": b}, note=note)

c.save()
