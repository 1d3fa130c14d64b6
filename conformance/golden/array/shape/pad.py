"""Recorded growth of arrays: NumPy's repeat, tile, roll, pad, tril, triu, diag and trace."""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("pad", source=f"numpy {np.__version__}")
ALL = [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.float16,
       ml_dtypes.bfloat16, np.float32, np.float64, np.complex64]
MODES = ("constant", "edge", "reflect", "symmetric")


def out(op, attributes, a, result, note=""):
    c.add(op, attributes, {"a": a}, [("out", np.ascontiguousarray(result))], note=note)


def values(t, *shape):
    x = np.arange(1, 1 + int(np.prod(shape))).reshape(shape)
    return x % 3 == 1 if t is np.bool_ else x.astype(t)


for t in ALL:
    a = values(t, 3, 4)
    out("repeat", {"repeats": 2, "axis": 1}, a, np.repeat(a, 2, 1))
    out("tile", {"reps": [2, 3]}, a, np.tile(a, (2, 3)))
    out("roll", {"shift": 5, "axis": None}, a, np.roll(a, 5))
    out("pad", {"pad_width": [1, 2, 0, 3], "mode": "reflect", "value": 0.0}, a, np.pad(a, ((1, 2), (0, 3)), "reflect"))
    out("tril", {"k": 0}, a, np.tril(a))
    out("triu", {"k": 1}, a, np.triu(a, 1))
    out("diag", {"k": -1}, a[0], np.diag(a[0], -1))
a = values(np.float32, 2, 3, 4)
for axis in (None, 0, 2, -2):
    out("repeat", {"repeats": 3, "axis": axis}, a, np.repeat(a, 3, axis))
    out("roll", {"shift": -7, "axis": axis}, a, np.roll(a, -7, axis))
out("roll", {"shift": [1, 2], "axis": [0, -1]}, a, np.roll(a, (1, 2), (0, -1)))
out("roll", {"shift": [1, 2], "axis": [1, 1]}, a, np.roll(a, (1, 2), (1, 1)), "an axis twice")
out("roll", {"shift": 1, "axis": [0, 1]}, a, np.roll(a, 1, (0, 1)), "one shift for two axes")
for reps in (2, [3, 1], [2, 1, 1, 2], [0, 2]):
    out("tile", {"reps": reps}, a, np.tile(a, reps))
for mode in MODES:
    for widths in ([2, 1], [1, 0, 2, 3, 0, 5], [3, 4]):
        pairs = widths * 3 if len(widths) == 2 else widths
        wide = np.pad(a, list(zip(pairs[::2], pairs[1::2])), mode)
        out("pad", {"pad_width": widths, "mode": mode, "value": 0.0}, a, wide)
    for n in (1, 2, 3):
        line = values(np.int16, n)
        far = np.pad(line, (7, 9), mode)
        out("pad", {"pad_width": [7, 9], "mode": mode, "value": 0.0}, line, far, "beyond the line")
out("pad", {"pad_width": 2, "mode": "constant", "value": 7.5}, a, np.pad(a, 2, constant_values=7.5))
e = np.zeros((0, 2), np.float32)
out("pad", {"pad_width": [2, 1], "mode": "constant", "value": 3.0}, e, np.pad(e, (2, 1), constant_values=3))
for mode in MODES[1:]:
    c.error("pad", {"pad_width": [1, 1], "mode": mode, "value": 0.0}, {"a": e}, note="nothing to continue")
c.error("pad", {"pad_width": [-1, 0], "mode": "constant", "value": 0.0}, {"a": a})
c.error("pad", {"pad_width": [1, 0], "mode": "wrap", "value": 0.0}, {"a": a})
for k in (-9, -2, 0, 1, 9):
    out("tril", {"k": k}, a, np.tril(a, k))
    out("triu", {"k": k}, a, np.triu(a, k))
    out("diag", {"k": k}, a[0], np.diag(a[0], k))
    out("diag", {"k": k}, a[0, 0, :3], np.diag(a[0, 0, :3], k))
c.error("tril", {"k": 0}, {"a": a[0, 0]}, note="one axis")
c.error("repeat", {"repeats": -1, "axis": 0}, {"a": a})
c.error("tile", {"reps": [-1]}, {"a": a})
c.error("roll", {"shift": 1, "axis": 3}, {"a": a}, error="out_of_range")
c.save()
