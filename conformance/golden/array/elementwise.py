"""Recorded cases of the elementwise family, computed by MLX on its CPU backend (pip install 'mlx[cpu]' numpy
ml_dtypes mpmath), far complex reciprocals by mpmath."""

import pathlib
import sys

import mlx.core as mx
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import array, value  # noqa: E402

mx.set_default_device(mx.cpu)

NAMES = ["bool_", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16",
         "float32", "float64", "complex64"]
VALUES = {
    "bool_": [True, False, True, False],
    "uint8": [0, 1, 200, 255], "uint16": [0, 1, 40000, 65535], "uint32": [0, 1, 3000000000, 4294967295],
    "uint64": [0, 1, 2**40, 2**64 - 1],
    "int8": [-128, -1, 100, 127], "int16": [-32768, -1, 300, 32767], "int32": [-2**31, -1, 70000, 2**31 - 1],
    "int64": [-2**63, -1, 2**40, 2**63 - 1],
    "float16": [0.1, -65504.0, 6e-8, np.inf], "bfloat16": [0.1, 3.0e38, 1e-40, -np.inf],
    "float32": [0.1, 3.0e38, 1e-45, np.nan], "float64": [0.1, 1e300, 5e-324, -0.0],
    "complex64": [1 + 2j, -0.5j, 3e38 + 1j, 0.1 - 0.1j],
}
SMALL = [3, 1, 2, 0]


def record(c, a, b, note=""):
    c.add("add", {}, {"a": value(a), "b": value(b)}, [("out", value(mx.add(a, b)))], note=note)


c = Corpus("elementwise", source=f"mlx {mx.__version__}")
for n in NAMES:
    record(c, array(n, VALUES[n]), array(n, VALUES[n][::-1]), note="wraps, overflows, rounds once")
for n, m in [("bool_", "uint8"), ("bool_", "float16"), ("uint8", "int8"), ("uint16", "int16"), ("uint32", "int32"),
             ("uint64", "int8"), ("uint64", "int64"), ("int32", "float16"), ("int64", "bfloat16"),
             ("float16", "bfloat16"),
             ("float16", "float32"), ("bfloat16", "float64"), ("int32", "complex64"), ("float64", "complex64")]:
    record(c, array(n, VALUES[n][:2] + SMALL[:2]), array(m, SMALL), note="promotion")
for s, t in [((), (3,)), ((3, 1), (1, 4)), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)), ((1,), (0,)), ((1, 1, 2), (2,))]:
    a = mx.array(np.arange(int(np.prod(s)), dtype=np.float32) / 7).reshape(s)
    b = mx.array(np.arange(int(np.prod(t)), dtype=np.float32) * 1e7).reshape(t)
    record(c, a, b, note="broadcasting")
for n in NAMES[:-1]:
    x = array(n, VALUES[n] + [1, 0])
    c.add("reciprocal", {}, {"x": value(x)}, [("out", value(mx.reciprocal(x)))], note="one rounding")
c.add("reciprocal", {}, {"x": np.array([-0.0, 0.0, 49.0, 1e-45, -np.inf], np.float32)},
      [("out", np.array([-np.inf, np.inf, 0.020408163, np.inf, -0.0], np.float32))], signed_zero=True,
      note="signs of zero and infinity, worked by hand")
ordinary = np.random.default_rng(324).uniform(-2, 2, (40, 2)).astype(np.float32).view(np.complex64)[:, 0]
c.add("reciprocal", {}, {"x": ordinary}, [("out", value(mx.reciprocal(mx.array(ordinary))))], compare="close",
      tol=(1e-6, 0), note="complex")
axes = np.array([2, -4, 0.5j, -8j, 1 + 1j, 3 - 4j], np.complex64)
c.add("reciprocal", {}, {"x": axes}, [("out", value(mx.reciprocal(mx.array(axes))))], compare="close", tol=(3e-7, 0),
      note="complex, on and off the axes")
# Parts that differ by up to 2^80, squares beyond float32: quotients of 100 digits, rounded once.
mp.mp.dps = 100
far = (np.random.default_rng(325).uniform(1, 2, (60, 2)) * 2.0 ** np.random.default_rng(326).integers(-40, 41, (60, 2))
       * np.repeat(2.0 ** np.array([-80, 0, 80]), 20)[:, None]).astype(np.float32)
quotients = [1 / mp.mpc(float(a), float(b)) for a, b in far]
exact = np.array([[float(q.real), float(q.imag)] for q in quotients]).astype(np.float32)
c.add("reciprocal", {}, {"x": far.view(np.complex64)[:, 0]}, [("out", exact.view(np.complex64)[:, 0])],
      compare="close", tol=(1.2e-7, 0),
      note="complex, of any size", source=f"mpmath {mp.__version__}")
zeros = np.array([complex(0, 0), complex(-0.0, 0)], np.complex64)
c.add("reciprocal", {}, {"x": zeros}, [("out", value(mx.reciprocal(mx.array(zeros))))],
      note="1/(0+0i) = inf+NaN i, inf with the sign of the real part")
inf = np.inf
ends = np.array([complex(inf, 1), complex(-inf, 1), complex(1, inf), complex(-1, -inf), complex(inf, -inf),
                 complex(-inf, np.nan),
                 complex(np.nan, inf), complex(np.nan, 1), complex(1, np.nan)], np.complex64)
c.add("reciprocal", {}, {"x": ends}, [("out", value(mx.reciprocal(mx.array(ends))))],
      note="an infinite part gives 0, else a NaN gives NaN")
three, four = np.zeros(3, np.float32), np.zeros(4, np.float32)
c.error("add", {}, {"a": three, "b": four}, error="invalid_argument", note="sizes 3 and 4")
c.error("add", {}, {"a": np.zeros((3, 4), np.float32), "b": three}, error="invalid_argument",
        note="axes align at the last")
c.save()
