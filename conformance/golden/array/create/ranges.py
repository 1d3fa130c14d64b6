"""Recorded ranges and windows. Whole numbers: Python's range. Real ones: mpmath with 60 digits, rounded once.
Evenly spaced whole ones: rounded operations of numpy, and MLX beside.
(pip install 'mlx[cpu]' numpy mpmath ml_dtypes)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mlx.core as mx
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
TAGS = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16",
        "int32": "I32", "int64": "I64", "bool": "BOOL", "uint8": "U8", "uint16": "U16", "uint32": "U32",
        "uint64": "U64"}

mx.set_default_device(mx.cpu)
c = Corpus("ranges", source=f"mpmath {mpmath.__version__}, Python fractions")


def rounded(values, t):
    return np.array([float(v) for v in values]).astype(t)


def tolerance(t, size, steps):
    """Rounded to the type, after so many roundings of binary32 (binary64) of a number of that size."""
    return (2 * ROUNDOFF[t.name], steps * ROUNDOFF["float64" if t == np.float64 else "float32"] * size)


def whole(start, stop, step, t=None, note=""):
    values = np.array(range(start, stop, step), np.int64)
    given = {"start": start, "stop": stop, "step": step, "dtype": TAGS[t] if t else None}
    fits = all(-2**31 <= v < 2**31 for v in (start, stop, step))
    c.add("arange", given, {}, [("out", values.astype(t or ("int32" if fits else "int64")))], note=note)


def real(start, stop, step, t=None, note=""):
    kind = BF16 if t == "bfloat16" else np.dtype(t or "float32")
    n = max(0, -((Fraction(start) - Fraction(stop)) // Fraction(step)))
    values = [Fraction(start) + i * Fraction(step) for i in range(int(n))]
    size = max([abs(float(v)) for v in values] + [abs(start)])
    c.add("arange", {"start": start, "stop": stop, "step": step, "dtype": TAGS[t] if t else None}, {},
          [("out", rounded(values, kind))], compare="close", tol=tolerance(kind, size, 6), note=note)


def evenly(start, stop, num, endpoint, t="float32"):
    kind = BF16 if t == "bfloat16" else np.dtype(t)
    d = max(1, num - endpoint)
    values = [(Fraction(start) * (d - i) + Fraction(stop) * i) / d for i in range(num)]
    c.add("linspace", {"start": start, "stop": stop, "num": num, "endpoint": endpoint, "dtype": TAGS[t]}, {},
          [("out", rounded(values, kind))], compare="close", tol=tolerance(kind, abs(start) + abs(stop), 12))


def whole_spaced(start, stop, num, endpoint, t, mlx=True):
    """Truncated from rounded values; MLX's own wherever nothing leaves the type."""
    i, d = np.arange(num, dtype=np.float32), np.float32(max(1, num - endpoint))
    v = (np.float32(1) - i / d) * np.float32(start) + i / d * np.float32(stop)
    if t == "bool":
        y = v != 0
    else:
        low, high = np.iinfo(t).min, np.iinfo(t).max
        y = np.array([min(max(int(x), low), high) for x in v.tolist()], t)
    if mlx:
        own = mx.linspace(start, stop, num=num, endpoint=endpoint, dtype=getattr(mx, "bool_" if t == "bool" else t))
        assert np.array_equal(np.array(own), y), (start, stop, num, t)
    c.add("linspace", {"start": start, "stop": stop, "num": num, "endpoint": endpoint, "dtype": TAGS[t]}, {},
          [("out", y)], note="whole numbers")


def window(name, m):
    def value(n):
        if m == 1:
            return mpmath.mpf(1)
        t = 2 * mpmath.pi * n / (m - 1)
        return {"bartlett": lambda: 1 - abs(mpmath.mpf(2 * n) / (m - 1) - 1),
                "hanning": lambda: (1 - mpmath.cos(t)) / 2,
                "hamming": lambda: mpmath.mpf("0.54") - mpmath.mpf("0.46") * mpmath.cos(t),
                "blackman": lambda: mpmath.mpf("0.42") - mpmath.cos(t) / 2 + mpmath.mpf("0.08") * mpmath.cos(2 * t)
                }[name]()

    y = rounded([value(n) for n in range(max(0, m))], np.float32)
    # An angle of at most pi, 8 roundings; cosines of 4 ulps; constants, products and sums.
    c.add(name, {"M": m}, {}, [("out", y)], compare="close", tol=(2.0**-22, 32 * 2.0**-24))


for t in [None, "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32"]:
    whole(2, 23, 4, t)
whole(3, -9, -5)
whole(5, 5, 1, note="empty")
whole(0, 3 * 10**9, 10**9, note="64 bits")
for t in [None, "float16", "bfloat16", "float32", "float64"]:
    real(0.0, 1.0, 0.1, t, note="start + i step, not a sum")
    real(2.0, -1.0, -0.375, t)
    for endpoint in (True, False):
        evenly(-1.0, 2.5, 9, endpoint, t or "float32")
for num in [0, 1, 2]:
    evenly(3.0, 7.0, num, True)
for name in ["bartlett", "hanning", "hamming", "blackman"]:
    for m in [-1, 0, 1, 2, 3, 4, 8, 33]:
        window(name, m)
for t in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    for endpoint in (True, False):
        whole_spaced(0.0, 10.0, 7, endpoint, t)
        whole_spaced(1.5, 0.25, 11, endpoint, t)
        whole_spaced(3.0, 100.0, 50, endpoint, t)
whole_spaced(-5.0, 5.0, 4, True, "int8")
whole_spaced(0.0, 16777216.0, 4, True, "int32")
whole_spaced(0.0, 1099511627776.0, 5, True, "int64")
whole_spaced(0.0, 300.0, 4, True, "uint8", mlx=False)
whole_spaced(-4.0, 4.0, 5, True, "uint16", mlx=False)
whole_spaced(0.0, 2147483647.0, 3, True, "int32", mlx=False)
given = {"start": 0, "stop": 4, "step": 0, "dtype": None}
c.error("arange", given, {}, note="step 0")
c.error("arange", given | {"step": 1, "dtype": "BOOL"}, {}, note="bool does not count")
c.error("linspace", {"start": 0.0, "stop": 1.0, "num": -1, "endpoint": True, "dtype": "F32"}, {}, note="negative count")
c.save()
