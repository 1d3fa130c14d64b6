"""Recorded argmax and argmin: NumPy, which takes the first of equals and the first NaN; MLX where it says the same.
(pip install numpy ml_dtypes mlx)"""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
rng = np.random.default_rng(22)
BF16 = np.dtype(ml_dtypes.bfloat16)
c = Corpus("extremum", source=f"numpy {np.__version__} argmax, argmin, confirmed by mlx {mx.__version__}")


def add(a, axis, keepdims=False, note="", confirmed=True):
    a = np.asarray(a)
    wide = a.astype(np.float32) if a.dtype == BF16 else a
    for op in ["argmax", "argmin"]:
        out = np.asarray(getattr(np, op)(wide, axis=axis, keepdims=keepdims), np.uint32)
        if confirmed:
            other = mx.array(wide) if a.dtype != np.float64 else mx.array(a, mx.float64)
            assert (np.asarray(getattr(mx, op)(other, axis=axis, keepdims=keepdims)) == out).all(), (op, note)
        c.add(op, {"axis": axis, "keepdims": keepdims}, {"a": a}, [("out", out)], note=note)


for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    add(rng.integers(0, 2 if name == "bool" else 9, (3, 7)).astype(name), 1, note="ties: the first")
    add(rng.integers(0, 2 if name == "bool" else 99, (7, 3)).astype(name), 0, True)
for name in ["float16", "bfloat16", "float32", "float64"]:
    t = BF16 if name == "bfloat16" else np.dtype(name)
    add(rng.standard_normal((4, 33)).astype(t), 1)
    add(rng.standard_normal((33, 4)).astype(t), 0, True)
    add(np.array([[1, np.nan, 3, np.nan], [np.nan, 1, 2, 3], [3, 2, 1, np.nan]], t), 1, note="the first NaN")
    add(np.array([[-3, -1, -2, -1]], t), 1, note="all negative")
    add(np.array([[-np.inf, -np.inf, np.inf, np.inf]], t), 1, note="infinities: the first")
    add(np.array([[-0.0, 0.0, -0.0], [0.0, -0.0, 0.0]], t), 1, note="zeros are equal")
add(rng.standard_normal((3, 5, 4)).astype(np.float32), 1)
add(rng.integers(-2, 3, (3, 5, 4)).astype(np.float32), None, note="flattened")
add(rng.standard_normal((2, 700)).astype(np.float32), 1, note="long lines")
add((rng.integers(-2, 3, (4, 9)) + 1j * rng.integers(-2, 3, (4, 9))).astype(np.complex64), 1,
    note="complex: by the real, then the imaginary part")
add(np.array([1, complex(2, np.nan), 3], np.complex64), 0, note="a NaN in either part", confirmed=False)
add(np.asarray(2.0, np.float32), None, note="0-d")
add(np.zeros((3, 1), np.float32), 1, note="one element")
for op in ["argmax", "argmin"]:
    c.error(op, {"axis": 0, "keepdims": False}, {"a": np.zeros((0, 2), np.float32)}, note="nothing")
    c.error(op, {"axis": 2, "keepdims": False}, {"a": np.zeros((2, 2), np.float32)}, error="out_of_range")
c.save()
