"""What the scripts of dense convolutions share: elements for MLX and back, and how values of binary64 are recorded."""

import ml_dtypes
import mlx.core as mx
import numpy as np

TYPES = {np.float16: mx.float16, ml_dtypes.bfloat16: mx.bfloat16, np.float32: mx.float32, np.float64: mx.float64}


def to_mlx(a):
    return mx.array(a.astype(np.float64).tolist(), dtype=TYPES[a.dtype.type]).reshape(a.shape)


def from_mlx(a, dtype):
    return np.array(a.astype(mx.float64)).astype(dtype)


def close(c, op, attrs, inputs, outputs, note):
    """Values of binary64, rounded once; routes are judged by the row's own bound."""
    tol = 1e-2 if outputs[0][1].dtype in (np.float16, ml_dtypes.bfloat16) else 1e-6
    c.add(op, attrs, inputs, outputs, compare="invariant", check="bound", tol=(tol, tol), note=note)
