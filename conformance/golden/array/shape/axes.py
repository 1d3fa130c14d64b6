"""Recorded orders of the same elements: NumPy, as_strided by its stride tricks."""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("axes", source=f"numpy {np.__version__}")
ALL = [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.float16,
       ml_dtypes.bfloat16, np.float32, np.float64, np.complex64]


def out(op, attributes, a, result, note=""):
    c.add(op, attributes, {"a": a}, [("out", np.array(result))], note=note, signed_zero=True)


def values(t, *shape):
    n = int(np.prod(shape))
    x = np.arange(n)
    if not np.issubdtype(t, np.integer) and t is not np.bool_:
        x = np.where(x % 7 == 3, -0.0, np.where(x % 11 == 5, np.nan, x * 0.5))
    return (x % 3 == 1).reshape(shape) if t is np.bool_ else x.astype(t).reshape(shape)


for t in ALL:
    a = values(t, 2, 3, 5)
    out("transpose", {"axes": [1, 2, 0]}, a, a.transpose(1, 2, 0))
    out("flip", {"axis": [0, 2]}, a, np.flip(a, (0, 2)))
a = values(np.float32, 2, 3, 5)
for axes in (None, [2, 0, 1], [-1, 1, 0], [0, 1, 2]):
    out("transpose", {"axes": axes}, a, a.transpose(axes))
for axes in ([0, 0, 1], [0, 1], [0, 1, 3]):
    c.error("transpose", {"axes": axes}, {"a": a})
out("matrix_transpose", {}, a, np.swapaxes(a, -1, -2))
c.error("matrix_transpose", {}, {"a": a[0, 0]}, note="one axis")
for i, j in ((0, 2), (1, -1), (-3, 1)):
    out("swapaxes", {"axis1": i, "axis2": j}, a, np.swapaxes(a, i, j))
    out("moveaxis", {"source": i, "destination": j}, a, np.moveaxis(a, i, j))
c.error("swapaxes", {"axis1": 3, "axis2": 0}, {"a": a}, error="out_of_range")
c.error("moveaxis", {"source": 0, "destination": -4}, {"a": a}, error="out_of_range")
for shape, to in (((3, 1), (2, 3, 4)), ((), (2, 2)), ((1,), (0,)), ((1, 4), (3, 4))):
    b = values(np.float32, *shape)
    out("broadcast_to", {"shape": list(to)}, b, np.broadcast_to(b, to))
c.error("broadcast_to", {"shape": [2, 4]}, {"a": a[0]})
for axis in (None, 0, -1, [1, 2]):
    out("flip", {"axis": axis}, a, np.flip(a, tuple(axis) if isinstance(axis, list) else axis))
c.error("flip", {"axis": 3}, {"a": a}, error="out_of_range")
for shape, strides, offset in (([4, 3], [2, 1], 5), ([3, 2], [0, 7], 1), ([6], [-4], 25), ([2, 2, 2], [15, 5, 1], 0),
                               ([], [], 7)):
    tricks = np.lib.stride_tricks.as_strided(a.ravel()[offset:], shape, [4 * s for s in strides])
    out("as_strided", {"shape": shape, "strides": strides, "offset": offset}, a, tricks)
c.error("as_strided", {"shape": [31], "strides": [1], "offset": 0}, {"a": a}, note="beyond the last element")
for offset in (0, 1, -1, 4, 9, -9):
    out("diagonal", {"offset": offset, "axis1": 0, "axis2": 1}, a, np.diagonal(a, offset))
    out("diagonal", {"offset": offset, "axis1": 2, "axis2": 0}, a, np.diagonal(a, offset, 2, 0))
c.error("diagonal", {"offset": 0, "axis1": 0, "axis2": 3}, {"a": a}, error="out_of_range")
c.save()
