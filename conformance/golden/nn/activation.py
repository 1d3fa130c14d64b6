"""Recorded activations: values of mpmath rounded once, which know nothing of how a route computes them; whole numbers
and what is exact by MLX's own layers (pip install 'mlx[cpu]' numpy ml_dtypes mpmath)."""

import pathlib
import sys

import mlx.core as mx
import mlx.nn as nn
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402
from scalars import array, numbers, rounded, value  # noqa: E402

mx.set_default_device(mx.cpu)
mp.mp.dps = 400  # e^-700 beside 1
c = Corpus("activation", source=f"mpmath {mp.__version__}")

POINTS = {
    "float16": [0.1, -0.1, 1.5, -1.5, 3, -3, 7.25, -7.25, 40, -12.5, 1e-3, 600.5, -0.0],
    "bfloat16": [0.1, -0.1, 1.5, -1.5, 3, -3, 7.25, -7.25, 40, -80.5, 1e-20, 1e30, -0.0],
    "float32": [0.1, -0.1, 1.5, -1.5, 3, -3, 7.25, -7.25, 20.5, -20.5, -85.5, 1e-30, -1e-8, 3e37, -0.0],
    "float64": [0.1, -0.1, 1.5, -1.5, 3, -3.125, 7.25, -7.25, 40, -40.5, -700.5, 1e-200, -1e-12, 3e300, -0.0],
}


def softplus(x):
    return mp.log1p(mp.exp(x))


def gelu_approx(x):
    return x * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))) / 2


FUNCTIONS = {
    "softsign": lambda x: x / (1 + abs(x)),
    "hardswish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "softplus": softplus,
    "log_sigmoid": lambda x: -softplus(-x),
    "mish": lambda x: x * mp.tanh(softplus(x)),
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "gelu_approx": gelu_approx,
    "gelu_fast_approx": lambda x: x / (1 + mp.exp(-mp.mpf("1.702") * x)),
}
WITH_ALPHA = {
    "elu": lambda x, a: x if x > 0 else a * mp.expm1(x),
    "celu": lambda x, a: x if x > 0 else a * mp.expm1(x / a),
    "leaky_relu": lambda x, a: max(a * x, x),
    "hard_shrink": lambda x, a: x if abs(x) > a else mp.mpf(0),
    "softshrink": lambda x, a: x - mp.sign(x) * a if abs(x) > a else mp.mpf(0),
}
NAMES = {"leaky_relu": "negative_slope", "hard_shrink": "lambd", "softshrink": "lambd"}

def bounded(op, attrs, x, y):
    """The oracle gives the exact value rounded once, each route what its bound allows."""
    c.add(op, attrs, {"x": x}, [("out", y)], compare="invariant", check="bound", tol=(0, 0))


# Large arguments to e^x, cosh and the like need digits that mpmath has no end of: they are 0 or infinite long before.
LEAST = {"float16": -30, "bfloat16": -200, "float32": -200, "float64": -800}
for n, points in POINTS.items():
    x = numbers(n, points)
    exact = [mp.mpf(float(v)) for v in x]
    for op, f in FUNCTIONS.items():
        # Far above 0 each of these is x, or nearly 1 (softsign) or 0 (log_sigmoid): asked of mpmath up to 10^4 alone.
        near = [i for i, v in enumerate(exact) if abs(v) < 10**4 or op in ("softsign", "hardswish")]
        bounded(op, {}, x[near], rounded(n, [f(exact[i]) for i in near]))
    for op, f in WITH_ALPHA.items():
        for alpha in [0.25, 1.5]:  # numbers of every type
            near = [i for i, v in enumerate(exact) if v > -(10**4)]
            bounded(op, {NAMES.get(op, "alpha"): alpha}, x[near],
                    rounded(n, [f(exact[i], mp.mpf(alpha)) for i in near]))
    scale, alpha = (mp.mpf(float(numbers(n, v))) for v in (1.0507, 1.67326))
    near = [v for v in exact if abs(v) < 10**4]
    bounded("selu", {}, numbers(n, [float(v) for v in near]),
            rounded(n, [scale * (v if v > 0 else alpha * mp.expm1(v)) for v in near]))
    clipped = np.clip(x.astype(np.float64), -0.25, 2).astype(x.dtype)
    c.add("hard_tanh", {"min_val": -0.25, "max_val": 2.0}, {"x": x}, [("out", clipped)],
          source=f"numpy {np.__version__}")

source = f"mlx {mx.__version__}, mlx.nn"
for n in ["int8", "int32", "float16", "float32"]:
    x = array(n, [-7, 0, 5, 6, 7, 100, -1])
    for op, f in [("relu", nn.relu), ("relu6", nn.relu6), ("relu2", nn.relu2)]:
        out = f(x)
        if out.dtype == x.dtype:
            c.add(op, {}, {"x": value(x)}, [("out", value(out))], source=source)
special = array("float32", [np.nan, np.inf, -np.inf, -0.0, 1e-45])
for op, f in [("relu", nn.relu), ("softsign", nn.softsign), ("softplus", nn.softplus), ("silu", nn.silu),
              ("leaky_relu", nn.leaky_relu), ("elu", nn.elu)]:
    known = special if op != "softsign" else special[0:1]
    c.add(op, {}, {"x": value(known)}, [("out", value(f(known)))], note="NaN and infinities", source=source)
c.error("gelu", {}, {"x": np.ones(2, np.complex64)}, note="complex numbers")
c.save()
