"""What the scripts of scalar operations share: values at the ends of each type, and numbers of mpmath rounded once."""

import ml_dtypes
import mlx.core as mx
import mpmath as mp
import numpy as np

VALUES = {
    "bool_": [True, False], "uint8": [0, 1, 200, 255], "uint16": [0, 1, 40000, 65535],
    "uint32": [0, 1, 3000000000, 4294967295], "uint64": [0, 1, 2**40, 2**64 - 1], "int8": [-128, -1, 0, 100, 127],
    "int16": [-32768, -1, 0, 300, 32767], "int32": [-2**31, -1, 0, 70000, 2**31 - 1],
    "int64": [-2**63, -1, 0, 2**40, 2**63 - 1], "float16": [0.1, -65504.0, 6e-8, np.inf, np.nan, -0.0],
    "bfloat16": [0.1, 3.0e38, 1e-40, -np.inf, np.nan], "float32": [0.1, 3.0e38, 1e-45, np.nan, -np.inf, 0.0],
    "float64": [0.1, 1e300, 5e-324, -0.0, np.nan, np.inf],
    "complex64": [1 + 2j, -0.5j, 3 - 4j, 0.1 - 0.1j, 0j, complex(np.nan, 1), complex(1, np.inf)],
}
INEXACT = ["float16", "bfloat16", "float32", "float64", "complex64"]
REALS = [n for n in VALUES if n != "complex64"]


def numbers(name, points):
    return np.array(points, ml_dtypes.bfloat16 if name == "bfloat16" else name.rstrip("_"))


def array(name, points):
    exact = numbers(name, points)
    if name == "bfloat16":
        return mx.array(exact.view(np.uint16)).view(mx.bfloat16)
    return mx.array(exact, dtype=getattr(mx, name))


def value(a):
    """The same array for NumPy."""
    if a.dtype == mx.bfloat16:
        return np.array(a.view(mx.uint16)).view(ml_dtypes.bfloat16)
    return np.array(a)


def once(name, x):
    """A number of mpmath rounded to nearest even, from all of its digits."""
    bits, least = {"float16": (11, -24), "bfloat16": (8, -133), "float32": (24, -149), "float64": (53, -1074)}[name]
    x = mp.mpf(x)
    if x == 0 or not mp.isfinite(x):
        return float(x)
    step = mp.mpf(2) ** max(mp.floor(mp.log(abs(x), 2)) + 1 - bits, least)
    return float(mp.nint(x / step) * step)


def rounded(name, values):
    if name == "complex64":
        return np.array([complex(once("float32", v.real), once("float32", v.imag)) for v in values], np.complex64)
    return numbers(name, [once(name, v) for v in values])
