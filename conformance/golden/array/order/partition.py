"""Recorded selections: numpy's partition and argpartition, MLX's topk, and its selections among zeros of both signs.

Any answer with the property is right, and these are some. (pip install numpy mlx)
"""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus, bf16_words  # noqa: E402

NUMPY, MLX = f"numpy {np.__version__}", f"mlx {mx.__version__}, CPU"
c = Corpus("partition", source=NUMPY)
rng = np.random.default_rng(20250117)
mx.set_default_device(mx.cpu)


def add(op, attrs, a, out, note, source=NUMPY):
    c.add(op, attrs, {"a": a}, [("out", out)], compare="invariant", tol=(0, 0), check=op, note=note, source=source)


def partitions(a, kth, axis=-1, note=""):
    k = kth if kth >= 0 else kth + (a.size if axis is None else a.shape[axis])
    attrs = {"kth": kth, "axis": axis}
    add("partition", attrs, a, np.partition(a, k, axis=axis), note)
    add("argpartition", attrs, a, np.argpartition(a, k, axis=axis).astype(np.uint32), note)


def recordable(x):
    if x.dtype == mx.bfloat16:
        return bf16_words(np.array(x.view(mx.uint16)))
    return np.array(x)


def topk(a, k, axis=-1, note=""):
    a = mx.array(a)
    add("topk", {"k": k, "axis": axis}, recordable(a), recordable(mx.topk(a, k, axis=axis)), note, MLX)


special = np.array([3, np.nan, -0.0, 1, np.inf, 0.0, -np.nan, 1, -np.inf, -2, 0.0, -0.0, np.nan, 3], np.float64)
for t in (mx.float16, mx.bfloat16, mx.float32):
    for kth in (0, 4, 9, 12, -1):
        a = mx.array(special).astype(t)
        for op, f in (("partition", mx.partition), ("argpartition", mx.argpartition)):
            add(op, {"kth": kth, "axis": -1}, recordable(a), recordable(f(a, kth)), "NaN greatest, zeros equal", MLX)
for t in (np.float32, np.float64):
    partitions(special[special != 0].astype(t), 5, note="NaN greatest")
for t in (np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64):
    lowest = 0 if t == np.bool_ or np.issubdtype(t, np.unsignedinteger) else -5
    partitions(rng.integers(lowest, 9, (4, 5, 6)).astype(t), 2, axis=1, note="ties, an axis in the middle")
x = rng.standard_normal((3, 300)).astype(np.float32)
for axis, kth in ((1, 150), (0, -3), (None, 899), (None, 3)):
    partitions(x, kth, axis, note="more than a vector network holds")
z = (rng.integers(-2, 3, 60) + 1j * rng.integers(-2, 3, 60)).astype(np.complex64)
partitions(z, 29, note="by real, then imaginary part")
for t in (np.float16, np.float32, np.int32, np.uint8):
    y = rng.integers(0, 50, (3, 40)).astype(t)
    for k, axis in ((0, -1), (1, -1), (7, -1), (40, -1), (2, 0), (11, None)):
        topk(y, k, axis, note="ties")
topk(special.astype(np.float32), 4, note="NaN greatest")
topk(mx.array(special.astype(np.float32)).astype(mx.bfloat16), 5, note="NaN greatest")
topk(x, 100, note="many of many")
for op, name, values in (("partition", "kth", (3, -4)), ("argpartition", "kth", (3, -4)), ("topk", "k", (4, -1))):
    for v in values:
        c.error(op, {name: v, "axis": -1}, {"a": np.zeros((2, 3), np.float32)}, note="beyond the line", source=MLX)
    c.error(op, {name: 0, "axis": 2}, {"a": np.zeros((2, 3), np.float32)}, error="out_of_range",
            note="axis beyond the rank", source=MLX)
c.save()
