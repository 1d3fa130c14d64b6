"""What the scripts of dense pooling share: windows, the shapes that are asked, and how means are recorded."""

import ml_dtypes
import numpy as np

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
