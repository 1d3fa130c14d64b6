"""Recorded reads by position: numpy's take, take_along_axis and windows; mlx for negative and unsigned indices."""

import pathlib
import sys

import mlx.core as mx
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from positions import ALL, INTEGERS, indices, values  # noqa: E402
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
c = Corpus("gather", source=f"numpy {np.__version__}")
rng = np.random.default_rng(20241130)


def from_end(i, n):
    """Positions counted from the start, in a type that numpy indexes with."""
    i = np.asarray(i).astype(np.int64)
    return np.where(i < 0, i + n, i)


def take(a, i, axis, note=""):
    n = a.size if axis is None else a.shape[axis]
    c.add("take", {"axis": axis}, {"a": a, "indices": i}, [("out", np.take(a, from_end(i, n), axis))], note=note)


for t in ALL:
    take(values(rng, (4, 3), t), indices(rng, 5, 4), 0)
for t in INTEGERS:
    take(values(rng, (4, 5), np.float32), indices(rng, (2, 3), 5, t), 1, "every index dtype")
take(values(rng, (2, 3, 4), np.int16), np.int32(-2), 1, "0-d removes the axis")
take(values(rng, (2, 3, 4), np.int16), indices(rng, 6, 24), None, "flattened")
take(values(rng, (300,), np.float32), np.array([255, 128, 0], np.uint8), 0, "beyond a signed byte")
take(values(rng, (2, 2, 3, 1, 2, 1, 2, 2), np.uint8), indices(rng, (2, 2), 3), 2, "eight axes")
take(np.array([np.nan, -0.0, np.inf, 1], np.float32), np.array([0, 1, 2, -1], np.int32), 0, "special values")
for bad in (4, -5):
    c.error("take", {"axis": 0}, {"a": values(rng, (4, 3), np.float32), "indices": np.array([0, bad], np.int32)},
            error="runtime_error", note="outside: numpy raises IndexError")
c.error("take", {"axis": 0}, {"a": values(rng, (4,), np.float32), "indices": np.array([1.0], np.float32)},
        note="not an index")

for axis, index in ((0, 1), (1, -1), (2, 3), (None, 7), (None, -1)):
    a = values(rng, (2, 3, 4), np.float32)
    c.add("take_scalar", {"axis": axis, "index": index}, {"a": a}, [("out", np.take(a, index, axis))])
c.error("take_scalar", {"axis": 1, "index": 3}, {"a": values(rng, (2, 3), np.float32)}, note="outside")


def along(a, i, axis, note=""):
    out = mx.take_along_axis(mx.array(a), mx.array(i), axis)
    c.add("take_along_axis", {"axis": axis}, {"a": a, "indices": i}, [("out", np.array(out))], note=note,
          source=f"mlx {mx.__version__}, CPU")


for axis in (0, 1, -1):
    along(values(rng, (4, 5), np.float32), indices(rng, (4, 5), 4), axis)
along(values(rng, (1, 5, 3), np.int8), indices(rng, (2, 4, 1), 5, np.uint16), 1, "both broadcast")
along(values(rng, (3, 5), np.uint64), indices(rng, 7, 15, np.int64), None, "flattened")
for t in ALL:
    a, i = values(rng, (3, 4), t), rng.integers(0, 4, (3, 2)).astype(np.int32)
    c.add("take_along_axis", {"axis": -1}, {"a": a, "indices": i}, [("out", np.take_along_axis(a, i, -1))])
c.error("take_along_axis", {"axis": 1},
        {"a": values(rng, (2, 3), np.float32), "indices": np.array([[3], [0]], np.int32)},
        error="runtime_error", note="outside")


def gather(a, index_arrays, axes, sizes, note=""):
    """Every window of those sizes, then those that the indices name; unlisted axes at 0."""
    windows = sliding_window_view(a, sizes) if 0 not in sizes else None
    shape = np.broadcast_shapes(*(i.shape for i in index_arrays))
    place = [np.zeros(shape, np.int64)] * a.ndim
    for i, axis in zip(index_arrays, axes):
        place[axis] = np.broadcast_to(from_end(i, a.shape[axis]), shape)
    out = np.zeros(shape + tuple(sizes), a.dtype) if windows is None else windows[tuple(place)]
    named = {f"indices{k}": i for k, i in enumerate(index_arrays)}
    c.add("gather", {"axes": list(axes), "slice_sizes": list(sizes)}, {"a": a, **named}, [("out", out)], note=note)


for t in ALL:
    gather(values(rng, (4, 3), t), [indices(rng, 5, 4)], [0], [1, 3])
gather(values(rng, (5, 6), np.float32), [rng.integers(0, 4, (2, 3)).astype(np.uint8)], [1], [4, 3],
       "windows that overlap")
gather(values(rng, (5, 6, 3), np.int64), [indices(rng, (2, 1), 5), indices(rng, 4, 3, np.int16)], [0, 2], [1, 6, 1],
       "two arrays broadcast")
gather(values(rng, (5, 6, 3), np.float16), [indices(rng, 4, 3), indices(rng, 4, 5)], [2, 0], [1, 2, 1],
       "axes in any order")
gather(values(rng, (5, 6), np.float32), [np.array(2, np.int32)], [0], [2, 6], "a 0-d index")
gather(values(rng, (5, 6), np.float32), [np.array([1, 2], np.int32)], [0], [1, 0], "windows of nothing")
gather(values(rng, (2, 3, 2, 2, 1, 2, 2, 3), np.uint8), [indices(rng, 3, 3), indices(rng, 3, 3), indices(rng, 1, 2)],
       [1, 7, 3], [2, 1, 2, 1, 1, 2, 1, 1], "eight axes")
c.error("gather", {"axes": [0], "slice_sizes": [2, 3]},
        {"a": values(rng, (4, 3), np.float32), "indices0": np.array([3], np.int32)},
        error="runtime_error", note="no room for the window")
c.error("gather", {"axes": [0, 0], "slice_sizes": [1, 3]},
        {"a": values(rng, (4, 3), np.float32), "indices0": np.array([3], np.int32),
         "indices1": np.array([3], np.int32)},
        note="an axis twice")
c.save()
