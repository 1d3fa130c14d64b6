"""Recorded cases of operations that choose among numbers: NumPy, after MLX's promotion (pip install 'mlx[cpu]' numpy
ml_dtypes mpmath)."""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import REALS, VALUES, array, value  # noqa: E402

mx.set_default_device(mx.cpu)
c = Corpus("select", source=f"mlx {mx.__version__}")

for n in VALUES:
    x, y = array(n, VALUES[n]), array(n, VALUES[n][::-1])
    chosen = mx.array([i % 2 == 0 for i in range(len(VALUES[n]))])
    c.add("where", {}, {"condition": value(chosen), "x": value(x), "y": value(y)},
          [("out", value(mx.where(chosen, x, y)))])
    seven = array("int32", list(range(len(VALUES[n]))))
    c.add("where", {}, {"condition": value(x), "x": value(seven), "y": value(-seven)},
          [("out", value(mx.where(x, seven, -seven)))], note="what is not 0, NaN too")
for n, m in [("bool_", "uint8"), ("int8", "uint8"), ("uint64", "int64"), ("int32", "float16"), ("float16", "bfloat16"),
             ("float64", "complex64")]:
    x, y = array(n, VALUES[n][:2]), array(m, [[1], [0], [1]])
    chosen = mx.array([True, False])
    c.add("where", {}, {"condition": value(chosen), "x": value(x), "y": value(y)},
          [("out", value(mx.where(chosen, x, y)))], note="promotion, three-way broadcast")

for n in REALS:
    a = array(n, VALUES[n])
    low, high = array(n, 0 if n == "bool_" else 1), array(n, 1 if n == "bool_" else 100)
    for bounds in [("a_min", "a_max"), ("a_min",), ("a_max",)]:
        given = {k: v for k, v in [("a_min", low), ("a_max", high)] if k in bounds}
        inputs = {"a": value(a), **{k: value(v) for k, v in given.items()}}
        c.add("clip", {}, inputs, [("out", value(mx.clip(a, given.get("a_min"), given.get("a_max"))))])
a = array("float32", [[-3, np.nan, 3], [0.5, np.inf, -np.inf]])
for low, high, note in [([0, 1, 2], 1.5, "a lower bound above the upper one: the upper one"),
                        ([[-1], [np.nan]], 2, "NaN"), (-np.inf, np.inf, "no bound in effect")]:
    lo, hi = array("float32", low), array("float64", high)
    c.add("clip", {}, {"a": value(a), "a_min": value(lo), "a_max": value(hi)}, [("out", value(mx.clip(a, lo, hi)))],
          note=note)
c.error("clip", {}, {"a": value(a)}, note="no bound")
c.save()
