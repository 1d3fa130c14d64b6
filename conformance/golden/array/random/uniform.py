"""Recorded uniform numbers, truths and whole numbers: MLX on the processor, held against a model in NumPy."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
c = Corpus("uniform", source=f"mlx {mx.__version__}, PyPI wheel, CPU, equal to a model in numpy {np.__version__}")
rng = np.random.default_rng(12)
TYPES = {"F32": (mx.float32, np.float32), "F16": (mx.float16, np.float16), "BF16": (mx.bfloat16, ml_dtypes.bfloat16)}


def key_of(i):
    return np.array([(0, 0), (0, 1), (0, 42), (0xFFFFFFFF, 0xFFFFFFFF), (0x9E3779B9, 0x12345678)][i % 5], np.uint32)


def words(key, shape):
    """Of an even number at least, the first rows of split, whose words pair as those of any other draw do."""
    n = int(np.prod(shape, dtype=np.int64))
    if n % 2 == 0:
        return np.array(mx.random.split(mx.array(key), n // 2)).reshape(shape)
    # An odd number has a lone word in its middle, of which bernoulli shows as much as one likes: bit by bit.
    p = np.zeros(shape, np.float64)
    for b in range(31, -1, -1):
        trial = p + 2.0**b
        below = np.array(mx.random.bernoulli(mx.array(trial / 4294967808.0, mx.float64), shape, mx.array(key)))
        p = np.where(below, p, trial)
    return p.astype(np.uint32)


def model(key, shape, low, high, t):
    u = np.minimum(words(key, shape).astype(np.float32) * np.float32(2.0**-32),
                   np.float32(1 - 2.0**-{np.float32: 24, np.float16: 11, ml_dtypes.bfloat16: 8}[t]))
    low, high = np.asarray(low).astype(t), np.asarray(high).astype(t)
    return ((high - low).astype(t) * u.astype(t)).astype(t) + low


def numbers(a):
    return np.array(a.view(mx.uint16)).view(ml_dtypes.bfloat16) if a.dtype == mx.bfloat16 else np.array(a)


def same(a, b):
    return np.array_equal(np.asarray(a).astype(np.float64), np.asarray(b).astype(np.float64))


SHAPES = [(), (1,), (2,), (5,), (8,), (4, 3), (0, 3), (129,), (3, 5, 7)]
for i, shape in enumerate(SHAPES):
    for tag, (t, n) in TYPES.items() if i % 2 == 0 else [("F32", TYPES["F32"])]:
        for low, high in ((0, 1), (-2, 3)) if i < 6 else ((-0.5, 8),):
            out = numbers(mx.random.uniform(low, high, shape, t, mx.array(key_of(i))))
            assert same(out, model(key_of(i), shape, low, high, n)), (shape, tag)
            inputs = {"key": key_of(i)}
            if (low, high) != (0, 1):
                inputs = {"low": np.float32(low), "high": np.float32(high), **inputs}
            c.add("uniform", {"shape": list(shape), "dtype": tag}, inputs, [("out", out)])
low, high = rng.standard_normal((3, 1)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
for tag, (t, n) in TYPES.items():
    out = numbers(mx.random.uniform(mx.array(low), mx.array(high), (2, 3, 4), t, mx.array(key_of(2))))
    c.add("uniform", {"shape": [2, 3, 4], "dtype": tag}, {"low": low, "high": high, "key": key_of(2)}, [("out", out)])
one = np.float32(1)
c.error("uniform", {"shape": [2], "dtype": "F64"}, {"low": one, "high": one, "key": key_of(0)}, error="runtime_error")
c.error("uniform", {"shape": [2], "dtype": "C64"}, {"low": one, "high": one, "key": key_of(0)})
c.error("uniform", {"shape": [], "dtype": "F32"}, {"low": np.zeros(2, np.float32), "high": one, "key": key_of(0)})

for i, shape in enumerate(SHAPES):
    p = np.float32([0.5, 0.1, 1, 0, 0.9, -1, 2, 0.25, np.nan][i])
    w = words(key_of(i), shape)
    out = np.array(mx.random.bernoulli(mx.array(p), shape, mx.array(key_of(i))))
    assert np.array_equal(out, w.astype(np.float32) < p * np.float32(4294967808.0)), shape
    c.add("bernoulli", {"shape": list(shape)}, {"p": p, "key": key_of(i)}, [("out", out)])
for t in (np.float16, np.float32, np.float64):
    p = rng.random((3, 4)).astype(t)
    out = mx.random.bernoulli(mx.array(p, {2: mx.float16, 4: mx.float32, 8: mx.float64}[t().itemsize]), None,
                              mx.array(key_of(3)))
    c.add("bernoulli", {"shape": None}, {"p": p, "key": key_of(3)}, [("out", np.array(out))])
c.error("bernoulli", {"shape": None}, {"p": np.int32(1), "key": key_of(0)}, note="p is no float")

INTEGERS = {"I32": mx.int32, "U8": mx.uint8, "I16": mx.int16, "U32": mx.uint32, "I64": mx.int64, "U64": mx.uint64}
for i, shape in enumerate(SHAPES):
    for tag, low, high in (("I32", -5, 5), ("I32", 7, 3), ("U8", 0, 256), ("I16", -300, 300), ("U32", 3, 100),
                           ("I64", 0, 2**24 + 2), ("U64", 0, 9))[:7 if i % 2 else 3]:
        out = np.array(mx.random.randint(mx.array(low), mx.array(high), shape, INTEGERS[tag], mx.array(key_of(i + 1))))
        c.add("randint", {"shape": list(shape), "dtype": tag},
              {"low": np.int32(low), "high": np.int32(high), "key": key_of(i + 1)}, [("out", out)])
low, high = rng.integers(-9, 9, (3, 1)).astype(np.int32), rng.integers(9, 99, 4).astype(np.int32)
out = np.array(mx.random.randint(mx.array(low), mx.array(high), (2, 3, 4), mx.int32, mx.array(key_of(4))))
c.add("randint", {"shape": [2, 3, 4], "dtype": "I32"}, {"low": low, "high": high, "key": key_of(4)}, [("out", out)])
c.error("randint", {"shape": [2], "dtype": "F32"}, {"low": np.int32(0), "high": np.int32(9), "key": key_of(0)})
c.save()
