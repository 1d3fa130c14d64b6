"""Recorded traces: NumPy's of whole numbers, exact rationals of reals. (pip install numpy ml_dtypes)"""

import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

rng = np.random.default_rng(41)
BF16 = np.dtype(ml_dtypes.bfloat16)
WIDE = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
c = Corpus("trace", source=f"numpy {np.__version__}, Python fractions")


def attributes(offset=0, axis1=0, axis2=1):
    return {"offset": offset, "axis1": axis1, "axis2": axis2}


def whole(a, note="", **at):
    to = WIDE.get(a.dtype.name, a.dtype.name)
    c.add("trace", attributes(**at), {"a": a}, [("out", np.asarray(np.trace(a.astype(to), **at, dtype=to)))], note=note)


def real(a, note="", **at):
    d = np.diagonal(a, **at)
    exact = np.zeros(d.shape[:-1], object)
    for i in np.ndindex(*exact.shape):
        exact[i] = sum((Fraction(float(v)) for v in d[i]), Fraction(0))
    size = max([float(sum(abs(Fraction(float(v))) for v in d[i])) for i in np.ndindex(*exact.shape)], default=0.0)
    out = np.vectorize(float, otypes=[np.float64])(exact).astype(a.dtype)
    u = ROUNDOFF["float64" if a.dtype == np.float64 else "float32"]
    c.add("trace", attributes(**at), {"a": a}, [("out", np.asarray(out))], compare="close",
          tol=(2 * ROUNDOFF[a.dtype.name], d.shape[-1] * u * size), note=note)


for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    a = rng.integers(0, 2, (4, 5)).astype(bool) if name == "bool" else rng.integers(0, 100, (4, 5)).astype(name)
    whole(a, note="output dtype")
whole(np.full((4, 4), 100, np.int8), note="beyond the range of the elements")
whole(np.full((3, 3), 2**31 - 1, np.int32), note="wraps")
for name in ["float16", BF16, "float32", "float64"]:
    a = rng.standard_normal((5, 7)).astype(name)
    for offset in (0, 2, -3, 9):
        real(a, offset=offset)
    real(rng.standard_normal((3, 4, 5)).astype(name), axis1=2, axis2=0, offset=1)
z = (rng.integers(-9, 9, (4, 4)) + 1j * rng.integers(-9, 9, (4, 4))).astype(np.complex64)
c.add("trace", attributes(), {"a": z}, [("out", np.asarray(np.trace(z)))], note="whole parts: exact")
c.error("trace", attributes(axis2=2), {"a": np.zeros((2, 3), np.float32)}, error="out_of_range")
c.error("trace", attributes(axis1=1), {"a": np.zeros((2, 3), np.float32)})
c.error("trace", attributes(), {"a": np.zeros(3, np.float32)})
c.save()
