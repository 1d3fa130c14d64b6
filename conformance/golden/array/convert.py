"""Recorded conversions: NumPy and ml_dtypes, which round once (pip install 'mlx[cpu]' numpy ml_dtypes mpmath)."""

import pathlib
import sys
import warnings

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import TAGS, Corpus  # noqa: E402

c = Corpus("convert", source=f"numpy {np.__version__}, ml_dtypes {ml_dtypes.__version__}")
warnings.simplefilter("ignore")  # of what overflows to infinity, and of parts that go

TYPES = {name: np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name) for name in TAGS}
FLOATS = ["float16", "bfloat16", "float32", "float64"]
WHOLE = [n for n in TYPES if "int" in n]


def cast(a, to, note=""):
    c.add("astype", {"dtype": TAGS[to]}, {"a": a}, [("out", a.astype(TYPES[to]))], note=note)


for n in WHOLE:
    i = np.iinfo(n)
    a = np.array([i.min, i.max, 0, 1, 100, i.max // 3], n)
    for to in WHOLE:
        cast(a, to, "modulo 2^bits")
    for to in ["float16", "float32", "float64", "complex64", "bool"]:
        cast(a, to)
for n in FLOATS:
    a = np.array([0.0, -0.0, 1.9, -1.9, 2.5, 100.7, -100.7, 1e-7], np.float64).astype(TYPES[n])
    for to in WHOLE:
        cast(np.abs(a) if to.startswith("u") else a, to, "towards zero")
    special = np.array([0.1, 65519, 65520, 6e-8, 1e-8, 3.4e38, 1e-40, np.inf, -np.inf, np.nan, -0.0, 5e-324],
                       np.float64).astype(TYPES[n])
    for to in ["bool", "float32", "float64", "complex64"]:
        cast(special, to)
    if n in ("float32", "float16"):
        cast(special, "float16"), cast(special, "bfloat16")
# Between two halves, a little above: what f32 as a step between would lose.
close = np.array([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-11 - 2.0**-40, -(1 + 2.0**-11 + 2.0**-50), 2049.0000001])
cast(close, "float16", "rounded once")
for n in ["uint64", "int64"]:
    a = np.array([2**53 + 1, 2**62 + 2**38 + 1, 2**62 + 2**38, 16777217, 16777219, 2**40 + 2**16 + 1], n)
    cast(a, "float32", "rounded once")
z = np.array([2 + 3j, -1.5 - 2j, 1j, 0, complex(np.nan, 1)], np.complex64)
cast(z, "bool", "either part")
cast(z, "float32", "the real part"), cast(z, "float64", "the real part")
# Undefined in C and upstream, so as the row has it: beyond the range its end, NaN to 0.
for to in ["int8", "uint8", "int32", "uint32"]:
    i, x = np.iinfo(to), [1e10, -1e10, np.inf, -np.inf, np.nan, 300.5, -300.5]
    out = [0 if v != v else i.max if v > i.max else i.min if v < i.min else int(v) for v in x]
    c.add("astype", {"dtype": TAGS[to]}, {"a": np.array(x, np.float32)}, [("out", np.array(out, to))],
          note="beyond the range", source="Python")
c.error("astype", {}, {"a": z}, note="no dtype")

codes = np.arange(256, dtype=np.uint8)
e4m3 = codes.view(ml_dtypes.float8_e4m3fn)
for to in FLOATS:
    c.add("from_fp8", {"dtype": TAGS[to]}, {"x": codes}, [("out", e4m3.astype(TYPES[to]))], note="every code")
c.error("from_fp8", {"dtype": "I32"}, {"x": codes}, note="codes stand for real numbers")
rng = np.random.default_rng(20260)
for n in FLOATS[:3]:
    x = np.concatenate([np.ldexp(rng.uniform(-1, 1, 200), rng.integers(-12, 10, 200)), e4m3.astype(np.float64)[:126],
                        [0.0, -0.0, 2.0**-10, 3 * 2.0**-10, -(2.0**-10), 17.0, 19.0, 432, -440]]).astype(TYPES[n])
    x = x[np.abs(x.astype(np.float64)) < 448]  # beyond, ml_dtypes has NaN
    c.add("to_fp8", {}, {"x": x}, [("out", x.astype(ml_dtypes.float8_e4m3fn).view(np.uint8))], note="ties to even")
    y = np.array([448, 449, 465, 1e4, np.inf, -np.inf, -500], np.float64).astype(TYPES[n])
    out = np.where(y < 0, 0xfe, 0x7e).astype(np.uint8)
    c.add("to_fp8", {}, {"x": y}, [("out", out)], note="the largest number", source="OCP E4M3, saturating")
c.error("to_fp8", {}, {"x": codes}, note="whole numbers")
c.save()
