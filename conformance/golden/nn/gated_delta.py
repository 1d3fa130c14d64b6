"""The gated delta rule in exact rational arithmetic, step by step; and as MLX has it."""

import pathlib
import platform
import sys
from fractions import Fraction

import ml_dtypes
import mlx.core as mx
import numpy as np

sys.path.append(str(next(p for p in pathlib.Path(__file__).resolve().parents if p.name == "golden")))
from corpus import Corpus  # noqa: E402

TOLERANCES = {"float32": (2**-18, 2**-19), "float16": (2**-10, 2**-11), "bfloat16": (2**-7, 2**-8)}
OP = "gated_delta_update"


def exact_values(x):
    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(x.astype(np.float64))


def stepped(q, k, v, gamma, beta, initial_state, mask):
    """(out, state) as fractions; states are (E, D) for each head of v."""
    q, k, v, gamma, beta = map(exact_values, (q, k, v, gamma, beta))
    (batch, steps, heads, width), group = v.shape, v.shape[2] // k.shape[2]
    depth = k.shape[3]
    zero = np.full((batch, heads, width, depth), Fraction(0), object)
    state = zero if initial_state is None else exact_values(initial_state)
    out = np.full(v.shape, Fraction(0), object)
    for b, t, h in np.ndindex(batch, steps, heads):
        if mask is not None and not mask[b, t]:
            continue
        key, question = k[b, t, h // group], q[b, t, h // group]
        faded = state[b, h] * gamma[b, t, h]
        lacks = beta[b, t, h] * (v[b, t, h] - faded.dot(key))
        state[b, h] = faded + np.outer(lacks, key)
        out[b, t, h] = state[b, h].dot(question)
    return out, state


def given(**named):
    return {name: x for name, x in named.items() if x is not None}


def exact(c, q, k, v, gamma, beta, state=None, mask=None, note=""):
    out, last = stepped(q, k, v, gamma, beta, state, mask)
    out, last = out.astype(np.float64).astype(v.dtype), last.astype(np.float64).astype(np.float32)
    c.add(OP, {}, given(q=q, k=k, v=v, gamma=gamma, beta=beta, initial_state=state, mask=mask),
          [("out", out), ("state", last)], compare="close", tol=[TOLERANCES[out.dtype.name], TOLERANCES["float32"]],
          note=note)


def by_mlx(c, q, k, v, gamma, beta, state=None, mask=None, note=""):
    inputs = given(q=q, k=k, v=v, gamma=gamma, beta=beta, initial_state=state, mask=mask)
    out, last = mx.fast.gated_delta_update(**{name: mx.array(x) for name, x in inputs.items()})
    c.add(OP, {}, inputs, [("out", np.array(out)), ("state", np.array(last))], compare="close", tol=(2**-15, 2**-15),
          note=note, source=f"mlx {mx.__version__}")


def main():
    c = Corpus("gated_delta", source=f"python {platform.python_version()}, fractions")
    mx.set_default_device(mx.cpu)
    rng = np.random.default_rng(18)
    some = lambda *shape, t=np.float32: (rng.standard_normal(shape) / 2).astype(t)
    gate = lambda *shape, t=np.float32: rng.random(shape).astype(t)

    def operands(steps, heads, groups, depth, width, t=np.float32, u=None):
        keys, values = (2, steps, groups, depth), (2, steps, heads, width)
        return (some(*keys, t=t), some(*keys, t=t), some(*values, t=t), gate(2, steps, heads, t=u or t),
                gate(2, steps, heads, t=u or t))

    for t in (np.float32, np.float16, ml_dtypes.bfloat16):
        exact(c, *operands(5, 2, 2, 4, 3, t))
        exact(c, *operands(4, 4, 2, 3, 2, t, np.float32), state=some(2, 4, 2, 3), note="gates of another type")
        exact(c, *operands(4, 2, 1, 3, 5, t), mask=rng.random((2, 4)) < 0.5, note="hidden steps leave the state alone")
    exact(c, *operands(1, 3, 3, 17, 5), note="one step")
    f = np.float32
    rows = lambda a, b: np.array([[[a], [b]]], f)
    exact(c, rows((1, 0), (1, 1)), rows((1, 0), (0, 1)), rows((2, 3), (5, 7)),
          np.array([[[0.5], [0.25]]], f), np.ones((1, 2, 1), f), note="by hand: (2,3), (5.5,7.75)")
    by_mlx(c, *operands(6, 4, 2, 8, 8))
    by_mlx(c, *operands(6, 2, 2, 8, 8), state=some(2, 2, 8, 8), mask=rng.random((2, 6)) < 0.7)
    q, k, v, gamma, beta = operands(3, 3, 2, 4, 4)
    c.error(OP, {}, given(q=q, k=k, v=v, gamma=gamma, beta=beta), note="three heads of values ask two of keys")
    q, k, v, gamma, beta = operands(3, 2, 2, 4, 4)
    c.error(OP, {}, given(q=q, k=k, v=v, gamma=gamma, beta=beta[:, :2]), note="no beta for the last step")
    c.error(OP, {}, given(q=q, k=k, v=v, gamma=gamma, beta=beta, initial_state=some(2, 2, 4, 5)), note="another state")
    c.save()


if __name__ == "__main__":
    main()
