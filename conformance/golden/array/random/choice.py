"""Recorded orders and choices: MLX on the processor, choices held against a model in NumPy's binary64 on MLX's uniform
numbers, and left out where the two are too close to call."""

import pathlib
import sys

import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mx.set_default_device(mx.cpu)
c = Corpus("choice", source=f"mlx {mx.__version__}, PyPI wheel, CPU")
MODEL = f"numpy {np.__version__} in binary64 on uniform numbers of mlx {mx.__version__}"
rng = np.random.default_rng(14)
TYPES = {np.float64: mx.float64, np.complex64: mx.complex64}


def key_of(i):
    return np.array([(0, 0), (0, 1), (0, 42), (0xFFFFFFFF, 0xFFFFFFFF), (0x9E3779B9, 0x12345678)][i % 5], np.uint32)


for i, n in enumerate((0, 1, 2, 3, 8, 33, 64, 257, 1000)):
    out = np.array(mx.random.permutation(n, key=mx.array(key_of(i))))
    c.add("permutation_n", {"n": n}, {"key": key_of(i)}, [("out", out)])
c.error("permutation_n", {"n": -1}, {"key": key_of(0)})

TYPED = (np.float32, np.int8, np.uint16, np.int64, np.float16, np.complex64, np.float64, np.bool_)
for i, t in enumerate(TYPED):
    for shape, axis in (((7,), 0), ((4, 5), 1), ((3, 4, 2), -2)):
        a = (rng.standard_normal(shape) * 50).astype(t)
        out = mx.random.permutation(mx.array(a, TYPES.get(t)), axis, mx.array(key_of(i)))
        c.add("permutation", {"axis": axis}, {"a": a, "key": key_of(i)}, [("out", np.array(out))])
empty = np.zeros((0, 3), np.float32)
c.add("permutation", {"axis": 0}, {"a": empty, "key": key_of(0)}, [("out", empty)])
c.error("permutation", {"axis": 2}, {"a": np.zeros((2, 3), np.float32), "key": key_of(0)}, error="out_of_range")


def uniform(shape, i):
    return np.array(mx.random.uniform(shape=shape, key=mx.array(key_of(i)))).astype(np.float64)


def modelled(logits, axis, shape, samples, i):
    """The choices and by how much each was decided."""
    x = logits.astype(np.float64)
    x = np.where(np.isnan(x), -np.inf, x)
    axis %= x.ndim
    if samples is not None:
        x = x[..., None]
    rest = x.shape[:axis] + x.shape[axis + 1:]
    out = rest if shape is None else tuple(shape)
    if samples is not None:
        out = rest[:-1] + (samples,)
    m = x.max(axis, keepdims=True)
    with np.errstate(all="ignore"):
        x = np.where(np.isinf(m), np.where(x == m, 0.0, -np.inf), x)
        if x.size == x.shape[axis] and out:
            w = np.exp(x.ravel() - x.max())
            sums = np.cumsum(np.concatenate(([0.0], w)))
            t = uniform(out, i)[..., None] * sums[-1]
            return (sums[:-1] <= t).sum(-1) - 1, np.abs(sums - t).min(-1) / sums[-1] if t.size else np.ones(out)
        offset = axis + len(out) - len(rest)
        g = -np.log(-np.log(uniform(out[:offset] + (x.shape[axis],) + out[offset:], i)))
        score = np.moveaxis(g + x, offset, -1)
    top = np.sort(score, -1)
    apart = top[..., -1] - top[..., -2] if score.shape[-1] > 1 else np.ones(out)
    return score.argmax(-1), apart


def add(logits, i, axis=-1, shape=None, samples=None, same=True, note=""):
    logits = np.asarray(logits)
    want, apart = modelled(logits, axis, shape, samples, i)
    assert np.all(apart > 1e-5), (logits.shape, axis, shape, samples)
    if same:
        out = mx.random.categorical(mx.array(logits), axis, shape, samples, mx.array(key_of(i)))
        assert np.array_equal(np.array(out), want), note
    c.add("categorical", {"axis": axis, "shape": shape, "num_samples": samples}, {"logits": logits, "key": key_of(i)},
          [("out", want.astype(np.uint32))], source=MODEL, note=note)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


add(np.zeros(10, np.float32), 0)
add(normal(4), 1, samples=6)
add(normal(50), 2, samples=40)
add(normal(1, 9), 3)
add(normal(7), 4, shape=[2, 3])
add(normal(6, 8), 0)
add(normal(6, 8), 1, axis=0)
add(normal(3, 5, 4), 2, axis=1)
add(normal(3, 5, 4), 3, axis=1, samples=4)
add(normal(3, 5), 4, shape=[4, 3])
add(normal(5, 3), 0, axis=0, shape=[2, 2, 3])
add(normal(2, 300), 1)
add(rng.integers(-3, 4, (4, 6)).astype(np.int32), 2)
add(normal(4, 6).astype(np.float16), 3)
add(np.float32([0, np.inf, 1, 2]), 4, samples=5, note="an infinite logit is always chosen")
add(np.float32([[0, -np.inf, 1, -np.inf], [-np.inf, 0, -np.inf, -np.inf]]), 0, note="a masked entry never")
add(np.float32([-np.inf] * 5), 1, samples=9, note="all masked: alike")
add(np.float32([[-np.inf] * 5] * 3), 1, same=False, note="all masked: alike; MLX takes the first")
add(np.float32([[0, np.inf, 1, np.inf], [1, 2, np.inf, np.inf]]), 2, same=False, note="infinite ones alike")
add(np.float32([[0, np.nan, 1, np.nan], [np.nan, 2, 0, 1]]), 3, same=False, note="NaN is never chosen")
add(np.float32([0, np.nan, 1]), 4, samples=9, same=False, note="NaN is never chosen")
add(normal(3, 4), 0, samples=0, same=False, note="no number; MLX refuses it")
c.error("categorical", {"axis": 1, "shape": None, "num_samples": None}, {"logits": normal(3), "key": key_of(0)},
        error="out_of_range")
c.error("categorical", {"axis": -1, "shape": [2], "num_samples": 2}, {"logits": normal(3), "key": key_of(0)})
c.error("categorical", {"axis": -1, "shape": [4], "num_samples": None}, {"logits": normal(3, 4), "key": key_of(0)})
c.error("categorical", {"axis": -1, "shape": None, "num_samples": None}, {"logits": normal(3, 0), "key": key_of(0)})
c.save()
