"""Recorded places in sorted sequences: numpy's searchsorted, MLX's for its own promotions. (pip install numpy mlx)"""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus, bf16_words  # noqa: E402

NUMPY, MLX = f"numpy {np.__version__}", f"mlx {mx.__version__}, CPU"
c = Corpus("search", source=NUMPY)
rng = np.random.default_rng(20250118)
mx.set_default_device(mx.cpu)


def add(sequence, values, note=""):
    for side in ("left", "right"):
        out = np.searchsorted(sequence, values, side=side).astype(np.uint32)
        c.add("searchsorted", {"side": side}, {"sequence": sequence, "values": values}, [("out", out)], note=note)


def recordable(x):
    return bf16_words(np.array(x.view(mx.uint16))) if x.dtype == mx.bfloat16 else np.array(x)


def promoted(sequence, values, note):
    for side in ("left", "right"):
        out = np.array(mx.searchsorted(sequence, values, side=side))
        c.add("searchsorted", {"side": side}, {"sequence": recordable(sequence), "values": recordable(values)},
              [("out", out.astype(np.uint32))], note=note, source=MLX)


ends = np.array([-np.inf, -2, -2, -0.0, 0.0, 0.0, 1, 1, 7, np.inf, np.inf, np.nan, np.nan], np.float64)
asked = np.array([[-np.inf, -3, -2, -1], [-0.0, 0.0, 1, 2], [7, 8, np.inf, np.nan]], np.float64)
for t in (np.float16, np.float32, np.float64):
    add(ends.astype(t), asked.astype(t), "NaN last and equal to NaN, zeros equal")
for t in (np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64):
    i = np.iinfo(t)
    s = np.sort(np.concatenate([rng.integers(0, 40, 30).astype(t), np.array([i.min, i.max, i.max], t)]))
    add(s, np.concatenate([rng.integers(0, 41, 20).astype(t), np.array([i.min, i.max], t)]), "ends of the type")
add(np.array([False, False, True]), np.array([True, False]))
z = np.sort((rng.integers(-2, 3, 40) + 1j * rng.integers(-2, 3, 40)).astype(np.complex64))
add(z, (rng.integers(-3, 4, 15) + 1j * rng.integers(-3, 4, 15)).astype(np.complex64), "by real, then imaginary part")
add(np.sort(rng.standard_normal(1500)).astype(np.float32), rng.standard_normal((20, 20)).astype(np.float32), "many")
add(np.zeros(0, np.float32), np.float32([1, 2]), "nowhere to look")
add(np.float32([1, 2]), np.zeros((0, 3), np.float32), "nothing to look for")
add(np.float32([1, 2]), np.float32(2), "a scalar")
whole = mx.array(np.arange(-5, 30, 2, dtype=np.int32))
promoted(whole, mx.array([-5.5, -5, 0.25, 1, 28.9, 40]), "i32 and f32")
promoted(mx.array([0.5, 2, 2, 3.5]).astype(mx.float16), mx.array([0, 2, 3, 4], dtype=mx.uint8), "f16 and u8")
promoted(mx.array([0.5, 2, 2, 3.5]).astype(mx.bfloat16), mx.array([0.5, 2, 3.25]).astype(mx.float16), "bf16 and f16")
promoted(mx.array([1, 2, 3]).astype(mx.float32), mx.array([2 + 0j, 2 + 1j, 2 - 1j]), "f32 and c64")
for attrs, s, note in (({"side": "middle"}, np.float32([1, 2]), "no such side"),
                       ({"side": "left"}, np.zeros((2, 2), np.float32), "a sequence has one axis")):
    c.error("searchsorted", attrs, {"sequence": s, "values": np.float32([1])}, note=note, source=MLX)
c.save()
