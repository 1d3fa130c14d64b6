"""Recorded gradients of dense pooling: windows of NumPy in binary64. (pip install numpy ml_dtypes)"""

import itertools
import pathlib
import sys

import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from windows import SHAPES, TYPES, close, windows  # noqa: E402

rng = np.random.default_rng(20250318)


def first_greatest(w):
    """The position of the first of the greatest, a NaN being greater than any number: numpy's rule."""
    return np.argmax(w, axis=-1)


def gradients(x, g, k, s, p, max_pool):
    """Each window gives its cotangent to what it took, or a share of it to all."""
    wide = np.pad(x.astype(np.float64), [(0, 0), *[(v, v) for v in p], (0, 0)], constant_values=-np.inf)
    dx = np.zeros(wide.shape)
    took = first_greatest(windows(x.astype(np.float64), k, s, p, -np.inf))
    taps = list(itertools.product(*[range(m) for m in k]))
    for at in np.ndindex(g.shape):
        for i, tap in enumerate(taps):
            if max_pool and took[at] != i:
                continue
            place = (at[0], *[o * v + t for o, v, t in zip(at[1:-1], s, tap)], at[-1])
            dx[place] += float(g[at]) / (1 if max_pool else len(taps))
    inner = [slice(v, n - v) for v, n in zip(p, dx.shape[1:-1])]
    return dx[(slice(None), *inner)]


c = Corpus("dense_pool_gradient", source=f"numpy {np.__version__}, sliding windows")
for extents, k, s, p in SHAPES:
    attrs = {"kernel_size": k, "stride": s, "padding": p}
    rank = len(extents)
    for t in TYPES:
        x = rng.integers(-2, 3, [2, *extents, 2]).astype(t)  # ties
        g = rng.integers(-9, 10, windows(x.astype(np.float64), k, s, p, 0).shape[:-1]).astype(t)
        c.add(f"dense_max_pool{rank}d_vjp", attrs, {"input": x, "cotangent": g},
              [("grad_input", gradients(x, g, k, s, p, True).astype(t))])
        g = rng.uniform(-1, 1, g.shape).astype(t)
        close(c, f"dense_avg_pool{rank}d_vjp", attrs, {"input": x, "cotangent": g}, "grad_input",
              gradients(x, g, k, s, p, False).astype(t))
x = np.array([1, np.nan, 3, np.nan, 5], np.float32).reshape(1, 5, 1)
g = np.array([1, 2, 4, 8], np.float32).reshape(1, 4, 1)
c.add("dense_max_pool1d_vjp", {"kernel_size": [2], "stride": [1]}, {"input": x, "cotangent": g},
      [("grad_input", np.array([0, 3, 0, 12, 0], np.float32).reshape(1, 5, 1))], note="NaN is taken")
c.error("dense_max_pool1d_vjp", {"kernel_size": [2]}, {"input": x, "cotangent": g}, note="another output's extent")
c.save()
