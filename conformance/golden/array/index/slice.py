"""Recorded slices: numpy's basic indexing, which has the same rules for bounds."""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from positions import ALL, INTEGERS, values  # noqa: E402
from corpus import Corpus  # noqa: E402

c = Corpus("slice", source=f"numpy {np.__version__}")
rng = np.random.default_rng(20241201)


def window(start, stop, strides):
    """As slices of Python, whose stop below -n is None where the stride is negative."""
    return tuple(slice(b, e, d) for b, e, d in zip(start, stop, strides))


def attributes(start, stop, strides):
    return {"start": list(start), "stop": list(stop), "strides": list(strides)}


SLICES = [
    ((0,), (7,), (1,)), ((1,), (6,), (2,)), ((-3,), (-1,), (1,)), ((0,), (100,), (3,)), ((5,), (2,), (1,)),
    ((6,), (-8,), (-1,)), ((-1,), (-100,), (-2,)), ((100,), (1,), (-3,)), ((-100,), (4,), (1,)), ((3,), (3,), (-1,)),
    ((6,), (0,), (-1,)),
]
for start, stop, strides in SLICES:
    a = values(rng, 7, np.float32)
    c.add("slice", attributes(start, stop, strides), {"a": a}, [("out", a[window(start, stop, strides)])])
for t in ALL:
    a = values(rng, (4, 5, 3), t)
    c.add("slice", attributes((1, -1, 0), (4, -6, 3), (2, -2, 1)), {"a": a}, [("out", a[1:4:2, -1:-6:-2, 0:3])])
c.error("slice", attributes((0,), (3,), (0,)), {"a": values(rng, 5, np.float32)}, note="a stride of 0")
c.error("slice", attributes((0, 0), (3, 3), (1, 1)), {"a": values(rng, 5, np.float32)},
        note="lists longer than the rank")


def dynamic(a, start, axes, size, note=""):
    first = [0] * a.ndim
    for s, axis in zip(np.atleast_1d(start), axes):
        first[axis] = int(s)
    out = a[tuple(slice(b, b + n) for b, n in zip(first, size))]
    c.add("slice_dynamic", {"axes": list(axes), "slice_size": list(size)}, {"a": a, "start": start}, [("out", out)],
          note=note)


for t in INTEGERS:
    dynamic(values(rng, (4, 5), np.float32), np.array([1, 2], t), [0, 1], [2, 3])
dynamic(values(rng, (5, 6, 7, 8), np.int16), np.array([1, 2, 3, 4], np.int32), [0, 1, 2, 3], [2, 2, 2, 2])
dynamic(values(rng, (4, 5), np.float16), np.array(2, np.int32), [-1], [4, 3], "0-d, an axis from the end")
dynamic(values(rng, (4, 5), np.complex64), np.array([3, 1], np.int64), [1, 0], [2, 2], "axes in any order")
for bad in (-1, 3):
    c.error("slice_dynamic", {"axes": [0], "slice_size": [2]},
            {"a": values(rng, 4, np.float32), "start": np.array([bad], np.int32)},
            error="runtime_error", note="starts are neither clamped nor from the end")

OPS = {
    "slice_update": lambda old, new: new, "slice_update_add": np.add, "slice_update_prod": np.multiply,
    "slice_update_max": np.maximum, "slice_update_min": np.minimum,
}


def update(op, a, u, start, stop, strides, note=""):
    out, w = a.copy(), window(start, stop, strides)
    new = np.broadcast_to(u.astype(a.dtype), out[w].shape)
    out[w] = OPS[op](out[w], new).astype(a.dtype)
    c.add(op, attributes(start, stop, strides), {"a": a, "update": u}, [("out", out)], note=note)


for op in OPS:
    for t in ALL:
        if t == np.complex64 and op in ("slice_update_max", "slice_update_min"):
            continue  # has no order here
        update(op, values(rng, (4, 5), t), values(rng, (2, 3), t), (1, -1), (4, -6), (2, -2))
    update(op, values(rng, (4, 5), np.float32), values(rng, (3, 1), np.float32), (0, 0), (3, 4), (1, 1), "broadcasts")
    update(op, values(rng, (4, 5), np.float32), values(rng, (), np.float32), (0, 2), (100, 3), (1, 1), "a scalar")
    update(op, values(rng, (9, 9), np.float32), values(rng, (5, 4), np.float32), (0, 0), (5, 4), (1, 1), "a corner")
    special = np.array([np.nan, 1, np.nan, -np.inf, 2], np.float32)
    update(op, special, np.array([1, np.nan, np.nan, 3, np.inf], np.float32), (0,), (5,), (1,), "special values")
update("slice_update", np.zeros(5, np.int32), np.array([1.9, -1.9, 2.5], np.float32), (1,), (4,), (1,), "truncated")
update("slice_update_add", np.full(3, 250, np.uint8), np.array([5, 6, 10], np.uint8), (0,), (3,), (1,), "wraps")
update("slice_update_add", np.ones(3, np.float16), np.array([0.1, 1e-4, 3], np.float32), (0,), (3,), (1,),
       "rounded twice")
c.error("slice_update", attributes((0,), (2,), (1,)), {"a": np.zeros(4, np.float32), "update": np.zeros(3, np.float32)},
        note="does not broadcast")


def update_dynamic(a, u, start, axes, note=""):
    size = list(a.shape)
    for axis in axes:
        size[axis] = 1
    size[a.ndim - u.ndim:] = u.shape
    first = [0] * a.ndim
    for s, axis in zip(np.atleast_1d(start), axes):
        first[axis] = int(s)
    out = a.copy()
    out[tuple(slice(b, b + n) for b, n in zip(first, size))] = u.astype(a.dtype)
    c.add("slice_update_dynamic", {"axes": list(axes)}, {"a": a, "update": u, "start": start}, [("out", out)],
          note=note)


for t in ALL:
    update_dynamic(values(rng, (4, 5), t), values(rng, (2, 3), t), np.array([1, 2], np.int32), [0, 1])
update_dynamic(values(rng, (4, 5), np.float32), values(rng, 5, np.float32), np.array([2], np.uint8), [0], "a row")
update_dynamic(values(rng, (4, 5), np.float32), values(rng, (4, 2), np.float32), np.array(3, np.int64), [-1], "columns")
c.error("slice_update_dynamic", {"axes": [0]},
        {"a": np.zeros((3, 2), np.float32), "update": np.zeros((2, 2), np.float32),
                                                "start": np.array([2], np.int32)}, error="runtime_error",
                                                note="no room")

OPS = {"slice_update_subtract": np.subtract, "slice_update_divide": np.divide}
update("slice_update_subtract", np.array([3, 200, 5], np.uint8), np.array([4, 100, 5], np.uint8), (0,), (3,), (1,),
       "wraps")
update("slice_update_subtract", np.arange(20, dtype=np.float32).reshape(4, 5), np.array([1, 0.5], np.float32), (0, 1),
       (4, 5), (2, 3), "a row that repeats")
for t in (np.float16, np.float32, np.float64):
    update("slice_update_divide", np.arange(1, 9, dtype=t), np.array([3, -7, 0, np.inf, 0.1], t), (1,), (6,), (1,),
           "rounded once")
update("slice_update_divide", np.array([0, np.nan, 1, -1, np.inf], np.float32),
       np.array([0, 1, 0, -0.0, np.inf], np.float32), (0,), (5,), (1,), "special values")
update("slice_update_divide", np.array([1 + 2j, 3 - 4j, 5j], np.complex64), np.array([1 + 1j, 2, -1j], np.complex64),
       (0,), (3,), (1,), "exact quotients")
for op, t in (("slice_update_subtract", np.bool_), ("slice_update_divide", np.int32)):
    c.error(op, attributes((0,), (2,), (1,)), {"a": np.zeros(4, t), "update": np.zeros(2, t)}, error="invalid_argument",
            note="no such elements")
c.save()
