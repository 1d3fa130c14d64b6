"""Recorded dense pooling: windows of NumPy in binary64. (pip install numpy ml_dtypes)"""

import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from windows import SHAPES, TYPES, close, windows  # noqa: E402

rng = np.random.default_rng(20250318)


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
