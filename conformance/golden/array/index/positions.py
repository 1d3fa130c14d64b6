"""What the scripts of this wing share: values of every dtype, indices from both ends."""

import ml_dtypes
import numpy as np

INTEGERS = [np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64]
REALS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
ALL = [np.bool_, *INTEGERS, *REALS, np.complex64]


def values(rng, shape, t):
    """Small whole numbers, so that sums and products of some are exact in every type; some of both signs."""
    if t == np.bool_:
        return rng.integers(0, 2, shape).astype(t)
    if t == np.complex64:
        return (rng.integers(-4, 5, shape) + 1j * rng.integers(-4, 5, shape)).astype(t)
    signed = np.dtype(t).kind != "u"
    return rng.integers(-4 if signed else 0, 5, shape).astype(np.float64).astype(t)


def indices(rng, shape, n, t=np.int32):
    signed = np.dtype(t).kind == "i"
    return rng.integers(-n if signed else 0, n, shape).astype(t)
