"""Recorded dense pooling: windows of NumPy in binary64. (pip install numpy ml_dtypes)"""

import pathlib
import sys

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

rng = np.random.default_rng(20250318)
TYPES = [np.float32, np.float16, ml_dtypes.bfloat16, np.float64]


def windows(x, k, s, p, fill):
    """[N, out.., C, taps] of x [N, .., C], taps in row-major order."""
    x = np.pad(x, [(0, 0), *[(v, v) for v in p], (0, 0)], constant_values=fill)
    spatial = tuple(range(1, x.ndim - 1))
    w = np.lib.stride_tricks.sliding_window_view(x, k, spatial)
    w = w[(slice(None), *[slice(None, None, v) for v in s])]
    return w.reshape(*w.shape[:x.ndim], -1)


SHAPES = [([7], [3], [2], [0]), ([6], [2], [2], [1]), ([5, 6], [3, 2], [1, 2], [1, 1]),
          ([4, 4], [2, 2], [2, 2], [0, 0]),
          ([3, 4, 5], [2, 3, 2], [1, 1, 2], [1, 1, 0])]


def close(c, op, attrs, inputs, name, want):
    tol = 1e-2 if want.dtype in (np.float16, ml_dtypes.bfloat16) else 1e-6
    c.add(op, attrs, inputs, [(name, want)], compare="invariant", check="bound", tol=(tol, tol))


c = Corpus("dense_pool", source=f"numpy {np.__version__}, sliding windows")
for extents, k, s, p in SHAPES:
    attrs = {"kernel_size": k, "stride": s, "padding": p}
    rank = len(extents)
    for t in TYPES:
        x = rng.uniform(-1, 1, [2, *extents, 3]).astype(t)
        wide = x.astype(np.float64)
        c.add(f"dense_max_pool{rank}d", attrs, {"input": x},
              [("out", np.max(windows(wide, k, s, p, -np.inf), -1).astype(t))])
        close(c, f"dense_avg_pool{rank}d", attrs, {"input": x}, "out",
              np.mean(windows(wide, k, s, p, 0), -1).astype(t))
x = np.array([-1, -0.0, 0.0, np.nan, 2, -np.inf, -np.inf, -np.inf, 3], np.float32).reshape(1, 9, 1)
attrs = {"kernel_size": [2], "stride": [1], "padding": [0]}
c.add("dense_max_pool1d", attrs, {"input": x}, [("out", np.max(windows(x, [2], [1], [0], -np.inf), -1))],
      note="zeros, NaN and infinities")
attrs = {"kernel_size": [2], "stride": [1], "padding": [3]}
c.add("dense_max_pool1d", attrs, {"input": -np.ones((1, 2, 1), np.float32)},
      [("out", np.array([-np.inf, -np.inf, -1, -1, -1, -np.inf, -np.inf], np.float32).reshape(1, 7, 1))],
      note="windows wholly in padding")
c.add("dense_avg_pool1d", attrs, {"input": np.ones((1, 2, 1), np.float32)},
      [("out", np.array([0, 0, .5, 1, .5, 0, 0], np.float32).reshape(1, 7, 1))], note="padding counts")
c.error("dense_max_pool1d", {"kernel_size": [4]}, {"input": np.ones((1, 3, 1), np.float32)})
c.error("dense_avg_pool2d", {"kernel_size": [2, 2, 2]}, {"input": np.ones((1, 3, 3, 1), np.float32)})
c.save()
