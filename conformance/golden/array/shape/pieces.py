"""Recorded joins and parts: NumPy; where types meet, the pairs that NumPy and MLX promote alike, and MLX for others."""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

MLX = f"mlx {mx.__version__}"
mx.set_default_device(mx.cpu)
c = Corpus("pieces", source=f"numpy {np.__version__}")


def values(t, *shape, first=0):
    return (np.arange(int(np.prod(shape))) + first).astype(t).reshape(shape)


def joined(op, axis, arrays, result, note="", source=None):
    c.add(op, {"axis": axis}, dict(zip("abcdefgh", arrays)), [("out", np.asarray(result))], note=note, source=source)


ALL = [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.float16,
       np.float32, np.float64, np.complex64]
for t in ALL:
    a, b = values(t, 2, 3), values(t, 2, 2, first=50)
    joined("concatenate", 1, [a, b], np.concatenate([a, b], 1))
    joined("stack", -1, [a, a[::-1].copy()], np.stack([a, a[::-1]], -1))
for t, u in ((np.uint8, np.int8), (np.bool_, np.float16), (np.int32, np.float32), (np.float32, np.complex64),
             (np.int64, np.float16), (np.uint32, np.int32), (np.uint64, np.int64), (np.float16, np.float32)):
    a, b = values(t, 3, first=1), values(u, 4, first=100)
    joined("concatenate", 0, [a, b], mx.concatenate([mx.array(a), mx.array(b)]), "types meet", MLX)
    joined("stack", 0, [a, b[:3]], mx.stack([mx.array(a), mx.array(b[:3])]), "types meet", MLX)
a = [values(np.float32, k, 2, first=10 * k) for k in (1, 2, 0, 3, 1, 1, 2, 4)]
joined("concatenate", 0, a, np.concatenate(a), "eight, one of them empty")
joined("concatenate", None, a[:3], np.concatenate(a[:3], None), "flattened")
joined("concatenate", 0, a[3:4], a[3], "one")
s = [values(np.float32, 2, 3, first=k) for k in range(8)]
for axis in (0, 1, 2, -3):
    joined("stack", axis, s[:5], np.stack(s[:5], axis))
joined("stack", 0, s, np.stack(s), "eight")
c.error("concatenate", {"axis": 0}, {"a": a[0], "b": s[0]}, note="other axes differ")
c.error("concatenate", {"axis": 2}, {"a": a[0], "b": a[1]}, error="out_of_range")
c.error("stack", {"axis": 0}, {"a": a[0], "b": a[1]}, note="shapes differ")
c.error("stack", {"axis": 3}, {"a": s[0], "b": s[1]}, error="out_of_range")


def parts(op, attributes, x, pieces, note=""):
    c.add(op, attributes, {"a": x}, [(str(k), np.ascontiguousarray(p)) for k, p in enumerate(pieces)], note=note)


for t in ALL:
    x = values(t, 2, 6)
    parts("split", {"sections": 3, "axis": 1}, x, np.split(x, 3, 1))
    parts("unstack", {"axis": 0}, x, list(x))
x = values(np.float32, 6, 4)
for points in ([2], [1, 3], [2, 2], [9], [0]):
    parts("split", {"sections": points, "axis": 0}, x, np.split(x, points, 0))
for points in ([3, 1], [-2], [-9]):
    pieces = mx.split(mx.array(x), points, 0)
    parts("split", {"sections": points, "axis": 0}, x, [np.array(p) for p in pieces], "as MLX cuts")
parts("split", {"sections": 4, "axis": -1}, x, np.split(x, 4, -1))
parts("unstack", {"axis": -1}, x, list(x.T))
c.error("split", {"sections": 4, "axis": 0}, {"a": x}, note="not in equal parts")
c.error("split", {"sections": 0, "axis": 0}, {"a": x})
c.error("unstack", {"axis": 2}, {"a": x}, error="out_of_range")
c.save()
