"""Recorded shapes of the same elements: NumPy, and MLX where NumPy has no such operation."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

MLX = f"mlx {mx.__version__}"
c = Corpus("reshape", source=f"numpy {np.__version__}")
rng = np.random.default_rng(20261130)
mx.set_default_device(mx.cpu)
ALL = [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.float16,
       ml_dtypes.bfloat16, np.float32, np.float64, np.complex64]
SPECIAL = [np.nan, -0.0, np.inf, -np.inf, 0.0, 1.5]


def values(t, shape):
    n = int(np.prod(shape))
    if np.issubdtype(t, np.integer):
        return rng.integers(0, 256, n * np.dtype(t).itemsize, np.uint8).view(t).reshape(shape)
    x = np.resize(np.concatenate([np.arange(2, 2 + n), SPECIAL])[::-1], n).reshape(shape)
    return (x != 0) if t is np.bool_ else x.astype(t)


def out(op, attributes, a, result, note="", source=None):
    c.add(op, attributes, {"a": a}, [("out", np.asarray(result))], note=note, source=source, signed_zero=True)


for t in ALL:
    a = values(t, (2, 3, 4))
    out("reshape", {"shape": [4, -1]}, a, a.reshape(4, -1))
    out("contiguous", {"allow_col_major": False}, a, np.ascontiguousarray(a))
a = values(np.float32, (2, 3, 4))
for shape in ([24], [3, 2, 4], [1, 24, 1], [2, 1, 12]):
    out("reshape", {"shape": shape}, a, a.reshape(shape))
out("reshape", {"shape": []}, values(np.float32, (1, 1)), values(np.float32, (1, 1)).reshape(()), "to 0-d")
empty = np.zeros((0, 3), np.float32)
out("reshape", {"shape": [5, 0]}, empty, empty.reshape(5, 0), "empty")
for shape in ([5, 5], [-1, -1], [7, -1]):
    c.error("reshape", {"shape": shape}, {"a": a})
c.error("reshape", {"shape": [0, -1]}, {"a": empty}, note="any size would do")
for start, end in ((0, -1), (1, 2), (-2, 9), (1, 1)):
    flat = mx.flatten(mx.array(a), start_axis=start, end_axis=end)
    out("flatten", {"start_axis": start, "end_axis": end}, a, flat, source=MLX)
c.error("flatten", {"start_axis": 2, "end_axis": 1}, {"a": a}, source=MLX)
for axis, shape in ((1, [3, 1]), (2, [2, -1]), (-3, [2, 1, 1])):
    out("unflatten", {"axis": axis, "shape": shape}, a, mx.unflatten(mx.array(a), axis, shape), source=MLX)
c.error("unflatten", {"axis": 1, "shape": [2, 2]}, {"a": a}, source=MLX)
b = values(np.float32, (1, 3, 1, 2))
for axis in (None, 0, [0, 2], [-2]):
    out("squeeze", {"axis": axis}, b, np.squeeze(b, axis if axis is None or isinstance(axis, int) else tuple(axis)))
c.error("squeeze", {"axis": 1}, {"a": b}, note="three elements")
for axis in (0, -1, [0, 3], [2, -1]):
    out("expand_dims", {"axis": axis}, a[0], np.expand_dims(a[0], axis if isinstance(axis, int) else tuple(axis)))
for at_least, op in ((np.atleast_1d, "atleast_1d"), (np.atleast_2d, "atleast_2d"), (np.atleast_3d, "atleast_3d")):
    for shape in ((), (5, ), (2, 3), (2, 3, 4), (2, 1, 3, 2), (0, )):
        x = values(np.float32, shape)
        out(op, {}, x, at_least(x))
c.error("expand_dims", {"axis": [1, 1]}, {"a": a}, note="named twice")
c.error("expand_dims", {"axis": 4}, {"a": a}, error="out_of_range")
NAMES = {np.uint8: "U8", np.int16: "I16", np.float16: "F16", np.uint32: "U32", np.float32: "F32", np.int64: "I64",
         np.float64: "F64", np.complex64: "C64"}
for t in (np.uint8, np.int16, np.float32, np.int64, np.complex64):
    for to, name in NAMES.items():
        a = values(t, (3, 8))
        out("view", {"dtype": name}, a, a.view(to), "the bits of each line")
c.error("view", {"dtype": "F64"}, {"a": values(np.float32, (2, 3))}, note="a line is not whole elements")
c.save()
