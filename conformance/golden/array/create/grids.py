"""Recorded filled arrays: NumPy's full, eye, identity, tri and meshgrid. (pip install numpy ml_dtypes)"""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import TAGS, Corpus  # noqa: E402

rng = np.random.default_rng(35)
BF16 = np.dtype(ml_dtypes.bfloat16)
TYPES = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", BF16, "float32",
         "float64", "complex64"]

c = Corpus("grids", source=f"numpy {np.__version__}")


def full(vals, shape, note=""):
    c.add("full", {"shape": list(shape)}, {"vals": vals},
          [("out", np.broadcast_to(vals, shape).copy())], note=note)


def matrix(op, n, m, k, t, note=""):
    t = np.dtype(t)
    y = (np.eye if op == "eye" else np.tri)(n, m, k).astype(t)
    c.add(op, {"n": n, "m": m, "k": k, "dtype": TAGS[t.name]}, {}, [("out", y)], note=note)


def grid(a, b, sparse, indexing):
    y = [np.ascontiguousarray(g) for g in np.meshgrid(a, b, sparse=sparse, indexing=indexing)]
    c.add("meshgrid", {"sparse": sparse, "indexing": indexing}, {"a": a, "b": b}, list(zip(["0", "1"], y)))


for i, t in enumerate(TYPES):
    a = (9 * rng.standard_normal((3, 1))).astype(t)
    full(a, (2, 3, 4), note="the values broadcast")
    matrix("eye", 3, 4, i % 3 - 1, t)
    matrix("tri", 4, 3, i % 5 - 2, t)
    c.add("identity", {"n": 3, "dtype": TAGS[np.dtype(t).name]}, {}, [("out", np.identity(3).astype(t))])
full(np.asarray(7, np.int8), (2, 0), note="empty")
full(np.asarray(-0.0, np.float32), (), note="a scalar")
for k in (-9, 9):
    matrix("eye", 3, 3, k, "float32", note="a diagonal outside")
    matrix("tri", 3, 3, k, "float32", note="a diagonal outside")
for sparse in (False, True):
    for indexing in ("xy", "ij"):
        grid(np.arange(4, dtype=np.float32), np.arange(3, dtype=np.int32), sparse, indexing)
        grid(np.arange(1, dtype=np.uint8), np.arange(0, dtype=np.float64), sparse, indexing)
three = np.zeros(3, np.float32)
c.error("full", {"shape": [2, 2]}, {"vals": three}, note="three values into two places")
c.error("full", {"shape": [-1, 3]}, {"vals": three}, note="a negative extent")
for op in ("eye", "tri"):
    c.error(op, {"n": -1, "m": None, "k": 0, "dtype": "F32"}, {}, note="a negative size")
c.error("identity", {"n": -1, "dtype": "F32"}, {}, note="a negative size")
c.error("meshgrid", {"sparse": False, "indexing": "yx"}, {"a": three, "b": three}, note="neither")
c.save()
