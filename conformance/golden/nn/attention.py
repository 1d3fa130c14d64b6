"""Attention by its definition in mpmath at 40 digits, and as MLX has it."""

import pathlib
import sys

import ml_dtypes
import mlx.core as mx
import mpmath as mp
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

mp.mp.dps = 40
TOLERANCES = {"float64": (2**-44, 2**-46), "float32": (2**-18, 2**-20), "float16": (2**-10, 2**-12),
              "bfloat16": (2**-7, 2**-9)}


def numbers(x):
    return [mp.mpf(float(v)) for v in x]


def query(q, k, v, scale, seen, added, sink):
    """One line of the result: q (D), k (S, D), v (S, E); seen and added have an entry for each key."""
    keys = [j for j in range(len(k)) if seen[j]]
    scores = [scale * mp.fdot(numbers(q), numbers(k[j])) + added[j] for j in keys]
    if not keys and sink is None:
        keys, scores = list(range(len(k))), [mp.mpf(0)] * len(k)
    weights = [mp.exp(s) for s in scores]
    total = mp.fsum(weights) + (0 if sink is None else mp.exp(sink))
    return [mp.fsum(w * mp.mpf(float(v[j, e])) for w, j in zip(weights, keys)) / total for e in range(v.shape[1])]


def attended(q, k, v, scale, mode, mask, sinks):
    (b, h, n, _), (_, g, s, e) = q.shape, v.shape
    y = np.zeros((b, h, n, e))
    shaped = None if mask is None else np.broadcast_to(mask, (b, h, n, s))
    for at in np.ndindex(b, h, n):
        seen, added = [mode != "causal" or j <= at[2] + s - n for j in range(s)], [mp.mpf(0)] * s
        if mask is not None and mask.dtype == bool:
            seen = list(shaped[at])
        elif mask is not None:
            added = [mp.mpf(float(m)) for m in shaped[at]]
        head = at[1] // (h // g)
        sink = None if sinks is None else mp.mpf(float(sinks[at[1]]))
        y[at] = [float(x) for x in query(q[at], k[at[0], head], v[at[0], head], scale, seen, added, sink)]
    return y


def call(c, y, q, k, v, scale, mode, mask, sinks, tol, note, **source):
    given = {"q": q, "k": k, "v": v, "mask": mask, "sinks": sinks}
    mode = "array" if mask is not None else mode
    c.add("scaled_dot_product_attention", {"scale": scale, "mask_mode": mode},
          {name: x for name, x in given.items() if x is not None}, [("out", y)], compare="close", tol=tol, note=note,
          **source)


def exact(c, q, k, v, scale=0.5, mode="", mask=None, sinks=None, out=None, note=""):
    y = attended(q, k, v, mp.mpf(float(np.float32(scale))), mode, mask, sinks).astype(out or q.dtype)
    call(c, y, q, k, v, scale, mode, mask, sinks, TOLERANCES[y.dtype.name], note)


def by_mlx(c, q, k, v, scale=0.5, mode="", mask=None, sinks=None, note=""):
    to = lambda x: None if x is None else mx.array(x)
    y = mx.fast.scaled_dot_product_attention(to(q), to(k), to(v), scale=scale, sinks=to(sinks),
                                             mask=mode or None if mask is None else to(mask))
    call(c, np.array(y), q, k, v, scale, mode, mask, sinks, (2**-15, 2**-17), note, source=f"mlx {mx.__version__}")


def main():
    c = Corpus("attention", source=f"mpmath {mp.__version__}")
    mx.set_default_device(mx.cpu)
    rng = np.random.default_rng(17)
    some = lambda *shape, t=np.float32: rng.standard_normal(shape).astype(t)
    three = lambda h, g, n, s, d, e, t=np.float32: (some(2, h, n, d, t=t), some(2, g, s, d, t=t), some(2, g, s, e, t=t))
    for t in (np.float32, np.float16, ml_dtypes.bfloat16, np.float64):
        exact(c, *three(2, 1, 3, 5, 4, 3, t))
        exact(c, *three(2, 2, 3, 4, 5, 2, t), mode="causal", sinks=some(2, t=t))
        exact(c, *three(2, 2, 3, 4, 5, 2, t), mask=some(3, 4, t=t), scale=-0.25)
        exact(c, *three(2, 2, 3, 4, 3, 2, t), mask=rng.random((2, 1, 3, 4)) < 0.6)
    exact(c, *three(1, 1, 4, 2, 3, 2), mode="causal", note="the first queries see no key: the mean of all values")
    exact(c, *three(1, 1, 4, 2, 3, 2), mode="causal", sinks=some(1), note="or the sink alone: 0")
    exact(c, *three(1, 1, 2, 3, 3, 2), mask=np.zeros((2, 3), bool), note="nothing is seen")
    exact(c, *three(1, 1, 2, 3, 3, 2), mask=np.array([[0, -np.inf, 1], [-np.inf, 2, -np.inf]], np.float32))
    q, k, v = three(1, 1, 2, 3, 3, 2)
    exact(c, 60 * q, k, v, scale=1.0, note="weights far apart")
    hidden = v.copy()
    hidden[:, :, 2] = [np.nan, np.inf]
    y = attended(q, k, v, mp.mpf(0.5), "", np.array([[True, True, False]]), None).astype(np.float32)
    call(c, y, q, k, hidden, 0.5, "", np.array([[True, True, False]]), None, TOLERANCES["float32"],
         "what is hidden counts for nothing")
    halves = three(2, 1, 2, 3, 4, 2, np.float16)
    exact(c, halves[0], halves[1].astype(np.float32), halves[2], mask=some(3, t=np.float16), out=np.float32,
          note="promoted")
    by_mlx(c, *three(4, 2, 3, 5, 8, 8))
    by_mlx(c, *three(4, 2, 3, 5, 8, 8), mode="causal", sinks=some(4))
    by_mlx(c, *three(2, 2, 3, 5, 8, 8), mask=rng.random((3, 5)) < 0.5)
    by_mlx(c, *three(2, 2, 3, 5, 8, 8), mask=some(2, 1, 1, 5))
    by_mlx(c, *three(2, 2, 3, 5, 8, 8), mask=np.array([[0.0] * 5, [-np.inf] * 5, [1.0] * 5], np.float32),
           note="nothing but -inf is added: NaN")
    plain, attributes = dict(zip("qkv", three(2, 2, 3, 4, 5, 2))), {"scale": 0.5, "mask_mode": ""}
    op = "scaled_dot_product_attention"
    c.error(op, {**attributes, "mask_mode": "banded"}, plain, note="no such mode")
    c.error(op, {**attributes, "mask_mode": "causal"}, {**plain, "mask": np.ones((3, 4), bool)}, note="two masks")
    c.error(op, {**attributes, "mask_mode": "array"}, {**plain, "mask": np.ones((3, 5), bool)}, note="no such keys")
    c.error(op, {**attributes, "mask_mode": "array"}, {**plain, "mask": np.ones((3, 4))}, note="wider than the result")
    c.error(op, attributes, {**plain, "sinks": some(3)}, note="more sinks than heads")
    c.error(op, attributes, dict(zip("qkv", three(3, 2, 3, 4, 5, 2))), note="three heads ask two")
    c.error(op, attributes, {name: np.ones((1, 1, 2, 2), np.int32) for name in "qkv"}, note="whole numbers")
    c.save()


if __name__ == "__main__":
    main()
