"""Recorded distinct values: numpy's unique(equal_nan=False), cut or filled as MLX documents it; MLX's own answers where
NumPy has none. (pip install numpy mlx)"""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus, bf16_words  # noqa: E402

NUMPY, MLX = f"numpy {np.__version__}, unique(equal_nan=False)", f"mlx {mx.__version__}, CPU"
c = Corpus("unique", source=NUMPY)
rng = np.random.default_rng(20250119)
mx.set_default_device(mx.cpu)
NAMES = ("values", "indices", "inverse", "counts")


def exactly(a, note=""):
    """As many as there are."""
    v, index, inverse, counts = np.unique(a, return_index=True, return_inverse=True, return_counts=True,
                                          equal_nan=False)
    out = (v, index.astype(np.uint32), inverse.reshape(a.shape).astype(np.uint32), counts.astype(np.int32))
    c.add("unique", {"size": len(v), "fill_value": None}, {"a": a}, list(zip(NAMES, out)), note=note)


def recordable(x):
    return bf16_words(np.array(x.view(mx.uint16))) if x.dtype == mx.bfloat16 else np.array(x)


def sized(a, size, fill=None, note=""):
    out = mx.unique(a, size, return_index=True, return_inverse=True, return_counts=True, fill_value=fill)
    c.add("unique", {"size": size, "fill_value": fill}, {"a": recordable(a)},
          [(name, recordable(x)) for name, x in zip(NAMES, out)], note=note, source=MLX)


for t in (np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64):
    i = np.iinfo(t)
    exactly(np.concatenate([rng.integers(0, 9, 40).astype(t), np.array([i.min, i.max, i.max], t)]), "the ends too")
exactly(np.array([[True, False], [True, True]]))
for t in (np.float16, np.float32, np.float64):
    exactly(rng.integers(-6, 7, (5, 4, 3)).astype(t), "several axes")
    exactly(np.array([2, -np.inf, 1, np.inf, 1, 2, 5e-8, 1e-7], np.float64).astype(t), "infinities, subnormal halves")
exactly((rng.integers(-2, 3, 40) + 1j * rng.integers(-2, 3, 40)).astype(np.complex64), "by real, then imaginary part")
exactly(rng.integers(0, 300, 3000).astype(np.int32), "several tiles")
a = mx.array([[3, 1, 1], [2, 3, 5]])
for size, fill in ((0, None), (1, None), (3, None), (4, None), (6, None), (6, 9)):
    sized(a, size, fill, "cut, or filled")
sized(mx.array([float("nan"), 1, float("nan"), 0, -0.0]), 6, note="every NaN by itself")
sized(mx.array([float("nan"), 1, float("nan"), 0, -0.0]).astype(mx.bfloat16), 3, 2.5, "cut among NaN")
sized(mx.array([3, 1, 2], dtype=mx.uint8), 5, 2.75, "a fraction is truncated")
sized(mx.array([], dtype=mx.float32), 2, 7, "nothing but the fill")
sized(mx.array([], dtype=mx.float32), 0, note="nothing")
sized(mx.array([2j, 1, 2j, complex(0, float("nan"))]), 5, 4, "complex with a NaN part")
sized(mx.array([7.5]).reshape(()), 2, note="a scalar")
c.error("unique", {"size": -1, "fill_value": None}, {"a": np.float32([1])}, note="negative size", source=MLX)
c.error("unique", {"size": 2, "fill_value": None}, {"a": np.zeros(0, np.float32)}, note="nothing to fill with",
        source=MLX)
c.error("unique", {"size": 5, "fill_value": 300}, {"a": np.uint8([1])}, note="no u8", source=MLX)
c.save()
