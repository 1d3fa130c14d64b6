"""Recorded writes by position: numpy's ufunc.at and put_along_axis, in order; math.fsum and mpmath where they round."""

import math
import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from positions import ALL, INTEGERS, indices, values  # noqa: E402
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
c = Corpus("scatter", source=f"numpy {np.__version__}")
rng = np.random.default_rng(20241202)


def put(old, at, new):
    for k in range(len(new)):
        old[at[k]] = new[k]


def at(f):
    def apply(old, where, new):
        f.at(old, where, new)
    return apply


OPS = {"scatter": put, "scatter_add": at(np.add), "scatter_prod": at(np.multiply), "scatter_max": at(np.maximum),
       "scatter_min": at(np.minimum)}


def wide(a):
    """A type in which small whole numbers are combined exactly; of whole numbers, that which wraps as they do."""
    return a.astype(np.float64) if a.dtype in (np.float16, ml_dtypes.bfloat16, np.float32) else a.copy()


def scatter(op, a, u, index_arrays, axes, note=""):
    """Places of all updates in the flattened array, then one after the other."""
    shape = np.broadcast_shapes(*(i.shape for i in index_arrays)) if index_arrays else ()
    place = list(np.indices(u.shape)[len(shape):])
    for i, axis in zip(index_arrays, axes):
        i = np.broadcast_to(i.astype(np.int64), shape)
        i = np.where(i < 0, i + a.shape[axis], i)
        place[axis] = place[axis] + i.reshape(i.shape + (1,) * a.ndim)
    flat = np.ravel_multi_index(place, a.shape).ravel() if u.size else np.zeros(0, np.int64)
    out = wide(a.ravel())
    OPS[op](out, flat, u.astype(a.dtype).astype(out.dtype).ravel())
    named = {f"indices{k}": i for k, i in enumerate(index_arrays)}
    c.add(op, {"axes": list(axes)}, {"a": a, "updates": u, **named}, [("out", out.astype(a.dtype).reshape(a.shape))],
          note=note)


for op in OPS:
    ordered = op in ("scatter_max", "scatter_min")
    for t in ALL:
        if not (ordered and t == np.complex64):  # has no order here
            scatter(op, values(rng, (4, 3), t), values(rng, (6, 1, 3), t), [indices(rng, 6, 4)], [0], "duplicates")
    for t in INTEGERS:
        scatter(op, values(rng, 9, np.float32), values(rng, (2, 3, 1), np.float32), [indices(rng, (2, 3), 9, t)], [0])
    scatter(op, values(rng, (5, 4), np.int32), values(rng, (4, 2, 3), np.int32),
            [rng.integers(0, 4, 4).astype(np.int32)], [0],
            "windows that overlap")
    scatter(op, values(rng, (5, 4, 2), np.float32), values(rng, (2, 3, 1, 1, 2), np.float32),
            [indices(rng, (2, 1), 5), indices(rng, 3, 4, np.int8)], [0, 1], "two arrays broadcast")
    scatter(op, values(rng, (3, 4), np.float32), values(rng, (2, 3), np.float32), [], [], "no index array")
    scatter(op, values(rng, (3, 4), np.float32), values(rng, (0, 1, 4), np.float32), [np.zeros(0, np.int32)], [0],
            "none")
    c.error(op, {"axes": [0]}, {"a": np.zeros(4, np.float32), "updates": np.zeros((2, 1), np.float32),
                                "indices0": np.array([0, 4], np.int32)}, error="runtime_error", note="outside")
    c.error(op, {"axes": [0]}, {"a": np.zeros(4, np.float32), "updates": np.zeros((2, 2), np.float32),
                                "indices0": np.array([0, 3], np.int32)}, error="runtime_error",
                                note="no room for a window")

# Two cells side by side, each met many times: no update is lost, halves do not stick.
for t, n in ((np.uint8, 700), (np.int16, 1000), (np.float16, 4400), (ml_dtypes.bfloat16, 600)):
    i = (np.arange(n) % 2).astype(np.int8)
    scatter("scatter_add", np.zeros(2, t), np.ones((n, 1), t), [i], [0], "collisions")

# Sums that round: exact by fsum. A sum of m terms in binary32, in any order: m roundings of the sum of magnitudes.
i = rng.integers(0, 5, 200).astype(np.int32)
u = (rng.standard_normal(200) * 10.0 ** rng.integers(-3, 4, 200)).astype(np.float32)
exact = np.array([math.fsum(u[i == k].tolist()) for k in range(5)])
error = 200 * 2.0**-24 * max(float(np.abs(u[i == k]).sum()) for k in range(5))
c.add("scatter_add", {"axes": [0]}, {"a": np.zeros(5, np.float32), "updates": u[:, None], "indices0": i},
      [("out", exact.astype(np.float32))], compare="close", tol=(0.0, error), note="real numbers", source="math.fsum")
f = (1 + 0.1 * rng.standard_normal(60)).astype(np.float32)
i = rng.integers(0, 3, 60).astype(np.int32)
exact = np.array([math.prod(f[i == k].astype(np.longdouble)) for k in range(3)], np.float64)
c.add("scatter_prod", {"axes": [0]}, {"a": np.ones(3, np.float32), "updates": f[:, None], "indices0": i},
      [("out", exact.astype(np.float32))], compare="close", tol=(62 * 2.0**-24, 0.0), note="real numbers",
      source="products in 64 bits")


def along(op, a, i, v, axis, note=""):
    """mlx where it is defined: one of each place, or sums of whole numbers."""
    if op == "put_along_axis":
        out = mx.put_along_axis(mx.array(a), mx.array(i), mx.array(v), axis)
        source = f"mlx {mx.__version__}, CPU"
    else:
        place = np.indices(i.shape)
        n = a.shape[axis]
        place[axis] = np.where(i < 0, i.astype(np.int64) + n, i)
        out, source = wide(a), None
        np.add.at(out, tuple(place), np.broadcast_to(v, i.shape).astype(out.dtype))
        out = out.astype(a.dtype)
    c.add(op, {"axis": axis}, {"a": a, "indices": i, "values": v}, [("out", np.array(out))], note=note, source=source)


def distinct(shape, n, axis):
    return np.take(np.argsort(rng.random(tuple(n if d == axis else s for d, s in enumerate(shape))), axis),
                   range(shape[axis]), axis).astype(np.int32)


for t in (np.bool_, np.int8, np.uint32, np.float16, np.float32, np.complex64):
    along("put_along_axis", values(rng, (3, 6), t),
          distinct((3, 4), 6, 1) - 6 * rng.integers(0, 2, (3, 4)).astype(np.int32),
          values(rng, (3, 4), t), 1)
for t in ALL:
    along("scatter_add_axis", values(rng, (3, 6), t), indices(rng, (3, 8), 6), values(rng, (3, 8), t), 1, "duplicates")
along("put_along_axis", values(rng, (5, 2, 3), np.float32), distinct((2, 2, 3), 5, 0), values(rng, (), np.float32), 0,
      "a scalar")
along("put_along_axis", values(rng, (3, 4), np.int32), np.array([11, 0, 5], np.uint16), values(rng, 3, np.int32),
      None, "flattened")
along("put_along_axis", values(rng, (3, 4), np.int32), np.array([[1, 3]], np.int32), values(rng, (3, 2), np.int32), 1,
      "broadcasts")
along("scatter_add_axis", values(rng, (4, 3), np.float32), indices(rng, (5, 3), 4, np.int64),
      values(rng, (), np.float32), 0)
for op in ("put_along_axis", "scatter_add_axis"):
    c.error(op, {"axis": 0},
            {"a": np.zeros(3, np.float32), "indices": np.array([-4], np.int32), "values": np.float32(1)},
            error="runtime_error", note="outside")


def masked(a, mask, v, note=""):
    out = a.copy()
    row = a.shape[mask.ndim:]
    rows = int(mask.sum())
    new = v.astype(a.dtype)
    out[mask] = new[:rows] if v.ndim > len(row) else np.broadcast_to(new, (rows, *row))
    c.add("masked_scatter", {}, {"a": a, "mask": mask, "values": v}, [("out", out)], note=note)


for t in ALL:
    masked(values(rng, (3, 4), t), rng.random((3, 4)) < 0.5, values(rng, 12, t))
masked(values(rng, (5, 3), np.float32), np.array([1, 0, 1, 1, 0], bool), values(rng, (4, 3), np.float32),
       "rows, one too many")
masked(values(rng, (5, 3), np.float32), np.array([1, 0, 1, 1, 0], bool), values(rng, 3, np.float32),
       "a row that repeats")
masked(values(rng, (5, 3), np.int16), np.array([1, 0, 1, 1, 0], bool), np.float32(2.9), "a scalar, truncated")
masked(values(rng, (5, 3), np.float32), np.zeros((5, 3), bool), values(rng, 0, np.float32), "nowhere")
masked(values(rng, 5000, np.uint8), rng.random(5000) < 0.3, values(rng, 2000, np.uint8), "several blocks")
c.error("masked_scatter", {},
        {"a": np.zeros(3, np.float32), "mask": np.ones(3, bool), "values": np.zeros(2, np.float32)},
        error="runtime_error", note="fewer values than places")

# What at[..].subtract and at[..].divide do: whole numbers wrap; quotients by powers of two are exact, and MLX's too.
OPS = {"scatter_subtract": at(np.subtract), "scatter_divide": at(np.divide)}
for t in ALL:
    if t != np.bool_:
        scatter("scatter_subtract", values(rng, (4, 3), t), values(rng, (6, 1, 3), t), [indices(rng, 6, 4)], [0],
                "duplicates")
for t in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.complex64):
    powers = (2.0 ** rng.integers(-2, 3, (6, 1, 3)) * rng.choice([-1, 1], (6, 1, 3))).astype(t)
    a, i = values(rng, (4, 3), t), indices(rng, 6, 4)
    scatter("scatter_divide", a, powers, [i], [0], "powers of two")
    if t in (np.float16, np.float32, np.complex64):
        mlx = np.array(mx.array(a).at[mx.array(i)].divide(mx.array(powers[:, 0])))
        old = wide(a)
        np.divide.at(old, np.where(i < 0, i + 4, i), powers[:, 0].astype(old.dtype))
        assert np.array_equal(mlx, old.astype(t)), t
        mlx = np.array(mx.array(a).at[mx.array(i)].subtract(mx.array(powers[:, 0])))
        old = wide(a)
        np.subtract.at(old, np.where(i < 0, i + 4, i), powers[:, 0].astype(old.dtype))
        assert np.array_equal(mlx, old.astype(t)), t
f = (1 + 0.1 * rng.standard_normal(60)).astype(np.float32)
i = rng.integers(0, 3, 60).astype(np.int32)
exact = np.array([1 / math.prod(f[i == k].astype(np.longdouble)) for k in range(3)], np.float64)
c.add("scatter_divide", {"axes": [0]}, {"a": np.ones(3, np.float32), "updates": f[:, None], "indices0": i},
      [("out", exact.astype(np.float32))], compare="close", tol=(62 * 2.0**-24, 0.0), note="real numbers",
      source="products in 64 bits")
c.add("scatter_divide", {"axes": [0]},
      {"a": np.array([1, 0, -1, 5], np.float32), "updates": np.array([[0], [0], [0], [np.inf]], np.float32),
       "indices0": np.arange(4, dtype=np.int32)}, [("out", np.array([np.inf, np.nan, -np.inf, 0], np.float32))],
      note="zeros and an infinity")
for op, t in (("scatter_subtract", np.bool_), ("scatter_divide", np.int32), ("scatter_divide", np.bool_)):
    c.error(op, {"axes": [0]},
            {"a": np.ones(4, t), "updates": np.ones((2, 1), t), "indices0": np.array([0, 1], np.int32)},
            error="invalid_argument", note="no such elements")
c.save()
