"""Recorded ranges and windows. Whole numbers: Python's range. Real ones: mpmath with 60 digits, rounded once.
(pip install numpy mpmath ml_dtypes)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mpmath.mp.dps = 60
BF16 = np.dtype(ml_dtypes.bfloat16)
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
TAGS = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16",
        "int32": "I32", "int64": "I64", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64"}

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
given = {"start": 0, "stop": 4, "step": 0, "dtype": None}
c.error("arange", given, {}, note="step 0")
c.error("arange", given | {"step": 1, "dtype": "BOOL"}, {}, note="bool does not count")
c.error("linspace", {"start": 0.0, "stop": 1.0, "num": -1, "endpoint": True, "dtype": "F32"}, {}, note="negative count")
c.save()
