"""Recorded cases of the operations of one number: values of mpmath rounded once, and MLX on its CPU backend for what is
exact (pip install 'mlx[cpu]' numpy ml_dtypes mpmath)."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import INEXACT, REALS, VALUES, array, numbers, rounded, value  # noqa: E402

mx.set_default_device(mx.cpu)
mp.mp.dps = 60
c = Corpus("unary", source=f"mlx {mx.__version__}")

# Exact: the operation, the types that it takes.
EXACT = {
    "square": [n for n in VALUES if n != "complex64"], "negative": [n for n in VALUES if n != "bool_"],
    "abs": [n for n in VALUES if n != "complex64"], "sign": [n for n in VALUES if n != "complex64"],
    "conjugate": ["complex64"], "real": ["complex64"], "imag": ["complex64"],
    "floor": REALS, "ceil": REALS, "isnan": list(VALUES), "isinf": list(VALUES), "isfinite": list(VALUES),
    "isposinf": REALS, "isneginf": REALS, "logical_not": list(VALUES),
    "bitwise_invert": [n for n in VALUES if n not in INEXACT],
}
for op, names in EXACT.items():
    for n in names:
        x = array(n, VALUES[n] + ([2.5, -2.5, 3.5] if n in REALS and n in INEXACT else []))
        c.add(op, {}, {"x": value(x)}, [("out", value(getattr(mx, op)(x)))])
for n in REALS:  # MLX has none
    x = value(array(n, VALUES[n]))
    y = np.trunc(x.astype(np.float64)).astype(x.dtype) if n in INEXACT else x
    c.add("trunc", {}, {"x": x}, [("out", y)], source=f"numpy {np.__version__}")



def judged(op, x, y, note="", tol=0):
    """The oracle gives the exact value rounded once; of f64 it knows 64 bits before that."""
    c.add(op, {}, {"x": x}, [("out", y)], compare="invariant", check="bound", tol=(tol, 0), note=note,
          source=f"mpmath {mp.__version__}")


PI = mp.pi
FUNCTIONS = {
    "sqrt": (mp.sqrt, [0, 1, 2, 3, 1e-30, 6e20]), "rsqrt": (lambda x: 1 / mp.sqrt(x), [1, 2, 3, 4e-30, 6e20]),
    "exp": (mp.exp, [-80, -3, -0.25, 0, 1e-3, 1, 2.5, 60]), "expm1": (mp.expm1, [-80, -3, -1e-4, 0, 1e-6, 1, 2.5, 60]),
    "log": (mp.log, [1e-30, 0.5, 0.999, 1, 1.001, 10, 3e30]),
    "log2": (lambda x: mp.log(x, 2), [1e-30, 0.5, 1, 8, 10, 3e30]),
    "log10": (mp.log10, [1e-30, 0.5, 1, 10, 1000, 3e30]), "log1p": (mp.log1p, [-0.999, -1e-4, 0, 1e-6, 1, 1e10]),
    "sin": (mp.sin, [-1e4, -3, -1e-3, 0, 1, 3.140625, 1e10]), "cos": (mp.cos, [-1e4, -3, -1e-3, 0, 1, 1.5703125, 1e10]),
    "tan": (mp.tan, [-1e4, -3, -1e-3, 0, 1, 1.5703125, 1e10]), "arcsin": (mp.asin, [-1, -0.5, -1e-3, 0, 0.999, 1]),
    "arccos": (mp.acos, [-1, -0.5, -1e-3, 0, 0.999, 1]), "arctan": (mp.atan, [-1e10, -1, -1e-3, 0, 0.5, 3]),
    "sinh": (mp.sinh, [-60, -1, -1e-3, 0, 0.5, 3]), "cosh": (mp.cosh, [-60, -1, -1e-3, 0, 0.5, 3]),
    "tanh": (mp.tanh, [-60, -1, -1e-3, 0, 0.5, 3]), "arcsinh": (mp.asinh, [-1e10, -1, -1e-3, 0, 0.5, 3]),
    "arccosh": (mp.acosh, [1, 1.001, 2, 1e10]), "arctanh": (mp.atanh, [-0.999, -0.5, -1e-3, 0, 0.25]),
    "erf": (mp.erf, [-4, -1, -1e-3, 0, 0.5, 3]), "erfinv": (mp.erfinv, [-0.999, -0.5, -1e-3, 0, 0.25, 0.875]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), [-80, -3, 0, 0.5, 20]),
    "degrees": (lambda x: x * 180 / PI, [-7, 0, 0.5, 3]), "radians": (lambda x: x * PI / 180, [-360, 0, 0.5, 90]),
}
for op, (f, points) in FUNCTIONS.items():
    for n in ["float16", "bfloat16", "float32", "float64"]:
        x = numbers(n, points)
        x = x[np.isfinite(x) & ((x != 0) == (np.array(points) != 0))]  # what the type holds
        judged(op, x, rounded(n, [f(mp.mpf(float(v))) for v in x]), tol=3e-16 if n == "float64" else 0)
    whole = [p for p in points if p == int(p) and abs(p) < 100]
    if whole:
        out = rounded("float32", [f(mp.mpf(p)) for p in whole])
        judged(op, np.array(whole, np.int32), out, "whole numbers give f32")

Z = np.array([1 + 2j, -0.5j, 3 - 4j, 0.1 - 0.1j, -1e-3 + 20j, 2 + 0j], np.complex64)
PAIRS = {"square": lambda z: z * z, "sign": lambda z: z / abs(z), "exp": mp.exp}
for op, f in PAIRS.items():
    judged(op, Z, rounded("complex64", [f(mp.mpc(complex(z))) for z in Z]))
OF_PLANE = ["sqrt", "rsqrt", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh",
            "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "degrees", "radians"]
PLANE = np.array([0.3 + 0.7j, -2 + 0.5j, 1e-3 - 2j, 3 - 4j, -0.25 - 1e-4j, 1 + 1e-6j, -1 + 0.001j, 1e-20 + 1e-18j,
                  0.5 + 30j, -30 + 1j, 1e15 - 2e14j, 1 + 2j, -1.0001 - 1e-5j], np.complex64)
for op in OF_PLANE:
    f = FUNCTIONS[op][0]
    z = PLANE[np.abs(PLANE) < 50] if op in ("sinh", "cosh", "sin", "cos") else PLANE
    judged(op, z, rounded("complex64", [mp.mpc(f(mp.mpc(complex(v)))) for v in z]))
judged("abs", Z, rounded("float32", [abs(mp.mpc(complex(z))) for z in Z]))
c.error("negative", {}, {"x": np.array([True])}, error="invalid_argument", note="no negative of bool")
c.error("bitwise_invert", {}, {"x": np.array([1.0], np.float32)}, error="invalid_argument", note="no bits of floats")
c.save()
