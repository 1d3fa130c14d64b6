"""Recorded argsorts and sorts: numpy's stable sort; complex NaN by Python's sorted() on (NaN?, re, im)."""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

c = Corpus("sort", source=f"numpy {np.__version__}, argsort(kind='stable')")
rng = np.random.default_rng(20240611)


def add(a, axis=-1, note="", wide=None):
    """wide: the same values in a type that numpy sorts."""
    order = np.argsort(a if wide is None else wide, axis=axis, kind="stable")
    c.add("argsort", {"axis": axis}, {"a": a}, [("out", order.astype(np.uint32))], note=note)
    values = a.ravel()[order] if axis is None else np.take_along_axis(a, order, axis)
    c.add("sort", {"axis": axis}, {"a": a}, [("out", values)], note=note, signed_zero=True)


REALS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
INTEGERS = [np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64]

for t in REALS:
    x = np.array([3, np.nan, -0.0, 1, np.inf, 0.0, -np.nan, 1, -np.inf, -2, 0.0, -0.0, np.nan, 3], np.float64)
    add(x.astype(t), wide=x, note="NaN last in index order, -0 equals 0, ties keep their order")
    y = rng.integers(-9, 9, (5, 7, 3)).astype(np.float64)
    for axis in (0, 1, 2, None):
        add(y.astype(t), axis, wide=y, note="ties keep their order")
for t in INTEGERS:
    i = np.iinfo(t)
    add(np.array([5, i.max, i.min, 0, i.max, 1, i.min, 5, i.max - 1, i.min + 1], t), note="the whole range")
    add(rng.integers(0, 50, 300).astype(t), note="more than one vector network holds")
add(np.array([True, False, True, True, False]))
z = (rng.integers(-2, 3, 40) + 1j * rng.integers(-2, 3, 40)).astype(np.complex64)
add(z, note="by real, then imaginary part")
nan = np.nan
w = np.array([1 + 1j, complex(nan, 0), 2, complex(1, nan), -1j, complex(nan, nan), complex(0, -1), 1], np.complex64)
key = [(bool(np.isnan(v)), 0.0, 0.0) if np.isnan(v) else (False, float(v.real), float(v.imag)) for v in w]
p = np.array(sorted(range(len(key)), key=key.__getitem__), np.uint32)
c.add("argsort", {"axis": -1}, {"a": w}, [("out", p)], note="NaN in either part goes last, in index order",
      source="Python sorted()")
c.add("sort", {"axis": -1}, {"a": w}, [("out", w[p])], note="NaN in either part goes last", source="Python sorted()",
      signed_zero=True)
add(np.array([0, 0, 0, 1], np.float32) * np.array([1, -1, 1, 1], np.float32), note="zeros keep their order")
add(rng.standard_normal(2500).astype(np.float32), note="several tiles")
c.add("argsort", {"axis": None}, {"a": np.float32(4)}, [("out", np.zeros(1, np.uint32))], note="0-d, flattened")
empty = np.zeros((3, 0), np.float32)
c.add("argsort", {"axis": 1}, {"a": empty}, [("out", empty.astype(np.uint32))], note="empty line")
c.add("sort", {"axis": 1}, {"a": empty}, [("out", empty)], note="empty line")
for op in ("argsort", "sort"):
    c.error(op, {"axis": -1}, {"a": np.float32(4)}, note="0-d with an axis")
    c.error(op, {"axis": 2}, {"a": np.zeros((3, 2), np.float32)}, note="axis beyond the rank")
c.save()
