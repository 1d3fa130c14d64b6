"""Recorded numbers of other distributions: exact uniform numbers from MLX, functions of them from mpmath with 40
digits, and MLX's own draws held against both."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import mpmath
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
mpmath.mp.dps = 40
c = Corpus("normal", source=f"mpmath {mpmath.__version__} on uniform numbers of mlx {mx.__version__}")
rng = np.random.default_rng(13)
MX = {"F32": mx.float32, "F16": mx.float16, "BF16": mx.bfloat16, "F64": mx.float64, "C64": mx.complex64}
NP = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16, "F64": np.float64, "C64": np.complex64}
U = {"F32": 2.0**-24, "F16": 2.0**-11, "BF16": 2.0**-8, "F64": 2.0**-24, "C64": 2.0**-24}  # F64 holds f32 draws
LOW = -(1 - 2.0**-24)


def key_of(i):
    return np.array([(0, 0), (0, 1), (0, 42), (0xFFFFFFFF, 0xFFFFFFFF), (0x9E3779B9, 0x12345678)][i % 5], np.uint32)


def uniform(low, high, shape, tag, key):
    return np.array(mx.random.uniform(low, high, shape, MX[tag], mx.array(key)).astype(mx.float32)).astype(np.float64)


def each(f, *arrays):
    arrays = np.broadcast_arrays(*arrays)
    flat = [float(f(*(mpmath.mpf(float(x)) for x in xs))) for xs in zip(*(a.ravel() for a in arrays))]
    return np.array(flat, np.float64).reshape(arrays[0].shape)


def erfinv(u):
    return mpmath.erfinv(u)


def laplace(u):
    return mpmath.sign(u) * mpmath.log1p(-abs(u))


def gumbel(u):
    return -mpmath.log(-mpmath.log(u)) if u > 0 else -mpmath.inf


def numbers(a):
    a = a.astype(mx.float32) if a.dtype == mx.bfloat16 else a
    return np.array(a)


def record(op, attrs, inputs, exact, tag, scale, mlx, note=""):
    """Four roundings at most in the dtype, functions of 4 ulps of binary32: MLX itself must pass."""
    error = (4 * U[tag] + 8 * 2.0**-24) * scale
    assert np.all(np.abs(numbers(mlx) - exact) <= 2 * error), (op, attrs)
    c.add(op, attrs, inputs, [("out", exact.astype(NP[tag]))], compare="close", tol=(0.0, 2 * error), note=note)


SHAPES = [(), (1,), (2,), (5,), (8,), (4, 3), (0, 3), (65,), (3, 5)]
for i, shape in enumerate(SHAPES):
    for tag in MX if i in (0, 3, 6) else ("F32", "C64"):
        key, u = key_of(i), uniform(LOW, 1, tuple(shape) + ((2,) if tag == "C64" else ()), "F32", key_of(i))
        z = each(erfinv, u)
        attrs = {"shape": list(shape), "dtype": tag}
        if tag == "C64":
            z = z[..., 0] + 1j * z[..., 1]
        root = 1.0 if tag == "C64" else float(np.asarray(np.sqrt(2.0)).astype(NP[tag]))
        record("normal", attrs, {"key": key}, z * root, tag, 4, mx.random.normal(shape, MX[tag], key=mx.array(key)))
        if i in (4, 5):
            loc, scale = np.float32(-0.5), np.float32(3)
            mlx = mx.random.normal(shape, MX[tag], mx.array(loc), mx.array(scale), mx.array(key))
            record("normal", attrs, {"key": key, "loc": loc, "scale": scale}, z * root * 3 - 0.5, tag, 16, mlx)
        if tag not in ("F64", "C64"):
            g = each(gumbel, uniform(0, 1, shape, tag, key))
            record("gumbel", attrs, {"key": key}, g, tag, 16, mx.random.gumbel(shape, MX[tag], mx.array(key)))
        if tag != "C64":
            for loc, scale in ((0.0, 1.0), (1.5, -0.5))[i % 2:]:
                mlx = mx.random.laplace(shape, MX[tag], loc, scale, mx.array(key))
                record("laplace", {**attrs, "loc": loc, "scale": scale}, {"key": key}, each(laplace, u) * scale + loc,
                       tag, 16, mlx)

loc, scale = rng.standard_normal((3, 1)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
z = each(erfinv, uniform(LOW, 1, (2, 3, 4), "F32", key_of(2)))
record("normal", {"shape": [2, 3, 4], "dtype": "F32"}, {"key": key_of(2), "loc": loc, "scale": scale},
       z * np.sqrt(2.0) * scale.astype(np.float64) + loc, "F32", 16,
       mx.random.normal((2, 3, 4), mx.float32, mx.array(loc), mx.array(scale), mx.array(key_of(2))), note="broadcast")
pair = np.complex64(1 + 2j), np.complex64(0.5 - 2j)
u = uniform(LOW, 1, (3, 5, 2), "F32", key_of(3))
z = each(erfinv, u)
record("normal", {"shape": [3, 5], "dtype": "C64"}, {"key": key_of(3), "loc": pair[0], "scale": pair[1]},
       (z[..., 0] + 1j * z[..., 1]) * complex(pair[1]) + complex(pair[0]), "C64", 16,
       mx.random.normal((3, 5), mx.complex64, mx.array(pair[0]), mx.array(pair[1]), mx.array(key_of(3))))


def truncated(a, b, v):
    """By bisection on probabilities of 60 digits and more, whatever the tail."""
    if not a < b:
        return a
    if a + b > 0:
        return -truncated(-b, -a, 1 - v)
    with mpmath.workdps(60):
        mass = (1 - v) * mpmath.ncdf(a) + v * mpmath.ncdf(b)
        low, high = max(a, b - 200), b
        low = min(low, b) if mpmath.ncdf(low) < mass else a
        for _ in range(120):
            middle = (low + high) / 2
            low, high = (middle, high) if mpmath.ncdf(middle) < mass else (low, middle)
        return (low + high) / 2


def add_truncated(lower, upper, shape, tag, i, note=""):
    """The quantile rounded once; MLX is held against it where its formula has not lost the tail."""
    key = key_of(i)
    lower, upper = np.float32(lower), np.float32(upper)
    full = np.broadcast_shapes(lower.shape, upper.shape) if shape is None else shape
    v = uniform(0, 1, full, tag, key)
    a, b = lower.astype(NP[tag]).astype(np.float64), upper.astype(NP[tag]).astype(np.float64)
    exact = each(truncated, a, b, v)
    size = float(np.abs(exact).max(initial=1.0))
    if size < 2.5 and tag == "F32":
        mlx = mx.random.truncated_normal(mx.array(lower), mx.array(upper), shape, MX[tag], mx.array(key))
        assert np.all(np.abs(numbers(mlx) - exact) < 1e-5)
    c.add("truncated_normal", {"shape": None if shape is None else list(shape), "dtype": tag},
          {"lower": lower, "upper": upper, "key": key}, [("out", exact.astype(NP[tag]))], compare="close",
          tol=(2 * U[tag], 2.0**-40), note=note)


for i, shape in enumerate(((), (3,), (8,), (2, 3))):
    for tag in ("F32", "F16", "BF16"):
        add_truncated(-1, 1, shape, tag, i)
        add_truncated(-2, 0.5, shape, tag, i + 1)
        add_truncated(1, 2.25, shape, tag, i + 2)
for tag in ("F32", "F16", "BF16"):
    add_truncated(5, 6, (20,), tag, 1, note="a tail that erf in binary32 loses")
    add_truncated(-9, -8, (20,), tag, 2)
    add_truncated(40, 41, (20,), tag, 3, note="a tail that probabilities in binary64 lose")
    add_truncated(0, 30, (20,), tag, 4)
    add_truncated(3, 2, (4,), tag, 0, note="lower above upper")
add_truncated(1000, 1001, (9,), "F32", 0)
add_truncated([[-1], [0], [2]], [0.5, 3], None, "F32", 3, note="broadcast")

good = key_of(0)
c.error("normal", {"shape": [2], "dtype": "I32"}, {"key": good})
c.error("normal", {"shape": [2], "dtype": "F32"}, {"key": good, "loc": np.zeros(3, np.float32)})
c.error("laplace", {"shape": [2], "dtype": "C64", "loc": 0.0, "scale": 1.0}, {"key": good})
c.error("gumbel", {"shape": [2], "dtype": "F64"}, {"key": good}, error="runtime_error")
bounds = {"lower": np.float32(0), "upper": np.float32(1)}
c.error("truncated_normal", {"shape": [2], "dtype": "I32"}, {**bounds, "key": good})
c.save()
